"""Deadlines in working hours: over Tết, over 30/4, over a make-up Saturday and over lunch."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from core.calendar import VIETNAM
from core.errors import ConfigError
from core.working_hours import OfficeHours, load_office_hours

OFFICE = OfficeHours(make_up=frozenset({date(2026, 8, 22)}))


def at(text: str) -> datetime:
    """City time."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-02-13T16:00", 8, "2026-02-23T16:00"),  # Friday before Tết 2026 -> Monday after it
        ("2027-02-03T15:00", 24, "2027-02-15T15:00"),  # Tết 2027: 4 to 10 February
        ("2026-04-29T16:30", 8, "2026-05-04T16:30"),  # 30/4 and 1/5 fall on Thursday and Friday
        ("2027-04-29T17:00", 8, "2027-05-04T17:00"),  # 1/5 is a Saturday, so Monday 3/5 is off
        ("2026-08-21T16:00", 8, "2026-08-22T16:00"),  # the make-up Saturday is worked …
        ("2026-08-28T16:00", 8, "2026-09-03T16:00"),  # … and its bridge Monday with 1 and 2 September is not
        ("2026-11-19T11:00", 1, "2026-11-19T13:30"),  # half an hour before lunch
        ("2026-11-20T16:00", 72, "2026-12-04T16:00"),  # Vietnam Cultural Day, 24/11, is a day off
        ("2026-11-21T09:00", 8, "2026-11-23T17:00"),  # a file of a Saturday waits; it ends with a closing time
    ],
)
def test_working_hours_pass_only_while_counters_are_open(start: str, hours: float, end: str) -> None:
    assert OFFICE.add(at(start), hours) == at(end)
    assert OFFICE.between(at(start), at(end)) == pytest.approx(hours)
    assert OFFICE.between(at(end), at(start)) == pytest.approx(-hours)


def test_the_week_of_tet_has_no_working_hour() -> None:
    assert OFFICE.between(at("2026-02-16T00:00"), at("2026-02-21T00:00")) == 0
    assert OFFICE.between(at("2027-02-04T00:00"), at("2027-02-11T00:00")) == 0


def test_a_whole_column_is_measured_at_once_and_an_unknown_time_stays_unknown() -> None:
    times = pd.Series(pd.to_datetime(["2026-11-20T07:30+07:00", "2026-11-20T17:00+07:00", None], utc=True))
    found = OFFICE.elapsed(times, date(2026, 1, 1), date(2026, 12, 31))
    assert found[1] - found[0] == pytest.approx(8)
    assert pd.isna(found[2])


def test_a_city_says_when_it_is_open(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "x"
    folder.mkdir(parents=True)
    assert load_office_hours(folder, VIETNAM).day_hours == 8
    (folder / "office_hours.toml").write_text(
        'open = ["08:00-12:00", "13:30-17:00"]\nmake_up_days = [2026-08-22]\nclosed_days = [2026-11-23]\n'
    )
    office = load_office_hours(folder, VIETNAM)
    assert office.day_hours == 7.5
    assert office.is_working_day(date(2026, 8, 22))
    assert not office.is_working_day(date(2026, 11, 23))


@pytest.mark.parametrize(
    "text",
    [
        'open = ["13:00-17:00", "07:30-11:30"]',
        'open = ["late"]',
        "make_up_days = [2026-08-21]",
        "make_up_days = [2026-09-02]",
        'closed_days = ["2026-11-23"]',
        "opening = 1",
    ],
)
def test_hours_that_make_no_sense_stop_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "office_hours.toml").write_text(text)
    with pytest.raises(ConfigError, match="office_hours"):
        load_office_hours(tmp_path, VIETNAM)
