"""Cases: single files (hồ sơ) and citizen reports (phản ánh), as pseudonyms with their times and never with a text.

Columns: `case_id` str, the source's own number on its way in, a keyed pseudonym once stored · `kind` file | report ·
`category` service or category · `agency` office or unit that answers · `ward` area code or «» · `latitude`,
`longitude` float64 rounded to 0.001 degree (about 100 m) or NaN · `channel` · `received_at`, `acknowledged_at`,
`assigned_at`, `due_at`, `resolved_at`, `closed_at` datetime64[us, UTC] or NaT · `assigned_to` · `reopened_count` int64
· `rating` 1 to 5 or NaN · `source`. Identity of a row: (source, case_id). Names, addresses, pictures and texts of
people have no column here, so they cannot be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError

FILE, REPORT = KINDS = ("file", "report")
TEXTS = ("case_id", "kind", "category", "agency", "ward", "channel", "assigned_to", "source")
TIMES = ("received_at", "acknowledged_at", "assigned_at", "due_at", "resolved_at", "closed_at")
COLUMNS = (
    "case_id", "kind", "category", "agency", "ward", "latitude", "longitude", "channel", "received_at",
    "acknowledged_at", "assigned_to", "assigned_at", "due_at", "resolved_at", "closed_at", "reopened_count", "rating",
    "source",
)  # fmt: skip
IDENTITY = ["source", "case_id"]
PLACE_DECIMALS = 3  # about 100 m: a street, not a door
LONGEST_TEXT = 120  # a category or an office, not a story


def empty() -> pd.DataFrame:
    """The frame with its column types and no row."""
    return frame([])


def frame(rows: pd.DataFrame | Iterable[Mapping[str, Any]], **constants: Any) -> pd.DataFrame:
    """Rows as the frame above: further columns are dropped, missing ones are «», NaN, NaT or 0.

    Raises InputError for a kind that does not exist, a row without number or without the time of its arrival, and for
    times without a zone.
    """
    given = rows.copy() if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    for name, constant in constants.items():
        given[name] = constant
    found: dict[str, Any] = {}
    for name in COLUMNS:
        if name in TEXTS:
            column = given.get(name, pd.Series("", index=given.index))
            found[name] = column.fillna("").astype("str").str.strip().str.slice(0, LONGEST_TEXT)
        elif name in TIMES:
            found[name] = _times(given, name)
        else:
            column = pd.to_numeric(given.get(name, pd.Series(np.nan, index=given.index)))
            found[name] = column.astype("float64").replace([np.inf, -np.inf], np.nan)
    cases = pd.DataFrame(found, index=given.index).reset_index(drop=True)
    for name in ("latitude", "longitude"):
        cases[name] = cases[name].round(PLACE_DECIMALS)
    nowhere = (cases["latitude"] == 0) & (cases["longitude"] == 0) | cases[["latitude", "longitude"]].isna().any(axis=1)
    cases.loc[nowhere, ["latitude", "longitude"]] = np.nan
    cases["rating"] = cases["rating"].where(cases["rating"].between(1, 5))
    cases["reopened_count"] = cases["reopened_count"].fillna(0).clip(lower=0).astype("int64")
    if (~cases["kind"].isin(KINDS)).any():
        raise InputError(f"cases: kind must be {' or '.join(KINDS)}")
    if (cases["case_id"] == "").any() or cases["received_at"].isna().any():
        raise InputError("cases: every row needs case_id and received_at")
    return cases


def _times(given: pd.DataFrame, name: str) -> pd.Series:
    if name not in given or given[name].isna().all():
        return pd.Series(pd.NaT, index=given.index, dtype="datetime64[us, UTC]")
    column = given[name]
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.to_datetime(column)
        if not isinstance(column.dtype, pd.DatetimeTZDtype):
            raise InputError(f"cases: {name} carries no time zone: give it as UTC or with an offset")
    times: pd.Series = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    return times
