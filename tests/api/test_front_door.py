"""The routes beside the pages: is the city's line alive, and the fonts that every screen needs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette

from api import front_door
from core.errors import StoreBusy
from core.snapshot import Snapshot
from pipeline import Line
from tests.clockwork import SetClock


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(app: Any, path: str, method: str = "GET") -> Reply:
    """One request, straight to the application: no server, no network."""
    sent: list[dict[str, Any]] = []

    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()  # a viewer who stays: nothing more comes until the application is done
        raise AssertionError("the application ends this wait")

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
        "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    start = sent[0]
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def health(line: Line, snapshot: Snapshot, later: timedelta) -> Reply:
    """What /api/health says so long after a snapshot was made."""
    watched = SimpleNamespace(snapshot=snapshot, clock=SetClock(snapshot.made_at + later), city=line.city)
    return ask(Starlette(routes=front_door.routes(lambda: watched)), "/api/health")


def test_a_line_that_publishes_is_healthy(demo_line: Line) -> None:
    reply = health(demo_line, demo_line.snapshot, timedelta(seconds=12))
    assert reply.status == 200
    said = json.loads(reply.body)
    assert said == {
        "city": "demo", "snapshot": demo_line.snapshot.number, "snapshot_age_s": 12.0,
        "sources_up": len(demo_line.snapshot.sources), "sources": len(demo_line.snapshot.sources),
    }  # fmt: skip


@pytest.mark.parametrize(("age_s", "status"), [(0, 200), (180, 200), (181, 503), (86_400, 503)])
def test_three_cycles_without_a_picture_are_ill(demo_line: Line, age_s: int, status: int) -> None:
    assert demo_line.city.cycle == timedelta(seconds=60)
    assert health(demo_line, demo_line.snapshot, timedelta(seconds=age_s)).status == status


def test_a_short_cycle_is_given_thirty_seconds(demo_line: Line) -> None:
    quick = SimpleNamespace(city=replace(demo_line.city, cycle=timedelta(seconds=2)))
    assert health(quick, demo_line.snapshot, timedelta(seconds=30)).status == 200
    assert health(quick, demo_line.snapshot, timedelta(seconds=31)).status == 503


def test_a_scenario_ages_by_the_clock_on_the_wall(demo_line: Line) -> None:
    """At sixty times the speed of the world, ten minutes of the city are ten seconds of waiting."""
    played = replace(demo_line.snapshot, speed=60.0)
    reply = health(demo_line, played, timedelta(minutes=10))
    assert reply.status == 200
    assert json.loads(reply.body)["snapshot_age_s"] == 10.0


def test_before_the_first_cycle_nothing_is_healthy(demo_line: Line) -> None:
    reply = health(demo_line, replace(demo_line.snapshot, number=0), timedelta(0))
    assert reply.status == 503
    assert json.loads(reply.body)["snapshot"] == 0


def fonts() -> list[str]:
    return sorted(path.name for path in (front_door.ASSETS / "fonts").glob("*.woff2"))


def test_there_are_fonts() -> None:
    assert len(fonts()) >= 6


@pytest.mark.parametrize("name", fonts())
def test_fonts_come_from_this_server_and_may_be_kept(name: str, demo_line: Line) -> None:
    reply = ask(Starlette(routes=front_door.routes(lambda: demo_line)), f"/assets/fonts/{name}")
    assert reply.status == 200
    assert reply.body[:4] == b"wOF2"
    assert reply.headers["cache-control"] == "public, max-age=604800"


@pytest.mark.parametrize("path", ["/assets/fonts/none.woff2", "/assets/../../dashboard.py", "/assets/..%2fpanel.py"])
def test_nothing_else_is_handed_out(path: str, demo_line: Line) -> None:
    reply = ask(Starlette(routes=front_door.routes(lambda: demo_line)), path)
    assert reply.status == 404
    assert b"import" not in reply.body


def test_health_is_only_asked_never_told(demo_line: Line) -> None:
    assert ask(Starlette(routes=front_door.routes(lambda: demo_line)), "/api/health", "POST").status == 405


def test_the_line_lives_as_long_as_the_server() -> None:
    done: list[str] = []

    async def serve() -> None:
        async with front_door.lifespan(lambda: done.append("started"), lambda: done.append("stopped"))(None):
            assert done == ["started"]

    asyncio.run(serve())
    assert done == ["started", "stopped"]


def test_a_start_that_cannot_be_ends_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two servers on one store: the second says so and ends with 2, without a stack trace."""

    class Ended(BaseException):
        pass

    def end(code: int) -> None:
        assert code == 2
        raise Ended

    def busy() -> Line:
        raise StoreBusy("demo.duckdb is in use by another process: stop it, or give this one another CITY_STORE")

    async def serve() -> None:
        async with front_door.lifespan(busy, lambda: None)(None):
            raise AssertionError("it must not come up")

    monkeypatch.setattr(front_door.os, "_exit", end)
    with pytest.raises(Ended):
        asyncio.run(serve())
    said = capsys.readouterr().err.strip()
    assert said == "error: demo.duckdb is in use by another process: stop it, or give this one another CITY_STORE"
