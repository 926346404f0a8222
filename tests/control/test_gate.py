"""Every deed with every role, through the one gate: what the table forbids changes nothing and is in the audit log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.deeds import ACTIONS, Deed
from alerts.desk import load_desk
from alerts.refusals import Refused
from control.gate import Gate
from core.access import MAY, ROLES, Denied, Person
from core.alert import Alert
from core.config import City, load_city
from core.ledger import Notice, Outcome
from indicators import catalogue
from notices.routes import load_routes
from store.duck import DuckStore
from tests.clockwork import SetClock

NOW = datetime.fromisoformat("2026-11-19T18:00:00+07:00")
RAIN, FLOOD = ("heavy_rain", "rain_01"), ("road_flood", "flood_02")
BESIDE = ("resend_notice", "drop_notice", "end_drill")


class Room:
    """A store with two alerts, and the gate before it."""

    def __init__(self, path: Path) -> None:
        self.city: City = load_city("demo")
        self.clock = SetClock(NOW)
        self.store = DuckStore(path, zone=str(self.city.zone))
        known = catalogue()
        desk = load_desk(self.city, known)
        routes = load_routes(path.with_name("none.toml"), {})
        self.gate = Gate(self.city, self.store, self.clock, desk, routes, {}, drill=False, catalogue=known)
        alerts = [
            Alert(rule=rule, site_id=site, active=True, acked=False, priority="high", raised_at=NOW, began_at=NOW)
            for rule, site in (RAIN, FLOOD)
        ]
        self.gate.change(lambda _: (alerts, ()))

    def audit(self) -> list[tuple[str, str, str]]:
        rows = self.store.read_audit(NOW - timedelta(days=1))
        return list(zip(rows["account"], rows["action"], rows["result"], strict=True))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path / "room.duckdb")
    yield made
    made.store.close()


def person(role: str, **more: object) -> Person:
    return replace(Person(account=f"a-{role}", name="Trần Quốc Bảo", role=role, session="s1"), **more)


def asked(action: str) -> Deed:
    """The deed with everything that it could need."""
    return Deed(
        action=action,
        keys=(RAIN,),
        text="vì kiểm tra",
        until=NOW + timedelta(hours=1),
        work_order="LCT-7",
        assignee="Đội 2",
        step=1,
        status="handling",
        screen="*",
        scene="map",
    )


@pytest.mark.parametrize("role", [*ROLES, "", "root"])
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_role_does_what_the_table_allows_and_nothing_else(room: Room, action: str, role: str) -> None:
    before = room.store.read_alerts()
    deed = asked(action)
    if role in MAY[action]:
        try:
            room.gate.act(person(role), deed)
            result = "done"
        except Refused:  # allowed to try: the life of this alert says no
            result = "refused"
    else:
        with pytest.raises(Denied):
            room.gate.act(person(role), deed)
        result = "denied"
        assert room.store.read_alerts() == before, "what is denied changes nothing"
    assert room.audit()[0] == (f"a-{role}", action, result)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", BESIDE)
def test_deeds_beside_the_ledger_have_the_same_lock(room: Room, action: str, role: str) -> None:
    done: list[str] = []
    if role in MAY[action]:
        room.gate.pass_by(person(role), asked(action), lambda: done.append(action))
    else:
        with pytest.raises(Denied):
            room.gate.pass_by(person(role), asked(action), lambda: done.append(action))
    assert done == ([action] if role in MAY[action] else [])
    assert room.audit()[0][2] == ("done" if done else "denied")


def test_an_operator_of_one_ward_touches_no_other_ward_and_not_the_whole_city(room: Room) -> None:
    ward = room.city.area_of(RAIN[1])
    assert ward
    assert ward != room.city.area_of(FLOOD[1])
    local = person("operator", areas=frozenset({ward}))
    room.gate.act(local, Deed(action="acknowledge", keys=(RAIN,)))
    for deed in (
        Deed(action="acknowledge", keys=(FLOOD,)),
        Deed(action="assign", keys=(RAIN, FLOOD), assignee="Đội 2"),
        Deed(action="mute_wall"),
    ):
        with pytest.raises(Denied):
            room.gate.act(local, deed)
    assert {alert.key: alert.acked for alert in room.store.read_alerts()} == {RAIN: True, FLOOD: False}


def test_a_wall_screen_does_nothing_whatever_role_it_claims(room: Room) -> None:
    with pytest.raises(Denied):
        room.gate.act(person("supervisor", kind="wall"), Deed(action="acknowledge", keys=(RAIN,)))


def test_a_deed_and_its_audit_entry_are_one_with_before_and_after(room: Room) -> None:
    room.gate.act(person("operator"), Deed(action="acknowledge", keys=(RAIN,), text="đang xem camera"))
    row = room.store.read_audit(NOW - timedelta(days=1)).iloc[0]
    assert (row["object"], row["result"], row["reason"]) == ("heavy_rain:rain_01", "done", "đang xem camera")
    assert '"state": "UNACK"' in row["before"]
    assert '"state": "ACKED"' in row["after"]
    assert room.store.verify_audit() == []


def test_two_people_acknowledge_at_once_and_one_of_them_learns_who_was_first(room: Room) -> None:
    start = threading.Barrier(2)
    late: list[tuple[str, str]] = []

    def acknowledge(name: str) -> None:
        start.wait()
        try:
            room.gate.act(
                replace(person("operator"), account=name, name=name), Deed(action="acknowledge", keys=(RAIN,))
            )
        except Refused as refused:
            late.append((name, str(refused)))

    both = [threading.Thread(target=acknowledge, args=[name]) for name in ("Lan", "Minh")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    ((loser, words),) = late
    (winner,) = {"Lan", "Minh"} - {loser}
    assert winner in words, "the one who came second reads who was first"
    journal = room.store.read_journal(NOW - timedelta(days=1))
    assert journal[journal["deed"] == "acknowledge"]["actor"].tolist() == [winner]
    assert sorted(room.audit()) == sorted([(winner, "acknowledge", "done"), (loser, "acknowledge", "refused")])


def test_a_handover_says_what_could_not_be_delivered(room: Room) -> None:
    """In the draft as it is then, and in what is signed as it is at that moment."""
    stuck = [notice(f"n{number}", state) for number, state in enumerate(["failed", "unclear", "sent", "queued"])]
    room.gate.change(lambda _: Outcome(notices=stuck[:1]))
    room.gate.act(person("operator"), Deed(action="draft_handover"))
    (drafted,) = room.store.read_handovers()
    assert json.loads(drafted.content)["undelivered"] == 1
    room.gate.change(lambda _: Outcome(notices=stuck))
    room.gate.act(person("operator"), Deed(action="sign_out", handover=drafted.id))
    (signed,) = room.store.read_handovers()
    said = json.loads(signed.content)
    assert said["undelivered"] == 2, "what was sent, or is still being tried, is not stuck"
    assert [(one["rule"], one["site_id"], one["channels"]) for one in said["not_told"]] == [(*RAIN, ["mail"])]


def notice(id: str, state: str) -> Notice:
    return Notice(
        id=id, made_at=NOW, rule=RAIN[0], site_id=RAIN[1], deed="raise", happened_at=NOW, priority="high",
        channel="mail", recipient="ha@thanhlam.example", subject="", text="", state=state,
    )  # fmt: skip
