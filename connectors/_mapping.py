"""Records of any shape -> rows: what the options of a source say about where things stand and what they mean here.

A text that begins with «/» is a JSON Pointer into the record, any other text stands for itself:

    records = "/data/items"     where the list of records stands; "" is the reply itself; one object is one record
    time = "/at"                value = "/v"           site = "/station/id"      property = "pm25"
    unit = "/unit"              quality = "/flag"      (unit = "ug/m3" for all)
    values = [{ value = "/pm25", property = "pm25", unit = "ug/m3" }, …]      several values in one record
    units = { "PM2.5" = "ug/m3" }                      unit by the source's own name of the property
    sites = { "their name" = "site_id" }               only these are taken then
    properties = { "their name" = "catalogue key" }
    time_format = "s" | "ms" | "%d/%m/%Y %H:%M"        else ISO 8601; a bare date ends at the next midnight
    zone = "Asia/Ho_Chi_Minh"                          for times without an offset, which are never guessed
    start_label_min = 60                               the label is the START of a period of so many minutes

A factor is no option: a unit says the same and can be checked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from connectors._contract import Payload
from connectors._http import read_json
from connectors._pointer import ABSENT, at, steps
from connectors._rows import known_property, label, option_number, told_frame
from connectors._text import instant, number
from connectors._units import catalogue_units, convert
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused

FIELDS = ("time", "value", "site", "property", "unit", "quality")
OPTIONS = frozenset({
    *FIELDS, "records", "values", "units", "sites", "properties", "time_format", "zone", "start_label_min",
})  # fmt: skip
HOUSE = {  # the shape that this house proposes to whoever may choose
    "records": "/observations",
    "time": "/time",
    "value": "/value",
    "site": "/site_id",
    "property": "/observed_property",
    "unit": "/unit",
    "quality": "/quality",
}
QUALITY = {  # words of loggers, QARTOD flags and OPC UA -> ours
    "pass": "pass", "good": "pass", "ok": "pass", "valid": "pass", "1": "pass",
    "not_evaluated": "not_evaluated", "": "not_evaluated", "2": "not_evaluated",
    "suspect": "suspect", "uncertain": "suspect", "3": "suspect",
    "fail": "fail", "bad": "fail", "invalid": "fail", "4": "fail",
    "missing": "missing", "9": "missing",
}  # fmt: skip
WORDS_MAX = 80
_FACTORS = ("multiplier", "factor", "scale", "offset")
_BARE_DATE = re.compile(r"\s*\d{4}-?\d{2}-?\d{2}\s*")


def text_table(options: Mapping[str, Any], name: str, where: str) -> Mapping[str, str]:
    """The option `name`, a table of texts; empty without it. Raises ConfigError for anything else."""
    table = options.get(name, {})
    if not isinstance(table, Mapping) or not all(isinstance(text, str) for text in table.values()):
        raise ConfigError(
            f'{where}: the option {name} is a table of texts, for example {{ "their name" = "our name" }}'
        )
    return table


def zone_of(options: Mapping[str, Any], context: Mapping[str, Any], where: str) -> tzinfo | None:
    """The zone of times without an offset: the option `zone`, else what the command line said. Raises ConfigError."""
    name = options.get("zone")
    if name is None:
        told = context.get("zone")
        return told if isinstance(told, tzinfo) else None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        raise ConfigError(f"{where}: the zone {name!r} is unknown; an example is Asia/Ho_Chi_Minh") from None


def read_time(value: object, time_format: str = "", zone: tzinfo | None = None) -> datetime | None:
    """A moment as aware UTC; None when it cannot be read. A bare date is a day, labelled with its END.

    Raises InputError for a time without an offset when no zone is given, and for a number when no format says whether
    it counts seconds or milliseconds.
    """
    if time_format in ("s", "ms"):
        seconds = number(value) / (1000 if time_format == "ms" else 1)
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InputError(f'the time {str(value)[:WORDS_MAX]} is a number: say time_format = "s" or "ms"')
    if not isinstance(value, str):
        return None
    day = bool(_BARE_DATE.fullmatch(value))
    if time_format:
        try:
            value = datetime.strptime(value.strip(), time_format).isoformat()
        except ValueError:
            return None
        day = not any(mark in time_format for mark in ("%H", "%I", "%c", "%X", "%s"))
    if not day:
        return instant(value, zone)
    begin = instant(value.strip(), zone)
    if begin is None:
        return None
    try:
        if zone is None:
            return begin + timedelta(days=1)
        return (begin.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None


def read_quality(value: object) -> str:
    """A quality word of ours. A word that nobody knows is suspect: it may mean anything, so it is not counted."""
    if value is None or value is ABSENT:
        return "not_evaluated"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return QUALITY.get(str(value).strip().casefold(), "suspect")


def name_of(value: object) -> str:
    """A name or number as one line of text; empty for null and for what is no name."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return label(value)


def in_house(name: str, value: float, unit: str | None, connector: str) -> tuple[str, float]:
    """(observed property, value in the unit of the catalogue) of a value that its source calls `name`.

    A name that the catalogue does not have becomes «connector:name» in the unit of the source. `unit` None means that
    none was given: only a pure number may go without. Raises SourceChanged.
    """
    ours = catalogue_units()
    if name not in ours:
        return f"{connector}:{name or 'value'}", value
    if math.isnan(value):
        return name, value
    if unit is None and ours[name] != "1":
        raise SourceChanged(f"{name} comes without a unit: say the option unit, for example {ours[name]}")
    return name, convert(value, unit or "", ours[name], name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field of a record: the place where it stands, or a text for all."""

    literal: str | None = None
    tokens: tuple[str, ...] = ()

    def of(self, record: Any) -> Any:
        """What the field holds in that record, or ABSENT."""
        return at(record, self.tokens) if self.literal is None else self.literal


def place(text: object, where: str) -> Place:
    """«/…» as a pointer, "" as «not given», any other text as itself. Raises ConfigError."""
    if not isinstance(text, str):
        raise ConfigError(f"{where}: {text!r} is neither a JSON Pointer such as /value nor a text")
    return Place(tokens=steps(text, where)) if text.startswith("/") else Place(literal=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one kind of record becomes rows. Made by `recipe`; `connector` is the key, for names that nobody knows."""

    connector: str
    records: tuple[str, ...]
    time: Place
    site: Place
    values: tuple[Mapping[str, Place], ...]  # each with value, property, unit, quality
    units: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    time_format: str = ""
    zone: tzinfo | None = None
    start_label: timedelta = timedelta(0)

    def records_of(self, document: Any, name: str) -> list[Any]:
        """The records of a reply. Raises SourceChanged where none are."""
        found = at(document, self.records)
        shown = "/" + "/".join(self.records) if self.records else "the reply"
        if found is ABSENT:
            raise SourceChanged(f"{name}: nothing stands at {shown}, where the records are expected: mend `records`")
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list) or not all(isinstance(record, dict | list) for record in found):
            raise SourceChanged(f"{name}: {shown} holds no records (a list of objects): mend `records`")
        return found

    def rows(
        self, records: Sequence[Any], name: str, *, site: str, received_at: datetime | None = None
    ) -> list[dict[str, Any]]:
        """One row per record and value. `site` is for records that name none; `received_at` dates those without time.

        Raises SourceChanged for a unit that is unknown or missing, and where a field stands in no record at all.
        """
        found: list[dict[str, Any]] = []
        values = 0
        for record in records:
            moment = self.moment(record, received_at)
            site_id = name_of(self.site.of(record)) or site
            if self.sites and site_id not in self.sites:
                values += 1  # not asked for, so not judged
                continue
            for places in self.values:
                told = places["value"].of(record)
                values += told is not ABSENT
                try:
                    found.append(self._row(record, places, told, moment, self.sites.get(site_id, site_id)))
                except SourceChanged as error:
                    raise SourceChanged(f"{name}: {error}") from error
        if records and not values:
            raise SourceChanged(f"{name}: no record holds a value at the place that is named: mend `value`")
        return found

    def moment(self, record: Any, received_at: datetime | None = None) -> datetime | None:
        """END of the record's period in UTC, or None. Raises InputError where only a guess could tell."""
        told = self.time.of(record)
        if told is ABSENT or told is None:
            return received_at
        moment = read_time(told, self.time_format, self.zone)
        try:
            return None if moment is None else moment + self.start_label
        except OverflowError:
            return None

    def _row(
        self, record: Any, places: Mapping[str, Place], told: Any, moment: datetime | None, site_id: str
    ) -> dict[str, Any]:
        theirs = name_of(places["property"].of(record))
        unit = places["unit"].of(record)
        written = self.units.get(theirs) or (None if unit is ABSENT or unit is None or unit == "" else name_of(unit))
        quality = read_quality(places["quality"].of(record))
        value = math.nan if told is ABSENT or quality == "missing" else number(told)
        key, value = in_house(self.properties.get(theirs, theirs), value, written, self.connector)
        return {
            "time": moment,
            "site_id": site_id,
            "observed_property": key,
            "value": value,
            "quality": quality,
        }


def recipe(
    connector: str,
    options: Mapping[str, Any],
    context: Mapping[str, Any],
    *,
    defaults: Mapping[str, str] = HOUSE,
    also: Iterable[str] = (),
) -> Recipe:
    """The recipe that the options of a source describe. Raises ConfigError for an option that is unknown or unusable.

    `also` names options that belong to the connector itself; `defaults` stand for what is not said.
    """
    where = f"source {context.get('source', connector)}"
    for name in _names(options):
        if name in _FACTORS:
            raise ConfigError(f"{where}: {name} is no option: say the unit of the source, which can be checked")
        if name not in OPTIONS and name not in also:
            raise ConfigError(f"{where}: unknown option {name}; known are {', '.join(sorted({*OPTIONS, *also}))}")
    said = {**defaults, **{name: options[name] for name in (*FIELDS, "records") if name in options}}
    several = options.get("values", [{}])
    if not isinstance(several, list) or not several or not all(isinstance(one, Mapping) for one in several):
        raise ConfigError(
            f'{where}: values is a list such as [{{ value = "/pm25", property = "pm25", unit = "ug/m3" }}]'
        )
    for one in several:
        if wrong := set(one) - {"value", "property", "unit", "quality"}:
            raise ConfigError(
                f"{where}: values: unknown {', '.join(sorted(wrong))}; known: value, property, unit, quality"
            )
    properties = text_table(options, "properties", where)
    for key in properties.values():
        known_property(key)
    time_format = options.get("time_format", "")
    if not isinstance(time_format, str) or (time_format not in ("", "s", "ms") and "%" not in time_format):
        raise ConfigError(f"{where}: time_format {time_format!r} is not s, ms or a pattern such as %d/%m/%Y %H:%M")
    return Recipe(
        connector=connector,
        records=steps(said.get("records", ""), where),
        time=place(said["time"], where),
        site=place(said["site"], where),
        values=tuple(
            {name: place({**said, **one}[name], where) for name in ("value", "property", "unit", "quality")}
            for one in several
        ),
        units=text_table(options, "units", where),
        sites=text_table(options, "sites", where),
        properties=properties,
        time_format=time_format,
        zone=zone_of(options, context, where),
        start_label=timedelta(minutes=option_number(options, "start_label_min", 0.0)),
    )


def _names(options: Mapping[str, Any]) -> Iterator[str]:
    """All option names, also those inside `values`, where a factor would be written first."""
    yield from options
    for one in options.get("values", ()) if isinstance(options.get("values"), list) else ():
        if isinstance(one, Mapping):
            yield from (name for name in one if name in _FACTORS)


def read_mapped(payload: Payload, connector: str, also: Iterable[str] = ()) -> pd.DataFrame:
    """The one frame from a JSON reply, as its options say; the place that the option `error` names must be empty.

    Raises SourceRefused for an error body, SourceChanged for a reply of another shape, InputError for a time that only
    a guess could place, ConfigError for options that cannot work.
    """
    name, context = payload.name or connector, payload.context
    options = context.get("options", {})
    reading = recipe(connector, options, context, also=also)
    document = read_json(payload.body, name)
    if "error" in options:
        told = at(document, steps(options["error"], f"source {context.get('source', connector)}"))
        if told is not ABSENT and told not in (None, "", False, 0, [], {}):
            raise SourceRefused(f"{name}: the server refuses: {label(told)[:WORDS_MAX]}")
    if isinstance(document, list) and "records" not in options:
        document = {"observations": document}  # the list alone, without its cover
    return read_records(reading, reading.records_of(document, name), name, source=context.get("source", connector))


def read_records(reading: Recipe, records: Sequence[Any], name: str, *, source: str) -> pd.DataFrame:
    """The one frame from records that are at hand; a record that names no site is at the name of the reply."""
    return told_frame(reading.rows(records, name, site=PurePath(name).stem), source=source, name=name)
