"""Citizen reports (phản ánh hiện trường, 1022) from any Open311 GeoReport v2 server, as counts and durations only.

Link: https://wiki.open311.org/GeoReport_v2/
Licence: that of the operator of the server.
Key: reading usually needs none; the secret OPEN311_API_KEY is sent as api_key where one is set.
Refresh: that of the operator; asking every 10 minutes is usual.
Traps:
- Personal data: descriptions, addresses, pictures and names are dropped in fetch already; no text of a citizen is kept.
- XML is the standard and JSON an option: an XML reply or error may come although JSON was asked.
- One call spans at most 90 days and gives pages; some servers ignore `page=` and repeat themselves.
- The period is that of the opening, so closings are found only among reports of the last `look_back_days`.
- An id is text or number; a fresh report may have a token only; the same report on two pages counts once.
- The key is `long`, not `lon`; both are numbers, text, null or 0 (0,0 means unknown).
- There is no closing time: `updated_datetime` of a closed report stands for it. A report closed before it was opened
  is received, but counts nowhere else. The standard has no first response: `report_first_response` is not given.
- Times with Z and +07:00 are mixed.

Rows, by site: `reports_received` and `reports_received_flooding` (n at the instant of opening), `reports_closed` (n)
and `report_resolution` (mean [h]) at the instant of closing, `reports_due` and `reports_due_met` (n at the instant of
the promised time, once it has passed). The site is the nearest one of kind «area» within 5 km, else the whole city;
of a bare file «open311».

Options: base_url; jurisdiction_id; service_codes, flooding_codes = [...]; format = json | xml; look_back_days = 90.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from xml.etree.ElementTree import Element

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._places import AREA_REACH_KM, Nearest
from connectors._text import instant, number
from connectors._xml import xml_tree
from core import cases as case_frame
from core import observations
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="open311",
    name="Open311 GeoReport v2",
    kind="report",
    homepage="https://wiki.open311.org/GeoReport_v2/",
    licence="that of the server's operator",
    every=timedelta(minutes=10),
    secret="OPEN311_API_KEY",
    traps=("personal data: only counts leave fetch", "at most 90 days per call", "0,0 is no place"),
)

SPAN_MAX = timedelta(days=90)
LOOK_BACK_DAYS = 90
PAGES_MAX = 200
FLOOD_WORDS = ("ngập", "flood")
STATUSES = ("open", "closed")
KEPT = (
    "service_request_id", "token", "status", "service_code", "service_name",
    "requested_datetime", "updated_datetime", "expected_datetime", "lat", "long",
)  # fmt: skip


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """All reports opened in the period, open and closed, in ONE payload: a JSON list of the fields that are counted.

    The period begins `look_back_days` before `until` (or at `since`, if that is earlier), for a report that closes now
    was opened long ago. Raises ConfigError when base_url is missing, else SourceError.
    """
    base = str(request.options.get("base_url", "")).rstrip("/")
    if not base:
        raise ConfigError(f"source {request.source}: options need base_url, the address before /requests.json")
    form = request.options.get("format", "json")
    if form not in ("json", "xml"):
        raise ConfigError(f"source {request.source}: format {form!r} is not json or xml")
    asked = {
        "jurisdiction_id": request.options.get("jurisdiction_id"),
        "service_code": ",".join(request.options.get("service_codes", ())),
        "api_key": request.secret,
    }
    constant = {name: str(value) for name, value in asked.items() if value}
    url = f"{base}/requests.{form}"
    look_back = timedelta(days=request.options.get("look_back_days", LOOK_BACK_DAYS))
    found: list[Mapping[str, Any]] = []
    for start, end in _spans(min(request.since, request.until - look_back), request.until):
        for status in STATUSES:
            period = {**constant, "start_date": _utc(start), "end_date": _utc(end), "status": status}
            found += _pages(http, url, period, request.secret)
    context = request.told(zone=request.zone, until=request.until)
    body = json.dumps([{name: record.get(name) for name in KEPT} for record in found]).encode()
    return [Payload(body=body, name=url.partition("://")[2], media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame of counts and durations; see the head of this file for its rows.

    Promised times that lie after `until` (of a bare file: after its newest time) are not due yet and give no row.
    Raises SourceRefused for an error list, SourceChanged for a service list, a definition or anything else,
    InputError for times without an offset when the context has no zone.
    """
    context = payload.context
    records = _records(payload.body, payload.name)
    zone = context.get("zone")
    sites = Nearest(context.get("sites"), "area", AREA_REACH_KM, context.get("city_site", SOURCE.key))
    flooding_codes = {str(code) for code in context.get("options", {}).get("flooding_codes", ())}
    reports = [_report(record, sites, flooding_codes, zone) for record in _once(records, zone)]
    moments = [moment for report in reports for moment in (report.opened_at, report.updated_at) if moment]
    known_at = context.get("until") or max(moments, default=datetime.min.replace(tzinfo=UTC))
    return observations.frame(_rows(reports, known_at), source=context.get("source", SOURCE.key))


def cases(payload: Payload) -> pd.DataFrame:
    """The single reports behind the counts, as core.cases.frame: times, category, place to 100 m, and no text.

    A report without a number or token, or without the time of its opening or of its closing, cannot be followed and is
    left out. One that closed before it was opened is handed over as it is: whoever counts leaves it out, and says so.
    Raises what parse() raises.
    """
    context = payload.context
    zone = context.get("zone")
    sites = Nearest(context.get("sites"), "area", AREA_REACH_KM, "")
    rows = []
    for record in _once(_records(payload.body, payload.name), zone):
        opened_at, identity = instant(record.get("requested_datetime"), zone), _identity(record)
        if opened_at is None or not identity:
            continue
        closed = str(record.get("status") or "").strip().casefold() == "closed"
        ended_at = instant(record.get("updated_datetime"), zone) if closed else None
        if closed and ended_at is None:
            continue
        latitude, longitude = number(record.get("lat")), number(record.get("long"))
        rows.append(
            {
                "case_id": identity,
                "category": str(record.get("service_name") or record.get("service_code") or ""),
                "ward": sites.site(latitude, longitude),
                "latitude": latitude,
                "longitude": longitude,
                "received_at": opened_at,
                "due_at": instant(record.get("expected_datetime"), zone),
                "resolved_at": ended_at,
            }
        )
    return case_frame.frame(rows, kind=case_frame.REPORT, source=context.get("source", SOURCE.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    site_id: str
    flooding: bool
    closed: bool
    opened_at: datetime | None
    updated_at: datetime | None
    expected_at: datetime | None

    @property
    def closed_at(self) -> datetime | None:
        return self.updated_at if self.closed else None

    @property
    def contradicts_itself(self) -> bool:
        """Closed before it was opened."""
        return self.closed_at is not None and self.opened_at is not None and self.closed_at < self.opened_at


def _rows(reports: Iterable[_Report], known_at: datetime) -> list[dict[str, Any]]:
    counts: defaultdict[tuple[str, datetime, str], float] = defaultdict(float)
    hours: defaultdict[tuple[datetime, str], list[float]] = defaultdict(list)
    for report in reports:
        site_id, opened_at, closed_at = report.site_id, report.opened_at, report.closed_at
        if opened_at is not None:
            counts["reports_received", opened_at, site_id] += 1
            if report.flooding:
                counts["reports_received_flooding", opened_at, site_id] += 1
        if report.contradicts_itself:
            continue
        if closed_at is not None:
            counts["reports_closed", closed_at, site_id] += 1
            if opened_at is not None:
                hours[closed_at, site_id].append((closed_at - opened_at) / timedelta(hours=1))
        expected_at = report.expected_at
        if expected_at is not None and expected_at <= known_at:
            counts["reports_due", expected_at, site_id] += 1
            counts["reports_due_met", expected_at, site_id] += closed_at is not None and closed_at <= expected_at
    rows = [
        {"time": moment, "site_id": site_id, "observed_property": key, "value": n}
        for (key, moment, site_id), n in counts.items()
    ]
    rows += [
        {"time": moment, "site_id": site_id, "observed_property": "report_resolution", "value": sum(each) / len(each)}
        for (moment, site_id), each in hours.items()
    ]
    return sorted(rows, key=lambda row: (row["time"], row["observed_property"], row["site_id"]))


def _report(record: Mapping[str, Any], sites: Nearest, flooding_codes: set[str], zone: tzinfo | None) -> _Report:
    name = unicodedata.normalize("NFC", str(record.get("service_name") or "")).casefold()
    code = str(record.get("service_code") or "")
    return _Report(
        site_id=sites.site(number(record.get("lat")), number(record.get("long"))),
        flooding=code in flooding_codes or any(word in name for word in FLOOD_WORDS),
        closed=str(record.get("status") or "").strip().casefold() == "closed",
        opened_at=instant(record.get("requested_datetime"), zone),
        updated_at=instant(record.get("updated_datetime"), zone),
        expected_at=instant(record.get("expected_datetime"), zone),
    )


def _once(records: Iterable[Mapping[str, Any]], zone: tzinfo | None) -> Iterator[Mapping[str, Any]]:
    """Each report once, in its latest state: it may have closed between two calls. Without id and token all count."""
    newest: dict[str, Mapping[str, Any]] = {}
    first = datetime.min.replace(tzinfo=UTC)
    for record in records:
        identity = _identity(record)
        if not identity:
            yield record
            continue
        before = newest.get(identity)
        updated_at = instant(record.get("updated_datetime"), zone) or first
        if before is None or updated_at >= (instant(before.get("updated_datetime"), zone) or first):
            newest[identity] = record
    yield from newest.values()


def _identity(record: Mapping[str, Any]) -> str:
    if record.get("service_request_id"):
        return f"id {record['service_request_id']}"
    return f"token {record['token']}" if record.get("token") else ""


def _records(body: bytes, name: str) -> list[Mapping[str, Any]]:
    """The requests of a reply in JSON or XML; both look alike afterwards, an empty element is None."""
    found = _from_xml(body, name) if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _from_json(body, name)
    if not found:
        return []
    if any("requested_datetime" in record for record in found):
        return found
    if all("service_code" in record for record in found):
        raise SourceChanged(f"{name}: holds no observations: it lists or defines services, give a list of requests")
    if all("description" in record for record in found):
        words = "; ".join(f"{record.get('code', 'no code')}: {record['description']}" for record in found)
        raise SourceRefused(f"{name}: the server refuses: {words}")
    raise SourceChanged(f"{name}: holds no observations: no record has a requested_datetime")


def _from_json(body: bytes, name: str) -> list[Mapping[str, Any]]:
    found = read_json(body, name)
    records = [found] if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise SourceChanged(f"{name}: no list of requests (a JSON list of objects is promised)")
    return records


def _from_xml(body: bytes, name: str) -> list[Mapping[str, Any]]:
    root = xml_tree(body, name)
    kind = _tag(root)
    if kind == "service_definition":
        return [_fields(root)]
    if kind not in ("service_requests", "services", "errors"):
        raise SourceChanged(f"{name}: <{kind}> came where <service_requests> was promised")
    return [_fields(element) for element in root]


def _fields(element: Element) -> dict[str, Any]:
    return {_tag(child): (child.text or "").strip() or None for child in element}


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _pages(http: requests.Session, url: str, params: Mapping[str, str], secret: str | None) -> list[Mapping[str, Any]]:
    """Pages until one is empty, brings nothing new, or is shorter than the first."""
    found: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    first_length = 0
    for page in range(1, PAGES_MAX + 1):
        payload = get(http, url, {**params, "page": str(page)}, json_promised=False, secret=secret)
        records = _records(payload.body, payload.name)
        fresh = [record for record in records if (_identity(record) or json.dumps(record, sort_keys=True)) not in seen]
        seen |= {_identity(record) or json.dumps(record, sort_keys=True) for record in fresh}
        found += fresh
        first_length = first_length or len(records)
        if not fresh or len(records) < first_length:
            return found
    raise SourceChanged(f"{payload.name}: more than {PAGES_MAX} pages: ask for fewer days or some service_codes")


def _spans(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The period in parts that a server accepts."""
    while start < end:
        stop = min(start + SPAN_MAX, end)
        yield start, stop
        start = stop


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
