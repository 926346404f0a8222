"""Who owes what until when: due times over weekends and Tết, periods that can be told, and what a file may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import indicators
from core import observations
from core.config import load_city
from core.errors import ConfigError
from core.forms import (
    DELIVERED,
    DELIVERED_LATE,
    LATE,
    NOT_ASKED,
    WAITING,
    Due,
    Form,
    Period,
    begun,
    differences,
    due_at,
    last_day,
    load_forms,
    misplaced,
    period_of,
    recent,
    state,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONTHLY = Form(
    key="files",
    title_vi="Hồ sơ, hằng tháng",
    title_en="Files, monthly",
    owner="Văn phòng",
    units=("07210", "07228"),
    properties=("files_received", "files_resolved"),
    period="month",
    due=Due(day=5, at=time(17)),
)
DAILY = replace(MONTHLY, key="reports", period="day", due=Due(day=1, at=time(17)))
GAUGE = replace(
    MONTHLY,
    key="gauge",
    properties=("river_level",),
    period="day",
    hours=(time(7), time(19)),
    due=Due(day=0, at=time(20), working_days=False),
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def month(year: int, number: int) -> Period:
    return period_of(MONTHLY, date(year, number, 1))


def day(text: str) -> Period:
    return period_of(DAILY, date.fromisoformat(text))


@pytest.mark.parametrize(
    ("form", "period", "due"),
    [
        (MONTHLY, month(2026, 10), "2026-11-05T17:00"),  # a Thursday
        (MONTHLY, month(2026, 8), "2026-09-07T17:00"),  # the 5th is a Saturday
        (MONTHLY, month(2026, 12), "2027-01-05T17:00"),
        (replace(MONTHLY, due=Due(day=31, at=time(9))), month(2026, 8), "2026-09-30T09:00"),  # September has 30 days
        (replace(MONTHLY, due=Due(day=17, at=time(17))), month(2026, 1), "2026-02-23T17:00"),  # Tết 2026
        (DAILY, day("2026-11-20"), "2026-11-23T17:00"),  # told on Friday, due on Monday
        (DAILY, day("2026-11-19"), "2026-11-20T17:00"),
        (GAUGE, day("2026-11-22"), "2026-11-22T20:00"),  # the river rises on Sundays
    ],
)
def test_a_due_time_moves_to_the_next_working_day(form: Form, period: Period, due: str) -> None:
    assert due_at(form, "07210", period, ZONE) == local(due)


def test_a_unit_may_have_a_due_time_of_its_own() -> None:
    form = replace(MONTHLY, due_of={"07228": Due(day=10, at=time(9))})
    assert due_at(form, "07228", month(2026, 10), ZONE) == local("2026-11-10T09:00")
    assert due_at(form, "07210", month(2026, 10), ZONE) == local("2026-11-05T17:00")


def test_a_citys_own_day_off_counts_too() -> None:
    patron = date(2026, 11, 5)
    assert due_at(MONTHLY, "07210", month(2026, 10), ZONE, {patron}) == local("2026-11-06T17:00")


def test_a_period_ends_at_the_midnight_of_the_city() -> None:
    assert month(2026, 10).end_at(ZONE) == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert month(2026, 10).label == "10/2026"
    assert day("2026-11-21").label == "21/11/2026"
    assert last_day(local("2026-11-01T00:00")) == date(2026, 10, 31)


def test_only_what_is_over_can_be_told_but_readings_also_on_the_running_day() -> None:
    now = local("2026-11-21T18:00")
    assert [one.label for one in recent(MONTHLY, now, ZONE, 3)] == ["10/2026", "09/2026", "08/2026"]
    assert recent(DAILY, now, ZONE, 1)[0].label == "20/11/2026"
    assert recent(GAUGE, now, ZONE, 1)[0].label == "21/11/2026"
    since = replace(MONTHLY, since=date(2026, 9, 15))
    assert [one.label for one in recent(since, now, ZONE)] == ["10/2026", "09/2026"]


def test_late_is_what_is_due_and_not_there_and_a_correction_makes_nothing_late() -> None:
    october = month(2026, 10)
    before, after = local("2026-11-05T16:59"), local("2026-11-05T17:01")
    assert state(MONTHLY, "07210", october, None, before, ZONE) == WAITING
    assert state(MONTHLY, "07210", october, None, after, ZONE) == LATE
    assert state(MONTHLY, "07210", october, before, after, ZONE) == DELIVERED
    assert state(MONTHLY, "07210", october, after, after, ZONE) == DELIVERED_LATE


def test_an_office_is_not_asked_for_its_sundays() -> None:
    assert state(DAILY, "07210", day("2026-11-22"), None, local("2026-11-30T08:00"), ZONE) == NOT_ASKED
    assert state(GAUGE, "07210", day("2026-11-22"), None, local("2026-11-30T08:00"), ZONE) == LATE


def test_a_desk_that_opens_today_calls_no_earlier_year_late() -> None:
    now = local("2026-11-21T18:00")
    assert begun(MONTHLY, [], now, ZONE) == date(2026, 10, 1)
    assert begun(GAUGE, [], now, ZONE) == date(2026, 11, 20), "the running day has not ended"
    assert begun(MONTHLY, [month(2026, 8).end_at(ZONE)], now, ZONE) == date(2026, 8, 1)
    assert begun(replace(MONTHLY, since=date(2026, 1, 1)), [], now, ZONE) == date(2026, 1, 1)
    assert state(MONTHLY, "07210", month(2026, 7), None, now, ZONE, date(2026, 8, 1)) == NOT_ASKED
    assert state(MONTHLY, "07210", month(2026, 8), None, now, ZONE, date(2026, 8, 1)) == LATE


def rows(*given: tuple[str, str, str, float]) -> Any:
    return observations.frame(
        [
            {"time": local(at), "site_id": site, "observed_property": key, "value": value}
            for at, site, key, value in given
        ],
        source="form_files",
    )


def test_a_row_of_another_unit_column_or_month_does_not_belong_here() -> None:
    frame = rows(
        ("2026-11-01T00:00", "07210", "files_received", 1),
        ("2026-11-01T00:00", "07228", "files_received", 2),
        ("2026-11-01T00:00", "07210", "pm25", 3),
        ("2026-10-01T00:00", "07210", "files_received", 4),
        ("2026-10-15T07:00", "07210", "files_received", 5),
    )
    found = misplaced(MONTHLY, "07210", month(2026, 10), frame, ZONE)
    assert found.tolist() == ["", "unit", "property", "period", "period"]


def test_readings_of_a_day_may_stand_at_any_clock_time_of_it() -> None:
    frame = rows(
        ("2026-11-21T07:05", "07210", "river_level", 2),
        ("2026-11-22T00:00", "07210", "river_level", 2),
        ("2026-11-21T00:00", "07210", "river_level", 2),
    )
    assert misplaced(GAUGE, "07210", day("2026-11-21"), frame, ZONE).tolist() == ["", "", "period"]


def test_new_changed_gone_and_same_values_are_told_apart() -> None:
    nan = float("nan")
    before = rows(
        ("2026-11-21T07:00", "07210", "river_level", 2.0),
        ("2026-11-21T13:00", "07210", "river_level", 3.0),
        ("2026-11-21T16:00", "07210", "river_level", nan),
        ("2026-11-21T19:00", "07210", "river_level", 4.0),
    )
    after = rows(
        ("2026-11-21T07:00", "07210", "river_level", 2.0),
        ("2026-11-21T13:00", "07210", "river_level", nan),
        ("2026-11-21T22:00", "07210", "river_level", 5.0),
    )
    found = [(one.kind, one.before, one.after) for one in differences(before, after)]
    assert found == [("same", 2.0, 2.0), ("changed", 3.0, None), ("gone", 4.0, None), ("new", None, 5.0)]


# -- config ----------------------------------------------------------------------------------------------------------

TOML = """
[[form]]
key = "files"
title_vi = "Hồ sơ"
kind = "office"
properties = ["files_received"]
period = "month"
[form.due]
day = 5
at = "17:00"
"""


@pytest.mark.parametrize("key", ["demo", "bac_giang"])
def test_the_forms_of_both_cities_load(key: str) -> None:
    city = load_city(key)
    found = load_forms(city.folder / "forms.toml", city, indicators.catalogue())
    assert found
    assert all(form.units and form.properties and form.title("en") != form.title("vi") for form in found)


def test_a_city_without_the_file_has_no_forms(tmp_path: Path) -> None:
    assert load_forms(tmp_path / "forms.toml", load_city("demo"), indicators.catalogue()) == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "office"', 'kind = "palace"', "no site of sites.toml has kind 'palace'"),
        ('kind = "office"', 'units = ["nowhere"]', "units: nowhere is not in sites.toml"),
        ('kind = "office"', 'kind = "office"\nunits = ["office_01"]', "one of the two"),
        ('"files_received"', '"files_recieved"', "files_recieved is not in the catalogue"),
        ('"files_received"', '"on_time_rate"', "on_time_rate is computed here"),
        ('period = "month"', 'period = "week"', "period 'week' is not one of day, month"),
        ('period = "month"', 'period = "month"\nhours = ["07:00"]', "hours go with period"),
        ("day = 5", "day = 0", "day must be from 1 to 31, not 0"),
        ('at = "17:00"', 'at = "5 pm"', "'5 pm' must be a time"),
        ("day = 5", "days = 5", "unknown key days"),
        ('at = "17:00"', 'at = "17:00"\n[form.due_of.air_01]\nday = 6', "air_01 is not a unit of this form"),
        ('key = "files"', 'key = "a b"', "must be made of letters"),
        ('period = "month"', 'period = "month"\nsince = "2026"', "since must be a day"),
    ],
)
def test_a_slip_in_forms_toml_is_named_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "forms.toml"
    path.write_text(TOML.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"forms\.toml.*number 1") as caught:
        load_forms(path, load_city("demo"), indicators.catalogue())
    assert words in str(caught.value)


def test_the_same_form_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "forms.toml"
    path.write_text(TOML + TOML, encoding="utf-8")
    with pytest.raises(ConfigError, match="given twice: files, files"):
        load_forms(path, load_city("demo"), indicators.catalogue())
