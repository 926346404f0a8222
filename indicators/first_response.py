"""First response to citizen reports [h]: nine in ten came within it, over seven days, per site and city.

90th percentile (linear between neighbours) of the hours from receipt to first answer, of the reports answered in the
span, with median and number. Reports that still wait are not in it: read it with reports_on_time. Limits are ours until
the province's rules name one. Fewer than 20 answers: `not_evaluated`, shown in grey.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import DAY, HOUR, marks, results, usable

SPAN = 7 * DAY
STALE_AFTER = timedelta(hours=48)
INDICATOR = Indicator(
    key="first_response",
    code="PA-03",
    domain="reports",
    name_vi="Thời gian phản hồi đầu tiên (p90)",
    name_en="First response time (p90)",
    unit="h",
    unit_vi="giờ",
    unit_en="h",
    direction="lower",
    formula="bách phân vị 90 của (phản hồi đầu tiên − tiếp nhận), 7 ngày gần nhất; kèm trung vị và số tin",
    reference="Quy chế tiếp nhận phản ánh của tỉnh; ngưỡng nội bộ",
    needs=("report_first_response",),
    window=SPAN,
    period=HOUR,
    stale_after=STALE_AFTER,
    low=0,
    high=8784,
    decimals=1,
    thresholds=(
        Threshold(level="watch", value=8, inclusive=False),
        Threshold(level="warning", value=24, inclusive=False),
        Threshold(level="critical", value=48, inclusive=False),
    ),
    deadband=0.5,
    owner="Tổ tiếp nhận phản ánh 1022",
    min_n=20,
    companions=(
        ObservedProperty(
            key="first_response_median",
            domain="reports",
            name_vi="Thời gian phản hồi đầu tiên (trung vị)",
            name_en="First response time (median)",
            unit="h",
            unit_vi="giờ",
            unit_en="h",
            period=HOUR,
            stale_after=STALE_AFTER,
            low=0,
            high=8784,
            decimals=1,
        ),
        ObservedProperty(
            key="first_response_n",
            domain="reports",
            name_vi="Phản ánh được phản hồi trong 7 ngày",
            name_en="Reports answered in 7 days",
            unit="1",
            unit_vi="tin",
            unit_en="reports",
            direction="neutral",
            period=HOUR,
            stale_after=STALE_AFTER,
            low=0,
            aggregation="sum",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """p90, median and number per site and for the city, at hours in which an answer came in."""
    rows = usable(window, "report_first_response")[["time", "site_id", "value"]]
    times = marks(window, HOUR)
    if rows.empty or times.empty:
        return results(window, {})
    located = rows[rows["site_id"] != window.city_site]
    answers = pd.concat([located, rows.assign(site_id=window.city_site)], ignore_index=True).assign(asked=False)
    sites = pd.Index(sorted(answers["site_id"].unique()), dtype="str")
    questions = pd.DataFrame({"time": times.repeat(len(sites)), "site_id": np.tile(sites, len(times)), "asked": True})
    both = pd.concat([answers, questions], ignore_index=True).sort_values(["site_id", "time", "value"])
    # A question has no value, so it sorts behind the answers of its own instant and sees them.
    spans = both.groupby("site_id", sort=False).rolling(SPAN, on="time", min_periods=1)["value"]
    asked = both["asked"].to_numpy(dtype=bool)
    with_news = rows["time"].dt.ceil("h").unique()

    def table(values: Any) -> pd.DataFrame:
        found = both.loc[asked, ["time", "site_id"]].assign(value=values.to_numpy()[asked])
        by_site: pd.DataFrame = found.pivot(index="time", columns="site_id", values="value")
        return by_site[by_site.index.isin(with_news)]

    n = table(spans.count())
    n = n.where(n > 0)
    found = {"first_response": table(spans.quantile(0.9)), "first_response_median": table(spans.median())}
    few = n < INDICATOR.min_n
    return results(window, found | {"first_response_n": n}, dict.fromkeys(found, few))
