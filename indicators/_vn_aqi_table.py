"""The arithmetic of VN_AQI on whole arrays: breakpoints, sub-indices, NowCast and 8-hour means.

QĐ 1459/QĐ-TCMT of 12/11/2019 (Tổng cục Môi trường), Bảng 2 and công thức 1-3. The table has no gaps between classes:
25.1 µg/m³ of PM2.5 is 50.2, it does not start again at 51 as in the table of the US EPA. All in µg/m³, CO too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from indicators._grid import Floats

INDEX: Final = (0.0, 50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0)
BREAKPOINTS: Final[dict[str, tuple[float, ...]]] = {
    "o3_1h": (0, 160, 200, 300, 400, 800, 1_000, 1_200),
    "o3_8h": (0, 100, 120, 170, 210, 400),
    "co": (0, 10_000, 30_000, 45_000, 60_000, 90_000, 120_000, 150_000),
    "so2": (0, 125, 350, 550, 800, 1_600, 2_100, 2_630),
    "no2": (0, 100, 200, 700, 1_200, 2_350, 3_100, 3_850),
    "pm10": (0, 50, 150, 250, 350, 420, 500, 600),
    "pm25": (0, 25, 50, 80, 150, 250, 350, 500),
}
O3_8H_LIMIT: Final = 400.0  # above it the 8-hour mean is not scored: the 1-hour column alone counts
NOWCAST_HOURS: Final = 12
LEAST_WEIGHT: Final = 0.5
LEAST_OF_8: Final = 6  # ours: the decision names no share; three quarters of the hours
LEAST_OF_24: Final = 18  # ours, likewise
EXACT_DIGITS: Final = 6  # 50.3 µg/m³ is 100.5 and must round to 101; binary fractions give 100.4999…


def sub_indices(pollutant: str, concentration: Floats) -> Floats:
    """AQI of each concentration, not rounded to whole points; NaN for NaN, below 0, and for O3 8 h above 400."""
    nodes = BREAKPOINTS[pollutant]
    index = np.interp(concentration, nodes, INDEX[: len(nodes)])
    absent = ~(concentration >= 0)
    if pollutant == "o3_8h":
        absent |= concentration > O3_8H_LIMIT
    return np.asarray(np.round(np.where(absent, np.nan, index), EXACT_DIGITS), dtype=np.float64)


def half_up(values: Floats | np.float64) -> Floats:
    """Whole points, .5 upwards (the decision prints 109.5 as 110; round() of Python would take the even one)."""
    return np.asarray(np.floor(np.round(values, EXACT_DIGITS) + 0.5), dtype=np.float64)


def nowcasts(hours: Floats) -> Floats:
    """NowCast along the first axis: hours[0] is the newest of up to twelve, NaN where an hour is missing.

    w = max(Cmin/Cmax, 1/2); result = Σ wⁱ⁻¹·cᵢ / Σ wⁱ⁻¹ over the hours that are there; NaN with fewer than two of the
    newest three. The decision prints the case w = 1/2 without the divisor, which would lose what missing hours weigh.
    """
    there = hours >= 0
    low = np.where(there, hours, np.inf).min(axis=0)
    high = np.where(there, hours, 0.0).max(axis=0)
    weight = np.where(high > 0, np.maximum(low / np.where(high > 0, high, 1.0), LEAST_WEIGHT), 1.0)
    powers = weight[None, ...] ** np.arange(len(hours)).reshape(-1, *([1] * (hours.ndim - 1)))
    weights = np.where(there, powers, 0.0)
    enough = there[:3].sum(axis=0) >= 2
    total = (weights * np.where(there, hours, 0.0)).sum(axis=0)
    return np.where(enough, total / np.where(enough, weights.sum(axis=0), 1.0), np.nan)


def means(table: pd.DataFrame, hours: int, least: int) -> pd.DataFrame:
    """Mean of the last `hours` rows of an hourly table, NaN with fewer than `least` of them.

    Summed directly and not by adding and taking away, so that the result does not hang on how far back the table goes.
    """
    values = np.vstack([np.full((hours - 1, table.shape[1]), np.nan), table.to_numpy(dtype=np.float64)])
    spans = np.lib.stride_tricks.sliding_window_view(values, hours, axis=0)
    there = np.isfinite(spans)
    count = there.sum(axis=2)
    mean = np.where(there, spans, 0.0).sum(axis=2) / np.maximum(count, 1)
    return pd.DataFrame(np.where(count >= least, mean, np.nan), index=table.index, columns=table.columns)


def newest_first(table: pd.DataFrame, hours: int = NOWCAST_HOURS) -> Floats:
    """An hourly table as [hour back, mark, site]: what stood 0, 1, … hours before each mark."""
    return np.stack([table.shift(back).to_numpy(dtype=np.float64) for back in range(hours)])
