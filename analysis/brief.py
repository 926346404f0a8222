"""How far the city was from its usual: (hourly values, usual band) -> figures, the farthest first. Pure.

The score of an hour is its distance from the usual middle (p50 of that hour of the week) in half widths of the usual
band (p10 to p90) on that side: beyond ±1 it lies outside of the band. Where the band has no width (rain in a dry
month) a third of the way to the indicator's first limit stands for it, so that the limit reads 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.brief import DAY, MOST_SCORE, Figure, Point
from core.calendar import LEAST_DAYS, hour_classes
from core.catalogue import Indicator, ObservedProperty

LEAST_RELATIVE = 0.02  # of the usual value: a band narrower than that is no measure
FEW = 5  # counts below it are compared with nothing
TO_LIMIT = 3.0  # a limit reads as this many half widths where the band has none
LEAST_BAND_N = 3  # values behind an hour of the band


@dataclass(frozen=True, slots=True, kw_only=True)
class Farthest:
    """The hour of one site farthest from its usual."""

    site_id: str
    at: datetime
    value: float
    low: float | None
    middle: float | None
    high: float | None
    score: float | None
    hours_out: int
    hours: int


def hourly(rows: pd.DataFrame) -> pd.DataFrame:
    """The one frame -> observed_property, site_id, hour (END, UTC), value (mean), n; whole UTC hours.

    Half-hour zones are read by whole UTC hours too: the band is by hour of the week, half an hour does not change it.
    """
    if rows.empty:
        return pd.DataFrame(columns=["observed_property", "site_id", "hour", "value", "n"])
    hour = (rows["time"] - pd.Timedelta(1, "us")).dt.floor("h") + pd.Timedelta(1, "h")
    found = rows.assign(hour=hour).groupby(["observed_property", "site_id", "hour"], sort=True)["value"]
    return found.agg(value="mean", n="count").reset_index()


def farthest(
    hours: pd.DataFrame, band: pd.DataFrame | None, item: ObservedProperty, zone: ZoneInfo, day_limit: float | None
) -> Farthest | None:
    """The farthest hour of one site. `hours`: hour, value of that site; `band`: by hour_of_week, or None.

    `day_limit` is the first limit of the indicator on that day, in its unit. None where `hours` is empty.
    """
    if hours.empty:
        return None
    site_id, values = str(hours["site_id"].iloc[0]), hours["value"].to_numpy(dtype=float)
    edges = np.full((len(hours), 3), np.nan)
    if band is not None:
        known = band[band["n"] >= LEAST_BAND_N] if "n" in band else band
        edges = known.reindex(hour_classes(hours["hour"], zone))[["low", "middle", "high"]].to_numpy(dtype=float)
    scores = _scores(values, edges, item, day_limit)
    judged = ~np.isnan(scores)
    place = len(values) - 1
    if judged.any():  # among equals the newest: nothing is far, so now is what counts
        place -= int(np.nanargmax(np.abs(scores[::-1])))
    score = float(scores[place]) if judged.any() else None
    low, middle, high = (None if np.isnan(one) else float(one) for one in edges[place])
    return Farthest(
        site_id=site_id,
        at=hours["hour"].iloc[place].to_pydatetime(),
        value=float(values[place]),
        low=low,
        middle=middle,
        high=high,
        score=score,
        hours_out=int((np.abs(scores[judged]) > 1.0).sum()),
        hours=int(judged.sum()),
    )


def _scores(values: np.ndarray, edges: np.ndarray, item: ObservedProperty, limit: float | None) -> np.ndarray:
    """Signed multiples of the half width; NaN where there is no band."""
    low, middle, high = edges.T
    half = np.where(values >= middle, high - middle, middle - low)
    least = 10.0**-item.decimals
    fallback = np.abs(limit - middle) / TO_LIMIT if limit is not None else np.full(len(values), least)
    half = np.where(half > 0, half, fallback)
    half = np.maximum(half, np.maximum(LEAST_RELATIVE * np.abs(middle), least))
    scores = np.clip((values - middle) / half, -MOST_SCORE, MOST_SCORE)
    if item.aggregation == "sum":  # two reports instead of one are no news
        scores = np.where(np.isnan(scores), scores, np.where(values < FEW, 0.0, scores))
    return np.asarray(scores, dtype=float)


def own_band(history: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame | None:
    """A band for what the store keeps none of: p10, p50, p90 over all hours of the time before, the same at each hour.

    `history`: hour (END), value of the hours before the period, of one site. Indexed by hour_of_week, so that it reads
    the same. None while the hours are of fewer than LEAST_DAYS different days: a first day is like itself only.
    """
    ends = pd.DatetimeIndex(history["hour"]) - pd.Timedelta(1, "us")
    if ends.tz_convert(zone).normalize().nunique() < LEAST_DAYS:
        return None
    low, middle, high = np.quantile(history["value"].to_numpy(dtype=float), [0.1, 0.5, 0.9]).tolist()
    return pd.DataFrame({"low": low, "middle": middle, "high": high, "n": len(history)}, index=pd.RangeIndex(192))


def first_limit(item: ObservedProperty, at: datetime, zone: ZoneInfo) -> float | None:
    """The limit that is reached first, of those in force on that day; None without limits."""
    if not isinstance(item, Indicator):
        return None
    day = at.astimezone(zone).date()
    limits = [one.value for one in item.thresholds if one.holds_on(day)]
    if not limits:
        return None
    return max(limits) if item.direction == "higher" else min(limits)


def trail(hours: pd.DataFrame, period: str, zone: ZoneInfo) -> tuple[Point, ...]:
    """The line behind a figure: hours of a day; of longer periods the mean of each local day, labelled with its end."""
    if hours.empty:
        return ()
    if period == DAY:
        return tuple(_points(hours["hour"], hours["value"]))
    local = (hours["hour"] - pd.Timedelta(1, "us")).dt.tz_convert(zone).dt.normalize() + pd.DateOffset(days=1)
    days = hours.assign(day=local.dt.tz_convert("UTC")).groupby("day")["value"].mean()
    return tuple(_points(days.index.to_series(), days))


def _points(times: pd.Series, values: pd.Series) -> list[Point]:
    return [Point(moment.to_pydatetime(), float(value)) for moment, value in zip(times, values, strict=True)]


def ranked(figures: Sequence[Figure], priorities: Sequence[str]) -> tuple[Figure, ...]:
    """The farthest from its usual first; among equals the one with the worse alert, then by key."""

    def far(one: Figure) -> tuple[float, int, str]:
        worst = list(priorities).index(one.priority) if one.priority else -1
        return (-abs(one.score) if one.score is not None else 1.0, -worst, one.key)

    return tuple(sorted(figures, key=far))


def spread_of_places(found: Mapping[str, Farthest]) -> tuple[Farthest | None, int, int]:
    """The farthest of all sites, how many sites were looked at, and how many were outside of their band."""
    if not found:
        return None, 0, 0
    order = sorted(found.values(), key=lambda one: (-abs(one.score) if one.score is not None else 1.0, one.site_id))
    return order[0], len(order), sum(one.hours_out > 0 for one in order)
