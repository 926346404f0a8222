"""Ambulance on the scene, urban stations [min]: nine in ten came within it, over 24 hours, per station and city.

90th percentile (linear between neighbours) of arrival minus call. 8 minutes by 2030 is a target of the DRAFT scheme
of the Ministry of Health for care outside of hospitals (2025-2030, as of September 2025): not enacted, so its basis is
`ours`; the limits above it are ours. Fewer than ten arrivals in 24 hours: `not_evaluated`, shown in grey. A call that
nobody reached is not in it.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._ambulance import MIN_N, of_a_day
from indicators._grid import DAY, HOUR, results

STALE_AFTER = timedelta(hours=12)
DRAFT = "Dự thảo đề án cấp cứu ngoại viện 2025-2030 của Bộ Y tế (chưa ban hành)"
INDICATOR = Indicator(
    key="ambulance_response_p90",
    code="KC-01",
    domain="health",
    name_vi="Xe cấp cứu 115 đến nơi, đô thị (p90)",
    name_en="Ambulance response, urban (p90)",
    unit="min",
    unit_vi="phút",
    unit_en="min",
    direction="lower",
    formula="bách phân vị 90 của (đến nơi − nhận cuộc gọi), 24 giờ gần nhất, trạm đô thị; kèm số chuyến",
    reference=DRAFT + "; ngưỡng trên nữa là nội bộ",
    needs=("ambulance_response",),
    window=DAY,
    period=HOUR,
    stale_after=STALE_AFTER,
    low=0,
    high=600,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=8, inclusive=False, reference=DRAFT),
        Threshold(level="warning", value=12, inclusive=False),
        Threshold(level="critical", value=20, inclusive=False),
    ),
    deadband=0.5,
    owner="Trung tâm Cấp cứu 115",
    min_n=MIN_N,
    companions=(
        ObservedProperty(
            key="ambulance_response_p90_n",
            domain="health",
            name_vi="Chuyến cấp cứu đô thị trong 24 giờ",
            name_en="Ambulance arrivals in 24 hours, urban",
            unit="1",
            unit_vi="chuyến",
            unit_en="arrivals",
            direction="neutral",
            period=HOUR,
            stale_after=STALE_AFTER,
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """p90 and number per station and for the city; `not_evaluated` below min_n."""
    p90, n = of_a_day(window, rural=False)
    return results(window, {INDICATOR.key: p90, "ambulance_response_p90_n": n}, {INDICATOR.key: n < INDICATOR.min_n})
