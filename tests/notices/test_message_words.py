"""What a message says: Vietnamese first, marks of drill and simulation, and no text from outside that can harm."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import indicators
from core.alert import MEASURED_AT, AlertEvent
from core.config import City, load_city
from core.ledger import Notice, Outcome
from core.snapshot import RuleWords
from notices import plan
from notices.compose import cut, line_of
from notices.gateway import without_marks
from tests.conftest import EVENING
from tests.notices.outbox import (
    CONTACTS,
    FLOOD,
    HA,
    alert,
    event,
    ledger,
    mail_channel,
    rang,
    routes,
    rule_words,
    sms_channel,
)

HOSTILE = "Hầm <script>alert(1)</script>\r\nBcc: all@thanhlam.example\u202e\x1b[31m \u2028{{ 7*7 }}"
LONG = "Ờ" * 100_000


@pytest.fixture(scope="module")
def city() -> City:
    return load_city("demo")


def told(city: City, words: RuleWords | None = None, **changed: Any) -> dict[str, Notice]:
    """The mail and the short message about a critical flood, by channel."""
    given: dict[str, Any] = {
        "outcome": rang(alert(FLOOD, "critical")), "way": routes(mail_channel(), sms_channel()), "drill": False,
        "catalogue": indicators.catalogue(),
    }  # fmt: skip
    given |= changed
    found = plan(
        given["outcome"], ledger(), given["way"], words={} if words is None else {FLOOD[0]: words}, city=city,
        duty=(HA,), contacts=CONTACTS, drill=given["drill"], now=EVENING, catalogue=given["catalogue"],
    )  # fmt: skip
    return {one.channel: one for one in found}


def test_a_value_is_written_as_its_rule_says_and_a_condition_has_none(city: City) -> None:
    """A rise of 0.4 m/h is no level of 0.4 cm; what only holds or does not has no figure; a range has two ends."""

    def rise(value: float | None, language: str, site_id: str) -> str:
        return f"+{value:g} m/{'h' if language == 'en' else 'giờ'}"

    derived = rule_words(FLOOD[0], in_unit_of_property=False, value_text=rise)
    text = told(city, derived)["mail"].text
    assert "Giá trị: +38 m/giờ (ngưỡng +30 m/giờ)" in text
    assert "+38 m/h" in text
    plain = rule_words(FLOOD[0], in_unit_of_property=False, condition=True)
    assert "Giá trị" not in told(city, plain)["mail"].text
    between = rule_words(FLOOD[0], lows={"critical": 6.5}, decimals=1)
    text = told(city, between)["mail"].text
    assert "Giá trị: 38 cm (ngưỡng ngoài 6,5–30 cm)" in text
    assert "outside 6.5–30 cm" in text


def test_a_mail_says_what_where_how_much_when_and_what_to_do(city: City) -> None:
    way = replace(routes(mail_channel()), base_url="https://ioc.thanhlam.example")
    mail = told(city, rule_words(FLOOD[0]), way=way)["mail"]
    name = city.site_name(FLOOD[1], "vi")
    assert mail.subject == f"[MÔ PHỎNG] KHẨN CẤP: Ngập hầm chui, {name}, 38 cm"
    vietnamese, english = mail.text.split("\n\n")[1:]
    assert vietnamese.splitlines() == [
        "KHẨN CẤP · Cảnh báo mới",
        "Ngập hầm chui",
        f"Nơi: {name}, {city.area_name(FLOOD[1], 'vi')}",
        "Giá trị: 38 cm (ngưỡng 30 cm)",
        "Lúc: 18:00 19/11/2026",
        "Việc phải làm: Chặn hai đầu hầm, gọi đội bơm.",
        "Thời gian để xử lý: 10 phút",
        "Phụ trách: Công ty Thoát nước",
        "Hậu quả nếu bỏ qua: Xe chết máy, người mắc kẹt.",
        "Xem: https://ioc.thanhlam.example/alert_desk?alert=underpass_flood:flood_01",
    ]
    assert "CRITICAL · New alert" in english
    assert "At: 18:00 19 Nov 2026" in english
    assert "Time to act: 10 min" in english


def test_a_short_message_fits_a_phone_and_keeps_what_matters(city: City) -> None:
    sms = told(city, rule_words(FLOOD[0], action={"vi": "Chặn hai đầu hầm. " * 20, "en": ""}))["sms"]
    assert len(sms.text) == 160
    assert sms.text.startswith("[MÔ PHỎNG] KHẨN CẤP: Ngập hầm chui, ")
    assert "18:00 19/11. Chặn hai đầu hầm." in sms.text
    assert sms.text.endswith("…")
    long_title = told(city, rule_words(FLOOD[0], "Ngập " * 100))["sms"]
    assert len(long_title.text) <= 160
    assert "18:00 19/11" in long_title.text, "the time is never cut off"


def test_a_drill_says_so_first(city: City) -> None:
    found = told(city, rule_words(FLOOD[0]), drill=True)
    assert found["mail"].subject.startswith("[DIỄN TẬP] [MÔ PHỎNG] KHẨN CẤP")
    assert found["sms"].text.startswith("[DIỄN TẬP] [MÔ PHỎNG] KHẨN CẤP")
    assert "DIỄN TẬP" in found["mail"].text.splitlines()[0]
    real = told(replace(city, simulated=False), rule_words(FLOOD[0]))["mail"]
    assert real.subject.startswith("KHẨN CẤP")
    assert "DIỄN TẬP" not in real.text + real.subject
    assert "MÔ PHỎNG" not in real.text + real.subject


def test_silence_is_told_without_a_number(city: City) -> None:
    words = rule_words(FLOOD[0], "Trạm mất số liệu", missing=True, setpoints={"critical": 120.0})
    mail = told(city, words)["mail"]
    assert "Giá trị: không có dữ liệu mới" in mail.text
    assert "38" not in mail.text


def test_a_limit_of_the_site_itself_is_told_as_a_number(city: City) -> None:
    place = str(city.sites.index[city.sites["kind"] == "river_station"][0])
    words = rule_words("river_alarm", observed_property="river_level", setpoints={"high": "site:alarm_2_m"})
    key = ("river_alarm", place)
    outcome = Outcome([alert(key, value=5.31)], [event(key, value=5.31)])
    (mail,) = plan(
        outcome, ledger(), routes(mail_channel()), words={key[0]: words}, city=city, duty=(HA,), contacts={},
        drill=False, now=EVENING, catalogue=indicators.catalogue(),
    )  # fmt: skip
    limit = city.attribute(place, "alarm_2_m")
    assert limit is not None
    assert f"5,31 m (ngưỡng {limit:.2f}".replace(".", ",") in mail.text


def test_an_alert_that_was_over_when_it_was_written_says_so(city: City) -> None:
    outcome = Outcome([alert(FLOOD, "critical", active=False)], [event(FLOOD, "raise", "critical")])
    assert "Khi soạn tin này, cảnh báo đã hết." in told(city, rule_words(FLOOD[0]), outcome=outcome)["mail"].text
    assert "đã hết." not in told(city, rule_words(FLOOD[0]))["mail"].text


def test_who_did_it_and_why_is_told_to_people_but_not_to_machines(city: City) -> None:
    acted = event(FLOOD, "return_to_service", actor="Trần Quốc Bảo", reason="Đã thay cảm biến")
    mail = told(city, rule_words(FLOOD[0]), outcome=Outcome([alert(FLOOD)], [acted]))["mail"]
    assert "Người thao tác: Trần Quốc Bảo" in mail.text
    assert "Lý do: Đã thay cảm biến" in mail.text
    assert "Bảo" not in mail.payload
    assert "cảm biến" not in mail.payload


def test_a_rule_that_is_gone_is_told_by_its_key(city: City) -> None:
    assert "underpass_flood" in told(city)["mail"].subject


def test_names_from_outside_cannot_forge_lines_or_megabytes(city: City) -> None:
    def both(words: str) -> dict[str, str]:
        return {"vi": words, "en": words}

    for bad in (HOSTILE, LONG, HOSTILE + LONG):
        words = rule_words(FLOOD[0], bad, action=both(bad), owner=both(bad), consequence=both(bad))
        sites = city.sites.copy()
        sites.loc[FLOOD[1], ["name_vi", "name_en"]] = bad
        outcome = Outcome([alert(FLOOD)], [event(FLOOD, "return_to_service", actor=bad, reason=bad)])
        found = told(replace(city, sites=sites), words, outcome=outcome)
        mail, sms = found["mail"], found["sms"]
        assert len(mail.subject) <= 200
        assert len(mail.text) < 8_000
        assert len(mail.payload) < 20_000
        assert len(sms.text) <= 160
        for text in (mail.subject, sms.text):
            assert text.isprintable()
        assert all(line.isprintable() for line in mail.text.splitlines())
        assert not any(line.startswith("Bcc:") for line in mail.text.splitlines()), "one line stays one line"
        assert json.loads(mail.payload)["title"]["vi"] == cut(line_of(bad), 120)


def test_text_is_composed_and_freed_of_control_and_direction_marks() -> None:
    assert line_of("Ngâ\u0323p\tha\u0300ng\u00a0loạt \u202e\u200b\ud83d") == "Ngập hàng loạt"
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"


def test_vietnamese_for_lines_that_know_only_plain_letters() -> None:
    assert without_marks("KHẨN CẤP: Ngập hầm chui Đông Kiều…") == "KHAN CAP: Ngap ham chui Dong Kieu..."
    assert without_marks("38 µg·m³ – ổn").isascii()


def test_without_a_catalogue_the_number_still_stands(city: City) -> None:
    mail = told(city, rule_words(FLOOD[0]), catalogue=None)["mail"]
    assert "Giá trị: 38,00 (ngưỡng 30,00)" in mail.text


def test_an_event_without_a_value_has_no_empty_line(city: City) -> None:
    bare = AlertEvent(
        happened_at=EVENING + timedelta(0), rule=FLOOD[0], site_id=FLOOD[1], state_before="NORM", state_after="UNACK",
        priority="critical", deed="raise",
    )  # fmt: skip
    mail = told(city, rule_words(FLOOD[0]), outcome=Outcome([alert(FLOOD)], [bare]))["mail"]
    assert "Giá trị" not in mail.text
    assert not mail.subject.endswith(", ")


def test_values_of_last_night_that_came_this_morning_are_told_with_their_time(city: City) -> None:
    """The bell rang at 18:00 about 06:00: whoever reads the message must not look for water that rose just now."""
    outcome = rang(alert(FLOOD, "critical"))
    events = [
        replace(one, detail=json.dumps({MEASURED_AT: (one.happened_at - timedelta(hours=12)).isoformat()}))
        for one in outcome.events
    ]
    text = told(city, rule_words(FLOOD[0]), outcome=Outcome(outcome.alerts, events))["mail"].text
    assert "Lúc: 18:00 19/11/2026\nSố liệu lúc: 06:00\n" in text
    assert "Data of: 06:00" in text
    assert "Số liệu lúc" not in told(city, rule_words(FLOOD[0]))["mail"].text
