"""What holds for the whole room: rounds of the watch, every deed there is, clock steps, silence and restarts, mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

import indicators
from alerts.deeds import ACTIONS, Deed, perform
from alerts.desk import Desk, load_desk
from alerts.refusals import Refused
from alerts.replay import Facts, facts_of, replay
from alerts.situations import items
from alerts.watch import after, go_round
from core.alert import SITUATION, STATUSES, Alert, AlertEvent, Key
from core.config import load_city
from core.ledger import Ledger, Outcome
from core.observations import empty, frame
from tests.alerts.test_alert_life_properties import HA, HAI, MAY_TAKE_AN_ACKNOWLEDGEMENT, stored

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
REACH = timedelta(hours=6)
HALF_HOUR, NONE = timedelta(minutes=30), timedelta(0)
JUDGED = (
    "underpass_flood", "road_flood", "heavy_rain", "flood_in_ward", "reports_surge", "station_silent_flood",
    "flood_sensor_blind",
)  # fmt: skip
SERIES = (
    ("flood_depth", "flood_01"), ("flood_depth", "flood_02"), ("rain_1h", "rain_01"), ("rain_1h", "rain_04"),
    ("reports_vs_baseline", "90007"),
)  # fmt: skip
values = st.tuples(st.sampled_from(SERIES), st.sampled_from([0.0, 6.0, 12.0, 24.0, 45.0, 90.0]))
deeds = st.tuples(st.sampled_from(sorted(ACTIONS)), st.sampled_from(range(8)), st.sampled_from([HA, HAI]))
WET, DRY = (("flood_depth", "flood_01"), 90.0), (("flood_depth", "flood_01"), 0.0)
RAIN, CALLS = (("rain_1h", "rain_01"), 45.0), (("reports_vs_baseline", "90007"), 6.0)
STORM = [(1, WET), (1, RAIN), (1, CALLS)]
stories = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 5, 5, 12, 40]),  # minutes since the step before
        st.one_of(
            values,
            deeds,
            deeds,
            deeds,
            st.sampled_from([(action, number, HA) for number in range(4) for action in ("acknowledge", "shelve")]),
            st.sampled_from(["night", "restart", "restart"]),
            st.integers(-600, 600),  # the clock is now so many minutes wrong
        ),
    ),
    min_size=15,
    max_size=40,
).map(lambda steps: [*STORM, *steps])


def the_desk() -> Desk:
    """The demo city's desk with the rules about a storm, without delays: a round is quick and much happens."""
    desk = load_desk(load_city("demo"), indicators.catalogue())
    rules = tuple(replace(rule, on_delay=NONE, off_delay=NONE) for rule in desk.rules if rule.key in JUDGED)
    return replace(desk, rules=rules)


DESK = the_desk()


@dataclass
class Step:
    """One change of the ledger: what it was, what it became, and what the journal was told."""

    what: object
    before: Ledger
    after: Ledger
    outcome: Outcome


def asked(deed: tuple[str, int, str], ledger: Ledger, now: datetime) -> tuple[Deed, str]:
    """A deed on what there is, complete: whether it is allowed is the room's to say."""
    action, number, who = deed
    known = sorted(ledger, key=lambda key: (ledger[key].truth == "NORM", key))  # what stands comes first
    situations, notes = sorted(ledger.situations), ledger.handovers
    ask = Deed(
        action=action,
        keys=(known[number % len(known)],) if known else (),
        situation=situations[number % len(situations)] if situations and number % 3 else "",
        text="lý do",
        until=now + HALF_HOUR,
        work_order="PCV-118",
        assignee=HAI,
        due_at=now + HALF_HOUR if number % 2 else None,
        step=1 + number % 4,
        status=STATUSES[number % len(STATUSES)],
        handover=notes[0].id if notes else "",
    )
    return ask, who


def play(story) -> Iterator[Step]:
    """Every step is one transaction; after every value and every night the watch goes its round."""
    ledger, time, wrong_by, rows = Ledger(alerts={}), START, timedelta(0), []
    for minutes, what in story:
        time += timedelta(minutes=minutes)
        outcome, before = Outcome(), ledger
        match what:
            case int(minutes_wrong):
                wrong_by = timedelta(minutes=minutes_wrong)
            case "restart":
                ledger = replace(ledger, alerts={key: stored(alert) for key, alert in ledger.items()})
            case (str(), int(), str()):
                try:
                    ask, who = asked(what, ledger, time + wrong_by)
                    outcome = perform(ask, ledger, DESK, actor=who, now=time + wrong_by)
                except Refused:
                    outcome = Outcome()
            case _:
                if what == "night":
                    time += timedelta(hours=9)
                else:
                    (name, site), value = what
                    rows.append(
                        {"time": time, "site_id": site, "observed_property": name, "value": value, "source": "s"}
                    )
                    up = {"site_id": "flood_sensors", "observed_property": "source_up", "value": 1.0, "source": "s"}
                    rows.append({"time": time, **up})
                rows = [row for row in rows if row["time"] > time - REACH]
                seen = frame(rows) if rows else empty()
                outcome = go_round(DESK, seen, ledger, now=time + wrong_by, latest=seen)
        ledger = after(ledger, outcome)
        yield Step(what, before, ledger, outcome)


def told_of(outcome: Outcome, key: Key) -> list[AlertEvent]:
    return [event for event in outcome.events if (event.rule, event.site_id) == key]


def test_the_story_knows_every_deed_of_the_desk_and_reaches_the_states() -> None:
    """A new deed takes part by itself; and the rules do ring, latch and get covered in these stories."""
    each = range(10)  # whatever place the alert has in the list
    story = [
        *STORM,
        *((0, ("acknowledge", place, HA)) for place in each),
        *((0, ("shelve", place, HA)) for place in each),
        (50, DRY),
        (50, DRY),
        (1, "night"),
    ]
    ledgers = [step.after for step in play(story)]
    states = {alert.state for ledger in ledgers for alert in ledger.values()}
    assert {"UNACK", "ACKED", "SHLVD"} <= states
    assert any(alert.latched for alert in ledgers[-1].values())
    assert any(ledger.situations for ledger in ledgers)


@settings(max_examples=40, deadline=None)
@given(stories)
def test_whatever_happens_no_acknowledgement_and_no_critical_is_lost_and_the_journal_tells_the_present(story) -> None:
    journal: list[AlertEvent] = []
    states: dict[Key, str] = {}
    for step in play(story):
        journal += step.outcome.events
        for event in step.outcome.events:
            if event.rule == SITUATION:
                continue
            key = (event.rule, event.site_id)
            assert event.state_before == states.get(key, "NORM")
            states[key] = event.state_after
        told = replay(journal)
        for key, alert in step.after.items():
            before = step.before.get(key, Alert(rule=key[0], site_id=key[1]))
            assert told.get(key, Facts()) == facts_of(alert)
            assert alert.state == states.get(key, "NORM")
            lines = told_of(step.outcome, key)
            deeds_told = {event.deed for event in lines}
            if before.acked and not alert.acked:
                assert deeds_told & MAY_TAKE_AN_ACKNOWLEDGEMENT, "nothing takes an acknowledgement in silence"
            if alert.acked and not before.acked:
                assert [event.actor for event in lines if event.deed == "acknowledge"] == [step.what[2]]
            assert not (alert.active and alert.priority == "critical" and alert.hidden == "SHLVD")
        listed = items(step.after.values(), step.after.situations, DESK.by_key, DESK.policy, DESK.places)
        critical = {
            key
            for key, alert in step.after.items()
            if alert.priority == "critical" and alert.truth != "NORM" and alert.hidden is None
        }
        assert critical <= {key for item in listed for key in item.shown}
