"""What the demo city's instruments report: the truth of `_simulation_city`, with noise, gaps, drift and false values.

`simulate` is a pure function of its arguments. The value of a time label does not depend on the window (one exception,
on purpose: a synchronisation fault of a scenario shows other numbers before its repair than after).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from connectors._simulation_city import (
    LOCAL_S,
    RIVER_MEMORY_H,
    STEP_S,
    World,
    flood_depth,
    incidents,
    inversion,
    local_day,
    local_hour,
    marks,
    plateau,
    rain_rate,
    season,
    travel_demand,
    travel_time_index,
    wind_speed,
)
from connectors._simulation_noise import Bools, Floats, Ints, normal, smooth, uniform
from connectors._simulation_portal import SERVICE_PROPERTIES, closing_midnights, days_between, service_days, waits
from connectors._simulation_services import OFFICE_PROPERTIES, office_hours, report_cases, report_places
from connectors._simulation_social import Events, ambulances, clinics, schools
from core import observations

INSTRUMENTS = (
    "road_segment", "air_station", "rain_gauge", "river_station", "flood_sensor", "noise_station", "weather_station",
)  # fmt: skip
SILENT_BLOCK_S = 3 * 3600
DRIFTING_STATION = 3  # position among the air stations
DRIFT_DAYS = 20
DRIFT_SHARE = 0.18
STUCK_SENSOR = 2  # position among the flood sensors
# What a broken line or logger sends instead of a value, and how often: outside the catalogue's plausible range.
FALSE_VALUES: Mapping[str, tuple[float, float]] = {
    "speed": (255.0, 2e-5),
    "flood_depth": (999.0, 1e-4),
    "rainfall": (655.3, 1.5e-4),
    "pm25": (-9.9, 6e-4),
    "temperature": (-99.9, 2e-3),
    "noise_level": (0.0, 2e-4),
}


def simulate(part: str, world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Observations of one part for since < time <= until, as the one frame. Raises KeyError for an unknown part."""
    return PARTS[part](world, since, until, source)


def simulate_days(part: str, world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Only the figures of whole days of a part in DAILY. Raises KeyError for another part."""
    return _events([piece for piece in DAILY[part](world, since, until) if piece[1] in DAY_FIGURES], source)


def _silent(world: World, kind: str, site_id: str, times_s: Ints) -> Bools:
    """When an instrument says nothing.

    Three kinds of silence: a short one that wanders through the town (somewhere an instrument is always being
    serviced), a longer one on about 2 % of the days, and a rare one of a whole source.
    """
    if kind not in INSTRUMENTS:
        return np.zeros(len(times_s), dtype=np.bool_)
    everything = [one for each in INSTRUMENTS for one in world.ids(each)]
    block = times_s // SILENT_BLOCK_S
    length_s = 60.0 * (50.0 + 120.0 * uniform(world.key("service"), block))
    silent = (block % len(everything) == everything.index(site_id)) & (times_s % SILENT_BLOCK_S < length_s)
    day, second = local_day(times_s), (times_s + LOCAL_S) % 86_400
    for name, chance, shortest_s, longest_s in (("outage", 0.02, 1800, 21_600), ("source outage", 0.008, 1200, 5400)):
        whose = site_id if name == "outage" else kind
        start_s = 86_400.0 * uniform(world.key(name, "start", whose), day)
        end_s = start_s + shortest_s + (longest_s - shortest_s) * uniform(world.key(name, "length", whose), day)
        silent |= (uniform(world.key(name, whose), day) < chance) & (second >= start_s) & (second < end_s)
    return np.asarray(silent & ~world.in_story(site_id, times_s), dtype=np.bool_)


def _frame(
    world: World, kind: str, times_s: Ints, values: Mapping[str, Floats], decimals: Mapping[str, int], source: str
) -> pd.DataFrame:
    """Matrices of shape (sites of the kind, times) per property -> the one frame, without the silent instruments."""
    sites = world.ids(kind)
    if not len(times_s) or not sites:
        return observations.empty()
    heard = np.array([~_silent(world, kind, site, times_s) for site in sites])
    columns: dict[str, list[npt.NDArray[Any]]] = {"time": [], "site": [], "property": [], "value": []}
    for number, (name, matrix) in enumerate(values.items()):
        matrix = np.round(matrix, decimals[name]) + 0.0  # + 0.0 turns -0.0 into 0.0
        if name in FALSE_VALUES:
            wrong, chance = FALSE_VALUES[name]
            for row, site in enumerate(sites):
                false = (uniform(world.key("false", name, site), times_s) < chance) & ~world.in_story(site, times_s)
                matrix[row, false] = wrong
        which, when = np.nonzero(heard)
        columns["time"].append(times_s[when])
        columns["site"].append(which)
        columns["property"].append(np.full(len(which), number))
        columns["value"].append(matrix[which, when])
    flat = {name: np.concatenate(parts) for name, parts in columns.items()}
    names = list(values)
    return _one_frame(flat["time"], sites, flat["site"], names, flat["property"], flat["value"], source)


def _one_frame(
    times_s: Ints, sites: tuple[str, ...], site: Ints, names: list[str], prop: Ints, value: Floats, source: str
) -> pd.DataFrame:
    time = pd.Series(pd.to_datetime(times_s * 1_000_000, unit="us", utc=True))
    return observations.frame(
        pd.DataFrame(
            {
                "time": time,
                "site_id": pd.array(sites, dtype="str").take(site),
                "observed_property": pd.array(names, dtype="str").take(prop),
                "value": value,
                "source": source,
            }
        )
    )


def _steps(times_s: Ints, step_s: int) -> Ints:
    """The five-minute grid of the intervals that end at contiguous labels of a coarser step."""
    return np.arange(times_s[0] - step_s + STEP_S, times_s[-1] + STEP_S, STEP_S, dtype=np.int64)


def _means(matrix: Floats, per_label: int) -> Floats:
    """Means over each label's five-minute steps; the last axis shrinks."""
    return np.asarray(matrix.reshape(*matrix.shape[:-1], -1, per_label).mean(axis=-1), dtype=np.float64)


def traffic(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Speed (km/h) and flow (vehicles/h) of every segment, each five minutes."""
    times_s = marks(since, until, STEP_S)
    if not len(times_s):
        return observations.empty()
    index = travel_time_index(world, times_s)
    segments = world.ids("road_segment")
    free = np.array([world.number(one, "free_flow_kmh", 45.0) for one in segments])[:, None]
    arterial = np.array([world.number(one, "arterial", 0.0) for one in segments])[:, None]
    flow = (900.0 + 2100.0 * arterial) * (0.05 + 0.95 * travel_demand(times_s))
    # Beyond about twice the free travel time a road carries fewer vehicles, not more.
    flow = flow / (1.0 + np.maximum(index - 2.0, 0.0))
    jitter = np.array([normal(world.key("flow", one), times_s // STEP_S) for one in segments])
    values = {"speed": free / index, "traffic_flow": flow * (1.0 + 0.05 * jitter)}
    return _frame(world, "road_segment", times_s, values, {"speed": 1, "traffic_flow": 0}, source)


def traffic_incidents(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Open incidents of the whole city, each five minutes."""
    times_s = marks(since, until, STEP_S)
    if not len(times_s):
        return observations.empty()
    opened, _ = incidents(world, times_s)
    return _frame(world, "city", times_s, {"open_incidents": opened[None, :]}, {"open_incidents": 0}, source)


def rain(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Rain of every gauge in each ten minutes, mm."""
    times_s = marks(since, until, 600)
    if not len(times_s):
        return observations.empty()
    amount = _means(rain_rate(world, _steps(times_s, 600)), 2) / 6.0
    return _frame(world, "rain_gauge", times_s, {"rainfall": amount}, {"rainfall": 1}, source)


def flood(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Water on the road, cm, each five minutes. One sensor repeats an old value for hours now and then."""
    times_s = marks(since, until, STEP_S)
    if not len(times_s):
        return observations.empty()
    depth = flood_depth(world, times_s)
    if len(depth) > STUCK_SENSOR:
        sensor = world.ids("flood_sensor")[STUCK_SENSOR]
        day, hour = local_day(times_s), local_hour(times_s)
        start = 4.0 + 10.0 * uniform(world.key("stuck start", sensor), day)
        stuck = (uniform(world.key("stuck", sensor), day) < 0.14) & (hour >= start) & (hour < start + 6.0)
        stuck &= ~world.in_story(sensor, times_s)
        value = 2.0 + 3.0 * uniform(world.key("stuck value", sensor), day)
        depth[STUCK_SENSOR] = np.where(stuck, value, depth[STUCK_SENSOR])
    return _frame(world, "flood_sensor", times_s, {"flood_depth": depth}, {"flood_depth": 1}, source)


def river(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Level of the river, m, hourly: season, a slow wave from upstream, and the rain of the last three days."""
    times_s = marks(since, until, 3600)
    if not len(times_s):
        return observations.empty()
    long = np.arange(times_s[0] - RIVER_MEMORY_H * 3600, times_s[-1] + 1, 3600, dtype=np.int64)
    town = _means(rain_rate(world, _steps(long, 3600)).mean(axis=0), 12)
    age_h = np.arange(RIVER_MEMORY_H + 1)
    reply = (age_h / 9.0) * np.exp(1.0 - age_h / 9.0) * 0.0035  # m per mm, highest after nine hours
    stations = world.ids("river_station")
    level = np.zeros((len(stations), len(times_s)))
    for row, station in enumerate(stations):
        base = world.number(station, "alarm_1_m", 4.3) - 2.1 + 0.9 * season(times_s)
        slow = 0.28 * smooth(world.key("upstream"), times_s - row * 3 * 3600, 5 * 86_400)
        tide = 0.04 * np.sin(2.0 * np.pi * times_s / 89_428.0)  # the day of the moon
        response = np.convolve(town, reply, mode="valid")
        level[row] = base + slow + tide + np.minimum(response, 1.6)
    return _frame(world, "river_station", times_s, {"river_level": level}, {"river_level": 2}, source)


def weather(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Hourly weather at the stations."""
    times_s = marks(since, until, 3600)
    if not len(times_s):
        return observations.empty()
    summer, hour = season(times_s), local_hour(times_s - 1800)
    rain_all = _means(rain_rate(world, _steps(times_s, 3600)), 12)
    cloud_slow = smooth(world.key("cloud"), times_s, 30 * 3600)
    sun = np.maximum(np.sin(np.pi * (hour - 5.8 + 0.3 * summer) / (11.8 + 1.2 * summer)), 0.0)
    sun = np.where((hour > 5.2) & (hour < 19.0), sun, 0.0)
    stations = world.ids("weather_station")
    names = ("temperature", "relative_humidity", "wind_speed", "pressure", "cloud_cover", "weather_code", "uv_index")
    values = {name: np.zeros((len(stations), len(times_s))) for name in names}
    for row, station in enumerate(stations):
        wet = rain_all[world.nearest(station, "rain_gauge")]
        jitter = normal(world.key("weather jitter", station), times_s // 3600)
        cloud = np.clip(48.0 + 30.0 * cloud_slow + 25.0 * np.minimum(wet, 2.0) + 3.0 * jitter, 0.0, 100.0)
        warm = 17.5 + 11.5 * summer + 2.2 * smooth(world.key("air mass"), times_s, 60 * 3600)
        day = (2.6 + 1.8 * (1.0 - cloud / 100.0)) * np.sin(2.0 * np.pi * (hour - 9.0) / 24.0)
        temperature = warm + day - 0.45 * np.minimum(wet, 6.0) + 0.25 * jitter
        humidity = 77.0 - 2.6 * (temperature - warm) + 2.2 * np.minimum(wet, 6.0) + 6.0 * cloud_slow + jitter
        values["temperature"][row] = temperature
        values["relative_humidity"][row] = np.clip(humidity, 35.0, 100.0)
        values["wind_speed"][row] = wind_speed(world, times_s) * (0.9 + 0.2 * row)
        values["pressure"][row] = 1018.0 - 13.0 * summer + 2.5 * smooth(world.key("pressure"), times_s, 72 * 3600)
        values["cloud_cover"][row] = cloud
        fair = np.select([cloud < 12.5, cloud < 37.5, cloud < 75.0], [0.0, 1.0, 2.0], 3.0)
        values["weather_code"][row] = np.select([wet >= 8.0, wet >= 2.5, wet >= 0.1], [65.0, 63.0, 61.0], fair)
        values["uv_index"][row] = (5.5 + 6.0 * summer) * sun**1.4 * (1.0 - 0.6 * cloud / 100.0)
    decimals = dict.fromkeys(names, 1) | {"relative_humidity": 0, "cloud_cover": 0, "weather_code": 0}
    return _frame(world, "weather_station", times_s, values, decimals, source)


def air(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Hourly air quality, ug/m3: traffic and still air raise it, rain washes it out, sun makes ozone.

    Each station is calibrated for one hour every fifth night (missing values); one drifts until it is recalibrated.
    """
    times_s = marks(since, until, 3600)
    if not len(times_s):
        return observations.empty()
    long = np.arange(times_s[0] - 5 * 3600, times_s[-1] + 1, 3600, dtype=np.int64)
    summer, hour = season(times_s), local_hour(times_s - 1800)
    jam = np.maximum(_means(travel_time_index(world, _steps(times_s, 3600)).mean(axis=0), 12) - 1.0, 0.0)
    still = inversion(world, times_s)
    rain_1h = _means(rain_rate(world, _steps(long, 3600)).mean(axis=0), 12)
    washed = 1.0 / (1.0 + 0.05 * np.convolve(rain_1h, np.ones(6), mode="valid"))
    haze = np.exp(0.13 * smooth(world.key("haze"), times_s, 50 * 3600))
    cloud = np.clip(0.48 + 0.3 * smooth(world.key("cloud"), times_s, 30 * 3600), 0.0, 1.0)
    sun = np.maximum(np.sin(np.pi * (hour - 6.5) / 13.0), 0.0) * (1.0 - 0.6 * cloud) * (0.6 + 0.4 * summer)
    stations = world.ids("air_station")
    names = ("pm25", "pm10", "no2", "so2", "co", "o3")
    values = {name: np.zeros((len(stations), len(times_s))) for name in names}
    for row, station in enumerate(stations):
        own = 0.93 + 0.14 * uniform(world.key("air", station), np.zeros(1, dtype=np.int64))[0]

        def jitter(name: str, station: str = station) -> Floats:
            return normal(world.key("air jitter", station, name), times_s // 3600)

        added = world.effect(station, "pollution", times_s)
        more = np.zeros(len(times_s)) if added is None else added
        fine = (29.0 - 8.0 * summer) * haze * washed + 11.0 * jam + 9.0 * still
        fine = np.maximum(fine * own + 1.1 * jitter("pm25"), 3.0) + more
        if row == DRIFTING_STATION:
            age_days = (times_s / 86_400.0) % DRIFT_DAYS
            fine = fine * (1.0 + DRIFT_SHARE * age_days / DRIFT_DAYS)
        values["pm25"][row] = fine
        values["pm10"][row] = 1.35 * fine + (6.0 + 14.0 * jam) * washed + 1.6 * np.abs(jitter("pm10"))
        values["no2"][row] = np.maximum(own * (13.0 + 38.0 * jam + 14.0 * still) + 0.12 * more + jitter("no2"), 2.0)
        values["so2"][row] = np.maximum(own * (9.0 + 4.0 * still) + 0.8 * jitter("so2"), 1.0)
        values["co"][row] = own * (420.0 + 620.0 * jam + 260.0 * still) + 3.0 * more + 15.0 * jitter("co")
        values["o3"][row] = np.maximum(26.0 + 72.0 * sun - 14.0 * jam + 1.5 * jitter("o3"), 4.0)
        night = (local_day(times_s) + row) % 5 == 0
        calibrated = night & (np.floor(hour).astype(np.int64) == 2) & ~world.in_story(station, times_s)
        for name in names:
            values[name][row, calibrated] = np.nan
    return _frame(world, "air_station", times_s, values, dict.fromkeys(names, 1) | {"co": 0}, source)


def noise(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Equivalent level of each ten minutes, dB(A): the street by day, the crickets by night, rain on the roof."""
    times_s = marks(since, until, 600)
    if not len(times_s):
        return observations.empty()
    hour = local_hour(times_s - 300)
    demand = _means(travel_demand(_steps(times_s, 600)), 2)
    wet = _means(rain_rate(world, _steps(times_s, 600)), 2)
    stations = world.ids("noise_station")
    level = np.zeros((len(stations), len(times_s)))
    for row, station in enumerate(stations):
        own = 3.0 * uniform(world.key("noise", station), np.zeros(1, dtype=np.int64))[0] - 1.5
        level[row] = 46.5 + 13.5 * plateau(hour, 5.9, 20.4, 0.28) + 3.2 * demand + own
        level[row] += 1.3 * np.log1p(wet[world.nearest(station, "rain_gauge")])
        level[row] += 0.7 * normal(world.key("noise jitter", station), times_s // 600)
        added = world.effect(station, "noise", times_s)
        if added is not None:
            level[row] += added
    return _frame(world, "noise_station", times_s, {"noise_level": level}, {"noise_level": 1}, source)


def one_stop(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Files and ratings of the offices, hourly."""
    offices = world.ids("office")
    found = [office_hours(world, office, since, until) for office in offices]
    if not found or not len(found[0][0]):
        return observations.empty()
    times_s, names = found[0][0], list(OFFICE_PROPERTIES)
    value = np.concatenate([rows[name] for _, rows in found for name in names])
    count = len(times_s)
    site = np.repeat(np.arange(len(offices)), len(names) * count)
    prop = np.tile(np.repeat(np.arange(len(names)), count), len(offices))
    return _one_frame(np.tile(times_s, len(offices) * len(names)), offices, site, names, prop, value + 0.0, source)


def citizen_reports(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Citizen reports: counts at their instants, durations at the instant they end, and a 0 for every hour in which a
    ward had none: the hotline was awake and nobody called, which is not the same as no data."""
    first_s, last_s = since.timestamp(), until.timestamp()
    cases = report_cases(world, since, until)
    one, water = np.ones(len(cases.place)), cases.flooding
    waited_h = np.round((cases.response_s - cases.received_s) / 3600.0, 2)
    lasted_h = np.round((cases.resolved_s - cases.received_s) / 3600.0, 2)
    met = (cases.resolved_s <= cases.due_s).astype(np.float64)
    events: list[tuple[str, Ints, Floats, Ints]] = [
        ("reports_received", cases.received_s, one, cases.place),
        ("reports_received_flooding", cases.received_s[water], one[water], cases.place[water]),
        ("report_first_response", cases.response_s, waited_h, cases.place),
        ("report_resolution", cases.resolved_s, lasted_h, cases.place),
        ("reports_closed", cases.resolved_s, one, cases.place),
        ("reports_due", cases.due_s, one, cases.place),
        ("reports_due_met", cases.due_s, met, cases.place),
    ]
    places = report_places(world)
    hours = marks(since, until, 3600)
    for name, instant, _, place in list(events[:2]):
        quiet = np.ones((len(places), len(hours)), dtype=np.bool_)
        position = np.searchsorted(hours, instant)
        inside = (position < len(hours)) & (instant > (hours[0] - 3600 if len(hours) else 0))
        quiet[place[inside], position[inside]] = False
        row, column = np.nonzero(quiet)
        events.append((name, hours[column], np.zeros(len(row)), row.astype(np.int64)))
    names = [name for name, *_ in events]
    prop = np.concatenate([np.full(len(instant), names.index(name)) for name, instant, _, _ in events])
    instant = np.concatenate([event[1] for event in events])
    inside = (instant > first_s) & (instant <= last_s)
    if not inside.any():
        return observations.empty()
    value = np.concatenate([event[2] for event in events])[inside]
    place = np.concatenate([event[3] for event in events])[inside]
    data = _one_frame(instant[inside], places, place, names, prop[inside], value, source)
    # Two calls from one ward in the same second are one row: counts add up, durations are averaged.
    twice = data.duplicated(observations.IDENTITY, keep=False)
    if not twice.any():
        return data
    together = (
        data[twice]
        .groupby([*observations.IDENTITY, "quality"], as_index=False)
        .agg(total=("value", "sum"), mean=("value", "mean"))
    )
    duration = together["observed_property"].isin(["report_first_response", "report_resolution"])
    together["value"] = together["mean"].where(duration, together["total"])
    return observations.frame(pd.concat([data[~twice], together], ignore_index=True))


def portal(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Interest in and use of services by the day, results that were accepted, and each wait at a counter."""
    days, services, offices = days_between(since, until), world.ids("service"), world.ids("office")
    times_s = closing_midnights(days)
    pieces: list[tuple[str, str, Ints, Floats]] = []
    for service in services:
        counts = service_days(world, service, days)
        pieces += [(service, name, times_s, counts[name]) for name in SERVICE_PROPERTIES]
    first, last = local_day(np.array([int(since.timestamp()), int(until.timestamp())], dtype=np.int64)).tolist()
    called_on = np.arange(first, last + 1, dtype=np.int64)
    for office in offices:
        if len(days):
            hours, rows = office_hours(world, office, _at(times_s[0] - 86_400), _at(times_s[-1]))
            resolved = np.bincount(local_day(hours - 1) - int(days[0]), rows["files_resolved"], len(days))
            kept = 0.965 + 0.012 * normal(world.key("accepted", office), days)
            pieces.append((office, "results_accepted", times_s, np.floor(resolved * np.minimum(kept, 1.0))))
        instants, minutes = waits(world, office, called_on)
        inside = (instants > since.timestamp()) & (instants <= until.timestamp())
        pieces.append((office, "counter_wait", instants[inside], minutes[inside]))
    if not sum(len(piece[2]) for piece in pieces):
        return observations.empty()
    sites, names = (*services, *offices), [*SERVICE_PROPERTIES, "results_accepted", "counter_wait"]
    return _one_frame(
        np.concatenate([piece[2] for piece in pieces]),
        sites,
        np.concatenate([np.full(len(piece[2]), sites.index(piece[0])) for piece in pieces]),
        names,
        np.concatenate([np.full(len(piece[2]), names.index(piece[1])) for piece in pieces]),
        np.concatenate([piece[3] for piece in pieces]) + 0.0,
        source,
    )


def _at(second: np.int64) -> datetime:
    return datetime.fromtimestamp(int(second), UTC)


def health(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Ambulance calls and arrivals, respiratory visits and dengue cases."""
    return _events([*ambulances(world, since, until), *clinics(world, since, until)], source)


def education(world: World, since: datetime, until: datetime, source: str) -> pd.DataFrame:
    """Roll calls of the schools, and whether they are open."""
    return _events(schools(world, since, until), source)


def _events(events: Events, source: str) -> pd.DataFrame:
    pieces = [piece for piece in events if len(piece[2])]
    if not pieces:
        return observations.empty()
    sites = tuple(sorted({piece[0] for piece in pieces}))
    names = sorted({piece[1] for piece in pieces})
    return _one_frame(
        np.concatenate([piece[2] for piece in pieces]),
        sites,
        np.concatenate([np.full(len(piece[2]), sites.index(piece[0])) for piece in pieces]),
        names,
        np.concatenate([np.full(len(piece[2]), names.index(piece[1])) for piece in pieces]),
        np.round(np.concatenate([piece[3] for piece in pieces]), 1) + 0.0,
        source,
    )


DAY_FIGURES = ("respiratory_visits", "dengue_cases", "pupils_enrolled", "pupils_absent")
DAILY: Mapping[str, Callable[[World, datetime, datetime], Events]] = {"health": clinics, "education": schools}
Part = Callable[[World, datetime, datetime, str], pd.DataFrame]
PARTS: Mapping[str, Part] = {
    "traffic": traffic,
    "air": air,
    "rain": rain,
    "river": river,
    "flood": flood,
    "noise": noise,
    "weather": weather,
    "one_stop": one_stop,
    "reports": citizen_reports,
    "incidents": traffic_incidents,
    "portal": portal,
    "health": health,
    "education": education,
}
