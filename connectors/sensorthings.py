"""Observations of stations behind any OGC SensorThings 1.1 server (FROST, django-ogc-sensorthings …).

Link: https://docs.ogc.org/is/18-088/18-088.html
Licence: that of the operator of the server.
Key: server-specific; the secret SENSORTHINGS_TOKEN is sent as «Authorization: Bearer …» where one is set.
Refresh: that of the stations; asking every 10 minutes is usual.
Traps:
- `$orderby=phenomenonTime desc` gives HTTP 500 on a known server: newest first is asked by resultTime.
- phenomenonTime is an instant or an interval «start/end»: the label is its END. Some servers give the START of a mean
  as an instant: say so with `start_label_min` = length of the mean in minutes.
- Pages hold about 100, and a larger `$top` is refused by a known server, so none is asked; `@iot.nextLink` leads on,
  and is followed on the same host only. The last entity of a page may come again as the first of the next.
- A result may be text («12.5»); words and nulls are a missing value, never 0.
- Ids are numbers or quoted UUIDs; times come back in UTC whatever was sent.
- Errors are {"detail": …} or {"code": …, "message": …}.
- Names are free: a datastream that neither VARIABLE_MAP nor `properties` knows is not fetched. In a bare file its rows
  are labelled «sensorthings:<name>» in the unit of the source: they cannot pass for a property of the catalogue.
  Observations without their datastream are labelled «sensorthings:result»; the site is then the name of the file.

Options: base_url (…/v1.1); sites = {thing id or name = site_id}; properties = {name of datastream or observed property
= catalogue key}; start_label_min. For a file of bare observations: property, unit, site.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import PurePath
from typing import Any
from urllib.parse import urljoin

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json, same_host
from connectors._rows import site_of, site_or_name
from connectors._text import instant, number
from connectors._units import canonical, catalogue_units, convert
from core import observations
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="sensorthings",
    name="OGC SensorThings 1.1",
    kind="measurement",
    homepage="https://www.ogc.org/standard/sensorthings/",
    licence="that of the server's operator",
    every=timedelta(minutes=10),
    secret="SENSORTHINGS_TOKEN",
    traps=("sort by resultTime", "intervals are labelled with their end", "results may be text"),
)

# name of an observed property or datastream, folded by _folded() -> catalogue key
VARIABLE_MAP = {
    "pm25": "pm25",
    "pm10": "pm10",
    "no2": "no2",
    "nitrogendioxide": "no2",
    "so2": "so2",
    "sulphurdioxide": "so2",
    "sulfurdioxide": "so2",
    "co": "co",
    "carbonmonoxide": "co",
    "o3": "o3",
    "ozone": "o3",
    "temperature": "temperature",
    "airtemperature": "temperature",
    "nhietdo": "temperature",
    "humidity": "relative_humidity",
    "relativehumidity": "relative_humidity",
    "rainfall": "rainfall",
    "precipitation": "rainfall",
    "windspeed": "wind_speed",
    "riverlevel": "river_level",
    "waterlevel": "river_level",
    "riverdischarge": "river_discharge",
    "flooddepth": "flood_depth",
    "noiselevel": "noise_level",
    "laeq": "noise_level",
    "trafficspeed": "speed",
    "trafficflow": "traffic_flow",
}
UNNAMED = f"{SOURCE.key}:"
PAGES_MAX = 200
OVERLAP = timedelta(hours=24)  # an interval that began before `since`, a logger that delivers late


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per datastream that the options and VARIABLE_MAP know: the datastream with all its observations.

    Raises ConfigError when base_url is missing or nothing matches, else SourceError.
    """
    base = str(request.options.get("base_url", "")).rstrip("/")
    if not base:
        raise ConfigError(f"source {request.source}: options need base_url, e.g. https://host/FROST-Server/v1.1")
    context = {"source": request.source, "options": request.options, "zone": request.zone}
    found, _ = _pages(http, f"{base}/Datastreams", {"$expand": "Thing,ObservedProperty"}, request.secret)
    wanted = [stream for stream in found if _wanted(stream, request.options)]
    if not wanted:
        raise ConfigError(f"source {request.source}: no datastream of {len(found)} fits the options sites, properties")
    since = _utc(request.since - OVERLAP)
    asked = {
        "$filter": f"phenomenonTime gt {since} and phenomenonTime le {_utc(request.until)}",
        "$orderby": "resultTime desc",
        "$select": "phenomenonTime,resultTime,result",
    }
    payloads = []
    for stream in wanted:
        url = f"{base}/Datastreams({_quoted(stream['@iot.id'])})/Observations"
        told, name = _pages(http, url, asked, request.secret)
        oldest_first = told[::-1]  # of two values for one time the last is taken: the one that came out later
        body = json.dumps({**stream, "Observations": oldest_first}).encode()
        payloads.append(Payload(body=body, name=name, media_type="application/json", context=context))
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from Observations, Datastreams or Things, alone or in a `value` list, with what they expand.

    Raises SourceRefused for an error body, SourceChanged for a service root or entities without any Observations.
    """
    reply = read_json(payload.body, payload.name)
    if not isinstance(reply, dict):
        raise SourceChanged(f"{payload.name}: no SensorThings reply (an object is promised)")
    words = reply.get("detail", reply.get("message"))
    if words is not None and "value" not in reply and "@iot.id" not in reply and "result" not in reply:
        raise SourceRefused(f"{payload.name}: the server refuses: {words}")
    entities = reply.get("value", [reply])
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise SourceChanged(f"{payload.name}: `value` is not a list of entities")
    if any("url" in entity and "name" in entity for entity in entities):
        raise SourceChanged(f"{payload.name}: holds no observations: it is the service root, a list of collections")
    options, zone = payload.context.get("options", {}), payload.context.get("zone")
    stem = PurePath(payload.name).stem
    try:
        groups = [group for entity in entities for group in _groups(entity, {})]
        rows = [_row(told, stream, options, zone, stem) for stream, observed in groups for told in observed]
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceChanged(f"{payload.name}: an entity is missing or of another shape: {error}") from error
    except SourceChanged as error:
        raise SourceChanged(f"{payload.name}: {error}") from error
    if entities and not groups:
        raise SourceChanged(f"{payload.name}: holds no observations: ask with $expand=Observations")
    return observations.frame(rows, source=payload.context.get("source", SOURCE.key))


Group = tuple[Mapping[str, Any], list[Mapping[str, Any]]]  # a datastream and its observations


def _groups(entity: Mapping[str, Any], thing: Mapping[str, Any]) -> Iterator[Group]:
    """Datastreams with their observations, wherever in the entity they are expanded."""
    if "result" in entity:
        stream = entity.get("Datastream", {})
        yield stream, [entity]
    elif "Observations" in entity:
        yield {"Thing": thing, **entity}, entity["Observations"]
    else:
        for stream in entity.get("Datastreams", []):
            yield from _groups(stream, entity)


def _row(
    told: Mapping[str, Any], stream: Mapping[str, Any], options: Mapping[str, Any], zone: tzinfo | None, stem: str
) -> dict[str, Any]:
    """One observation as a row. The time is empty (and the row set aside later) where none can be read."""
    phenomenon = told.get("phenomenonTime")
    moment = instant(phenomenon, zone) or instant(told.get("resultTime"), zone)
    if moment is not None and "/" not in str(phenomenon):
        moment += timedelta(minutes=options.get("start_label_min", 0))
    value = number(told["result"])
    key = _property(stream, options)
    if key is None:
        label = _name(stream.get("ObservedProperty")) or stream.get("name") or "result"
        key = UNNAMED + " ".join(str(label).split())
    elif not math.isnan(value):
        value = convert(value, _unit(stream, options), catalogue_units()[key], key)
    return {
        "time": pd.Timestamp(moment) if moment else pd.NaT,
        "site_id": _site(stream, options) or stem,
        "observed_property": key,
        "value": value,
    }


def _property(stream: Mapping[str, Any], options: Mapping[str, Any]) -> str | None:
    """The catalogue key of a datastream: by the options, else by the name of its observed property or its own."""
    names = [str(stream.get("@iot.id", "")), str(stream.get("name", "")), _name(stream.get("ObservedProperty"))]
    chosen = options.get("properties", {})
    key = next((chosen[name] for name in names if name in chosen), None)
    if key is None:
        # «PM2.5 - Hanoi»: what is measured, then where
        folded = [_folded(name) for name in (names[2], names[1], names[1].split(" - ")[0])]
        key = next((VARIABLE_MAP[name] for name in folded if name in VARIABLE_MAP), None)
    if key is None and not stream:
        key = options.get("property")
    if key is not None and key not in catalogue_units():
        raise ConfigError(f"the property {key!r} is not in data/catalogue: mend the options of the source")
    return key


def _unit(stream: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The unit by the first spelling that the table of units knows: symbol, name, end of the definition."""
    if not stream:
        return str(options.get("unit", ""))
    unit = stream.get("unitOfMeasurement") or {}
    spellings = [unit.get("symbol"), unit.get("name"), str(unit.get("definition") or "").rpartition("#")[2]]
    for spelling in spellings:
        if spelling:
            try:
                return canonical(spelling)
            except SourceChanged:
                continue
    return str(spellings[0] or "")


def _site(stream: Mapping[str, Any], options: Mapping[str, Any]) -> str | None:
    """The site of a datastream's thing: by the options, else the thing's name, else its id."""
    thing = stream.get("Thing") or {}
    identity, name = str(thing.get("@iot.id", "")), _name(thing)
    return site_or_name([name, identity], options) or (None if stream else options.get("site"))


def _wanted(stream: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    thing = stream.get("Thing") or {}
    known = options.get("sites") is None or site_of([_name(thing), str(thing.get("@iot.id", ""))], options) is not None
    return known and _property(stream, options) is not None


def _name(entity: Any) -> str:
    return str(entity.get("name", "")) if isinstance(entity, Mapping) else ""


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _pages(
    http: requests.Session, url: str, params: Mapping[str, str], secret: str | None
) -> tuple[list[dict[str, Any]], str]:
    """All entities of a collection, following @iot.nextLink on the same host to the end; and the name for messages."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    entities: list[dict[str, Any]] = []
    following: str | None = url
    asked: Mapping[str, str] | None = params
    seen: set[str] = set()
    told: set[str] = set()
    name = ""
    while following:
        if len(seen) >= PAGES_MAX or following in seen:
            raise SourceChanged(f"{name}: the pages do not end (a circle, or over {PAGES_MAX}): ask for fewer days")
        seen.add(following)
        payload = get(http, following, asked, headers, secret=secret)
        name = payload.name
        page = read_json(payload.body, name)
        if not isinstance(page, dict) or not isinstance(page.get("value"), list):
            raise SourceChanged(f"{name}: no list `value` in the reply")
        for entity in page["value"]:
            if (whole := json.dumps(entity, sort_keys=True)) not in told:
                told.add(whole)
                entities.append(entity)
        link = page.get("@iot.nextLink")
        following, asked = (urljoin(following, link), None) if link else (None, None)
        if following and not same_host(url, following):
            raise SourceRefused(f"{name}: the next page lies on another host: check the server's own address")
    return entities, name


def _quoted(identity: object) -> str:
    """An id as it stands in a path: numbers bare, texts in quotes."""
    return str(identity) if isinstance(identity, int) else "'" + str(identity).replace("'", "''") + "'"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
