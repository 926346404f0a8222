"""Traffic as HERE sees it (Traffic API v7): flow on the roads of a box, or the incidents in it.

Link: https://www.here.com/docs/category/traffic-api-v7
Licence: HERE platform terms: a key of one's own; to keep what was fetched for over 30 days needs an agreement.
Key: required; the secret HERE_API_KEY is sent as apiKey.
Refresh: about a minute; one call answers for the whole box.
Traps:
- Speeds are metres per second. 0 is a value: a standing queue on an open road.
- Jam factor 10 and traversability «closed» are a closed road, without `speed`: road_closed = 1, and nothing else.
- A lane that runs the other way now («reversibleNotRoutable») is not closed: it gives no row.
- `speed` ends at the free flow and is what a congestion ratio is made of; speedUncapped is not used.
- confidence up to 0.7 is history or the speed limit, not a measurement: given as `suspect`.
- sourceUpdated is the time of the reply. Points are {lat, lng}. Ids of incidents have 19 digits and are texts.
- A box wider than one degree is refused by the service. No coverage is an empty list with HTTP 200.
- Type «congestion», what is over and what is still to come are no open incidents.
- Errors have three shapes; the older API 6 (RWS, RW, FIS; speeds in km/h) answers differently and is refused.

Rows: flow: road_closed, speed, free_flow_speed, jam_factor by road site: that of the option `sites`, else the nearest
road site within 100 m; roads that are none of ours are left out. Incidents: open_incidents by the nearest area within
5 km, else the city, zeros included. Of a bare file: by the road's name or first point; incidents as «here».

Options: kind = flow | incidents; sites = {name of the road = site_id}; bbox = [west, south, east, north] (without it
the wards and 5 km around); base_url.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._places import Place, box_of, point_of
from connectors._reply import objects, one_frame, reading
from connectors._rows import label
from connectors._text import instant, number
from connectors._traffic import RoadNames, Row, Stretch, incident_rows, middle, road_rows
from connectors._units import convert
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="here",
    name="HERE Traffic v7",
    kind="measurement",
    homepage="https://www.here.com/",
    licence="HERE platform terms; keeping data needs an agreement",
    every=timedelta(minutes=10),
    secret="HERE_API_KEY",
    hosts=("data.traffic.hereapi.com",),
    attribution="© HERE",
    traps=("metres per second", "jam factor 10 is closed", "confidence up to 0.7 is no measurement"),
)

BASE = "https://data.traffic.hereapi.com"
KINDS = {"flow": "currentFlow", "incidents": "incidentDetails"}
DEGREES_MAX = 1.0
CLOSED_JAM_FACTOR = 10.0
NOT_MEASURED = 0.7  # confidence up to this
NOT_ROUTABLE = "reversibleNotRoutable"
KEPT = ("id", "type", "startTime", "endTime", "roadClosed", "criticality")  # of an incident: no text


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload: the flow or the incidents of the box; words about incidents are dropped here.

    Raises ConfigError for a wrong option or a box over one degree, else SourceError.
    """
    kind = request.options.get("kind", "flow")
    if kind not in KINDS:
        raise ConfigError(f"source {request.source}: kind {kind!r} is not one of {', '.join(KINDS)}")
    box = box_of(request)
    if box.east - box.west > DEGREES_MAX or box.north - box.south > DEGREES_MAX:
        raise ConfigError(f"source {request.source}: the box is wider than 1 degree: give bbox, or several sources")
    base = str(request.options.get("base_url", BASE)).rstrip("/").removesuffix("/v7")
    asked = {"in": f"bbox:{box}", "locationReferencing": "shape"}
    if request.secret:
        asked["apiKey"] = request.secret
    payload = get(http, f"{base}/v7/{kind}", asked, secret=request.secret)
    with reading(payload.name):
        reply = _reply(read_json(payload.body, payload.name))
        for result in objects(reply["results"], "results"):
            if "incidentDetails" in result:
                details = result["incidentDetails"]
                result["incidentDetails"] = {name: details.get(name) for name in KEPT}  # type: ignore[index]
    context = request.told(until=request.until, kind=kind, box=box)
    body = json.dumps(reply).encode()
    return [Payload(body=body, name=payload.name, media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a flow or an incidents reply of v7; an empty list is a valid answer.

    Raises SourceRefused for an error body, SourceChanged for the older API and for anything else.
    """
    found = read_json(payload.body, payload.name)
    with reading(payload.name):
        reply = _reply(found)
        context = payload.context
        results = objects(reply["results"], "results")
        moment = instant(reply.get("sourceUpdated")) or context.get("until")
        kind = context.get("kind") or next((kind for kind, key in KINDS.items() if _all_have(key, results)), None)
        if results and (kind is None or not _all_have(KINDS[kind], results)):
            raise SourceChanged("holds neither flow nor incidents alone")
        if moment is None and results:
            raise SourceChanged("no time: sourceUpdated is missing")
        rows: list[Row] = []
        if moment is not None and kind == "flow":
            rows = _flow_rows(results, moment, context)
        elif moment is not None and kind == "incidents":
            rows = _incident_rows(results, moment, context)
        return one_frame(rows, payload, SOURCE.key)


def _all_have(key: str, results: list[Mapping[str, Any]]) -> bool:
    return bool(results) and all(isinstance(result.get(key), dict) for result in results)


def _reply(found: object) -> Mapping[str, Any]:
    """The reply, when it has results. Raises SourceRefused or SourceChanged that says what came instead."""
    if not isinstance(found, dict):
        raise SourceChanged("no HERE reply (an object is promised)")
    if "results" in found:
        return found
    if "RWS" in found:
        raise SourceChanged("a reply of the older Traffic API 6: ask /v7/flow")
    words = [found.get(name) for name in ("title", "error", "Type", "cause", "error_description", "Message", "action")]
    told = [" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in words if each]
    if told:
        raise SourceRefused(f"the service refuses: {label('; '.join(told))}")
    raise SourceChanged("no list `results` in the reply")


def _line(result: Mapping[str, Any]) -> list[Place]:
    shape = result["location"].get("shape") or {}
    links = objects(shape.get("links"), "links")
    points = [point for link in links for point in objects(link.get("points"), "points")]
    return [point_of(point.get("lat"), point.get("lng")) for point in points]


def _flow_rows(results: list[Mapping[str, Any]], moment: datetime, context: Mapping[str, Any]) -> list[Row]:
    roads = RoadNames(context)
    stretches = []
    for result in results:
        flow, location = result["currentFlow"], result["location"]
        traversability = flow.get("traversability")
        site_id = roads.site(location.get("description"), _line(result))
        if not site_id or traversability == NOT_ROUTABLE:
            continue
        jam_factor = number(flow.get("jamFactor"))
        stretches.append(
            Stretch(
                site_id=site_id,
                closed=jam_factor >= CLOSED_JAM_FACTOR or traversability == "closed",
                length_m=number(location.get("length")),
                measured=not number(flow.get("confidence")) <= NOT_MEASURED,
                values={
                    "speed": _kmh(flow.get("speed")),
                    "free_flow_speed": _kmh(flow.get("freeFlow")),
                    "jam_factor": jam_factor,
                },
            )
        )
    return road_rows(stretches, moment)


def _kmh(metres_per_second: object) -> float:
    value = number(metres_per_second)
    return value if math.isnan(value) else round(convert(value, "m/s", "km/h"), 3)  # six digits of m/s were told


def _incident_rows(results: list[Mapping[str, Any]], moment: datetime, context: Mapping[str, Any]) -> list[Row]:
    once = {str(result["incidentDetails"].get("id") or index): result for index, result in enumerate(results)}
    places = [middle(_line(result)) for result in once.values() if _is_open(result["incidentDetails"], moment)]
    return incident_rows(places, moment, context, SOURCE.key, context.get("box"))


def _is_open(details: Mapping[str, Any], moment: datetime) -> bool:
    start, end = instant(details.get("startTime")), instant(details.get("endTime"))
    begun = start is None or start <= moment
    return begun and (end is None or end > moment) and details.get("type") != "congestion"
