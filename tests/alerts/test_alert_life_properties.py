"""What holds for every life of an alert, whatever comes: values, NaN, late rows, deeds, the clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import lifecycle
from alerts.refusals import Refused
from alerts.rules import Level, Limit, Rule
from core.alert import Alert, AlertEvent

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
VALUES = [math.nan, 0.0, 6.9, 7.0, 9.9, 10.0, 16.9, 17.0, 20.0, 21.9, 22.0, 24.9, 25.0, 40.0]
STATES = {
    (True, True): "ACKED",
    (True, False): "UNACK",
    (False, True): "NORM",
    (False, False): "RTNUN",
}
delays = st.sampled_from([0, 5, 12])
steps = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=12),  # minutes since the step before
        st.one_of(
            st.sampled_from(VALUES),
            st.sampled_from(VALUES),
            st.sampled_from(["acknowledge", "unacknowledge", "shelve", "unshelve", "tick", "late"]),
        ),
    ),
    max_size=60,
)


def make_rule(on_delay_min: int, off_delay_min: int) -> Rule:
    written = [("medium", 10.0), ("high", 20.0), ("critical", 25.0)]
    return Rule(
        key="road_flood",
        kind="process",
        title_vi="Ngập đường",
        title_en="Road flooded",
        observed_property="flood_depth",
        direction="above",
        inclusive=True,
        levels=tuple(Level(priority=priority, setpoint=setpoint) for priority, setpoint in written),
        limits=tuple(Limit(priority=priority, on_at=setpoint, off_at=setpoint - 3) for priority, setpoint in written),
        site_limits=None,
        only_sites=None,
        deadband=3.0,
        on_delay=timedelta(minutes=on_delay_min),
        off_delay=timedelta(minutes=off_delay_min),
        stale_after=timedelta(minutes=10),
        time_to_act=timedelta(minutes=10),
    )


def live(rule: Rule, story):
    """Play random steps; yields (step, now, alert before, alert after, events, judged (time, value) so far)."""
    alert, now, judged = Alert(rule=rule.key, site_id="flood_02"), START, []
    for minutes, what in story:
        now += timedelta(minutes=minutes)
        before, events = alert, []
        try:
            match what:
                case "acknowledge":
                    alert, events = lifecycle.acknowledge(alert, "Lê Thu Hà", now)
                case "unacknowledge":
                    alert, events = lifecycle.unacknowledge(alert, "Lê Thu Hà", now)
                case "shelve":
                    alert, events = lifecycle.shelve(alert, now + timedelta(minutes=30), "Lê Thu Hà", now, "thử")
                case "unshelve":
                    alert, events = lifecycle.unshelve(alert, "Lê Thu Hà", now)
                case "tick":
                    alert, events = lifecycle.tick(alert, rule, now)
                case "late":
                    if alert.seen_at is not None:
                        alert, events = lifecycle.observe(alert, rule, 40.0, alert.seen_at - timedelta(minutes=1))
                case value:
                    alert, events = lifecycle.observe(alert, rule, value, now)
                    if not math.isnan(value) and (not judged or now > judged[-1][0]):
                        judged.append((now, value))
        except Refused:
            assert alert is before
        yield what, now, before, alert, events, judged


def replayed(journal: list[AlertEvent]) -> dict[str, object]:
    """The present as the journal alone tells it."""
    facts: dict[str, object] = {"active": False, "acked": True, "hidden": None, "priority": "low", "stale": False}
    for event in journal:
        facts["priority"] = event.priority
        match event.deed:
            case "raise" | "raise_priority":
                facts |= {"active": True, "acked": False}
            case "clear":
                facts["active"] = False
            case "acknowledge":
                facts["acked"] = True
            case "unacknowledge":
                facts["acked"] = False
            case "shelve":
                facts["hidden"] = "SHLVD"
            case "unshelve" | "shelf_expired":
                facts["hidden"] = None
            case "stale" | "live":
                facts["stale"] = event.deed == "stale"
        assert event.state_after == (facts["hidden"] or STATES[bool(facts["active"]), bool(facts["acked"])])
    return facts


@settings(max_examples=300, deadline=None)
@given(steps, delays, delays)
def test_the_journal_alone_gives_the_present(story, on_delay_min, off_delay_min):
    journal, state = [], "NORM"
    for _, _, before, after, events, _ in live(make_rule(on_delay_min, off_delay_min), story):
        for event in events:
            assert event.state_before == state
            state = event.state_after
        journal += events
        told = replayed(journal)
        assert told == {name: getattr(after, name) for name in told}
        assert after.state == state
        assert bool(events) == any(getattr(before, name) != getattr(after, name) for name in told)


@settings(max_examples=300, deadline=None)
@given(steps, delays, delays)
def test_no_acknowledgement_is_lost(story, on_delay_min, off_delay_min):
    """Only a new annunciation, or its own giver, takes an acknowledgement away."""
    for _, _, before, after, events, _ in live(make_rule(on_delay_min, off_delay_min), story):
        if before.acked and not after.acked:
            assert {event.deed for event in events} & {"raise", "raise_priority", "unacknowledge"}
        if after.acked and not before.acked:
            assert [event.deed for event in events] == ["acknowledge"]


@settings(max_examples=300, deadline=None)
@given(steps, delays, delays)
def test_no_critical_is_lost_or_hidden(story, on_delay_min, off_delay_min):
    """Once judged values lay beyond the critical setpoint for on_delay, without a gap, the alert says so, uncovered."""
    rule = make_rule(on_delay_min, off_delay_min)
    for _, _, _, after, _, judged in live(rule, story):
        run = []
        for at, value in reversed(judged):
            if value < 25.0 or (run and run[-1] - at > rule.stale_after):
                break
            run.append(at)
        if run and run[0] - run[-1] >= rule.on_delay:
            assert (after.active, after.priority, after.hidden) == (True, "critical", None)


@settings(max_examples=300, deadline=None)
@given(steps, delays, delays)
def test_nothing_rings_or_clears_without_cause(story, on_delay_min, off_delay_min):
    rule = make_rule(on_delay_min, off_delay_min)
    setpoints = {limit.priority: limit.on_at for limit in rule.limits}
    for what, _, before, after, events, judged in live(rule, story):
        if what == "late" or what != what:
            assert (after, events) == (before, [])
        for event in events:
            recent = [value for _, value in judged[-2:]] if rule.on_delay else [judged[-1][1]] if judged else []
            if event.deed in ("raise", "raise_priority"):
                assert min(recent) >= setpoints[event.priority]
            if event.deed == "clear":
                recent = [value for _, value in judged[-2:]] if rule.off_delay else [judged[-1][1]]
                assert max(recent) < 10.0 - 3.0
        assert (after.turning_since is None) or after.turning_since <= after.seen_at


@settings(max_examples=200, deadline=None)
@given(steps, delays, delays, st.integers(min_value=0, max_value=60))
def test_a_batch_gives_the_same_as_one_by_one(story, on_delay_min, off_delay_min, cut):
    rule = make_rule(on_delay_min, off_delay_min)
    samples, now = [], START
    for minutes, what in story:
        now += timedelta(minutes=minutes)
        if not isinstance(what, str):
            samples.append((now, what))
    fresh = Alert(rule=rule.key, site_id="flood_02")
    at_once, journal_at_once = lifecycle.observe_series(fresh, rule, samples)
    first, journal_first = lifecycle.observe_series(fresh, rule, samples[:cut])
    pieces, journal_second = lifecycle.observe_series(first, rule, samples[cut:])
    one_by_one, journal_one = fresh, []
    for at, value in samples:
        one_by_one, events = lifecycle.observe(one_by_one, rule, value, at)
        journal_one += events
    assert at_once == pieces == one_by_one
    assert journal_at_once == journal_first + journal_second == journal_one
