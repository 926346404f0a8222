"""What usually follows: after each event, was a series above its usual value of that hour, by how much, and when most?

The event hour itself and the next hours are compared with the same hours of the week without events. Nothing is said of
fewer than five events. How often it rises WITHOUT an event stands beside, because half of all hours lie above the
usual anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.stats import binom, binomtest

from analysis.links_series import HOUR, Floats, usual

WINDOW_H = 6  # hours looked at after an event has begun, its own hour included
APART_H = 6  # calm hours that part two events
FEWEST = 5  # events; below it nothing is said
LEAST_HEARD = 0.5  # of the hours after an event must be known
WANTED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: END of its first and of its last hour, and the highest value in it."""

    since: datetime
    until: datetime
    peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A series after events of one kind. Changes are means of the window minus the usual, in the series' unit.

    `n` events could be judged of `events`; `rose` of them lay above the usual. `median` with `low` and `high`: order
    statistics with the confidence `coverage` (less than 0.95 below six events). `delay_h`: median hours from the first
    hour of the event to the largest distance in the direction of the median. `ordinary`: share of windows without an
    event, at the same clock hours, that lay above; `p`: exact two-sided binomial of `rose` against it. All None where
    n < FEWEST.
    """

    events: int
    n: int
    rose: int
    median: float | None = None
    low: float | None = None
    high: float | None = None
    coverage: float | None = None
    usual: float | None = None
    delay_h: float | None = None
    ordinary: float | None = None
    p: float | None = None

    @property
    def enough(self) -> bool:
        """True when something may be said."""
        return self.n >= FEWEST


def events(values: pd.Series[float], above: float, *, apart_h: int = APART_H) -> list[Event]:
    """Hours above the limit, joined over shorter calms. `values`: hourly, END labels; a gap is a calm."""
    times = pd.DatetimeIndex(values.index)
    places = np.flatnonzero(values.to_numpy(dtype=np.float64) > above)
    if not len(places):
        return []
    parts = np.split(places, np.flatnonzero(np.diff(places) > apart_h) + 1)
    return [
        Event(
            since=times[part[0]].to_pydatetime(),
            until=times[part[-1]].to_pydatetime(),
            peak=float(values.iloc[part].max()),
        )
        for part in parts
    ]


def after(
    happened: Sequence[Event],
    values: pd.Series[float],
    *,
    zone: ZoneInfo,
    own: Collection[date] = (),
    window_h: int = WINDOW_H,
) -> Follow:
    """What the hourly series did after the events. Pure; nothing is drawn at random."""
    index = pd.DatetimeIndex(values.index)
    found = values.to_numpy(dtype=np.float64)
    touched = np.zeros(len(index), dtype=np.bool_)
    for one in happened:
        touched |= (index >= pd.Timestamp(one.since)) & (index < pd.Timestamp(one.until) + window_h * HOUR)
    base = usual(values, step=HOUR, zone=zone, own=own, without=touched)
    distance = found - base
    starts = index.searchsorted(pd.DatetimeIndex([one.since for one in happened])) if happened else np.zeros(0, int)
    windows = [_window(distance, int(start), window_h) for start in starts]
    judged = [(int(start), one) for start, one in zip(starts, windows, strict=True) if one is not None]
    change = np.array([float(np.nanmean(one)) for _, one in judged])
    rose = int((change > 0).sum())
    if len(judged) < FEWEST:
        return Follow(events=len(happened), n=len(judged), rose=rose)
    low, high, coverage = _order_interval(change)
    median = float(np.median(change))
    sign = 1.0 if median >= 0 else -1.0
    delays = [int(np.nanargmax(sign * one)) for _, one in judged]
    ordinary = _ordinary(distance, index, touched, [start for start, _ in judged], window_h, zone)
    expected = [float(np.nanmean(base[start : start + window_h])) for start, _ in judged]
    return Follow(
        events=len(happened),
        n=len(judged),
        rose=rose,
        median=median,
        low=low,
        high=high,
        coverage=coverage,
        usual=float(np.nanmean(expected)),
        delay_h=float(np.median(delays)),
        ordinary=ordinary,
        p=None if ordinary is None else float(binomtest(rose, len(judged), min(max(ordinary, 0.01), 0.99)).pvalue),
    )


def _window(distance: Floats, start: int, length: int) -> Floats | None:
    """The hours after an event; None where they reach beyond the end, or too few of them are known."""
    part = distance[start : start + length]
    return part if len(part) == length and np.isfinite(part).mean() >= LEAST_HEARD else None


def _order_interval(change: Floats) -> tuple[float, float, float]:
    """Interval of the median from order statistics (exact, whatever the distribution), and its confidence."""
    ordered = np.sort(change)
    n = len(ordered)
    inner = int(binom.ppf((1 - WANTED) / 2, n, 0.5))
    while inner > 0 and 1 - 2 * binom.cdf(inner - 1, n, 0.5) < WANTED:
        inner -= 1
    place = max(inner - 1, 0)  # the `inner`-th smallest; at least the smallest of all
    coverage = 1 - 2 * binom.cdf(place, n, 0.5)
    return float(ordered[place]), float(ordered[n - 1 - place]), float(coverage)


def _ordinary(
    distance: Floats, index: pd.DatetimeIndex, touched: np.ndarray, starts: Sequence[int], length: int, zone: ZoneInfo
) -> float | None:
    """Share of untouched windows that begin at a clock hour of the events and lie above the usual."""
    hours = np.asarray(index.tz_convert(zone).hour)
    wanted = set(hours[list(starts)])
    above = [
        float(np.nanmean(part)) > 0
        for start in np.flatnonzero(np.isin(hours, list(wanted)))
        if not touched[start : start + length].any() and (part := _window(distance, int(start), length)) is not None
    ]
    return float(np.mean(above)) if above else None
