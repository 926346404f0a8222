"""Traffic as TomTom sees it: speed and travel time at points of the city's roads, or the incidents in its box.

Link: https://developer.tomtom.com/traffic-api/documentation
Licence: TomTom developer terms: a key of one's own; to keep what was fetched needs an agreement.
Key: required; the secret TOMTOM_API_KEY is sent as key, the only way that the service knows.
Refresh: about a minute; the free quota (about 2,500 calls a day) allows 17 points every 10 minutes: one call per point.
Traps:
- A closed road has currentSpeed 0 and currentTravelTime 9999: it becomes road_closed = 1, and nothing else.
- The flow reply holds no time at all: it is the time of asking; of a bare file say it by the option time.
- The unit of speed is that of the request (KMPH is asked); of a bare file the option unit, KMPH unless it says MPH.
- `coordinates` of the flow is an object that holds `coordinate`; of an incident it is [longitude, latitude].
- confidence below `least_confidence` (0.5): mostly history, given as `suspect`.
- `delay`, `endTime`, `lastReportTime` may be null: no delay is told, the end is open. Magnitude 4 is a closure, not
  worse than 3. Plain jams (iconCategory 6), what is over and what lies in the future are no open incidents.
- Errors have many shapes, plain text («no healthy upstream») and HTML among them. A point too far from any road is
  refused with HTTP 400 and costs that point only.

Rows: kind = "flow": road_closed, speed, free_flow_speed, travel_time by road site. kind = "incidents": open_incidents
by the nearest area within 5 km, else the city, zeros included; of a bare file «tomtom», at its newest time.

Options: kind = flow | incidents; sites = [road sites with coordinates] (all of them without it); bbox = [west, south,
east, north] (wards and 5 km around without it); least_confidence; base_url. For a bare file: site, time, unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._places import Place, box_of, coordinates, point_of, sites_with_coordinates
from connectors._reply import each_answer, objects, one_frame, reading
from connectors._rows import label, option_number
from connectors._text import instant, number
from connectors._traffic import Row, Stretch, incident_rows, middle, road_rows
from connectors._units import convert
from core.catalogue import Source
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused

SOURCE = Source(
    key="tomtom",
    name="TomTom Traffic",
    kind="measurement",
    homepage="https://developer.tomtom.com/",
    licence="TomTom developer terms; keeping data needs an agreement",
    every=timedelta(minutes=10),
    secret="TOMTOM_API_KEY",
    hosts=("api.tomtom.com",),
    attribution="© TomTom",
    traps=("9999 s is a closure", "no time in the flow reply", "delay may be null"),
)

BASE = "https://api.tomtom.com"
FLOW_PATH = "/traffic/services/4/flowSegmentData/absolute/10/json"
INCIDENTS_PATH = "/traffic/services/5/incidentDetails"
FIELDS = (
    "{incidents{type,geometry{type,coordinates},"
    "properties{id,iconCategory,magnitudeOfDelay,startTime,endTime,timeValidity,lastReportTime}}}"
)  # no text in it
KINDS = ("flow", "incidents")
UNITS = {"kmph": "km/h", "mph": "mph"}
NO_TRAVEL_TIME_S = 9999.0
LEAST_CONFIDENCE = 0.5
JAM = 6.0  # iconCategory


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per point of a road, or one with the incidents of the box.

    Raises ConfigError for a wrong option or a site without coordinates, else SourceError.
    """
    kind = request.options.get("kind", "flow")
    if kind not in KINDS:
        raise ConfigError(f"source {request.source}: kind {kind!r} is not one of {', '.join(KINDS)}")
    if kind == "incidents":
        return [_incidents(http, request)]
    roads = [str(site_id) for site_id in request.sites.index[request.sites["kind"] == "road_segment"]]
    known = request.sites.loc[roads, ["latitude", "longitude"]].dropna().index
    points = sites_with_coordinates(request, request.options.get("sites", list(known)))
    return each_answer(partial(_flow, http, request, site_id, place) for site_id, place in points.items())


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a flow segment (service 4) or incident details (service 5).

    Raises SourceRefused for an error body, SourceChanged for anything else, InputError for a flow file without a time.
    """
    reply = read_json(payload.body, payload.name)
    with reading(payload.name):
        if not isinstance(reply, dict):
            raise SourceChanged("no TomTom reply (an object is promised)")
        if isinstance(reply.get("flowSegmentData"), dict):
            rows = _flow_rows(reply["flowSegmentData"], payload.context)
        elif "incidents" in reply:
            rows = _incident_rows(objects(reply["incidents"], "incidents"), payload.context)
        else:
            raise _refusal(reply)
        return one_frame(rows, payload, SOURCE.key)


def _flow_rows(flow: Mapping[str, Any], context: Mapping[str, Any]) -> list[Row]:
    options = context.get("options", {})
    moment = _told_time(context)
    if moment is None:
        raise InputError("the flow reply holds no time: say when it came, e.g. --set time=2026-01-05T08:00:00+07:00")
    unit = UNITS.get(str(options.get("unit", "kmph")).casefold())
    if unit is None:
        raise ConfigError(f"unit {options['unit']!r} is not one of KMPH, MPH")
    travel_time_s = number(flow.get("currentTravelTime"))
    speed = number(flow["currentSpeed"])
    unending = travel_time_s >= NO_TRAVEL_TIME_S
    confidence = number(flow.get("confidence"))
    stretch = Stretch(
        site_id=_flow_site(flow, context),
        closed=flow.get("roadClosure") is True or (unending and speed == 0),
        measured=not confidence < option_number(options, "least_confidence", LEAST_CONFIDENCE),
        values={
            "speed": convert(speed, unit, "km/h"),
            "free_flow_speed": convert(number(flow.get("freeFlowSpeed")), unit, "km/h"),
            "travel_time": math.nan if unending else travel_time_s,
        },
    )
    return road_rows([stretch], moment)


def _flow_site(flow: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    named = context.get("site_id") or context.get("options", {}).get("site")
    if named:
        return str(named)
    points = objects((flow.get("coordinates") or {}).get("coordinate"), "coordinate")
    line = [point_of(point.get("latitude"), point.get("longitude")) for point in points]
    return coordinates(middle(line)) if line else SOURCE.key


def _incident_rows(incidents: list[Mapping[str, Any]], context: Mapping[str, Any]) -> list[Row]:
    details = {str(each["properties"].get("id") or index): each for index, each in enumerate(incidents)}
    moment = _told_time(context) or _newest(details.values())
    if moment is None:
        if incidents:
            raise SourceChanged("not one incident has a time: check `fields` of the request")
        return []
    places = [_place(each) for each in details.values() if _is_open(each["properties"], moment)]
    return incident_rows(places, moment, context, SOURCE.key, context.get("box"))


def _is_open(told: Mapping[str, Any], moment: datetime) -> bool:
    start, end = instant(told.get("startTime")), instant(told.get("endTime"))
    over_or_ahead = (end is not None and end <= moment) or (start is not None and start > moment)
    return told.get("timeValidity") != "future" and not over_or_ahead and number(told.get("iconCategory")) != JAM


def _newest(incidents: Any) -> datetime | None:
    """The newest moment at which a bare file knows of something that has begun."""
    told = [each["properties"] for each in incidents if each["properties"].get("timeValidity") != "future"]
    moments = [instant(each.get(name)) for each in told for name in ("startTime", "lastReportTime")]
    return max((moment for moment in moments if moment is not None), default=None)


def _place(incident: Mapping[str, Any]) -> Place:
    """Where it counts: the point, or the middle of the line."""
    geometry = incident.get("geometry") or {}
    told = geometry.get("coordinates") or []
    if geometry.get("type") == "Point":
        told = [told]
    return middle([point_of(each[1], each[0]) for each in told])


def _told_time(context: Mapping[str, Any]) -> datetime | None:
    said = context.get("options", {}).get("time")
    told = said.isoformat() if isinstance(said, datetime) else said
    moment: datetime | None = context.get("until") or instant(told, context.get("zone"))
    return moment


def _refusal(reply: Mapping[str, Any]) -> Exception:
    detailed = reply.get("detailedError")
    words = detailed.get("message") if isinstance(detailed, dict) else None
    words = words or reply.get("errorText") or reply.get("error") or reply.get("message")
    if words:
        return SourceRefused(f"the service refuses: {label(words)}")
    if "tm" in reply:
        return SourceChanged("incidents of service version 4: ask version 5 (incidentDetails)")
    return SourceChanged("holds neither flowSegmentData nor incidents")


def _flow(http: requests.Session, request: FetchRequest, site_id: str, place: Place) -> list[Payload]:
    asked = {"point": f"{place[0]:.6f},{place[1]:.6f}", "unit": "KMPH"}
    return [_asked(http, request, FLOW_PATH, asked, site_id=site_id)]


def _incidents(http: requests.Session, request: FetchRequest) -> Payload:
    box = box_of(request)
    asked = {"bbox": str(box), "fields": FIELDS, "timeValidityFilter": "present"}
    known = {"sites": request.sites, "city_site": request.city_site, "box": box}
    return _asked(http, request, INCIDENTS_PATH, asked, **known)


def _asked(http: requests.Session, request: FetchRequest, path: str, asked: dict[str, str], **known: Any) -> Payload:
    base = str(request.options.get("base_url", BASE)).rstrip("/")
    params = {**asked, **({"key": request.secret} if request.secret else {})}
    payload = get(http, base + path, params, secret=request.secret)
    options = {name: value for name, value in request.options.items() if name not in ("time", "unit", "site")}
    return replace(payload, context={"source": request.source, "until": request.until, "options": options, **known})
