"""24-hour mean of PM10 [µg/Nm³], on the hour.

Mean of the 24 hourly means that end at the label, of which at least 18 are there (ours).
QCVN 05:2023/BTNMT (TT 01/2023/TT-BTNMT): 100; «không vượt quá», so equality complies.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, marks, results, usable, wide
from indicators._vn_aqi_table import LEAST_OF_24, means

LEGAL_REFERENCE = "QCVN 05:2023/BTNMT (TT 01/2023/TT-BTNMT)"
INDICATOR = Indicator(
    key="pm10_24h",
    code="MT-04",
    domain="environment",
    name_vi="PM10 trung bình 24 giờ",
    name_en="PM10 24-h mean",
    unit="ug/m3",
    unit_vi="µg/m³",
    unit_en="µg/m³",
    direction="lower",
    formula="trung bình của 24 giá trị giờ gần nhất, cần ít nhất 18 giá trị",
    reference=LEGAL_REFERENCE,
    needs=("pm10",),
    window=DAY,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=0,
    high=3000,
    decimals=1,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=80, inclusive=False),
        Threshold(level="warning", value=100, basis="law", reference=LEGAL_REFERENCE, inclusive=False),
        Threshold(level="critical", value=200, inclusive=False),
    ),
    deadband=2,
    owner="Sở Nông nghiệp và Môi trường",
    baseline=False,
)


def compute(window: Window) -> pd.DataFrame:
    """24-hour mean per air station."""
    hours = wide(usable(window, "pm10", kind="air_station"), marks(window, HOUR, back=INDICATOR.window), HOUR)
    return results(window, {INDICATOR.key: means(hours, 24, LEAST_OF_24)})
