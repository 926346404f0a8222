"""Public transport in GTFS-realtime: vehicles in service, delays, cancelled trips and alerts, as totals of a network.

Link: https://gtfs.org/documentation/realtime/reference/
Licence: that of the operator.
Key: operator-specific; the secret GTFS_REALTIME_KEY is sent in the header `key_header`, where one is set.
Refresh: that of the operator, mostly every 30 s; asking every minute is usual.
Traps:
- Protobuf: an HTML page or a broken file is told from a feed; an enum value that is newer than this file is no error.
- The time of a row is that of the header. A header in milliseconds, without a time, or ahead of our clock is refused;
  one that is older than `max_age_min` = 15 means that the feed stands still.
- Speed is m/s. A position that is older than `max_position_age_min` = 10 than the header, lies at 0,0 or has no trip is
  no vehicle in service. A latitude beyond 90 that would fit as longitude is refused: the coordinates are swapped.
- A stop has a delay [s, early is negative] OR a time, which only the static timetable turns into a delay (its times go
  beyond 24:00). A skipped stop has neither; a cancelled trip has no stops; 9999999 s is no delay.
- An alert without an end is in force. A text comes in several languages: none is kept, only the number is.
- A header without any entity is valid: nothing runs now; `kind` says what it would be.
- A feed of differences (DIFFERENTIAL) tells no totals, and is refused.
- The static timetable is a zip from outside: number and unpacked size of its files are bounded.

Rows, for the whole network (`site`, else the city; of a bare file «gtfs_realtime») and each route that `sites` lists:
`transit_vehicles` [n], `transit_speed` [km/h] · `transit_trips_known` [n], `transit_delay` [min, mean],
`transit_on_time` [%], `transit_trips_cancelled` [n] · `transit_alerts` [n in force].
The delay of a trip is that of its next stop; on time is 1 min early to 5 min late.

Options: vehicle_positions, trip_updates, alerts = addresses (or base_url for one feed, with kind = one of these);
static = path of the GTFS zip; sites = { route_id = site_id }; site; early_min, late_min; max_age_min,
max_position_age_min; key_header = "X-Api-Key".
"""

from __future__ import annotations

import csv
import json
import lzma
import math
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import requests
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as gtfs

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._reply import reading
from connectors._rows import label, option_number, told_frame
from core.catalogue import Source
from core.errors import ConfigError, InputError, SourceChanged, SourceUnavailable

SOURCE = Source(
    key="gtfs_realtime",
    name="GTFS-realtime",
    kind="measurement",
    homepage="https://gtfs.org/",
    licence="that of the operator",
    every=timedelta(minutes=1),
    secret="GTFS_REALTIME_KEY",
    traps=("m/s are not km/h", "a header may be old", "a stop has a delay or a time"),
)

KINDS = ("vehicle_positions", "trip_updates", "alerts")
MILLIS = 10**11  # seconds until the year 5138, milliseconds since 1973
DELAY_MAX_S = 24 * 3600
AHEAD = timedelta(minutes=5)
ARCHIVE_BYTES = 64 * 2**20
ARCHIVE_FILES = 200
UNPACKED_BYTES = 512 * 2**20
LINE_BYTES = 64 * 2**10
CANCELLED = (gtfs.TripDescriptor.CANCELED, gtfs.TripDescriptor.DELETED)
NO_TIMES = (gtfs.TripUpdate.StopTimeUpdate.SKIPPED, gtfs.TripUpdate.StopTimeUpdate.NO_DATA)


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per configured feed. Raises ConfigError when there is none, else SourceError."""
    options = request.options
    feeds = [(kind, str(options[kind])) for kind in KINDS if options.get(kind)]
    if not feeds and options.get("base_url"):
        feeds = [(str(options.get("kind", "")), str(options["base_url"]))]
    if not feeds:
        raise ConfigError(f"source {request.source}: options need {', '.join(KINDS)} (addresses), or base_url")
    headers = {str(options.get("key_header", "X-Api-Key")): request.secret} if request.secret else {}
    payloads = []
    for kind, url in feeds:
        payload = get(http, url, None, headers, json_promised=False, secret=request.secret)
        context = {
            "source": request.source,
            "city_site": request.city_site,
            "until": request.until,
            "options": options,
            "kind": kind,
        }
        payloads.append(Payload(body=payload.body, name=payload.name, media_type=payload.media_type, context=context))
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame of a feed (protobuf, or the same as JSON); see the head of this file for its rows.

    Raises SourceUnavailable for a feed that stands still, SourceChanged for one that breaks the rules, InputError for
    a static timetable that cannot be read or does not belong to the feed.
    """
    context = payload.context
    options = context.get("options", {})
    kind = context.get("kind") or options.get("kind", "")
    if kind and kind not in KINDS:
        raise ConfigError(f"the option kind is {kind!r}, not one of {', '.join(KINDS)}")
    with reading(payload.name):
        feed = _feed(payload.body)
        now = _header_time(feed)
        until = context.get("until")
        if until is not None:
            _check_age(now, until, option_number(options, "max_age_min", 15.0), payload.name)
        sites = _sites(options, str(options.get("site") or context.get("city_site", SOURCE.key)))
        entities = [entity for entity in feed.entity if not entity.is_deleted]
        found: list[tuple[str, str, float]] = []
        if kind == "vehicle_positions" or any(entity.HasField("vehicle") for entity in entities):
            found += _vehicles(entities, now, sites, option_number(options, "max_position_age_min", 10.0))
        if kind == "trip_updates" or any(entity.HasField("trip_update") for entity in entities):
            found += _trips(entities, now, sites, options)
        if kind == "alerts" or any(entity.HasField("alert") for entity in entities):
            found += _alerts(entities, now, sites)
    rows = [{"time": now, "site_id": site, "observed_property": key, "value": value} for site, key, value in found]
    return told_frame(rows, source=context.get("source", SOURCE.key), name=payload.name)


class _sites:
    """The sites for which totals are made: the whole network, and routes that the options list."""

    def __init__(self, options: Mapping[str, Any], network: str) -> None:
        routes = options.get("sites", {})
        if not isinstance(routes, Mapping):
            raise ConfigError("the option sites is no table of the form { route_id = site_id }")
        self._routes = {str(route): str(site_id) for route, site_id in routes.items()}
        self.all = list(dict.fromkeys([network, *self._routes.values()]))
        self._network = network

    def of(self, route_ids: Iterable[str]) -> set[str]:
        """The network, and the sites of those routes."""
        return {self._network} | {self._routes[route] for route in route_ids if route in self._routes}


def _feed(body: bytes) -> Any:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body.startswith(b"PK\x03\x04"):
        raise InputError("a zip, so a static timetable: name it in the option static, and give a realtime feed")
    if start.startswith(b"<"):
        raise SourceChanged("HTML or XML came where protobuf was promised")
    feed = gtfs.FeedMessage()
    if start.startswith(b"{"):
        try:
            told = read_json(body, "the JSON")
            json.dumps(told, ensure_ascii=False).encode()  # half a surrogate pair breaks the parser: a ValueError here
            json_format.ParseDict(told, feed, ignore_unknown_fields=True)
        except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise SourceChanged("JSON that is no GTFS-realtime feed") from error
        if not feed.IsInitialized():
            raise SourceChanged("JSON that is no GTFS-realtime feed: header or ids are missing")
        return feed
    try:
        feed.ParseFromString(body)
    except (DecodeError, ValueError) as error:
        raise SourceChanged("no protobuf of GTFS-realtime, or a broken one") from error
    if not feed.IsInitialized():
        raise SourceChanged("no protobuf of GTFS-realtime, or a broken one: header or ids are missing")
    return feed


def _header_time(feed: Any) -> datetime:
    header = feed.header
    if header.incrementality == gtfs.FeedHeader.DIFFERENTIAL:
        raise SourceChanged("a feed of differences tells no totals: ask for FULL_DATASET")
    if not header.timestamp:
        raise SourceChanged("the header has no timestamp: how old the feed is cannot be told")
    if header.timestamp >= MILLIS:
        raise SourceChanged(f"the header's timestamp {header.timestamp} is in milliseconds; seconds are promised")
    return datetime.fromtimestamp(header.timestamp, UTC)


def _check_age(now: datetime, until: datetime, max_age_min: float, name: str) -> None:
    if now > until + AHEAD:
        raise SourceChanged(f"the header's time {now:%Y-%m-%dT%H:%M:%SZ} lies ahead of our clock")
    age_min = (until - now) / timedelta(minutes=1)
    if age_min > max_age_min:
        raise SourceUnavailable(f"{name}: the feed stands still: its header is {age_min:.0f} min old")


def _vehicles(
    entities: Iterable[Any], now: datetime, sites: _sites, max_age_min: float
) -> Iterator[tuple[str, str, float]]:
    count: dict[str, int] = dict.fromkeys(sites.all, 0)
    speeds: defaultdict[str, list[float]] = defaultdict(list)
    for entity in entities:
        vehicle = entity.vehicle
        if not entity.HasField("vehicle") or not vehicle.HasField("position"):
            continue
        latitude, longitude = vehicle.position.latitude, vehicle.position.longitude
        if 90 < abs(latitude) <= 180 and abs(longitude) <= 90:
            raise SourceChanged(
                f"latitude and longitude are swapped: vehicle {label(entity.id)[:40]} at {latitude:.4f}"
            )
        on_earth = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0.0, 0.0)
        told_s = vehicle.timestamp or now.timestamp()
        fresh = now.timestamp() - told_s <= max_age_min * 60
        if not on_earth or not fresh or not (vehicle.trip.trip_id or vehicle.trip.route_id):
            continue
        for site in sites.of([vehicle.trip.route_id]):
            count[site] += 1
            if vehicle.position.HasField("speed") and vehicle.position.speed >= 0:
                speeds[site].append(vehicle.position.speed * 3.6)
    for site in sites.all:
        yield site, "transit_vehicles", float(count[site])
        if speeds[site]:
            yield site, "transit_speed", round(sum(speeds[site]) / len(speeds[site]), 3)


def _alerts(entities: Iterable[Any], now: datetime, sites: _sites) -> Iterator[tuple[str, str, float]]:
    count: dict[str, int] = dict.fromkeys(sites.all, 0)
    moment = now.timestamp()
    for entity in entities:
        if not entity.HasField("alert"):
            continue
        periods = [(period.start, period.end or math.inf) for period in entity.alert.active_period]
        if not periods or any(start <= moment < end for start, end in periods):
            for site in sites.of(informed.route_id for informed in entity.alert.informed_entity):
                count[site] += 1
    for site in sites.all:
        yield site, "transit_alerts", float(count[site])


def _trips(
    entities: Iterable[Any], now: datetime, sites: _sites, options: Mapping[str, Any]
) -> Iterator[tuple[str, str, float]]:
    updates = [entity.trip_update for entity in entities if entity.HasField("trip_update")]
    timetable = _Timetable.of(options, {update.trip.trip_id for update in updates})
    early_min, late_min = option_number(options, "early_min", 1.0), option_number(options, "late_min", 5.0)
    delays: defaultdict[str, list[float]] = defaultdict(list)
    cancelled: dict[str, int] = dict.fromkeys(sites.all, 0)
    for update in updates:
        places = sites.of([update.trip.route_id or timetable.route(update.trip.trip_id)])
        if update.trip.schedule_relationship in CANCELLED:
            for site in places:
                cancelled[site] += 1
            continue
        delay_s = _delay_s(update, now, timetable)
        if delay_s is not None:
            for site in places:
                delays[site].append(delay_s / 60)
    for site in sites.all:
        known = delays[site]
        yield site, "transit_trips_known", float(len(known))
        yield site, "transit_trips_cancelled", float(cancelled[site])
        if known:
            on_time = sum(-early_min <= delay <= late_min for delay in known)
            yield site, "transit_delay", round(sum(known) / len(known), 3)
            yield site, "transit_on_time", round(100 * on_time / len(known), 3)


def _delay_s(update: Any, now: datetime, timetable: _Timetable) -> float | None:
    """The delay of a trip at its next stop, else at the last one that is known, else of the whole trip."""
    last: float | None = None
    for stop in update.stop_time_update:
        if stop.schedule_relationship in NO_TIMES:
            continue
        event = stop.arrival if stop.HasField("arrival") else stop.departure
        planned = timetable.planned(update.trip, stop, event.time or now.timestamp())
        if event.HasField("delay"):
            delay: float | None = float(event.delay)
        else:
            delay = event.time - planned if event.time and planned is not None else None
        if delay is None or abs(delay) > DELAY_MAX_S:
            continue
        last = delay
        expected = event.time or (planned + delay if planned is not None else None)
        if expected is None or expected >= now.timestamp():
            return delay
    if last is None and update.HasField("delay") and abs(update.delay) <= DELAY_MAX_S:
        return float(update.delay)
    return last


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timetable:
    """What the static GTFS says of the trips of one feed: seconds after the midnight of the service day."""

    stops: Mapping[tuple[str, str], tuple[float, float]]  # (trip, stop id or «#sequence»): arrival, departure
    routes: Mapping[str, str]
    zone: ZoneInfo | None

    @classmethod
    def of(cls, options: Mapping[str, Any], trip_ids: set[str]) -> _Timetable:
        """The timetable of the option `static`, reduced to those trips. Raises InputError when it cannot be read."""
        path = options.get("static")
        if not path or not trip_ids:
            return cls(stops={}, routes={}, zone=None)
        name = Path(str(path)).name
        try:
            if Path(str(path)).stat().st_size > ARCHIVE_BYTES:
                raise InputError(f"static timetable {name}: larger than {ARCHIVE_BYTES // 2**20} MiB")
            with zipfile.ZipFile(str(path)) as archive:
                if len(archive.infolist()) > ARCHIVE_FILES:
                    raise InputError(f"static timetable {name}: more than {ARCHIVE_FILES} files: no GTFS archive")
                return cls._read(archive, name, trip_ids)
        except OSError as error:
            raise InputError(f"static timetable {name}: cannot be read: {error.strerror or 'no such file'}") from error
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, csv.Error) as error:
            raise InputError(
                f"static timetable {name}: a broken or locked zip, or tables that are not UTF-8"
            ) from error

    @classmethod
    def _read(cls, archive: zipfile.ZipFile, name: str, trip_ids: set[str]) -> _Timetable:
        routes = {
            row["trip_id"]: row.get("route_id") or ""
            for row in _table(archive, "trips.txt", name)
            if row.get("trip_id") in trip_ids
        }
        if not routes and trip_ids - {""}:
            raise InputError(f"static timetable {name}: knows none of the {len(trip_ids)} trips of the feed: renew it")
        zone = next((row.get("agency_timezone") or "" for row in _table(archive, "agency.txt", name)), "")
        stops = {}
        for row in _table(archive, "stop_times.txt", name):
            trip = row.get("trip_id") or ""
            if trip in trip_ids:
                arrival, departure = _clock_s(row.get("arrival_time")), _clock_s(row.get("departure_time"))
                stops[trip, f"#{(row.get('stop_sequence') or '').strip()}"] = (arrival, departure)
                stops.setdefault((trip, row.get("stop_id") or ""), (arrival, departure))
        try:
            return cls(stops=stops, routes=routes, zone=ZoneInfo(zone.strip()))
        except (KeyError, ValueError, OSError) as error:
            raise InputError(f"static timetable {name}: agency_timezone {zone!r} is no time zone") from error

    def route(self, trip_id: str) -> str:
        return self.routes.get(trip_id, "")

    def planned(self, trip: Any, stop: Any, near_s: float) -> float | None:
        """The planned time of a stop, POSIX s; None without a timetable that knows it.

        A trip without start_date belongs to the service day that brings the plan closest to `near_s`, POSIX s.
        """
        key = f"#{stop.stop_sequence}" if stop.HasField("stop_sequence") else stop.stop_id
        told = self.stops.get((trip.trip_id, key))
        if told is None or self.zone is None:
            return None
        seconds = told[0] if stop.HasField("arrival") or math.isnan(told[1]) else told[1]
        if math.isnan(seconds):
            return None
        try:
            day = datetime.strptime(trip.start_date, "%Y%m%d").date() if trip.start_date else None
            if day is not None:
                return _midnight_s(day, self.zone) + seconds
            around = datetime.fromtimestamp(near_s, self.zone).date()
            days = [_midnight_s(around + timedelta(days=offset), self.zone) + seconds for offset in (-1, 0, 1)]
        except (ValueError, OverflowError, OSError):
            return None
        return min(days, key=lambda planned: abs(planned - near_s))


def _midnight_s(day: date, zone: ZoneInfo) -> float:
    """Noon minus 12 h, which GTFS counts from: it is midnight except on days when clocks change."""
    return datetime.combine(day, time(12), zone).timestamp() - 12 * 3600


def _clock_s(text: str | None) -> float:
    """«25:10:00» as seconds; NaN for an empty or unreadable time."""
    parts = (text or "").strip().split(":")
    if len(parts) != 3 or not all(part.strip().isdecimal() and len(part) <= 4 for part in parts):
        return math.nan
    hours, minutes, seconds = (int(part) for part in parts)
    return float(hours * 3600 + minutes * 60 + seconds)


def _table(archive: zipfile.ZipFile, table: str, name: str) -> Iterator[dict[str, str]]:
    """The rows of one table, read piece by piece. Raises InputError when it is absent or unpacks to far too much."""
    try:
        member = archive.getinfo(table)
    except KeyError:
        raise InputError(f"static timetable {name}: {table} is missing") from None
    with archive.open(member) as stream:
        yield from csv.DictReader(_lines(stream, f"static timetable {name}: {table}"))


def _lines(stream: Any, name: str) -> Iterator[str]:
    """Lines of a member, never more of it than UNPACKED_BYTES, whatever its header promises."""
    left = UNPACKED_BYTES
    while line := stream.readline(LINE_BYTES):
        left -= len(line)
        if left < 0 or len(line) >= LINE_BYTES:
            raise InputError(f"{name} unpacks to more than {UNPACKED_BYTES // 2**20} MiB, or to endless lines")
        yield line.decode("utf-8-sig")
