"""Layers that a server of another office keeps (OGC API Features, WFS): asked in their own rhythm, the last good kept.

config/<city>/layers.toml says which. What came is read, placed and judged as a file is; a reply that cannot be kept
changes nothing but the state of its layer: the version before stays on the map, with the time from which it is. Who
asks the server is not known here: the line gives `ask`, and with it the bounds of every other request of the house.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from core.errors import ConfigError, HouseError, SourceRefused, SourceUnavailable
from core.files import write_whole
from core.toml_files import read_toml, shown_path, take
from gis import crs
from gis.faults import Fault
from gis.intake import draft
from gis.layers import KEY, KINDS, STYLES, Layer, Shelf, described
from gis.read import Feature

FILE = "layers.toml"
SERVICES = {"ogc_features": "collection", "wfs": "type_name"}  # service -> the word for what is asked of it
AXES = ("lon_lat", "lat_lon")
EVERY = timedelta(hours=1)
LEAST = timedelta(minutes=1)
ASK_AGAIN = timedelta(minutes=5)  # after a failure, whatever the rhythm
STALE_AFTER = 2  # rhythms without a good reply
UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
BY = "layers.toml"
PASSED_ON = ("filters", "output_format", "wfs_version")  # as the connector ogc_features knows them
KEYS = {
    "key", "title", "kind", "owner", "licence", "url", "service", "collection", "type_name", "refresh", "crs", "axis",
    "style", "secret", "private_network", *PASSED_ON,
}  # fmt: skip
Ask = Callable[["Served", datetime], tuple[bytes, str]]  # -> a FeatureCollection, and a name for messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One [[layer]]: what to ask whom, and what the layer is."""

    key: str
    title: str
    kind: str
    owner: str
    licence: str
    url: str
    service: str
    every: timedelta = EVERY
    system: str = ""  # code of the system in which the server gives coordinates; empty: degrees WGS 84, or as it says
    swap: bool = False  # the server gives latitude, or northing, first
    style: str = "plain"
    secret: str = ""
    private_network: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Whose server it is, for people: an address may hold what is nobody's business."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How it stands with one live layer. `why_*` is empty while the last try went well."""

    tried_at: datetime | None = None
    answered_at: datetime | None = None  # the last good reply: the time of what is on the map
    ask_at: datetime | None = None
    kind: str = ""  # unavailable | refused | changed | input
    why_vi: str = ""
    why_en: str = ""

    def why(self, language: str) -> str:
        """The reason in `vi` or `en`."""
        return self.why_en if language == "en" else self.why_vi


class LiveLayers:
    """The live layers of one city on its shelf. Thread-safe; the state outlives the process."""

    def __init__(self, shelf: Shelf, served: tuple[Served, ...], ask: Ask, zone: ZoneInfo, province: str = "") -> None:
        """`zone` says which day it is, `province` (a code) where metres must lie."""
        self.served = {one.key: one for one in served}
        self._shelf, self._ask, self._zone, self._province = shelf, ask, zone, province
        self._lock = threading.Lock()
        self._path = shelf.folder / "live.json"
        self._known = _read_states(self._path) if self.served else {}

    def freshness(self, key: str) -> Freshness | None:
        """The state of a live layer; None for a layer that came from a file."""
        return self._known.get(key, Freshness()) if key in self.served else None

    def stale(self, key: str, now: datetime) -> bool:
        """True when two rhythms passed since the last good reply, or there was none."""
        served, state = self.served.get(key), self._known.get(key)
        if served is None:
            return False
        return state is None or state.answered_at is None or now - state.answered_at > STALE_AFTER * served.every

    def due(self, now: datetime) -> tuple[str, ...]:
        """The layers whose time has come."""
        found = []
        for key in self.served:
            at = self._known.get(key, Freshness()).ask_at
            if at is None or at <= now:
                found.append(key)
        return tuple(found)

    def turn(self, key: str, now: datetime) -> Freshness:
        """Ask one server, and keep what came where it is good. Never raises for what a server or file does."""
        served, before = self.served[key], self._known.get(key, Freshness())
        try:
            self._keep(served, *self._ask(served, now), now)
        except HouseError as error:
            wait = min(served.every, ASK_AGAIN)
            if isinstance(error, SourceUnavailable) and error.retry_after_s:
                wait = timedelta(seconds=error.retry_after_s)
            vi, en = (error.words("vi"), error.words("en")) if isinstance(error, Fault) else (str(error), str(error))
            state = replace(before, tried_at=now, ask_at=now + wait, kind=_kind(error), why_vi=vi, why_en=en)
        else:
            state = Freshness(tried_at=now, answered_at=now, ask_at=now + served.every)
        with self._lock:
            self._known = self._known | {key: state}
            _write_states(self._path, self._known)
        return state

    def _keep(self, served: Served, body: bytes, name: str, now: datetime) -> None:
        features: tuple[Feature, ...] = ()
        code_field = name_field = ""
        if _any_features(body):
            box = None if served.system in crs.GRIDS else crs.VIETNAM  # metres must lie in the province, degrees here
            found = draft(body, name, zone=served.system, province=self._province, box=box, swap=served.swap)
            features, system = found.features, found.located.system.vi
        else:  # nothing there now is an answer; the columns stay those that are known
            last = self._shelf.layer(served.key)
            if last is None:
                system = ""
            else:
                code_field, name_field, system = last.code_field, last.name_field, last.system
        layer = described(
            features, key=served.key, title=served.title, kind=served.kind, owner=served.owner, licence=served.licence,
            dated=now.astimezone(self._zone).date(), style=served.style, system=system, file_name=name,
            code_field=code_field, name_field=name_field,
        )  # fmt: skip
        self._shelf.put_live(layer, features, by=served.host, now=now)

    def shown(self, key: str) -> Layer:
        """What is known about a live layer that has never answered: its words, and nothing on the map."""
        served = self.served[key]
        return Layer(
            key=key, title=served.title, kind=served.kind, owner=served.owner, licence=served.licence,
            dated=datetime.min.date(), geometry="mixed", style=served.style, version=0,
        )  # fmt: skip


def _any_features(body: bytes) -> bool:
    """False for a collection without features. What is no JSON is for the reader to name."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return True
    return not (isinstance(reply, dict) and reply.get("features") == [])


def _kind(error: HouseError) -> str:
    if isinstance(error, SourceUnavailable):
        return "unavailable"
    return "refused" if isinstance(error, SourceRefused) else "changed"


# -- the state on the disk -------------------------------------------------------------------------------------------

_MOMENTS = ("tried_at", "answered_at", "ask_at")


def _read_states(path: Path) -> dict[str, Freshness]:
    """What was known before the last stop; a file that cannot be read costs one more question to each server."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        found = {}
        for key, state in table.items():
            moments = {name: datetime.fromisoformat(state[name]) if state[name] else None for name in _MOMENTS}
            found[str(key)] = Freshness(**(state | moments))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
    return found


def _write_states(path: Path, states: Mapping[str, Freshness]) -> None:
    table = {key: asdict(state) for key, state in states.items()}
    write_whole(path, json.dumps(table, ensure_ascii=False, default=lambda one: one.isoformat(), indent=1).encode())


# -- config/<city>/layers.toml ---------------------------------------------------------------------------------------


def load_served(path: Path) -> tuple[Served, ...]:
    """config/<city>/layers.toml; empty without the file. Raises ConfigError that names entry and key."""
    if not path.is_file():
        return ()
    where = shown_path(path)
    table = read_toml(path)
    unknown = sorted(set(table) - {"layer"})
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known is [[layer]]")
    found = [
        _served(one, f"{where}: [[layer]] number {number}")
        for number, one in enumerate(take(table, "layer", list, where, []), start=1)
    ]
    keys = [one.key for one in found]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigError(f"{where}: the key {', '.join(twice)} stands twice: each layer has its own")
    return tuple(found)


def _served(table: Any, where: str) -> Served:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    unknown = sorted(set(table) - KEYS)
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}")
    key = take(table, "key", str, where)
    if not KEY.fullmatch(key):
        raise ConfigError(f"{where}: key {key!r}: 2 to 40 small letters, digits and _, beginning with a letter")
    service = _one_of(table, "service", tuple(SERVICES), where)
    options = {name: table[name] for name in PASSED_ON if name in table}
    asked = SERVICES[service]
    options[asked] = _words(table, asked, where)
    system = take(table, "crs", str, where, "").strip().upper().removeprefix("EPSG:")
    if system not in ("", "4326", "4756", *crs.GRIDS):
        raise ConfigError(f"{where}: crs {system!r} is not one of 4326, 4756, {', '.join(crs.GRIDS)}")
    if service == "wfs" and system:
        options["srs_name"] = f"EPSG:{system}"
    return Served(
        key=key,
        title=_words(table, "title", where),
        kind=_one_of(table, "kind", KINDS, where),
        owner=_words(table, "owner", where),
        licence=_words(table, "licence", where),
        url=_address(table, where),
        service=service,
        every=_span(table, where),
        system=system,
        swap=_one_of(table, "axis", AXES, where, AXES[0]) == AXES[1],
        style=_one_of(table, "style", STYLES, where, STYLES[0]),
        secret=take(table, "secret", str, where, ""),
        private_network=take(table, "private_network", bool, where, False),
        options=options,
    )


def _words(table: Mapping[str, Any], name: str, where: str) -> str:
    found = str(take(table, name, str, where)).strip()
    if not found:
        raise ConfigError(f"{where}: {name} is empty")
    return found


def _one_of(table: Mapping[str, Any], name: str, known: tuple[str, ...], where: str, default: Any = ...) -> str:
    found = str(take(table, name, str, where, default))
    if found not in known:
        raise ConfigError(f"{where}: {name} {found!r} is not one of {', '.join(known)}")
    return found


def _address(table: Mapping[str, Any], where: str) -> str:
    url = _words(table, "url", where)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{where}: url must be an address of the form https://host/path")
    if parts.username or parts.password:
        raise ConfigError(f'{where}: url holds a password: give it by name with secret = "A_NAME"')
    return url


def _span(table: Mapping[str, Any], where: str) -> timedelta:
    """«15min», «1h», «1d»."""
    text = take(table, "refresh", str, where, "1h")
    found = re.fullmatch(r"(\d{1,4})\s*(s|min|h|d)", text.strip())
    span = timedelta(seconds=int(found[1]) * UNITS_S[found[2]]) if found else timedelta(0)
    if span < LEAST:
        raise ConfigError(f"{where}: refresh {text!r}: give a span of a minute or more, for example 15min, 1h or 1d")
    return span
