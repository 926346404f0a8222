"""Fresh sources [%] of all configured ones, for the city, every five minutes.

100·(sources that answer with data no older than twice their period)/(configured sources). The line writes source_up
and source_age for every source; one that gave no row in the five minutes is not fresh. A source whose period nobody
configured is judged by source_up alone.
Công văn 1709/BKHCN-CĐSQG of 21/05/2025: data must be «sống». Limits are ours.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import marks, results, usable, wide

GRID = timedelta(minutes=5)
PERIODS_OF_GRACE = 2
INDICATOR = Indicator(
    key="data_freshness",
    code="VH-01",
    domain="operations",
    name_vi="Độ tươi dữ liệu",
    name_en="Data freshness",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × nguồn đang trả lời với số liệu không cũ quá 2 chu kỳ ÷ tổng số nguồn",
    reference="Công văn 1709/BKHCN-CĐSQG ngày 21/05/2025 (dữ liệu «sống»)",
    needs=("source_up", "source_age"),
    window=GRID,
    period=GRID,
    stale_after=timedelta(minutes=15),
    low=0,
    high=100,
    thresholds=(
        Threshold(level="watch", value=98, inclusive=False),
        Threshold(level="warning", value=95, inclusive=False),
        Threshold(level="critical", value=90, inclusive=False),
    ),
    deadband=1,
    on_delay=timedelta(minutes=5),
    off_delay=timedelta(minutes=5),
    owner="Tổ vận hành IOC",
    first_screen=True,
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage for the city, at marks at which at least one source was asked."""
    times = marks(window, GRID)
    answers = wide(usable(window, "source_up"), times, GRID, combine="last")
    configured = sorted(window.source_period_min)
    sources = configured or list(answers.columns)
    asked = answers.notna().sum(axis=1)
    due = len(configured) if configured else asked
    age_min = wide(usable(window, "source_age"), times, GRID, combine="last").reindex(columns=sources)
    oldest_min = PERIODS_OF_GRACE * np.array([window.source_period_min.get(source, np.inf) for source in sources])
    fresh = (answers.reindex(columns=sources) == 1) & (age_min.fillna(np.inf) <= oldest_min)
    share = np.where(asked > 0, 100.0 * fresh.sum(axis=1) / due, np.nan)
    return results(window, {INDICATOR.key: pd.DataFrame({window.city_site: share}, index=times)})
