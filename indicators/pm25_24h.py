"""24-hour mean of PM2.5 [µg/Nm³], on the hour.

Mean of the 24 hourly means that end at the label, of which at least 18 are there (ours).
QCVN 05:2023/BTNMT (TT 01/2023/TT-BTNMT): 50 until 31/12/2025 45 from 1/1/2026;
«không vượt quá», so equality complies.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, marks, results, usable, wide
from indicators._vn_aqi_table import LEAST_OF_24, means

LEGAL_REFERENCE = "QCVN 05:2023/BTNMT (TT 01/2023/TT-BTNMT)"
INDICATOR = Indicator(
    key="pm25_24h",
    code="MT-03",
    domain="environment",
    name_vi="PM2.5 trung bình 24 giờ",
    name_en="PM2.5 24-h mean",
    unit="ug/m3",
    unit_vi="µg/m³",
    unit_en="µg/m³",
    direction="lower",
    formula="trung bình của 24 giá trị giờ gần nhất, cần ít nhất 18 giá trị",
    reference=LEGAL_REFERENCE,
    needs=("pm25",),
    window=DAY,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=0,
    high=3000,
    decimals=1,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=36, inclusive=False),
        Threshold(
            level="warning",
            value=50,
            inclusive=False,
            basis="law",
            reference=LEGAL_REFERENCE,
            valid_to=date(2025, 12, 31),
        ),
        Threshold(
            level="warning",
            value=45,
            inclusive=False,
            basis="law",
            reference=LEGAL_REFERENCE,
            valid_from=date(2026, 1, 1),
        ),
        Threshold(level="critical", value=90, inclusive=False),
    ),
    deadband=2,
    owner="Sở Nông nghiệp và Môi trường",
    baseline=True,
)


def compute(window: Window) -> pd.DataFrame:
    """24-hour mean per air station."""
    hours = wide(usable(window, "pm25", kind="air_station"), marks(window, HOUR, back=INDICATOR.window), HOUR)
    return results(window, {INDICATOR.key: means(hours, 24, LEAST_OF_24)})
