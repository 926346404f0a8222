"""The life of an alert as stories: (minute, what happens, state after)."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import lifecycle
from alerts.refusals import Refused
from alerts.replay import Facts, facts_of, replay
from alerts.rules import Level, Limit, Rule
from core.alert import Alert, AlertEvent

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def span(minutes: float | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


def make_rule(
    levels,
    *,
    direction="above",
    deadband=0.0,
    on=0,
    off=0,
    stale=None,
    inclusive=True,
    kind="threshold",
    latching=False,
    realarm=None,
    expires=None,
) -> Rule:
    sign = -1 if direction == "above" else 1
    return Rule(
        key="test_rule",
        kind=kind,
        title_vi="Thử",
        title_en="Test",
        domain="drainage",
        observed_property="flood_depth",
        direction=direction,
        inclusive=inclusive,
        levels=tuple(Level(priority=priority, setpoint=setpoint) for setpoint, priority in levels),
        limits=tuple(
            Limit(priority=priority, on_at=setpoint, off_at=setpoint + sign * deadband) for setpoint, priority in levels
        ),
        site_limits=None,
        only_sites=None,
        deadband=deadband,
        on_delay=timedelta(minutes=on),
        off_delay=timedelta(minutes=off),
        stale_after=span(stale),
        time_to_act=timedelta(minutes=10),
        latching=latching,
        realarm_after=span(realarm),
        ack_expires_after=span(expires),
    )


FLOOD = make_rule([(10.0, "medium"), (20.0, "high"), (25.0, "critical")], deadband=3.0, on=5, off=10, stale=15)
PLAIN = make_rule([(10.0, "high")])
LATCH = make_rule([(10.0, "high")], latching=True)  # an underpass: somebody must look before it is open again
LASTS = make_rule([(10.0, "high")], expires=30)  # an acknowledgement lasts 30 minutes
RERINGS = make_rule([(10.0, "high")], realarm=60, stale=60)
HA = "Lê Thu Hà"


def play(rule: Rule, story) -> tuple[Alert, list[AlertEvent]]:
    """Tell a story and check the state after each line; «ACKED high» also checks the priority."""
    alert, journal = Alert(rule=rule.key, site_id="flood_01"), []
    for line, (minute, what, expected) in enumerate(story, start=1):
        alert, events = step(alert, rule, what, at(minute))
        journal += events
        state, _, priority = expected.partition(" ")
        assert alert.state == state, f"line {line}: {what} at {minute}"
        assert not priority or alert.priority == priority, f"line {line}: {what} at {minute}"
    return alert, journal


def step(alert: Alert, rule: Rule, what, now: datetime) -> lifecycle.Changed:
    """One line of a story: a value, the clock, or a deed."""
    hour = timedelta(minutes=60)
    match what:
        case "ack":
            return lifecycle.acknowledge(alert, HA, now)
        case "undo":
            return lifecycle.unacknowledge(alert, HA, now)
        case "reset":
            return lifecycle.reset(alert, HA, now)
        case "shelve":
            return lifecycle.shelve(alert, now + hour, HA, now, "thay cảm biến")
        case "unshelve":
            return lifecycle.unshelve(alert, HA, now)
        case "suppress":
            return lifecycle.suppress(alert, now, "hầm đã đóng")
        case "release":
            return lifecycle.release(alert, now)
        case "out":
            return lifecycle.take_out_of_service(alert, now + hour, "PCV-118", HA, now, "bảo trì")
        case "back":
            return lifecycle.return_to_service(alert, HA, now)
        case "note":
            return lifecycle.comment(alert, "đã gọi tổ thoát nước", HA, now)
        case "assign":
            return lifecycle.assign(alert, "", "Đội 2", now + hour, HA, now)
        case "tick":
            return lifecycle.tick(alert, rule, now)
        case "withdraw":
            return lifecycle.withdraw(alert, now)
        case value:
            return lifecycle.observe(alert, rule, value, now)


# fmt: off
STORIES = {
    "normal stays normal": (PLAIN, [(0, 0.0, "NORM"), (5, 9.99, "NORM")]),
    "equality belongs to the worse class": (PLAIN, [(0, 10.0, "UNACK high")]),
    "a limit that says «more than» lets equality comply": (
        make_rule([(50.0, "medium")], inclusive=False),
        [(0, 50.0, "NORM"), (5, 50.1, "UNACK"), (10, 50.0, "RTNUN")],
    ),
    "A-B-C-A: raised, acknowledged, cleared": (PLAIN, [(0, 12.0, "UNACK"), (5, "ack", "ACKED"), (10, 9.0, "NORM")]),
    "B-D-A: cleared before anybody saw it": (PLAIN, [(0, 12.0, "UNACK"), (5, 9.0, "RTNUN"), (6, "ack", "NORM")]),
    "D-B: comes back": (PLAIN, [(0, 12.0, "UNACK"), (5, 9.0, "RTNUN"), (10, 12.0, "UNACK")]),
    "C-A-B: a new activation needs a new acknowledgement": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, 9.0, "NORM"), (10, 12.0, "UNACK")],
    ),
    "on-delay: continuous, to the minute": (FLOOD, [(0, 12.0, "NORM"), (4.9, 12.0, "NORM"), (5, 12.0, "UNACK medium")]),
    "on-delay starts anew after a dip": (
        FLOOD,
        [(0, 12.0, "NORM"), (3, 9.0, "NORM"), (5, 12.0, "NORM"), (9, 12.0, "NORM"), (10, 12.0, "UNACK")],
    ),
    "deadband: 7 is the last value that holds 10": (
        make_rule([(10.0, "high")], deadband=3.0),
        [(0, 10.0, "UNACK"), (5, 7.0, "UNACK"), (10, 6.9, "RTNUN"), (15, 9.9, "RTNUN"), (20, 10.0, "UNACK")],
    ),
    "off-delay: continuous": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 12.0, "UNACK"), (10, 6.0, "UNACK"), (15, 8.0, "UNACK"), (20, 6.0, "UNACK"),
         (29, 6.0, "UNACK"), (30, 6.0, "RTNUN")],
    ),
    "priority rises: rings again, and falls only after deadband and off-delay, without ringing": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 12.0, "UNACK medium"), (6, "ack", "ACKED medium"), (10, 22.0, "ACKED medium"),
         (15, 22.0, "UNACK high"), (16, "ack", "ACKED high"), (20, 18.0, "ACKED high"), (30, 18.0, "ACKED high"),
         (35, 16.0, "ACKED high"), (45, 16.0, "ACKED medium"), (50, 0.0, "ACKED medium"), (60, 0.0, "NORM")],
    ),
    "straight to critical": (FLOOD, [(0, 40.0, "NORM"), (5, 40.0, "UNACK critical")]),
    "one spike at the end of the delay does not ring at its own height": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 40.0, "UNACK medium"), (9, 12.0, "UNACK medium"), (14, 12.0, "UNACK medium")],
    ),
    "the height counts from where it began": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 40.0, "UNACK medium"), (9, 40.0, "UNACK medium"), (10, 40.0, "UNACK critical")],
    ),
    "a dip at the end of the off-delay clears to the milder of two only": (
        FLOOD,
        [(0, 22.0, "NORM"), (5, 22.0, "UNACK high"), (10, 12.0, "UNACK high"), (20, 0.0, "UNACK medium"),
         (29, 0.0, "UNACK medium"), (30, 0.0, "RTNUN medium")],
    ),
    "from pending worse to pending better the delay starts anew": (
        FLOOD,
        [(0, 22.0, "NORM"), (5, 22.0, "UNACK high"), (6, 30.0, "UNACK high"), (10, 0.0, "UNACK high"),
         (16, 0.0, "UNACK high"), (20, 0.0, "RTNUN")],
    ),
    "below: 95 % complies, 94.9 does not, clears above 96": (
        make_rule([(95.0, "low"), (90.0, "medium")], direction="below", deadband=1.0, inclusive=False),
        [(0, 95.0, "NORM"), (1, 94.9, "UNACK low"), (2, 89.0, "UNACK medium"), (3, 90.5, "UNACK medium"),
         (4, 91.0, "UNACK low"), (5, 95.9, "UNACK low"), (6, 96.0, "RTNUN")],
    ),
    "missing is never normal: NaN clears nothing and stops no delay": (
        FLOOD,
        [(0, 12.0, "NORM"), (3, math.nan, "NORM"), (5, 12.0, "UNACK"), (10, math.nan, "UNACK"),
         (25, math.nan, "UNACK")],
    ),
    "a late row moves nothing": (
        PLAIN, [(10, 12.0, "UNACK"), (5, 0.0, "UNACK"), (10, 0.0, "UNACK"), (11, 0.0, "RTNUN")],
    ),
    "a gap longer than stale-after starts the delay anew": (
        FLOOD,
        [(0, 12.0, "NORM"), (60, 12.0, "NORM"), (65, 12.0, "UNACK"), (70, 0.0, "UNACK"), (130, 0.0, "UNACK"),
         (140, 0.0, "RTNUN")],
    ),
    "G: shelved while unacknowledged comes out unacknowledged": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "shelve", "SHLVD"), (5, 12.0, "SHLVD"), (6, "unshelve", "UNACK")],
    ),
    "G: the acknowledgement is not forgotten by shelving": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "shelve", "SHLVD"), (62, "tick", "ACKED")],
    ),
    "G: an activation that began under the cover comes out unacknowledged": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "shelve", "SHLVD"), (5, 0.0, "SHLVD"), (10, 12.0, "SHLVD"),
         (11, "unshelve", "UNACK")],
    ),
    "G: a priority that rose under the cover comes out unacknowledged": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 12.0, "UNACK medium"), (6, "ack", "ACKED"), (7, "shelve", "SHLVD"),
         (10, 22.0, "SHLVD"), (15, 22.0, "SHLVD high"), (16, "unshelve", "UNACK high")],
    ),
    "G: acknowledged and cleared under the cover comes out normal": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "shelve", "SHLVD"), (5, 0.0, "SHLVD"), (62, "tick", "NORM")],
    ),
    "G: came and went unseen under the cover: still to be seen": (
        PLAIN, [(0, 12.0, "UNACK"), (2, "shelve", "SHLVD"), (5, 0.0, "SHLVD"), (62, "tick", "RTNUN")],
    ),
    "G: the shelf ends on its minute, not before": (
        PLAIN, [(0, 12.0, "UNACK"), (2, "shelve", "SHLVD"), (61.9, "tick", "SHLVD"), (62, "tick", "UNACK")],
    ),
    "G: critical breaks the cover": (
        FLOOD,
        [(0, 12.0, "NORM"), (5, 12.0, "UNACK"), (6, "ack", "ACKED"), (7, "shelve", "SHLVD"), (10, 30.0, "SHLVD medium"),
         (15, 30.0, "UNACK critical")],
    ),
    "undo an acknowledgement within ten seconds": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (1.1, "undo", "UNACK")],
    ),
    "undo ending an alert": (
        PLAIN, [(0, 12.0, "UNACK"), (5, 0.0, "RTNUN"), (6, "ack", "NORM"), (6.1, "undo", "RTNUN")],
    ),
    "a rule switched off ends the alert, the acknowledgement stays due": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "withdraw", "RTNUN"), (2, "ack", "NORM"), (3, "withdraw", "NORM")],
    ),
    "an underpass that was flooded stays on the list until somebody has looked": (
        LATCH,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (30, 0.0, "LATAC"), (600, 0.0, "LATAC"), (601, "reset", "NORM"),
         (602, 12.0, "UNACK")],
    ),
    "latched before anybody saw it: first acknowledge, then reset": (
        LATCH, [(0, 12.0, "UNACK"), (5, 0.0, "LATUN"), (6, "ack", "LATAC"), (7, "reset", "NORM")],
    ),
    "undo under a latch": (
        LATCH, [(0, 12.0, "UNACK"), (5, 0.0, "LATUN"), (6, "ack", "LATAC"), (6.1, "undo", "LATUN")],
    ),
    "a latch outlives its rule": (
        LATCH,
        [(0, 12.0, "UNACK"), (5, 0.0, "LATUN"), (6, "withdraw", "LATUN"), (7, "ack", "LATAC"), (8, "reset", "NORM")],
    ),
    "work at a latched underpass goes on when the water comes back": (
        LATCH,
        [(0, 12.0, "UNACK"), (1, "assign", "UNACK"), (2, "ack", "ACKED"), (5, 0.0, "LATAC"), (6, 12.0, "UNACK")],
    ),
    "an acknowledgement that nobody follows up comes back": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (30.9, "tick", "ACKED"), (31, "tick", "UNACK"), (32, "ack", "ACKED"),
         (62, "tick", "UNACK")],
    ),
    "a note keeps the acknowledgement": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (25, "note", "ACKED"), (54.9, "tick", "ACKED"),
         (55, "tick", "UNACK")],
    ),
    "assigned work has time until it is due": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, "assign", "ACKED"), (64.9, "tick", "ACKED"),
         (65, "tick", "UNACK")],
    ),
    "work that is due has still the minutes since the last deed": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, "assign", "ACKED"), (60, "note", "ACKED"),
         (89.9, "tick", "ACKED"),
         (90, "tick", "UNACK")],
    ),
    "what is over does not come back": (
        LASTS, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, 0.0, "NORM"), (300, "tick", "NORM")],
    ),
    "under a shelf nothing expires; it does at once when the shelf ends": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "shelve", "SHLVD"), (61, "tick", "SHLVD"), (62, "tick", "UNACK")],
    ),
    "under a cover an acknowledgement does not expire": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "out", "OOSRV"), (50, "tick", "OOSRV"), (51, "back", "ACKED")],
    ),
    "the shelf of a rule that is gone ends all the same": (
        PLAIN, [(0, 12.0, "UNACK"), (2, "shelve", "SHLVD"), (3, "withdraw", "SHLVD"), (62, "withdraw", "RTNUN")],
    ),
    "lifted by hand, the acknowledgement holds: somebody is on it": (
        LASTS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "shelve", "SHLVD"), (50, "unshelve", "ACKED"),
         (79, "tick", "ACKED"),
         (80, "tick", "UNACK")],
    ),
    "where a rule says never, an acknowledgement lasts": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (6000, "tick", "ACKED")],
    ),
    "re-alarm: still there after an hour, whoever acknowledged": (
        RERINGS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (59, 12.0, "ACKED"), (59.9, "tick", "ACKED"), (60, "tick", "UNACK"),
         (110, 12.0, "UNACK"), (119.9, "tick", "UNACK"), (120, "tick", "UNACK"), (121, "ack", "ACKED")],
    ),
    "re-alarm: not on late data, for nobody knows whether it still holds": (
        RERINGS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (61, "tick", "ACKED"), (62, 12.0, "ACKED"), (63, "tick", "UNACK")],
    ),
    "re-alarm: not under a cover": (
        RERINGS,
        [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (10, "shelve", "SHLVD"), (50, 12.0, "SHLVD"), (61, "tick", "SHLVD"),
         (61, "unshelve", "ACKED"), (61, "tick", "UNACK")],
    ),
    "re-alarm: not of what is over": (
        RERINGS, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, 0.0, "NORM"), (60, 0.0, "NORM"), (70, "tick", "NORM")],
    ),
    "H: the flood of a closed underpass is no news, and news again when it opens": (
        PLAIN,
        [(0, "suppress", "DSUPR"), (5, 12.0, "DSUPR"), (10, "release", "UNACK high"), (11, "release", "UNACK")],
    ),
    "H: came and went under the suppression: still to be seen": (
        PLAIN, [(0, "suppress", "DSUPR"), (5, 12.0, "DSUPR"), (6, 0.0, "DSUPR"), (10, "release", "RTNUN")],
    ),
    "H: a rule switched off takes its suppression with it": (
        PLAIN, [(0, "suppress", "DSUPR"), (5, 12.0, "DSUPR"), (6, "withdraw", "RTNUN")],
    ),
    "a shelf is stronger than a suppression, which follows when it ends": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "shelve", "SHLVD"), (2, "suppress", "SHLVD"), (3, "release", "SHLVD"),
         (61, "tick", "UNACK"), (61, "suppress", "DSUPR")],
    ),
    "out of service is stronger than both": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "suppress", "DSUPR"), (2, "out", "OOSRV"), (3, "suppress", "OOSRV"),
         (4, "release", "OOSRV"), (5, "back", "UNACK")],
    ),
    "out of service over a shelf: the shelf does not come back": (
        PLAIN,
        [(0, 12.0, "UNACK"), (1, "shelve", "SHLVD"), (2, "out", "OOSRV"), (90, "tick", "OOSRV"), (91, "back", "UNACK")],
    ),
    "I: critical waters under a station in repair are logged, not shown": (
        FLOOD, [(0, "out", "OOSRV"), (5, 40.0, "OOSRV"), (10, 40.0, "OOSRV critical"), (11, "back", "UNACK critical")],
    ),
    "H: critical waters in a closed underpass are logged, not shown": (
        FLOOD,
        [(0, "suppress", "DSUPR"), (5, 40.0, "DSUPR"), (10, 40.0, "DSUPR critical"), (11, "release", "UNACK critical")],
    ),
    "I: equipment is not back because a date has passed": (
        PLAIN,
        [(0, 0.0, "NORM"), (1, "out", "OOSRV"), (61, "tick", "OOSRV"), (9000, "tick", "OOSRV"), (9001, "back", "NORM")],
    ),
    "I: an acknowledgement from before the repair is not forgotten": (
        PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "out", "OOSRV"), (30, "back", "ACKED")],
    ),
    "a shelf that a wrong clock set into next year ends": (
        PLAIN, [(500_000, 12.0, "UNACK"), (500_001, "shelve", "SHLVD"), (10, "tick", "UNACK")],
    ),
    "an acknowledgement that a wrong clock set into next year expires": (
        LASTS, [(0, 12.0, "UNACK"), (500_000, "ack", "ACKED"), (10, "tick", "UNACK")],
    ),
}
# fmt: on


@pytest.mark.parametrize("name", STORIES)
def test_story(name):
    """And what the journal of the story tells is the alert at its end."""
    alert, journal = play(*STORIES[name])
    assert replay(journal).get(alert.key, Facts()) == facts_of(alert)


def test_the_journal_says_what_happened_in_order():
    rule, story = STORIES["G: critical breaks the cover"]
    alert, journal = play(rule, story)
    assert [(event.deed, event.state_before, event.state_after, event.actor) for event in journal] == [
        ("raise", "NORM", "UNACK", "engine"),
        ("acknowledge", "UNACK", "ACKED", "Lê Thu Hà"),
        ("shelve", "ACKED", "SHLVD", "Lê Thu Hà"),
        ("raise_priority", "SHLVD", "SHLVD", "engine"),
        ("unshelve", "SHLVD", "UNACK", "engine"),
    ]
    assert journal[2].reason == "thay cảm biến"
    assert "Khẩn cấp" in journal[4].reason
    assert (alert.hidden_until, alert.hidden_reason) == (None, "")
    assert (alert.raised_at, alert.acked_by, alert.acked_at) == (at(15), "", None)


def test_times_and_value_of_an_alert():
    alert, journal = play(PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (5, 9.0, "NORM")])
    assert (alert.raised_at, alert.acked_at, alert.cleared_at, alert.seen_at) == (at(0), at(1), at(5), at(5))
    assert (alert.value, alert.acked_by, alert.turning_since) == (9.0, "Lê Thu Hà", None)
    assert [event.value for event in journal] == [12.0, 12.0, 9.0]
    again, _ = lifecycle.observe(alert, PLAIN, 12.0, at(10))
    assert (again.raised_at, again.cleared_at, again.acked_at, again.acked_by) == (at(10), None, None, "")
    assert play(FLOOD, [(0, 12.0, "NORM"), (3, 13.0, "NORM")])[0].turning_since == at(0)


def test_late_data_freeze_a_live_alert_on_the_clock_and_fresh_ones_thaw_it():
    alert, journal = play(FLOOD, [(0, 12.0, "NORM"), (5, 12.0, "UNACK"), (20, "tick", "UNACK")])
    assert (alert.stale, len(journal)) == (False, 1), "15 minutes old is not older than 15 minutes"
    alert, events = lifecycle.tick(alert, FLOOD, at(20.1))
    assert alert.stale
    assert [(event.deed, event.state_after) for event in events] == [("stale", "UNACK")]
    assert lifecycle.tick(alert, FLOOD, at(90)) == (alert, [])
    alert, _ = lifecycle.observe(alert, FLOOD, 13.0, at(100))
    assert alert.state == "UNACK"
    alert, events = lifecycle.tick(alert, FLOOD, at(101))
    assert not alert.stale
    assert [event.deed for event in events] == ["live"]


def test_a_normal_alert_is_not_marked_stale():
    alert, _ = lifecycle.observe(Alert(rule="test_rule", site_id="flood_01"), FLOOD, 0.0, at(0))
    assert lifecycle.tick(alert, FLOOD, at(500)) == (alert, [])


@pytest.mark.parametrize("cover", ["suppress", "out"])
def test_nor_is_a_normal_one_under_a_cover(cover):
    """A station in repair is silent: one line of the journal says so, not two."""
    alert, _ = lifecycle.observe(Alert(rule="test_rule", site_id="flood_01"), FLOOD, 0.0, at(0))
    alert, _ = step(alert, FLOOD, cover, at(1))
    assert lifecycle.tick(alert, FLOOD, at(50)) == (alert, [])


def test_silence_raises_on_the_clock_and_a_value_clears():
    rule = make_rule([(30.0, "low")], kind="missing", stale=30)
    fresh = Alert(rule="test_rule", site_id="noise_01")
    assert lifecycle.observe_silence(fresh, rule, None, at(500)) == (fresh, []), "a series nobody knows is not silent"
    alert, events = lifecycle.observe_silence(fresh, rule, at(0), at(30))
    assert (alert.state, alert.seen_at, events) == ("NORM", at(0), [])
    alert, events = lifecycle.observe_silence(alert, rule, None, at(31))
    assert (alert.state, alert.priority, alert.raised_at, alert.value) == ("UNACK", "low", at(31), None)
    assert [event.deed for event in events] == ["raise"]
    assert lifecycle.observe_silence(alert, rule, None, at(40)) == (alert, [])
    assert lifecycle.tick(alert, rule, at(400)) == (alert, []), "silence is the alert itself, not a reason to freeze it"
    alert, events = lifecycle.observe_silence(alert, rule, at(44), at(45))
    assert (alert.state, alert.cleared_at) == ("RTNUN", at(45))
    assert [event.deed for event in events] == ["clear"]


# -- every arrow of the state table -----------------------------------------------------------------------------------

# fmt: off
TRUTHS = {  # how an alert comes to each state without a cover
    "NORM": [(0, 0.0, "NORM")],
    "UNACK": [(0, 12.0, "UNACK")],
    "ACKED": [(0, 12.0, "UNACK"), (1, "ack", "ACKED")],
    "RTNUN": [(0, 12.0, "UNACK"), (1, 0.0, "RTNUN")],
    "LATUN": [(0, 12.0, "UNACK"), (1, 0.0, "LATUN")],
    "LATAC": [(0, 12.0, "UNACK"), (1, 0.0, "LATUN"), (2, "ack", "LATAC")],
}
ARROWS = [  # from, what happens, to, the journal's word, its author
    ("NORM", 12.0, "UNACK", "raise", "engine"),
    ("UNACK", "ack", "ACKED", "acknowledge", HA),
    ("RTNUN", "ack", "NORM", "acknowledge", HA),
    ("LATUN", "ack", "LATAC", "acknowledge", HA),
    ("UNACK", 0.0, "RTNUN", "clear", "engine"),
    ("ACKED", 0.0, "NORM", "clear", "engine"),
    ("LATAC", "reset", "NORM", "reset", HA),
    ("RTNUN", 12.0, "UNACK", "raise", "engine"),
    ("LATUN", 12.0, "UNACK", "raise", "engine"),
    ("LATAC", 12.0, "UNACK", "raise", "engine"),
    ("UNACK", 22.0, "UNACK", "raise_priority", "engine"),
    ("ACKED", 22.0, "UNACK", "raise_priority", "engine"),
    *((truth, "shelve", "SHLVD", "shelve", HA) for truth in TRUTHS if truth != "NORM"),
    *((truth, "suppress", "DSUPR", "suppress", "engine") for truth in TRUTHS),
    *((truth, "out", "OOSRV", "take_out_of_service", HA) for truth in TRUTHS),
]
COVER_ARROWS = [  # with which cover, over what, how it ends, what is true then, the journal's word, its author
    *((truth, "shelve", "unshelve", truth, "unshelve", HA) for truth in TRUTHS if truth != "NORM"),
    *((truth, "shelve", "tick", truth, "shelf_expired", "engine") for truth in TRUTHS if truth != "NORM"),
    *((truth, "out", "back", truth, "return_to_service", HA) for truth in TRUTHS),
    *((truth, "suppress", "release", truth, "release", "engine") for truth in TRUTHS if truth != "ACKED"),
    ("ACKED", "suppress", "release", "UNACK", "release", "engine"),  # evaluated as new
    *((truth, "suppress", "out", "OOSRV", "take_out_of_service", HA) for truth in TRUTHS),
    *((truth, "shelve", "out", "OOSRV", "take_out_of_service", HA) for truth in TRUTHS if truth != "NORM"),
]
# fmt: on
STEPS = make_rule([(10.0, "medium"), (20.0, "high")])
STEPS_LATCH = make_rule([(10.0, "medium"), (20.0, "high")], latching=True)


def stand(truth: str) -> tuple[Rule, Alert]:
    rule = STEPS_LATCH if truth.startswith("LAT") else STEPS
    return rule, play(rule, TRUTHS[truth])[0]


def says(event: AlertEvent, before: str, after: str, deed: str, who: str, now: datetime) -> bool:
    told = (event.state_before, event.state_after, event.deed, event.actor, event.happened_at)
    return told == (before, after, deed, who, now) and event.happened_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(("before", "what", "after", "deed", "who"), ARROWS)
def test_arrow(before, what, after, deed, who):
    rule, alert = stand(before)
    moved, events = step(alert, rule, what, at(10))
    assert moved.state == after
    assert len(events) == 1
    assert says(events[0], before, after, deed, who, at(10))


@pytest.mark.parametrize(("before", "cover", "what", "after", "deed", "who"), COVER_ARROWS)
def test_arrow_out_of_a_cover(before, cover, what, after, deed, who):
    rule, alert = stand(before)
    covered, _ = step(alert, rule, cover, at(5))
    moved, events = step(covered, rule, what, at(65))
    assert moved.state == after
    assert len(events) == 1
    assert says(events[0], covered.state, after, deed, who, at(65))


@pytest.mark.parametrize(("truth", "after"), [("UNACK", "LATUN"), ("ACKED", "LATAC")])
def test_arrow_into_the_latch(truth, after):
    alert, _ = play(STEPS_LATCH, TRUTHS[truth])
    moved, events = step(alert, STEPS_LATCH, 0.0, at(10))
    assert moved.state == after
    assert says(events[0], truth, after, "latch", "engine", at(10))
    assert (moved.active, moved.cleared_at) == (False, at(10))


@pytest.mark.parametrize("cover", ["shelve", "suppress", "out"])
@pytest.mark.parametrize("rule", [STEPS, STEPS_LATCH])
def test_a_cover_stops_neither_judging_nor_the_journal(cover, rule):
    """The same values under each cover: the same facts as without it, and the same lines of the engine."""
    bare, _ = play(rule, TRUTHS["ACKED"])
    under, _ = step(bare, rule, cover, at(2))
    deeds_bare, deeds_under = [], []
    for minute, value in ((3, 22.0), (4, 13.0), (5, 0.0), (6, 12.0), (7, 0.0), (8, 25.0)):
        bare, events = step(bare, rule, value, at(minute))
        deeds_bare += [event.deed for event in events]
        under, events = step(under, rule, value, at(minute))
        deeds_under += [(event.deed, event.state_before, event.state_after) for event in events]
        assert (under.truth, under.priority, under.value) == (bare.truth, bare.priority, bare.value)
        assert under.began_at == bare.began_at
    assert deeds_under == [(deed, under.state, under.state) for deed in deeds_bare]
    assert len(deeds_bare) == 6


def test_the_times_of_one_activation():
    """It began once; every annunciation moves raised_at, every deed of a person handled_at."""
    rule = make_rule([(10.0, "medium"), (20.0, "high")], realarm=60, expires=30)
    alert, _ = play(rule, [(0, 12.0, "UNACK"), (1, "ack", "ACKED")])
    assert (alert.began_at, alert.raised_at, alert.handled_at) == (at(0), at(0), at(1))
    alert, _ = lifecycle.observe(replace(alert, escalated=2), rule, 22.0, at(10))
    assert (alert.began_at, alert.raised_at, alert.handled_at, alert.escalated) == (at(0), at(10), at(1), 0)
    alert, _ = lifecycle.acknowledge(alert, HA, at(20))
    alert, (expired,) = lifecycle.tick(replace(alert, escalated=2), rule, at(50))
    assert (alert.began_at, alert.raised_at, alert.escalated, alert.acked_by) == (at(0), at(50), 0, "")
    assert expired.deed == "ack_expired"
    assert "30 phút" in expired.reason
    assert HA in expired.reason
    alert, (again,) = lifecycle.tick(replace(alert, escalated=1), rule, at(110))
    assert (alert.began_at, alert.raised_at, alert.escalated, again.deed) == (at(0), at(110), 0, "realarm")
    alert, _ = lifecycle.observe(alert, rule, 0.0, at(120))
    alert, _ = lifecycle.observe(alert, rule, 12.0, at(130))
    assert (alert.began_at, alert.raised_at) == (at(130), at(130))


@pytest.mark.parametrize("what", ["ack", "note", "assign", "shelve", "out"])
def test_every_deed_shows_that_somebody_is_on_it(what):
    rule, alert = stand("UNACK")
    assert step(alert, rule, what, at(7))[0].handled_at == at(7)


def test_a_reset_is_a_deed():
    assert step(LATAC, LATCH, "reset", at(7))[0].handled_at == at(7)


@pytest.mark.parametrize(("first", "then"), [("ack", "undo"), ("shelve", "unshelve"), ("out", "back")])
def test_taking_a_deed_back_is_a_deed(first, then):
    rule, alert = stand("UNACK")
    alert, _ = step(alert, rule, first, at(7))
    assert step(alert, rule, then, at(7.1))[0].handled_at == at(7.1)


def test_what_an_assignment_says_and_how_long_it_holds():
    alert, _ = play(PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED")])
    alert, (event,) = lifecycle.assign(alert, "Phạm Văn Bình", "Đội 2", None, HA, at(2), "gần nhất")
    assert (alert.assignee, alert.unit, alert.due_at) == ("Phạm Văn Bình", "Đội 2", at(32)), "high: 30 minutes"
    assert (event.deed, event.state_before, event.state_after, event.reason) == ("assign", "ACKED", "ACKED", "gần nhất")
    assert json.loads(event.detail) == {
        "assignee": "Phạm Văn Bình",
        "unit": "Đội 2",
        "due_at": "2026-09-15T10:32:00+00:00",
    }
    over, _ = lifecycle.observe(alert, PLAIN, 0.0, at(5))
    assert (over.state, over.unit) == ("NORM", "Đội 2"), "who did it can still be read"
    anew, _ = lifecycle.observe(over, PLAIN, 12.0, at(10))
    assert (anew.assignee, anew.unit, anew.due_at) == ("", "", None)


@pytest.mark.parametrize(
    "story",
    [
        (PLAIN, [(0, 12.0, "UNACK"), (1, "assign", "UNACK"), (5, 0.0, "RTNUN"), (6, 12.0, "UNACK")]),
        STORIES["work at a latched underpass goes on when the water comes back"],
    ],
)
def test_work_goes_on_when_the_alert_comes_back_before_it_was_over(story):
    alert, _ = play(*story)
    assert (alert.unit, alert.due_at) == ("Đội 2", at(61))


@pytest.mark.parametrize(("priority", "minutes"), [("critical", 10), ("high", 30), ("medium", 120), ("low", 240)])
def test_the_deadline_follows_the_priority(priority, minutes):
    alert = Alert(rule="test_rule", site_id="flood_01", active=True, acked=False, priority=priority)
    assert lifecycle.assign(alert, "", "Đội 2", None, HA, at(0))[0].due_at == at(minutes)


def test_a_maintenance_says_why_until_when_and_for_which_order():
    alert, (event,) = lifecycle.take_out_of_service(NORMAL, at(90), "PCV-118", HA, at(0), "thay cảm biến")
    assert (alert.hidden_until, alert.hidden_reason, alert.hidden_by, alert.hidden_at) == (
        at(90),
        "thay cảm biến",
        HA,
        at(0),
    )
    assert alert.work_order == "PCV-118"
    assert event.reason == "thay cảm biến"
    assert json.loads(event.detail) == {"until": "2026-09-15T11:30:00+00:00", "work_order": "PCV-118"}
    alert, _ = lifecycle.tick(alert, PLAIN, at(1440))
    assert alert.reminded_at == at(1440)
    bare, _ = lifecycle.return_to_service(alert, HA, at(1500))
    assert bare == replace(NORMAL, handled_at=at(1500)), "nothing of the cover is left"


def test_a_maintenance_is_told_again_every_day_and_when_it_should_be_over():
    day = 24 * 60
    alert, _ = lifecycle.take_out_of_service(NORMAL, at(2.5 * day), "PCV-118", HA, at(0), "thay cảm biến")
    told = []
    for hour in range(5 * 24 + 1):
        alert, events = lifecycle.tick(alert, PLAIN, at(hour * 60))
        told += [(hour, event.deed, "quá hạn" in event.reason) for event in events]
        assert all(event.state_before == event.state_after == "OOSRV" for event in events)
        assert all("PCV-118" in event.reason for event in events)
    assert told == [
        (24, "service_reminder", False),
        (48, "service_reminder", False),
        (60, "service_reminder", True),
        (84, "service_reminder", True),
        (108, "service_reminder", True),
    ]
    assert alert.state == "OOSRV"


def test_a_reminder_also_comes_when_the_rule_is_gone_or_the_clock_was_put_back():
    alert, _ = lifecycle.take_out_of_service(NORMAL, at(9000), "PCV-118", HA, at(0), "thay cảm biến")
    assert [event.deed for event in lifecycle.withdraw(alert, at(1440))[1]] == ["service_reminder"]
    assert [event.deed for event in lifecycle.tick(alert, PLAIN, at(-1440))[1]] == ["service_reminder"]
    assert lifecycle.tick(alert, PLAIN, at(-60)) == (alert, [])


def test_a_suppression_says_why_and_leaves_nothing_behind():
    alert, (event,) = lifecycle.suppress(NORMAL, at(5), "hầm đã đóng")
    assert (alert.hidden_reason, alert.hidden_at, alert.hidden_by, alert.hidden_until) == (
        "hầm đã đóng",
        at(5),
        "",
        None,
    )
    assert (event.reason, event.actor) == ("hầm đã đóng", "engine")
    assert lifecycle.suppress(alert, at(6), "hầm đã đóng") == (alert, []), "one line, not one per round"
    assert lifecycle.release(alert, at(7))[0] == NORMAL
    assert lifecycle.release(NORMAL, at(7)) == (NORMAL, [])


def test_a_release_is_a_new_annunciation_of_the_same_activation():
    alert, _ = play(PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED"), (2, "suppress", "DSUPR")])
    alert, _ = lifecycle.release(replace(alert, escalated=1), at(9))
    assert (alert.began_at, alert.raised_at, alert.acked_by, alert.acked_at, alert.escalated) == (
        at(0),
        at(9),
        "",
        None,
        0,
    )


def test_silence_latches_too():
    rule = make_rule([(30.0, "low")], kind="missing", stale=30, latching=True)
    alert, _ = lifecycle.observe_silence(Alert(rule="test_rule", site_id="noise_01"), rule, at(0), at(31))
    alert, (event,) = lifecycle.observe_silence(alert, rule, at(32), at(33))
    assert (alert.state, event.deed) == ("LATUN", "latch")


def test_a_comment_of_an_acknowledgement_stands_in_the_journal():
    _, (event,) = lifecycle.acknowledge(UNACK, HA, at(2), "đã thấy trên camera")
    assert event.reason == "đã thấy trên camera"


def test_a_withdrawn_rule_forgets_a_pending_value_so_that_the_latch_can_be_reset():
    pending = make_rule([(10.0, "high")], latching=True, on=5)
    alert, _ = play(
        pending, [(0, 12.0, "NORM"), (5, 12.0, "UNACK"), (6, "ack", "ACKED"), (7, 0.0, "LATAC"), (8, 12.0, "LATAC")]
    )
    with pytest.raises(Refused) as refusal:
        lifecycle.reset(alert, HA, at(9))
    assert refusal.value.code == "reset_while_returning"
    alert, events = lifecycle.withdraw(alert, at(9))
    assert events == []
    assert lifecycle.reset(alert, HA, at(10))[0].state == "NORM"


UNACK = play(PLAIN, [(0, 12.0, "UNACK")])[0]
ACKED = play(PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED")])[0]
SHELVED = play(PLAIN, [(0, 12.0, "UNACK"), (1, "shelve", "SHLVD")])[0]
CRITICAL = play(FLOOD, [(0, 40.0, "NORM"), (5, 40.0, "UNACK")])[0]
NORMAL = Alert(rule="test_rule", site_id="flood_01")
OUT_OF_SERVICE = step(UNACK, PLAIN, "out", at(1))[0]
SUPPRESSED = step(UNACK, PLAIN, "suppress", at(1))[0]
LATUN = play(LATCH, TRUTHS["LATUN"])[0]
LATAC = play(LATCH, TRUTHS["LATAC"])[0]
WHO = "Trần Minh Hải"


@pytest.mark.parametrize(
    ("code", "deed"),
    [
        ("nothing_to_acknowledge", lambda: lifecycle.acknowledge(NORMAL, WHO, at(2))),
        ("already_acknowledged", lambda: lifecycle.acknowledge(ACKED, WHO, at(4))),
        ("shelved", lambda: lifecycle.acknowledge(SHELVED, WHO, at(4))),
        ("reason_missing", lambda: lifecycle.shelve(UNACK, at(60), WHO, at(2), "")),
        ("shelf_in_the_past", lambda: lifecycle.shelve(UNACK, at(2), WHO, at(2), "lý do")),
        ("shelf_too_long", lambda: lifecycle.shelve(UNACK, at(2 + 8 * 60 + 1), WHO, at(2), "lý do")),
        ("shelved", lambda: lifecycle.shelve(SHELVED, at(60), WHO, at(2), "lý do")),
        ("out_of_service", lambda: lifecycle.shelve(OUT_OF_SERVICE, at(60), WHO, at(2), "lý do")),
        ("suppressed", lambda: lifecycle.shelve(SUPPRESSED, at(60), WHO, at(2), "lý do")),
        ("out_of_service", lambda: lifecycle.acknowledge(OUT_OF_SERVICE, WHO, at(2))),
        ("suppressed", lambda: lifecycle.acknowledge(SUPPRESSED, WHO, at(2))),
        ("nothing_to_shelve", lambda: lifecycle.shelve(NORMAL, at(60), WHO, at(2), "lý do")),
        ("critical", lambda: lifecycle.shelve(CRITICAL, at(60), WHO, at(6), "lý do")),
        ("not_shelved", lambda: lifecycle.unshelve(UNACK, WHO, at(2))),
        ("not_shelved", lambda: lifecycle.unshelve(OUT_OF_SERVICE, WHO, at(2))),
        ("nothing_to_undo", lambda: lifecycle.unacknowledge(UNACK, "Lê Thu Hà", at(1))),
        ("not_your_acknowledgement", lambda: lifecycle.unacknowledge(ACKED, WHO, at(1))),
        ("undo_too_late", lambda: lifecycle.unacknowledge(ACKED, HA, at(0))),  # the clock was put back
        ("nothing_to_undo", lambda: lifecycle.unacknowledge(step(ACKED, PLAIN, "out", at(1))[0], HA, at(1))),
        ("reset_while_active", lambda: lifecycle.reset(UNACK, WHO, at(2))),
        ("reset_while_active", lambda: lifecycle.reset(ACKED, WHO, at(2))),
        ("nothing_to_reset", lambda: lifecycle.reset(NORMAL, WHO, at(2))),
        ("reset_before_acknowledging", lambda: lifecycle.reset(LATUN, WHO, at(2))),
        ("shelved", lambda: lifecycle.reset(step(LATAC, LATCH, "shelve", at(3))[0], WHO, at(4))),
        ("reason_missing", lambda: lifecycle.take_out_of_service(UNACK, at(60), "PCV-118", WHO, at(2), "")),
        ("work_order_missing", lambda: lifecycle.take_out_of_service(UNACK, at(60), "", WHO, at(2), "lý do")),
        ("service_end_in_the_past", lambda: lifecycle.take_out_of_service(UNACK, at(2), "P", WHO, at(2), "lý do")),
        ("out_of_service", lambda: lifecycle.take_out_of_service(OUT_OF_SERVICE, at(60), "P", WHO, at(2), "lý do")),
        ("not_out_of_service", lambda: lifecycle.return_to_service(SHELVED, WHO, at(2))),
        ("nobody_assigned", lambda: lifecycle.assign(UNACK, "", "", at(60), WHO, at(2))),
        ("nothing_to_assign", lambda: lifecycle.assign(NORMAL, "", "Đội 2", at(60), WHO, at(2))),
        ("due_in_the_past", lambda: lifecycle.assign(UNACK, "", "Đội 2", at(2), WHO, at(2))),
        ("reason_missing", lambda: lifecycle.comment(UNACK, "", WHO, at(2))),
        ("undo_too_late", lambda: lifecycle.unacknowledge(ACKED, "Lê Thu Hà", at(1) + timedelta(seconds=10.1))),
    ],
)
def test_what_is_refused(code, deed):
    with pytest.raises(Refused) as refusal:
        deed()
    assert refusal.value.code == code
    assert str(refusal.value) == refusal.value.words("vi") != refusal.value.words("en")


def test_eight_hours_and_ten_seconds_are_still_allowed():
    assert lifecycle.shelve(UNACK, at(2 + 8 * 60), WHO, at(2), "lý do")[0].state == "SHLVD"
    assert lifecycle.unacknowledge(ACKED, "Lê Thu Hà", at(1) + timedelta(seconds=10))[0].state == "UNACK"


def test_the_second_to_acknowledge_reads_who_was_first():
    with pytest.raises(Refused, match="đã được Lê Thu Hà xác nhận cách đây 3 phút"):
        lifecycle.acknowledge(ACKED, WHO, at(4))


def test_an_edited_rule_does_not_lose_the_alert():
    """The alert stands at critical; the file now knows only medium and high."""
    edited = make_rule([(10.0, "medium"), (20.0, "high")])
    alert, events = lifecycle.observe(CRITICAL, edited, 40.0, at(10))
    assert (alert.state, alert.priority, events) == ("UNACK", "critical", [])
    only_critical = make_rule([(50.0, "critical")])
    alert, _ = lifecycle.observe(UNACK, only_critical, 12.0, at(10))
    assert alert.state == "RTNUN"
