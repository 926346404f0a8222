"""Series on one step, without their usual week and, for the test of a link, without their own memory.

    rows of one property -> `level` per hour or day -> `adjusted` (usual time of the week taken out) -> `whitened`

A gap stays a gap: nothing is interpolated, and rows that may not be counted (quality) are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.tsa.stattools import acovf, levinson_durbin

from core.calendar import HOUR_CLASSES, hour_classes
from core.observations import USABLE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST_OF_CLASS = 3  # values that tell what is usual
LEAST_SITES_SHARE = 0.5  # of the places must be heard in an hour, else the hour is a gap
LEAST_HOURS_OF_DAY = 18
FAR = 6.0  # robust deviations; beyond, a value counts as that far: one broken instrument is no link
MOST_ORDER = 12  # of the autoregression
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One property at one place, by the hour or by the day.

    `origins`: the property, what it is computed from and what is computed beside it. Two tracks that share an origin
    are one thing seen twice, and no link between them is looked for.
    """

    key: str
    group: str  # the domain; links are looked for between groups
    origins: frozenset[str]
    step: timedelta  # HOUR or DAY
    values: pd.Series[float]  # index: END of the step, UTC, without holes; NaN: a gap


def step_of(period: timedelta) -> timedelta:
    """The step on which a property of that rhythm is looked at."""
    return HOUR if period <= HOUR else DAY


def ends(times: pd.Series[pd.Timestamp] | pd.DatetimeIndex, step: timedelta, zone: ZoneInfo) -> pd.DatetimeIndex:
    """The END of the hour, or of the city's day, to which each time belongs, in UTC."""
    index = pd.DatetimeIndex(times).as_unit("us")
    if step <= HOUR:
        return index.ceil("h")
    local = index.tz_convert(zone).tz_localize(None).ceil("D")
    return local.tz_localize(zone).tz_convert("UTC")


def level(
    rows: pd.DataFrame, *, step: timedelta, zone: ZoneInfo, how: str = "mean", within: str = "mean"
) -> pd.Series[float]:
    """Rows of one property (the one frame), all places together, per step; empty without a usable row.

    `within`: how the readings of one place in one step combine (sum for events and amounts of rain, mean for states);
    `how`: how places do (sum, max, min or mean).
    A place that falls silent must not look like a change of the city: each place counts with its distance from its own
    usual value, so a high one that is missing does not pull the others down.
    """
    good = rows[rows["quality"].isin(USABLE) & rows["value"].notna()]
    if good.empty:
        return pd.Series(dtype="float64", index=pd.DatetimeIndex([], tz="UTC"))
    times = ends(good["time"], step, zone)
    table = good.groupby([times, good["site_id"].to_numpy()])["value"].agg(within).unstack()
    full = pd.date_range(table.index[0], table.index[-1], freq=step, tz="UTC").as_unit("us")
    table = table.reindex(full)
    if how in ("max", "min"):
        return table.agg(how, axis=1)
    usual = table.mean() if how == "sum" else table.median()
    heard = table.notna().mean(axis=1) >= LEAST_SITES_SHARE
    together = (table - usual).mean(axis=1).where(heard) + usual.mean()
    return together * len(table.columns) if how == "sum" else together


def by_day(values: pd.Series[float], zone: ZoneInfo) -> pd.Series[float]:
    """Hours as means of the city's days; a day with less than 18 hours is a gap."""
    groups = values.groupby(ends(pd.DatetimeIndex(values.index), DAY, zone))
    days = groups.mean().where(groups.count() >= LEAST_HOURS_OF_DAY)
    return days.reindex(pd.date_range(days.index[0], days.index[-1], freq=DAY, tz="UTC").as_unit("us"))


def classes(
    index: pd.DatetimeIndex, step: timedelta, zone: ZoneInfo, own: Collection[date] = ()
) -> npt.NDArray[np.int64]:
    """Which times are alike: the hours of the week, or its days; those of holidays are a kind of their own."""
    week = hour_classes(index, zone, own)
    return week if step <= HOUR else week // 24


def usual(
    values: pd.Series[float],
    *,
    step: timedelta,
    zone: ZoneInfo,
    own: Collection[date] = (),
    without: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """The mean of the values of the same class, for every time; `without` marks times that are not to shape it.

    NaN where less than three values tell what is usual, as on a rare holiday: such a time cannot be called unusual.
    With `without`, such an hour takes the mean of that hour on all working days, or on all free ones.
    """
    index = pd.DatetimeIndex(values.index)
    kinds = classes(index, step, zone, own)
    found = values.to_numpy(dtype=np.float64)
    shaping = np.isfinite(found) if without is None else np.isfinite(found) & ~without
    base = _class_means(kinds, found, shaping)
    if without is not None and step <= HOUR:
        alike = np.where(kinds // 24 >= 5, 24, 0) + kinds % 24
        base = np.where(np.isfinite(base), base, _class_means(alike, found, shaping))
    return base


def _class_means(
    kinds: npt.NDArray[np.int64], found: npt.NDArray[np.floating[Any]], shaping: npt.NDArray[np.bool_]
) -> Floats:
    count = np.bincount(kinds[shaping], minlength=HOUR_CLASSES)
    total = np.bincount(kinds[shaping], weights=found[shaping], minlength=HOUR_CLASSES)
    return np.where(count >= LEAST_OF_CLASS, total / np.maximum(count, 1), np.nan)[kinds]


def adjusted(values: pd.Series[float], *, step: timedelta, zone: ZoneInfo, own: Collection[date] = ()) -> Floats:
    """Distance from the usual value of that time of the week, in units of what is usual at that hour of the day.

    Far values are pulled in first (6 robust deviations), then means are taken and not medians: a mean leaves nothing of
    a common week behind, also where the values lean to one side. NaN where nothing is known; all zero for a constant.
    """
    found = values.to_numpy(dtype=np.float64)
    rough = found - usual(values, step=step, zone=zone, own=own)
    spread = 1.4826 * float(np.nanmedian(np.abs(rough - np.nanmedian(rough)))) if np.isfinite(rough).any() else 0.0
    if spread > 0.0:
        found = found - rough + np.clip(rough, -FAR * spread, FAR * spread)
    calm = pd.Series(found, index=values.index)
    left = found - usual(calm, step=step, zone=zone, own=own)
    index = pd.DatetimeIndex(values.index)
    hours = classes(index, step, zone, own) % 24 if step <= HOUR else np.zeros(len(index), dtype=np.int64)
    power = _class_means(hours, left**2, np.isfinite(left))
    whole = float(np.nanmean(left**2)) if np.isfinite(left).any() else 0.0
    scale = np.sqrt(np.maximum(0.5 * power + 0.5 * whole, 1e-300))  # half own, half of all: 30 days are few
    return np.where(np.isfinite(left), left / scale if whole > 0.0 else 0.0, np.nan)


def memory(values: Floats, most: int = MOST_ORDER) -> Floats:
    """Coefficients of the autoregression of that series with the least AIC (Levinson-Durbin on the autocovariances
    of what is there, statsmodels); empty for white noise. Needs about 50 values.
    """
    n = int(np.isfinite(values).sum())
    most = min(most, n // 10)
    if most < 1 or np.nanstd(values) == 0.0:
        return np.zeros(0)
    covariance = acovf(values, adjusted=False, missing="conservative", nlag=most, fft=True)
    best, best_aic = np.zeros(0), n * float(np.log(covariance[0]))
    for order in range(1, most + 1):
        power, coefficients, *_ = levinson_durbin(covariance, nlags=order, isacov=True)
        if not power > 0.0:
            break
        aic = n * float(np.log(power)) + 2 * order
        if aic < best_aic:
            best, best_aic = np.asarray(coefficients, dtype=np.float64), aic
    return best


def whitened(values: Floats, coefficients: Sequence[float] | Floats) -> Floats:
    """What the last values do not foretell, of deviation 1; NaN where one of them is unknown. Shape as `values`."""
    order = len(coefficients)
    left = values.copy()
    for lag in range(1, order + 1):
        left[order:] -= coefficients[lag - 1] * values[order - lag : len(values) - lag]
    left[:order] = np.nan
    left = left - np.nanmean(left) if np.isfinite(left).any() else left
    spread = float(np.nanstd(left)) if np.isfinite(left).any() else 0.0
    return left / spread if spread > 0.0 else np.where(np.isfinite(left), 0.0, np.nan)
