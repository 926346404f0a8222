"""Pupils absent at the roll call [%], per school and for the city.

100·Σ absent / Σ on the roll, of the schools that called the roll in the last twelve hours; a school that said nothing
is in neither sum. No law names a limit; ours is not set either: what is unusual, the usual band tells. Below 30 pupils:
`not_evaluated`, which also keeps a small class from being read.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, ObservedProperty
from core.window import Window
from indicators._grid import DAY, HOUR, results
from indicators._shares import counted, percent

STALE_AFTER = timedelta(days=4)
INDICATOR = Indicator(
    key="pupils_absent_share",
    code="GD-01",
    domain="education",
    name_vi="Tỷ lệ học sinh vắng",
    name_en="Pupils absent",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="lower",
    formula="100 × học sinh vắng ÷ sĩ số của các trường đã điểm danh, 12 giờ gần nhất",
    reference="TT 28/2020 và TT 32/2020/TT-BGDĐT (điều lệ trường học): quản lý sĩ số; không có ngưỡng pháp lý",
    needs=("pupils_absent", "pupils_enrolled"),
    window=DAY / 2,
    period=DAY,
    stale_after=STALE_AFTER,
    low=0,
    high=100,
    decimals=1,
    owner="Sở Giáo dục và Đào tạo",
    min_n=30,
    studied=True,
    companions=(
        ObservedProperty(
            key="pupils_absent_share_n",
            domain="education",
            name_vi="Sĩ số của các trường đã điểm danh",
            name_en="Pupils on the rolls that were called",
            unit="1",
            unit_vi="học sinh",
            unit_en="pupils",
            direction="neutral",
            period=DAY,
            stale_after=STALE_AFTER,
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage and number per school and for the city, at the hours in which a roll was called."""
    absent, n = counted(window, "pupils_absent", "pupils_enrolled", 12 * HOUR)
    found = {INDICATOR.key: percent(absent, n), "pupils_absent_share_n": n}
    return results(window, found, {INDICATOR.key: n < INDICATOR.min_n})
