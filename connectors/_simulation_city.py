"""The truth behind the demo city's sensors: calendar, weather, rain, flooding, traffic, at any instant.

Every function is pure in (seed, scenario, time). What has a memory (flooded roads, the river) looks back over a fixed
span, so the value at a time does not depend on where a request begins. Times are int64 seconds since 1970, UTC;
a state at time t is that of the interval which ends at t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import cast

import holidays
import numpy as np
import pandas as pd

from connectors._simulation_noise import Bools, Floats, Ints, normal, series_key, smooth, uniform
from connectors._simulation_scenario import Scenario, scenario_effects

STEP_S = 300  # the city is computed in steps of five minutes
DAY_S = 86_400
LOCAL_S = 7 * 3600  # the town lies in Viet Nam: UTC+7, no summer time
FLOOD_MEMORY_S = 36 * 3600
FLOOD_LAG_S = 600  # water runs to the low point
JAM_LAG_S = 600  # drivers meet the water and queue
RIVER_MEMORY_H = 72
INCIDENT_MEMORY_S = 2 * 3600
EPOCH = date(1970, 1, 1)


def marks(since: datetime, until: datetime, step_s: int) -> Ints:
    """All multiples of the step with since < t <= until."""
    first = math.floor(since.timestamp() / step_s) + 1
    last = math.floor(until.timestamp() / step_s)
    return np.arange(first, last + 1, dtype=np.int64) * step_s


def local_day(times_s: Ints) -> Ints:
    """Number of the local day (days since 1970) in which an instant lies."""
    return (times_s + LOCAL_S) // DAY_S


def local_hour(times_s: Ints) -> Floats:
    """Local clock time as hours 0..24."""
    return ((times_s + LOCAL_S) % DAY_S) / 3600.0


@lru_cache(maxsize=16)
def _calendar(year: int) -> tuple[Bools, Bools]:
    """Working days and days of Tet of one year: public and lunar holidays, substitute days and make-up Saturdays."""
    days = holidays.country_holidays("VN", years=[year], language="vi")
    dates = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    working = np.array([days.is_working_day(day) for day in dates])
    tet = np.array(["Tết Nguyên Đán" in days.get(day, "") or "Mùng" in days.get(day, "") for day in dates])
    return working, tet


def working_day(days: Ints) -> Bools:
    """True where offices are open that local day."""
    return _by_day(days, 0)


def tet_day(days: Ints) -> Bools:
    """True on the days of the lunar New Year, when the town is empty."""
    return _by_day(days, 1)


def _by_day(days: Ints, which: int) -> Bools:
    known, position = np.unique(days, return_inverse=True)
    answers = []
    for number in known:
        day = EPOCH + timedelta(days=int(number))
        answers.append(_calendar(day.year)[which][day.timetuple().tm_yday - 1])
    return np.asarray(np.array(answers, dtype=np.bool_)[position], dtype=np.bool_)


def _bump(hour: Floats, centre: float, width: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((hour - centre) / width) ** 2), dtype=np.float64)


def plateau(hour: Floats, start: float, end: float, width: float = 0.6) -> Floats:
    """About 1 between two clock times and about 0 outside, with soft shoulders."""
    begun, ended = np.exp((start - hour) / width), np.exp((hour - end) / width)
    return np.asarray(1.0 / (1.0 + begun) / (1.0 + ended), dtype=np.float64)


def season(times_s: Ints) -> Floats:
    """0 in mid-January, 1 in mid-July."""
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * (times_s / DAY_S - 14.0) / 365.25), dtype=np.float64)


def travel_demand(times_s: Ints) -> Floats:
    """How much the town wants to drive, 0..1: two peaks on working days, a flat hill on days off, little at Tet."""
    middle = times_s - STEP_S // 2
    hour, day = local_hour(middle), local_day(middle)
    work = (0.92 * _bump(hour, 7.7, 0.6) + _bump(hour, 17.45, 0.8) + 0.36 * plateau(hour, 6.5, 20.5)) / 1.36
    rest = 0.42 * plateau(hour, 8.5, 21.0, 0.9) + 0.08 * _bump(hour, 18.8, 1.3)
    return np.where(working_day(day), work, np.where(tet_day(day), 0.55 * rest, rest))


@dataclass(frozen=True)
class World:
    """A seeded city with its sites (City.sites) and, if one runs, a scenario with its beginning."""

    seed: int
    sites: pd.DataFrame
    city_site: str
    scenario: Scenario | None = None
    scenario_start: datetime | None = None

    def ids(self, kind: str) -> tuple[str, ...]:
        """Sites of one kind, in the order of the file."""
        return self._ids.get(kind, ())

    @cached_property
    def _ids(self) -> dict[str, tuple[str, ...]]:
        return {str(kind): tuple(map(str, group.index)) for kind, group in self.sites.groupby("kind", sort=False)}

    def key(self, *names: object) -> np.uint64:
        """The noise key of one series of this city."""
        return series_key(self.seed, *names)

    def number(self, site_id: str, column: str, otherwise: float) -> float:
        """A numeric attribute of a site, or the given value where the file has none."""
        if column not in self.sites:
            return otherwise
        value = float(cast(float, self.sites.at[site_id, column]))
        return otherwise if math.isnan(value) else value

    def by_distance(self, site_id: str, kind: str) -> Ints:
        """Positions in `ids(kind)`, the nearest site first."""
        others = self.sites.loc[list(self.ids(kind))]
        north = others["latitude"].to_numpy(np.float64) - self.number(site_id, "latitude", math.nan)
        east = others["longitude"].to_numpy(np.float64) - self.number(site_id, "longitude", math.nan)
        return np.argsort(north**2 + (0.93 * east) ** 2).astype(np.int64)  # 0.93: cosine of the latitude

    def nearest(self, site_id: str, kind: str) -> int:
        """Position in `ids(kind)` of the site that lies nearest."""
        return int(self.by_distance(site_id, kind)[0])

    def effect(self, site_id: str, name: str, times_s: Ints) -> Floats | None:
        """What the running scenario does to a site, or None when nothing runs or it does not touch the site."""
        if self.scenario is None or self.scenario_start is None or site_id not in self.scenario.sites:
            return None
        return scenario_effects(self.scenario, self.scenario_start, times_s, site_id, name)

    def in_story(self, site_id: str, times_s: Ints) -> Bools:
        """True while a scenario that names this site runs: its instruments then work, so that the story can be told."""
        if self.scenario is None or self.scenario_start is None or site_id not in self.scenario.sites:
            return np.zeros(len(times_s), dtype=np.bool_)
        minutes = (times_s - self.scenario_start.timestamp()) / 60.0
        return np.asarray((minutes >= 0) & (minutes <= self.scenario.duration_min), dtype=np.bool_)


def grid(first_s: int, last_s: int, memory_s: int = 0) -> Ints:
    """Steps of five minutes that cover first..last and the memory before."""
    return np.arange((first_s - memory_s) // STEP_S, -(-last_s // STEP_S) + 1, dtype=np.int64) * STEP_S


def rain_rate(world: World, times_s: Ints) -> Floats:
    """Rain at every gauge on a five-minute grid, mm/h, shape (gauges, times).

    Showers are drawn per local day: short and strong on summer afternoons, long and weak in winter.
    """
    gauges = world.ids("rain_gauge")
    rate = np.zeros((len(gauges), len(times_s)))
    middle = times_s - STEP_S / 2
    days = np.arange(local_day(times_s[:1])[0] - 1, local_day(times_s[-1:])[0] + 1, dtype=np.int64)
    for draw in range(2):  # a day has two chances of a shower

        def chance(name: str, draw: int = draw) -> Floats:
            return uniform(world.key("shower", draw, name), days)

        summer = season(days * DAY_S)
        comes = chance("comes") < 0.10 + 0.26 * summer
        hour = np.where(chance("convective") < summer, 13.5 + 7.0 * chance("hour"), 24.0 * chance("hour"))
        duration_s = 3600.0 * (0.5 + 2.0 * chance("duration") * (1.3 - 0.7 * summer))
        peak = (1.0 + 9.0 * summer) * np.exp(0.55 * normal(world.key("shower", draw, "peak"), days))
        violent = (chance("violent") > 0.97) & (summer > 0.35)
        peak = np.where(violent, 30.0 + 14.0 * chance("hour"), np.minimum(peak, 20.0))
        for number in np.flatnonzero(comes):
            start = days[number] * DAY_S - LOCAL_S + hour[number] * 3600.0
            first, last = np.searchsorted(middle, (start, start + duration_s[number]))
            if first == last:
                continue
            shape = peak[number] * np.sin(np.pi * (middle[first:last] - start) / duration_s[number]) ** 2
            for row, gauge in enumerate(gauges):
                share = 0.35 + 0.75 * uniform(world.key("shower", draw, gauge), days[number : number + 1])[0]
                rate[row, first:last] += share * shape
    for row, gauge in enumerate(gauges):
        wanted = world.effect(gauge, "rain", times_s)
        if wanted is not None:
            rate[row] += wanted
    return rate


def flood_depth(world: World, times_s: Ints) -> Floats:
    """Water on the road at every flood sensor, cm, shape (sensors, times); times on the five-minute grid.

    Rain that the drains do not take stands: storage(t) = max over the last 36 h of (rain - drained) summed up to t,
    which is a queue that was empty at some moment in that span.
    """
    sensors = world.ids("flood_sensor")
    long = grid(int(times_s[0]), int(times_s[-1]), FLOOD_MEMORY_S + FLOOD_LAG_S)
    rain = rain_rate(world, long)
    steps = FLOOD_MEMORY_S // STEP_S
    lag = FLOOD_LAG_S // STEP_S
    depth = np.zeros((len(sensors), len(times_s)))
    wanted = np.searchsorted(long, times_s)
    for row, sensor in enumerate(sensors):
        drains = np.full(len(long), world.number(sensor, "drain_mm_per_hour", 25.0))
        factor = world.effect(sensor, "drainage", long)
        if factor is not None:
            drains = drains * factor
        surplus = (rain[world.nearest(sensor, "rain_gauge")] - drains) * STEP_S / 3600.0
        total = np.concatenate([[0.0], np.cumsum(surplus)])
        lowest = pd.Series(total).rolling(steps + 1, min_periods=1).min().to_numpy()
        storage = (total - lowest)[1:]
        depth[row] = storage[wanted - lag] * world.number(sensor, "depth_cm_per_mm", 0.8)
    return np.minimum(np.round(depth, 2), 180.0)


def incidents(world: World, times_s: Ints) -> tuple[Floats, Floats]:
    """Open incidents of the town per time, and how they stretch travel times, shape (segments, times)."""
    segments = world.ids("road_segment")
    slots = grid(int(times_s[0]), int(times_s[-1]), INCIDENT_MEMORY_S)
    demand = travel_demand(slots)
    opened = np.zeros(len(times_s))
    stretch = np.ones((len(segments), len(times_s)))
    for row, segment in enumerate(segments):
        begins = uniform(world.key("incident", segment), slots // STEP_S) < 0.002 + 0.008 * demand
        for number in np.flatnonzero(begins):
            index = slots[number : number + 1] // STEP_S
            duration_s = 1200 + 4200 * uniform(world.key("incident duration", segment), index)[0] ** 2
            first, last = np.searchsorted(times_s, (slots[number], slots[number] + duration_s))
            opened[first:last] += 1.0
            stretch[row, first:last] *= 1.03 + 0.06 * uniform(world.key("incident weight", segment), index)[0]
    return opened, stretch


def travel_time_index(world: World, times_s: Ints) -> Floats:
    """Travel time over free-flow time on every segment, shape (segments, times); times on the five-minute grid."""
    segments = world.ids("road_segment")
    long = grid(int(times_s[0]), int(times_s[-1]), JAM_LAG_S + STEP_S)
    wanted = np.searchsorted(long, times_s)
    lag = JAM_LAG_S // STEP_S
    demand = travel_demand(times_s)
    hour, day = local_hour(times_s - STEP_S // 2), local_day(times_s)
    rain, depth = rain_rate(world, long), flood_depth(world, long)
    sensors = world.ids("flood_sensor")
    _, stretch = incidents(world, times_s)
    mood = 1.0 + 0.03 * normal(world.key("traffic of the day"), day)
    result = np.ones((len(segments), len(times_s)))
    for row, segment in enumerate(segments):
        own = uniform(world.key("segment", segment), np.arange(2, dtype=np.int64))
        sensitivity = 0.47 + 0.14 * own[0]
        inbound = 1.0 + 0.10 * (2.0 * own[1] - 1.0) * np.where(hour < 12.0, 1.0, -1.0)  # commuters have a direction
        slow = 1.0 + 0.05 * smooth(world.key("segment slow", segment), times_s, 5400)
        index = 1.0 + sensitivity * demand**1.25 * inbound * slow * mood
        index += 0.012 * normal(world.key("segment jitter", segment), times_s // STEP_S)
        wet = rain[world.nearest(segment, "rain_gauge")]
        wet = 0.5 * (wet[wanted] + wet[wanted - 1])
        index *= stretch[row] * (1.0 + np.minimum(0.011 * wet, 0.3) * (0.25 + 0.75 * demand))
        sensor = _flood_sensor(world, segment)
        if sensor in sensors:
            water = np.maximum(depth[sensors.index(sensor)][wanted - lag] - 5.0, 0.0)
            index *= 1.0 + 0.42 * (water / 20.0) ** 1.2 * (0.35 + 0.65 * demand)
        factor = world.effect(segment, "traffic", times_s)
        if factor is not None:
            index *= factor
        result[row] = index
    return np.maximum(np.round(result, 4), 0.94)


def _flood_sensor(world: World, segment: str) -> str:
    if "flood_sensor" not in world.sites:
        return ""
    name = world.sites.at[segment, "flood_sensor"]
    return name if isinstance(name, str) else ""


def wind_speed(world: World, times_s: Ints) -> Floats:
    """Wind over the town, m/s, hourly mean: more by day, calm on clear winter nights."""
    slow = smooth(world.key("wind"), times_s, 40 * 3600)
    hour = local_hour(times_s - 1800)
    wind = 2.1 + 0.9 * slow + 0.9 * plateau(hour, 9.0, 18.0, 1.2) + 0.25 * normal(world.key("gust"), times_s // 3600)
    return np.maximum(wind, 0.3)


def inversion(world: World, times_s: Ints) -> Floats:
    """0..1: how tightly cool, still air lies over the town; strongest on calm winter mornings."""
    hour = local_hour(times_s - 1800)
    night = _bump(hour, 6.8, 1.9) + 0.45 * _bump(hour, 21.5, 2.2)
    calm = np.clip((2.6 - wind_speed(world, times_s)) / 2.2, 0.0, 1.0)
    return np.asarray(calm * night * (1.0 - 0.8 * season(times_s)), dtype=np.float64)
