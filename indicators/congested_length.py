"""Congested length [km], for the city: total length of the segments slower than 40 % of their free flow.

Σl where v/v_ff < 0.4; a standing or closed road (speed 0) counts. Needs reports from half of the length (ours).
The limits of this figure are its usual band for the hour of the week (above p75, p90, p97.5 of eight weeks): a fixed
number of kilometres would mean something else in each city, so the record carries none.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator
from core.window import Window
from indicators._grid import results
from indicators._roads import PERIOD, roads

INDICATOR = Indicator(
    key="congested_length",
    code="GT-04",
    domain="traffic",
    name_vi="Chiều dài đường ùn tắc",
    name_en="Congested length",
    unit="km",
    unit_vi="km",
    unit_en="km",
    direction="lower",
    formula="Σ l của các đoạn có v ÷ v_tự do < 0,4; ngưỡng là dải thường ngày cùng giờ (p75, p90, p97,5 của 8 tuần)",
    reference="Quy ước nội bộ; mức 0,4 ứng với LOS E/F của HCM 6",
    needs=("speed",),
    window=PERIOD,
    period=PERIOD,
    stale_after=timedelta(minutes=15),
    low=0,
    high=10000,
    decimals=1,
    aggregation="sum",
    deadband=0.2,
    on_delay=timedelta(minutes=10),
    off_delay=timedelta(minutes=10),
    owner="Sở Xây dựng (giao thông)",
    first_screen=True,
    baseline=True,
)
CONGESTED_BELOW = 0.4  # of the free-flow speed


def compute(window: Window) -> pd.DataFrame:
    """Kilometres for the city."""
    network = roads(window)
    jammed = np.where(network.relative() < CONGESTED_BELOW, network.length_km, 0.0)
    judged = network.everywhere() & np.isfinite(network.free_flow_kmh)
    length = np.where(np.isfinite(jammed), jammed, 0.0).sum(axis=1)
    city = np.where(network.covered(judged), length, np.nan)
    return results(window, {INDICATOR.key: network.table(city)})
