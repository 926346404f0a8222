"""Single files and reports of the demo city, drawn so that their counts per day are those of the hourly series.

A file knows its office, service, channel, arrival, deadline and end; no applicant exists, not even an invented one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from connectors._simulation_city import DAY_S, LOCAL_S, World, local_day
from connectors._simulation_noise import Ints, series_key, uniform
from connectors._simulation_services import DEADLINE_DAYS, OFFICE_MEMORY_DAYS, office_days, report_cases, report_places
from core import cases

HISTORY_DAYS = 30  # a load of history brings files of so many days before it: their deadlines fall into it
HISTORY = timedelta(days=1)  # a request that reaches back further loads history
SERVICES = ("civil_status", "certification", "business", "social", "construction", "land")
SERVICE_SHARES = np.array([0.26, 0.27, 0.13, 0.14, 0.08, 0.12])
SLOWNESS = np.array([0.0, 0.0, 0.04, 0.02, 0.22, 0.34])  # how far a service is pushed to the end of its cohort
RATED = 0.32
CATEGORIES = ("flooding", "waste_noise", "roads_lights", "order")
AGENCIES = ("drainage_company", "environment_desk", "infrastructure_desk", "ward_order_team")
CHANNELS = ("hotline", "app", "desk")


def simulate_files(world: World, since: datetime, until: datetime) -> pd.DataFrame:
    """Files (core.cases.frame, without source) of which anything happened in (since, until], as known at its end."""
    back = HISTORY_DAYS if until - since > HISTORY else OFFICE_MEMORY_DAYS
    found = [_office_files(world, office, since, until, back) for office in world.ids("office")]
    data = pd.concat(found, ignore_index=True)
    if until - since <= HISTORY:
        inside = _within(data["received_at"], since, until) | _within(data["resolved_at"], since, until)
        data = data[inside]
    return cases.frame(data, kind=cases.FILE) if len(data) else cases.empty()


def _office_files(world: World, office: str, since: datetime, until: datetime, back_days: int) -> pd.DataFrame:
    last = int(local_day(np.array([int(until.timestamp())]))[0])
    first = int(local_day(np.array([int(since.timestamp())]))[0]) - back_days
    # Deadlines lie ahead of now, so the days are drawn a month further; the first ones are only there to be complete.
    known = office_days(world, office, first - OFFICE_MEMORY_DAYS // 2, last + OFFICE_MEMORY_DAYS // 2)
    hour_of = np.repeat(np.arange(len(known.received)), known.received.astype(np.int64))
    within = np.arange(len(hour_of)) - np.searchsorted(hour_of, hour_of)  # number inside of its hour
    day = known.days[hour_of // 24]
    identity = (day * 24 + hour_of % 24) * 4096 + within
    chance = {name: uniform(world.key(f"file {name}", office), identity) for name in ("fate", "minute", "service")}
    received = day * DAY_S - LOCAL_S + (hour_of % 24) * 3600 + np.floor(chance["minute"] * 3600).astype(np.int64)
    cohort = np.searchsorted(known.closing - 1, hour_of, side="left")
    kept = cohort < len(known.closing)
    service = np.minimum(np.searchsorted(np.cumsum(SERVICE_SHARES), chance["service"]), len(SERVICES) - 1)
    own = 0.5 + uniform(series_key(world.seed, "slow service", office), np.arange(len(SERVICES), dtype=np.int64))
    score = chance["fate"] + (SLOWNESS * own)[service]
    lag = np.full(len(hour_of), -1, dtype=np.int64)
    order = np.lexsort((score, cohort))
    order = order[kept[order]]
    lags = np.repeat(
        np.tile(np.arange(known.settled_by_lag.shape[0]), known.settled_by_lag.shape[1]), known.settled_by_lag.T.ravel()
    )
    lag[order] = lags[: len(order)]
    end_day = np.where(kept, cohort + lag, -1)
    open_positions = np.flatnonzero(known.open_days)
    settled = kept & (end_day < len(open_positions))
    resolved = np.full(len(hour_of), np.iinfo(np.int64).max // 2)
    for late in (False, True):
        slots = known.late if late else known.on_time
        chosen = np.flatnonzero(settled & ((lag > DEADLINE_DAYS) == late))
        # Files of the same day's counter end last, in the order in which they came.
        chosen = chosen[np.lexsort((received[chosen], lag[chosen] == 0, end_day[chosen]))]
        hours = np.repeat(np.arange(slots.size), slots.ravel().astype(np.int64))
        count = min(len(chosen), len(hours))
        minute = uniform(world.key("file end", office), identity[chosen[:count]])
        resolved[chosen[:count]] = (
            (known.days[0] * 24 + hours[:count]) * 3600 - LOCAL_S + np.floor(minute * 3600).astype(np.int64)
        )
    resolved = np.maximum(resolved, received + 600)
    due_day = np.where(kept, cohort + DEADLINE_DAYS, 0)
    has_due = kept & (due_day < len(open_positions))
    due = known.days[open_positions[np.minimum(due_day, len(open_positions) - 1)]] * DAY_S - LOCAL_S + 17 * 3600
    until_s = int(until.timestamp())
    wanted = has_due & (received <= until_s) & (day >= first)
    quality = 0.93 - 0.25 * (lag > DEADLINE_DAYS)
    rated = uniform(world.key("file rated", office), identity) < RATED
    mark = np.where(uniform(world.key("file rating", office), identity) < quality, 5.0, 2.0)
    online = within < known.online[hour_of]
    ended = resolved <= until_s
    data = pd.DataFrame(
        {
            "case_id": [f"{office}-{number}" for number in identity[wanted]],
            "category": np.array(SERVICES)[service[wanted]],
            "agency": office,
            "ward": str(world.sites.at[office, "area"]),
            "channel": np.where(online, "online", "counter")[wanted],
            "received_at": _moments(received[wanted], until_s),
            "acknowledged_at": _moments(received[wanted], until_s),
            "assigned_to": office,
            "assigned_at": _moments(received[wanted], until_s),
            "due_at": pd.to_datetime(due[wanted], unit="s", utc=True),
            "resolved_at": _moments(resolved[wanted], until_s),
            "closed_at": _moments(resolved[wanted], until_s),
            "rating": np.where(rated & ended, mark, np.nan)[wanted],
        }
    )
    return data


def simulate_reports(world: World, since: datetime, until: datetime) -> pd.DataFrame:
    """Citizen reports of which anything happened in (since, until], as known at its end."""
    found = report_cases(world, since, until)
    until_s, places = int(until.timestamp()), report_places(world)
    number = found.number + found.received_s * 37
    ward = np.array([str(world.sites.at[place, "area"]) for place in places])[found.place]
    latitude = np.array([world.number(place, "latitude", np.nan) for place in places])[found.place]
    longitude = np.array([world.number(place, "longitude", np.nan) for place in places])[found.place]
    spread = [0.02 * (uniform(world.key(f"report {axis}"), number) - 0.5) for axis in ("north", "east")]
    channel = np.minimum((uniform(world.key("report channel"), number) * len(CHANNELS)).astype(np.int64), 2)
    again = (uniform(world.key("report again"), number) < 0.05) & (found.resolved_s <= until_s)
    rated = (uniform(world.key("report rated"), number) < RATED) & (found.resolved_s <= until_s)
    happy = uniform(world.key("report rating"), number) < np.where(found.resolved_s <= found.due_s, 0.86, 0.55)
    data = pd.DataFrame(
        {
            "case_id": [f"{at}-{one}" for at, one in zip(found.received_s, found.number, strict=True)],
            "category": np.array(CATEGORIES)[found.kind],
            "agency": np.array(AGENCIES)[found.kind],
            "ward": ward,
            "latitude": latitude + spread[0],
            "longitude": longitude + spread[1],
            "channel": np.array(CHANNELS)[channel],
            "received_at": _moments(found.received_s, until_s),
            "acknowledged_at": _moments(found.response_s, until_s),
            "assigned_to": np.array(AGENCIES)[found.kind],
            "assigned_at": _moments(found.response_s, until_s),
            "due_at": pd.to_datetime(found.due_s, unit="s", utc=True),
            "resolved_at": _moments(found.resolved_s, until_s),
            "closed_at": _moments(found.resolved_s, until_s),
            "reopened_count": again.astype(np.int64),
            "rating": np.where(rated, np.where(happy, 5.0, 2.0), np.nan),
        }
    )
    happened = [_within(data[name], since, until) for name in ("received_at", "acknowledged_at", "resolved_at")]
    data = data[np.logical_or.reduce(happened)].drop_duplicates("case_id")
    return cases.frame(data, kind=cases.REPORT) if len(data) else cases.empty()


def _moments(seconds: Ints, until_s: int) -> pd.Series:
    """Instants that have come; NaT for what lies ahead."""
    known = np.where(seconds <= until_s, seconds, 0)
    return pd.Series(pd.to_datetime(known, unit="s", utc=True)).where(seconds <= until_s)


def _within(times: pd.Series, since: datetime, until: datetime) -> pd.Series:
    return (times > since.astimezone(UTC)) & (times <= until.astimezone(UTC))
