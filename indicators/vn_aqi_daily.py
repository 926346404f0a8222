"""Daily VN_AQI [points, 0-500] of an air station, labelled with the midnight that ends the day.

QĐ 1459/QĐ-TCMT of 12/11/2019, mục 2: the day runs from label 01:00 to label 00:00 of the next day, local time;
PM10, PM2.5 = 24-hour mean; SO2, NO2, CO = largest hourly mean; O3 = the worse of the largest 1-hour and 8-hour means
(an 8-hour mean above 400 µg/m³ is not scored). Not published without PM10 or PM2.5. Ours: 18 of 24 and 6 of 8 hours.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator
from core.window import Window
from indicators._grid import DAY, HOUR, Floats, day_marks, marks, results, usable, wide
from indicators._vn_aqi_table import LEAST_OF_8, LEAST_OF_24, half_up, means, sub_indices
from indicators.vn_aqi import LEGAL_REFERENCE, PARTICLES, POLLUTANTS, THRESHOLDS

INDICATOR = Indicator(
    key="vn_aqi_daily",
    code="MT-02",
    domain="environment",
    name_vi="VN_AQI ngày",
    name_en="Daily VN_AQI",
    unit="1",
    unit_vi="điểm",
    unit_en="points",
    direction="lower",
    formula="max(AQIx); PM: trung bình 24 giờ (≥18 giờ); khí: giờ lớn nhất; O₃: xấu hơn giữa 1 giờ và 8 giờ lớn nhất",
    reference=LEGAL_REFERENCE,
    needs=tuple(POLLUTANTS),
    window=DAY + 7 * HOUR,
    period=DAY,
    stale_after=timedelta(hours=50),
    low=0,
    high=500,
    aggregation="max",
    thresholds=THRESHOLDS,
    owner="Sở Nông nghiệp và Môi trường",
)


def compute(window: Window) -> pd.DataFrame:
    """Daily VN_AQI in whole points per station, at each local midnight of the window."""
    times = marks(window, HOUR, back=INDICATOR.window)
    ends = day_marks(window)
    tables = {key: wide(usable(window, key, kind="air_station"), times, HOUR) for key in POLLUTANTS}
    stations = sorted({site for table in tables.values() for site in table.columns})
    if ends.empty or not stations:
        return results(window, {})
    tables = {key: table.reindex(columns=stations) for key, table in tables.items()}

    def at_ends(table: pd.DataFrame) -> Floats:
        return table.reindex(ends).to_numpy(dtype=np.float64)

    def largest(table: pd.DataFrame) -> Floats:
        return at_ends(table.rolling(24, min_periods=1).max())

    particles = np.stack([sub_indices(key, at_ends(means(tables[key], 24, LEAST_OF_24))) for key in PARTICLES])
    gases = [sub_indices(key, largest(tables[key])) for key in ("no2", "so2", "co")]
    gases.append(sub_indices("o3_1h", largest(tables["o3"])))
    gases.append(sub_indices("o3_8h", largest(means(tables["o3"], 8, LEAST_OF_8))))
    points = half_up(np.concatenate([particles, np.stack(gases)]))
    published = np.isfinite(particles).any(axis=0)
    worst = np.where(published, np.where(np.isfinite(points), points, -1.0).max(axis=0), np.nan)
    return results(window, {"vn_aqi_daily": pd.DataFrame(worst, index=ends, columns=stations)})
