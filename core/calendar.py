"""Which days are like which: the hour of the week, and holidays as an eighth day. For «usual at this hour».

On the second day of Tet a Tuesday is no Tuesday: compared with ordinary ones every street would look strange, and its
own values would blur what an ordinary Tuesday is. Public holidays of Vietnam (lunar dates and substitute days
computed, so no table runs out); a city may add days of its own, such as the feast of a patron or a flood break.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS_OF_WEEK = 168
HOUR_CLASSES = HOURS_OF_WEEK + 24  # 0 = Monday 00:00-00:59 … 167 = Sunday 23:00-23:59, 168 … 191 = hours of a holiday

# Different days that an hour class needs before it has a usual. From one day every value is «as usual», from two the
# band is but the gap between them; three are the fewest of which one can be the odd one out. A weekday has them after
# three weeks. Holidays have no rule of their own: eight weeks seldom hold three, Tet does, and one day off says nothing
# of the next.
LEAST_DAYS = 3


@lru_cache(maxsize=64)
def holidays_of(year: int) -> frozenset[date]:
    """Days off of one year: Labour Code art. 112 with substitute days; make-up working Saturdays are no days off."""
    return frozenset(holidays.country_holidays("VN", years=[year]))


def is_holiday(day: date, own: Collection[date] = ()) -> bool:
    """True on a public holiday, or on one of the city's `own` days."""
    return day in holidays_of(day.year) or day in own


def hour_class(at: datetime, zone: ZoneInfo, own: Collection[date] = ()) -> int:
    """0 … 191: the hour of the week in city time, or 168 + hour on a holiday.

    A value labelled with the END of its period belongs to the hour before: Monday 08:00 is the hour from 7 to 8.
    """
    local = (at - timedelta(microseconds=1)).astimezone(zone)
    day = 7 if is_holiday(local.date(), own) else local.weekday()
    return day * 24 + local.hour


def hour_classes(times: pd.Series | pd.DatetimeIndex, zone: ZoneInfo, own: Collection[date] = ()) -> np.ndarray:
    """`hour_class` of many aware times at once, as int64 in their order."""
    local = (pd.DatetimeIndex(times) - pd.Timedelta(1, "us")).tz_convert(zone)
    places, days = pd.factorize(local.tz_localize(None).normalize())
    off = np.array([is_holiday(day.date(), own) for day in days], dtype=bool)
    return np.asarray(np.where(off[places], 7, local.day_of_week) * 24 + local.hour, dtype=np.int64)
