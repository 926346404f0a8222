"""Working hours of offices: deadlines of files run only while a counter is open (NĐ 118/2025/NĐ-CP).

config/<city>/office_hours.toml says when counters are open, which Saturdays are worked to make up for a bridge day,
and which days the city closes besides public holidays. Holidays, Tết and their substitute days are computed in
core/calendar.py, so no table runs out. An office hour that nobody configured is 07:30-11:30 and 13:00-17:00.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.calendar import VIETNAM, is_holiday
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take

FILE = "office_hours.toml"
USUAL = ((time(7, 30), time(11, 30)), (time(13), time(17)))
KEYS = ("open", "make_up_days", "closed_days")
SATURDAY = 5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When the counters of a city are open. `open`: spans of one local day, in order and apart."""

    open: tuple[tuple[time, time], ...] = USUAL
    make_up: frozenset[date] = field(default_factory=frozenset)
    closed: frozenset[date] = field(default_factory=frozenset)
    zone: ZoneInfo = VIETNAM

    @property
    def day_hours(self) -> float:
        """Working hours of one working day [h]."""
        return sum((_seconds(end) - _seconds(start)) / 3600.0 for start, end in self.open)

    def is_working_day(self, day: date) -> bool:
        """True when counters open on that local day. A make-up Saturday is one, a holiday never."""
        if day in self.closed or is_holiday(day):
            return False
        return day.weekday() < SATURDAY or day in self.make_up

    def elapsed(self, times: pd.Series | pd.DatetimeIndex, first: date, last: date) -> Floats:
        """Working hours [h] from the beginning of `first` to each aware time; NaT gives NaN. Differences of two
        results are working hours between two instants. Times must lie between the two days."""
        moments = pd.DatetimeIndex(times).tz_convert("UTC").as_unit("us")
        at, hours = _knots(self, first.year, last.year)
        found = np.interp(moments.asi8 / 1e6, at, hours)
        return np.where(moments.isna(), np.nan, found)

    def between(self, start: datetime, end: datetime) -> float:
        """Working hours [h] between two aware instants; negative when the end lies before the start."""
        pair = pd.DatetimeIndex([pd.Timestamp(start).tz_convert("UTC"), pd.Timestamp(end).tz_convert("UTC")])
        low, high = min(start, end), max(start, end)
        begun, ended = self.elapsed(pair, low.astimezone(self.zone).date(), high.astimezone(self.zone).date())
        return float(ended - begun)

    def add(self, start: datetime, hours: float) -> datetime:
        """The instant [UTC] at which so many working hours have passed since `start`; they end with a closing time,
        never with the next opening."""
        local = start.astimezone(self.zone).date()
        at, elapsed = _knots(self, local.year, local.year + 1 + int(hours / (200 * self.day_hours)))
        begun = float(np.interp(start.timestamp(), at, elapsed))
        place = int(np.searchsorted(elapsed, begun + hours, side="left"))
        if place >= len(at):
            raise ValueError(f"{hours} working hours after {start} lie beyond the calendar that was made")
        before, after = max(place - 1, 0), place
        rise = elapsed[after] - elapsed[before]
        share = 0.0 if rise == 0 else (begun + hours - elapsed[before]) / rise
        moment = at[before] + share * (at[after] - at[before])
        return datetime.fromtimestamp(max(float(moment), start.timestamp()), UTC)


@lru_cache(maxsize=32)
def _knots(office: OfficeHours, first_year: int, last_year: int) -> tuple[Floats, Floats]:
    """Instants [s since 1970] at which counters open or close, and the working hours up to each."""
    at, hours, total = [_stamp(date(first_year, 1, 1), time(0), office.zone)], [0.0], 0.0
    day, last = date(first_year, 1, 1), date(last_year, 12, 31)
    while day <= last:
        for start, end in office.open if office.is_working_day(day) else ():
            at += [_stamp(day, start, office.zone), _stamp(day, end, office.zone)]
            hours.append(total)
            total += (at[-1] - at[-2]) / 3600.0
            hours.append(total)
        day += timedelta(days=1)
    at.append(_stamp(last + timedelta(days=1), time(0), office.zone))
    hours.append(total)
    return np.array(at), np.array(hours)


def _stamp(day: date, clock: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, clock, zone).timestamp()


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60


def load_office_hours(folder: Path, zone: ZoneInfo) -> OfficeHours:
    """config/<city>/office_hours.toml, or the usual hours where the file is missing. Raises ConfigError.

    open = ["07:30-11:30", "13:00-17:00"]; make_up_days = [2026-08-22]; closed_days = []
    """
    path = folder / FILE
    if not path.is_file():
        return OfficeHours(zone=zone)
    where, table = shown_path(path), read_toml(path)
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(KEYS)}")
    spans = tuple(_span(text, where) for text in take(table, "open", list, where, ["07:30-11:30", "13:00-17:00"]))
    ends = [moment for span in spans for moment in span]
    if not spans or ends != sorted(set(ends)):
        raise ConfigError(f"{where}: open must list spans of one day, in order and apart from each other")
    make_up = _days(table, "make_up_days", where)
    for day in sorted(make_up):
        if day.weekday() < SATURDAY or is_holiday(day):
            raise ConfigError(f"{where}: make_up_days: {day} is no Saturday or Sunday, or a holiday")
    return OfficeHours(open=spans, make_up=make_up, closed=_days(table, "closed_days", where), zone=zone)


def _span(text: Any, where: str) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(part.strip()) for part in str(text).split("-"))
    except ValueError as error:
        raise ConfigError(f'{where}: open: {text!r} must read like "07:30-11:30"') from error
    return start, end


def _days(table: dict[str, Any], name: str, where: str) -> frozenset[date]:
    given = take(table, name, list, where, [])
    wrong = [one for one in given if not isinstance(one, date) or isinstance(one, datetime)]
    if wrong:
        raise ConfigError(f"{where}: {name}: {wrong[0]!r} is no date; write 2026-08-22 without quotes")
    return frozenset(given)
