"""Hourly VN_AQI [points, 0-500] of an air station: the worst sub-index, PM by NowCast, gases by the hour's mean.

QĐ 1459/QĐ-TCMT of 12/11/2019, mục 2: AQIx = (I[i+1]-I[i])/(BP[i+1]-BP[i])·(C-BP[i]) + I[i] over Bảng 2, C in µg/m³;
hourly SO2, CO, NO2, O3 (1 h) and NowCast of PM10 and PM2.5; not published without PM10 or PM2.5 (mục 2.1.b).
The decision prints NO2 118.7 µg/m³ as 60 where its own formula gives 59.35: here it is 59.
Models are no stations: values that the city books on anything but an air_station give no VN_AQI.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from core.catalogue import ROOT, Indicator, ObservedProperty, Threshold
from core.errors import InputError
from core.window import Window
from indicators._grid import HOUR, Floats, marks, results, usable, wide
from indicators._vn_aqi_table import (
    BREAKPOINTS,
    LEAST_OF_8,
    LEAST_OF_24,
    NOWCAST_HOURS,
    half_up,
    newest_first,
    nowcasts,
    sub_indices,
)

LEGAL_REFERENCE = "QĐ 1459/QĐ-TCMT ngày 12/11/2019"
IN_FORCE = date(2019, 11, 12)
POLLUTANTS = {"pm25": "PM2.5", "pm10": "PM10", "no2": "NO₂", "so2": "SO₂", "co": "CO", "o3": "O₃"}
PARTICLES = ("pm25", "pm10")
_GAS_HOURS = {"no2_1h": "no2", "so2_1h": "so2", "co_1h": "co", "o3_1h": "o3_1h"}  # statistic: column of Bảng 2
HOURLY_STATISTICS = {"pm25_nowcast": "pm25", "pm10_nowcast": "pm10", **_GAS_HOURS}
DAILY_STATISTICS = {
    "pm25_24h": "pm25", "pm10_24h": "pm10", "o3_8h_max": "o3_8h",
    **{f"{name}_max": column for name, column in _GAS_HOURS.items()},
}  # fmt: skip
THRESHOLDS = (
    Threshold(level="watch", value=101, basis="law", reference=f"{LEGAL_REFERENCE}: Kém", valid_from=IN_FORCE),
    Threshold(level="warning", value=151, basis="law", reference=f"{LEGAL_REFERENCE}: Xấu", valid_from=IN_FORCE),
    Threshold(level="critical", value=201, basis="law", reference=f"{LEGAL_REFERENCE}: Rất xấu", valid_from=IN_FORCE),
)

INDICATOR = Indicator(
    key="vn_aqi",
    code="MT-01",
    domain="environment",
    name_vi="VN_AQI giờ",
    name_en="Hourly VN_AQI",
    unit="1",
    unit_vi="điểm",
    unit_en="points",
    direction="lower",
    formula="max(AQIx); bụi tính theo NowCast 12 giờ, khí theo trung bình 1 giờ; không có PM thì không công bố",
    reference=LEGAL_REFERENCE,
    needs=tuple(POLLUTANTS),
    window=NOWCAST_HOURS * HOUR,
    period=HOUR,
    stale_after=timedelta(minutes=150),
    low=0,
    high=500,
    aggregation="max",
    thresholds=THRESHOLDS,
    deadband=3,
    owner="Sở Nông nghiệp và Môi trường",
    first_screen=True,
    baseline=True,
    companions=tuple(
        ObservedProperty(
            key=f"vn_aqi_{pollutant}",
            domain="environment",
            name_vi=f"AQI giờ của {label}",
            name_en=f"Hourly AQI of {label}",
            unit="1",
            unit_vi="điểm",
            unit_en="points",
            period=HOUR,
            stale_after=timedelta(minutes=150),
            low=0,
            high=500,
            aggregation="max",
        )
        for pollutant, label in POLLUTANTS.items()
    ),
)

Hours = Sequence[float | None] | np.ndarray | pd.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One of the six levels: bounds in whole points, prescribed colour, names, effect and advice for people."""

    key: str
    low: int
    high: int
    colour: str  # #RRGGBB
    name_vi: str
    name_en: str
    effect_vi: str
    effect_en: str
    advice_vi: str
    advice_en: str
    advice_sensitive_vi: str
    advice_sensitive_en: str

    def name(self, language: str) -> str:
        """Name in `vi` or `en`."""
        return self.name_en if language == "en" else self.name_vi

    def effect(self, language: str) -> str:
        """Effect on health (Bảng 4) in `vi` or `en`."""
        return self.effect_en if language == "en" else self.effect_vi

    def advice(self, language: str, sensitive: bool = False) -> str:
        """Advice (Bảng 5) in `vi` or `en`, for everybody or for sensitive people."""
        if sensitive:
            return self.advice_sensitive_en if language == "en" else self.advice_sensitive_vi
        return self.advice_en if language == "en" else self.advice_vi


@lru_cache(maxsize=1)
def levels() -> tuple[Level, ...]:
    """The six levels of the decision, from good to hazardous (data/legal/vn_aqi_levels.toml)."""
    with (ROOT / "data" / "legal" / "vn_aqi_levels.toml").open("rb") as stream:
        return tuple(Level(**table) for table in tomllib.load(stream)["level"])


def level(index: float) -> Level:
    """The level of an index in points (rounded half up first). Raises InputError for what is no index."""
    if not index >= 0:
        raise InputError(f"VN_AQI {index}: an index is a number from 0 to 500; a missing index has no level")
    points = min(round_half_up(index), 500)
    return next(one for one in levels() if points <= one.high)


def round_half_up(value: float) -> int:
    """Whole points as the decision rounds: 109.5 is 110, 100.5 is 101."""
    return int(half_up(np.float64(value)))


def sub_index(pollutant: str, ug_m3: float | None) -> float | None:
    """AQI of one concentration [µg/m³], not yet rounded to whole points.

    `pollutant` is a column of Bảng 2: pm25, pm10, no2, so2, co, o3_1h or o3_8h. None for a missing or negative
    concentration and for an 8-hour mean of O3 above 400. Raises InputError for another pollutant.
    """
    if pollutant not in BREAKPOINTS:
        raise InputError(f"VN_AQI: there is no breakpoint table for {pollutant!r}; known: {', '.join(BREAKPOINTS)}")
    return _or_none(sub_indices(pollutant, _floats([ug_m3]))[0])


def nowcast(twelve_hours: Hours) -> float | None:
    """NowCast [µg/m³] of PM from hourly means, NEWEST FIRST; None or NaN for a missing hour.

    None with fewer than two of the newest three hours. Raises InputError for more than twelve.
    """
    hours = _floats(twelve_hours)
    if len(hours) > NOWCAST_HOURS:
        raise InputError(f"NowCast: {len(hours)} hours given; it takes the newest {NOWCAST_HOURS}, newest first")
    return _or_none(nowcasts(hours)) if len(hours) else None


def rolling_8h(hours: Hours) -> list[float | None]:
    """8-hour means [µg/m³] of hourly values, OLDEST FIRST, one for each hour that has seven before it.

    The 31 hours from 18:00 of the day before (label 18:00) to 00:00 give the 24 means of the day, each labelled with
    the hour at its end. None where fewer than 6 of the 8 are there (ours).
    """
    values = _floats(hours)
    if len(values) < 8:
        return []
    spans = np.lib.stride_tricks.sliding_window_view(values, 8)
    return [_or_none(np.nanmean(span)) if np.isfinite(span).sum() >= LEAST_OF_8 else None for span in spans]


def hourly(concentrations: Mapping[str, float | None]) -> int | None:
    """VN_AQI of an hour from o3_1h, no2_1h, so2_1h, co_1h [µg/m³] and pm25_nowcast, pm10_nowcast; None without PM."""
    return _worst(concentrations, HOURLY_STATISTICS)


def daily(hours: Mapping[str, Hours | float | None]) -> int | None:
    """VN_AQI of a day in whole points; None without PM10 or PM2.5.

    `hours` holds per pollutant (pm25, pm10, no2, so2, co, o3) the hourly means [µg/m³] from 01:00 to 00:00, oldest
    first; O3 may begin at 18:00 of the day before (31 values), without them the first 8-hour means are shorter.
    A statistic that a station publishes ready is taken under its name: pm25_24h, pm10_24h, no2_1h_max, so2_1h_max,
    co_1h_max, o3_1h_max, o3_8h_max. A PM mean needs 18 of 24 hours (ours); maxima are taken of what is there, since
    more hours could only raise them. Raises InputError for another name or number of hours.
    """
    statistics: dict[str, float | None] = {}
    for name, given in hours.items():
        if given is None or isinstance(given, (int, float)):
            statistics[name] = given
            continue
        values = _floats(given)
        if name not in POLLUTANTS or len(values) not in ((24, 31) if name == "o3" else (24,)):
            known = ", ".join(POLLUTANTS)
            raise InputError(f"VN_AQI of a day: {name} with {len(values)} hours; give 24 (o3: 24 or 31) of {known}")
        day = values[-24:]
        if name in PARTICLES:
            enough = np.isfinite(day).sum() >= LEAST_OF_24
            statistics[f"{name}_24h"] = float(np.nanmean(day)) if enough else None
        else:
            statistics[f"{name}_1h_max"] = _largest(day)
        if name == "o3":
            whole_day = np.concatenate([np.full(31 - len(values), np.nan), values])
            statistics["o3_8h_max"] = _largest(_floats(rolling_8h(whole_day)))
    return _worst(statistics, DAILY_STATISTICS)


def _worst(concentrations: Mapping[str, float | None], columns: Mapping[str, str]) -> int | None:
    """Largest sub-index of named statistics, half up; None unless PM2.5 or PM10 is among them."""
    unknown = concentrations.keys() - columns.keys()
    if unknown:
        raise InputError(f"VN_AQI: {', '.join(sorted(unknown))} is no statistic of it; known: {', '.join(columns)}")
    indices = {columns[name]: sub_index(columns[name], ug_m3) for name, ug_m3 in concentrations.items()}
    found = {column: index for column, index in indices.items() if index is not None}
    if not found.keys() & set(PARTICLES):
        return None
    return round_half_up(max(found.values()))


def _floats(values: Iterable[Any]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _or_none(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _largest(values: Floats) -> float | None:
    return float(np.nanmax(values)) if np.isfinite(values).any() else None


def compute(window: Window) -> pd.DataFrame:
    """VN_AQI and the sub-index of each pollutant in whole points, per station, on the hour."""
    times = marks(window, HOUR, back=INDICATOR.window)
    tables = {key: wide(usable(window, key, kind="air_station"), times, HOUR) for key in POLLUTANTS}
    stations = sorted({site for table in tables.values() for site in table.columns})
    points: dict[str, Floats] = {}
    for key, table in tables.items():
        table = table.reindex(columns=stations)
        if key in PARTICLES:
            points[key] = half_up(sub_indices(key, nowcasts(newest_first(table))))
        else:
            points[key] = half_up(sub_indices("o3_1h" if key == "o3" else key, table.to_numpy(dtype=np.float64)))
    stacked = np.stack([points[key] for key in POLLUTANTS])
    published = np.isfinite(stacked[: len(PARTICLES)]).any(axis=0)  # PARTICLES stand first in POLLUTANTS
    worst = np.where(published, np.where(np.isfinite(stacked), stacked, -1.0).max(axis=0), np.nan)
    found = {"vn_aqi": worst} | {f"vn_aqi_{key}": values for key, values in points.items()}
    return results(window, {key: pd.DataFrame(values, index=times, columns=stations) for key, values in found.items()})
