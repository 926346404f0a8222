"""Rain of the last 24 hours [mm], per gauge.

Sum of the readings of the span, whatever the interval of the gauge is; 20 of 24 hours
must be covered (ours), because a silent gauge is not a dry one.
Heavy rain > 50, very heavy > 100 mm are terms of the weather service; QĐ 18/2021/QĐ-TTg Điều 46 begins its bands
of 24-h rain at 100, 200 and 400 mm. The risk level itself is declared in a bulletin and never computed.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, marks, results, usable
from indicators._intervals import MEMORY, trailing

COVERED_MIN = 1200
GAUGE_INTERVAL_MIN = 10  # of a gauge that has no reading before
INDICATOR = Indicator(
    key="rain_24h",
    code="TT-02",
    domain="weather",
    name_vi="Lượng mưa 24 giờ",
    name_en="Rain 24 h",
    unit="mm",
    unit_vi="mm",
    unit_en="mm",
    direction="lower",
    formula="tổng lượng mưa 24 giờ gần nhất, cần ít nhất 20 giờ có số liệu",
    reference="QĐ 18/2021/QĐ-TTg",
    needs=("rainfall",),
    window=DAY + MEMORY,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=0,
    high=2000,
    decimals=1,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=50, inclusive=False, basis="standard", reference="Thuật ngữ: mưa to"),
        Threshold(level="warning", value=100, inclusive=False, basis="standard", reference="Thuật ngữ: mưa rất to"),
        Threshold(level="critical", value=200, inclusive=False, basis="law", reference="QĐ 18/2021/QĐ-TTg, Điều 46"),
    ),
    deadband=5,
    owner="Ban Chỉ huy phòng thủ dân sự",
)


def compute(window: Window) -> pd.DataFrame:
    """Millimetres per gauge."""
    rows, times = usable(window, "rainfall"), marks(window, INDICATOR.period)
    total, _ = trailing(rows, times, INDICATOR.period, DAY, COVERED_MIN, GAUGE_INTERVAL_MIN)
    return results(window, {INDICATOR.key: total})
