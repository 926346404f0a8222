"""Sums over a trailing span from readings that each stand for an interval of their own: rain gauges, noise meters.

A reading at 07:10 of a ten-minute series stands for 07:00-07:10. It counts towards the spans in which its label lies,
as long as its interval does not begin a whole step before the span: a logger that labels 07:03 loses nothing, and an
hourly reading is not taken for the last hour at ten past. A span counts only when enough of it is covered: a silent
gauge is not a dry one.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from indicators._grid import DAY, Integers, length_us, microseconds

MINUTE_US = 60_000_000
LONGEST_MIN = 60  # a longer gap is an outage, not an interval
MEMORY = DAY + timedelta(minutes=LONGEST_MIN)  # how far back the spacing of a series is looked up


def own_interval_min(series: Integers, stamps: Integers, fallback_min: int) -> Integers:
    """Minutes that each reading stands for: the usual spacing of its series over the day before it.

    Rows must be sorted by series and time. The median is taken, so a lost reading or two changes nothing; a series
    without any neighbour within an hour gets `fallback_min`.
    """
    gap = np.diff(stamps, prepend=0) / MINUTE_US
    first = np.diff(series, prepend=-1) != 0
    gap = np.where(first | (gap <= 0) | (gap > LONGEST_MIN), np.nan, gap)
    rows = pd.DataFrame({"series": series, "gap": gap, "time": pd.to_datetime(stamps, unit="us")})
    usual = rows.groupby("series", sort=False).rolling(DAY, on="time", min_periods=1)["gap"].median()
    return np.asarray(usual.fillna(fallback_min).clip(lower=1).round(), dtype=np.int64)


def trailing(
    rows: pd.DataFrame, times: pd.DatetimeIndex, step: timedelta, span: timedelta, covered_min: int, fallback_min: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum and mean of the readings of (mark - span, mark], per mark and site; marks lie `step` apart.

    NaN where less than `covered_min` minutes of the span are covered. The mean weighs each reading with its interval.
    Several sources of one site are summed up apart and then averaged.
    """
    nothing = pd.DataFrame(index=times)
    if rows.empty or len(times) == 0:
        return nothing, nothing
    places, sites = pd.factorize(rows["site_id"], sort=True)
    sources, source_names = pd.factorize(rows["source"], sort=True)
    series = places * len(source_names) + sources
    stamps = -(-microseconds(rows["time"]) // MINUTE_US) * MINUTE_US  # up to the whole minute: never early
    values = rows["value"].to_numpy(dtype=np.float64)
    order = np.lexsort((values, stamps, series))
    series, stamps, values = series[order], stamps[order], values[order]
    minutes = own_interval_min(series, stamps, fallback_min)

    grid = microseconds(times)
    start = np.searchsorted(grid, stamps)
    late = np.maximum(minutes * MINUTE_US - length_us(step), 0)
    stop = np.searchsorted(grid, stamps + length_us(span) - late)
    repeats = np.maximum(stop - start, 0)
    reading = np.repeat(np.arange(len(values)), repeats)
    onward = np.arange(len(reading)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    width = len(sites) * len(source_names)
    cell = (start[reading] + onward) * width + series[reading]

    def per_mark(weights: np.ndarray) -> np.ndarray:
        return np.bincount(cell, weights=weights[reading], minlength=len(times) * width)

    covered = per_mark(minutes.astype(np.float64))
    enough = covered >= covered_min
    total = np.where(enough, per_mark(values), np.nan)
    mean = np.where(enough, per_mark(values * minutes) / np.maximum(covered, 1.0), np.nan)

    def per_site(table: np.ndarray) -> pd.DataFrame:
        cube = table.reshape(len(times), len(sites), len(source_names))
        known = np.isfinite(cube)
        average = np.where(known, cube, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
        average = np.where(known.any(axis=2), average, np.nan)
        return pd.DataFrame(average, index=times, columns=pd.Index(sites, dtype="str"))

    return per_site(total), per_site(mean)
