"""Satisfied answers [%] over seven days with their 95 % Wilson interval, per office and for the city.

100·(satisfied + very satisfied)/valid answers. Wilson: centre (p + z²/2n)/(1 + z²/n), half width
z/(1 + z²/n)·√(p(1-p)/n + z²/4n²), z = 1.959964. The limits are meant for the LOWER BOUND, satisfaction_low: 18 of 20 is
90 %, and still says no more than «at least 70 %». 90 % is the level of full points in QĐ 766/QĐ-TTg; the others are
ours. Fewer than 30 answers: `not_evaluated`, to be shown in grey with n and interval.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.wilson import bounds
from core.window import Window
from indicators._grid import DAY, HOUR, results
from indicators._shares import counted, percent

STALE_AFTER = timedelta(hours=72)


def _companion(key: str, name_vi: str, name_en: str) -> ObservedProperty:
    return ObservedProperty(
        key=key,
        domain="services",
        name_vi=name_vi,
        name_en=name_en,
        unit="%",
        unit_vi="%",
        unit_en="%",
        direction="higher",
        period=HOUR,
        stale_after=STALE_AFTER,
        low=0,
        high=100,
        decimals=1,
    )


INDICATOR = Indicator(
    key="satisfaction",
    code="DV-11",
    domain="services",
    name_vi="Mức hài lòng khảo sát",
    name_en="Survey satisfaction",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × (hài lòng + rất hài lòng) ÷ trả lời hợp lệ, 7 ngày; ngưỡng xét trên cận dưới Wilson 95 %",
    reference="QĐ 766/QĐ-TTg ngày 23/06/2022; Wilson 1927",
    needs=("ratings_satisfied", "ratings_valid"),
    parts=("ratings_satisfied", "ratings_valid"),
    window=7 * DAY,
    period=HOUR,
    stale_after=STALE_AFTER,
    low=0,
    high=100,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=90, inclusive=False, basis="law", reference="QĐ 766: điểm tối đa từ 90 %"),
        Threshold(level="warning", value=85, inclusive=False),
        Threshold(level="critical", value=80, inclusive=False),
    ),
    deadband=1,
    owner="Trung tâm Phục vụ hành chính công",
    min_n=30,
    first_screen=True,
    companions=(
        _companion("satisfaction_low", "Mức hài lòng, cận dưới 95 %", "Satisfaction, lower 95 % bound"),
        _companion("satisfaction_high", "Mức hài lòng, cận trên 95 %", "Satisfaction, upper 95 % bound"),
        ObservedProperty(
            key="satisfaction_n",
            domain="services",
            name_vi="Lượt đánh giá hợp lệ trong 7 ngày",
            name_en="Valid ratings in 7 days",
            unit="1",
            unit_vi="lượt",
            unit_en="ratings",
            direction="neutral",
            period=HOUR,
            stale_after=STALE_AFTER,
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage, bounds and number per office and for the city; `not_evaluated` where the number is below min_n."""
    satisfied, n = counted(window, "ratings_satisfied", "ratings_valid", INDICATOR.window)
    satisfied = satisfied.clip(upper=n)  # a source that counts more satisfied than valid answers contradicts itself
    low, high = bounds(satisfied.to_numpy(dtype=np.float64), n.to_numpy(dtype=np.float64))
    few = n < INDICATOR.min_n
    found = {
        "satisfaction": percent(satisfied, n),
        "satisfaction_low": pd.DataFrame(100.0 * low, index=n.index, columns=n.columns),
        "satisfaction_high": pd.DataFrame(100.0 * high, index=n.index, columns=n.columns),
    }
    return results(window, found | {"satisfaction_n": n}, dict.fromkeys(found, few))
