"""The regular grid on which indicators stand: usable observations -> one row per mark, one column per site -> results.

A mark is the END of a period and a multiple of it in UTC. A reading belongs to the first mark at or after it, so a
result can never see what came later. Sums run in the order of time and value, so the order of input rows is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.observations import USABLE, empty
from core.window import Window

SOURCE = "indicators"  # the `source` column of everything computed here
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOTHING = timedelta(0)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGITS = 9  # 24/60 must not miss the limit 0.4 by a binary fraction

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Combine = Literal["mean", "sum", "last"]


def microseconds(times: pd.Series | pd.DatetimeIndex) -> Integers:
    """Aware times as whole microseconds since 1970."""
    return pd.DatetimeIndex(times).as_unit("us").asi8


def length_us(span: timedelta) -> int:
    """A span as whole microseconds."""
    return span // MICROSECOND


def reported(window: Window, *keys: str) -> pd.DataFrame:
    """Every row of these properties up to `until`, usable or not."""
    rows = window.observations
    chosen = rows["observed_property"].isin(keys) & (rows["time"] <= pd.Timestamp(window.until))
    return rows[chosen]


def usable(window: Window, key: str, kind: str = "") -> pd.DataFrame:
    """Rows of one property that may be counted, up to `until`.

    With `kind`, sites that the city knows as another kind are left out (a model's value for the whole city is not a
    station); sites whose kind nobody wrote down stay.
    """
    rows = window.observations
    chosen = (rows["observed_property"] == key) & (rows["time"] <= pd.Timestamp(window.until))
    rows = rows[chosen]
    rows = rows[rows["quality"].isin(USABLE) & rows["value"].notna()]
    if kind and "kind" in window.sites:
        kinds = window.sites["kind"].fillna("")
        rows = rows[~rows["site_id"].isin(kinds.index[~kinds.isin((kind, ""))])]
    return rows


def marks(window: Window, period: timedelta, back: timedelta = NOTHING) -> pd.DatetimeIndex:
    """Multiples of `period` with since - back < mark <= until, not reaching back beyond the observations."""
    step = length_us(period)
    first = _first_us(window, back) // step + 1
    last = _stamp(window.until) // step
    return _index(np.arange(first, last + 1, dtype=np.int64) * step)


def day_marks(window: Window) -> pd.DatetimeIndex:
    """Local midnights with since < midnight <= until: the ends of the city's days."""
    first = pd.Timestamp(_first_us(window, NOTHING), unit="us", tz="UTC").tz_convert(window.zone)
    final = pd.Timestamp(window.until).tz_convert(window.zone)
    days = pd.date_range(first.tz_localize(None).normalize(), final.tz_localize(None).normalize(), freq="D")
    ends = pd.DatetimeIndex(days.tz_localize(window.zone)).tz_convert("UTC").as_unit("us")
    return ends[(ends > pd.Timestamp(window.since)) & (ends <= pd.Timestamp(window.until))]


def _stamp(moment: datetime) -> int:
    return int((moment - EPOCH) // MICROSECOND)


def _first_us(window: Window, back: timedelta) -> int:
    """Where the grid may begin: since - back, or the earliest observation when that is later."""
    wanted = _stamp(window.since - back)
    if window.observations.empty:
        return wanted
    return max(wanted, _stamp(window.observations["time"].min()) - 1)


def _index(stamps: Integers) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.Series(stamps.astype("datetime64[us]"))).tz_localize("UTC").as_unit("us")


def wide(rows: pd.DataFrame, times: pd.DatetimeIndex, period: timedelta, combine: Combine = "mean") -> pd.DataFrame:
    """Rows of one property on the marks: index `times`, one column per site in order, NaN where nothing was reported.

    `mean` and `sum` take all readings of a period, also those of several sources; `last` takes the newest one.
    """
    sites, cells, codes, values = _placed(rows, times, period)
    shape = (len(times), len(sites))
    flat = cells * len(sites) + codes
    if combine == "last":
        table = np.full(shape[0] * shape[1], np.nan)
        table[flat] = values  # in the order of time: the newest one stays
    else:
        count = np.bincount(flat, minlength=shape[0] * shape[1])
        total = np.bincount(flat, weights=values, minlength=shape[0] * shape[1])
        divisor = np.maximum(count, 1) if combine == "mean" else 1.0
        table = np.where(count > 0, total / divisor, np.nan)
    return pd.DataFrame(table.reshape(shape), index=times, columns=sites)


def _placed(
    rows: pd.DataFrame, times: pd.DatetimeIndex, period: timedelta
) -> tuple[pd.Index, Integers, Integers, Floats]:
    """Sites, and per reading within the marks its mark, site and value, in the order of time and value."""
    if len(times) == 0 or rows.empty:
        none = np.array([], dtype=np.int64)
        return pd.Index([], dtype="str"), none, none, np.array([], dtype=np.float64)
    stamps = microseconds(rows["time"])
    grid = microseconds(times)
    within = (stamps > grid[0] - length_us(period)) & (stamps <= grid[-1])
    codes, sites = pd.factorize(rows["site_id"].to_numpy()[within], sort=True)
    values = rows["value"].to_numpy(dtype=np.float64)[within]
    stamps = stamps[within]
    order = np.lexsort((values, stamps))
    cells = np.searchsorted(grid, stamps[order])
    return pd.Index(sites, dtype="str"), cells, codes[order].astype(np.int64), values[order]


def rolling_count(table: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Sum over the last `steps` marks, a mark without report counting as none; exact, for whole numbers of events."""
    total = np.cumsum(np.nan_to_num(table.to_numpy()), axis=0)
    earlier = np.zeros_like(total)
    earlier[steps:] = total[:-steps]
    return pd.DataFrame(total - earlier, index=table.index, columns=table.columns)


def with_city(table: pd.DataFrame, city_site: str) -> pd.DataFrame:
    """Counts per site and, under the id of the city, the sum over all of them.

    What a source books on the city itself (a report that nobody could place) belongs to the sum.
    """
    if table.columns.empty:
        return table
    city = table.sum(axis=1)
    return table.assign(**{city_site: city})


def attribute(window: Window, name: str) -> pd.Series:
    """An attribute of the sites as numbers by site_id; NaN where a site or the whole city has none."""
    if name not in window.sites:
        return pd.Series(np.nan, index=window.sites.index, dtype="float64")
    return pd.to_numeric(window.sites[name], errors="coerce").astype("float64")


def results(
    window: Window,
    tables: Mapping[str, pd.DataFrame],
    marked: Mapping[str, pd.DataFrame] | None = None,
    quality: str = "not_evaluated",
) -> pd.DataFrame:
    """Tables by property as the one frame, for since < time <= until; what is NaN is absent, not missing.

    Quality is `pass`, and `quality` in the cells `marked`: `not_evaluated` for too small a sample, which
    is true and says little; `suspect` for what must be counted nowhere.
    """
    pieces = [
        piece
        for key, table in tables.items()
        if (piece := _long(window, key, table, (marked or {}).get(key), quality)) is not None
    ]
    return pd.concat(pieces, ignore_index=True) if pieces else empty()


def _long(
    window: Window, key: str, table: pd.DataFrame, marked: pd.DataFrame | None, quality: str
) -> pd.DataFrame | None:
    wanted = np.asarray((table.index > pd.Timestamp(window.since)) & (table.index <= pd.Timestamp(window.until)))
    values = table.to_numpy(dtype=np.float64)
    row, column = np.nonzero(np.isfinite(values) & wanted[:, None])
    if len(row) == 0:
        return None
    word = np.zeros(len(row), dtype=np.int64)
    if marked is not None:
        word = marked.to_numpy(dtype=bool)[row, column].astype(np.int64)
    sites: Any = pd.array(list(table.columns), dtype="str")
    words: Any = pd.array(["pass", quality], dtype="str")
    constants: Any = pd.array([key, SOURCE], dtype="str")
    return pd.DataFrame(
        {
            "time": pd.DatetimeIndex(table.index).as_unit("us")[row],
            "site_id": sites.take(column),
            "observed_property": constants.take(np.zeros(len(row), dtype=np.int64)),
            "value": np.round(values[row, column], DIGITS),
            "quality": words.take(word),
            "source": constants.take(np.ones(len(row), dtype=np.int64)),
        }
    )


def local_hour(times: pd.DatetimeIndex, zone: ZoneInfo) -> Integers:
    """Hour of the day in the city, of the hour that ENDS at each mark: the hour to 07:00 is hour 6."""
    return np.asarray((times - HOUR).tz_convert(zone).hour, dtype=np.int64)
