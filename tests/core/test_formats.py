"""Numbers, ages and times as the table of wording gives them for Vietnamese and English."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import formats

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TUESDAY = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)  # 17:42 in the city


@pytest.mark.parametrize(
    ("value", "decimals", "vi", "en"),
    [
        (1284.5, 1, "1.284,5", "1,284.5"),
        (12500, 0, "12.500", "12,500"),
        (1234567.891, 2, "1.234.567,89", "1,234,567.89"),
        (4.12, 2, "4,12", "4.12"),
        (2.18, 2, "2,18", "2.18"),
        (0, 0, "0", "0"),
        (999.5, 0, "1.000", "1,000"),
        (7, 2, "7,00", "7.00"),
        # half-up, as people round, not to the even neighbour
        (0.5, 0, "1", "1"),
        (1.5, 0, "2", "2"),
        (2.5, 0, "3", "3"),
        (2.675, 2, "2,68", "2.68"),
        (1.005, 2, "1,01", "1.01"),
        # U+2212, and away from zero like the positive twin
        (-5, 0, "\u22125", "\u22125"),
        (-2.5, 0, "\u22123", "\u22123"),
        (-1284.5, 1, "\u22121.284,5", "\u22121,284.5"),
        (-0.04, 1, "0,0", "0.0"),
        # nothing known is a dash, never 0
        (None, 1, "—", "—"),
        (float("nan"), 0, "—", "—"),
        (float("inf"), 0, "—", "—"),
    ],
)
def test_numbers(value, decimals, vi, en):
    assert formats.number(value, decimals, "vi") == vi
    assert formats.number(value, decimals, "en") == en


def test_vietnamese_is_the_default():
    assert formats.number(1284.5, 1) == "1.284,5"
    assert formats.percent(96.4, 1) == "96,4%"
    assert formats.duration(timedelta(minutes=6)) == "6 phút"


@pytest.mark.parametrize(
    ("value", "text"), [(0.3, "+0,3"), (-0.3, "\u22120,3"), (0.0, "0,0"), (0.04, "0,0"), (-0.04, "0,0"), (None, "—")]
)
def test_a_change_carries_its_sign(value, text):
    assert formats.number(value, 1, signed=True) == text


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_a_number_can_be_read_back_and_has_no_keyboard_minus(value, decimals):
    text = formats.number(value, decimals, "vi")
    assert "-" not in text
    back = float(text.replace(".", "").replace(",", ".").replace(formats.MINUS, "-"))
    assert abs(back - value) <= 0.5 * 10**-decimals + 1e-6


def test_percent_stands_without_a_space():
    assert formats.percent(96.4, 1, "vi") == "96,4%"
    assert formats.percent(96.4, 1, "en") == "96.4%"
    assert formats.percent(-3, signed=True) == "\u22123%"
    assert formats.percent(None) == "—"


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "vi", "en"),
    [
        (42, 0, "mm", "42 mm", "42 mm"),
        (4.12, 2, "m", "4,12 m", "4.12 m"),
        (64, 0, "dBA", "64 dBA", "64 dBA"),
        (96.4, 1, "%", "96,4%", "96.4%"),
        (158, 0, "", "158", "158"),
        (None, 0, "mm", "—", "—"),
        (float("nan"), 0, "%", "—", "—"),
    ],
)
def test_quantities(value, decimals, unit, vi, en):
    assert formats.quantity(value, decimals, unit, "vi") == vi
    assert formats.quantity(value, decimals, unit, "en") == en


@pytest.mark.parametrize(
    ("span", "vi", "en"),
    [
        (timedelta(0), "dưới 1 phút", "under 1 min"),
        (timedelta(seconds=59), "dưới 1 phút", "under 1 min"),
        (timedelta(seconds=60), "1 phút", "1 min"),
        (timedelta(minutes=6, seconds=59), "6 phút", "6 min"),
        (timedelta(minutes=59, seconds=59), "59 phút", "59 min"),
        (timedelta(minutes=60), "1 giờ", "1 h"),
        (timedelta(minutes=66), "1 giờ 06", "1 h 06"),  # a general library says «1 giờ» and hides six minutes
        (timedelta(seconds=4000), "1 giờ 06", "1 h 06"),
        (timedelta(hours=47, minutes=59), "47 giờ 59", "47 h 59"),
        (timedelta(hours=48), "2 ngày", "2 days"),
        (timedelta(hours=95), "3 ngày", "3 days"),
        (-timedelta(minutes=3), "3 phút", "3 min"),  # «quá 3 phút»: the word around it tells the direction
    ],
)
def test_durations(span, vi, en):
    assert formats.duration(span, "vi") == vi
    assert formats.duration(span, "en") == en


def test_dates_and_clocks_are_the_citys():
    assert formats.clock(TUESDAY, ZONE) == "17:42"
    assert formats.day(TUESDAY, ZONE) == "15/09/2026"
    assert formats.day(TUESDAY, ZONE, "en") == "15 Sep 2026"
    assert formats.weekday(TUESDAY, ZONE) == "Thứ Ba"
    assert formats.weekday(TUESDAY, ZONE, "en") == "Tuesday"


def test_after_five_in_the_afternoon_utc_it_is_tomorrow_in_the_city():
    late = datetime(2026, 9, 15, 17, 0, tzinfo=UTC)
    assert formats.day(late, ZONE) == "16/09/2026"
    assert formats.weekday(late, ZONE) == "Thứ Tư"
    assert formats.clock(late, ZONE) == "00:00"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (TUESDAY, "17:42"),
        (datetime(2026, 9, 14, 17, 0, tzinfo=UTC), "00:00"),  # today's first minute in the city
        (datetime(2026, 9, 14, 16, 59, tzinfo=UTC), "14/09 23:59"),
        (datetime(2025, 9, 15, 10, 42, tzinfo=UTC), "15/09 17:42"),
    ],
)
def test_a_bare_clock_time_is_always_todays(at, text):
    assert formats.moment(at, TUESDAY, ZONE) == text


def test_every_day_of_the_week_has_its_name():
    names = [formats.weekday(datetime(2026, 9, 14 + day, 5, tzinfo=UTC), ZONE) for day in range(7)]
    assert names == ["Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"]
