"""The demo city's ambulances, clinics and schools: calls and arrivals, visits of a day, who is absent at the roll call.

Traffic and rain slow the ambulance down, still air and smoke bring more people with coughs to the clinics on the next
day, and keep more pupils at home: so that the page of links has something true to find. Everything of a call or a
day depends on the seed and on that hour or day alone.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from connectors._simulation_city import (
    DAY_S,
    LOCAL_S,
    STEP_S,
    World,
    flood_depth,
    inversion,
    local_hour,
    marks,
    plateau,
    rain_rate,
    season,
    travel_time_index,
    working_day,
)
from connectors._simulation_noise import Floats, Ints, normal, smooth, uniform

Events = list[tuple[str, str, Ints, Floats]]  # site, property, instants in seconds, values
CALLS_PER_HOUR = 2.4  # of one station at noon
MOST_CALLS = 8  # of one station in one hour
LONGEST_S = 2 * 3600  # an ambulance that left has arrived by then
ROLL_CALL_S = 8 * 3600 + 1800
CLOSED_CM = 20.0  # of water at the nearest sensor
HOLIDAYS = (151, 242)  # days of the year without school: June, July, August


def ambulances(world: World, since: datetime, until: datetime) -> Events:
    """Calls of each hour, and minutes from call to arrival at the instant of the arrival."""
    hours = marks(since, until, 3600)
    first_s = (int(since.timestamp()) - LONGEST_S) // 3600 * 3600
    slots = np.arange(first_s + 3600, int(until.timestamp()) + 3601, 3600, dtype=np.int64)  # END of each hour of calls
    steps = np.arange(first_s, slots[-1] + STEP_S, STEP_S, dtype=np.int64)
    jam = travel_time_index(world, steps).mean(axis=0)
    wet = rain_rate(world, steps).mean(axis=0)
    events: Events = []
    for station in world.ids("ambulance"):
        rural = world.number(station, "rural", 0.0)
        hour = local_hour(slots - 1800)
        rate = CALLS_PER_HOUR * (0.35 + 0.65 * plateau(hour, 6.5, 22.0, 1.0)) * (1.0 - 0.45 * rural)
        rate = rate * (1.0 + 0.18 * inversion(world, slots))
        count = np.floor(rate + 1.6 * uniform(world.key("calls", station), slots // 3600) - 0.3)
        count = np.clip(count, 0, MOST_CALLS).astype(np.int64)
        inside = np.isin(slots, hours)
        events.append((station, "ambulance_calls", slots[inside], count[inside].astype(np.float64)))
        slot = np.repeat(np.arange(len(slots)), count)
        serial = slots[slot] // 3600 * MOST_CALLS + np.arange(len(slot)) - np.repeat(np.cumsum(count) - count, count)
        # A second of its own for each call of the hour, so that no two arrivals of a station are one row.
        instant = slots[slot] - 3600 + np.floor(3600 * uniform(world.key("call at", station), serial)).astype(np.int64)
        place = np.clip((instant - first_s) // STEP_S, 0, len(steps) - 1)
        minutes = (4.6 + 5.4 * rural) * jam[place] ** 1.4 * (1.0 + 0.04 * np.minimum(wet[place], 15.0))
        minutes = np.minimum(minutes * np.exp(0.28 * normal(world.key("response", station), serial)), 90.0)
        arrived = instant + np.round(60.0 * minutes).astype(np.int64)
        order = np.argsort(arrived, kind="stable")
        arrived, minutes = arrived[order], minutes[order]
        once = np.concatenate([[True], np.diff(arrived) > 0]) if len(arrived) else np.zeros(0, dtype=np.bool_)
        wanted = once & (arrived > since.timestamp()) & (arrived <= until.timestamp())
        events.append((station, "ambulance_response", arrived[wanted], minutes[wanted]))
    return events


def clinics(world: World, since: datetime, until: datetime) -> Events:
    """Visits and cases of each day, at the midnight that ends it."""
    days = _days(since, until, 0)
    midnights = (days + 1) * DAY_S - LOCAL_S
    events: Events = []
    for hospital in world.ids("hospital"):
        size = 0.7 + 0.6 * uniform(world.key("hospital size", hospital), np.zeros(1, dtype=np.int64))[0]
        open_share = np.where(working_day(days), 1.0, 0.45)
        visits = 88.0 * size * open_share * (1.0 + 0.30 * _bad_air(world, days - 1))
        visits = visits * np.exp(0.06 * normal(world.key("visits", hospital), days))
        warm = season(midnights - 45 * DAY_S)  # six weeks after the heat and the rain
        bites = size * (0.4 + 3.2 * warm) * np.exp(0.25 * smooth(world.key("dengue"), midnights, 14 * DAY_S))
        cases = np.floor(bites + uniform(world.key("dengue", hospital), days))
        events.append((hospital, "respiratory_visits", midnights, np.round(visits)))
        events.append((hospital, "dengue_cases", midnights, cases))
    return events


def schools(world: World, since: datetime, until: datetime) -> Events:
    """The roll call of each school day at 08:30, and each hour whether the school is closed or keeps other hours."""
    days = _days(since, until, ROLL_CALL_S - DAY_S)
    term = working_day(days) & ~((_year_day(days) >= HOLIDAYS[0]) & (_year_day(days) <= HOLIDAYS[1]))
    days = days[term]
    calls = days * DAY_S - LOCAL_S + ROLL_CALL_S
    hours = marks(since, until, 3600)
    events: Events = []
    wet = np.zeros(len(days))
    if len(days):
        steps = np.arange(calls[0] - 2 * 3600, calls[-1] + STEP_S, STEP_S, dtype=np.int64)
        rain = np.minimum(rain_rate(world, steps).mean(axis=0), 12.0)
        wet = np.array([rain[(steps > one - 2 * 3600) & (steps <= one)].mean() for one in calls])
    depth = flood_depth(world, hours) if len(hours) else np.zeros((len(world.ids("flood_sensor")), 0))
    for school in world.ids("school"):
        roll = np.full(len(days), world.number(school, "pupils", 800.0))
        share = 0.019 * (1.0 + 0.45 * _bad_air(world, days - 1) + 0.06 * wet)
        share = share * np.exp(0.10 * normal(world.key("absent", school), days))
        near = depth[world.nearest(school, "flood_sensor")] if len(hours) else np.zeros(0)
        events.append((school, "pupils_enrolled", calls, roll))
        events.append((school, "pupils_absent", calls, np.round(roll * np.minimum(share, 1.0))))
        events.append((school, "schools_affected", hours, (near > CLOSED_CM).astype(np.float64)))
    return events


def _bad_air(world: World, days: Ints) -> Floats:
    """How still and hazy the noon-to-evening air of each day was, about -0.5 … 1.5."""
    found = np.zeros(len(days))
    for hour in (8, 14, 20):
        at = days * DAY_S - LOCAL_S + hour * 3600
        found += (inversion(world, at) + 0.5 * smooth(world.key("haze"), at, 50 * 3600)) / 3.0
    return found


def _days(since: datetime, until: datetime, shift_s: int) -> Ints:
    """Local days whose end, moved by `shift_s`, lies in since < t <= until."""
    first = int(np.floor((since.timestamp() + LOCAL_S - shift_s) / DAY_S))
    last = int(np.floor((until.timestamp() + LOCAL_S - shift_s) / DAY_S))
    return np.arange(first, last, dtype=np.int64)


def _year_day(days: Ints) -> Ints:
    stamps = days.astype("datetime64[D]")
    return np.asarray((stamps - stamps.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64))
