"""What units deliver, for which periods, until when: config/<city>/forms.toml and the arithmetic of due times.

A form is asked of a few units (sites), once a day or once a month. A period is named by its days and labelled with its
END, like everything in the one frame. A due time that falls on a weekend or a public holiday moves to the next working
day (Civil Code 2015, art. 148.5), unless the form says `working_days = false`, as for a river that rises on Sundays.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from core.calendar import is_holiday
from core.catalogue import Indicator, ObservedProperty
from core.config import City
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take

DAY, MONTH = "day", "month"
SHOWN = {DAY: 10, MONTH: 6}  # how many periods a person sees at once
SATURDAY = 5
DELIVERED, DELIVERED_LATE, LATE, WAITING, NOT_ASKED = "delivered", "delivered_late", "late", "waiting", "not_asked"
ONE_DAY = timedelta(days=1)
FORM_KEYS = (
    "key", "title_vi", "title_en", "owner", "kind", "units", "properties", "period", "hours", "since", "due", "due_of",
)  # fmt: skip
DUE_KEYS = ("day", "at", "working_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a delivery is due. `day`: of the month that follows, or so many days after the day that is told."""

    day: int
    at: time
    working_days: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """A day or a month of the city: `first` is in it, `until` no longer."""

    first: date
    until: date

    @property
    def is_month(self) -> bool:
        """True for a month, False for a day."""
        return self.until - self.first > ONE_DAY

    def begin_at(self, zone: ZoneInfo) -> datetime:
        """Its first midnight, in UTC."""
        return datetime.combine(self.first, time(), zone).astimezone(UTC)

    def end_at(self, zone: ZoneInfo) -> datetime:
        """The midnight that ends it, in UTC: the label of what was counted in it."""
        return datetime.combine(self.until, time(), zone).astimezone(UTC)

    @property
    def label(self) -> str:
        """«10/2026» or «21/11/2026»: as it is written into a template."""
        return f"{self.first:%m/%Y}" if self.is_month else f"{self.first:%d/%m/%Y}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One report that units owe. `hours` are the readings of a day; without them a period has one value each."""

    key: str
    title_vi: str
    title_en: str
    owner: str
    units: tuple[str, ...]  # site_ids
    properties: tuple[str, ...]  # keys of the catalogue, in the order of the template
    period: str  # day | month
    due: Due
    due_of: Mapping[str, Due] = field(default_factory=dict)  # units with a due time of their own
    hours: tuple[time, ...] = ()
    since: date | None = None  # asked for from the period that holds this day on

    @property
    def source(self) -> str:
        """The word in the column `source` of what was delivered."""
        return f"form_{self.key}"

    @property
    def every(self) -> timedelta:
        """How often values come: a monthly figure is not stale on the second day."""
        return timedelta(days=31) if self.period == MONTH else ONE_DAY

    def title(self, language: str) -> str:
        """Title for people in `vi` or `en`."""
        return self.title_en if language == "en" else self.title_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One version of a file that a unit delivered. The file itself lies in the store beside it."""

    form: str
    unit: str
    period_end: datetime
    version: int  # from 1; the highest one counts
    file_name: str
    sha256: str  # of the file
    file_bytes: int
    row_count: int  # values of the one frame that it holds
    missing: int  # how many of them say that there is no value
    delivered_at: datetime
    delivered_by: str  # signed by name
    account: str
    reason: str  # why it replaces the version before; empty for the first


# -- periods and due times -------------------------------------------------------------------------------------------


def period_of(form: Form, day: date) -> Period:
    """The period of the form that holds a day."""
    if form.period == DAY:
        return Period(first=day, until=day + ONE_DAY)
    length = monthrange(day.year, day.month)[1]
    return Period(first=day.replace(day=1), until=day.replace(day=length) + ONE_DAY)


def recent(form: Form, now: datetime, zone: ZoneInfo, count: int | None = None) -> list[Period]:
    """The newest `count` periods for which a delivery is possible, newest first.

    A period can be told when it is over; a day with readings by the hour also while it runs.
    """
    today = now.astimezone(zone).date()
    period = period_of(form, today)
    if not form.hours:
        period = period_of(form, period.first - ONE_DAY)
    found: list[Period] = []
    while len(found) < (count or SHOWN[form.period]):
        if form.since is not None and period.until <= form.since:
            break
        found.append(period)
        period = period_of(form, period.first - ONE_DAY)
    return found


def day_off(day: date, own: Collection[date] = ()) -> bool:
    """Weekend or public holiday; `own` are further days off of the city."""
    return day.weekday() >= SATURDAY or is_holiday(day, own)


def due_at(form: Form, unit: str, period: Period, zone: ZoneInfo, own: Collection[date] = ()) -> datetime:
    """When the unit must have delivered the period, in UTC. Day 31 of a shorter month is its last day."""
    due = form.due_of.get(unit, form.due)
    if form.period == MONTH:
        length = monthrange(period.until.year, period.until.month)[1]
        day = period.until.replace(day=min(due.day, length))
    else:
        day = period.first + timedelta(days=due.day)
    while due.working_days and day_off(day, own):
        day += ONE_DAY
    return datetime.combine(day, due.at, zone).astimezone(UTC)


def asked(form: Form, unit: str, period: Period, own: Collection[date] = ()) -> bool:
    """False for the days off of a form that is only told on working days."""
    due = form.due_of.get(unit, form.due)
    return form.period == MONTH or not (due.working_days and day_off(period.first, own))


def begun(form: Form, delivered_ends: Collection[datetime], now: datetime, zone: ZoneInfo) -> date:
    """From which day on the form is asked for: `since`; else the first period that any unit delivered; else the last.

    A desk that opens today must not call years late that nobody was asked for.
    """
    if form.since is not None:
        return form.since
    first_end = min(delivered_ends, default=None)
    if first_end is not None:
        return period_of(form, last_day(first_end.astimezone(zone))).first
    ended = [period for period in recent(form, now, zone, 2) if period.end_at(zone) <= now]
    return ended[0].first


def last_day(local_end: datetime) -> date:
    """The last day of a period that ends at a local time: midnight belongs to the day before it."""
    return (local_end - timedelta(microseconds=1)).date()


def state(
    form: Form,
    unit: str,
    period: Period,
    first_delivered_at: datetime | None,
    now: datetime,
    zone: ZoneInfo,
    asked_from: date | None = None,
) -> str:
    """delivered | delivered_late | late | waiting | not_asked. A later correction does not make a delivery late."""
    due = due_at(form, unit, period, zone)
    if first_delivered_at is not None:
        return DELIVERED if first_delivered_at <= due else DELIVERED_LATE
    if not asked(form, unit, period) or (asked_from is not None and period.until <= asked_from):
        return NOT_ASKED
    return WAITING if now <= due else LATE


# -- what a file may hold --------------------------------------------------------------------------------------------


def misplaced(form: Form, unit: str, period: Period, rows: pd.DataFrame, zone: ZoneInfo) -> pd.Series[str]:
    """Per row of the one frame why it does not belong to this delivery: unit | property | period, or empty."""
    begin, end = pd.Timestamp(period.begin_at(zone)), pd.Timestamp(period.end_at(zone))
    inside = (rows["time"] > begin) & (rows["time"] <= end) if form.hours else rows["time"] == end
    reason = pd.Series("", index=rows.index, dtype="str")
    reason = reason.mask(~inside, "period")
    reason = reason.mask(~rows["observed_property"].isin(form.properties), "property")
    return reason.mask(rows["site_id"] != unit, "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value of a delivery beside what stands: kind new | changed | gone | same. None is «no value»."""

    kind: str
    observed_property: str
    time: datetime
    before: float | None
    after: float | None


def differences(standing: pd.DataFrame, coming: pd.DataFrame) -> list[Difference]:
    """What a delivery would change: frames of one unit and one source, sorted by property and time.

    A value that stands and comes no more is gone: it is written as missing, so that nothing old stays.
    """
    before, after = _values(standing), _values(coming)
    found = []
    for place in sorted({*before, *after}):
        old, new = before.get(place), after.get(place)
        if place not in after:
            kind = "gone"
        elif place not in before:
            kind = "new"
        else:
            kind = "same" if old == new else "changed"
        if kind == "gone" and old is None:
            continue  # it was missing already
        found.append(Difference(kind=kind, observed_property=place[0], time=place[1], before=old, after=new))
    return found


def _values(rows: pd.DataFrame) -> dict[tuple[str, datetime], float | None]:
    return {
        (key, moment.to_pydatetime()): None if pd.isna(value) else float(value)
        for key, moment, value in zip(rows["observed_property"], rows["time"], rows["value"], strict=True)
    }


# -- config/<city>/forms.toml ----------------------------------------------------------------------------------------


def load_forms(path: Path, city: City, catalogue: Mapping[str, ObservedProperty]) -> tuple[Form, ...]:
    """The forms of a city; none without the file. Raises ConfigError that names file, entry and key."""
    if not path.is_file():
        return ()
    where = shown_path(path)
    table = read_toml(path)
    _known(table, ("form",), where)
    found = [
        _form(one, f"{where}: [[form]] number {number}", city, catalogue)
        for number, one in enumerate(take(table, "form", list, where, []), start=1)
    ]
    keys = [form.key for form in found]
    if len(set(keys)) < len(keys):
        raise ConfigError(f"{where}: a form key is given twice: {', '.join(sorted(keys))}")
    return tuple(found)


def _form(table: Any, where: str, city: City, catalogue: Mapping[str, ObservedProperty]) -> Form:
    _known(table, FORM_KEYS, where)
    key = take(table, "key", str, where)
    if not key.replace("_", "").isalnum():
        raise ConfigError(f"{where}: key {key!r} must be made of letters, digits and _")
    if ("units" in table) == ("kind" in table):
        raise ConfigError(f"{where}: say whose form it is: units (site_ids) or kind (of sites), one of the two")
    period = take(table, "period", str, where)
    if period not in SHOWN:
        raise ConfigError(f"{where}: period {period!r} is not one of {', '.join(SHOWN)}")
    units = _units(table, where, city)
    title = take(table, "title_vi", str, where)
    hours = tuple(sorted(_clock(text, f"{where}: hours") for text in _texts(table, "hours", where, [])))
    if hours and period == MONTH:
        raise ConfigError(f'{where}: hours go with period = "day"')
    due = _due(take(table, "due", dict, where), f"{where}: [form.due]", period, None)
    own = take(table, "due_of", dict, where, {})
    strangers = sorted(set(own) - set(units))
    if strangers:
        raise ConfigError(f"{where}: [form.due_of] {strangers[0]} is not a unit of this form")
    since = table.get("since")
    if since is not None and (not isinstance(since, date) or isinstance(since, datetime)):
        raise ConfigError(f"{where}: since must be a day such as 2026-01-01, not {since!r}")
    return Form(
        key=key,
        title_vi=title,
        title_en=take(table, "title_en", str, where, title),
        owner=take(table, "owner", str, where, ""),
        units=units,
        properties=_properties(table, where, catalogue),
        period=period,
        due=due,
        due_of={unit: _due(one, f"{where}: [form.due_of] {unit}", period, due) for unit, one in own.items()},
        hours=hours,
        since=since,
    )


def _units(table: Mapping[str, Any], where: str, city: City) -> tuple[str, ...]:
    if "kind" in table:
        kind = take(table, "kind", str, where)
        units = [str(site_id) for site_id in city.sites.index[city.sites["kind"] == kind]]
        if not units:
            raise ConfigError(f"{where}: no site of sites.toml has kind {kind!r}")
        return tuple(units)
    units = _texts(table, "units", where)
    unknown = sorted(set(units) - set(city.sites.index))
    if unknown:
        raise ConfigError(f"{where}: units: {unknown[0]} is not in sites.toml")
    return tuple(dict.fromkeys(units))


def _properties(table: Mapping[str, Any], where: str, catalogue: Mapping[str, ObservedProperty]) -> tuple[str, ...]:
    keys = _texts(table, "properties", where)
    for key in keys:
        if key not in catalogue:
            raise ConfigError(f"{where}: properties: {key} is not in the catalogue (data/catalogue)")
        if isinstance(catalogue[key], Indicator):
            raise ConfigError(f"{where}: properties: {key} is computed here; ask the unit for what it is made of")
    return tuple(dict.fromkeys(keys))


def _due(table: Any, where: str, period: str, default: Due | None) -> Due:
    _known(table, DUE_KEYS, where)
    day = take(table, "day", int, where, ... if default is None else default.day)
    lowest, highest = (1, 31) if period == MONTH else (0, 31)
    if not lowest <= day <= highest:
        raise ConfigError(f"{where}: day must be from {lowest} to {highest}, not {day}")
    at = table.get("at")
    working = take(table, "working_days", bool, where, True if default is None else default.working_days)
    if at is None and default is not None:
        return Due(day=day, at=default.at, working_days=working)
    return Due(day=day, at=_clock(take(table, "at", str, where), f"{where}: at"), working_days=working)


def _clock(text: str, where: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise ConfigError(f'{where} {text!r} must be a time such as "17:00"') from error


def _texts(table: Mapping[str, Any], name: str, where: str, default: Any = ...) -> list[str]:
    given: Sequence[Any] = take(table, name, list, where, default)
    if (default is ... and not given) or not all(isinstance(one, str) and one for one in given):
        raise ConfigError(f"{where}: {name} must be a list of words, not {given!r}")
    return [str(one) for one in given]


def _known(table: Any, names: tuple[str, ...], where: str) -> None:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(names)}")
