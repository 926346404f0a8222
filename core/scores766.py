"""Where the counts and the published scores of Decision 766 lie, and which repairs of data the city knows of.

config/<city>/qd766.toml: counts = a CSV below data/<city>/ (period_end, unit, part, numerator, denominator; «KAD» in
denominator: the part does not hold for the unit), published = a table that the connector dvc_766 reads (what a source
brings itself comes first), and [[repair]] with unit, on (a day), cause and words, for what only people know.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from core.config import City
from core.errors import ConfigError, InputError
from core.quality import CAUSES
from core.toml_files import read_toml, shown_path, take

FILE = "qd766.toml"
NOT_APPLICABLE = "KAD"
COUNT_COLUMNS = ["period_end", "unit", "part", "numerator", "denominator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores766:
    """The files of one city; None where none is configured."""

    counts: Path | None = None
    published: Path | None = None
    repairs: tuple[tuple[str, date, str, str], ...] = ()  # unit, day, cause, words


def load_scores766(city: City) -> Scores766:
    """Raises ConfigError for an unknown key, a unit that does not exist, or a file outside of data/<city>/."""
    path = city.folder / FILE
    if not path.is_file():
        return Scores766()
    table, where = read_toml(path), shown_path(path)
    unknown = sorted(set(table) - {"counts", "published", "repair"})
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}")
    repairs = []
    for number, one in enumerate(take(table, "repair", list, where, []), start=1):
        place = f"{where}: [[repair]] number {number}"
        unit, cause = take(one, "unit", str, place, ""), take(one, "kind", str, place)
        if (unit and unit not in city.sites.index) or cause not in CAUSES:
            raise ConfigError(f"{place}: unit must be in sites.toml and kind one of {', '.join(CAUSES)}")
        repairs.append((unit, take(one, "on", date, place), cause, take(one, "words_vi", str, place, "")))
    return Scores766(
        counts=_file(city, take(table, "counts", str, where, ""), where),
        published=_file(city, take(table, "published", str, where, ""), where),
        repairs=tuple(repairs),
    )


def _file(city: City, name: str, where: str) -> Path | None:
    if not name:
        return None
    path = (city.data_folder / name).resolve()
    if not path.is_relative_to(city.data_folder.resolve()):
        raise ConfigError(f"{where}: {name} must lie below data/{city.key}/")
    return path


def read_counts(path: Path, zone: ZoneInfo) -> pd.DataFrame:
    """period_end (datetime64[us, UTC], midnight after its last day), unit, part, numerator, denominator, applicable.

    Raises InputError with the line of what cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name}: không đọc được ({type(error).__name__})") from error
    given = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    if list(given.columns) != COUNT_COLUMNS:
        raise InputError(f"{path.name}: cần đúng các cột {', '.join(COUNT_COLUMNS)}")
    applicable = given["denominator"] != NOT_APPLICABLE
    for name in ("numerator", "denominator"):
        numbers = pd.to_numeric(given[name].where(applicable & (given[name] != "")), errors="coerce")
        wrong = numbers.isna() & applicable & (given[name] != "")
        if wrong.any():
            raise InputError(f"{path.name}, dòng {int(wrong.argmax()) + 2}: {name} không phải là số")
        given[name] = numbers.astype("float64")
    try:
        ends = [
            datetime.combine(date.fromisoformat(one) + timedelta(days=1), time(0), zone) for one in given["period_end"]
        ]
    except ValueError as error:
        raise InputError(f"{path.name}: period_end phải là ngày như 2026-10-31 ({error})") from error
    moments = pd.Series(pd.to_datetime(ends, utc=True), index=given.index).astype("datetime64[us, UTC]")
    return given.assign(period_end=moments, applicable=applicable)
