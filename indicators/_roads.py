"""Road segments as all traffic indicators see them: travel time per kilometre on a five-minute grid.

Averages are taken over travel times, never over speeds: two kilometres at 60 and at 20 km/h take 4 minutes together,
which is 30 km/h and not 40.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from core.window import Window
from indicators._grid import Floats, attribute, marks, usable, wide

PERIOD = timedelta(minutes=5)
LEAST_COVERED = 0.5  # ours: a city-wide figure needs reports from at least half of the network's length


@dataclass(frozen=True, slots=True)
class Roads:
    """Arrays [marks x segments] and attributes [segments]; NaN where nothing is known."""

    city_site: str
    times: pd.DatetimeIndex
    segments: pd.Index
    pace_h_per_km: Floats  # infinite where the road stands or is closed (speed 0)
    length_km: Floats
    free_flow_kmh: Floats
    arterial: np.ndarray

    def table(self, city: Floats, segments: Floats | None = None) -> pd.DataFrame:
        """One value per mark for the whole city, with or without those of the segments, as a table."""
        whole = pd.DataFrame({self.city_site: city}, index=self.times)
        if segments is None:
            return whole
        return pd.concat([pd.DataFrame(segments, index=self.times, columns=self.segments), whole], axis=1)

    def relative(self) -> Floats:
        """Speed over free-flow speed; 0 where the road stands."""
        return np.round(1.0 / (self.pace_h_per_km * self.free_flow_kmh), 9)

    def covered(self, among: np.ndarray) -> np.ndarray:
        """Marks at which at least half of the length of the segments in `among` reports, standing ones included."""
        length = np.where(among & np.isfinite(self.length_km), self.length_km, 0.0)
        reporting = np.where(np.isnan(self.pace_h_per_km), 0.0, length).sum(axis=1)
        return np.asarray((reporting > 0) & (reporting >= LEAST_COVERED * length.sum()))

    def moving(self) -> np.ndarray:
        """Segments with a travel time, per mark: they report, they do not stand, and their length is known."""
        return np.asarray(np.isfinite(self.pace_h_per_km) & np.isfinite(self.length_km))

    def everywhere(self) -> np.ndarray:
        """All segments."""
        return np.ones(len(self.segments), dtype=bool)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Numerator over denominator, NaN where the denominator is 0 or unknown."""
    known = np.isfinite(denominator) & (denominator > 0)
    return np.where(known, numerator / np.where(known, denominator, 1.0), np.nan)


def roads(window: Window) -> Roads:
    """The segments of the window. Readings of one period are averaged as travel times."""
    times = marks(window, PERIOD)
    rows = usable(window, "speed", kind="road_segment")
    speed = rows["value"].to_numpy()
    rows = rows.assign(value=np.where(speed > 0, 1.0 / np.where(speed > 0, speed, 1.0), np.inf))
    pace = wide(rows, times, PERIOD)
    kinds = window.sites["kind"] if "kind" in window.sites else pd.Series(dtype="str")
    known = kinds.index[kinds == "road_segment"]
    segments = pd.Index(sorted({*known, *pace.columns}), dtype="str")
    arterial = window.sites["arterial"].eq(True) if "arterial" in window.sites else pd.Series(dtype="bool")
    return Roads(
        city_site=window.city_site,
        times=times,
        segments=segments,
        pace_h_per_km=pace.reindex(columns=segments).to_numpy(dtype=np.float64),
        length_km=_positive(attribute(window, "length_km").reindex(segments)),
        free_flow_kmh=_positive(attribute(window, "free_flow_kmh").reindex(segments)),
        arterial=arterial.reindex(segments, fill_value=False).to_numpy(dtype=bool),
    )


def _positive(values: pd.Series) -> Floats:
    return values.where(values > 0).to_numpy(dtype=np.float64)
