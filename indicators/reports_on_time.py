"""Citizen reports closed by their due time [%] over seven days, per site and for the city.

100·Σ(due in the span and closed in time)/Σ(due in the span): a report counts when it falls due, closed or not, so that
what lies unanswered cannot improve the figure. QĐ 766/QĐ-TTg, group «mức độ hài lòng»; limits are ours.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, results
from indicators._shares import counted, percent

INDICATOR = Indicator(
    key="reports_on_time",
    code="PA-02",
    domain="reports",
    name_vi="Phản ánh xử lý đúng hạn",
    name_en="Reports resolved on time",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × đã xử lý kịp ÷ đến hạn, 7 ngày gần nhất",
    reference="QĐ 766/QĐ-TTg ngày 23/06/2022; quy chế tiếp nhận phản ánh của tỉnh",
    needs=("reports_due_met", "reports_due"),
    parts=("reports_due_met", "reports_due"),
    window=7 * DAY,
    period=HOUR,
    stale_after=timedelta(hours=48),
    low=0,
    high=100,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=95, inclusive=False),
        Threshold(level="warning", value=90, inclusive=False),
        Threshold(level="critical", value=80, inclusive=False),
    ),
    deadband=0.5,
    owner="Tổ tiếp nhận phản ánh 1022",
    min_n=30,
    companions=(
        ObservedProperty(
            key="reports_on_time_n",
            domain="reports",
            name_vi="Phản ánh đến hạn trong 7 ngày",
            name_en="Reports due in 7 days",
            unit="1",
            unit_vi="tin",
            unit_en="reports",
            direction="neutral",
            period=HOUR,
            stale_after=timedelta(hours=48),
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage and number per site and for the city; `not_evaluated` below min_n."""
    met, n = counted(window, "reports_due_met", "reports_due", INDICATOR.window)
    found = {INDICATOR.key: percent(met, n), "reports_on_time_n": n}
    return results(window, found, {INDICATOR.key: n < INDICATOR.min_n})
