"""Files submitted online [%] over thirty days, per office and for the city.

100·Σ(received online)/Σ(received). QĐ 766/QĐ-TTg gives the full points of this part at 50 %; the two limits above are
ours. Fewer than 30 files: `not_evaluated`, shown in grey.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, results
from indicators._shares import counted, percent

INDICATOR = Indicator(
    key="online_share",
    code="DV-10",
    domain="services",
    name_vi="Tỷ lệ hồ sơ nộp trực tuyến",
    name_en="Share of files submitted online",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × nộp trực tuyến ÷ tổng tiếp nhận, 30 ngày gần nhất",
    reference="QĐ 766/QĐ-TTg ngày 23/06/2022",
    needs=("files_received_online", "files_received"),
    parts=("files_received_online", "files_received"),
    window=30 * DAY,
    period=HOUR,
    stale_after=timedelta(hours=72),
    low=0,
    high=100,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=80, inclusive=False),
        Threshold(level="warning", value=65, inclusive=False),
        Threshold(level="critical", value=50, inclusive=False, basis="law", reference="QĐ 766: điểm tối đa từ 50 %"),
    ),
    deadband=0.5,
    owner="Trung tâm Phục vụ hành chính công",
    min_n=30,
    companions=(
        ObservedProperty(
            key="online_n",
            domain="services",
            name_vi="Hồ sơ tiếp nhận trong 30 ngày",
            name_en="Files received in 30 days",
            unit="1",
            unit_vi="hồ sơ",
            unit_en="files",
            direction="neutral",
            period=HOUR,
            stale_after=timedelta(hours=72),
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage and number per site and for the city; `not_evaluated` below min_n."""
    met, n = counted(window, "files_received_online", "files_received", INDICATOR.window)
    found = {INDICATOR.key: percent(met, n), "online_n": n}
    return results(window, found, {INDICATOR.key: n < INDICATOR.min_n})
