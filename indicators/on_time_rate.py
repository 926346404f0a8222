"""Files resolved on time [%] over seven days, per office and for the city.

100·Σ(resolved before or on the due date)/Σ(resolved). The time goal is that of NĐ 118/2025/NĐ-CP; QĐ 766/QĐ-TTg counts
it in its group «tiến độ giải quyết». Limits are ours. Fewer than 30 files: `not_evaluated`, shown in grey.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, results
from indicators._shares import counted, percent

INDICATOR = Indicator(
    key="on_time_rate",
    code="DV-08",
    domain="services",
    name_vi="Tỷ lệ hồ sơ giải quyết đúng hạn",
    name_en="Share of files resolved on time",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × (trước hạn + đúng hạn) ÷ đã giải quyết, 7 ngày gần nhất",
    reference="QĐ 766/QĐ-TTg ngày 23/06/2022; NĐ 118/2025/NĐ-CP",
    needs=("files_resolved_on_time", "files_resolved"),
    parts=("files_resolved_on_time", "files_resolved"),
    window=7 * DAY,
    period=HOUR,
    stale_after=timedelta(hours=72),
    low=0,
    high=100,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=98, inclusive=False),
        Threshold(level="warning", value=95, inclusive=False),
        Threshold(level="critical", value=90, inclusive=False),
    ),
    deadband=0.5,
    owner="Trung tâm Phục vụ hành chính công",
    min_n=30,
    first_screen=True,
    baseline=True,
    companions=(
        ObservedProperty(
            key="on_time_n",
            domain="services",
            name_vi="Hồ sơ đã giải quyết trong 7 ngày",
            name_en="Files resolved in 7 days",
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
    met, n = counted(window, "files_resolved_on_time", "files_resolved", INDICATOR.window)
    found = {INDICATOR.key: percent(met, n), "on_time_n": n}
    return results(window, found, {INDICATOR.key: n < INDICATOR.min_n})
