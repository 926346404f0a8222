"""The one frame that runs through the house.

Columns: `time` datetime64[us, UTC], END of the averaging period · `site_id` str · `observed_property` str ·
`value` float64 in the catalogue's unit · `quality` str, one of QUALITY (after QARTOD) · `source` str.
Missing is NaN with quality `missing`, never 0. Identity of a row: (time, site_id, observed_property, source).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import InputError

if TYPE_CHECKING:
    from core.catalogue import Catalogue

COLUMNS = ("time", "site_id", "observed_property", "value", "quality", "source")
IDENTITY = ["time", "site_id", "observed_property", "source"]
QUALITY = ("pass", "not_evaluated", "suspect", "fail", "missing")
USABLE = ("pass", "not_evaluated")  # what indicators, alerts and rankings may count
FUTURE_TOLERANCE = timedelta(minutes=5)  # clocks of loggers run fast by minutes, not by hours
EARLIEST = datetime.fromisoformat("1990-01-01T00:00:00+00:00")  # before any digital station here: a broken clock


def empty() -> pd.DataFrame:
    """The frame with its column types and no row."""
    return pd.DataFrame(
        {
            "time": pd.Series([], dtype="datetime64[us, UTC]"),
            "site_id": pd.Series([], dtype="str"),
            "observed_property": pd.Series([], dtype="str"),
            "value": pd.Series([], dtype="float64"),
            "quality": pd.Series([], dtype="str"),
            "source": pd.Series([], dtype="str"),
        }
    )


def frame(rows: pd.DataFrame | Iterable[Mapping[str, Any]], **constants: Any) -> pd.DataFrame:
    """Rows as the one frame: columns in order, types fixed, `constants` filled in, sorted by nothing.

    Quality defaults to `not_evaluated`, and to `missing` wherever the value is NaN.
    Raises InputError when a column is missing or a time carries no zone.
    """
    data = rows.copy() if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    if data.empty:
        return empty()
    for name, constant in constants.items():
        data[name] = constant
    if "quality" not in data:
        data["quality"] = "not_evaluated"
    lacking = [name for name in COLUMNS if name not in data]
    if lacking:
        raise InputError(f"observations lack the column {', '.join(lacking)}")
    time = data["time"]
    if not isinstance(time.dtype, pd.DatetimeTZDtype):
        time = pd.to_datetime(time, utc=False)
        if not isinstance(time.dtype, pd.DatetimeTZDtype):
            raise InputError("observation times carry no time zone: give them as UTC or with an offset")
    value = pd.to_numeric(data["value"]).astype("float64").replace([np.inf, -np.inf], np.nan)
    quality = data["quality"].astype("str").where(value.notna(), "missing")
    return pd.DataFrame(
        {
            "time": time.dt.tz_convert("UTC").astype("datetime64[us, UTC]"),
            "site_id": data["site_id"].astype("str"),
            "observed_property": data["observed_property"].astype("str"),
            "value": value,
            "quality": quality,
            "source": data["source"].astype("str"),
        }
    ).reset_index(drop=True)


def validate(
    observations: pd.DataFrame, catalogue: Catalogue, site_ids: Collection[str], now: datetime
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split into rows that may be stored and rows set aside with a `reason`; no row is lost.

    A bad row is not a bad source. Reasons: unknown property or site, no time, time in the future or before 1990,
    unknown quality word, value outside the plausible range of the catalogue (kept as `fail` in the store would
    hide it; set aside it is counted and can be read), the same identity twice (the last one is taken).
    Missing values pass as `missing`: that a station said nothing is knowledge too.
    """
    if observations.empty:
        return empty(), empty().assign(reason=pd.Series([], dtype="str"))
    data = observations.reset_index(drop=True)
    reason = pd.Series("", index=data.index, dtype="str")

    def mark(bad: pd.Series, words: str) -> None:
        nonlocal reason
        reason = reason.mask(bad & (reason == ""), words)

    mark(data["time"].isna(), "no_time")
    mark(data["time"] > pd.Timestamp(now + FUTURE_TOLERANCE), "time_in_the_future")
    mark(data["time"] < pd.Timestamp(EARLIEST), "time_before_1990")
    mark(~data["observed_property"].isin(list(catalogue)), "unknown_property")
    mark(~data["site_id"].isin(list(site_ids)), "unknown_site")
    mark(~data["quality"].isin(QUALITY), "unknown_quality")
    low = data["observed_property"].map({key: item.low for key, item in catalogue.items()}).astype("float64")
    high = data["observed_property"].map({key: item.high for key, item in catalogue.items()}).astype("float64")
    mark(data["value"] < low, "below_plausible_range")
    mark(data["value"] > high, "above_plausible_range")
    twice = data[reason == ""].duplicated(IDENTITY, keep="last")  # a bad twin must not push a good row out
    mark(twice.reindex(data.index, fill_value=False), "same_row_twice")
    bad = reason != ""
    return data[~bad].reset_index(drop=True), data[bad].assign(reason=reason[bad]).reset_index(drop=True)


def to_csv(observations: pd.DataFrame, stream: IO[str] | None = None) -> str:
    """CSV of the one frame, times as ISO 8601 with Z, a header also when there is no row."""
    data = observations.loc[:, list(COLUMNS)].copy()
    data["time"] = data["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").str.replace(".000000Z", "Z", regex=False)
    text = data.to_csv(index=False, lineterminator="\n")
    if stream is not None:
        stream.write(text)
    return text


def from_csv(text: str | IO[str], name: str = "input") -> pd.DataFrame:
    """Read what `to_csv` wrote (columns in any order). Raises InputError that names the file and what is wrong."""
    try:
        data = pd.read_csv(io.StringIO(text) if isinstance(text, str) else text, dtype="str", keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: not a CSV table ({error})") from error
    lacking = [column for column in ("time", "site_id", "observed_property", "value") if column not in data]
    if lacking:
        raise InputError(
            f"{name}: the column {', '.join(lacking)} is missing; the first line must hold {','.join(COLUMNS)}"
        )
    written = data["value"].str.strip()
    data["value"] = pd.to_numeric(written, errors="coerce")
    wrong = data["value"].isna() & ~written.str.lower().isin(["", "nan"])
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise InputError(f"{name}: line {line + 2}: {written.iloc[line]!r} is no number; leave a missing value empty")
    data["time"] = pd.to_datetime(data["time"], utc=True, errors="coerce", format="ISO8601")
    if data["time"].isna().any():
        line = int(data["time"].isna().to_numpy().argmax()) + 2
        raise InputError(f"{name}: line {line}: the time is not ISO 8601")
    return frame(data, **({} if "source" in data else {"source": "csv"}))
