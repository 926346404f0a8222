"""Jams and reports of drivers from the Waze for Cities partner feed, as speeds, delays, closures and counts.

Link: https://support.google.com/waze/partners/answer/13458165
Licence: Waze for Cities agreement: partners only; no archive and no passing on beyond it; attribution.
Key: the address of the feed is the secret: WAZE_FEED_URL holds all of it, and no message shows its path.
Refresh: about 2 minutes.
Traps:
- Personal data: descriptions, comments, nicknames and ratings of drivers are dropped in fetch already.
- Times are milliseconds since 1970; the text, in UTC, has a colon before them. endTimeMillis is the label.
- `x` is longitude. `uuid` is text in alerts and a number in jams; street, city and subtype may be missing or empty.
- Level 5 or delay -1 is a blocked road: road_closed = 1, and neither the speed 0 nor the delay -1 is a value.
- `speed` is m/s, `speedKMH` km/h: of the two the first is read, the second where it is missing.
- Only slow roads are told: no jam is no speed, never free flow, and a mean over such speeds is lower than the truth.
- The same uuid comes again every minute with new values; each feed is the whole state, and what is gone has ended.
  Empty lists are a valid state.
- The unit of `speed` in irregularities is not told reliably, and they repeat the jams: not used.
- Alerts of type JAM, POLICE, CHIT_CHAT and MISC are no incidents.

Rows: road_closed, speed, jam_delay by road site: that of the option `sites`, else the nearest road site within 100 m;
roads that are none of ours are left out. open_incidents by the nearest area within 5 km, else the city, zeros included.
Of a bare file: jams by their uuid, incidents as «waze».

Options: sites = {street = site_id}; base_url (in place of the secret, for a feed that another server passes on).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._places import Place, point_of
from connectors._reply import objects, one_frame, reading
from connectors._text import number
from connectors._traffic import RoadNames, Row, Stretch, incident_rows, road_rows
from connectors._units import convert
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="waze",
    name="Waze for Cities",
    kind="report",
    homepage="https://www.waze.com/wazeforcities/",
    licence="Waze for Cities agreement; no archive beyond it",
    every=timedelta(minutes=2),
    secret="WAZE_FEED_URL",
    attribution="Waze app",
    traps=("the address is the secret", "delay -1 is a blocked road", "no jam is not free flow"),
)

BLOCKED_LEVEL = 5.0
NO_INCIDENTS = ("JAM", "POLICE", "CHIT_CHAT", "MISC")
LISTS = {
    "alerts": ("uuid", "type", "subtype", "location", "pubMillis"),
    "jams": ("uuid", "id", "street", "level", "length", "speed", "speedKMH", "delay", "line", "pubMillis"),
}  # what is kept
TIMES = ("startTimeMillis", "endTimeMillis", "startTime", "endTime")


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """The feed as one payload that holds nothing but what is counted and measured.

    Raises ConfigError when neither the secret nor base_url is set, else SourceError.
    """
    address = request.secret or str(request.options.get("base_url", ""))
    if not address:
        raise ConfigError(
            f"source {request.source}: set the secret {request.secret_name or SOURCE.secret} to the address of the feed"
        )
    payload = get(http, address, {} if "format=" in address.casefold() else {"format": "1"}, secret=request.secret)
    with reading(payload.name):
        feed = _feed(read_json(payload.body, payload.name))
        kept: dict[str, Any] = {name: feed[name] for name in TIMES if name in feed}
        for name, fields in LISTS.items():
            kept[name] = [{key: each.get(key) for key in fields} for each in objects(feed.get(name), name)]
    context = request.told(until=request.until)
    body = json.dumps(kept).encode()
    return [Payload(body=body, name=payload.name, media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame of a feed, at the end of its minute.

    Raises SourceRefused for an error body, SourceChanged for anything else that is no feed.
    """
    found = read_json(payload.body, payload.name)
    with reading(payload.name):
        feed = _feed(found)
        context = payload.context
        moment = _end(feed) or context.get("until")
        if moment is None:
            raise SourceChanged("no time: endTimeMillis is missing")
        alerts = {
            str(each.get("uuid") or index): each for index, each in enumerate(objects(feed.get("alerts"), "alerts"))
        }
        counted = [_place(each.get("location")) for each in alerts.values() if each.get("type") not in NO_INCIDENTS]
        rows = _jam_rows(objects(feed.get("jams"), "jams"), moment, context)
        return one_frame([*rows, *incident_rows(counted, moment, context, SOURCE.key)], payload, SOURCE.key)


def _feed(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise SourceChanged("no Waze feed (an object is promised)")
    if any(name in found for name in (*LISTS, *TIMES)):
        return found
    words = found.get("error") or found.get("message")
    if words:
        raise SourceRefused("the service refuses: check the secret and the agreement")
    raise SourceChanged("no Waze feed: neither alerts nor jams")


def _jam_rows(jams: list[Mapping[str, Any]], moment: datetime, context: Mapping[str, Any]) -> list[Row]:
    roads = RoadNames(context)
    once = {str(jam.get("uuid") or jam.get("id") or index): jam for index, jam in enumerate(jams)}
    stretches = []
    for identity, jam in once.items():
        line = [_place(point) for point in objects(jam.get("line"), "line")]
        site_id = roads.site(jam.get("street"), line) if roads.watched or "sites" in context else identity
        if not site_id:
            continue
        delay_s = number(jam.get("delay"))
        stretches.append(
            Stretch(
                site_id=site_id,
                closed=number(jam.get("level")) >= BLOCKED_LEVEL or delay_s == -1,
                length_m=number(jam.get("length")),
                values={"speed": _kmh(jam), "jam_delay": delay_s if delay_s >= 0 else math.nan},
            )
        )
    return road_rows(stretches, moment, roads.watched)


def _kmh(jam: Mapping[str, Any]) -> float:
    metres_per_second = number(jam.get("speed"))
    if math.isnan(metres_per_second):
        return number(jam.get("speedKMH"))
    return convert(metres_per_second, "m/s", "km/h")


def _place(point: object) -> Place:
    return point_of(point.get("y"), point.get("x")) if isinstance(point, Mapping) else (math.nan, math.nan)


def _end(feed: Mapping[str, Any]) -> datetime | None:
    """The end of the feed's minute from milliseconds, else from its text."""
    milliseconds = number(feed.get("endTimeMillis"))
    if not math.isnan(milliseconds):
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (OverflowError, OSError):
            raise SourceChanged("endTimeMillis is no time") from None
    text = feed.get("endTime")
    if not isinstance(text, str):
        return None
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S:%f").replace(tzinfo=UTC)
