"""River stage against the station's alarm levels [m]: H - BĐ1, and which alarm is reached (0-3).

Alarm levels I-III per station after QĐ 05/2020/QĐ-TTg, from the attributes alarm_1_m, alarm_2_m, alarm_3_m; equality
reaches the level. BĐ2 and BĐ3 lie at another distance from BĐ1 at each station, so limits of H - BĐ1 cannot express
them: river_alarm_level does. On the ten-minute mark at or after the reading, so that a flood is not an hour late.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty, Threshold
from core.window import Window
from indicators._grid import HOUR, attribute, marks, results, usable, wide

GRID = timedelta(minutes=10)
LEGAL_REFERENCE = "QĐ 05/2020/QĐ-TTg"
INDICATOR = Indicator(
    key="river_stage",
    code="TT-03",
    domain="weather",
    name_vi="Mực nước sông so với báo động 1",
    name_en="River stage against alarm 1",
    unit="m",
    unit_vi="m",
    unit_en="m",
    direction="lower",
    formula="H − BĐ1 của trạm; cấp báo động là mức cao nhất đã đạt",
    reference=LEGAL_REFERENCE,
    needs=("river_level",),
    window=GRID,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=-60,
    high=60,
    decimals=2,
    aggregation="max",
    thresholds=(Threshold(level="watch", value=0, basis="law", reference=f"{LEGAL_REFERENCE}: báo động I"),),
    deadband=0.05,
    owner="Ban Chỉ huy phòng thủ dân sự",
    first_screen=True,
    baseline=True,
    companions=(
        ObservedProperty(
            key="river_alarm_level",
            domain="weather",
            name_vi="Cấp báo động lũ",
            name_en="Flood alarm level",
            unit="1",
            unit_vi="cấp",
            unit_en="level",
            period=HOUR,
            stale_after=timedelta(minutes=150),
            low=0,
            high=3,
            aggregation="max",
        ),
    ),
)


def compute(window: Window) -> pd.DataFrame:
    """Stage and alarm level per station that has alarm levels."""
    level_m = wide(usable(window, "river_level"), marks(window, GRID), GRID, combine="last")
    height = level_m.to_numpy(dtype=np.float64)
    above = [
        np.round(height - attribute(window, f"alarm_{k}_m").reindex(level_m.columns).to_numpy(dtype=np.float64), 6)
        for k in (1, 2, 3)
    ]
    reached = np.max([np.where(difference >= 0, k, 0) for k, difference in enumerate(above, start=1)], axis=0)
    alarm = np.where(np.isfinite(above).any(axis=0), reached, np.nan)
    return results(
        window,
        {
            INDICATOR.key: pd.DataFrame(above[0], index=level_m.index, columns=level_m.columns),
            "river_alarm_level": pd.DataFrame(alarm, index=level_m.index, columns=level_m.columns),
        },
    )
