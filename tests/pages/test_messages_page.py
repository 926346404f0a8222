"""The page «Tin báo»: who was not told, by whom it is sent again, and whose address may be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit

from core.access import Person
from core.i18n import LANGUAGES, Translator, words
from core.ledger import Notice, Outcome
from notices._contract import TROUBLES
from pipeline import Line
from tests.conftest import EVENING
from tests.notices.outbox import FLOOD, RAIN, notice
from tests.pages.conftest import copy_of
from tests.pages.reading import open_page, parts, problems
from ui import messages

MAIL = "ha@thanhlam.example"
SUPERVISOR = Person(account="sub-1", name="Trần Quốc Bảo", role="supervisor")
OPERATOR = Person(account="sub-2", name="Lê Thị Ngọc Lan", role="operator")


def settled(number: int, state: str, **changed: Any) -> Notice:
    given: dict[str, Any] = {"state": state, "settled_at": EVENING, "tries": 1, "recipient": MAIL, "channel": "mail"}
    return notice(number, **{**given, **changed})


@pytest.fixture(scope="module")
def line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city with messages of every kind. Shared: read it, do not act on it."""
    own = copy_of(demo_line, tmp_path_factory.mktemp("messages") / "messages.duckdb")
    held = [
        settled(1, "failed", tries=7, error=f"refused: mail.example: 550 <{MAIL}> unknown", subject="Tin một"),
        settled(2, "unclear", error="the server stopped while this was being sent", subject="Tin hai"),
        settled(3, "sent", subject="Tin ba"),
        notice(4, "sms", "+84912345678", tries=2, due_at=EVENING + timedelta(minutes=5), subject="Tin bốn",
               rule=RAIN[0], site_id=RAIN[1], error="busy: sms.example: HTTP 503"),
        settled(5, "sent", made_at=EVENING - timedelta(hours=25), subject="Tin năm"),
    ]  # fmt: skip
    own.change(lambda _: Outcome(notices=held))
    yield own
    own.stop()


@pytest.fixture(scope="module")
def acted(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city without a message, for tests that act."""
    own = copy_of(demo_line, tmp_path_factory.mktemp("acted") / "acted.duckdb")
    yield own
    own.stop()


def stuck(line: Line, number: int, **changed: Any) -> str:
    """One more message that could not be sent; returns its id."""
    held = settled(number, "failed", error="busy: mail.example: HTTP 503", **changed)
    line.change(lambda _: Outcome(notices=[held]))
    return held.id


@pytest.fixture
def shown(line: Line, serve: Callable[[Line], Line]) -> Callable[..., str]:
    """The list as somebody of that role reads it."""

    def read(role: str, language: str = "vi") -> str:
        serve(line)
        viewer = open_page("messages", language)
        viewer.session_state["demo_role"] = role
        viewer.run()
        assert problems(viewer) == []
        return parts(viewer).get("messages", "")

    return read


def test_what_did_not_arrive_stands_first_with_its_reason(shown: Callable[..., str]) -> None:
    text = shown("supervisor")
    first, waiting, done = text.split("<section")[1:]
    for said in ("Tin một", "Tin hai", "Không gửi được", "Máy chủ từ chối tin.", "7 lần thử"):
        assert said in first
    assert "Không rõ đã đến chưa" in first
    assert "Hệ thống dừng khi đang gửi." in first
    assert "Tin bốn" in waiting
    assert "thử lại lúc 18:05" in waiting
    assert "Tin ba" in done
    assert "Tin năm" not in text, "yesterday's deliveries are history"


def test_only_a_supervisor_reads_whole_addresses(shown: Callable[..., str]) -> None:
    assert MAIL in shown("supervisor")
    for role in ("operator", "admin", "auditor"):
        text = shown(role)
        assert "h…@thanhlam.example" in text
        assert MAIL not in text, "not even in the words of the mail server"
        assert "+84…678" in text
        assert "912345" not in text


@pytest.mark.parametrize(
    ("role", "resend", "drop"),
    [("supervisor", 2, 2), ("admin", 2, 0), ("operator", 0, 0), ("auditor", 0, 0)],
)
def test_buttons_are_there_for_those_who_may(shown: Callable[..., str], role: str, resend: int, drop: int) -> None:
    text = shown(role)
    assert text.count('data-deed="resend_notice"') == resend, "for what did not arrive, not for what waits or was sent"
    assert text.count('data-deed="drop_notice"') == drop


def test_a_viewer_does_not_see_whom_the_city_writes_to(shown: Callable[..., str]) -> None:
    assert shown("viewer") == ""


def test_in_english(shown: Callable[..., str]) -> None:
    text = shown("supervisor", "en")
    assert "Has not reached its reader" in text
    assert "The server refused the message." in text


def test_names_in_messages_never_become_markup(acted: Line, serve: Callable[[Line], Line]) -> None:
    bad = "<script>alert(1)</script>"
    stuck(acted, 20, subject=bad, recipient="key_of_nobody", channel="mail")
    serve(acted)
    text = parts(open_page("messages").run())["messages"]
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


# -- deeds -----------------------------------------------------------------------------------------------------------


def click(line: Line, monkeypatch: pytest.MonkeyPatch, person: Person, deed: str, id: str) -> tuple[str, str]:
    """A click on a button of the list; returns what the person reads then."""
    state: dict[str, Any] = {"messages_list": SimpleNamespace(deed={"deed": deed, "notice": id})}
    monkeypatch.setattr(streamlit, "session_state", state)
    screen: Any = SimpleNamespace(line=line, person=person, language="vi", t=Translator("vi"))
    messages._on_deed(screen)
    found: tuple[str, str] = state.get("message_outcome", ("", ""))
    return found


def state_of(line: Line, id: str) -> str:
    return next(one.state for one in line.store.read_notices() if one.id == id)


def test_a_supervisor_sends_again_or_drops(acted: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    again, away = stuck(acted, 21), stuck(acted, 22)
    assert click(acted, monkeypatch, SUPERVISOR, "resend_notice", again)[0] == "done"
    assert state_of(acted, again) == "queued"
    assert click(acted, monkeypatch, SUPERVISOR, "drop_notice", away)[0] == "done"
    assert state_of(acted, away) == "dropped"
    audit = acted.store.read_audit(EVENING - timedelta(days=1))
    assert {"resend_notice", "drop_notice"} <= set(audit["action"])


def test_two_people_who_send_again_at_once_send_once(acted: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    id = stuck(acted, 23)
    assert click(acted, monkeypatch, SUPERVISOR, "resend_notice", id)[0] == "done"
    kind, text = click(acted, monkeypatch, SUPERVISOR, "resend_notice", id)
    assert kind == "error"
    assert "vừa đổi trạng thái" in text


def test_the_lock_is_at_the_gate_and_not_in_the_button(acted: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    id = stuck(acted, 24)
    kind, text = click(acted, monkeypatch, OPERATOR, "resend_notice", id)
    assert kind == "error"
    assert "không được phép" in text
    assert state_of(acted, id) == "failed"


def test_a_click_that_names_another_deed_does_nothing(acted: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert click(acted, monkeypatch, SUPERVISOR, "acknowledge", stuck(acted, 25)) == ("", "")


# -- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("ha@thanhlam.example", "h…@thanhlam.example"),
        ("+84912345678", "+84…678"),
        ("duty", "duty"),
        ("director", "director"),
        ("", ""),
    ],
)
def test_masked_addresses(address: str, seen: str) -> None:
    assert messages.masked(address) == seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_trouble_has_a_sentence(language: str) -> None:
    told = {key.removeprefix("messages.error_") for key in words(language) if key.startswith("messages.error_")}
    assert told == {*TROUBLES, "stopped"}


def test_areas_hide_the_messages_of_others(line: Line) -> None:
    home = line.city.area_of(FLOOD[1])
    away = next(site for site in line.city.sites.index if line.city.area_of(site) not in ("", home))
    person = Person(account="x", name="X", role="supervisor", areas=frozenset({home}))
    screen: Any = SimpleNamespace(person=person, line=line)
    assert messages._seen(screen, notice(1))
    assert messages._seen(screen, notice(1, site_id=line.city.city_site))
    assert not messages._seen(screen, notice(1, site_id=away))
    assert not messages._seen(screen, notice(1, rule="situation", site_id="VV-0001"))
