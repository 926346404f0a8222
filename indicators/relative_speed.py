"""Speed relative to free flow [%], per segment and for the city.

Segment: 100·v/v_ff, 0 for a standing road. City: 100·Σ(l/v_ff)/Σ(l/v), the harmonic mean by length of v over that of
v_ff, over moving segments; needs reports from half of the length (ours). Limits: HCM 6, urban street LOS D/E/F, for
orientation only: HCM assumes lane discipline, which a flow of motorcycles does not keep.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import results
from indicators._roads import PERIOD, ratio, roads

INDICATOR = Indicator(
    key="relative_speed",
    code="GT-02",
    domain="traffic",
    name_vi="Tốc độ so với tự do",
    name_en="Speed relative to free flow",
    unit="%",
    unit_vi="%",
    unit_en="%",
    direction="higher",
    formula="100 × Σ(l ÷ v_tự do) ÷ Σ(l ÷ v), trung bình điều hòa theo chiều dài",
    reference="HCM 6, đường đô thị, LOS D/E/F (tham khảo)",
    needs=("speed",),
    window=PERIOD,
    period=PERIOD,
    stale_after=timedelta(minutes=15),
    low=0,
    high=1000,
    thresholds=(
        Threshold(level="watch", value=50, basis="standard", reference="HCM 6: LOS D"),
        Threshold(level="warning", value=40, basis="standard", reference="HCM 6: LOS E"),
        Threshold(level="critical", value=30, basis="standard", reference="HCM 6: LOS F"),
    ),
    deadband=2,
    on_delay=timedelta(minutes=10),
    off_delay=timedelta(minutes=10),
    owner="Sở Xây dựng (giao thông)",
    first_screen=True,
    baseline=True,
)


def compute(window: Window) -> pd.DataFrame:
    """Percentage per segment and for the city."""
    network = roads(window)
    counted = network.moving() & np.isfinite(network.free_flow_kmh)
    free_hours = np.where(counted, network.length_km / network.free_flow_kmh, 0.0).sum(axis=1)
    hours = np.where(counted, network.length_km * network.pace_h_per_km, 0.0).sum(axis=1)
    city = np.where(network.covered(network.everywhere()), 100.0 * ratio(free_hours, hours), np.nan)
    return results(window, {INDICATOR.key: network.table(city, 100.0 * network.relative())})
