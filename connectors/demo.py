"""The demo city's simulator, behind the same door as a real source.

API: none; every value is computed here from a seed and the clock, and is marked as simulated wherever it is shown.
Licence: part of this product. Key: none. Refresh: as config/demo/sources.toml says. A request is a small JSON file:

    {"city": "demo", "part": "traffic", "since": "2026-11-20T00:00:00+07:00", "until": "2026-11-20T06:00:00+07:00",
     "scenario": "evening_storm", "scenario_start": "2026-11-20T02:00:00+07:00"}

Parts: traffic, incidents, air, rain, river, flood, noise, weather, one_stop, reports, portal, health, education.
Optional: seed, source, scenario (a file in config/demo/scenarios; without scenario_start it begins at its usual clock
time on the day of `until`), days (only figures of whole days: roll calls and clinics).
Traps: on purpose those of real sources - silent and stuck instruments, drift, values outside any plausible range, and
in one scenario a source that falls silent and later corrects what it had said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import requests

import core.cases
from connectors._contract import FetchRequest, Payload
from connectors._simulation import DAILY, INSTRUMENTS, PARTS, simulate, simulate_days
from connectors._simulation_cases import simulate_files, simulate_reports
from connectors._simulation_city import World
from connectors._simulation_portal import rating_counts
from connectors._simulation_scenario import (
    Scenario,
    list_scenarios,
    load_scenario,
    scenario_effects,
    scenario_spans,
)
from core.catalogue import Source
from core.config import City, load_city
from core.errors import InputError, SourceUnavailable

__all__ = ["SOURCE", "Scenario", "fetch", "list_scenarios", "load_scenario", "parse", "ratings", "scenario_effects"]
LONGEST = timedelta(days=400)  # of one request: everything of it is in memory at once

SOURCE = Source(
    key="demo",
    name="Simulator of the demo city",
    kind="simulation",
    licence="part of this product",
    every=timedelta(minutes=5),
    attribution="DỮ LIỆU MÔ PHỎNG",
    traps=(
        "silent, stuck and drifting instruments",
        "values outside the plausible range",
        "numbers that are corrected after a synchronisation fault",
    ),
)
SEED = 20260915
KEYS = {"city", "part", "seed", "since", "until", "source", "scenario", "scenario_start", "days"}
CASES = {"one_stop": simulate_files, "reports": simulate_reports}
LIVE = timedelta(hours=6)  # a request that reaches back further loads history
FIRST_LOAD = timedelta(days=7)  # a request that reaches back further is a first one
DAYS_BACK = timedelta(days=120)  # of figures of whole days at a first load: a month of them compares with nothing


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """The request itself as one JSON payload; no network is touched.

    While a scenario silences the part, SourceUnavailable; a load of history gets what was said before the silence.
    After a synchronisation fault the first answer reaches back to the fault, with the corrected numbers.
    Raises InputError for wrong options.
    """
    options = request.options
    since, until = request.since, request.until
    body: dict[str, Any] = {
        "part": options.get("part"),
        "seed": options.get("seed", SEED),
        "source": request.source,
        "scenario": options.get("scenario"),
        "scenario_start": options.get("scenario_start"),
    }
    name = f"source {request.source}"
    scenario, start = _scenario({**body, "until": until}, request.zone, name)
    if scenario is not None and start is not None:
        for silent_from, silent_to in scenario_spans(scenario, start, "silence", str(body["part"])):
            if silent_from < until <= silent_to:
                if since >= silent_from - LIVE:
                    raise SourceUnavailable(f"{request.source}: no answer (scenario {scenario.key})")
                until = silent_from
        if body["part"] == "one_stop":
            for beat in scenario.beats:
                repaired = start + timedelta(minutes=beat.at_min + beat.for_min)
                if beat.effect == "unsynced_files" and since < repaired <= until:
                    since = min(since, start + timedelta(minutes=beat.at_min))
    body |= {"since": since.isoformat(), "until": until.isoformat()}
    wanted = {key: value for key, value in body.items() if value is not None}
    context = {"sites": request.sites, "city_site": request.city_site, "zone": request.zone, "source": request.source}
    asked = [wanted]
    if body["part"] in DAILY and until - since > FIRST_LOAD:
        first = {"since": (until - DAYS_BACK).isoformat(), "until": since.isoformat(), "days": True}
        asked.append({key: wanted[key] for key in ("part", "seed", "source")} | first)
    return [
        Payload(body=json.dumps(one).encode(), name=name, media_type="application/json", context=context)
        for one in asked
    ]


def parse(payload: Payload) -> pd.DataFrame:
    """A JSON request -> observations of that part and window. Raises InputError for anything that it does not mean."""
    part, world, since, until, source = _asked(payload)
    if json.loads(payload.body).get("days"):
        return simulate_days(part, world, since, until, source)
    return simulate(part, world, since, until, source)


def offers_cases(options: Mapping[str, Any]) -> bool:
    """True for the parts that have single cases behind their counts."""
    return options.get("part") in CASES


def cases(payload: Payload) -> pd.DataFrame:
    """The single files (part one_stop) or reports (part reports) behind the counts: core.cases.frame, else no row."""
    part, world, since, until, source = _asked(payload)
    if part not in CASES:
        return core.cases.empty()
    return CASES[part](world, since, until).assign(source=source)


def _asked(payload: Payload) -> tuple[str, World, datetime, datetime, str]:
    """What a JSON request means: part, city, window and source. Raises InputError."""
    name = payload.name or "demo request"
    try:
        body = json.loads(payload.body)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{name}: not JSON ({error}); give an object with part, since and until") from error
    if not isinstance(body, dict):
        raise InputError(f"{name}: a JSON object with part, since and until is wanted")
    unknown = sorted(set(body) - KEYS)
    if unknown:
        raise InputError(f"{name}: unknown key {', '.join(unknown)}; known: {', '.join(sorted(KEYS))}")
    part = str(body.get("part"))
    if part not in PARTS:
        raise InputError(f"{name}: part {part!r} is unknown; one of {', '.join(PARTS)} is wanted")
    if body.get("days") and part not in DAILY:
        raise InputError(f"{name}: part {part} has no figures of whole days; {', '.join(DAILY)} have")
    since, until = _moment(body, "since", name), _moment(body, "until", name)
    if until < since:
        raise InputError(f"{name}: until lies before since")
    if until - since > LONGEST:
        raise InputError(f"{name}: since and until lie more than {LONGEST.days} days apart: ask for less at once")
    seed = body.get("seed", SEED)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise InputError(f"{name}: seed must be a whole number, not {seed!r}")
    if "sites" in payload.context:
        sites, city_site = payload.context["sites"], str(payload.context["city_site"])
        zone = payload.context["zone"]
    else:
        city = _city(str(body.get("city", "demo")))
        sites, city_site, zone = city.sites, city.city_site, city.zone
    scenario, start = _scenario({**body, "until": until}, zone, name)
    world = World(seed, sites, city_site, scenario, start)
    lacking = [kind for kind in (*INSTRUMENTS, "area") if not world.ids(kind)]
    if lacking:
        raise InputError(
            f"{name}: the city has no site of the kind {', '.join(lacking)}; the simulator needs each kind"
        )
    source = str(payload.context.get("source") or body.get("source") or SOURCE.key)
    return part, world, since, until, source


def ratings(city: City, since: datetime, until: datetime) -> pd.DataFrame:
    """Simulated ratings by day, service and office of the days that end in since < t <= until, as a portal gives them.

    Columns: time (UTC, END of the day), service, office, n1 … n5, asked.
    """
    return rating_counts(World(SEED, city.sites, city.city_site), since, until)


@lru_cache(maxsize=4)
def _city(key: str) -> City:
    return load_city(key)


def _moment(body: dict[str, Any], key: str, name: str) -> datetime:
    text = body.get(key)
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise InputError(f"{name}: {key} must be a time such as 2026-11-20T06:00:00+07:00, not {text!r}") from error
    if moment.tzinfo is None:
        raise InputError(f"{name}: {key} carries no zone; write an offset such as +07:00")
    return moment


def _scenario(body: dict[str, Any], zone: ZoneInfo, name: str) -> tuple[Scenario | None, datetime | None]:
    """The scenario of a request and when it begins: as given, else at its usual clock time on the day of `until`."""
    if not body.get("scenario"):
        return None, None
    scenario = load_scenario(str(body["scenario"]))
    if body.get("scenario_start"):
        return scenario, _moment(body, "scenario_start", name)
    return scenario, scenario.starts_at(body["until"].astimezone(zone).date(), zone)
