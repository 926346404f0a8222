"""A city as its operator describes it: config/<city>/{city,sites,sources,areas}.toml -> City.

A wrong key stops at the start with file, entry and key, never at 3 a.m.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from core.errors import ConfigError
from core.open_figures import MONTH, PERIODS
from core.toml_files import read_toml, shown_path, take
from core.wall import WallPlan, WallScreen, load_wall

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_CITY = "demo"
SITE_COLUMNS = ("site_id", "kind", "name_vi", "name_en", "area", "latitude", "longitude")
LONGEST_KEY = 64  # letters in the name of a city's folder; file systems end at 255 bytes
SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
OVERVIEW_GROUPS = ("traffic", "environment", "services")
MOST_OVERVIEW_ROWS = 10  # what can be read from six metres
AREA_COLUMNS = ("code", "kind", "name_vi", "name_en", "parent", "population", "latitude", "longitude", "valid_from")
NUMBERS = ("latitude", "longitude", "population")
CITY_KEYS = (
    "name_vi", "name_en", "centre_vi", "centre_en", "time_zone", "simulated", "latitude", "longitude", "cycle_s",
    "history_days", "store", "geometry", "cap_sender", "shift", "overview", "province", "basemap",
    "public", "public_licence", "public_period",
)  # fmt: skip
BASEMAP_KEYS = ("tiles", "pmtiles", "attribution")
TILE_PLACES = ("{z}", "{x}", "{y}")
PLAIN_NAME = re.compile(r"[A-Za-z0-9._@:/+-]+")  # letters that CAP receivers of any make can read
SITE_KINDS = (
    "city", "area", "road_segment", "air_station", "rain_gauge", "river_station", "flood_sensor", "noise_station",
    "weather_station", "office", "hotline", "bus_line", "service", "ambulance", "hospital",
    "school", "clinic", "preschool",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSource:
    """One entry of sources.toml: a connector, run under its own name with its own options."""

    key: str  # the name on screens and in the `source` column
    connector: str  # file stem in connectors/
    name_vi: str
    name_en: str
    owner: str
    contact: str
    every: timedelta
    enabled: bool
    options: Mapping[str, Any]  # what the connector needs: base_url, sites, columns, time_zone …
    secret: str = ""  # name of its own secret; empty: the connector's
    private_network: bool = False  # its host may stand for an address of a private network

    def name(self, language: str) -> str:
        """Name for people."""
        return self.name_en if language == "en" else self.name_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything of config/<city>/, checked. `sites` is indexed by site_id, `areas` by code."""

    key: str
    name_vi: str
    name_en: str
    centre_vi: str
    centre_en: str
    zone: ZoneInfo
    simulated: bool
    latitude: float
    longitude: float
    cycle: timedelta
    history: timedelta
    store_path: Path
    folder: Path
    data_folder: Path
    geometry: Path | None
    sites: pd.DataFrame
    areas: pd.DataFrame
    sources: tuple[ConfiguredSource, ...]
    shift: Mapping[str, Any]
    overview: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # group -> (property, which site speaks for it)
    wall: WallPlan
    province: str = ""  # code of the province, for the zones of its map files
    basemap: Mapping[str, str] | None = None  # tiles or pmtiles, and attribution; None: no base map, the default
    public: bool = False  # figures on citizen reports stand open at /cong-khai
    public_period: str = MONTH  # one of PERIODS: what is published there at once
    public_licence: str = ""  # under which they may be used again
    cap_sender: str = ""  # the name under which CAP receivers know this centre; empty: nothing is exported

    @property
    def layers_path(self) -> Path:
        """The folder of the map layers: beside the data file, so that whoever copies one copies both."""
        return self.store_path.with_name(f"{self.store_path.stem}-layers")

    @property
    def pilot_locks(self) -> Path:
        """Where plans of pilots are locked from the page: beside the data file, for the configuration is read only."""
        return self.store_path.with_name(f"{self.store_path.stem}-pilots")

    @property
    def reports_path(self) -> Path:
        """The folder of archived reports: beside the data file."""
        return self.store_path.parent / "reports" / self.key

    @property
    def city_site(self) -> str:
        """The site that stands for the whole city."""
        return str(self.sites.index[self.sites["kind"] == "city"][0])

    def attribute(self, site_id: str, name: str) -> float | None:
        """A number that sites.toml gives to a site (alarm_1_m, length_km …), or None where it gives none."""
        if name not in self.sites or site_id not in self.sites.index:
            return None
        value: Any = self.sites.at[site_id, name]
        return None if pd.isna(value) else float(value)

    def point(self, site_id: str) -> tuple[float, float] | None:
        """Latitude and longitude [degrees, WGS 84] of a site, or None where nobody wrote them down."""
        latitude, longitude = self.attribute(site_id, "latitude"), self.attribute(site_id, "longitude")
        return None if latitude is None or longitude is None else (latitude, longitude)

    def name(self, language: str) -> str:
        """Name of the city for people."""
        return self.name_en if language == "en" else self.name_vi

    def site_name(self, site_id: str, language: str) -> str:
        """Name of a site, source or wall screen; its id where nobody named it."""
        if site_id in self.sites.index:
            return str(self.sites.at[site_id, "name_en" if language == "en" else "name_vi"])
        named: tuple[ConfiguredSource | WallScreen, ...] = (*self.sources, *self.wall.screens)
        return next((one.name(language) for one in named if one.key == site_id), site_id)

    def area_of(self, site_id: str) -> str:
        """Code of the area in which a site lies; empty for the whole city, a source, or a site without one."""
        return str(self.sites.at[site_id, "area"]) if site_id in self.sites.index else ""

    def area_name(self, site_id: str, language: str) -> str:
        """Name of the ward in which a site lies, or empty."""
        code = self.area_of(site_id)
        if code in self.areas.index:
            return str(self.areas.at[code, "name_en" if language == "en" else "name_vi"])
        return ""


def _at_least_one(table: Mapping[str, Any], name: str, where: str, default: int) -> int:
    number = take(table, name, int, where, default)
    if number < 1:
        raise ConfigError(f"{where}: {name} must be 1 or more, not {number}")
    return int(number)


def city_key() -> str:
    """The city this process serves: CITY, or the demo."""
    return os.environ.get("CITY", "").strip() or DEFAULT_CITY


def load_city(key: str | None = None, root: Path = ROOT) -> City:
    """Read and check config/<key>/. Raises ConfigError."""
    key = key or city_key()
    folder = root / "config" / key
    if not key.replace("_", "").isalnum() or len(key) > LONGEST_KEY or not folder.is_dir():
        known = ", ".join(sorted(path.name for path in (root / "config").iterdir() if path.is_dir()))
        raise ConfigError(f"CITY={key[:LONGEST_KEY]}: there is no folder config/{key}; known cities: {known}")
    table = read_toml(folder / "city.toml")
    where = f"config/{key}/city.toml"
    unknown = sorted(set(table) - set(CITY_KEYS))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(CITY_KEYS)}")
    try:
        zone = ZoneInfo(take(table, "time_zone", str, where, "Asia/Ho_Chi_Minh"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"{where}: time_zone {table['time_zone']!r} is unknown") from error
    geometry = take(table, "geometry", str, where, "")
    store = os.environ.get("CITY_STORE") or take(table, "store", str, where, f"data/{key}.duckdb")
    areas = _frame(folder / "areas.toml", "area", AREA_COLUMNS, "code")
    sites = _frame(folder / "sites.toml", "site", SITE_COLUMNS, "site_id")
    where_sites = f"config/{key}/sites.toml"
    for site_id, kind in sites.loc[~sites["kind"].isin(SITE_KINDS), "kind"].items():
        raise ConfigError(f"{where_sites}: {site_id}: kind {kind!r} is not one of {', '.join(SITE_KINDS)}")
    if (sites["kind"] == "city").sum() != 1:
        raise ConfigError(f'{where_sites}: exactly one site must have kind = "city"')
    for site_id, area in sites.loc[~sites["area"].isin(["", *areas.index]), "area"].items():
        raise ConfigError(f"{where_sites}: {site_id}: area {area!r} is not in areas.toml")
    return City(
        key=key,
        name_vi=take(table, "name_vi", str, where),
        name_en=take(table, "name_en", str, where),
        centre_vi=take(table, "centre_vi", str, where, "Trung tâm Điều hành đô thị"),
        centre_en=take(table, "centre_en", str, where, "Urban Operations Centre"),
        zone=zone,
        simulated=take(table, "simulated", bool, where, False),
        latitude=float(take(table, "latitude", (int, float), where)),
        longitude=float(take(table, "longitude", (int, float), where)),
        cycle=timedelta(seconds=_at_least_one(table, "cycle_s", where, 60)),
        history=timedelta(days=_at_least_one(table, "history_days", where, 400)),
        store_path=(root / store),
        folder=folder,
        data_folder=root / "data" / key,
        geometry=(root / geometry) if geometry else None,
        sites=sites,
        areas=areas,
        sources=_sources(folder / "sources.toml"),
        province=take(table, "province", str, where, ""),
        basemap=_basemap(table, where, root),
        cap_sender=_cap_sender(table, where),
        public=take(table, "public", bool, where, False),
        public_period=_public_period(table, where),
        public_licence=_public_licence(table, where),
        shift=take(table, "shift", dict, where, {}),
        overview=_overview(take(table, "overview", dict, where), where),
        wall=load_wall(folder / "wall.toml"),
    )


def read_geometry(city: City) -> dict[str, Any] | None:
    """The city's shapes, or None before an operator has imported them. Raises ConfigError for a broken file."""
    if city.geometry is None or not city.geometry.is_file():
        return None
    try:
        return dict(json.loads(city.geometry.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{city.geometry.name}: not GeoJSON: {error}") from error


def _cap_sender(table: Mapping[str, Any], where: str) -> str:
    sender = str(take(table, "cap_sender", str, where, ""))
    if sender and not PLAIN_NAME.fullmatch(sender):
        raise ConfigError(
            f"{where}: cap_sender {sender!r} must be an internet name or address such as ioc.example.vn, "
            "without blanks, commas, < or &"
        )
    return sender


def _public_licence(table: Mapping[str, Any], where: str) -> str:
    licence = str(take(table, "public_licence", str, where, "")).strip()
    if take(table, "public", bool, where, False) and not licence:
        raise ConfigError(f'{where}: public = true needs public_licence, for example "CC BY 4.0"')
    return licence


def _public_period(table: Mapping[str, Any], where: str) -> str:
    period = str(take(table, "public_period", str, where, MONTH))
    if period not in PERIODS:
        raise ConfigError(f"{where}: public_period must be one of {', '.join(PERIODS)}, not {period!r}")
    return period


def _basemap(table: Mapping[str, Any], where: str, root: Path) -> Mapping[str, str] | None:
    """[basemap]: tiles = "https://…/{z}/{x}/{y}.png" of an own server, or pmtiles = a file; and its attribution."""
    given = take(table, "basemap", dict, where, {})
    if not given:
        return None
    where = f"{where}: [basemap]"
    unknown = sorted(set(given) - set(BASEMAP_KEYS))
    if unknown or ("tiles" in given) == ("pmtiles" in given):
        raise ConfigError(f"{where}: give tiles or pmtiles, one of the two, and attribution")
    found = {name: str(take(given, name, str, where)) for name in given}
    tiles = found.get("tiles", "")
    if tiles and not (tiles.startswith(("https://", "http://")) and all(one in tiles for one in TILE_PLACES)):
        raise ConfigError(f"{where}: tiles must be an address with {{z}}, {{x}} and {{y}}, not {tiles!r}")
    if "pmtiles" in found:
        found["pmtiles"] = str(root / found["pmtiles"])
        if not Path(found["pmtiles"]).is_file():
            raise ConfigError(f"{where}: pmtiles: there is no file {given['pmtiles']}")
    if not found.get("attribution", "").strip():
        raise ConfigError(f"{where}: attribution is missing: every map names whose it is")
    return found


def _overview(table: Mapping[str, Any], where: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """[overview]: per group a list of «property:pick»; pick is city, worst, sum, river or a site_id."""
    groups = []
    for group in table:
        if group not in OVERVIEW_GROUPS:
            raise ConfigError(f"{where}: [overview] {group} is not one of {', '.join(OVERVIEW_GROUPS)}")
        rows = []
        for entry in take(table, group, list, f"{where}: [overview]"):
            key, _, pick = str(entry).partition(":")
            if not key or not pick:
                raise ConfigError(
                    f'{where}: [overview] {group}: {entry!r} must read "property:pick", for example "vn_aqi:worst"'
                )
            rows.append((key, pick))
        groups.append((group, tuple(rows)))
    if sum(len(rows) for _, rows in groups) > MOST_OVERVIEW_ROWS:
        raise ConfigError(f"{where}: [overview] holds more than {MOST_OVERVIEW_ROWS} rows; a wall shows no more")
    return tuple(groups)


def _frame(path: Path, entry: str, columns: tuple[str, ...], index: str) -> pd.DataFrame:
    """[[entry]] tables as a frame; texts default to "", numbers to NaN; further keys become attribute columns."""
    tables = take(read_toml(path), entry, list, shown_path(path), [])
    if not tables:
        raise ConfigError(f"{shown_path(path)}: no [[{entry}]] given")
    rows = []
    for number, table in enumerate(tables, start=1):
        where = f"{shown_path(path)}: [[{entry}]] number {number}"
        row = {index: take(table, index, str, where), "kind": take(table, "kind", str, where)}
        row["name_vi"] = take(table, "name_vi", str, where)
        row["name_en"] = take(table, "name_en", str, where, row["name_vi"])
        for name in ("area", "parent"):
            take(table, name, str, where, "")
        for name in NUMBERS:
            take(table, name, (int, float), where, 0)
        rows.append({**table, **row})
    data = pd.DataFrame(rows)
    for column in columns:
        if column not in data:
            data[column] = float("nan") if column in NUMBERS else ""
    for column in ("area", "parent", "name_en", "valid_from"):
        if column in data:
            data[column] = data[column].fillna("").astype("str")
    twice = data.loc[data[index].duplicated(), index]
    if len(twice):
        raise ConfigError(f"{shown_path(path)}: {index} {twice.iloc[0]!r} is given twice")
    return data.set_index(index, drop=False)


def _secret_name(table: Mapping[str, Any], where: str) -> str:
    """The name of an environment variable. What is no name could be the secret itself, so it is not quoted."""
    name = str(take(table, "secret", str, where, ""))
    if name and not SECRET_NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: secret must be the NAME of a secret (capitals, digits, _), never the secret itself"
        )
    return name


def _sources(path: Path) -> tuple[ConfiguredSource, ...]:
    found = []
    for number, table in enumerate(take(read_toml(path), "source", list, shown_path(path), []), start=1):
        where = f"{shown_path(path)}: [[source]] number {number}"
        unknown = set(table) - {
            "key",
            "connector",
            "name_vi",
            "name_en",
            "owner",
            "contact",
            "every_s",
            "enabled",
            "options",
            "secret",
            "private_network",
        }
        if unknown:
            raise ConfigError(f"{where}: unknown key {', '.join(sorted(unknown))}; put it under [source.options]")
        key = take(table, "key", str, where)
        name_vi = take(table, "name_vi", str, where, key)
        found.append(
            ConfiguredSource(
                key=key,
                connector=take(table, "connector", str, where),
                name_vi=name_vi,
                name_en=take(table, "name_en", str, where, name_vi),
                owner=take(table, "owner", str, where, ""),
                contact=take(table, "contact", str, where, ""),
                every=timedelta(seconds=_at_least_one(table, "every_s", where, 600)),
                enabled=take(table, "enabled", bool, where, True),
                options=take(table, "options", dict, where, {}),
                secret=_secret_name(table, where),
                private_network=take(table, "private_network", bool, where, False),
            )
        )
    keys = [source.key for source in found]
    if len(set(keys)) != len(keys):
        raise ConfigError(f"{shown_path(path)}: a source key is given twice: {', '.join(sorted(keys))}")
    return tuple(found)
