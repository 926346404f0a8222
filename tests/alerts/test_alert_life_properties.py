"""What holds for every life of an alert, whatever comes: values, gaps, late rows, clock steps, deeds and restarts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import lifecycle
from alerts.engine import evaluate
from alerts.refusals import Refused
from alerts.replay import Facts, facts_of, replay
from alerts.rules import Level, Limit, Rule
from core.alert import COVERS, DEEDS, Alert, AlertEvent
from core.observations import frame

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
VALUES = [math.nan, 0.0, 6.9, 7.0, 9.9, 10.0, 16.9, 17.0, 20.0, 21.9, 22.0, 24.9, 25.0, 40.0]
HA, HAI = "Lê Thu Hà", "Trần Minh Hải"
MAY_TAKE_AN_ACKNOWLEDGEMENT = {"raise", "raise_priority", "realarm", "ack_expired", "release", "unacknowledge"}
ENDS_A_COVER = {"unshelve", "shelf_expired", "release", "return_to_service", "take_out_of_service"}
HALF_HOUR = timedelta(minutes=30)
delays = st.sampled_from([0, 5, 12])
DEEDS_OF_PEOPLE = [
    "acknowledge", "acknowledge", "acknowledge", "unacknowledge", "reset", "shelve", "unshelve", "out", "back",
    "assign", "comment",
]  # fmt: skip
steps = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=12),  # minutes since the step before
        st.one_of(
            st.sampled_from(VALUES),
            st.sampled_from(VALUES),
            st.tuples(st.sampled_from(DEEDS_OF_PEOPLE), st.sampled_from([HA, HAI])),
            st.sampled_from(["tick", "tick", "tick", "night", "late", "again", "suppress", "release", "restart"]),
            st.integers(min_value=-600, max_value=600),  # the clock is now so many minutes wrong
        ),
    ),
    max_size=60,
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    return make_rule(
        draw(delays),
        draw(delays),
        latching=draw(st.booleans()),
        realarm_min=draw(st.sampled_from([None, None, 40])),
        expires_min=draw(st.sampled_from([None, 30])),
    )


def make_rule(
    on_delay_min: int,
    off_delay_min: int,
    *,
    latching: bool = False,
    realarm_min: int | None = None,
    expires_min: int | None = None,
) -> Rule:
    written = [("medium", 10.0), ("high", 20.0), ("critical", 25.0)]
    return Rule(
        key="road_flood",
        kind="threshold",
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
        latching=latching,
        realarm_after=None if realarm_min is None else timedelta(minutes=realarm_min),
        ack_expires_after=None if expires_min is None else timedelta(minutes=expires_min),
    )


@dataclass
class Moment:
    """One step of a random life. `clock` is what the house reads, `judged` the (time, value) pairs so far."""

    what: object
    clock: datetime
    before: Alert
    after: Alert
    events: list[AlertEvent]
    judged: list[tuple[datetime, float]]


def stored(alert: Alert) -> Alert:
    """Written down and read back, as a restart does."""
    written = json.loads(json.dumps(asdict(alert), default=datetime.isoformat))
    times = {one.name for one in fields(Alert) if "datetime" in str(one.type)}
    return Alert(
        **{
            name: datetime.fromisoformat(value) if name in times and value is not None else value
            for name, value in written.items()
        }
    )


def live(rule: Rule, story) -> Iterator[Moment]:
    """Play random steps, as they come."""
    alert, time, wrong_by = Alert(rule=rule.key, site_id="flood_02"), START, timedelta(0)
    judged: list[tuple[datetime, float]] = []
    for minutes, what in story:
        time += timedelta(minutes=minutes)
        before, events = alert, []
        now = time + wrong_by
        try:
            match what:
                case (deed, who):
                    alert, events = act(alert, deed, who, now)
                case "tick":
                    alert, events = lifecycle.tick(alert, rule, now)
                case "night":  # nobody is there, and no value comes
                    time += timedelta(hours=9)
                    now = time + wrong_by
                    alert, events = lifecycle.tick(alert, rule, now)
                case "late":
                    if alert.seen_at is not None:
                        alert, events = lifecycle.observe(alert, rule, 40.0, alert.seen_at - timedelta(minutes=1))
                case "again":  # an overlapping window
                    alert, events = lifecycle.observe_series(alert, rule, judged[-5:])
                case "suppress":
                    alert, events = lifecycle.suppress(alert, now, "hầm đã đóng")
                case "release":
                    alert, events = lifecycle.release(alert, now)
                case "restart":
                    alert = stored(alert)
                case "nothing":
                    pass
                case int(minutes_wrong):
                    wrong_by = timedelta(minutes=minutes_wrong)
                case value:
                    alert, events = lifecycle.observe(alert, rule, value, time)
                    if not math.isnan(value) and (not judged or time > judged[-1][0]):
                        judged.append((time, value))
        except Refused:
            assert alert is before
        yield Moment(what, now, before, alert, events, judged)


def act(alert: Alert, deed: str, who: str, now: datetime) -> lifecycle.Changed:
    match deed:
        case "acknowledge":
            return lifecycle.acknowledge(alert, who, now)
        case "unacknowledge":
            return lifecycle.unacknowledge(alert, who, now)
        case "reset":
            return lifecycle.reset(alert, who, now)
        case "shelve":
            return lifecycle.shelve(alert, now + HALF_HOUR, who, now, "thử")
        case "unshelve":
            return lifecycle.unshelve(alert, who, now)
        case "out":
            return lifecycle.take_out_of_service(alert, now + HALF_HOUR, "PCV-118", who, now, "bảo trì")
        case "back":
            return lifecycle.return_to_service(alert, who, now)
        case "assign":
            return lifecycle.assign(alert, "", "Đội 2", None, who, now)
    return lifecycle.comment(alert, "đã gọi", who, now)


@settings(max_examples=400, deadline=None)
@given(steps, rules())
def test_the_journal_alone_gives_the_present(story, rule):
    """Every line begins where the one before ended, and the facts told by the lines are those of the alert."""
    journal: list[AlertEvent] = []
    state = "NORM"
    for moment in live(rule, story):
        for event in moment.events:
            assert event.state_before == state
            assert event.deed in DEEDS
            assert event.actor
            assert event.happened_at.utcoffset() == timedelta(0)
            state = event.state_after
        assert moment.after.state == state
        journal += moment.events
        told = replay(journal).get(moment.after.key, Facts())
        assert told == facts_of(moment.after)
        if facts_of(moment.before) != facts_of(moment.after):
            assert moment.events


@settings(max_examples=400, deadline=None)
@given(steps, rules())
def test_no_acknowledgement_is_lost(story, rule):
    """Only a new annunciation, or its own giver, takes an acknowledgement away; only a person gives one."""
    for moment in live(rule, story):
        before, after = moment.before, moment.after
        deeds = {event.deed for event in moment.events}
        if before.acked and not after.acked:
            assert deeds & MAY_TAKE_AN_ACKNOWLEDGEMENT
        if "unacknowledge" in deeds:
            assert moment.what == ("unacknowledge", before.acked_by)
        if "ack_expired" in deeds:
            assert rule.ack_expires_after is not None
            assert before.active
            assert before.due_at is None or moment.clock >= before.due_at
            assert abs(moment.clock - max(before.acked_at, before.handled_at)) >= rule.ack_expires_after
        rung = [event for event in moment.events if event.deed in ("realarm", "ack_expired")]
        assert not rung or (before.active and not {event.state_before for event in rung} & set(COVERS))
        if "realarm" in deeds:
            assert rule.realarm_after is not None
            assert moment.clock - before.raised_at >= rule.realarm_after
        if after.acked and not before.acked:
            assert [event.deed for event in moment.events] == ["acknowledge"]
            assert moment.what == ("acknowledge", after.acked_by)
            assert after.acked_at == moment.clock


@settings(max_examples=400, deadline=None)
@given(steps, rules())
def test_no_critical_is_lost_or_hidden(story, rule):
    """Once judged values lay beyond the critical setpoint for on_delay, without a gap, the alert says so.

    No shelf hides it. A suppression by design or a work order may.
    """
    for moment in live(rule, story):
        after = moment.after
        run: list[datetime] = []
        for at, value in reversed(moment.judged):
            if value < 25.0 or (run and run[-1] - at > rule.stale_after):
                break
            run.append(at)
        if run and run[0] - run[-1] >= rule.on_delay:
            assert (after.active, after.priority) == (True, "critical")
            assert after.hidden in (None, "DSUPR", "OOSRV")
        if after.active and after.priority == "critical":
            assert after.hidden != "SHLVD"


@settings(max_examples=400, deadline=None)
@given(steps, rules())
def test_after_the_clock_was_looked_at_nothing_waits_for_somebody_who_forgot(story, rule):
    """No shelf lasts beyond its end or 8 h, no work order a day without a reminder, no acknowledgement its expiry."""
    for moment in live(rule, story):
        if moment.what not in ("tick", "night"):
            continue
        alert, now = moment.after, moment.clock
        if alert.hidden == "SHLVD":
            assert now < alert.hidden_until <= now + timedelta(hours=8)
        if alert.hidden == "OOSRV":
            last = alert.reminded_at or alert.hidden_at
            assert abs(now - last) < timedelta(hours=24)
            assert now < alert.hidden_until or last >= alert.hidden_until
        if alert.state == "ACKED" and rule.ack_expires_after is not None:
            still_due = alert.due_at is not None and now < alert.due_at
            assert still_due or abs(now - alert.handled_at) < rule.ack_expires_after


@settings(max_examples=300, deadline=None)
@given(steps, rules())
def test_a_cover_forgets_nothing_and_is_never_lifted_in_silence(story, rule):
    """The same story without any cover has the same activation, priority and value at every step."""
    bare_story = [(minutes, "nothing" if about_a_cover(what) else what) for minutes, what in story]
    for moment, bare in zip(live(rule, story), live(rule, bare_story), strict=True):
        mine, other = moment.after, bare.after
        assert (mine.active, mine.value, mine.seen_at) == (other.active, other.value, other.seen_at)
        assert mine.turning_since == other.turning_since
        if mine.active:
            assert (mine.priority, mine.began_at) == (other.priority, other.began_at)
        if moment.before.hidden is not None and mine.hidden != moment.before.hidden:
            assert ENDS_A_COVER & {event.deed for event in moment.events}


def about_a_cover(what: object) -> bool:
    deed = what[0] if isinstance(what, tuple) else what
    return deed in ("suppress", "release", "shelve", "unshelve", "out", "back")


@settings(max_examples=300, deadline=None)
@given(steps, rules())
def test_nothing_rings_or_clears_without_cause(story, rule):
    setpoints = {limit.priority: limit.on_at for limit in rule.limits}
    for moment in live(rule, story):
        before, after, judged = moment.before, moment.after, moment.judged
        if moment.what in ("late", "again", "restart") or moment.what != moment.what:
            assert (after, moment.events) == (before, [])
        for event in moment.events:
            recent = [value for _, value in judged[-2:]] if rule.on_delay else [judged[-1][1]] if judged else []
            if event.deed in ("raise", "raise_priority"):
                assert min(recent) >= setpoints[event.priority]
            if event.deed in ("clear", "latch"):
                assert event.deed == ("latch" if rule.latching else "clear")
                recent = [value for _, value in judged[-2:]] if rule.off_delay else [judged[-1][1]]
                assert max(recent) < 10.0 - 3.0
        assert (after.turning_since is None) or after.turning_since <= after.seen_at
        assert not (after.active and after.latched)


@settings(max_examples=200, deadline=None)
@given(steps, rules(), st.integers(min_value=0, max_value=60))
def test_a_batch_gives_the_same_as_one_by_one(story, rule, cut):
    samples, now = [], START
    for minutes, what in story:
        now += timedelta(minutes=minutes)
        if isinstance(what, float):
            samples.append((now, what))
    fresh = Alert(rule=rule.key, site_id="flood_02")
    at_once, journal_at_once = lifecycle.observe_series(fresh, rule, samples)
    first, journal_first = lifecycle.observe_series(fresh, rule, samples[:cut])
    pieces, journal_second = lifecycle.observe_series(stored(first), rule, samples[max(0, cut - 7) :])
    one_by_one, journal_one = fresh, []
    for at, value in samples:
        one_by_one, events = lifecycle.observe(one_by_one, rule, value, at)
        journal_one += events
    assert at_once == pieces == one_by_one
    assert journal_at_once == journal_first + journal_second == journal_one


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=12),
            st.sampled_from(VALUES),
            st.integers(min_value=0, max_value=6),  # rows of before that the window brings again
            st.sampled_from(["", "", "acknowledge", "shelve", "out"]),
            st.booleans(),
        ),
        max_size=12,
    ),
    rules(),
)
def test_windows_that_overlap_or_come_again_after_a_restart_change_nothing(story, rule):
    """The engine with overlapping windows, asked twice and restarted, has the life of an engine fed row by row."""
    time, rows = START, []
    lives: tuple[dict, dict] = ({}, {})
    journals: tuple[list, list] = ([], [])
    for minutes, value, overlap, deed, restart in story:
        time += timedelta(minutes=minutes)
        rows.append({"time": time, "site_id": "flood_02", "value": value})
        windows = (rows[-1:], rows[-1 - overlap :])
        for alerts, journal, window in zip(lives, journals, windows, strict=True):
            told = frame(window, observed_property="flood_depth", quality="pass", source="gauges")
            changed, events = evaluate([rule], told, alerts, now=time)
            alerts.update((alert.key, alert) for alert in changed)
            journal += events
            if alerts is lives[1] and restart:
                alerts.update((key, stored(alert)) for key, alert in alerts.items())
                assert evaluate([rule], told, alerts, now=time) == ([], [])
            for alert in list(alerts.values()) if deed else ():
                try:
                    after, events = act(alert, deed, HA, time)
                except Refused:
                    continue
                alerts[alert.key] = after
                journal += events
    assert lives[0] == lives[1]
    assert journals[0] == journals[1]


def test_a_restart_is_told_of_by_nothing():
    alert = replace(
        Alert(rule="road_flood", site_id="flood_02"), active=True, value=12.5, due_at=START, seen_at=START, latched=True
    )
    assert stored(alert) == alert
