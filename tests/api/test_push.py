"""POST /api/push/<source>: what it answers, what it never reads, and that it opens nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api import front_door, push
from core.access import People
from core.door import open_door
from core.inbox import Inbox, close_box, open_box, signature
from tests.clockwork import SetClock

SECRET = "a secret that nobody guesses 0123456789"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
LINE: Any = SimpleNamespace(
    city=SimpleNamespace(
        sources=[
            SimpleNamespace(key="water", connector="webhook", enabled=True),
            SimpleNamespace(key="closed", connector="webhook", enabled=False),
            SimpleNamespace(key="not_yet", connector="webhook", enabled=True),
            SimpleNamespace(key="hotline", connector="open311", enabled=True),
        ]
    )
)


@pytest.fixture
def box() -> Iterator[Inbox]:
    for other in ("closed", "hotline"):
        open_box(other, SECRET)
    yield open_box("water", SECRET)
    for source in ("water", "closed", "hotline"):
        close_box(source)


def application() -> Starlette:
    """The route behind the guard of a house without a login, and a page beside it."""

    async def page(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("the page")

    door = open_door(People(), SetClock(NOW), lambda *_: None, login=False)
    return Starlette(
        routes=[push.route(lambda: LINE, lambda: NOW), Route("/{rest:path}", page, methods=["GET", "POST"])],
        middleware=front_door.guard(lambda: door, lambda _: False),
    )


def ask(
    *pieces: bytes, path: str = "/api/push/water", method: str = "POST", client: str = "10.0.0.7", **headers: str
) -> tuple[int, dict[str, str], int]:
    """(status, headers, how many pieces of the body were read) of one request from another machine."""
    coming, sent = list(pieces), []

    async def receive() -> dict[str, Any]:
        if not coming:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming)}

    async def send(message: Any) -> None:
        sent.append(message)

    named = {"host": "ioc.example.vn", "x-forwarded-for": client}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        "server": ("10.0.0.1", 8501), "client": (client, 40001),
    }  # fmt: skip
    asyncio.run(application()(scope, receive, send))
    answer = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answer, len(pieces) - len(coming)


def signed(body: bytes, stamp: str = STAMP, secret: str = SECRET) -> dict[str, str]:
    return {"x_city_timestamp": stamp, "x_city_signature": signature(secret, stamp, body)}


def test_a_signed_push_from_another_machine_is_taken_once(box: Inbox) -> None:
    assert ask(b'{"a":', b"1}", **signed(b'{"a":1}'))[0] == 202
    assert ask(b'{"a":1}', **signed(b'{"a":1}'))[0] == 409
    assert box.drain() == [b'{"a":1}']


def test_what_is_not_signed_is_refused_and_the_words_tell_nothing(box: Inbox) -> None:
    assert ask(b"{}", **signed(b"{}", secret="x" * 40))[0] == 401
    assert ask(b"{}", **signed(b"{ }"))[0] == 401
    assert ask(b"{}", x_city_timestamp=STAMP)[0] == 401
    for path in ("/api/push/closed", "/api/push/hotline", "/api/push/nobody"):
        assert ask(b"{}", path=path, **signed(b"{}"))[0] == 401
    assert box.drain() == []


@pytest.mark.parametrize("stamp", ["", "0", str(int(STAMP) - 301), "9" * 4000])
def test_nothing_is_read_of_a_push_whose_stamp_is_stale(box: Inbox, stamp: str) -> None:
    status, _, read = ask(b"{}", **signed(b"{}", stamp=stamp))
    assert (status, read) == (401, 0)


def test_a_large_body_is_refused_before_it_is_read(box: Inbox) -> None:
    head = signed(b"")
    assert ask(b"x", content_length=str(push.MOST_BYTES + 1), **head)[::2] == (413, 0)
    assert ask(b"x", content_length="9" * 400, **head)[::2] == (413, 0)
    piece = bytes(push.MOST_BYTES // 2)
    assert ask(piece, piece, b"x", b"never read", **head)[::2] == (413, 3)  # without a length
    body = bytes(push.MOST_BYTES)
    assert ask(body, content_length=str(len(body)), **signed(body))[0] == 202


def test_no_room_and_not_ready_say_when_to_come_again(box: Inbox) -> None:
    status, headers, read = ask(b"{}", path="/api/push/not_yet", **signed(b"{}"))
    assert (status, headers["retry-after"], read) == (503, "30", 0)
    for number in range(1_000):
        body = str(number).encode()
        box.take(STAMP, signature(SECRET, STAMP, body), body, NOW)
    assert ask(b"{}", **signed(b"{}"))[0] == 503
    assert len(box.drain()) == 1_000


def test_a_sender_that_leaves_in_the_middle_of_its_body_leaves_nothing(box: Inbox) -> None:
    async def half() -> int:
        coming = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return coming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/api/push/water", "query_string": b"", "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in signed(b"{").items()],
        }  # fmt: skip
        await Starlette(routes=[push.route(lambda: LINE, lambda: NOW)])(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(half()) == 408
    assert box.drain() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/push/water"),
        ("POST", "/"),
        ("POST", "/api/push/"),
        ("POST", "/api/push/water/"),
        ("POST", "/api/push/water/../../_stcore/upload_file"),
        ("POST", "//api/push/water"),
        ("POST", "/x/api/push/water"),
        ("POST", "/api/push/wa\nter"),
        ("POST", "/api/health"),
        ("PUT", "/api/push/water"),
    ],
)
def test_the_guard_lets_in_nothing_else_from_another_machine(box: Inbox, method: str, path: str) -> None:
    assert ask(b"{}", method=method, path=path, **signed(b"{}"))[0] == 421
    assert box.drain() == []


def test_security_headers_stand_on_its_answers_too(box: Inbox) -> None:
    assert ask(b"{}", **signed(b"{}"))[1]["x-content-type-options"] == "nosniff"


async def _together(*waiting: asyncio.Event) -> list[int]:
    """One push per event, on one route at once: its body comes when the event is set. Their statuses, in order."""
    endpoint, answers = push.route(lambda: LINE, lambda: NOW), []

    async def one(number: int, event: asyncio.Event) -> int:
        body, sent = str(number).encode(), []

        async def receive() -> dict[str, Any]:
            await event.wait()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        named = {name.replace("_", "-"): value for name, value in signed(body).items()}
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": "/api/push/water", "query_string": b"",
            "root_path": "", "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        await Starlette(routes=[endpoint])(scope, receive, send)
        return int(sent[0]["status"])

    for number, event in enumerate(waiting):
        answers.append(asyncio.create_task(one(number, event)))
        await asyncio.sleep(0)  # it runs until it waits for its body
        await asyncio.sleep(0)
    for event in waiting:
        event.set()
    return list(await asyncio.gather(*answers))


def test_only_so_many_bodies_are_in_memory_before_their_signature_is_known(
    box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "READ_AT_ONCE", 2)

    async def crowd() -> list[int]:
        return await _together(*(asyncio.Event() for _ in range(3)))

    assert asyncio.run(crowd()) == [202, 202, 503]
    assert box.drain() == [b"0", b"1"]


def test_a_body_that_was_read_makes_room_for_the_next(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "READ_AT_ONCE", 1)
    app = application()
    monkeypatch.setitem(globals(), "application", lambda: app)
    assert [ask(body, **signed(body))[0] for body in (b"1", b"2", b"3")] == [202, 202, 202]


def test_a_push_that_is_turned_away_is_in_the_log_without_its_body(
    box: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    ask(b"who am I", **signed(b"{}", secret="x" * 40))
    assert [record.getMessage() for record in caplog.records if record.name == push.LOG.name] == [
        "a push to water was answered 401"
    ]
