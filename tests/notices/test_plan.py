"""Who is told of what: one notice per transition and reader, nothing that is covered, and no 500 mails in a storm."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import indicators
from core.alert import COVERS, DEEDS, Alert
from core.config import City, load_city
from core.ledger import Ledger, Notice, Outcome, Situation
from notices import plan
from notices._words import DEEDS as TOLD_DEEDS
from notices.routes import DEFAULT_DEEDS, Route, Routes
from tests.conftest import EVENING
from tests.notices.outbox import (
    ALL,
    CONTACTS,
    DIRECTOR,
    FLOOD,
    HA,
    JAM,
    RAIN,
    alert,
    am_channel,
    event,
    hook_channel,
    ledger,
    mail_channel,
    rang,
    routes,
    rule_words,
    sms_channel,
)

WORDS = {
    FLOOD[0]: rule_words(FLOOD[0]),
    RAIN[0]: rule_words(RAIN[0], "Mưa lớn"),
    JAM[0]: rule_words(JAM[0], "Ùn tắc"),
}


@pytest.fixture(scope="module")
def city() -> City:
    return load_city("demo")


def planned(city: City, outcome: Outcome, before: Ledger, way: Routes, **changed: Any) -> list[Notice]:
    given: dict[str, Any] = {
        "words": WORDS, "city": city, "duty": (HA,), "contacts": CONTACTS, "drill": False, "now": EVENING,
        "catalogue": indicators.catalogue(),
    }  # fmt: skip
    return plan(outcome, before, way, **{**given, **changed})


def test_a_critical_alert_is_told_to_the_shift_by_mail_and_phone(city: City) -> None:
    flood = alert(FLOOD, "critical")
    mail, sms = planned(city, rang(flood), ledger(), routes(mail_channel(), sms_channel()))
    assert (mail.channel, mail.recipient, mail.state) == ("mail", "ha@thanhlam.example", "queued")
    assert (sms.channel, sms.recipient, sms.state) == ("sms", "+84912345678", "queued")
    assert mail.happened_at == mail.made_at == EVENING
    assert (mail.rule, mail.site_id, mail.deed, mail.priority) == (*FLOOD, "raise", "critical")


def test_planning_twice_is_the_same_notice_and_another_moment_is_another(city: City) -> None:
    way = routes(mail_channel())
    (first,) = planned(city, rang(alert(FLOOD)), ledger(), way)
    (again,) = planned(city, rang(alert(FLOOD)), ledger(), way, now=EVENING + timedelta(hours=1))
    assert first.id == again.id
    later = EVENING + timedelta(seconds=1)
    (other,) = planned(city, Outcome([alert(FLOOD)], [event(FLOOD, happened_at=later)]), ledger(), way)
    assert other.id != first.id
    (to_other,) = planned(city, rang(alert(FLOOD)), ledger(), routes(mail_channel(), to=("director",)))
    assert to_other.id != first.id


def test_two_routes_to_the_same_reader_are_one_notice(city: City) -> None:
    way = routes(mail_channel(), to=("duty", "ha", "ha@thanhlam.example"))
    doubled = replace(way, routes=(*way.routes, *way.routes))
    assert len(planned(city, rang(alert(FLOOD)), ledger(), doubled)) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, 1),
        ({"priorities": frozenset({"critical"})}, 0),
        ({"rules": frozenset({"heavy_rain"})}, 0),
        ({"rules": frozenset({"underpass_flood"})}, 1),
        ({"deeds": frozenset({"clear"})}, 0),
        ({"channels": ("switched_off",)}, 0),
    ],
)
def test_a_route_tells_only_its_priorities_rules_and_deeds(city: City, given: dict[str, Any], told: int) -> None:
    assert len(planned(city, rang(alert(FLOOD)), ledger(), routes(mail_channel(), **given))) == told


# -- covers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("channel", [mail_channel(), hook_channel()])
def test_what_a_cover_hides_is_told_to_nobody(city: City, cover: str, channel: Any) -> None:
    hidden = alert(FLOOD, "critical", hidden=cover)
    under = event(FLOOD, "raise", "critical", state_before=cover, state_after=cover)
    way = routes(channel, deeds=frozenset(TOLD_DEEDS))
    assert planned(city, Outcome([hidden], [under]), ledger(), way) == []


def test_the_daily_reminder_of_what_is_out_of_service_comes_if_routed(city: City) -> None:
    away = alert(FLOOD, hidden="OOSRV")
    outcome = Outcome([away], [event(FLOOD, "service_reminder", state_before="OOSRV", state_after="OOSRV")])
    assert planned(city, outcome, ledger(away), routes(mail_channel())) == []
    (told,) = planned(city, outcome, ledger(away), routes(mail_channel(), deeds=frozenset({"service_reminder"})))
    assert "Vẫn đang ngừng theo dõi" in told.subject


def test_machines_hear_that_a_cover_begins_and_people_do_not(city: City) -> None:
    before = alert(FLOOD)
    outcome = Outcome(
        [replace(before, hidden="SHLVD")], [event(FLOOD, "shelve", state_before="UNACK", state_after="SHLVD")]
    )
    way = routes(mail_channel(), hook_channel(), deeds=frozenset({"shelve"}))
    (told,) = planned(city, outcome, ledger(before), way)
    assert told.channel == "hook"
    assert json.loads(told.payload)["state"] == "SHLVD"


@pytest.mark.parametrize(("under", "told"), [("UNACK", ["mail", "hook"]), ("ACKED", ["hook"]), ("NORM", ["hook"])])
def test_a_lifted_shelf_is_news_for_people_where_the_alert_rings_underneath(
    city: City, under: str, told: list[str]
) -> None:
    outcome = Outcome([alert(FLOOD)], [event(FLOOD, "shelf_expired", state_before="SHLVD", state_after=under)])
    found = planned(city, outcome, ledger(alert(FLOOD, hidden="SHLVD")), routes(mail_channel(), hook_channel()))
    assert [one.channel for one in found] == told


# -- who -------------------------------------------------------------------------------------------------------------


def test_an_escalation_goes_to_whom_the_ladder_names_and_not_to_the_route(city: City) -> None:
    outcome = Outcome([], [event(FLOOD, "escalate", detail=json.dumps({"step": 2, "to": ["director"]}))])
    (told,) = planned(city, outcome, ledger(alert(FLOOD)), routes(mail_channel()))
    assert told.recipient == DIRECTOR.email
    assert "Chuyển cấp" in told.subject


def test_who_cannot_be_reached_is_shown_as_not_told(city: City) -> None:
    way = routes(mail_channel(), sms_channel(), to=("director", "gone"))
    mail, mail_gone, sms, sms_gone = planned(city, rang(alert(FLOOD)), ledger(), way)
    assert mail.state == "queued"
    assert [one.state for one in (mail_gone, sms, sms_gone)] == ["failed"] * 3
    assert sms.error == "no_address: Đỗ Hoàng Nam"  # «máy lẻ 100» is no number that a gateway can dial
    assert sms.recipient == "director"
    assert sms_gone.error == "no_address: gone"
    assert sms.settled_at == EVENING


def test_a_shift_without_anybody_is_shown_too(city: City) -> None:
    (told,) = planned(city, rang(alert(FLOOD)), ledger(), routes(mail_channel()), duty=())
    assert (told.state, told.error) == ("failed", "no_duty: ")


def test_an_address_goes_only_where_it_is_one(city: City) -> None:
    way = routes(mail_channel(), sms_channel(), to=("+84901234567", "room@thanhlam.example"))
    found = planned(city, rang(alert(FLOOD)), ledger(), way)
    assert [(one.channel, one.recipient) for one in found] == [
        ("mail", "room@thanhlam.example"),
        ("sms", "+84901234567"),
    ]


def test_a_machine_has_one_receiver(city: City) -> None:
    (told,) = planned(city, rang(alert(FLOOD)), ledger(), routes(hook_channel(), to=("duty", "director")))
    assert told.recipient == ""


# -- storms ----------------------------------------------------------------------------------------------------------


def in_situation(*alerts: Alert) -> Ledger:
    opened = Situation(id="VV-0042", opened_at=EVENING)
    return Ledger({one.key: replace(one, situation="VV-0042") for one in alerts}, {"VV-0042": opened})


def test_in_a_situation_the_first_speaks_for_the_others_unless_they_are_worse(city: City) -> None:
    first = alert(RAIN, "high", began_at=EVENING - timedelta(minutes=9))
    before = in_situation(first)
    way = routes(mail_channel(), hook_channel())

    def people(member: Alert) -> int:
        found = planned(city, rang(replace(member, situation="VV-0042")), before, way)
        assert [one.channel for one in found].count("hook") == 1, "a machine hears of every one"
        return [one.channel for one in found].count("mail")

    assert people(alert(JAM, "high")) == 0
    assert people(alert(JAM, "medium")) == 0
    assert people(alert(JAM, "critical")) == 1, "a critical one is never held back"
    before = in_situation(replace(first, priority="medium"))
    assert people(alert(JAM, "high")) == 1, "worse than what was told"
    before = in_situation(replace(first, active=False))
    assert people(alert(JAM, "high")) == 1, "the first is over"
    before = in_situation(replace(first, hidden="SHLVD"))
    assert people(alert(JAM, "high")) == 1, "nobody was told of a shelved one"
    before = in_situation(replace(first, began_at=EVENING + timedelta(minutes=1)))
    assert people(alert(JAM, "high")) == 1, "it came first itself"


def test_the_first_speaks_only_where_it_was_told_itself(city: City) -> None:
    first = alert(RAIN, "high", began_at=EVENING - timedelta(minutes=9))
    way = routes(mail_channel(), rules=frozenset({JAM[0]}))
    (told,) = planned(city, rang(alert(JAM, "high", situation="VV-0042")), in_situation(first), way)
    assert told.rule == JAM[0]


def test_what_its_cause_hides_is_not_told_to_people(city: City) -> None:
    way = routes(mail_channel(), hook_channel())
    found = planned(city, rang(alert(JAM, "high"), alert(FLOOD, "critical")), ledger(), way, quiet={JAM, FLOOD})
    assert [(one.channel, one.rule) for one in found] == [("hook", JAM[0]), ("mail", FLOOD[0]), ("hook", FLOOD[0])]


def storm(count: int, priority: str = "high") -> list[Alert]:
    return [alert(("heavy_rain", f"rain_{number:03}"), priority) for number in range(count)]


def test_ten_alerts_in_ten_minutes_come_one_by_one_and_eleven_come_together(city: City) -> None:
    way = routes(mail_channel())
    assert len(planned(city, rang(*storm(10)), ledger(), way)) == 10
    (told,) = planned(city, rang(*storm(11)), ledger(), way)
    assert told.subject == "[MÔ PHỎNG] Dồn dập: 11 cảnh báo (11 CAO)"
    assert told.text.count("CAO: Mưa lớn, rain_") == 11
    (again,) = planned(city, rang(*storm(11)), ledger(), way)
    assert again.id == told.id
    assert json.loads(told.payload)["collected"] == 11


def test_alerts_of_eleven_minutes_ago_are_no_flood_any_more(city: City) -> None:
    old = [replace(one, raised_at=EVENING - timedelta(minutes=10)) for one in storm(30)]
    assert len(planned(city, rang(alert(FLOOD), alert(JAM)), ledger(*old), routes(mail_channel()))) == 2
    fresh = [replace(one, raised_at=EVENING - timedelta(minutes=9, seconds=59)) for one in storm(30)]
    assert len(planned(city, rang(alert(FLOOD), alert(JAM)), ledger(*fresh), routes(mail_channel()))) == 1


def test_five_hundred_events_in_ten_minutes_are_few_mails_and_no_critical_one_is_lost(city: City) -> None:
    """Scenario 1: one cycle a minute, 50 alerts each, every 25th of them critical."""
    chance = random.Random(1)
    way = routes(mail_channel(), hook_channel())
    known: dict[tuple[str, str], Alert] = {}
    mails: list[Notice] = []
    hooks = 0
    for minute in range(10):
        now = EVENING + timedelta(minutes=minute)
        fresh = [
            alert(
                ("heavy_rain", f"rain_{minute:02}_{number:02}"),
                "critical" if number % 25 == 0 else chance.choice(["medium", "high"]),
                raised_at=now,
                began_at=now,
            )
            for number in range(50)
        ]
        found = planned(city, rang(*fresh), Ledger(dict(known)), way, now=now)
        known |= {one.key: one for one in fresh}
        mails += [one for one in found if one.channel == "mail"]
        hooks += sum(one.channel == "hook" for one in found)
    assert hooks == 500
    assert sum(one.priority == "critical" for one in mails) == 20
    assert len(mails) == 30, "twenty critical ones alone, and one collected message per minute"
    assert len({one.id for one in mails}) == 30


def test_a_collected_message_ends_somewhere(city: City) -> None:
    (told,) = planned(city, rang(*storm(400)), ledger(), routes(mail_channel()))
    assert "và 350 cảnh báo khác" in told.text
    assert len(told.text) < 20_000


# -- priorities and situations ---------------------------------------------------------------------------------------


def facts(notice: Notice) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(notice.payload)
    return found


def test_a_machine_learns_the_priority_before_also_within_one_outcome(city: City) -> None:
    outcome = Outcome(
        [alert(FLOOD, "critical")],
        [
            event(FLOOD, "raise", "medium"),
            event(
                FLOOD, "raise_priority", "critical", state_before="UNACK", happened_at=EVENING + timedelta(minutes=1)
            ),
        ],
    )
    first, second = planned(city, outcome, ledger(), routes(am_channel()))
    assert (facts(first)["priority_before"], facts(first)["priority"]) == ("", "medium")
    assert (facts(second)["priority_before"], facts(second)["priority"]) == ("medium", "critical")
    standing = ledger(alert(FLOOD, "high"))
    (again,) = planned(city, rang(alert(FLOOD, "critical"), deed="raise_priority"), standing, routes(am_channel()))
    assert facts(again)["priority_before"] == "high"
    normal = ledger(alert(FLOOD, "high", active=False, acked=True))
    (new,) = planned(city, rang(alert(FLOOD, "critical")), normal, routes(am_channel()))
    assert facts(new)["priority_before"] == ""


def test_a_situation_can_be_told_as_one_thing(city: City) -> None:
    opened = Situation(id="VV-0042", opened_at=EVENING)
    members = [alert(RAIN, situation="VV-0042"), alert(FLOOD, situation="VV-0042")]
    outcome = Outcome(
        members,
        [event(("situation", "VV-0042"), "open_situation", state_before="", state_after="new", value=None)],
        [opened],
    )
    (told,) = planned(city, outcome, ledger(), routes(mail_channel(), deeds=frozenset({"open_situation"})))
    assert told.subject == "[MÔ PHỎNG] CAO: Vụ việc mới: Vụ việc VV-0042, 2 cảnh báo"


def test_nothing_is_planned_without_a_channel_or_an_event(city: City) -> None:
    assert planned(city, rang(alert(FLOOD)), ledger(), Routes()) == []
    assert planned(city, Outcome([alert(FLOOD)], []), ledger(), routes(mail_channel())) == []


def test_every_deed_that_a_route_may_name_exists() -> None:
    assert set(TOLD_DEEDS) <= set(DEEDS)
    assert set(DEFAULT_DEEDS) <= set(TOLD_DEEDS)
    assert Route(priorities=ALL, rules=None, deeds=frozenset(), channels=(), to=()).fits("any", "low")
