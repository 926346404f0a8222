"""Travel time index [ratio]: how much longer the drive takes than on a free road, per segment and for the city.

Segment: T/T_ff = v_ff/v. City: Σ(T·w)/Σ(T_ff·w) with T the time per kilometre and w = length · flow, or the length
alone as soon as one of the segments has no flow; without flow this is total time over total free-flow time.
FHWA, Travel Time Reliability. A road faster than its free flow counts below 1, nothing is cut off. A standing or closed
road (speed 0) has no travel time and is left out here; congested_length counts it. Needs half of the length (ours).
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import results, usable, wide
from indicators._roads import PERIOD, ratio, roads

INDICATOR = Indicator(
    key="travel_time_index",
    code="GT-01",
    domain="traffic",
    name_vi="Chỉ số thời gian đi lại",
    name_en="Travel time index",
    unit="1",
    unit_vi="lần",
    unit_en="×",
    direction="lower",
    formula="Σ(T·w) ÷ Σ(T_tự do·w); T: thời gian đi 1 km, w: chiều dài × lưu lượng (hoặc chiều dài); bỏ đoạn đứng hẳn",
    reference="FHWA, Travel Time Reliability",
    needs=("speed", "traffic_flow"),
    window=PERIOD,
    period=PERIOD,
    stale_after=timedelta(minutes=15),
    low=0,
    high=200,
    decimals=2,
    thresholds=(
        Threshold(level="watch", value=1.3),
        Threshold(level="warning", value=1.5),
        Threshold(level="critical", value=2.0),
    ),
    deadband=0.05,
    on_delay=timedelta(minutes=10),
    off_delay=timedelta(minutes=10),
    owner="Sở Xây dựng (giao thông)",
    first_screen=True,
    baseline=True,
    studied=True,
)


def compute(window: Window) -> pd.DataFrame:
    """Index per segment and for the city."""
    network = roads(window)
    pace = np.where(np.isfinite(network.pace_h_per_km), network.pace_h_per_km, np.nan)
    free_pace = np.broadcast_to(1.0 / network.free_flow_kmh, pace.shape)
    counted = network.moving() & np.isfinite(free_pace)
    flow = wide(usable(window, "traffic_flow", kind="road_segment"), network.times, PERIOD)
    vehicles = flow.reindex(columns=network.segments).to_numpy(dtype=np.float64)
    by_flow = np.where(counted, vehicles, 0.0).sum(axis=1) > 0  # one unknown flow makes the sum unknown
    weight = np.where(counted, network.length_km, 0.0) * np.where(by_flow[:, None] & counted, vehicles, 1.0)
    total = (weight * np.where(counted, pace, 0.0)).sum(axis=1)
    free_total = (weight * np.where(counted, free_pace, 0.0)).sum(axis=1)
    city = np.where(network.covered(network.everywhere()), ratio(total, free_total), np.nan)
    return results(window, {INDICATOR.key: network.table(city, pace / free_pace)})
