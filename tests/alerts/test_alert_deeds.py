"""What operators do, alone and at the same time, with names that the journal can trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from alerts import deeds
from alerts.refusals import Refused
from core.alert import Alert

NOW = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
RAIN, FLOOD, NOISE = ("heavy_rain", "rain_01"), ("road_flood", "flood_02"), ("noise", "noise_01")


def ringing(key, **facts) -> Alert:
    return Alert(**({"rule": key[0], "site_id": key[1], "active": True, "acked": False, "priority": "high"} | facts))


@pytest.fixture
def alerts():
    return {key: ringing(key) for key in (RAIN, FLOOD)} | {NOISE: Alert(rule="noise", site_id="noise_01")}


def test_acknowledge_the_listed_alerts_and_no_other(alerts):
    changed, events = deeds.acknowledge(alerts, [RAIN], "  Lê  Thu Hà ", NOW)
    assert [(alert.key, alert.state, alert.acked_by, alert.acked_at) for alert in changed] == [
        (RAIN, "ACKED", "Lê Thu Hà", NOW)
    ]
    assert [(event.deed, event.actor, event.happened_at) for event in events] == [("acknowledge", "Lê Thu Hà", NOW)]


def test_a_deed_fits_the_store(alerts):
    change = partial(deeds.acknowledge, keys=[RAIN, FLOOD, RAIN], actor="Lê Thu Hà", now=NOW)
    changed, events = change(alerts)
    assert [alert.key for alert in changed] == [RAIN, FLOOD]
    assert len(events) == 2


def test_two_people_at_once(alerts):
    first, _ = deeds.acknowledge(alerts, [RAIN], "Lê Thu Hà", NOW)
    after = alerts | {alert.key: alert for alert in first}
    with pytest.raises(Refused, match="đã được Lê Thu Hà xác nhận cách đây dưới 1 phút"):
        deeds.acknowledge(after, [RAIN], "Trần Minh Hải", NOW + timedelta(seconds=2))
    changed, _ = deeds.acknowledge(after, [RAIN, FLOOD], "Trần Minh Hải", NOW + timedelta(seconds=2))
    assert [(alert.key, alert.acked_by) for alert in changed] == [(FLOOD, "Trần Minh Hải")]


def test_undo_keeps_both_lines(alerts):
    acked, events = deeds.acknowledge(alerts, [RAIN], "Lê Thu Hà", NOW)
    undone, more = deeds.unacknowledge({RAIN: acked[0]}, RAIN, "Lê Thu Hà", NOW + timedelta(seconds=9))
    assert undone == [alerts[RAIN]]
    assert [event.deed for event in events + more] == ["acknowledge", "unacknowledge"]


def test_shelve_all_or_none_and_lift(alerts):
    until = NOW + timedelta(hours=2)
    with pytest.raises(Refused) as refusal:
        deeds.shelve(alerts, [RAIN, NOISE], "Lê Thu Hà", NOW, until, "thay cảm biến")
    assert refusal.value.code == "nothing_to_shelve"
    changed, events = deeds.shelve(alerts, [RAIN, FLOOD], "Lê Thu Hà", NOW, until, " thay cảm biến ")
    assert {(alert.state, alert.hidden_until, alert.hidden_reason) for alert in changed} == {
        ("SHLVD", until, "thay cảm biến")
    }
    assert {event.reason for event in events} == {"thay cảm biến"}
    bare, events = deeds.unshelve({alert.key: alert for alert in changed}, [RAIN, FLOOD], "Trần Minh Hải", NOW)
    assert bare == [alerts[RAIN], alerts[FLOOD]]
    assert {event.actor for event in events} == {"Trần Minh Hải"}


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_shelving_without_a_reason(alerts, reason):
    with pytest.raises(Refused, match="lý do"):
        deeds.shelve(alerts, [RAIN], "Lê Thu Hà", NOW, NOW + timedelta(hours=1), reason)


def test_a_comment_changes_nothing_but_the_journal(alerts):
    changed, events = deeds.comment(alerts, RAIN, "Lê Thu Hà", NOW, "Đã gọi tổ thoát nước.\nChờ 10 phút.")
    assert changed == []
    (event,) = events
    assert (event.deed, event.state_before, event.state_after) == ("comment", "UNACK", "UNACK")
    assert event.reason == "Đã gọi tổ thoát nước.\nChờ 10 phút."
    with pytest.raises(Refused):
        deeds.comment(alerts, RAIN, "Lê Thu Hà", NOW, " ")
    with pytest.raises(Refused, match="1000"):
        deeds.comment(alerts, RAIN, "Lê Thu Hà", NOW, "a" * 1001)
    assert deeds.comment(alerts, RAIN, "Lê Thu Hà", NOW, "a" * 1000)[1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "actor_missing"),
        (" \t ", "actor_missing"),
        ("a" * 81, "text_too_long"),
        ("Lê\nThu Hà", "control_characters"),
        ("Lê\x00Hà", "control_characters"),
        ("Hà\u202eêL", "control_characters"),
        ("Engine", "actor_reserved"),
    ],
)
def test_names_that_are_refused(alerts, name, code):
    for deed in (
        partial(deeds.acknowledge, alerts, [RAIN], name, NOW),
        partial(deeds.unacknowledge, alerts, RAIN, name, NOW),
        partial(deeds.shelve, alerts, [RAIN], name, NOW, NOW + timedelta(hours=1), "lý do"),
        partial(deeds.unshelve, alerts, [RAIN], name, NOW),
        partial(deeds.comment, alerts, RAIN, name, NOW, "ghi chú"),
    ):
        with pytest.raises(Refused) as refusal:
            deed()
        assert refusal.value.code == code


def test_names_are_compared_in_one_spelling():
    assert deeds.actor_name("Le\u0302 Thu Ha\u0300") == "Lê Thu Hà"
    assert len(deeds.actor_name("a" * 80)) == 80


def test_unknown_alert_and_no_alert(alerts):
    with pytest.raises(Refused, match="Không có cảnh báo x tại y"):
        deeds.acknowledge(alerts, [("x", "y")], "Lê Thu Hà", NOW)
    with pytest.raises(Refused, match="Chưa chọn"):
        deeds.acknowledge(alerts, [], "Lê Thu Hà", NOW)


def test_nothing_to_acknowledge_stops_the_whole_deed(alerts):
    with pytest.raises(Refused) as refusal:
        deeds.acknowledge(alerts, [RAIN, NOISE], "Lê Thu Hà", NOW)
    assert refusal.value.code == "nothing_to_acknowledge"
    assert refusal.value.words("en") == "The alert is normal: there is nothing to acknowledge."
