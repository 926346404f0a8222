"""Rain of the last hour [mm], per gauge.

Sum of the readings of the span, whatever the interval of the gauge is; 50 of 60 minutes
must be covered (ours), because a silent gauge is not a dry one.
No legal limit: ours, to be tuned to the places that flood.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import HOUR, marks, results, usable
from indicators._intervals import MEMORY, trailing

COVERED_MIN = 50
GAUGE_INTERVAL_MIN = 10  # of a gauge that has no reading before
INDICATOR = Indicator(
    key="rain_1h",
    code="TT-01",
    domain="weather",
    name_vi="Lượng mưa 1 giờ",
    name_en="Rain 1 h",
    unit="mm",
    unit_vi="mm",
    unit_en="mm",
    direction="lower",
    formula="tổng lượng mưa 60 phút gần nhất, cần ít nhất 50 phút có số liệu",
    reference="Ngưỡng nội bộ, hiệu chỉnh theo điểm ngập",
    needs=("rainfall",),
    window=HOUR + MEMORY,
    period=timedelta(minutes=10),
    stale_after=timedelta(minutes=30),
    low=0,
    high=300,
    decimals=1,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=30),
        Threshold(level="warning", value=50),
        Threshold(level="critical", value=80),
    ),
    deadband=2,
    owner="Ban Chỉ huy phòng thủ dân sự",
    first_screen=True,
)


def compute(window: Window) -> pd.DataFrame:
    """Millimetres per gauge."""
    rows, times = usable(window, "rainfall"), marks(window, INDICATOR.period)
    total, _ = trailing(rows, times, INDICATOR.period, HOUR, COVERED_MIN, GAUGE_INTERVAL_MIN)
    return results(window, {INDICATOR.key: total})
