"""Road traffic of an operator in DATEX II, version 2 or 3: situations as counts, loops as speed and flow, parking.

Link: https://docs.datex2.eu/
Licence: that of the operator.
Key: operator-specific; the secret DATEX2_TOKEN is sent as «Authorization: Bearer …» where one is set.
Refresh: that of the operator, mostly every minute; asking every 5 minutes is usual.
Traps:
- Namespaces and wrappers differ by version and country (d2LogicalModel, d2:payload, messageContainer, a text of XML
  inside another XML): only the local names count. Files are large: they are read piece by piece, without entities.
- One situation has several records; it is one incident. It counts while one of its records is valid at the time of
  the publication: planned ones, ended ones and suspended ones are not open.
- A closed road is not a speed of 0: `road_closed` is 1 where a record closes the road or a carriageway, not for lanes.
- dataError true means that the number beside it is none. A speed of -1, and of 0 where no vehicle came, is no speed.
- The index of a measured value means a lane or a class of vehicles, and only the site table says which. Where a site
  has several, they are kept apart as «S1/0», «S1/2», unless lanes = "sum" says that they are lanes.
- The offset may be that of the summer. A publication without publicationTime is dated by its newest record.
- A parking site of status «unknown» has 0 vacant and 0 occupied spaces: that is no full car park.
- fi_… GeoJSON of the same operators is another format, and is refused by name.

Rows: `open_incidents` (n) and `road_closed` (0 or 1) at the time of the publication, for the city and each of its
areas: the nearest site of kind «area» within 5 km, else the city; of a bare file «datex2». `speed` [km/h] and
`traffic_flow` [{vehicle}/h] by measurement site, `free_parking_spaces` by parking record.

Options: base_url, the address of the publication; sites = { "id at the operator" = site_id } for loops and parking;
lanes = "sum"; start_label_min where the time is the START of the measurement; record_types = ["Accident", …] counts
situations with such a record only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from xml.etree.ElementTree import Element

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get
from connectors._places import AREA_REACH_KM, Nearest
from connectors._reply import reading
from connectors._rows import label, option_number, site_of, told_frame
from connectors._text import instant, number
from connectors._xml import events
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged

SOURCE = Source(
    key="datex2",
    name="DATEX II",
    kind="measurement",
    homepage="https://docs.datex2.eu/",
    licence="that of the operator",
    every=timedelta(minutes=5),
    secret="DATEX2_TOKEN",
    traps=("a closed road is not a speed of 0", "dataError: the number is none", "an index is a lane or a class"),
)

CLOSURES = ("roadclosed", "carriagewayclosures", "roadblocked", "carriagewayblocked")
PIECES = ("situation", "siteMeasurements", "parkingRecordStatus", "parkingStatus")
OTHERS = {  # publications that are known and hold no observations
    "measurementSiteTable": "a table of measurement sites",
    "parkingTable": "a table of car parks without their state",
    "predefinedLocationContainer": "a list of places",
    "predefinedLocation": "a list of places",
    "vmsUnitTable": "a table of signs",
    "vmsControllerTable": "a table of signs",
}


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """The publication at base_url as it is. Raises ConfigError when base_url is missing, else SourceError."""
    url = str(request.options.get("base_url", ""))
    if not url:
        raise ConfigError(f"source {request.source}: options need base_url, the address of the publication")
    headers = {"Authorization": f"Bearer {request.secret}"} if request.secret else {}
    payload = get(http, url, None, headers, json_promised=False, secret=request.secret)
    context = request.told(zone=request.zone)
    return [Payload(body=payload.body, name=payload.name, media_type=payload.media_type, context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame of a publication; see the head of this file for its rows.

    Raises SourceChanged for anything that is no DATEX II, or a publication of another kind; InputError for a time
    without an offset when the context has no zone.
    """
    context = payload.context
    options, zone = context.get("options", {}), context.get("zone")
    if options.get("lanes", "sum") != "sum":
        raise ConfigError(f"the option lanes is {options['lanes']!r}; it can only be 'sum'")
    with reading(payload.name):
        found = _read(payload.body, zone)
        late = timedelta(minutes=option_number(options, "start_label_min", 0.0))
        rows = _measured(found.measured, options, late) + _parked(found.parked, options)
        if found.situations or (found.kind == "SituationPublication" and found.time is not None):
            city_site = str(context.get("city_site", SOURCE.key))
            areas = Nearest(context.get("sites"), "area", AREA_REACH_KM, city_site)
            rows += _counted(found, areas, city_site, options)
        elif not rows and not found.empty_is_valid:
            raise SourceChanged(f"holds no observations: {found.other or 'a publication of an unknown kind'}")
    return told_frame(rows, source=context.get("source", SOURCE.key), name=payload.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    kind: str
    status: str
    start_at: datetime | None
    end_at: datetime | None
    closes: bool

    def open_at(self, moment: datetime) -> bool:
        """Valid then: active, or within its times; a suspended or ended one is not."""
        if self.status in ("suspended", "inactive", "planned"):
            return False
        if self.end_at is not None and self.end_at <= moment:
            return False
        return self.status == "active" or self.start_at is None or self.start_at <= moment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Situation:
    records: tuple[_Record, ...]
    latitude: float
    longitude: float
    newest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    site: str
    index: str
    moment: datetime | None
    flow: float | None  # None: this value is not a flow
    speed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parked:
    record: str
    moment: datetime | None
    vacant: float


@dataclass(slots=True)
class _Found:
    kind: str = ""
    time: datetime | None = None
    other: str = ""
    situations: dict[str, _Situation] = field(default_factory=dict)
    measured: list[_Measured] = field(default_factory=list)
    parked: list[_Parked] = field(default_factory=list)

    @property
    def empty_is_valid(self) -> bool:
        return self.kind in ("MeasuredDataPublication", "ParkingStatusPublication", "SituationPublication")


def _read(body: bytes, zone: tzinfo | None, inside: bool = False) -> _Found:
    """All that a publication holds, read piece by piece: no more than one situation or site is kept as XML."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise SourceChanged("the reply is empty where XML was promised")
    if start[:1] in b"{[":
        raise SourceChanged("JSON came where DATEX II (XML) was promised: it is another format of the operator")
    found, root = _Found(), ""
    for event, element in events(start):
        tag = _tag(element)
        if event == "start":
            root = root or tag
            kind = _type(element)
            if kind.endswith("Publication"):
                found.kind = kind
            elif tag.endswith("StatusPublication"):
                found.kind = tag[:1].upper() + tag[1:]
            found.other = found.other or OTHERS.get(tag, "")
        elif tag == "publicationTime":
            found.time = found.time or instant((element.text or "").strip(), zone)
        elif tag == "d2Message" and not inside:
            return _read((element.text or "").strip().encode(), zone, inside=True)
        elif tag in PIECES and _is_piece(element, tag):
            _keep(found, element, tag, zone)
            element.clear()
    if not (found.kind or found.other or found.situations or found.measured or found.parked):
        raise SourceChanged(f"<{label(root)}> came where a DATEX II publication was promised")
    return found


def _is_piece(element: Element, tag: str) -> bool:
    """Only the outer element of a name: a car park's groups have a parkingStatus of their own."""
    return tag != "parkingStatus" or len(element) > 0


def _keep(found: _Found, element: Element, tag: str, zone: tzinfo | None) -> None:
    if tag == "situation":
        identity = element.get("id") or f"situation {len(found.situations)}"
        found.situations[identity] = _situation(element, zone)
    elif tag == "siteMeasurements":
        found.measured += _site_values(element, zone)
    else:
        reference = _first(element, "parkingRecordReference")
        record = label(reference.get("id", "")) if reference is not None else ""
        occupancy = _first(element, "parkingOccupancy")
        vacant = _child_text(occupancy, "parkingNumberOfVacantSpaces") if occupancy is not None else ""
        unknown = _child_text(element, "parkingSiteStatus") == "unknown"
        moment = instant(_child_text(element, "parkingStatusOriginTime"), zone) or found.time
        if record and vacant:
            value = number(vacant)
            sound = value >= 0 and not unknown
            found.parked.append(_Parked(record=record, moment=moment, vacant=value if sound else math.nan))


def _situation(element: Element, zone: tzinfo | None) -> _Situation:
    records, moments = [], []
    for child in element:
        told = _text(child) if _tag(child) == "situationVersionTime" else ""
        if _tag(child) == "situationRecord":
            records.append(_record(child, zone))
            told = _child_text(child, "situationRecordVersionTime")
        moment = instant(told, zone)
        if moment is not None:
            moments.append(moment)
    latitude, longitude = _point(element)
    return _Situation(
        records=tuple(records), latitude=latitude, longitude=longitude, newest_at=max(moments, default=None)
    )


def _record(element: Element, zone: tzinfo | None) -> _Record:
    validity = _first(element, "validity")
    whole = validity if validity is not None else Element("none")
    words = {
        _text(each).casefold()
        for each in element.iter()
        if _tag(each) in ("roadOrCarriagewayOrLaneManagementType", "trafficConstrictionType")
    }
    return _Record(
        kind=_type(element),
        status=_found_text(whole, "validityStatus"),
        start_at=instant(_found_text(whole, "overallStartTime"), zone),
        end_at=instant(_found_text(whole, "overallEndTime"), zone),
        closes=not words.isdisjoint(CLOSURES),
    )


def _point(element: Element) -> tuple[float, float]:
    """The first place that a situation names: coordinates, or the first pair of a line (latitude, longitude)."""
    latitude = math.nan
    for each in element.iter():
        tag = _tag(each)
        if tag == "latitude":
            latitude = number(_text(each))
        elif tag == "longitude" and not math.isnan(latitude):
            return latitude, number(_text(each))
        elif tag in ("posList", "pos"):
            pair = _text(each).split()[:2]
            if len(pair) == 2:
                return number(pair[0]), number(pair[1])
    return math.nan, math.nan


def _site_values(element: Element, zone: tzinfo | None) -> Iterator[_Measured]:
    reference = _first(element, "measurementSiteReference")
    site = label(reference.get("id", "")) if reference is not None else ""
    default = _first(element, "measurementTimeDefault")
    told = ("".join(default.itertext())).strip() if default is not None else ""
    moment = instant(told, zone)
    for value in element:
        index = value.get("index")
        if index is None:
            continue
        flow, speed = _number_in(value, "vehicleFlow", "vehicleFlowRate"), None
        for name in ("averageVehicleSpeed", "averageVehicleSpeedValue"):
            speed = _number_in(value, name, "speed") if speed is None else speed
        yield _Measured(site=site, index=label(index), moment=moment, flow=flow, speed=speed)


def _number_in(value: Element, holder: str, leaf: str) -> float | None:
    """The number of a measured value; NaN where dataError says so, it is negative, or a speed of no vehicle."""
    box = _first(value, holder)
    if box is None:
        return None
    found = number(_found_text(box, leaf))
    wrong = _found_text(box, "dataError").casefold() in ("true", "1")
    of_nobody = leaf == "speed" and box.get("numberOfInputValuesUsed") == "0"
    return math.nan if wrong or of_nobody or found < 0 else found


def _measured(measured: list[_Measured], options: Mapping[str, Any], late: timedelta) -> list[dict[str, Any]]:
    """Speed and flow of each site; lanes apart, or together where the option lanes says so."""
    groups: defaultdict[tuple[str, datetime | None], list[_Measured]] = defaultdict(list)
    for each in measured:
        groups[each.site, each.moment].append(each)
    rows = []
    for (site, moment), values in groups.items():
        flows = [(each.index, each.flow) for each in values if each.flow is not None]
        speeds = [(each.index, each.speed) for each in values if each.speed is not None]
        if flows and all(flow == 0 for _, flow in flows):
            speeds = [(index, math.nan if speed == 0 else speed) for index, speed in speeds]
        together = "lanes" in options
        if together:
            speeds = [("", _mean_speed(flows, speeds))] if speeds else []
            flows = [("", sum(flow for _, flow in flows))] if flows else []  # NaN of one lane: no sum
        try:
            time = moment + late if moment else None
        except OverflowError:
            time = None
        for key, told in (("traffic_flow", flows), ("speed", speeds)):
            for index, value in told:
                name = site if len(told) == 1 else f"{site}/{index}"
                site_id = site_of([name], options)
                if site_id is not None:
                    rows.append({"time": time, "site_id": site_id, "observed_property": key, "value": value})
    return rows


def _mean_speed(flows: list[tuple[str, float]], speeds: list[tuple[str, float]]) -> float:
    """Mean of the lanes that have a speed, weighted by their vehicles where each speed follows its flow."""
    weights = [flow for _, flow in flows] if len(flows) == len(speeds) else [1.0] * len(speeds)
    pairs = [
        (speed, weight)
        for (_, speed), weight in zip(speeds, weights, strict=True)
        if not math.isnan(speed) and weight > 0
    ]
    total = sum(weight for _, weight in pairs)
    return sum(speed * weight for speed, weight in pairs) / total if total > 0 else math.nan


def _parked(parked: list[_Parked], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for each in parked:
        site_id = site_of([each.record], options)
        if site_id is not None:
            rows.append(
                {
                    "time": each.moment,
                    "site_id": site_id,
                    "observed_property": "free_parking_spaces",
                    "value": each.vacant,
                }
            )
    return rows


def _counted(found: _Found, areas: Nearest, city_site: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Open incidents and closed roads of the city and each of its areas, also where there are none."""
    newest = [each.newest_at for each in found.situations.values() if each.newest_at is not None]
    moment = found.time or max(newest, default=None)
    if moment is None:
        raise SourceChanged("no publicationTime and no time of a version: when this was known cannot be told")
    kinds = options.get("record_types")
    if kinds is not None and not isinstance(kinds, list):
        raise ConfigError('the option record_types is no list such as ["Accident"]')
    site_ids = [city_site, *areas.site_ids]
    incidents, closed = dict.fromkeys(site_ids, 0), dict.fromkeys(site_ids, 0)
    for situation in found.situations.values():
        records = [record for record in situation.records if record.open_at(moment)]
        site_id = areas.site(situation.latitude, situation.longitude)
        if any(kinds is None or record.kind in kinds for record in records):
            incidents[site_id] += 1
        if any(record.closes for record in records):
            closed[site_id] = 1
    return [
        {"time": moment, "site_id": site_id, "observed_property": key, "value": float(counts[site_id])}
        for key, counts in (("open_incidents", incidents), ("road_closed", closed))
        for site_id in site_ids
    ]


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _type(element: Element) -> str:
    """xsi:type without its prefix."""
    return element.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]


def _text(element: Element) -> str:
    return (element.text or "").strip()


def _first(element: Element, tag: str) -> Element | None:
    return next((each for each in element.iter() if _tag(each) == tag and each is not element), None)


def _found_text(element: Element, tag: str) -> str:
    found = _first(element, tag)
    return _text(found) if found is not None else ""


def _child_text(element: Element, tag: str) -> str:
    return next((_text(child) for child in element if _tag(child) == tag), "")
