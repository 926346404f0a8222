"""Frames and alerts on their way into SQL and back: pure conversions, no query."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from core.alert import Alert, AlertEvent
from core.errors import InputError
from core.observations import COLUMNS, IDENTITY, QUALITY

ALERT_TYPES: Final = {
    "rule": "VARCHAR",
    "site_id": "VARCHAR",
    "active": "BOOLEAN",
    "acked": "BOOLEAN",
    "hidden": "VARCHAR",
    "hidden_until": "TIMESTAMP",
    "hidden_reason": "VARCHAR",
    "priority": "VARCHAR",
    "value": "DOUBLE",
    "seen_at": "TIMESTAMP",
    "turning_since": "TIMESTAMP",
    "raised_at": "TIMESTAMP",
    "cleared_at": "TIMESTAMP",
    "acked_at": "TIMESTAMP",
    "acked_by": "VARCHAR",
    "stale": "BOOLEAN",
}
EVENT_TYPES: Final = {
    "happened_at": "TIMESTAMP",
    "rule": "VARCHAR",
    "site_id": "VARCHAR",
    "state_before": "VARCHAR",
    "state_after": "VARCHAR",
    "priority": "VARCHAR",
    "value": "DOUBLE",
    "actor": "VARCHAR",
    "deed": "VARCHAR",
    "reason": "VARCHAR",
}


def naive(moment: datetime, what: str) -> datetime:
    """Aware time -> UTC without a zone. Raises InputError for a time that has none."""
    if moment.tzinfo is None:
        raise InputError(f"{what} {moment.isoformat()} carries no time zone: give it as aware UTC")
    return moment.astimezone(UTC).replace(tzinfo=None)


def utc_without_zone(time: pd.Series[Any]) -> pd.Series[Any]:
    if not isinstance(time.dtype, pd.DatetimeTZDtype):
        raise InputError("observation times carry no time zone: give them as datetime64[us, UTC]")
    plain: pd.Series[Any] = time.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    return plain


def incoming(observations: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The one frame as numbers (position, time, value, quality) and its series (position, site, property, source).

    Words travel once per series instead of once per row. Raises InputError.
    """
    lacking = [name for name in COLUMNS if name not in observations]
    if lacking:
        raise InputError(f"observations lack the column {', '.join(lacking)}")
    time = utc_without_zone(observations["time"]).reset_index(drop=True)
    words = [name for name in IDENTITY if name != "time"]
    combined = np.zeros(len(observations), dtype="int64")
    for name in words:
        codes, found = pd.factorize(observations[name])
        if (codes < 0).any():
            raise InputError(f"observations: row {int((codes < 0).argmax()) + 1} has no {name}: set it aside instead")
        combined = combined * len(found) + codes
    if time.isna().any():
        raise InputError(f"observations: row {int(time.isna().argmax()) + 1} has no time: set it aside instead")
    codes, found = pd.factorize(observations["quality"])
    known = np.append(pd.Index(QUALITY).get_indexer(pd.Index(found)), -1)[codes]  # no word at all is -1 as well
    if (known < 0).any():
        row = int((known < 0).argmax())
        word = observations["quality"].iloc[row]
        raise InputError(f"observations: row {row + 1} has quality {word!r}: it must be one of {', '.join(QUALITY)}")
    value = observations["value"].to_numpy(dtype="float64")
    if np.isinf(value).any():
        row = int(np.isinf(value).argmax())
        raise InputError(f"observations: row {row + 1} has an infinite value: set it aside instead")
    position, _ = pd.factorize(combined)
    quality = pd.Categorical.from_codes(known, categories=pd.Index(QUALITY))
    rows = pd.DataFrame({"position": position, "time": time, "value": value, "quality": quality})
    firsts = ~pd.Series(position).duplicated().to_numpy()
    keys = observations.loc[firsts, words].assign(position=position[firsts])
    return rows[~rows.duplicated(["position", "time"], keep="last")], keys


def attributed(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The fixed columns of a dimension, and whatever else config says about an entry as one JSON object."""
    further = [name for name in frame if name not in columns]
    attributes = [
        json.dumps({key: value for key, value in record.items() if not _absent(value)}, ensure_ascii=False, default=str)
        for record in frame[further].to_dict("records")
    ]
    return frame.loc[:, list(columns)].reset_index(drop=True).assign(attributes=attributes)


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def unnested(types: Mapping[str, str]) -> str:
    """SQL that turns one list per column into rows."""
    return "SELECT " + ", ".join(f"unnest(${name}::{kind}[]) AS {name}" for name, kind in types.items())


def columns(records: Iterable[Alert] | Iterable[AlertEvent], types: Mapping[str, str]) -> dict[str, list[Any]]:
    """Records as one list per column; aware times become UTC without a zone."""
    found: dict[str, list[Any]] = {name: [] for name in types}
    for record in records:
        for name in types:
            value = getattr(record, name)
            found[name].append(naive(value, name) if isinstance(value, datetime) else value)
    return found


def alert_of(row: Sequence[Any]) -> Alert:
    """One row of the table `alerts`, in the order of ALERT_TYPES."""
    return Alert(**{name: _aware(value) for name, value in zip(ALERT_TYPES, row, strict=True)})


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def frame_of(data: pd.DataFrame) -> pd.DataFrame:
    """What DuckDB gave as the house wants it: times aware UTC in microseconds, words as str, numbers as they are."""
    for name in data:
        if data[name].dtype == "category":
            data[name] = data[name].astype("str")
        elif data[name].dtype.kind == "M":
            data[name] = data[name].astype("datetime64[us]").dt.tz_localize("UTC")
    return data
