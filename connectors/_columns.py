"""Tables of any origin (CKAN, OGC features) as observations: the options say which column holds what.

    columns = [{ column = "PM2.5 (µg/m³)", property = "pm25" },
               { column = "gia_tri", property = "no2", unit = "ppb", where = { thong_so = "NO2" } }]
    time = "Thời gian"    site = "Mã trạm"    sites = { "T01" = "air_01" }    site_id = "air_01"
    missing = [-999]      start_label_min = 60

A unit may be left out where it stands in brackets at the end of the column's name. Without `columns`, those columns
are taken whose name is a key of the catalogue with its unit in brackets; without `time`, a column of a usual name.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from connectors._rows import known_property, label, option_number, site_of
from connectors._text import instant, number
from connectors._units import canonical, catalogue_units, convert
from core.errors import ConfigError, InputError, SourceChanged

MISSING = (-999.0, -9999.0, -99999.0)  # what loggers write for «no value»; no property of the catalogue reaches them
TIME_NAMES = ("time", "datetime", "timestamp", "phenomenontime", "resulttime", "dateobserved", "thoigian", "ngaygio")
SITE_NAMES = ("siteid", "site", "station", "stationid", "stnid", "stationcode", "matram", "tram")
BRACKETS = re.compile(r"^(.*?)\s*[(\[]([^()\[\]]+)[)\]]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of values: where it is, what it means, and which records of the table it speaks for."""

    column: str
    key: str
    unit: str
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns of a table mean."""

    columns: tuple[Column, ...]
    time: str
    site: str | None
    missing: tuple[float, ...]
    start_label: timedelta
    site_id: str | None


def layout(names: Sequence[str], options: Mapping[str, Any]) -> Layout:
    """The meaning of the columns `names`. Raises InputError that lists them when time or values cannot be told."""
    listed = ", ".join(label(each) for each in names)[:300] or "none"
    columns = _chosen(options["columns"]) if "columns" in options else _recognised(names)
    absent = [each.column for each in columns if each.column not in names]
    if not columns or len(absent) == len(columns):
        raise InputError(
            f"no column is known to hold observations: name them in the option columns; there are {listed}"
        )
    time = options.get("time") or next((each for each in names if _folded(each) in TIME_NAMES), None)
    if time not in names:
        raise InputError(f"no column is known to hold the time: name it in the option time; there are {listed}")
    site = options.get("site") or next((each for each in names if _folded(each) in SITE_NAMES), None)
    if "site" in options and site not in names:
        raise InputError(f"the column {label(site)} of the option site is not there; there are {listed}")
    missing = options.get("missing", MISSING)
    if not isinstance(missing, list | tuple):
        raise ConfigError("the option missing is no list of numbers, e.g. [-999]")
    return Layout(
        columns=columns,
        time=str(time),
        site=site,
        missing=tuple(number(each) for each in missing),
        start_label=timedelta(minutes=option_number(options, "start_label_min", 0.0)),
        site_id=options.get("site_id"),
    )


def rows(
    records: Iterable[tuple[Mapping[str, Any], str]],
    meaning: Layout,
    options: Mapping[str, Any],
    zone: tzinfo | None,
) -> list[dict[str, Any]]:
    """One row per record and column. A record comes with the name of its place, for where no column tells the site.

    Raises InputError for a time without offset and no zone, SourceChanged for a unit that is unknown.
    """
    found = []
    for record, place in records:
        site_id = meaning.site_id or site_of([_text(record.get(meaning.site)) if meaning.site else "", place], options)
        if site_id is None:
            continue
        moment = _moment(record.get(meaning.time), meaning.start_label, zone)
        for column in meaning.columns:
            if column.column not in record:
                continue
            if any(_text(record.get(name)) != wanted for name, wanted in column.where.items()):
                continue
            value = number(record[column.column])
            if value in meaning.missing:
                value = math.nan
            elif not math.isnan(value):
                value = convert(value, column.unit, catalogue_units()[column.key], column.key)
            found.append({"time": moment, "site_id": label(site_id), "observed_property": column.key, "value": value})
    return found


def _moment(told: object, start_label: timedelta, zone: tzinfo | None) -> datetime | None:
    """The END of the period. A bare date is a whole day, which ends at the next midnight."""
    moment = instant(told, zone)
    if moment is None:
        return None
    day = timedelta(days=1) if re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*", str(told)) else timedelta(0)
    try:
        return moment + start_label + day
    except OverflowError:
        return None


def _chosen(told: object) -> tuple[Column, ...]:
    if not isinstance(told, list) or not all(isinstance(each, Mapping) for each in told):
        raise ConfigError('the option columns is no list of tables such as { column = "PM10", property = "pm10", … }')
    found = []
    for each in told:
        column, key, where = str(each.get("column", "")), known_property(each.get("property")), each.get("where", {})
        if not isinstance(where, Mapping):
            raise ConfigError(f"the option columns: where of {column} is no table of column and value")
        unit = each.get("unit") or _bracketed(column)[1]
        if not unit:
            raise ConfigError(f"the option columns: {column} has no unit: add one, as in unit = 'ug/m3'")
        convert(0.0, str(unit), catalogue_units()[key], key)  # an unknown unit is an error before any value comes
        wanted = {str(name): _text(value) for name, value in where.items()}
        found.append(Column(column=column, key=key, unit=str(unit), where=wanted))
    return tuple(found)


def _recognised(names: Iterable[str]) -> tuple[Column, ...]:
    """Columns such as «PM2.5 (µg/m³)»: a key of the catalogue, and a unit that the table of units knows."""
    keys = {_folded(key): key for key in catalogue_units()}
    found = []
    for name in names:
        stem, unit = _bracketed(name)
        key = keys.get(_folded(stem))
        if key is None or not unit:
            continue
        try:
            canonical(unit)
        except SourceChanged:
            continue
        found.append(Column(column=name, key=key, unit=unit))
    return tuple(found)


def _bracketed(name: str) -> tuple[str, str]:
    """«PM2.5 (µg/m³)» as its name and its unit; the unit is empty where there are no brackets."""
    found = BRACKETS.match(name)
    return (found[1], found[2]) if found else (name, "")


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else label(value)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum() and not unicodedata.combining(letter))
