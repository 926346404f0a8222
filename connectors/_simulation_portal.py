"""The demo city's citizens at the portal and at the counters: what they look for, begin, finish, wait for and rate.

Counts of a local day stand at the midnight that ends it; a wait stands at the instant of its call. What a day holds
depends on the seed, the service or office, and the day alone. The ratings of services at an office add up to the
ratings which the same office sends by the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from connectors._simulation_city import DAY_S, LOCAL_S, World, local_day, tet_day, working_day
from connectors._simulation_noise import Floats, Ints, normal, series_key, uniform
from connectors._simulation_services import office_hours

SERVICE_PROPERTIES = (
    "service_views", "service_searches", "service_questions", "service_reports", "service_started",
    "service_completed", "service_files", "service_files_online", "service_visits", "service_visits_again",
)  # fmt: skip
COUNTER_OPENS_S, COUNTER_CLOSES_S = 8 * 3600, int(16.5 * 3600)
POINTS = ("n1", "n2", "n3", "n4", "n5")


@dataclass(frozen=True)
class _Character:
    """How one service of this city is: shares of 1, and how much it is wanted beside the others."""

    weight: float
    online: float
    completed: float
    again: float
    unhappy: float  # how much more often than at others a rating is bad
    asked: float


_OTHER = _Character(1.0, 0.8, 0.85, 0.12, 1.0, 0.04)
_CHARACTERS = {
    "sv_birth": _Character(1.3, 0.88, 0.91, 0.06, 0.6, 0.02),
    "sv_marriage": _Character(0.7, 0.72, 0.86, 0.10, 0.7, 0.03),
    "sv_certify": _Character(2.6, 0.62, 0.93, 0.04, 0.5, 0.01),
    "sv_trade": _Character(1.1, 0.90, 0.80, 0.11, 0.9, 0.04),
    "sv_building": _Character(0.8, 0.58, 0.63, 0.29, 2.2, 0.09),
    "sv_land": _Character(1.9, 0.55, 0.58, 0.34, 2.7, 0.11),
    "sv_allowance": _Character(0.9, 0.49, 0.71, 0.21, 1.1, 0.07),
    "sv_pavement": _Character(0.05, 0.77, 0.82, 0.09, 1.0, 0.03),
}


def service_days(world: World, service: str, days: Ints) -> dict[str, Floats]:
    """Counts of one service on local days, one array per property."""
    one = _CHARACTERS.get(service, _OTHER)
    open_days, tet = working_day(days), tet_day(days)
    rhythm = np.where(open_days, 1.0, np.where(tet, 0.12, 0.45))
    busy = rhythm * np.exp(0.11 * normal(world.key("portal busy", service), days))

    def part(total: Floats, share: float, name: str) -> Floats:
        jitter = np.clip(share * (1.0 + 0.05 * normal(world.key("portal", name, service), days)), 0.0, 1.0)
        return np.floor(total * jitter + uniform(world.key("portal rest", name, service), days))

    views = np.round(820.0 * one.weight * busy)
    started = np.round(74.0 * one.weight * busy)
    completed = np.minimum(part(started, one.completed, "completed"), started)
    at_counter = np.where(open_days, np.round(completed * (1.0 / one.online - 1.0)), 0.0)
    visits = np.where(open_days, np.round(at_counter * 1.6), 0.0)
    return {
        "service_views": views,
        "service_searches": part(views, 0.38, "searches"),
        "service_questions": part(views, one.asked, "questions"),
        "service_reports": part(started, one.asked * 0.45, "reports"),
        "service_started": started,
        "service_completed": completed,
        "service_files": completed + at_counter,
        "service_files_online": completed,
        "service_visits": visits,
        "service_visits_again": np.minimum(part(visits, one.again, "again"), visits),
    }


def waits(world: World, office: str, days: Ints) -> tuple[Ints, Floats]:
    """Instants [s since 1970] at which people were called on these local days, and their waits [min]."""
    size = 0.75 + 0.5 * uniform(series_key(world.seed, "office size", office), np.zeros(1, dtype=np.int64))[0]
    slow = 1.0 + 0.35 * normal(series_key(world.seed, "office waits", office), np.zeros(1, dtype=np.int64))[0]
    instants, minutes = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for day in days[working_day(days)]:
        count = round(34 * size)
        number = np.arange(count, dtype=np.int64)
        step = (COUNTER_CLOSES_S - COUNTER_OPENS_S) // count
        late = np.floor(step * uniform(world.key("call", office), day * 512 + number))
        clock = COUNTER_OPENS_S + number * step + late
        rush = 1.0 + 0.9 * np.exp(-0.5 * ((clock / 3600.0 - 9.5) / 0.8) ** 2)
        wait = 9.0 * max(slow, 0.3) * rush * np.exp(0.6 * normal(world.key("wait", office), day * 512 + number))
        instants.append((day * DAY_S - LOCAL_S + clock).astype(np.int64))
        minutes.append(np.round(np.minimum(wait, 240.0), 1))
    return np.concatenate(instants), np.concatenate(minutes)


def days_between(since: datetime, until: datetime) -> Ints:
    """The local days whose closing midnight lies in since < t <= until."""
    first = (int(since.timestamp()) + LOCAL_S) // DAY_S
    last = (int(until.timestamp()) + LOCAL_S) // DAY_S
    return np.arange(first, last, dtype=np.int64)


def closing_midnights(days: Ints) -> Ints:
    """Seconds since 1970 at which local days end."""
    return np.asarray((days + 1) * DAY_S - LOCAL_S, dtype=np.int64)


def rating_counts(world: World, since: datetime, until: datetime) -> pd.DataFrame:
    """Ratings by day, service and office of the days that end in since < t <= until.

    Columns: time (UTC, END of the day), service, office, n1 … n5 (answers by points), asked (files that got a
    question). Only rows with somebody asked.
    """
    services, days = world.ids("service"), days_between(since, until)
    columns = ["time", "service", "office", *POINTS, "asked"]
    if not services or not len(days):
        return pd.DataFrame({name: [] for name in columns})
    begin = datetime.fromtimestamp(int(days[0]) * DAY_S - LOCAL_S, UTC)
    end = begin + timedelta(days=len(days))
    weights = np.array([_CHARACTERS.get(one, _OTHER).weight for one in services])
    unhappy = np.array([_CHARACTERS.get(one, _OTHER).unhappy for one in services])
    found = []
    for office in world.ids("office"):
        hours, rows = office_hours(world, office, begin, end)
        place = local_day(hours - 1) - int(days[0])
        totals = {
            name: np.bincount(place, weights=rows[name], minlength=len(days))
            for name in ("files_resolved", "ratings_valid", "ratings_satisfied")
        }
        for row, day in enumerate(days.tolist()):
            asked, n = (int(totals[name][row]) for name in ("files_resolved", "ratings_valid"))
            if not asked:
                continue
            chance = uniform(world.key("rating split", office), day * 16 + np.arange(len(services) + 2, dtype=np.int64))
            own = weights * (0.8 + 0.4 * chance[: len(services)])
            answers = _split(n, own, np.full(len(services), n))
            bad = _split(n - int(totals["ratings_satisfied"][row]), answers * unhappy, answers)
            very = np.floor((answers - bad) * 0.55 + chance[-1])
            very = np.minimum(very, answers - bad)
            worst = np.floor(bad * 0.28 + chance[-2] * (bad > 0))
            middle = np.floor((bad - worst) * 0.6)
            wanted = answers + _split(asked - n, own, np.full(len(services), asked))
            for place_of, service in enumerate(services):
                if wanted[place_of]:
                    points = [worst, bad - worst - middle, middle, answers - bad - very, very]
                    found.append((day, service, office, *(int(one[place_of]) for one in points), wanted[place_of]))
    frame = pd.DataFrame(found, columns=["day", *columns[1:]])
    times = closing_midnights(frame.pop("day").to_numpy(dtype=np.int64))
    frame.insert(0, "time", pd.to_datetime(times * 1_000_000, unit="us", utc=True))
    return frame.astype(dict.fromkeys([*POINTS, "asked"], "int64"))


def _split(total: int, weights: Floats, most: Floats | Ints) -> Ints:
    """A whole total by weights, none above `most`; what does not fit goes where there is most room."""
    if total <= 0 or weights.sum() <= 0:
        return np.zeros(len(weights), dtype=np.int64)
    exact = total * weights / weights.sum()
    whole = np.minimum(np.floor(exact), most).astype(np.int64)
    while whole.sum() < total:
        room = np.where(whole < most, exact - whole, -np.inf)
        if not np.isfinite(room).any():
            break
        whole[int(np.argmax(room))] += 1
    return np.asarray(whole, dtype=np.int64)
