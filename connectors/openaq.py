"""Hourly means of air stations that OpenAQ collects from governments and owners of low-cost sensors (API v3).

Link: https://docs.openaq.org/
Licence: that of each provider (`licenses` of a location); attribution to provider and OpenAQ.
Key: required; the secret OPENAQ_API_KEY is sent as X-API-Key.
Refresh: hourly, often hours late: each run asks for a day back. 60 calls a minute, 2,000 an hour.
Traps:
- A station that died stays in the lists: datetimeLast is null or old. Sensors silent for a week are not asked.
- `meta.found` may be the text «>100»: pages are followed until one is short, and the number is not believed.
- The label of an hour is period.datetimeTo; coverage.datetimeFrom and datetimeTo are something else.
- One parameter comes in µg/m³ from one station and in ppm or ppb from the next: the unit of each reply is read.
- coverage.percentComplete below 75, or a flag: the mean is given as `suspect`. It may be above 100, too.
- isMonitor false is a low-cost sensor: `suspect` too, unless the option trust_low_cost says otherwise. Its temperature
  is that of its case and its pressure is not that at sea level: neither is taken unless `properties` names it.
- Means of days and years look the same: a period over an hour is refused, the catalogue holds hourly means.
- `/latest` tells neither parameter nor unit: say property and unit on the command line, else the rows are labelled
  «openaq:<sensor>». Unknown parameters (no, nox, um003) are «openaq:<name>» in the unit of the source.
- Lists of locations, parameters, providers, owners, instruments hold no observations and are refused.

Options: sites = {location id = site_id}; base_url; trust_low_cost = false; properties = {parameter = catalogue key}.
For a bare file: site, property, unit (of `/latest`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._reply import each_answer, objects, one_frame, reading
from connectors._rows import known_property, label, utc_text
from connectors._text import instant, number
from connectors._units import catalogue_units, convert
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="openaq",
    name="OpenAQ v3",
    kind="measurement",
    homepage="https://openaq.org/",
    licence="that of each provider, with attribution",
    every=timedelta(hours=1),
    secret="OPENAQ_API_KEY",
    hosts=("api.openaq.org",),
    attribution="OpenAQ and its providers",
    traps=("dead stations stay listed", "ppm beside µg/m³", "low-cost sensors among monitors"),
)

BASE = "https://api.openaq.org"
VARIABLE_MAP = {key: key for key in ("pm25", "pm10", "no2", "so2", "co", "o3")}
LOOK_BACK = timedelta(hours=24)
SILENT = timedelta(days=7)
PERIOD_MAX = timedelta(hours=1)
LEAST_COMPLETE = 75.0  # percent of the hour
PAGE_SIZE = 1000
PAGES_MAX = 50


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per living sensor of the configured locations: its hours since a day before `until`.

    Raises ConfigError when `sites` is missing, else SourceError. A location that is refused costs itself only.
    """
    sites = request.options.get("sites")
    if not isinstance(sites, Mapping) or not sites:
        raise ConfigError(f'source {request.source}: options need sites = {{ "location id" = "site_id" }}')
    return each_answer(
        partial(_location, http, request, str(location), str(site_id)) for location, site_id in sites.items()
    )


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from hours, measurements or the latest values of sensors.

    Raises SourceRefused for an error body, SourceChanged for lists without observations, for a period over an hour and
    for an unknown unit, ConfigError for an option with a property that the catalogue does not have.
    """
    reply = read_json(payload.body, payload.name)
    with reading(payload.name):
        results = _results(reply)
        if any("value" not in result for result in results):
            raise SourceChanged("holds no observations: a list of things, ask for /v3/sensors/{id}/hours")
        stem = PurePath(payload.name).stem
        return one_frame([_row(result, payload.context, stem) for result in results], payload, SOURCE.key)


def _row(result: Mapping[str, Any], context: Mapping[str, Any], stem: str) -> dict[str, Any]:
    options = context.get("options", {})
    value = number(result["value"])
    name, unit = _parameter(result, options)
    key = _property(name, options)
    if key is None:
        key = f"{SOURCE.key}:{label(name)}"
    elif not math.isnan(value):
        value = convert(value, unit, catalogue_units()[key], key)
    doubtful = context.get("low_cost", False) or _incomplete(result)
    return {
        "time": _time(result),
        "site_id": _site(result, context, options) or stem,
        "observed_property": key,
        "value": value,
        "quality": "suspect" if doubtful else "not_evaluated",
    }


def _parameter(result: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[str, str]:
    """Name and unit: those of the reply, else (`/latest` tells none) those that the options tell."""
    parameter = result.get("parameter")
    if parameter is not None:
        return str(parameter["name"]), str(parameter["units"])
    if "property" in options:
        return known_property(options["property"]), str(options.get("unit", ""))
    return f"sensor {result.get('sensorsId', 'unknown')}", ""


def _property(name: str, options: Mapping[str, Any]) -> str | None:
    chosen = options.get("properties", {})
    if name in chosen:
        return known_property(chosen[name])
    return VARIABLE_MAP.get(name) or (name if name == options.get("property") else None)


def _time(result: Mapping[str, Any]) -> datetime | None:
    """The END of the period; of a latest value its own time. Raises SourceChanged for a period over an hour."""
    period = result.get("period")
    if period is None:
        return _moment(result.get("datetime"))
    start, end = _moment(period.get("datetimeFrom")), _moment(period.get("datetimeTo"))
    if start is not None and end is not None and end - start > PERIOD_MAX:
        raise SourceChanged(f"a mean of {end - start} where hourly means belong: ask for /v3/sensors/{{id}}/hours")
    return end


def _moment(told: object) -> datetime | None:
    """{"utc": …, "local": …}: both carry their offset."""
    if not isinstance(told, Mapping):
        return None
    return instant(told.get("utc")) or instant(told.get("local"))


def _incomplete(result: Mapping[str, Any]) -> bool:
    flagged = (result.get("flagInfo") or {}).get("hasFlags") is True
    return flagged or number((result.get("coverage") or {}).get("percentComplete")) < LEAST_COMPLETE


def _site(result: Mapping[str, Any], context: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    if "site_id" in context:
        return str(context["site_id"])
    location = label(result.get("locationsId") or "")
    return str(options.get("sites", {}).get(location) or options.get("site") or location)


def _results(reply: object) -> list[Mapping[str, Any]]:
    if not isinstance(reply, dict):
        raise SourceChanged("no OpenAQ reply (an object with `results` is promised)")
    if "results" not in reply:
        words = reply.get("detail") or reply.get("message")
        if not words:
            raise SourceChanged("no list `results` in the reply")
        raise SourceRefused(f"the service refuses: {label(words if isinstance(words, str) else json.dumps(words))}")
    return objects(reply["results"], "results")


def _location(http: requests.Session, request: FetchRequest, location: str, site_id: str) -> list[Payload]:
    """The payloads of one location's living, known sensors."""
    payload = _get(http, request, f"/v3/locations/{location}", {})
    with reading(payload.name):
        found = _results(read_json(payload.body, payload.name))
        sensors = []
        for place in found:
            newest = _moment(place.get("datetimeLast"))
            if newest is None or newest < request.until - SILENT:
                continue
            low_cost = place.get("isMonitor") is False and request.options.get("trust_low_cost") is not True
            for sensor in objects(place.get("sensors"), "sensors"):
                if _property(str(sensor["parameter"]["name"]), request.options) is not None:
                    sensors.append((int(sensor["id"]), low_cost))
    return [_hours(http, request, sensor, site_id, low_cost) for sensor, low_cost in sensors]


def _hours(http: requests.Session, request: FetchRequest, sensor: int, site_id: str, low_cost: bool) -> Payload:
    """All pages of a sensor's hours as one payload."""
    asked = {
        "datetime_from": utc_text(min(request.since, request.until - LOOK_BACK)),
        "datetime_to": utc_text(request.until),
        "limit": str(PAGE_SIZE),
    }
    found: list[Mapping[str, Any]] = []
    page: list[Mapping[str, Any]] = []
    for number_of_page in range(1, PAGES_MAX + 1):
        payload = _get(http, request, f"/v3/sensors/{sensor}/hours", {**asked, "page": str(number_of_page)})
        before = page
        with reading(payload.name):
            reply = read_json(payload.body, payload.name)
            page = _results(reply)
            meta = reply.get("meta")
            size = number(meta.get("limit")) if isinstance(meta, dict) else math.nan  # a server may allow less
        if page != before:
            found += page
        if not page or page == before or len(page) < (PAGE_SIZE if math.isnan(size) else size):
            context = {
                "source": request.source,
                "options": request.options,
                "site_id": site_id,
                "low_cost": low_cost,
            }
            body = json.dumps({"results": found}).encode()
            return Payload(body=body, name=payload.name, media_type="application/json", context=context)
    raise SourceChanged(f"{payload.name}: more than {PAGES_MAX} pages: ask for fewer days")


def _get(http: requests.Session, request: FetchRequest, path: str, params: Mapping[str, str]) -> Payload:
    base = str(request.options.get("base_url", BASE)).rstrip("/").removesuffix("/v3")
    headers = {"X-API-Key": request.secret} if request.secret else {}
    return get(http, base + path, params, headers, secret=request.secret)
