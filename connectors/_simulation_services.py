"""The demo city's offices and hotline: files that are received and settled, reports that come in and are answered.

Stocks agree with flows: files pending now = all received - all settled, counted in whole files. Every file and every
report has its own fate, drawn once; the rows of a window are those events whose instant lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from connectors._simulation_city import (
    DAY_S,
    LOCAL_S,
    STEP_S,
    World,
    flood_depth,
    grid,
    local_day,
    local_hour,
    marks,
    plateau,
    rain_rate,
    tet_day,
    working_day,
)
from connectors._simulation_noise import Bools, Floats, Ints, normal, series_key, uniform
from connectors._simulation_scenario import scenario_spans

# Files: share of a day's files that is settled within so many working days. The deadline passes after the tenth: files
# that are late then are mostly settled in the course of the eleventh.
DEADLINE_DAYS = 10
SETTLED_BY_DAY = np.array([0.36, 0.46, 0.54, 0.61, 0.68, 0.75, 0.82, 0.88, 0.925, 0.95, 0.968, 0.994, 0.998, 1.0])
OFFICE_MEMORY_DAYS = 60  # a file is settled within 13 working days, also across Tet
# Share of the office day's work that is done by the end of each local hour 00-01 .. 23-24 (07:30-17:00, lunch).
OFFICE_HOURS = np.array([0, 0, 0, 0, 0, 0, 0, 6, 14, 16, 14, 6, 3, 14, 14, 10, 3, 0, 0, 0, 0, 0, 0, 0]) / 100.0
ONLINE_EVENING = np.array([2, 1, 0, 0, 0, 1, 2, 3, 1, 1, 1, 2, 3, 1, 1, 1, 2, 4, 5, 7, 9, 8, 6, 4]) / 65.0
OFFICE_PROPERTIES = (
    "files_received", "files_received_online", "files_resolved", "files_resolved_on_time", "files_pending",
    "files_pending_overdue", "ratings_valid", "ratings_satisfied",
)  # fmt: skip

REPORT_MEMORY_S = 11 * DAY_S  # the longest case takes ten days
CATEGORY_SHARES = np.array([0.12, 0.33, 0.35, 0.20])
CATEGORY_DUE_H = np.array([4.0, 24.0, 48.0, 72.0])  # flooding and danger; waste and noise; roads and lights; order
REPORTS_PER_DAY = 112.0


def _whole(shares: Floats, total: Floats, key: np.uint64, days: Ints) -> Floats:
    """Split whole totals (one per day) by shares of sum 1, so that the pieces add up exactly; shape (days, pieces)."""
    running = np.cumsum(shares) * total[:, None]
    # A chance below one for the first file; nothing before the first share, everything at the last.
    running = np.floor(np.where(running > 0.0, running + uniform(key, days)[:, None], 0.0))
    running = np.where(np.cumsum(shares) > 1.0 - 1e-9, total[:, None], np.minimum(running, total[:, None]))
    return np.diff(running, axis=1, prepend=0.0)


@dataclass(frozen=True)
class OfficeDays:
    """Whole days of one office, before anybody asks for hours or single files. Arrays of hours have a slot per hour of
    `days`; those of working days one entry per open day."""

    days: Ints  # local days since 1970, without a gap
    open_days: Bools
    received: Floats  # files per hour, flat
    online: Floats  # of them online
    closing: Ints  # position of the hour after which each open day's counter is closed
    settled_by_lag: Ints  # files of the cohort of an open day settled so many working days later; (lag, open day)
    on_time: Floats  # files per day and hour of day
    late: Floats
    overdue_enter: Floats


def office_days(world: World, office: str, first_day: int, last_day: int) -> OfficeDays:
    """What comes in and is settled between two local days. Counters are open 07:30-17:00 on working days; files come
    online at any hour and are taken up on the next working day."""
    days = np.arange(first_day, last_day + 1, dtype=np.int64)
    open_days = working_day(days)
    size = 0.75 + 0.5 * uniform(series_key(world.seed, "office size", office), np.zeros(1, dtype=np.int64))[0]
    busy = 1.0 + 0.07 * normal(world.key("office busy", office), days) + np.where((days + 3) % 7 == 0, 0.12, 0.0)
    counter = np.where(open_days, np.round(36.0 * size * busy), 0.0)
    online_day = np.where(open_days, np.round(130.0 * size * busy), 0.0)
    online_home = np.round(np.where(tet_day(days), 3.0, np.where(open_days, 26.0, 18.0)) * size * busy)
    at_counter = _whole(OFFICE_HOURS, counter, world.key("counter", office), days)
    online = _whole(OFFICE_HOURS, online_day, world.key("online", office), days)
    online = online + _whole(ONLINE_EVENING, online_home, world.key("evening", office), days)
    received = (at_counter + online).ravel()

    # A cohort = what came in since the last closing time, settled over the following working days.
    closing = np.flatnonzero(open_days) * 24 + 17
    cohorts = np.diff(np.concatenate([[0.0], np.cumsum(received)[closing - 1]]))
    offset = uniform(world.key("cohort", office), days[open_days])
    skill = 1.0 + 0.004 * normal(world.key("cohort skill", office), days[open_days])
    settled_by_lag = np.zeros((len(SETTLED_BY_DAY), len(closing)), dtype=np.int64)
    resolved_day = np.zeros((len(closing), 2))  # on time, late
    overdue_enter = np.zeros(len(closing))
    before = np.zeros(len(closing))
    for lag, share in enumerate(SETTLED_BY_DAY):
        done = np.minimum(np.floor(cohorts * share * (skill if share > 0.9 else 1.0) + offset), cohorts)
        settled = cohorts if share == 1.0 else np.maximum(before, done)
        settled_by_lag[lag] = settled - before
        if lag < len(closing):
            upto = len(closing) - lag
            resolved_day[lag:, int(lag > DEADLINE_DAYS)] += (settled - before)[:upto]
            if lag == DEADLINE_DAYS + 1:
                overdue_enter[lag:] += (cohorts - before)[:upto]
        before = settled
    on_time, late = (np.zeros((len(days), 24)) for _ in range(2))
    on_time[open_days] = _whole(OFFICE_HOURS, resolved_day[:, 0], world.key("settled", office), days[open_days])
    late[open_days] = _whole(OFFICE_HOURS, resolved_day[:, 1], world.key("settled late", office), days[open_days])
    enter = np.zeros((len(days), 24))
    enter[open_days, 7] = overdue_enter  # past due from the opening of the next day on
    return OfficeDays(
        days=days,
        open_days=open_days,
        received=received,
        online=online.ravel(),
        closing=closing,
        settled_by_lag=settled_by_lag,
        on_time=on_time,
        late=late,
        overdue_enter=enter.ravel(),
    )


def office_hours(world: World, office: str, since: datetime, until: datetime) -> tuple[Ints, dict[str, Floats]]:
    """Hourly rows of one office: labels (END of hour, seconds) and one array per property.

    While a synchronisation fault of a scenario lasts, settled files are not reported and look overdue; whoever asks
    after the repair gets the truth.
    """
    hours = marks(since, until, 3600)
    if not len(hours):
        return hours, {name: np.zeros(0) for name in OFFICE_PROPERTIES}
    first_day = int(local_day(hours[:1] - 1)[0]) - OFFICE_MEMORY_DAYS
    known = office_days(world, office, first_day, int(local_day(hours[-1:] - 1)[0]))
    received, late = known.received, known.late
    resolved = (known.on_time + late).ravel()
    pending = np.cumsum(received - resolved)
    overdue = np.cumsum(known.overdue_enter - late.ravel())

    ratings = np.round(resolved * 0.32)
    quality = 0.922 + 0.012 * normal(world.key("office quality", office), np.zeros(1, dtype=np.int64))[0]
    wobble = uniform(world.key("ratings", office), np.arange(len(ratings), dtype=np.int64) + first_day * 24)
    satisfied = np.minimum(np.floor(ratings * quality + wobble), ratings)

    rows = {
        "files_received": received,
        "files_received_online": known.online,
        "files_resolved": resolved,
        "files_resolved_on_time": known.on_time.ravel(),
        "files_pending": pending,
        "files_pending_overdue": overdue,
        "ratings_valid": ratings,
        "ratings_satisfied": satisfied,
    }
    every_hour = (first_day * 24 + 1 + np.arange(len(received), dtype=np.int64)) * 3600 - LOCAL_S
    _unsynchronised(world, office, every_hour, until, rows)
    pick = np.searchsorted(every_hour, hours)
    return hours, {name: values[pick] for name, values in rows.items()}


def _unsynchronised(world: World, office: str, hours: Ints, until: datetime, rows: dict[str, Floats]) -> None:
    """Show the hours of a synchronisation fault as the source showed them before its repair."""
    if world.scenario is None or world.scenario_start is None:
        return
    for begin, repaired in scenario_spans(world.scenario, world.scenario_start, "unsynced_files", office):
        if until >= repaired:
            continue
        hidden = np.asarray((hours > begin.timestamp()) & (hours <= repaired.timestamp()), dtype=np.bool_)
        lost = np.cumsum(np.where(hidden, rows["files_resolved"], 0.0))
        wanted = world.effect(office, "unsynced_files", hours)
        extra = np.zeros(len(hours)) if wanted is None else np.round(wanted)
        rows["files_pending"] = rows["files_pending"] + lost
        rows["files_pending_overdue"] = rows["files_pending_overdue"] + np.where(hidden, extra, 0.0)
        for name in ("files_resolved", "files_resolved_on_time", "ratings_valid", "ratings_satisfied"):
            rows[name] = np.where(hidden, 0.0, rows[name])


@dataclass(frozen=True)
class Cases:
    """Citizen reports: instants in seconds since 1970, one entry per report."""

    place: Ints  # position in `places`
    received_s: Ints
    flooding: Bools
    response_s: Ints  # instant of the first response
    resolved_s: Ints
    due_s: Ints
    kind: Ints  # position in CATEGORY_DUE_H
    number: Ints  # of the case; with its instant it is unique


def report_places(world: World) -> tuple[str, ...]:
    """Where reports are counted: the wards, then the hotline for those that name no ward."""
    return (*world.ids("area"), *world.ids("hotline"))


def _arrivals(rate_per_s: Floats, steps_s: Ints, key: np.uint64) -> tuple[Ints, Ints]:
    """Instants and serial numbers of events at a given rate, per local day: the k-th comes when the running sum
    passes k + chance. Steadier than pure chance, so that a quiet hour does not look like a burst."""
    days = local_day(steps_s - STEP_S)
    instants, serials = [], []
    for day in np.unique(days):
        inside = days == day
        total = np.concatenate([[0.0], np.cumsum(rate_per_s[inside] * STEP_S)])
        ticks = np.concatenate([steps_s[inside][:1] - STEP_S, steps_s[inside]])
        number = np.arange(int(total[-1]) + 1, dtype=np.int64)
        wanted = np.sort(number + uniform(key, day * 8192 + number))
        number, wanted = number[wanted < total[-1]], wanted[wanted < total[-1]]
        instants.append(np.floor(np.interp(wanted, total, ticks)).astype(np.int64))
        serials.append(day * 8192 + number)
    return np.concatenate(instants), np.concatenate(serials)


def report_cases(world: World, since: datetime, until: datetime) -> Cases:
    """Every report that came in so late that something of it can fall into the window, and up to its end."""
    first_day = int(local_day(np.array([int(since.timestamp()) - REPORT_MEMORY_S]))[0])
    last_s = int(until.timestamp())
    steps = grid(first_day * DAY_S - LOCAL_S + STEP_S, last_s)
    places, wards = report_places(world), world.ids("area")
    hour, day = local_hour(steps - STEP_S // 2), local_day(steps - STEP_S // 2)
    shape = 0.06 + plateau(hour, 7.0, 21.0, 0.7) * (0.8 + 0.35 * np.exp(-0.5 * ((hour - 18.0) / 2.0) ** 2))
    wet = rain_rate(world, steps).mean(axis=0)
    rate = REPORTS_PER_DAY / DAY_S * 1.6 * shape * np.where(working_day(day), 1.0, np.where(tet_day(day), 0.4, 0.8))
    rate = rate * (1.0 + np.minimum(wet, 20.0) * 0.02) * (1.0 + 0.07 * normal(world.key("talkative day"), day))
    population = np.array([world.number(ward, "population", 1.0) for ward in wards])
    weights = np.append(population / population.sum() * 0.96, np.full(len(places) - len(wards), 0.04))
    sums = np.cumsum(weights / weights.sum())

    found: list[tuple[Ints, Ints, Ints, Bools]] = []  # instant, serial, place, flooding
    instant, serial = _arrivals(rate, steps, world.key("reports"))
    chosen = np.minimum(np.searchsorted(sums, uniform(world.key("report place"), serial)), len(places) - 1)
    found.append((instant, serial, chosen.astype(np.int64), uniform(world.key("report flooding"), serial) < 0.02))
    depth = flood_depth(world, steps)
    for row, sensor in enumerate(world.ids("flood_sensor")):
        # People report the water that they see; past knee height the street is empty and the calls level off.
        wanted = np.tanh(np.maximum(depth[row] - 4.0, 0.0) / 15.0) / 60.0  # per second
        instant, serial = _arrivals(wanted, steps, world.key("flood reports", sensor))
        here, next_door = _wards_around(world, sensor)
        chosen = np.where(uniform(world.key("flood place", sensor), serial) < 0.7, here, next_door)
        found.append((instant, serial, chosen.astype(np.int64), np.ones(len(instant), dtype=np.bool_)))
    for position, place in enumerate(places):
        more = world.effect(place, "reports", steps)
        if more is not None:
            instant, serial = _arrivals(more / 3600.0, steps, world.key("scenario reports", place))
            found.append((instant, serial, np.full(len(instant), position), np.zeros(len(instant), dtype=np.bool_)))

    received, serial, chosen, flooding = (np.concatenate(parts) for parts in zip(*found, strict=True))
    number = serial * 32 + chosen  # one fate per case, also where two streams share a serial number
    kind = np.searchsorted(np.cumsum(CATEGORY_SHARES), uniform(world.key("category"), number))
    due_h = np.where(flooding, CATEGORY_DUE_H[0], CATEGORY_DUE_H[np.minimum(kind, len(CATEGORY_DUE_H) - 1)])
    awake = (local_hour(received) > 6.5) & (local_hour(received) < 21.5)
    response_h = np.where(awake, 0.5, 1.3) * np.exp(0.75 * normal(world.key("response"), number))
    response_h = np.minimum(response_h, 0.6 * due_h)
    resolution_h = due_h * 0.42 * np.exp(0.45 * normal(world.key("resolution"), number))
    resolution_h = np.maximum(resolution_h, response_h + 0.2)
    return Cases(
        place=chosen,
        received_s=received,
        flooding=flooding,
        response_s=received + np.round(response_h * 3600.0).astype(np.int64),
        resolved_s=received + np.round(resolution_h * 3600.0).astype(np.int64),
        due_s=received + np.round(due_h * 3600.0).astype(np.int64),
        kind=np.where(flooding, 0, np.minimum(kind, len(CATEGORY_DUE_H) - 1)).astype(np.int64),
        number=number,
    )


def _wards_around(world: World, site_id: str) -> tuple[int, int]:
    """Positions of the ward in which a site lies and of the nearest other one."""
    wards = world.ids("area")
    order = world.by_distance(site_id, "area").tolist()
    code = str(world.sites.at[site_id, "area"])
    home = wards.index(code) if code in wards else order[0]
    return home, next(position for position in order if position != home)
