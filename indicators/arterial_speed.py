"""Mean speed on the arterial roads [km/h], for the city.

Σl/Σ(l/v) over moving segments that the city marks as arterial: length over travel time, so the slow kilometre weighs as
long as it lasts. A standing road (speed 0) has no travel time and is left out. Needs half of the length (ours).
House measure beside GT-02; FHWA: average travel times, not speeds. No limits: it is read against its usual band.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator
from core.window import Window
from indicators._grid import results
from indicators._roads import PERIOD, ratio, roads

INDICATOR = Indicator(
    key="arterial_speed",
    code="GT-02b",
    domain="traffic",
    name_vi="Tốc độ trung bình trục chính",
    name_en="Mean speed on arterials",
    unit="km/h",
    unit_vi="km/h",
    unit_en="km/h",
    direction="higher",
    formula="Σ l ÷ Σ(l ÷ v) trên các đoạn trục chính đang có xe chạy; so với dải thường ngày",
    reference="FHWA, Travel Time Reliability: lấy trung bình thời gian đi, không lấy trung bình tốc độ",
    needs=("speed",),
    window=PERIOD,
    period=PERIOD,
    stale_after=timedelta(minutes=15),
    low=0,
    high=160,
    deadband=1,
    on_delay=timedelta(minutes=10),
    off_delay=timedelta(minutes=10),
    owner="Sở Xây dựng (giao thông)",
    first_screen=True,
    baseline=True,
)


def compute(window: Window) -> pd.DataFrame:
    """Speed for the city."""
    network = roads(window)
    counted = network.moving() & network.arterial
    length = np.where(counted, network.length_km, 0.0).sum(axis=1)
    hours = np.where(counted, network.length_km * network.pace_h_per_km, 0.0).sum(axis=1)
    city = np.where(network.covered(network.arterial), ratio(length, hours), np.nan)
    return results(window, {INDICATOR.key: network.table(city)})
