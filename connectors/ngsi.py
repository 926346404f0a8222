"""Observations of a FIWARE context broker: Smart Data Models of traffic, air, noise, water and weather.

Link: https://www.etsi.org/deliver/etsi_gs/CIM/001_099/009/ (NGSI-LD) and https://fiware.github.io/specifications/ngsiv2/
Licence: that of the operator of the broker.
Key: broker-specific; the secret NGSI_TOKEN is sent as «Authorization: Bearer …» where one is set.
Refresh: that of the sensors; asking every 5 minutes is usual.
Traps:
- `intensity` counts vehicles IN THE INTERVAL: it becomes vehicles per hour through the interval, and where none is
  told it cannot be one. `occupancy` and `relativeHumidity` are parts of one; 54 is refused, for 0.54 is meant, or 54 %.
- dateObserved is an instant or an ISO interval text: the label is its END; dateObservedTo goes before it. Times without
  an offset need a zone.
- Units are UN/CEFACT codes (GQ is ug/m3, KMH is km/h). Pollutants have no default unit, and keyValues has lost it: such
  values are labelled «ngsi:pm25» and cannot pass for the catalogue's. So normalized is asked, not keyValues.
- A type that ends in Forecast is a forecast, and gives no observation; ItemFlowObserved counts boats. Brokers send
  entities without any value: that is an error in the request, and told as one.
- A sensor per lane: counts of one site and time are added, the speed is their mean weighted by vehicles. No vehicle, no
  speed: a speed of 0 with an intensity of 0 is missing. A result may be text («22,5»), null or false.
- Entities may carry the time in their id: then only a reference or a name tells the station.
- An error is {"error", "description"} (v2) or {"type": a URI, "title", "detail"} (LD).

Rows: speed, traffic_flow, occupancy · pm25, pm10, no2, so2, co, o3 · noise_level (LAeq) · temperature,
relative_humidity, wind_speed, pressure, rainfall, uv_index, river_level (streamGauge) · water_temperature, water_ph,
dissolved_oxygen, turbidity, conductivity, suspended_solids, ammonium, nitrate.

Options: base_url (…/ngsi-ld/v1 or …/v2), types = ["AirQualityObserved", …]; sites = { id, name, station code or
reference = site_id }; units = { pm25 = "GQ" } where the broker tells none; interval_min where no interval is told;
temporal = true (NGSI-LD); tenant, service_path, context (URL of the @context).
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._ngsi_entities import Entity, Instance, entities, entities_of_csv
from connectors._reply import reading
from connectors._rows import label, option_number, site_of, told_frame, utc_text
from connectors._text import instant, number
from connectors._units import canonical, catalogue_units, convert
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged

SOURCE = Source(
    key="ngsi",
    name="NGSI-LD, NGSIv2 (FIWARE)",
    kind="measurement",
    homepage="https://smartdatamodels.org/",
    licence="that of the broker's operator",
    every=timedelta(minutes=5),
    secret="NGSI_TOKEN",
    traps=("intensity counts the interval", "humidity and occupancy are parts of one", "keyValues loses units"),
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an attribute is in the catalogue, and in which unit it comes where the broker tells none."""

    key: str
    unit: str = ""  # UCUM; empty: the model has no default
    part_of_one: bool = False


_AIR = {
    "co": Meaning("co"), "no2": Meaning("no2"), "so2": Meaning("so2"), "o3": Meaning("o3"),
    "pm10": Meaning("pm10"), "pm25": Meaning("pm25"), "pm2.5": Meaning("pm25"),
}  # fmt: skip
_WEATHER = {
    "temperature": Meaning("temperature", "Cel"),
    "relativehumidity": Meaning("relative_humidity", "%", True),
    "windspeed": Meaning("wind_speed", "m/s"),
    "precipitation": Meaning("rainfall", "mm"),
    "atmosphericpressure": Meaning("pressure", "hPa"),
    "uvindexmax": Meaning("uv_index", "1"),
    "streamgauge": Meaning("river_level", "cm"),
}
_INTENSITY = "intensity"
# type of the entity -> attribute in small letters -> meaning; units after the Smart Data Models
MODELS: Mapping[str, Mapping[str, Meaning]] = {
    "TrafficFlowObserved": {
        _INTENSITY: Meaning("traffic_flow"),
        "averagevehiclespeed": Meaning("speed", "km/h"),
        "occupancy": Meaning("occupancy", "%", True),
    },
    "AirQualityObserved": {**_AIR, **_WEATHER},
    "WeatherObserved": _WEATHER,
    "NoiseLevelObserved": {"laeq": Meaning("noise_level", "dB(A)")},
    "WaterQualityObserved": {
        "temperature": Meaning("water_temperature", "Cel"),
        "ph": Meaning("water_ph", "[pH]"),
        "o2": Meaning("dissolved_oxygen", "mg/L"),
        "turbidity": Meaning("turbidity", "{NTU}"),
        "conductivity": Meaning("conductivity", "S/m"),
        "tss": Meaning("suspended_solids", "mg/L"),
        "nh4": Meaning("ammonium", "mg/L"),
        "no3": Meaning("nitrate", "mg/L"),
    },
}
# UN/CEFACT Recommendation 20, the codes that meters of a city use
CODES = {
    "GQ": "ug/m3", "GP": "mg/m3", "59": "[ppm]", "61": "[ppb]", "CEL": "Cel", "FAH": "[degF]", "KEL": "K",
    "KMH": "km/h", "MTS": "m/s", "HM": "[mi_i]/h", "KNT": "[kn_i]", "MMT": "mm", "CMT": "cm", "MTR": "m",
    "A97": "hPa", "MBR": "hPa", "PAL": "Pa", "KPA": "kPa", "P1": "%", "C62": "1", "M1": "mg/L", "Q30": "[pH]",
    "D10": "S/m", "H61": "mS/cm", "2N": "dB(A)",
}  # fmt: skip
PART = ("1", "C62")  # the unit of a part of one
NAMES = ("stationCode", "stationName", "name", "refDevice", "refPointOfInterest", "refRoadSegment", "alternateName")
PAGE = 100
PAGES_MAX = 200
OVERLAP = timedelta(hours=6)
DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?")


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per type: a list of all its entities, normalized. Raises ConfigError without base_url or types."""
    options = request.options
    base = str(options.get("base_url", "")).rstrip("/")
    types = options.get("types", [])
    if not base or not isinstance(types, list) or not types:
        raise ConfigError(f"source {request.source}: options need base_url (…/ngsi-ld/v1 or …/v2) and types = […]")
    unknown = [str(each) for each in types if each not in MODELS]
    if unknown:
        raise ConfigError(f"source {request.source}: no model for {', '.join(unknown)}; there are {', '.join(MODELS)}")
    two = base.endswith("/v2")
    asked = {"limit": str(PAGE)}
    if two:
        asked["options"] = "normalized"
    path = "entities"
    if options.get("temporal") and not two:
        path = "temporal/entities"
        asked |= {
            "timerel": "between",
            "timeAt": utc_text(request.since - OVERLAP),
            "endTimeAt": utc_text(request.until),
        }
    context = {"source": request.source, "zone": request.zone, "options": options}
    payloads = []
    for kind in types:
        found, name = _pages(http, f"{base}/{path}", {**asked, "type": kind}, _headers(request, two), request.secret)
        body = json.dumps(found).encode()
        payloads.append(Payload(body=body, name=name, media_type="application/json", context=context))
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame of entities in any form (see _ngsi_entities.py).

    Raises SourceRefused for an error body, SourceChanged for entities of other types, of forecasts or without values,
    and for unknown units; InputError for times without an offset when the context has no zone.
    """
    context = payload.context
    options, zone = context.get("options", {}), context.get("zone")
    with reading(payload.name):
        found = _entities(payload)
        known = [entity for entity in found if entity.kind in MODELS]
        if found and not known:
            _refuse(found)
        if known and not any(entity.attributes for entity in known):
            raise SourceChanged(f"{len(known)} entities without any value: ask without attrs, in the normalized form")
        rows = [row for entity in known for row in _rows(entity, options, zone)]
    return told_frame(_together(rows), source=context.get("source", SOURCE.key), name=payload.name)


def _entities(payload: Payload) -> list[Entity]:
    if payload.body.lstrip(b"\xef\xbb\xbf \r\n")[:6].strip(b'"').startswith(b"id_"):
        try:
            return entities_of_csv(payload.body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise SourceChanged("a CSV that is not in UTF-8") from error
    try:
        reply = read_json(payload.body, "the reply")
    except SourceChanged as error:
        raise SourceChanged(str(error).removeprefix("the reply: ")) from error
    return entities(reply)


def _refuse(found: Iterable[Entity]) -> None:
    kinds = sorted({entity.kind or "no type" for entity in found})
    listed = label(", ".join(kinds))[:200]
    if all(kind.endswith("Forecast") for kind in kinds):
        raise SourceChanged(f"holds forecasts ({listed}), no observations: ask for a type that ends in Observed")
    raise SourceChanged(f"holds no observations that are known here: {listed}; known are {', '.join(MODELS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    time: datetime | None
    site_id: str
    key: str
    value: float
    vehicles: float = math.nan  # per hour, of the same lane and time: the weight of a speed


def _rows(entity: Entity, options: Mapping[str, Any], zone: tzinfo | None) -> list[_Value]:
    site_id = site_of([entity.identity, *(entity.text(name) for name in NAMES)], options)
    if site_id is None:
        return []
    model = MODELS[entity.kind]
    whole = _entity_time(entity, zone)
    interval = _interval(entity, options, zone)
    found: list[_Value] = []
    for name, instances in entity.attributes.items():
        meaning = model.get(name.casefold())
        if meaning is None:
            continue
        for told in instances:
            key, value = _value(name, told, meaning, options, interval)
            moment = instant(told.time, zone) or whole
            found.append(_Value(time=moment, site_id=label(site_id), key=key, value=value))
    flows = {each.time: each.value for each in found if each.key == "traffic_flow"}
    return [_of_vehicles(each, flows.get(each.time, math.nan)) for each in found]


def _of_vehicles(each: _Value, flow: float) -> _Value:
    """A speed with its vehicles; without a vehicle there is none."""
    if each.key != "speed":
        return each
    value = math.nan if (each.value == 0 and flow == 0) or each.value < 0 else each.value
    return _Value(time=each.time, site_id=each.site_id, key=each.key, value=value, vehicles=flow)


def _value(
    name: str, told: Instance, meaning: Meaning, options: Mapping[str, Any], interval: timedelta | None
) -> tuple[str, float]:
    """Key and value in the catalogue's unit; «ngsi:name» and the bare number where the unit is nowhere told."""
    value = number(told.value)
    if name.casefold() == _INTENSITY:
        if interval is None or interval <= timedelta(0):
            return f"{SOURCE.key}:{label(name)}", value
        return meaning.key, value / (interval / timedelta(hours=1)) if value >= 0 else math.nan
    code = told.unit or _by_option(name, options)
    unit = CODES.get(code.upper(), code)
    if meaning.part_of_one and unit in ("", *PART):
        if value > 1.05:
            remedy = f"if it is in %, say so: units = {{ {label(name)} = 'P1' }}"
            raise SourceChanged(f"{label(name)} is {value:g}, but the model says 0 to 1: {remedy}")
        return meaning.key, round(value * 100, 9)
    unit = unit or meaning.unit
    if not unit:
        return f"{SOURCE.key}:{label(name)}", value
    canonical(unit)  # an unknown unit is named even beside a value that is missing
    return meaning.key, value if math.isnan(value) else convert(
        value, unit, catalogue_units()[meaning.key], meaning.key
    )


def _by_option(name: str, options: Mapping[str, Any]) -> str:
    units = options.get("units", {})
    if not isinstance(units, Mapping):
        raise ConfigError('the option units is no table of the form { pm25 = "GQ" }')
    return str(units.get(name, ""))


def _entity_time(entity: Entity, zone: tzinfo | None) -> datetime | None:
    """The END of the observation: dateObservedTo, else the end of dateObserved, else TimeInstant."""
    for name in ("dateObservedTo", "dateObserved", "TimeInstant"):
        told = entity.text(name)
        start, slash, end = told.partition("/")
        length = _duration(end) if slash else None
        moment = instant(start if length is not None else told, zone)
        if moment is not None:
            return moment + (length or timedelta(0))
    return None


def _interval(entity: Entity, options: Mapping[str, Any], zone: tzinfo | None) -> timedelta | None:
    """How long vehicles were counted; None where neither the entity nor the options say it."""
    start, end = instant(entity.text("dateObservedFrom"), zone), instant(entity.text("dateObservedTo"), zone)
    if start is not None and end is not None:
        return end - start
    first, slash, last = entity.text("dateObserved").partition("/")
    if slash:
        length = _duration(last)
        if length is not None:
            return length
        start, end = instant(first, zone), instant(last, zone)
        if start is not None and end is not None:
            return end - start
    minutes = option_number(options, "interval_min", 0.0)
    return timedelta(minutes=minutes) if minutes > 0 else None


def _duration(text: str) -> timedelta | None:
    """«PT5M» as a length of time; None when the text is none."""
    found = DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _together(values: Iterable[_Value]) -> list[dict[str, Any]]:
    """Lanes of one site and time as one row: counts are added, speeds weighted by vehicles, shares are means."""
    groups: defaultdict[tuple[datetime | None, str, str], list[_Value]] = defaultdict(list)
    for each in values:
        groups[each.time, each.site_id, each.key].append(each)
    return [
        {"time": time, "site_id": site_id, "observed_property": key, "value": _joined(key, group)}
        for (time, site_id, key), group in groups.items()
    ]


def _joined(key: str, group: list[_Value]) -> float:
    if len(group) == 1 or key not in ("traffic_flow", "speed", "occupancy"):
        return group[-1].value
    if key == "traffic_flow":
        return sum(each.value for each in group)  # a lane that is missing makes the sum missing
    weighted = key == "speed" and not any(math.isnan(each.vehicles) for each in group)
    pairs = [(each.value, each.vehicles if weighted else 1.0) for each in group if not math.isnan(each.value)]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total > 0 else math.nan


def _headers(request: FetchRequest, two: bool) -> dict[str, str]:
    options = request.options
    headers = {"Accept": "application/json"}
    if request.secret:
        headers["Authorization"] = f"Bearer {request.secret}"
    if options.get("tenant"):
        headers["Fiware-Service" if two else "NGSILD-Tenant"] = str(options["tenant"])
    if options.get("service_path"):
        headers["Fiware-ServicePath"] = str(options["service_path"])
    if options.get("context") and not two:
        link = f'<{options["context"]}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
        headers["Link"] = link
    return headers


def _pages(
    http: requests.Session, url: str, asked: Mapping[str, str], headers: Mapping[str, str], secret: str | None
) -> tuple[list[Any], str]:
    """All entities of a type, page by page, until a page is short or brings nothing new; and the name for messages."""
    found: list[Any] = []
    seen: set[str] = set()
    for page in range(PAGES_MAX):
        payload = get(http, url, {**asked, "offset": str(page * PAGE)}, headers, secret=secret)
        told = read_json(payload.body, payload.name)
        with reading(payload.name):
            entities(told)
        listed = told if isinstance(told, list) else [told]
        fresh = {json.dumps(each, sort_keys=True): each for each in listed if isinstance(each, dict)}
        fresh = {whole: each for whole, each in fresh.items() if whole not in seen}
        seen |= fresh.keys()
        found += fresh.values()
        if len(listed) < PAGE or not fresh:
            return found, payload.name
    raise SourceChanged(f"{payload.name}: more than {PAGES_MAX * PAGE} entities: name fewer types")
