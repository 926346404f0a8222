"""Equivalent noise level LAeq of the hour [dB(A)], per station, and its distance to the limit of that hour.

LAeq = 10·lg(Σ tᵢ·10^(Lᵢ/10) / Σ tᵢ) over the readings of the hour; levels are never averaged as they stand. 50 of 60
minutes must be covered (ours). Day is 06-21 h, night 21-06 h, local time. QCVN 26:2010/BTNMT (70/55 dBA, in special
areas 55/45) was replaced by QCVN 26:2025/BNNMT on 14/11/2025, whose table the operator enters as attributes of the
station: until then there is no distance and no limit. No fixed thresholds: the limit is that of the place.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty
from core.window import Window
from indicators._grid import HOUR, attribute, local_hour, marks, results, usable
from indicators._intervals import MEMORY, trailing

COVERED_MIN = 50
METER_INTERVAL_MIN = 10  # of a meter that has no reading before
DAY_BEGINS, NIGHT_BEGINS = 6, 21  # local hours
INDICATOR = Indicator(
    key="noise_laeq",
    code="MT-08",
    domain="environment",
    name_vi="Mức ồn tương đương LAeq",
    name_en="Equivalent noise level LAeq",
    unit="dB(A)",
    unit_vi="dBA",
    unit_en="dBA",
    direction="lower",
    formula="10·lg(1/n · Σ 10^(Lᵢ/10)) trong giờ, cần ít nhất 50 phút có số liệu; so với giới hạn ngày, đêm",
    reference="QCVN 26:2025/BNNMT (TT 01/2025/TT-BNNMT); giới hạn do đơn vị nhập, QCVN 26:2010 chỉ để tham khảo",
    needs=("noise_level",),
    window=HOUR + MEMORY,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=20,
    high=140,
    decimals=1,
    aggregation="max",
    deadband=1,
    owner="Sở Nông nghiệp và Môi trường",
    first_screen=True,
    baseline=True,
    companions=(
        ObservedProperty(
            key="noise_over_limit",
            domain="environment",
            name_vi="Mức ồn so với giới hạn (tham khảo)",
            name_en="Noise against the limit (for reference)",
            unit="dB",
            unit_vi="dB",
            unit_en="dB",
            period=HOUR,
            stale_after=timedelta(minutes=150),
            low=-120,
            high=120,
            decimals=1,
            aggregation="max",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """LAeq per station, and LAeq minus the limit of the hour where the station has one."""
    times = marks(window, HOUR)
    rows = usable(window, "noise_level")
    rows = rows.assign(value=10.0 ** (rows["value"] / 10.0))
    _, energy = trailing(rows, times, HOUR, HOUR, COVERED_MIN, METER_INTERVAL_MIN)
    laeq = energy.apply(np.log10) * 10.0
    hour = local_hour(times, window.zone)
    is_day = (hour >= DAY_BEGINS) & (hour < NIGHT_BEGINS)
    by_day = attribute(window, "noise_limit_day_dba").reindex(laeq.columns).to_numpy(dtype=np.float64)
    by_night = attribute(window, "noise_limit_night_dba").reindex(laeq.columns).to_numpy(dtype=np.float64)
    limit = np.where(is_day[:, None], by_day[None, :], by_night[None, :])
    return results(window, {INDICATOR.key: laeq, "noise_over_limit": laeq - limit})
