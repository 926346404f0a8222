"""The life of an alert as stories: (minute, what happens, state after)."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from alerts import lifecycle
from alerts.refusals import Refused
from alerts.rules import Level, Limit, Rule
from core.alert import Alert, AlertEvent

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def make_rule(
    levels, *, direction="above", deadband=0.0, on=0, off=0, stale=None, inclusive=True, kind="process"
) -> Rule:
    sign = -1 if direction == "above" else 1
    return Rule(
        key="test_rule",
        kind=kind,
        title_vi="Thử",
        title_en="Test",
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
        stale_after=None if stale is None else timedelta(minutes=stale),
        time_to_act=timedelta(minutes=10),
    )


FLOOD = make_rule([(10.0, "medium"), (20.0, "high"), (25.0, "critical")], deadband=3.0, on=5, off=10, stale=15)
PLAIN = make_rule([(10.0, "high")])


def play(rule: Rule, story) -> tuple[Alert, list[AlertEvent]]:
    """Tell a story and check the state after each line; «ACKED high» also checks the priority."""
    alert, journal = Alert(rule=rule.key, site_id="flood_01"), []
    for line, (minute, what, expected) in enumerate(story, start=1):
        now = at(minute)
        match what:
            case "ack":
                alert, events = lifecycle.acknowledge(alert, "Lê Thu Hà", now)
            case "undo":
                alert, events = lifecycle.unacknowledge(alert, "Lê Thu Hà", now)
            case "shelve":
                alert, events = lifecycle.shelve(alert, now + timedelta(minutes=60), "Lê Thu Hà", now, "thay cảm biến")
            case "unshelve":
                alert, events = lifecycle.unshelve(alert, "Lê Thu Hà", now)
            case "tick":
                alert, events = lifecycle.tick(alert, rule, now)
            case "withdraw":
                alert, events = lifecycle.withdraw(alert, now)
            case value:
                alert, events = lifecycle.observe(alert, rule, value, now)
        journal += events
        state, _, priority = expected.partition(" ")
        assert alert.state == state, f"line {line}: {what} at {minute}"
        assert not priority or alert.priority == priority, f"line {line}: {what} at {minute}"
    return alert, journal


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
}
# fmt: on


@pytest.mark.parametrize("name", STORIES)
def test_story(name):
    play(*STORIES[name])


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


UNACK = play(PLAIN, [(0, 12.0, "UNACK")])[0]
ACKED = play(PLAIN, [(0, 12.0, "UNACK"), (1, "ack", "ACKED")])[0]
SHELVED = play(PLAIN, [(0, 12.0, "UNACK"), (1, "shelve", "SHLVD")])[0]
CRITICAL = play(FLOOD, [(0, 40.0, "NORM"), (5, 40.0, "UNACK")])[0]
NORMAL = Alert(rule="test_rule", site_id="flood_01")
OUT_OF_SERVICE = Alert(rule="test_rule", site_id="flood_01", active=True, acked=False, hidden="OOSRV")
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
        ("covered", lambda: lifecycle.shelve(OUT_OF_SERVICE, at(60), WHO, at(2), "lý do")),
        ("nothing_to_shelve", lambda: lifecycle.shelve(NORMAL, at(60), WHO, at(2), "lý do")),
        ("critical", lambda: lifecycle.shelve(CRITICAL, at(60), WHO, at(6), "lý do")),
        ("not_shelved", lambda: lifecycle.unshelve(UNACK, WHO, at(2))),
        ("not_shelved", lambda: lifecycle.unshelve(OUT_OF_SERVICE, WHO, at(2))),
        ("nothing_to_undo", lambda: lifecycle.unacknowledge(UNACK, "Lê Thu Hà", at(1))),
        ("not_your_acknowledgement", lambda: lifecycle.unacknowledge(ACKED, WHO, at(1))),
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
