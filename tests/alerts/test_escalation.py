"""The ladder: who is called when nobody acknowledges, and that no pause, restart or clock skips or doubles a rung."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import lifecycle
from alerts.escalation import escalate
from alerts.roster import Absence, Roster, Rung, Shift
from alerts.rules import load_rules
from core.alert import Alert
from core.config import load_city
from core.duty import Contact
from core.ledger import Ledger, Outcome

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
RAISED = datetime(2026, 11, 19, 14, 50, tzinfo=UTC)  # 21:50 in the city, ten minutes before the night shift
KEY = ("underpass_flood", "flood_01")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROSTER = Roster(
    zone=ZONE,
    shifts=(
        Shift(key="day", name_vi="Ca ngày", name_en="Day", starts=time(6)),
        Shift(key="night", name_vi="Ca đêm", name_en="Night", starts=time(22)),
    ),
    contacts={key: Contact(key=key, name=key.title()) for key in ("bao", "lan", "tuan", "nam")},
    duties={("day", day): ("bao", "lan") for day in WEEK} | {("night", day): ("tuan", "") for day in WEEK},
    ladder={
        "critical": (
            Rung(after=timedelta(minutes=3), to="lead"),
            Rung(after=timedelta(minutes=8), to="deputy"),
            Rung(after=timedelta(minutes=15), to="nam"),
        ),
        "high": (Rung(after=timedelta(minutes=10), to="lead"),),
    },
)


CITY = load_city("demo")
RULES = {rule.key: rule for rule in load_rules(CITY.folder / "alerts", None, CITY.sites)}


def after(minutes: float) -> datetime:
    return RAISED + timedelta(minutes=minutes)


def ringing(**changes: object) -> Alert:
    alert = Alert(
        rule=KEY[0], site_id=KEY[1], active=True, acked=False, priority="critical", value=38.0, began_at=RAISED,
        raised_at=RAISED,
    )  # fmt: skip
    return replace(alert, **changes)  # type: ignore[arg-type]


def told(outcome: Outcome) -> list[tuple[int, list[str]]]:
    """(step, who was called) of every journal line."""
    assert all(event.deed == "escalate" and event.actor == "engine" for event in outcome.events)
    details = [json.loads(event.detail) for event in outcome.events]
    return [(one["step"], one["to"]) for one in details]


def climb(alert: Alert, minutes: float) -> tuple[Alert, list[tuple[int, list[str]]]]:
    """One round of the watch at that minute: the alert as it then is, and who was called."""
    outcome = escalate(Ledger({alert.key: alert}), RULES, ROSTER, after(minutes))
    assert bool(outcome.alerts) == bool(outcome.events)
    return (outcome.alerts[0] if outcome.alerts else alert), told(outcome)


def test_one_rung_after_the_other() -> None:
    alert, calls = climb(ringing(), 2.99)
    assert calls == []
    alert, calls = climb(alert, 3)
    assert (calls, alert.escalated) == ([(1, ["bao"])], 1)
    alert, calls = climb(alert, 4)
    assert calls == [], "a rung is taken once"
    alert, calls = climb(alert, 8)
    assert (calls, alert.escalated) == ([(2, ["lan"])], 2)
    alert, calls = climb(alert, 15)
    assert (calls, alert.escalated) == ([(3, ["nam"])], 3)
    assert climb(alert, 600)[1] == [], "the ladder has an end"


def test_the_journal_line() -> None:
    (event,) = escalate(Ledger({KEY: ringing()}), RULES, ROSTER, after(3)).events
    assert (event.happened_at, event.rule, event.site_id) == (after(3), *KEY)
    assert (event.state_before, event.state_after, event.priority, event.value) == ("UNACK", "UNACK", "critical", 38.0)


def test_after_the_change_of_shift_the_new_one_is_called() -> None:
    """21:50 + 10 minutes is 22:00: the high alert calls the night shift, which has no deputy."""
    assert climb(ringing(priority="high"), 10)[1] == [(1, ["tuan"])]
    assert climb(ringing(escalated=1), 12)[1] == [(2, ["tuan"])], "no deputy at night: the lead once more"


def test_while_the_lead_is_on_leave_the_deputy_is_called() -> None:
    day = date(2026, 11, 19)
    away = replace(ROSTER, absences=(Absence(contact="bao", first=day, last=day),))
    assert told(escalate(Ledger({KEY: ringing()}), RULES, away, after(3))) == [(1, ["lan"])]


def test_a_pause_takes_all_passed_rungs_in_their_order_at_once() -> None:
    alert, calls = climb(ringing(), 45)
    assert calls == [(1, ["tuan"]), (2, ["tuan"]), (3, ["nam"])], "who is on duty now, not who was"
    assert alert.escalated == 3
    assert climb(alert, 45)[1] == [], "a restart in the same second takes none twice"


def test_a_clock_that_was_put_back_takes_nothing_and_forgets_nothing() -> None:
    alert, _ = climb(ringing(), 9)
    alert, calls = climb(alert, -120)
    assert (calls, alert.escalated) == ([], 2)
    assert climb(alert, 15)[1] == [(3, ["nam"])]


@pytest.mark.parametrize(
    "alert",
    [
        ringing(acked=True),
        ringing(active=False),
        ringing(active=False, latched=True),
        ringing(hidden="SHLVD"),
        ringing(hidden="DSUPR"),
        ringing(hidden="OOSRV"),
        ringing(raised_at=None),
        ringing(priority="low"),
        ringing(rule="deleted_rule"),
    ],
    ids=["acknowledged", "returned", "latched", "shelved", "suppressed", "out of service", "never rang", "no ladder",
         "rule is gone"],
)  # fmt: skip
def test_who_does_not_climb(alert: Alert) -> None:
    assert escalate(Ledger({alert.key: alert}), RULES, ROSTER, after(60)) == Outcome([], [])


def test_a_rule_that_is_off_calls_nobody() -> None:
    off = {**RULES, KEY[0]: replace(RULES[KEY[0]], off_because="enabled = false")}
    assert escalate(Ledger({KEY: ringing()}), off, ROSTER, after(60)).events == []


def test_a_city_without_a_roster_calls_nobody() -> None:
    assert escalate(Ledger({KEY: ringing()}), RULES, Roster(zone=ZONE), after(60)).events == []


def test_acknowledging_ends_the_climb_and_a_new_annunciation_begins_anew() -> None:
    alert, _ = climb(ringing(), 9)
    alert, _ = lifecycle.acknowledge(alert, "Trần Quốc Bảo", after(10))
    assert climb(alert, 20)[1] == []
    alert, events = lifecycle.tick(alert, RULES[KEY[0]], after(45))
    assert [event.deed for event in events if event.deed == "ack_expired"] == ["ack_expired"]
    assert alert.escalated == 0
    alert, calls = climb(alert, 46)
    assert calls == []
    assert climb(alert, 48)[1] == [(1, ["tuan"])]


@given(minutes=st.lists(st.integers(-60, 120), max_size=20))
def test_whatever_the_clock_does_every_rung_is_taken_once_and_in_order(minutes: list[int]) -> None:
    alert, calls = ringing(), []
    for minute in minutes:
        alert, more = climb(alert, minute)
        calls += [step for step, _ in more]
    furthest = max(minutes, default=0)
    assert calls == list(
        range(1, sum(rung.after <= timedelta(minutes=furthest) for rung in ROSTER.ladder["critical"]) + 1)
    )
