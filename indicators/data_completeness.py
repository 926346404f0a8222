"""Completeness of the last 24 hours [%], for the city: usable values received of those that were due.

100·Σ received/Σ expected over every series (site, property, source) of the main raw properties that said anything in
the last three days. A series is expected at its own most common spacing of those days (1, 5, 10, 15, 20, 30 or 60 min),
from its first word on. Values marked suspect, fail or missing are not received; more than due counts as due.
Công văn 1709/BKHCN-CĐSQG of 21/05/2025: data must be «đủ». Limits are ours.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.observations import USABLE
from core.window import Window
from indicators._grid import DAY, HOUR, Floats, Integers, length_us, marks, microseconds, reported, results
from indicators._intervals import MINUTE_US
from indicators._roads import ratio

SPACINGS_MIN = np.array([1, 5, 10, 15, 20, 30, 60])
LONGEST_GAP_MIN = 90  # halfway to two hours: beyond it readings were lost
HEARD_HOURS = 3 * 24
DAY_HOURS = 24
INDICATOR = Indicator(
    key="data_completeness",
    code="VH-02",
    domain="operations",
    name_vi="Độ đầy đủ dữ liệu",
    name_en="Data completeness",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × giá trị hợp lệ nhận được ÷ giá trị phải có, 24 giờ gần nhất",
    reference="Công văn 1709/BKHCN-CĐSQG ngày 21/05/2025 (dữ liệu «đủ»)",
    needs=("speed", "pm25", "rainfall", "river_level", "flood_depth", "noise_level", "files_received"),
    window=4 * DAY + 2 * HOUR,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=0,
    high=100,
    thresholds=(
        Threshold(level="watch", value=95, inclusive=False),
        Threshold(level="warning", value=90, inclusive=False),
        Threshold(level="critical", value=75, inclusive=False),
    ),
    deadband=1,
    owner="Tổ vận hành IOC",
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage for the city, on the hour."""
    rows = reported(window, *INDICATOR.needs)
    if rows.empty or marks(window, HOUR).empty:  # between two hours there is nothing to do
        return results(window, {})
    times = marks(window, HOUR, back=INDICATOR.window)
    grid = microseconds(times)
    stamps = microseconds(rows["time"])
    within = (stamps > grid[0] - length_us(HOUR)) & (stamps <= grid[-1])
    rows, stamps = rows[within], stamps[within]
    if rows.empty:
        return results(window, {})
    series = np.zeros(len(rows), dtype=np.int64)
    for column in ("site_id", "observed_property", "source"):
        codes, words = pd.factorize(rows[column])
        series = series * len(words) + codes
    series = np.unique(series, return_inverse=True)[1]
    good = (rows["quality"].isin(USABLE) & rows["value"].notna()).to_numpy()
    order = np.lexsort((stamps, series))
    series, stamps, good = series[order], stamps[order], good[order]
    shape = (len(times), int(series.max()) + 1)
    cell = np.searchsorted(grid, stamps) * shape[1] + series

    def per_hour(chosen: np.ndarray) -> Floats:
        return np.bincount(cell[chosen], minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)

    spacing = _spacing(series, stamps)
    seen = np.stack([_over(per_hour(spacing == kind), HEARD_HOURS) for kind in range(len(SPACINGS_MIN))])
    due_per_hour = np.where(seen.max(axis=0) > 0, 60.0 / SPACINGS_MIN[seen.argmax(axis=0)], np.nan)
    alive = _over(per_hour(np.ones(len(series), dtype=bool)), HEARD_HOURS) > 0
    expected = np.where(np.isfinite(due_per_hour), due_per_hour * _over(alive, DAY_HOURS), 0.0)
    received = np.minimum(_over(per_hour(good), DAY_HOURS), expected)
    share = 100.0 * ratio(received.sum(axis=1), expected.sum(axis=1))
    return results(window, {INDICATOR.key: pd.DataFrame({window.city_site: share}, index=times)})


def _spacing(series: Integers, stamps: Integers) -> Integers:
    """Per row the place in SPACINGS_MIN nearest to its distance from the row before; -1 without such a row."""
    gap = np.diff(stamps, prepend=0) / MINUTE_US
    nearest = np.abs(gap[:, None] - SPACINGS_MIN[None, :]).argmin(axis=1)
    apart = (np.diff(series, prepend=-1) != 0) | (gap <= 0) | (gap > LONGEST_GAP_MIN)
    return np.where(apart, -1, nearest)


def _over(table: np.ndarray, hours: int) -> Floats:
    """Sum over the last `hours` rows."""
    total = np.cumsum(table, axis=0, dtype=np.float64)
    earlier = np.zeros_like(total)
    earlier[hours:] = total[:-hours]
    return total - earlier
