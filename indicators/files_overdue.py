"""Files that are past their due date right now [files], per office and for the city.

What the offices report as pending and overdue (NĐ 118/2025/NĐ-CP); the city is the sum of each office's newest report
of the last 24 hours. When an office that reported in the last seven days is silent for longer, the sum is too small
and is marked `suspect`. Limits of the share of pending files: see overdue_share.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import HOUR, results
from indicators._pending import HEARD, newest

INDICATOR = Indicator(
    key="files_overdue",
    code="DV-09",
    domain="services",
    name_vi="Hồ sơ đang quá hạn",
    name_en="Files overdue now",
    unit="1",
    unit_vi="hồ sơ",
    unit_en="files",
    direction="lower",
    formula="số hồ sơ đang xử lý có hạn trước hiện tại; toàn địa bàn: cộng báo cáo mới nhất của từng đơn vị",
    reference="NĐ 118/2025/NĐ-CP",
    needs=("files_pending_overdue",),
    parts=("files_pending_overdue",),
    levels=True,
    window=HEARD,
    period=HOUR,
    stale_after=timedelta(hours=72),
    low=0,
    high=1_000_000,
    aggregation="sum",
    thresholds=(Threshold(level="watch", value=1),),
    owner="Trung tâm Phục vụ hành chính công",
)


def compute(window: Window) -> pd.DataFrame:
    """Number per office in the hours in which it reports, and for the city."""
    overdue = newest(window, "files_pending_overdue")
    table = overdue.reported.assign(**{window.city_site: overdue.city()})
    return results(window, {INDICATOR.key: table}, {INDICATOR.key: overdue.doubtful(table)}, quality="suspect")
