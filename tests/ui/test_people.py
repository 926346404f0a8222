"""Who is before the screen: strangers, sign-ins that end, accounts without a role, walls, and the demo operator."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access import SEE, Grant, People, Person, Wall
from core.door import Door, Source, open_door, session_of
from core.i18n import LANGUAGES, Translator
from core.ledger import AuditEntry
from core.snapshot import Snapshot
from pipeline import Line
from store.audit import AUDIT_COLUMNS
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, parts, problems, screens
from ui import frame, people, render, server

T = Translator("vi")
TOKEN = "a-token-that-is-long-and-random-0123456789"
WALL = Wall(
    key="wall_1",
    name="Tường phòng trực",
    token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
    pages=frozenset({"wall"}),
)
GRANTS = (
    Grant(claim="sub", value="binh", role="operator"),
    Grant(claim="sub", value="kiem", role="auditor"),
    Grant(claim="sub", value="phuong", role="operator", areas=frozenset({"90001"})),
)
HOSTILE = "<script>alert(1)</script> [x](http://evil.example) ![i](http://evil.example/p.png) $x$ :material/bug: `c`"


class Lobby:
    """A line with its door, what the audit heard, and who is before the screen."""

    def __init__(self, line: Line, *, login: bool) -> None:
        self.line = line
        self.clock = SetClock(EVENING)
        self.heard: list[tuple[str, str, str, str, str]] = []
        self.persons: list[Person] = []
        self.claims: dict[str, Any] = {}
        self.cookie = ""
        self.address = "10.1.1.1"
        found = People(grants=GRANTS, walls=(WALL,))
        self.door: Door = open_door(found, self.clock, self._hear, login=login)
        server.install(line, self.door)

    def _hear(self, person: Person, action: str, thing: str, result: str, reason: str) -> None:
        self.persons.append(person)
        self.heard.append((person.account, action, thing, result, reason))

    def sign_in(self, account: str, **claims: Any) -> None:
        """The browser now carries the cookie of a sign-in at this moment."""
        issued = int(self.clock.now().timestamp())
        nonce = str(len(self.heard))
        self.claims = {"is_logged_in": True, "iss": "i", "sub": account, "iat": issued, "nonce": nonce, **claims}


@pytest.fixture
def lobby(demo_line: Line, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lobby]:
    """`lobby(login=True)`: the demo city behind that door."""
    monkeypatch.setattr(server, "_INSTALLED", [])
    monkeypatch.setattr(server, "_DOORS", [])
    monkeypatch.setattr(render, "_KEPT", {})

    def opened(*, login: bool = True, line: Line | None = None) -> Lobby:
        made = Lobby(line or demo_line, login=login)
        monkeypatch.setattr(people, "_claims", lambda: made.claims)
        monkeypatch.setattr(people, "_cookie", lambda _name: made.cookie)
        monkeypatch.setattr(people, "_source", lambda: Source(made.address, 4711, "visit"))
        return made

    return opened


def look(page: str, language: str = "vi") -> AppTest:
    """A new browser session on that page."""
    viewer = open_page(page, language).run()
    assert problems(viewer) == []
    return viewer


def gate(viewer: AppTest) -> str:
    """The text of the gate; empty where a page is shown."""
    return parts(viewer).get("gate", "")


def labels(viewer: AppTest) -> list[str]:
    return [link.proto.label for link in viewer.page_link]


def menu(viewer: AppTest) -> str:
    """What stands on the button with the person's name."""
    return str(viewer.get("popover")[-1].proto.popover.label)


# -- strangers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", screens())
def test_a_stranger_sees_nothing_of_the_city(page: str, lobby: Callable[..., Lobby]) -> None:
    lobby()
    viewer = look(page)
    assert set(parts(viewer)) == {"gate"}
    assert T("people.stranger") in gate(viewer)
    assert labels(viewer) == []
    assert [button.label for button in viewer.button] == [T("people.sign_in")]


def test_a_cookie_that_does_not_say_signed_in_is_a_strangers(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    for claims in ({"sub": "binh"}, {"sub": "binh", "is_logged_in": False}, {"sub": "binh", "is_logged_in": "yes"}):
        hall.claims = claims
        assert T("people.stranger") in gate(look("overview"))
    assert hall.heard == []


# -- people ------------------------------------------------------------------------------------------------------------


def test_an_operator_comes_in_and_the_audit_hears_it_once(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.sign_in("binh", name="Nguyễn Thị Bình")
    viewer = look("overview")
    assert gate(viewer) == ""
    assert T("people.no_login") not in html(viewer)
    assert menu(viewer) == "Nguyễn Thị Bình"
    assert T("people.has_role", role=T("people.role_operator")) in [one.value for one in viewer.text]
    assert T("page.audit") not in labels(viewer)
    look("traffic")
    assert hall.heard == [("binh", "log_in", "", "done", "")]
    person = hall.persons[0]
    assert (person.source_address, person.source_port, person.kind) == ("10.1.1.1", 4711, "person")
    assert person.session == session_of(hall.claims)[0]


def test_a_provider_that_gives_only_the_subject_is_enough(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.sign_in("binh")
    assert menu(look("overview")) == "binh"


@pytest.mark.parametrize("page", sorted(set(screens()) & set(SEE)))
def test_a_page_of_another_role_is_refused_and_written_down(page: str, lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.door = replace(hall.door, people=People(grants=(Grant(claim="sub", value="xem", role="viewer"),)))
    server.install(hall.line, hall.door)
    hall.sign_in("xem")
    viewer = look(page)
    assert T("people.not_yours") in gate(viewer)
    assert set(parts(viewer)) == {"strip", "mark", "gate"}
    viewer.run()
    assert hall.heard == [("xem", "log_in", "", "done", ""), ("xem", "open_page", page, "denied", "")]


def test_an_account_without_a_role_reads_why_and_is_counted(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    for _ in range(3):
        hall.sign_in("nobody", groups=["ioc-operator"])
        viewer = look("overview")
        assert T("people.roleless") in gate(viewer)
        assert set(parts(viewer)) == {"gate"}
        assert T("people.account", account="nobody") in [one.value for one in viewer.text]
        viewer.run()
    assert hall.heard == [("nobody", "log_in", "", "denied", "no role")] * 3
    assert hall.door.attempts.wait_s("10.1.1.1") > 0


def test_a_sign_in_ends_in_the_open_window(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.sign_in("binh")
    viewer = look("overview")
    hall.clock.advance(timedelta(minutes=29))
    viewer.run()
    assert gate(viewer) == "", "opening a page is a deed"
    hall.clock.advance(timedelta(minutes=30))
    viewer.run()
    assert T("people.over") in gate(viewer)
    assert set(parts(viewer)) == {"gate"}
    viewer.run()
    assert hall.heard[-1] == ("binh", "session_end", "", "done", "")
    assert len(hall.heard) == 2
    hall.sign_in("binh")
    viewer.run()
    assert gate(viewer) == "", "signed in anew"


def test_the_browsers_old_cookie_is_not_believed(lobby: Callable[..., Lobby]) -> None:
    """Streamlit's cookie lives for thirty days; after a weekend it opens nothing."""
    hall = lobby()
    hall.sign_in("binh")
    hall.clock.advance(timedelta(days=2))
    assert T("people.over") in gate(look("overview"))


def test_who_has_signed_out_is_out_in_every_window(
    lobby: Callable[..., Lobby], monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = lobby()
    hall.sign_in("binh")
    one, other = look("overview"), look("traffic")
    gone: list[bool] = []
    monkeypatch.setattr(people.st, "logout", lambda: gone.append(True))
    one.button(key="sign_out").click().run()
    assert gone == [True]
    assert hall.heard[1] == ("binh", "log_out", "", "done", "")
    other.run()
    assert T("people.over") in gate(other)


def test_a_person_whose_sign_in_ended_has_no_rights_left(lobby: Callable[..., Lobby]) -> None:
    """A click that was under way when the time was over is denied by the gate for deeds."""
    hall = lobby()
    hall.sign_in("binh")
    person = people.who("overview")
    assert people.present(person) is person
    hall.clock.advance(timedelta(minutes=30))
    gone = people.present(person)
    assert (gone.role, gone.areas, gone.name) == ("", frozenset(), person.name)


@pytest.mark.parametrize("name", [HOSTILE, "x" * 100_000, "a\nb\u202ec", "Lê  Thị\tHoa"])
def test_a_name_from_outside_is_only_text(name: str, lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.sign_in("binh", name=name)
    viewer = look("alert_desk")
    label = menu(viewer)
    assert len(label) <= 2 * frame.LONGEST_NAME
    assert "\n" not in label
    plain = label.replace("\\", "")
    for mark in "<[!$:`*_":
        assert label.count(mark) == label.count("\\" + mark), f"{mark} would be read as markdown"
    assert plain.split("…")[0].split()[0] == name.split()[0][: frame.LONGEST_NAME - 1]
    assert "<script>alert" not in html(viewer)


# -- areas -------------------------------------------------------------------------------------------------------------


def test_a_ward_sees_its_own_picture_and_nobody_elses(
    lobby: Callable[..., Lobby], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same page, the same moment: what was built for the whole city must not be handed to a ward."""
    asked: list[frozenset[str] | None] = []

    def scoped(line: Line, areas: frozenset[str] | None) -> Snapshot:
        asked.append(areas)
        return line.snapshot if areas is None else replace(line.snapshot, sources=())

    monkeypatch.setattr(Line, "scoped", scoped, raising=False)
    hall = lobby()
    hall.sign_in("binh")
    total = len(hall.line.snapshot.sources)
    whole = T("strip.sources", up=total, total=total)
    assert whole in html(look("overview"))
    assert set(asked) == {None}
    asked.clear()
    hall.sign_in("phuong")
    viewer = look("overview")
    assert set(asked) == {frozenset({"90001"})}
    assert whole not in html(viewer)
    assert T("strip.sources", up=0, total=0) in html(viewer)
    assert T("people.areas", names="Yên Hòa") in [one.value for one in viewer.text]
    hall.sign_in("binh")
    assert whole in html(look("overview"))


# -- walls -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", [True, False])
def test_a_wall_shows_its_page_for_ever_and_no_other(login: bool, lobby: Callable[..., Lobby]) -> None:
    hall = lobby(login=login)
    hall.cookie = TOKEN
    viewer = look("wall")
    assert gate(viewer) == ""
    assert "banner" in parts(viewer)
    hall.clock.advance(timedelta(days=90))
    viewer.run()
    assert gate(viewer) == "", "a wall has no time limit"
    assert hall.heard == [("wall_1", "open_wall", "", "done", "")]
    assert hall.persons[0].kind == "wall"
    if login:
        other = look("alert_desk")
        assert T("people.not_yours") in gate(other)
        assert set(parts(other)) == {"gate"}
        assert labels(other) == []


def test_a_person_who_signs_in_at_a_wall_is_that_person(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.cookie = TOKEN
    hall.sign_in("binh")
    assert menu(look("alert_desk")) == "binh"


def test_a_wrong_cookie_is_a_failed_sign_in(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.cookie = "guess"
    for count in (1, 2, 3):
        assert T("people.stranger") in gate(look("wall"))
        assert hall.heard[-1] == ("", "open_wall", "", "denied", f"unknown token in a cookie ({count})")
    hall.cookie = TOKEN
    assert T("people.stranger") in gate(look("wall")), "now it must wait"
    assert len(hall.heard) == 3
    hall.clock.advance(timedelta(seconds=2))
    assert gate(look("wall")) == ""


# -- without a login ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", screens())
def test_without_a_login_every_screen_says_so(page: str, language: str, lobby: Callable[..., Lobby]) -> None:
    lobby(login=False)
    assert Translator(language)("people.no_login") in html(look(page, language))


def test_the_demo_operator_tries_another_role(lobby: Callable[..., Lobby]) -> None:
    hall = lobby(login=False)
    viewer = look("overview")
    assert menu(viewer) == T("people.demo")
    assert T("page.audit") not in labels(viewer)
    viewer.selectbox(key="demo_role_choice").set_value("auditor").run()
    assert problems(viewer) == []
    assert T("page.audit") in labels(viewer)
    assert hall.heard == []
    viewer.session_state["duty_name"] = "Lê Văn Tám"
    viewer.run()
    assert menu(viewer) == "Lê Văn Tám"


# -- drill -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", screens())
def test_a_drill_is_marked_on_every_screen(page: str, lobby: Callable[..., Lobby], demo_line: Line) -> None:
    lobby(login=False)
    assert 'class="drill-mark"' not in html(look(page))
    calm = demo_line.snapshot
    demo_line.snapshot = replace(calm, drill=True, number=calm.number + 1)
    try:
        viewer = look(page)
    finally:
        demo_line.snapshot = calm
    assert 'class="drill-mark"' in parts(viewer)["mark"]
    assert T("people.drill") in parts(viewer)["mark"]
    if page == "wall":
        assert "drill-tag" in parts(viewer)["mark"]
    else:
        assert T("people.drill") in parts(viewer)["strip"]


def test_the_mark_hides_nothing_and_catches_no_click() -> None:
    style = (frame.ROOT / "ui" / "assets" / "people.css").read_text(encoding="utf-8")
    mark = style.split(".drill-mark {")[1].split("}")[0]
    assert "pointer-events: none" in mark
    assert "background" not in mark
    assert 0.05 <= float(style.split(".drill-mark span {")[1].split("opacity: ")[1].split(";")[0]) <= 0.2


# -- the audit page ----------------------------------------------------------------------------------------------------


def entry(hour: int, account: str, action: str, result: str = "done", reason: str = "") -> AuditEntry:
    return AuditEntry(
        happened_at=EVENING - timedelta(hours=hour),
        account=account,
        account_type="person",
        session="s",
        source_address="10.1.1.1",
        source_port=4711,
        action=action,
        object="flood:flood_01",
        result=result,
        reason=reason,
    )


@pytest.fixture
def logged(demo_line: Line, tmp_path: Any, lobby: Callable[..., Lobby]) -> Iterator[Lobby]:
    """A city with a short audit log, and an auditor before the screen."""
    line = copy_of(demo_line, tmp_path / "audit.duckdb")
    line.store.write_audit(
        [
            entry(40 * 24, "old", "acknowledge"),
            entry(3, "binh", "acknowledge"),
            entry(2, "lan", "shelve", "refused", HOSTILE),
            entry(1, "=1+1", "end_drill", "denied"),
        ]
    )
    hall = lobby(line=line)
    hall.sign_in("kiem", name="Kiểm toán viên")
    yield hall
    line.stop()


def table(viewer: AppTest) -> list[dict[str, str]]:
    """The rows of the log as a person reads them, by the words of the header."""
    rows = re.findall(r"<tr>(.*?)</tr>", parts(viewer).get("audit", ""), re.DOTALL)
    cells = [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def test_the_auditor_reads_who_did_what_and_is_written_down(logged: Lobby) -> None:
    viewer = look("audit")
    assert T("audit.whole", n=4) in [one.value for one in viewer.text]
    rows = table(viewer)
    assert [row[T("audit.action")] for row in rows] == ["end_drill", "shelve", "acknowledge"], "newest first, of a week"
    assert rows[2][T("audit.time")] == "19/11/2026 15:00:00", "city time"
    assert rows[2][T("audit.account")] == "binh (person)"
    assert rows[2][T("audit.source")] == "10.1.1.1:4711"
    assert rows[1][T("audit.result")] == T("audit.refused")
    assert rows[1][T("audit.reason")].startswith("&lt;script&gt;alert(1)&lt;/script&gt;")
    assert "<script>" not in html(viewer)
    assert not viewer.dataframe, "its own download button would let the log out unseen"
    viewer.run()
    assert [one[:4] for one in logged.heard] == [("kiem", "log_in", "", "done"), ("kiem", "read_audit", "", "done")]


def test_the_auditor_narrows_it_down(logged: Lobby) -> None:
    viewer = look("audit")
    viewer.selectbox(key="audit_result").set_value("denied").run()
    assert [row[T("audit.account")] for row in table(viewer)] == ["=1+1 (person)"]
    viewer.selectbox(key="audit_result").set_value("").run()
    viewer.selectbox(key="audit_action").set_value("shelve").run()
    assert [row[T("audit.account")] for row in table(viewer)] == ["lan (person)"]
    viewer.selectbox(key="audit_action").set_value("").run()
    viewer.text_input(key="audit_account").set_value("BIN").run()
    assert [row[T("audit.account")] for row in table(viewer)] == ["binh (person)"]
    viewer.text_input(key="audit_account").set_value("nobody").run()
    assert table(viewer) == []
    assert T("audit.none") in [one.value for one in viewer.text]
    viewer.text_input(key="audit_account").set_value("").run()
    viewer.date_input(key="audit_from").set_value(datetime(2026, 10, 1).date()).run()
    assert len(table(viewer)) == 4
    viewer.date_input(key="audit_to").set_value(datetime(2026, 11, 18).date()).run()
    assert [row[T("audit.account")] for row in table(viewer)] == ["old (person)"]


@pytest.mark.parametrize("kind", ["csv", "cef"])
def test_an_export_is_written_down_before_it_is_made(kind: str, logged: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(person: Person, action: str, thing: str, result: str, reason: str) -> None:
        logged._hear(person, action, thing, result, reason)
        logged.line.store.write_audit([replace(entry(0, person.account, action), happened_at=EVENING, object=thing)])

    server.install(logged.line, replace(logged.door, audit=hear))
    viewer = look("audit")
    viewer.button(key=f"audit_make_{kind}").click().run()
    assert problems(viewer) == []
    assert [one[1] for one in logged.heard] == ["log_in", "read_audit", "export_audit"]
    name, text, _mime = viewer.session_state["audit_made"]
    assert name.startswith("audit-20261113-20261119.")
    assert "export_audit" in text
    assert "old" not in text, "only the days that were asked for"
    lines = text.splitlines()
    if kind == "csv":
        assert lines[0] == ",".join(AUDIT_COLUMNS)
        assert ",'=1+1," in text, "a spreadsheet must not compute it"
        assert len(lines) == 1 + 3 + 3
    else:
        assert all(line.startswith("<") and "CEF:0|" in line for line in lines)


def test_a_broken_chain_is_told_in_words(logged: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged.line.store, "verify_audit", lambda *_: ["entry 2 was changed", "<b>entry 3</b>"])
    logged.line.store.write_audit([entry(0, "x", "assign")])
    viewer = look("audit")
    said = [one.value for one in viewer.text]
    assert T("audit.broken", n=2) in said
    assert "entry 2 was changed" in said
    assert T("audit.whole", n=5) not in said


def test_nobody_but_the_auditor_reaches_the_log_by_its_address(lobby: Callable[..., Lobby]) -> None:
    hall = lobby()
    hall.sign_in("binh")
    viewer = look("audit")
    assert T("people.not_yours") in gate(viewer)
    assert "audit" not in parts(viewer)
    assert json.dumps(hall.heard[-1]) == json.dumps(["binh", "open_page", "audit", "denied", ""])
