"""The one question to citizens: who may answer, how often, and what of an answer is kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import indicators
from alerts.desk import load_desk
from api import front_door, survey
from control.citizens import Citizens
from control.gate import Gate
from core import survey as core_survey
from core.access import Denied, People, Person
from core.config import load_city
from core.door import open_door
from core.errors import InputError
from core.scrub import MOST_LETTERS
from core.survey import EARLY, FINE, LATE, USED, Stamps
from notices.routes import Routes
from store.duck import DuckStore
from tests.clockwork import SetClock

NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
LEAD = Person(account="hà", name="Nguyễn Thị Minh Hà", role="supervisor")
CITY = load_city("demo")
CATALOGUE = indicators.catalogue()
DESK = load_desk(CITY, CATALOGUE)
FORM = "application/x-www-form-urlencoded"


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


class Counter:
    """The survey behind the guard of a house, with a clock of the machine's own."""

    def __init__(self, line: Any, *, login: bool = True) -> None:
        self.line = line
        self.clock = SetClock(NOON)
        door = open_door(People(), self.clock, lambda *_: None, login=login)

        async def page(_request: Any) -> PlainTextResponse:
            return PlainTextResponse("a page of the city")

        self.app = Starlette(
            routes=[*survey.routes(lambda: line, self.clock), Route("/{rest:path}", page)],
            middleware=front_door.guard(lambda: door, lambda _: False),
        )

    def ask(self, path: str, body: bytes | None = None, client: str = "203.0.113.9", **headers: str) -> Reply:
        path, _, query = path.partition("?")
        coming: list[Any] = [{"type": "http.request", "body": body or b"", "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return coming.pop(0) if coming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        named = {"host": "hoi.example.vn", "content-type": FORM} | {k.replace("_", "-"): v for k, v in headers.items()}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": "GET" if body is None else "POST", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "server": ("10.0.0.1", 8501), "client": (client, 40001),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        }  # fmt: skip
        asyncio.run(self.app(scope, receive, send))
        found = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:]).decode())

    def stamp(self, token: str) -> str:
        """The stamp in the form that somebody opens now."""
        found = re.search(r'name="stamp" value="([^"]+)"', self.ask(f"/y-kien/{token}").text)
        assert found
        return found[1]

    def answer(self, token: str, after_s: float = 5.0, client: str = "203.0.113.9", **fields: str) -> Reply:
        """Open the form, wait, send it."""
        given = {"points": "5", "stamp": self.stamp(token)} | fields
        self.clock.advance(timedelta(seconds=after_s))
        return self.ask(f"/y-kien/{token}", urlencode(given).encode(), client)

    def kept(self) -> pd.DataFrame:
        """Counts of what was stored."""
        return self.line.store.read_survey_answers(NOON - timedelta(days=400), NOON + timedelta(days=400))

    def count(self) -> int:
        rows = self.kept()
        return int(rows[["n1", "n2", "n3", "n4", "n5"]].sum().sum())


class Town:
    """As much of a line as the survey asks for: the demo city with an empty store."""

    def __init__(self, folder: Path) -> None:
        path = folder / "survey.duckdb"
        self.city = replace(CITY, store_path=path)
        self.store = DuckStore(path, zone=str(CITY.zone))
        self.clock = SetClock(NOON)
        gate = Gate(self.city, self.store, self.clock, DESK, Routes(), {}, drill=False, catalogue=CATALOGUE)
        self.citizens = Citizens(self.city, self.store, self.clock, gate, read_table=lambda name, body: [])


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    town = Town(tmp_path)
    yield Counter(town)
    town.store.close()


def link(counter: Counter, channel: str = "phone", office: str = "office_01") -> str:
    return counter.line.citizens.make_link(LEAD, "sv_birth", office, channel)


def test_a_citizen_answers_from_a_phone_and_only_the_hour_is_kept(counter: Counter) -> None:
    token = link(counter)
    shown = counter.ask(f"/y-kien/{token}")
    assert shown.status == 200
    assert "Đăng ký khai sinh" in shown.text
    assert "Một cửa Cầu Gỗ" in shown.text
    assert "<script" not in shown.text
    counter.line.clock.set(datetime(2026, 11, 20, 5, 47, 31, tzinfo=UTC))
    reply = counter.answer(token, points="2", reason="Chờ lâu, gọi 0912 345 678 cho chị Lan")
    assert (reply.status, reply.headers["location"]) == (303, f"/y-kien/{token}/cam-on?lang=vi")
    assert "Cảm ơn bạn." in counter.ask(f"/y-kien/{token}/cam-on").text
    (row,) = counter.kept().to_dict("records")
    assert row["time"] == pd.Timestamp("2026-11-20 05:00", tz="UTC")
    assert (row["service"], row["office"], row["n2"], row["asked"]) == ("sv_birth", "office_01", 1, 0)
    (said,) = counter.line.store.read_survey_reasons(NOON - timedelta(days=9), NOON + timedelta(days=9))["reason"]
    assert "0912" not in said
    assert "Chờ lâu" in said
    assert counter.line.store.verify() == []


def test_english_is_one_tap_away_and_stays_to_the_thanks(counter: Counter) -> None:
    token = link(counter)
    assert "How satisfied are you" in counter.ask(f"/y-kien/{token}?lang=en").text
    body = urlencode({"points": "4", "stamp": counter.stamp(token)}).encode()
    counter.clock.advance(timedelta(seconds=4))
    reply = counter.ask(f"/y-kien/{token}?lang=en", body)
    assert reply.headers["location"].endswith("lang=en")
    assert "Thank you." in counter.ask(reply.headers["location"]).text


def test_a_tablet_asks_the_next_citizen_by_itself_and_a_phone_does_not(counter: Counter) -> None:
    tablet, phone = link(counter, "counter"), link(counter, "phone")
    assert f'content="8;url=/y-kien/{tablet}?lang=vi"' in counter.ask(f"/y-kien/{tablet}/cam-on").text
    assert "http-equiv" not in counter.ask(f"/y-kien/{phone}/cam-on").text


def test_the_page_keeps_its_own_strict_policy_behind_the_guard(counter: Counter) -> None:
    headers = counter.ask(f"/y-kien/{link(counter)}").headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers
    assert counter.ask("/").headers["content-security-policy"].startswith("frame-ancestors 'self'")


def test_without_a_login_only_this_machine_may_answer(counter: Counter) -> None:
    token = link(counter)
    alone = Counter(counter.line, login=False)
    assert alone.ask(f"/y-kien/{token}").status == 421


def test_who_changes_the_office_in_a_token_finds_it_closed(counter: Counter) -> None:
    import base64

    token = link(counter)
    body, _, signature = token.partition(".")
    words = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"office_01", b"office_02")
    forged = f"{base64.urlsafe_b64encode(words).rstrip(b'=').decode()}.{signature}"
    reply = counter.ask(f"/y-kien/{forged}")
    assert reply.status == 404
    assert "không còn nhận ý kiến" in reply.text
    assert counter.ask(f"/y-kien/{forged}", b"points=5").status == 404
    assert counter.ask("/y-kien/abc").status == 404
    assert counter.ask("/y-kien/" + "é" * 40).status == 404
    assert counter.count() == 0


def test_a_revoked_link_is_closed_and_the_others_stay_open(counter: Counter) -> None:
    gone, stays = link(counter), link(counter)
    key_id = next(one.key_id for one in counter.line.citizens.links(None) if counter.line.citizens.token(one) == gone)
    stamp = counter.stamp(gone)
    counter.line.citizens.revoke_link(LEAD, key_id)
    counter.clock.advance(timedelta(seconds=9))
    assert counter.ask(f"/y-kien/{gone}", urlencode({"points": "5", "stamp": stamp}).encode()).status == 404
    assert counter.answer(stays).status == 303
    assert counter.count() == 1
    with pytest.raises(InputError, match="Không có đường dẫn"):
        counter.line.citizens.revoke_link(LEAD, key_id)


def test_a_robot_that_answers_in_half_a_second_is_not_counted(counter: Counter) -> None:
    reply = counter.answer(link(counter), after_s=0.5)
    assert reply.status == 422
    assert "quá nhanh" in reply.text
    assert counter.count() == 0


def test_a_form_from_before_lunch_is_asked_for_again(counter: Counter) -> None:
    assert "quá một giờ" in counter.answer(link(counter), after_s=3601).text
    assert counter.count() == 0


def test_the_same_form_sent_twice_counts_once(counter: Counter) -> None:
    token = link(counter)
    body = urlencode({"points": "1", "stamp": counter.stamp(token)}).encode()
    counter.clock.advance(timedelta(seconds=3))
    assert [counter.ask(f"/y-kien/{token}", body).status for _ in range(3)] == [303, 303, 303]
    assert counter.count() == 1


def test_a_stamp_of_one_link_is_worth_nothing_at_another(counter: Counter) -> None:
    one, other = link(counter), link(counter, office="office_02")
    stamp = counter.stamp(one)
    counter.clock.advance(timedelta(seconds=5))
    assert counter.ask(f"/y-kien/{other}", urlencode({"points": "5", "stamp": stamp}).encode()).status == 422
    for forged in ("", "1.2.3", stamp[:-1] + ("A" if stamp[-1] != "A" else "B"), "é.é.é"):
        assert counter.ask(f"/y-kien/{one}", urlencode({"points": "5", "stamp": forged}).encode()).status == 422
    assert counter.count() == 0


def test_two_hundred_posts_from_one_address_are_twenty_answers(counter: Counter) -> None:
    token = link(counter)
    codes = [counter.answer(token, after_s=2.0).status for _ in range(200)]
    assert codes.count(303) == survey.PER_PHONE
    assert codes.count(429) == 200 - survey.PER_PHONE
    assert counter.count() == survey.PER_PHONE
    assert counter.answer(token, client="198.51.100.4").status == 303, "the neighbours may still answer"
    counter.clock.advance(survey.SHORT)
    assert counter.answer(token).status == 303


def test_one_ipv6_network_is_one_neighbour_whatever_address_it_takes(counter: Counter) -> None:
    token = link(counter)
    codes = [counter.answer(token, client=f"2001:db8:1:2::{n:x}").status for n in range(1, 40)]
    assert codes.count(303) == survey.PER_PHONE


def test_no_address_is_kept_anywhere(counter: Counter) -> None:
    assert counter.answer(link(counter), client="203.0.113.77").status == 303
    columns = counter.line.store._connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'survey_answers'"
    ).fetchall()
    assert {name for (name,) in columns} == {
        "answered_at", "service", "office", "channel", "points", "reason", "key_id",
    }  # fmt: skip
    told = counter.line.store.read_audit(NOON - timedelta(days=400))
    assert not told["source_address"].astype(str).str.contains("203.0.113.77").any()


def test_a_field_that_no_person_sees_marks_a_robot(counter: Counter) -> None:
    assert counter.answer(link(counter), website="https://casino.example").status == 303
    assert counter.count() == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"points": 5}', {"content_type": "application/json"}, 415),
        (b"points=5&reason=" + b"x" * 9000, {}, 413),
        (b"&".join(b"a%d=1" % n for n in range(50)), {}, 413),
        (b"points=9", {}, 422),
        (b"points=5", {"origin": "https://evil.example"}, 403),
        (b"points=5", {"sec_fetch_site": "cross-site"}, 403),
        (b"\xff\xfe=%zz", {}, 422),
    ],
)
def test_what_is_no_form_of_ours_is_refused_in_words(
    counter: Counter, body: bytes, headers: dict[str, str], status: int
) -> None:
    reply = counter.ask(f"/y-kien/{link(counter)}", body, **headers)
    assert reply.status == status
    assert 'role="alert"' in reply.text
    assert counter.count() == 0


def test_a_form_of_our_own_page_comes_without_a_name_of_its_origin(counter: Counter) -> None:
    """The guard's «Referrer-Policy: no-referrer» makes browsers write «Origin: null»."""
    token = link(counter)
    body = urlencode({"points": "3", "stamp": counter.stamp(token)}).encode()
    counter.clock.advance(timedelta(seconds=3))
    assert counter.ask(f"/y-kien/{token}", body, origin="null", sec_fetch_site="same-origin").status == 303


def test_a_hostile_reason_is_kept_as_words_and_cut(counter: Counter) -> None:
    counter.answer(link(counter), reason="<script>alert(1)</script>\u202e\x00" + "ờ" * 700)
    (said,) = counter.line.store.read_survey_reasons(NOON - timedelta(days=9), NOON + timedelta(days=9))["reason"]
    assert len(said) <= MOST_LETTERS
    assert "\x00" not in said
    assert "\u202e" not in said


def test_links_are_for_those_who_may_in_their_areas_and_the_audit_knows(counter: Counter) -> None:
    for person in (replace(LEAD, role="operator"), replace(LEAD, areas=frozenset({"90001"}))):
        with pytest.raises(Denied):
            counter.line.citizens.make_link(person, "sv_birth", "office_01", "phone")
    with pytest.raises(InputError, match="chọn lại"):
        counter.line.citizens.make_link(LEAD, "sv_birth", "office_77", "phone")
    counter.line.citizens.make_link(replace(LEAD, areas=frozenset({"90011"})), "sv_birth", "office_01", "phone")
    told = counter.line.store.read_audit(NOON - timedelta(days=400))
    told = told[told["action"] == "make_survey_link"]
    assert sorted(told["result"]) == ["denied", "denied", "done", "refused"]
    assert counter.line.citizens.links(frozenset({"90001"})) == []
    assert len(counter.line.citizens.links(frozenset({"90011"}))) == 1


def test_the_key_is_made_once_for_its_owner_alone(counter: Counter) -> None:
    link(counter)
    (path,) = counter.line.city.store_path.parent.glob("*-survey.key")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_form_is_not_counted_twice_when_its_stamp_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends more forms than are remembered, to have an old one forgotten, gains nothing by it."""
    monkeypatch.setattr(core_survey, "MOST_SPENT", 3)
    clock = SetClock(NOON)
    stamps = Stamps(clock)
    first = stamps.give("a1")
    clock.advance(timedelta(seconds=1))
    others = [stamps.give("a1") for _ in range(4)]
    clock.advance(timedelta(seconds=3))
    assert stamps.spend(first, "a1") == FINE
    assert [stamps.spend(one, "a1") for one in others[:3]] == [FINE] * 3
    assert stamps.spend(first, "a1") == LATE, "nobody remembers it, and it is not counted again"
    assert stamps.spend(others[2], "a1") == USED
    assert stamps.spend(stamps.give("a1"), "a1") == EARLY
    assert stamps.spend(others[3], "a1") == FINE, "younger than what was forgotten"


def test_a_flood_is_one_line_of_the_log(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    token = link(counter)
    assert {counter.ask(f"/y-kien/{token}", b"points=9").status for _ in range(60)} == {422, 429}
    assert len([one for one in caplog.records if "allowance" in one.getMessage()]) == 1
