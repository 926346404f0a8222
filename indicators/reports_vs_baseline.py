"""New citizen reports of the last 60 minutes against the usual number at this time of day [ratio], per site and city.

count / max(median of the counts of the same 60 minutes on the 56 days before, 1). «Minimum 5» is read as: fewer than
five reports are never an excess, so below five the ratio is held at 1 at most. That way it stays a number, and an alert
that was raised can clear. Days on which the whole city has no report in 24 hours are taken for an outage of the intake
and left out; with fewer than 7 days there is no ratio. All ours; counts after Open311 GeoReport v2 or the 1022 line.
What a source books on the city itself (a report that nobody could place) counts for the city.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, Floats, marks, results, rolling_count, usable, wide, with_city

GRID = timedelta(minutes=15)
STEPS_PER_DAY = DAY // GRID
DAYS_BACK = 56
LEAST_DAYS = 7
LEAST_REPORTS = 5
NO_DAY = np.float32(np.inf)  # sorts behind every count
INDICATOR = Indicator(
    key="reports_vs_baseline",
    code="PA-01",
    domain="reports",
    name_vi="Phản ánh mới so với ngày thường",
    name_en="New reports against the usual",
    unit="1",
    unit_vi="lần",
    unit_en="×",
    direction="lower",
    formula="số tin 60 phút ÷ trung vị cùng giờ của 56 ngày trước (ít nhất 1); dưới 5 tin thì không quá 1 lần",
    reference="Quy ước nội bộ; Open311 GeoReport v2, tổng đài 1022",
    needs=("reports_received",),
    window=(DAYS_BACK + 1) * DAY + HOUR,
    period=GRID,
    stale_after=timedelta(hours=1),
    low=0,
    high=10_000,
    decimals=1,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=2),
        Threshold(level="warning", value=3),
        Threshold(level="critical", value=5),
    ),
    deadband=0.2,
    owner="Tổ tiếp nhận phản ánh 1022",
    first_screen=True,
    companions=(
        ObservedProperty(
            key="reports_60min",
            domain="reports",
            name_vi="Phản ánh mới trong 60 phút",
            name_en="New reports in 60 minutes",
            unit="1",
            unit_vi="tin",
            unit_en="reports",
            period=GRID,
            stale_after=timedelta(hours=1),
            low=0,
            aggregation="sum",
            baseline=True,
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Ratio and count per site that reported in the last 56 days, and for the city."""
    times = marks(window, GRID, back=INDICATOR.window)
    received = wide(usable(window, "reports_received"), times, GRID, combine="sum")
    received = with_city(received.fillna(0.0), window.city_site)
    if received.empty or received.columns.empty:
        return results(window, {})
    in_hour = rolling_count(received, HOUR // GRID)
    alive = rolling_count(received[[window.city_site]], STEPS_PER_DAY).to_numpy()[:, 0] > 0
    known = (rolling_count(received, DAYS_BACK * STEPS_PER_DAY) > 0) & alive[:, None]
    wanted = np.flatnonzero(times > pd.Timestamp(window.since))
    counts = in_hour.to_numpy(dtype=np.float64)
    usual = np.full(counts.shape, np.nan)
    usual[wanted] = _median_of_days(counts, alive, wanted)
    excess = counts / np.maximum(usual, 1.0)
    excess = np.where(counts >= LEAST_REPORTS, excess, np.minimum(excess, 1.0))
    table = pd.DataFrame(excess, index=times, columns=received.columns)
    return results(window, {INDICATOR.key: table.where(known), "reports_60min": in_hour.where(known)})


def _median_of_days(counts: Floats, alive: np.ndarray, wanted: np.ndarray) -> Floats:
    """Median [mark x site] of the counts at the same time on the days before; NaN with fewer than LEAST_DAYS."""
    before = wanted[:, None] - STEPS_PER_DAY * np.arange(1, DAYS_BACK + 1)[None, :]
    there = (before >= 0) & alive[np.maximum(before, 0)]
    days = np.where(there[:, :, None], counts.astype(np.float32)[np.maximum(before, 0)], NO_DAY)
    days = np.sort(days, axis=1)
    n = there.sum(axis=1)
    mark = np.arange(len(wanted))
    low, high = days[mark, np.maximum(n - 1, 0) // 2], days[mark, n // 2 - (n == DAYS_BACK + 1)]
    return np.where((n >= LEAST_DAYS)[:, None], (low.astype(np.float64) + high) / 2.0, np.nan)
