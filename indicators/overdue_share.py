"""Overdue files among the pending ones [%], per office and for the city.

100·overdue/pending, both as reported for the same hour; the city divides the sums. Nothing pending gives no share.
NĐ 118/2025/NĐ-CP; limits are ours (0.5 % and 2 % of the pending files).
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import HOUR, results
from indicators._pending import HEARD, newest
from indicators._shares import percent

INDICATOR = Indicator(
    key="overdue_share",
    code="DV-09b",
    domain="services",
    name_vi="Tỷ lệ hồ sơ quá hạn trong hồ sơ đang xử lý",
    name_en="Overdue share of pending files",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="lower",
    formula="100 × đang quá hạn ÷ đang xử lý",
    reference="NĐ 118/2025/NĐ-CP",
    needs=("files_pending_overdue", "files_pending"),
    parts=("files_pending_overdue", "files_pending"),
    levels=True,
    window=HEARD,
    period=HOUR,
    stale_after=timedelta(hours=72),
    low=0,
    high=100,
    decimals=1,
    thresholds=(
        Threshold(level="warning", value=0.5, inclusive=False),
        Threshold(level="critical", value=2, inclusive=False),
    ),
    deadband=0.1,
    owner="Trung tâm Phục vụ hành chính công",
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage per office in the hours in which it reports both numbers, and for the city."""
    overdue, pending = newest(window, "files_pending_overdue"), newest(window, "files_pending")
    both = overdue.known.columns.intersection(pending.known.columns)
    overdue, pending = overdue.among(both), pending.among(both)
    known = overdue.known.notna() & pending.known.notna()
    city = percent(
        overdue.known.where(known).sum(axis=1).to_frame(window.city_site),
        pending.known.where(known).sum(axis=1).to_frame(window.city_site),
    )
    news = overdue.city().notna() & pending.city().notna()
    table = percent(overdue.reported, pending.reported).assign(**{window.city_site: city[window.city_site].where(news)})
    doubtful = pd.DataFrame(np.asarray(overdue.doubtful(table) | pending.doubtful(table)), table.index, table.columns)
    return results(window, {INDICATOR.key: table}, {INDICATOR.key: doubtful}, quality="suspect")
