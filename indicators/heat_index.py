"""Heat index [°C]: how hot it feels with the humidity of the hour, per station.

NOAA Weather Prediction Center, «The Heat Index Equation» (Rothfusz 1990, NWS SR 90-23): in °F, the simple mean
0.5·(T + 61 + 1.2·(T-68) + 0.094·RH); from 80 °F up the full regression, less an adjustment for dry air (RH < 13 %,
80-112 °F), plus one for damp air (RH > 85 %, 80-87 °F). Shade and light wind are assumed.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, Threshold
from core.window import Window
from indicators._grid import HOUR, Floats, marks, results, usable, wide

NOAA = "NOAA/NWS: bảng chỉ số nóng bức"
INDICATOR = Indicator(
    key="heat_index",
    code="TT-06",
    domain="weather",
    name_vi="Chỉ số nóng bức",
    name_en="Heat index",
    unit="Cel",
    unit_vi="°C",
    unit_en="°C",
    direction="lower",
    formula="hồi quy Rothfusz của NOAA từ nhiệt độ và độ ẩm; dưới 80 °F dùng công thức đơn giản",
    reference="NOAA/NWS, Rothfusz 1990 (SR 90-23)",
    needs=("temperature", "relative_humidity"),
    window=HOUR,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=-40,
    high=120,
    decimals=0,
    aggregation="max",
    thresholds=(
        Threshold(level="watch", value=32, basis="standard", reference=NOAA),
        Threshold(level="warning", value=41, basis="standard", reference=NOAA),
        Threshold(level="critical", value=54, basis="standard", reference=NOAA),
    ),
    deadband=0.5,
    owner="Sở Y tế",
)


def heat_index_c(temperature_c: Floats, humidity_percent: Floats) -> Floats:
    """Heat index [°C] of temperatures [°C] and relative humidities [%]; a humidity above 100 counts as 100."""
    t = np.asarray(temperature_c, dtype=np.float64) * 1.8 + 32.0
    rh = np.minimum(np.asarray(humidity_percent, dtype=np.float64), 100.0)
    simple = 0.5 * (t + 61.0 + (t - 68.0) * 1.2 + rh * 0.094)
    full = (
        -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh - 6.83783e-3 * t**2
        - 5.481717e-2 * rh**2 + 1.22874e-3 * t**2 * rh + 8.5282e-4 * t * rh**2 - 1.99e-6 * t**2 * rh**2
    )  # fmt: skip
    dry = (rh < 13) & (t >= 80) & (t <= 112)
    damp = (rh > 85) & (t >= 80) & (t <= 87)
    full = full - np.where(dry, (13 - rh) / 4 * np.sqrt(np.maximum(17 - np.abs(t - 95), 0.0) / 17), 0.0)
    full = full + np.where(damp, (rh - 85) / 10 * (87 - t) / 5, 0.0)
    return (np.where(simple >= 80, full, simple) - 32.0) / 1.8


def compute(window: Window) -> pd.DataFrame:
    """Heat index at every site that reports temperature and humidity in the same hour."""
    times = marks(window, HOUR)
    temperature = wide(usable(window, "temperature"), times, HOUR)
    humidity = wide(usable(window, "relative_humidity"), times, HOUR)
    both = temperature.columns.intersection(humidity.columns)
    felt = heat_index_c(temperature[both].to_numpy(), humidity[both].to_numpy())
    return results(window, {INDICATOR.key: pd.DataFrame(felt, index=times, columns=both)})
