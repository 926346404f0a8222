"""What operators do, alone and at the same time, with names that the journal can trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from alerts import deeds, handover, playbooks
from alerts.deeds import Deed, perform
from alerts.desk import Desk
from alerts.refusals import REFUSALS, Refused
from alerts.roster import load_roster
from alerts.situations import Places, load_policy
from core.access import MAY
from core.alert import SITUATION, Alert
from core.config import load_city
from core.errors import InputError
from core.ledger import Handover, Ledger, Outcome, Situation, Switch
from core.wall import load_wall

NOW = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
RAIN, FLOOD, NOISE = ("heavy_rain", "rain_01"), ("road_flood", "flood_02"), ("noise", "noise_01")
HA, HAI = "Lê Thu Hà", "Trần Minh Hải"
BY_THE_LINE = {  # deeds that are not on the ledger: messages, trials, drills, exports, files, layers
    "resend_notice", "drop_notice", "end_drill", "try_rule", "export_cap", "read_audit", "export_audit",
    "deliver_file", "read_delivery", "import_layer", "remove_layer", "lock_pilot", "remind_unit", "plan_task",
    "change_task", "start_task", "finish_task", "reopen_task", "drop_task", "undo_task", "record_decision",
    "enter_number", "export_decisions", "make_survey_link", "revoke_survey_link", "import_ratings",
    "answer_criterion", "restore_answer",
}  # fmt: skip


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
    assert undone == [replace(alerts[RAIN], handled_at=NOW + timedelta(seconds=9))]
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
    assert bare == [replace(alerts[key], handled_at=NOW) for key in (RAIN, FLOOD)]
    assert {event.actor for event in events} == {"Trần Minh Hải"}


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_shelving_without_a_reason(alerts, reason):
    with pytest.raises(Refused, match="lý do"):
        deeds.shelve(alerts, [RAIN], "Lê Thu Hà", NOW, NOW + timedelta(hours=1), reason)


def test_a_comment_changes_nothing_but_the_journal(alerts):
    changed, events = deeds.comment(alerts, RAIN, "Lê Thu Hà", NOW, "Đã gọi tổ thoát nước.\nChờ 10 phút.")
    assert changed == [replace(alerts[RAIN], handled_at=NOW)], "but that somebody is on it"
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


@pytest.mark.parametrize(
    ("cover", "code"), [("SHLVD", "shelved"), ("DSUPR", "suppressed"), ("OOSRV", "out_of_service")]
)
def test_a_group_is_acknowledged_although_some_were_covered_meanwhile(alerts, cover, code):
    alerts |= {FLOOD: replace(alerts[FLOOD], hidden=cover)}
    changed, events = deeds.acknowledge(alerts, [RAIN, FLOOD], HA, NOW)
    assert [alert.key for alert in changed] == [RAIN]
    assert [(event.rule, event.site_id) for event in events] == [RAIN]
    with pytest.raises(Refused) as refusal:
        deeds.acknowledge(alerts, [FLOOD], HA, NOW)
    assert refusal.value.code == code


# -- a deed on the ledger ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk():
    city = load_city("demo")
    return Desk(
        rules=(),
        playbooks=(),
        roster=load_roster(city.folder / "roster.toml", city.zone),
        policy=load_policy(city.folder / "situations.toml"),
        places=Places.of(city),
        wall=load_wall(city.folder / "no_such_file.toml"),
    )


def ask(alerts, desk, action, *keys, now=NOW, who=HA, ledger=None, **more) -> Outcome:
    return perform(Deed(action=action, keys=keys, **more), ledger or Ledger(alerts), desk, actor=who, now=now)


def with_(alerts, outcome):
    return dict(alerts) | {alert.key: alert for alert in outcome.alerts}


def states(outcome) -> dict:
    return {alert.key: alert.state for alert in outcome.alerts}


def test_every_deed_that_a_role_may_do_is_done_by_the_desk_or_by_the_line():
    assert set(deeds.ACTIONS) | BY_THE_LINE == set(MAY)
    assert set(deeds.ACTIONS) & BY_THE_LINE == set()


def test_a_deed_that_is_none_is_not_done(alerts, desk):
    with pytest.raises(InputError, match="acknowlege"):
        ask(alerts, desk, "acknowlege", RAIN)


@pytest.mark.parametrize("action", sorted(deeds.ACTIONS))
def test_no_deed_without_a_name(alerts, desk, action):
    for name, code in (("", "actor_missing"), ("engine", "actor_reserved"), ("Hà\x07", "control_characters")):
        with pytest.raises(Refused) as refusal:
            ask(alerts, desk, action, RAIN, who=name, text="lý do", step=1)
        assert refusal.value.code == code


def test_a_shift_with_one_alert_from_ringing_to_normal(alerts, desk):
    """Acknowledged with a remark, undone, acknowledged again, given to a unit, noted, over."""
    journal = []
    for after_s, action, more in (
        (0, "acknowledge", {"text": "đã thấy"}),
        (5, "unacknowledge", {}),
        (60, "acknowledge", {}),
        (90, "assign", {"unit": " Đội  2 ", "text": "gần nhất"}),
        (120, "comment", {"text": "đã tới nơi"}),
    ):
        now = NOW + timedelta(seconds=after_s)
        outcome = ask(alerts, desk, action, RAIN, now=now, **more)
        assert [alert.key for alert in outcome.alerts] == [RAIN]
        assert outcome.alerts[0].handled_at == now
        alerts = with_(alerts, outcome)
        journal += [(event.deed, event.state_before, event.state_after, event.reason) for event in outcome.events]
    assert journal == [
        ("acknowledge", "UNACK", "ACKED", "đã thấy"),
        ("unacknowledge", "ACKED", "UNACK", ""),
        ("acknowledge", "UNACK", "ACKED", ""),
        ("assign", "ACKED", "ACKED", "gần nhất"),
        ("comment", "ACKED", "ACKED", "đã tới nơi"),
    ]
    assert (alerts[RAIN].unit, alerts[RAIN].due_at) == ("Đội 2", NOW + timedelta(seconds=90, minutes=30))


def test_a_latched_alert_is_reset(alerts, desk):
    latched = ringing(RAIN, active=False, latched=True, acked=True)
    outcome = ask({RAIN: latched}, desk, "reset", RAIN, text="đã kiểm tra hầm")
    assert states(outcome) == {RAIN: "NORM"}
    assert [(event.deed, event.reason) for event in outcome.events] == [("reset", "đã kiểm tra hầm")]
    with pytest.raises(Refused) as refusal:
        ask({RAIN: latched, FLOOD: ringing(FLOOD)}, desk, "reset", RAIN, FLOOD)
    assert refusal.value.code == "reset_while_active", "all or none"


def test_shelving_through_the_gate(alerts, desk):
    until = NOW + timedelta(hours=2)
    with pytest.raises(Refused) as refusal:
        ask(alerts, desk, "shelve", RAIN, text="thay cảm biến")
    assert refusal.value.code == "shelf_end_missing"
    outcome = ask(alerts, desk, "shelve", RAIN, FLOOD, text="thay cảm biến", until=until)
    assert {(alert.state, alert.hidden_until, alert.hidden_by) for alert in outcome.alerts} == {("SHLVD", until, HA)}
    back = ask(with_(alerts, outcome), desk, "unshelve", RAIN, FLOOD, who=HAI)
    assert states(back) == {RAIN: "UNACK", FLOOD: "UNACK"}
    assert [event.actor for event in back.events] == [HAI, HAI]


def test_maintenance_through_the_gate(alerts, desk):
    """Also of a normal alert: repairs are planned on calm days."""
    until = NOW + timedelta(days=3)
    with pytest.raises(Refused) as refusal:
        ask(alerts, desk, "take_out_of_service", RAIN, text="bảo trì", work_order="PCV-118")
    assert refusal.value.code == "service_end_missing"
    outcome = ask(alerts, desk, "take_out_of_service", RAIN, NOISE, text="bảo trì", work_order=" PCV-118 ", until=until)
    assert {(alert.state, alert.work_order, alert.hidden_until) for alert in outcome.alerts} == {
        ("OOSRV", "PCV-118", until)
    }
    back = ask(with_(alerts, outcome), desk, "return_to_service", RAIN, NOISE, text="đã xong")
    assert states(back) == {RAIN: "UNACK", NOISE: "NORM"}
    assert {event.reason for event in back.events} == {"đã xong"}
    with pytest.raises(Refused) as refusal:
        ask(alerts, desk, "return_to_service", RAIN)
    assert refusal.value.code == "not_out_of_service"


def test_assigned_work_names_somebody_and_is_due_by_priority(alerts, desk):
    alerts |= {FLOOD: ringing(FLOOD, priority="critical")}
    outcome = ask(alerts, desk, "assign", RAIN, FLOOD, assignee="Phạm Văn Bình")
    due = {alert.key: alert.due_at - NOW for alert in outcome.alerts}
    assert due == {RAIN: timedelta(minutes=30), FLOOD: timedelta(minutes=10)}
    at_seven = ask(alerts, desk, "assign", RAIN, assignee="Phạm Văn Bình", due_at=NOW + timedelta(hours=7))
    assert at_seven.alerts[0].due_at == NOW + timedelta(hours=7)
    for more, code in (
        ({}, "nobody_assigned"),
        ({"unit": "Đội 2", "due_at": NOW}, "due_in_the_past"),
        ({"unit": "Đội\n2"}, "control_characters"),
        ({"unit": "Đ" * 81}, "text_too_long"),
    ):
        with pytest.raises(Refused) as refusal:
            ask(alerts, desk, "assign", RAIN, **more)
        assert refusal.value.code == code


def test_a_step_is_ticked_for_one_alert(alerts, desk, monkeypatch):
    asked = []

    def tick(ledger, books, key, step, actor, now, note=""):
        asked.append((key, step, actor, now, note))
        return Outcome()

    for action in ("tick", "untick"):
        monkeypatch.setattr(playbooks, action, tick)
        ask(alerts, desk, f"{action}_step", RAIN, step=2, text=" ảnh 14 ")
        for keys, step in (((RAIN,), None), ((RAIN, FLOOD), 2)):
            with pytest.raises(Refused) as refusal:
                ask(alerts, desk, f"{action}_step", *keys, step=step)
            assert refusal.value.code == "step_missing"
    assert asked == [(RAIN, 2, HA, NOW, "ảnh 14")] * 2


def test_a_situation_from_joining_to_closing(alerts, desk):
    """Every deed on a member has a line of that member, and shows that somebody is on it."""
    outcome = ask(alerts, desk, "join", RAIN, FLOOD)
    (situation,) = outcome.situations
    assert sorted((event.rule, event.deed) for event in outcome.events) == [
        (RAIN[0], "join"),
        (FLOOD[0], "join"),
        (SITUATION, "open_situation"),
    ]
    alerts = with_(alerts, outcome)
    later = NOW + timedelta(minutes=5)
    ledger = Ledger(alerts, situations={situation.id: situation}, next_situation=2)
    led = ask(alerts, desk, "lead", ledger=ledger, situation=situation.id, assignee=f" {HAI} ", unit="Ca 2", now=later)
    assert (led.situations[0].lead, led.situations[0].unit) == (HAI, "Ca 2")
    assert {alert.key: alert.handled_at for alert in led.alerts} == {RAIN: later, FLOOD: later}
    moved = ask(alerts, desk, "status", ledger=ledger, situation=situation.id, status="handling", text="bơm", now=later)
    assert (moved.situations[0].status, moved.events[0].reason) == ("handling", "bơm")
    assert {alert.key: alert.handled_at for alert in moved.alerts} == {RAIN: later, FLOOD: later}
    acked = ask(alerts, desk, "acknowledge", RAIN, ledger=ledger, now=later)
    assert states(acked) == {RAIN: "ACKED"}, "the listed ones only, not the situation"
    apart = ask(alerts, desk, "split", FLOOD, ledger=ledger, now=later)
    assert [(event.rule, event.deed) for event in apart.events] == [(FLOOD[0], "split")]
    assert apart.alerts[0].situation == ""


def test_what_is_done_to_one_member_says_nothing_of_the_others(alerts, desk):
    """An acknowledgement of another member must still come back when nobody follows it up."""
    alerts |= {FLOOD: replace(alerts[FLOOD], situation="VV-0001", acked=True, acked_at=NOW, acked_by=HAI)}
    situation = Situation(id="VV-0001", opened_at=NOW, first_out=FLOOD)
    ledger = Ledger(alerts, situations={"VV-0001": situation}, next_situation=2)
    later = NOW + timedelta(minutes=5)
    for action in ("join", "acknowledge", "comment"):
        outcome = ask(alerts, desk, action, RAIN, ledger=ledger, situation="VV-0001", text="đang tới", now=later)
        assert {alert.key: alert.handled_at for alert in outcome.alerts} == {RAIN: later}


def test_the_wall_is_muted_for_ten_minutes_by_name(alerts, desk):
    outcome = ask(alerts, desk, "mute_wall")
    assert outcome == Outcome(
        alerts=[], switches=[Switch(name="mute_wall", until=NOW + timedelta(minutes=10), by=HA, at=NOW)]
    )
    ledger = Ledger(alerts, switches={"mute_wall": outcome.switches[0]})
    soon = NOW + timedelta(minutes=2)
    loud = ask(alerts, desk, "unmute_wall", ledger=ledger, who=HAI, now=soon)
    assert loud.switches == [Switch(name="mute_wall", until=soon, by=HAI, at=soon)]
    for known, now in ((Ledger(alerts), NOW), (ledger, NOW + timedelta(minutes=10))):
        with pytest.raises(Refused) as refusal:
            ask(alerts, desk, "unmute_wall", ledger=known, now=now)
        assert refusal.value.code == "wall_not_muted"


def test_a_shift_hands_over_through_the_gate(alerts, desk, monkeypatch):
    note = Handover(id="BG-1", shift="morning", made_at=NOW, made_by=HA, content="{}")
    asked = []
    monkeypatch.setattr(handover, "draft", lambda *given, note: asked.append(("draft", given[2], note)) or Outcome())
    monkeypatch.setattr(
        handover, "sign_out", lambda ledger, name, who, now, desk: asked.append((name, who)) or Outcome()
    )
    monkeypatch.setattr(handover, "sign_in", lambda ledger, name, who, now: asked.append((name, who)) or Outcome())
    ledger = Ledger(alerts, handovers=(note,))
    ask(alerts, desk, "draft_handover", ledger=ledger, text=" đêm yên ")
    ask(alerts, desk, "sign_out", ledger=ledger, handover="BG-1")
    ask(alerts, desk, "sign_in", ledger=ledger, handover="BG-1", who=HAI)
    assert asked == [("draft", HA, "đêm yên"), ("BG-1", HA), ("BG-1", HAI)]


@pytest.mark.parametrize(
    "action",
    sorted(
        set(deeds.ACTIONS)
        - {"lead", "status", "mute_wall", "unmute_wall", "draft_handover", "sign_out", "sign_in"}
        - {"show_on_wall", "release_wall"}
    ),
)
def test_a_deed_on_alerts_names_alerts_that_there_are(alerts, desk, action):
    more = {"text": "lý do", "until": NOW + timedelta(hours=1), "work_order": "P", "unit": "Đội 2", "step": 1}
    for keys, code in (((), "no_alert_chosen"), ((RAIN, ("x", "y")), "unknown_alert")):
        with pytest.raises(Refused) as refusal:
            ask(alerts, desk, action, *keys, **more)
        assert refusal.value.code == code


def test_every_refusal_speaks_both_languages():
    for vietnamese, english in REFUSALS.values():
        assert vietnamese.endswith(".")
        assert english.endswith(".")
        assert vietnamese != english


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


# -- the wall ---------------------------------------------------------------------------------------------------------

SOON = NOW + timedelta(minutes=15)


@pytest.mark.parametrize("scene", ["environment", "incident:road_flood:flood_02"])
@pytest.mark.parametrize("screen", ["wall", "*"])
def test_a_scene_or_an_alert_is_put_on_the_wall_by_name_until_a_time(alerts, desk, scene, screen):
    outcome = ask(alerts, desk, "show_on_wall", screen=screen, scene=scene, until=SOON)
    assert outcome.switches == [Switch(name=f"show:{screen}:{scene}", until=SOON, by=HA, at=NOW)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"screen": "lobby"}, "unknown_screen"),
        ({"screen": ""}, "unknown_screen"),
        ({"scene": "football"}, "unknown_scene"),
        ({"scene": "incident:road_flood:flood_99"}, "not_open"),
        ({"until": None}, "wall_span"),
        ({"until": NOW + timedelta(hours=9)}, "wall_span"),
    ],
)
def test_what_the_wall_cannot_show_is_refused_in_words(alerts, desk, wrong, code):
    with pytest.raises(Refused) as refusal:
        ask(alerts, desk, "show_on_wall", **{"screen": "*", "scene": "map", "until": SOON} | wrong)
    assert refusal.value.code == code


def test_a_released_screen_turns_again_and_the_other_keeps_its_scene(alerts, desk):
    held = {
        name: Switch(name=name, until=SOON, by=HAI, at=NOW)
        for name in ("show:wall:map", "show:wall:brief", "show:other:map", "mute_wall")
    }
    outcome = ask(alerts, desk, "release_wall", ledger=Ledger(alerts, switches=held), screen="wall")
    assert {(one.name, one.until, one.by) for one in outcome.switches} == {
        ("show:wall:map", NOW, HA),
        ("show:wall:brief", NOW, HA),
    }
    with pytest.raises(Refused) as refusal:
        ask(alerts, desk, "release_wall", screen="wall")
    assert refusal.value.code == "nothing_on_wall"
