"""Which days are like which: ends of periods, Tet, substitute days, days of the city's own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from core.calendar import HOUR_CLASSES, VIETNAM, hour_class, hour_classes, is_holiday


def local(text: str) -> datetime:
    return datetime.fromisoformat(text + "+07:00")


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (date(2026, 2, 16), True),  # the eve of Tet
        (date(2026, 2, 17), True),  # the first day of the lunar year
        (date(2026, 2, 21), False),
        (date(2027, 2, 6), True),  # Tet moves with the moon
        (date(2026, 4, 26), True),  # Hung Kings, a Sunday …
        (date(2026, 4, 27), True),  # … so the Monday is off as well
        (date(2026, 9, 2), True),
        (date(2026, 9, 15), False),
    ],
)
def test_public_holidays_of_vietnam(day, off):
    assert is_holiday(day) is off


def test_a_city_may_have_days_of_its_own():
    assert not is_holiday(date(2026, 9, 15))
    assert is_holiday(date(2026, 9, 15), {date(2026, 9, 15)})
    assert hour_class(local("2026-09-15T10:00"), VIETNAM, {date(2026, 9, 15)}) == 168 + 9


def test_a_value_belongs_to_the_hour_that_ends_with_its_label():
    assert hour_class(local("2026-09-14T08:00"), VIETNAM) == 7, "Monday 07:00-08:00"
    assert hour_class(local("2026-09-14T08:05"), VIETNAM) == 8
    assert hour_class(local("2026-09-14T00:00"), VIETNAM) == 167, "still Sunday"


def test_a_holiday_is_an_eighth_day():
    assert hour_class(local("2026-02-17T08:00"), VIETNAM) == 168 + 7
    assert hour_class(local("2026-02-16T00:00"), VIETNAM) == 6 * 24 + 23, "the hour before the eve of Tet"
    assert hour_class(local("2026-02-21T00:00"), VIETNAM) == HOUR_CLASSES - 1, "the last hour of Tet"


def test_many_at_once_give_the_same():
    times = pd.date_range("2026-02-10", "2026-02-25", freq="37min", tz="UTC")
    assert hour_classes(times, VIETNAM).tolist() == [hour_class(at.to_pydatetime(), VIETNAM) for at in times]
    assert hour_classes(times[:0], VIETNAM).tolist() == []
    assert hour_classes(pd.Series([local("2026-09-14T08:00") - timedelta(minutes=1)]), VIETNAM).tolist() == [7]
