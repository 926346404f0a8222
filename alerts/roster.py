"""The duty roster: config/<city>/roster.toml -> who leads the shift of a moment, and whom the ladder calls.

A shift belongs to the day on which it starts, so the night shift of the 16th leads until the morning of the 17th.
A list of days beats `holiday`, which beats a weekday. An absent lead is stood in for by the deputy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.alert import PRIORITIES
from core.calendar import is_holiday
from core.catalogue import DOMAINS
from core.duty import Contact, DutyShift
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
LEAD, DEPUTY = "lead", "deputy"
ONE_DAY = timedelta(days=1)
LONGEST_ABSENCE = timedelta(days=366)
TABLES = ("shift", "contact", "duty", "absence", "ladder", "position")
Day = str | date  # one of WEEKDAYS, HOLIDAY, or a day of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift as it comes back every day. `starts` is city time; it ends where the next one starts."""

    key: str
    name_vi: str
    name_en: str
    starts: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A contact is away while since <= t < until (aware UTC), or on all shifts of the days first … last."""

    contact: str
    first: date | None = None
    last: date | None = None
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, day: date, at: datetime) -> bool:
        """True when the contact is away at `at` from the shift of that day."""
        if self.first is not None and self.last is not None:
            return self.first <= day <= self.last
        return self.since is not None and self.until is not None and self.since <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder: so long after the annunciation, this one is called (lead, deputy or a contact key)."""

    after: timedelta
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A seat of the operations room and the domains that it watches: alarm figures are counted per seat."""

    key: str
    name_vi: str
    name_en: str
    domains: tuple[str, ...]

    def name(self, language: str) -> str:
        """Name of the seat in `vi` or `en`."""
        return self.name_en if language == "en" else self.name_vi


@dataclass(frozen=True)
class Roster:
    """Shifts by their start, contacts, who is on duty when, who is away, the ladder per priority, the seats."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...] = ()
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    duties: Mapping[tuple[str, Day], tuple[str, str]] = field(default_factory=dict)  # lead and deputy, «» for none
    absences: tuple[Absence, ...] = ()
    ladder: Mapping[str, tuple[Rung, ...]] = field(default_factory=dict)  # priority -> rungs, soonest first
    positions: tuple[Position, ...] = ()

    def shift_at(self, now: datetime) -> DutyShift | None:
        """The shift that is on at `now` (aware), with who leads it then; None where the city has no roster."""
        today = now.astimezone(self.zone).date()
        for day in (today, today - ONE_DAY):
            for number, shift in enumerate(self.shifts):
                starts_at, ends_at = self._span(number, day)
                if starts_at <= now < ends_at:
                    lead, deputy = self._on_duty(shift, day, now)
                    return DutyShift(
                        key=shift.key,
                        name_vi=shift.name_vi,
                        name_en=shift.name_en,
                        starts_at=starts_at,
                        ends_at=ends_at,
                        lead=self.contacts[lead],
                        deputy=self.contacts[deputy] if deputy else None,
                    )
        return None

    def resolve(self, to: str, now: datetime) -> tuple[Contact, ...]:
        """Whom a rung calls at `now`. A shift without a deputy calls its lead again; unknown keys call nobody."""
        if to not in (LEAD, DEPUTY):
            return (self.contacts[to],) if to in self.contacts else ()
        shift = self.shift_at(now)
        if shift is None:
            return ()
        return (shift.deputy if to == DEPUTY and shift.deputy else shift.lead,)

    @cached_property
    def position_of(self) -> Mapping[str, Position]:
        """The seat that watches a domain."""
        return {domain: position for position in self.positions for domain in position.domains}

    def _span(self, number: int, day: date) -> tuple[datetime, datetime]:
        """Start and end [UTC] of a shift that starts on that day."""
        starts = self.shifts[number].starts
        ends = self.shifts[(number + 1) % len(self.shifts)].starts
        ends_on = day if number + 1 < len(self.shifts) else day + ONE_DAY
        return _utc(day, starts, self.zone), _utc(ends_on, ends, self.zone)

    def _on_duty(self, shift: Shift, day: date, now: datetime) -> tuple[str, str]:
        """Lead and deputy («» for none) after absences. Loading has refused days on which both are away."""
        lead, deputy = self.duties[shift.key, self._day(shift, day)]
        away = {absence.contact for absence in self.absences if absence.covers(day, now)}
        if lead in away:
            return (deputy or lead, "")
        return lead, "" if deputy in away else deputy

    def _day(self, shift: Shift, day: date) -> Day:
        """The row of the roster that holds: the day itself, else the holiday, else the weekday."""
        if (shift.key, day) in self.duties:
            return day
        if (shift.key, HOLIDAY) in self.duties and is_holiday(day):
            return HOLIDAY
        return WEEKDAYS[day.weekday()]


def load_roster(path: Path, zone: ZoneInfo) -> Roster:
    """The roster of a city; an empty one when the file is absent. Raises ConfigError with file, entry and remedy."""
    if not path.is_file():
        return Roster(zone=zone)
    table, where = read_toml(path), shown_path(path)
    _refuse_unknown(table, TABLES, where)
    shifts = _shifts(table, where)
    contacts = _contacts(table, where)
    roster = Roster(
        zone=zone,
        shifts=shifts,
        contacts=contacts,
        duties=_duties(table, shifts, contacts, where),
        absences=_absences(table, contacts, zone, where),
        ladder=_ladder(table, contacts, bool(shifts), where),
        positions=_positions(table, where),
    )
    _somebody_is_always_there(roster, where)
    return roster


def _shifts(table: Mapping[str, Any], where: str) -> tuple[Shift, ...]:
    """Shifts by their start. `ends` may be left out; where it stands it must meet the next start."""
    found: list[tuple[Shift, time | None, str]] = []
    for place, entry in _entries(table, "shift", ("key", "name_vi", "name_en", "starts", "ends"), where):
        name_vi = _text(entry, "name_vi", place)
        shift = Shift(
            key=_text(entry, "key", place),
            name_vi=name_vi,
            name_en=_text(entry, "name_en", place, name_vi),
            starts=_clock(entry, "starts", place),
        )
        found.append((shift, _clock(entry, "ends", place) if "ends" in entry else None, place))
    _refuse_twice([shift.key for shift, _, _ in found], "shift", "key", where)
    _refuse_twice([f"{shift.starts:%H:%M}" for shift, _, _ in found], "shift", "starts", where)
    found.sort(key=lambda one: one[0].starts)
    for number, (shift, ends, place) in enumerate(found):
        following = found[(number + 1) % len(found)][0]
        if ends is not None and ends != following.starts:
            raise ConfigError(
                f"{place}: {shift.key} ends at {ends:%H:%M}, but the next shift ({following.key}) starts at "
                f"{following.starts:%H:%M}; shifts must cover 24 hours without a gap or an overlap"
            )
    return tuple(shift for shift, _, _ in found)


def _contacts(table: Mapping[str, Any], where: str) -> dict[str, Contact]:
    found = {}
    for place, entry in _entries(table, "contact", ("key", "name", "unit", "email", "phone"), where):
        key = _text(entry, "key", place)
        if key in (LEAD, DEPUTY):
            raise ConfigError(f"{place}: the key {key} means whoever is on duty; give the contact another one")
        if key in found:
            raise ConfigError(f"{place}: the key {key} is given twice")
        found[key] = Contact(
            key=key,
            name=_text(entry, "name", place),
            unit=take(entry, "unit", str, place, ""),
            email=take(entry, "email", str, place, ""),
            phone=take(entry, "phone", str, place, ""),
        )
    return found


def _duties(
    table: Mapping[str, Any], shifts: tuple[Shift, ...], contacts: Collection[str], where: str
) -> dict[tuple[str, Day], tuple[str, str]]:
    known = [shift.key for shift in shifts]
    found: dict[tuple[str, Day], tuple[str, str]] = {}
    for place, entry in _entries(table, "duty", ("shift", "days", "lead", "deputy"), where):
        shift = _one_of(entry, "shift", known, place)
        lead = _one_of(entry, "lead", contacts, place)
        deputy = _one_of(entry, "deputy", contacts, place) if "deputy" in entry else ""
        if lead == deputy:
            raise ConfigError(f"{place}: {lead} cannot be lead and deputy of one shift")
        for day in _days(entry, place):
            if (shift, day) in found:
                raise ConfigError(f"{place}: {shift} has a row for {day} already; put the days into one of them")
            found[shift, day] = (lead, deputy)
    for shift in known:
        missing = [day for day in WEEKDAYS if (shift, day) not in found]
        if missing:
            raise ConfigError(f"{where}: nobody is on duty in the shift {shift} on {', '.join(missing)}; add [[duty]]")
    return found


def _days(entry: Mapping[str, Any], place: str) -> list[Day]:
    days = take(entry, "days", list, place)
    wrong = [day for day in days if day not in (*WEEKDAYS, HOLIDAY) and type(day) is not date]
    if not days or wrong:
        raise ConfigError(
            f"{place}: days must list {', '.join(WEEKDAYS)}, {HOLIDAY} or days as 2027-02-06"
            + (f", not {wrong[0]!r}" if wrong else "")
        )
    return list(days)


def _absences(table: Mapping[str, Any], contacts: Collection[str], zone: ZoneInfo, where: str) -> tuple[Absence, ...]:
    """`from` and `to` are both days (the last one included) or both times; a time without offset is city time."""
    found = []
    for place, entry in _entries(table, "absence", ("contact", "from", "to"), where):
        contact = _one_of(entry, "contact", contacts, place)
        begin, end = take(entry, "from", date, place), take(entry, "to", date, place)  # a datetime is a date too
        timed = isinstance(begin, datetime)
        if timed is not isinstance(end, datetime):
            raise ConfigError(f"{place}: from and to must both be days, or both be times")
        if timed:
            begin, end = (one if one.tzinfo else one.replace(tzinfo=zone) for one in (begin, end))
        if end < begin or end - begin > LONGEST_ABSENCE:
            raise ConfigError(f"{place}: to must lie after from, and not more than {LONGEST_ABSENCE.days} days")
        found.append(
            Absence(contact=contact, since=begin.astimezone(UTC), until=end.astimezone(UTC))
            if timed
            else Absence(contact=contact, first=begin, last=end)
        )
    return tuple(found)


def _ladder(
    table: Mapping[str, Any], contacts: Collection[str], has_shifts: bool, where: str
) -> dict[str, tuple[Rung, ...]]:
    found: dict[str, list[Rung]] = {}
    for place, entry in _entries(table, "ladder", ("priority", "after_min", "to"), where):
        priority = _one_of(entry, "priority", PRIORITIES, place)
        minutes = take(entry, "after_min", int, place)
        rungs = found.setdefault(priority, [])
        if minutes < 1 or (rungs and timedelta(minutes=minutes) <= rungs[-1].after):
            raise ConfigError(f"{place}: after_min {minutes} must be 1 or more, and more than that of the rung before")
        on_duty = (LEAD, DEPUTY) if has_shifts else ()
        rungs.append(Rung(after=timedelta(minutes=minutes), to=_one_of(entry, "to", (*on_duty, *contacts), place)))
    return {priority: tuple(rungs) for priority, rungs in found.items()}


def _positions(table: Mapping[str, Any], where: str) -> tuple[Position, ...]:
    found: list[Position] = []
    taken: dict[str, str] = {}
    for place, entry in _entries(table, "position", ("key", "name_vi", "name_en", "domains"), where):
        key, name_vi = _text(entry, "key", place), _text(entry, "name_vi", place)
        domains = take(entry, "domains", list, place)
        for domain in domains:
            if domain not in DOMAINS:
                raise ConfigError(f"{place}: domain {domain!r} is not one of {', '.join(DOMAINS)}")
            if domain in taken:
                raise ConfigError(f"{place}: {taken[domain]} watches {domain} already; a domain has one seat")
            taken[domain] = key
        name_en = _text(entry, "name_en", place, name_vi)
        found.append(Position(key=key, name_vi=name_vi, name_en=name_en, domains=tuple(domains)))
    _refuse_twice([position.key for position in found], "position", "key", where)
    return tuple(found)


def _somebody_is_always_there(roster: Roster, where: str) -> None:
    """Refuse absences that leave a shift without lead and deputy, looked at where a shift or an absence begins."""
    moments = {_utc(day, shift.starts, roster.zone) for day in _absent_days(roster) for shift in roster.shifts}
    moments |= {absence.since for absence in roster.absences if absence.since is not None}
    for now in sorted(moments):
        shift = roster.shift_at(now)
        if shift is None:
            continue
        day = shift.starts_at.astimezone(roster.zone).date()
        if any(one.contact == shift.lead.key and one.covers(day, now) for one in roster.absences):
            raise ConfigError(
                f"{where}: [[absence]]: in the shift {shift.key} of {day} neither lead nor deputy is there "
                f"({shift.lead.key}); add a [[duty]] with days = [{day}]"
            )


def _absent_days(roster: Roster) -> set[date]:
    """Every day that an absence touches. A night shift that it reaches into is met where the absence begins."""
    found: set[date] = set()
    for absence in roster.absences:
        first = absence.first or (absence.since.astimezone(roster.zone).date() if absence.since else None)
        last = absence.last or (absence.until.astimezone(roster.zone).date() if absence.until else None)
        if first is not None and last is not None:
            found |= {first + number * ONE_DAY for number in range((last - first).days + 1)}
    return found


def _entries(
    table: Mapping[str, Any], name: str, known: tuple[str, ...], where: str
) -> list[tuple[str, Mapping[str, Any]]]:
    """(place, entry) of every [[name]], with unknown keys refused."""
    found = []
    for number, entry in enumerate(take(table, name, list, where, []), start=1):
        place = f"{where}: [[{name}]] number {number}"
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{place}: must be written as [[{name}]]")
        _refuse_unknown(entry, known, place)
        found.append((place, entry))
    return found


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")


def _refuse_twice(values: list[str], entry: str, key: str, where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{where}: [[{entry}]]: {key} {value} is given twice")


def _text(entry: Mapping[str, Any], key: str, place: str, default: Any = ...) -> str:
    text = str(take(entry, key, str, place, default)).strip()
    if not text:
        raise ConfigError(f"{place}: {key} is empty")
    return text


def _one_of(entry: Mapping[str, Any], key: str, known: Collection[str], place: str) -> str:
    word = str(take(entry, key, str, place))
    if word not in known:
        raise ConfigError(f"{place}: {key} {word!r} is unknown; known are {', '.join(known) or 'none'}")
    return word


def _clock(entry: Mapping[str, Any], key: str, place: str) -> time:
    """«06:00»."""
    text = take(entry, key, str, place)
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise ConfigError(f'{place}: {key} {text!r} must be a time of day such as "06:00"') from error


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
