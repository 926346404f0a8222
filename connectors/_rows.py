"""What connectors of tables, entities and publications share: clean labels, sites by option, times that were told.

A row is the mapping that core.observations.frame takes: time, site_id, observed_property, value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from connectors._units import catalogue_units
from core import observations
from core.errors import ConfigError, SourceChanged


def label(value: object) -> str:
    """A name or id of a source on one line; halves of a surrogate pair, which no file can hold, become «?»."""
    return " ".join(str(value).split()).encode("utf-8", errors="replace").decode("utf-8")


def told_frame(rows: Sequence[Mapping[str, Any]], *, source: str, name: str) -> pd.DataFrame:
    """Rows as the one frame; a time that is None is empty there, and set aside later.

    Raises SourceChanged when there are rows and not one of them has a time.
    """
    if rows and all(row["time"] is None for row in rows):
        raise SourceChanged(f"{name}: not one time can be read (ISO 8601 is promised): check which field holds it")
    stamped = [{**row, "time": pd.NaT if row["time"] is None else pd.Timestamp(row["time"])} for row in rows]
    return observations.frame(stamped, source=source)


def site_of(names: Iterable[str], options: Mapping[str, Any]) -> str | None:
    """The site of something that the source calls by `names`: by the option `sites`, None when that does not list it.

    Without the option the first name that is not empty. Raises ConfigError for an option that is no table.
    """
    known = [name for name in names if name]
    chosen = options.get("sites")
    if chosen is None:
        return known[0] if known else None
    if not isinstance(chosen, Mapping):
        raise ConfigError('the option sites is no table of the form { "name at the source" = "site_id" }')
    return next((str(chosen[name]) for name in known if name in chosen), None)


def site_or_name(names: Sequence[str], options: Mapping[str, Any]) -> str:
    """The same; but what the option does not list keeps its first name, «» where it has none."""
    return site_of(names, options) or next((name for name in names if name), "")


def known_property(key: object) -> str:
    """The key, when it is in the catalogue. Raises ConfigError that names it otherwise."""
    if not isinstance(key, str) or key not in catalogue_units():
        raise ConfigError(f"the property {key!r} is not in data/catalogue: mend the options of the source")
    return key


def option_number(options: Mapping[str, Any], name: str, default: float) -> float:
    """An option that is a finite number. Raises ConfigError for anything else."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e6:
        raise ConfigError(f"the option {name} is no sensible number: {value!r}")
    return float(value)


def utc_text(moment: datetime) -> str:
    """A moment as servers take it in a query: 2026-01-05T00:00:00Z."""
    return pd.Timestamp(moment).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
