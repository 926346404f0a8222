"""What a map of layers can be coloured by: rates and levels of wards at a kept hour, never bare counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from charts.layer_deck import Area
from core.catalogue import ObservedProperty
from gis.faults import Fault
from gis.join import Areas, area_m2
from gis.layers import Kept, outline
from gis.wards import Carried, Succession, Ward, Wards, load_successions, shares_by_area, wards_of
from ui import query
from ui.frame import Screen

HOURS_BACK = 48
PER = 1000.0  # inhabitants
POINTS = "points:"  # points of a layer by square kilometre
COUNTED = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The wards of one day: who they are, how they are drawn, and where their outlines come from."""

    wards: tuple[Ward, ...]
    shapes: Mapping[str, Mapping[str, Any]]  # code -> GeoJSON geometry
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """Values of wards, in `unit`; `hour` is the end of the hour they tell of, None where they have no time."""

    values: Mapping[str, Carried]
    title: str
    unit: str
    decimals: int
    hour: datetime | None = None


def ground(screen: Screen, day: date) -> Ground:
    """The wards of that day, from the kept layers, else from the city's own outlines. Broken layers are left out."""
    kept = [one for one in _ward_layers(screen) if any(ward.holds_on(day) for ward in wards_of(one))]
    if kept:
        wards, shapes = [], {}
        for one in kept:
            for ward, shape in zip(wards_of(one), one.shapes, strict=True):
                if ward.holds_on(day) and ward.code not in shapes:
                    wards.append(ward)
                    shapes[ward.code] = shape
        return Ground(
            wards=tuple(wards), shapes=shapes, owner=", ".join(dict.fromkeys(one.layer.owner for one in kept))
        )
    geometry = screen.snapshot.geometry or {"features": []}
    own = [one for one in geometry["features"] if one["properties"].get("layer") == "ward" and one.get("geometry")]
    column = "name_en" if screen.language == "en" else "name_vi"
    areas = screen.line.city.areas
    found = {str(one["properties"].get("code", "")): one["geometry"] for one in own}
    named = {code: str(areas.at[code, column]) if code in areas.index else code for code in found}
    since = {code: _day(str(areas.at[code, "valid_from"])) if code in areas.index else None for code in found}
    wards = [Ward(code=code, name=named[code], shape=outline(found[code]), valid_from=since[code]) for code in found]
    return Ground(wards=tuple(one for one in wards if one.holds_on(day)), shapes=found, owner="")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _ward_layers(screen: Screen) -> list[Kept]:
    found = []
    for layer in screen.line.shelf.all():
        if layer.kind == "ward":
            try:
                found.append(screen.line.shelf.read(layer.key))
            except (Fault, OSError):
                continue  # the list of layers says what is wrong with it
    return found


def choices(screen: Screen) -> dict[str, str]:
    """Key -> words of everything that wards can be coloured by."""
    snapshot, language = screen.snapshot, screen.language
    sites = snapshot.city.sites
    placed = {key for key, site in snapshot.readings if site in sites.index and sites.at[site, "area"]}
    inhabitants = bool((snapshot.city.areas["population"] > 0).any())
    found = {}
    for key in sorted(placed):
        item = snapshot.catalogue[key]
        if item.domain == "operations" or (item.aggregation == COUNTED and not inhabitants):
            continue
        found[key] = f"{item.name(language)} ({_unit(screen, item)})" if _unit(screen, item) else item.name(language)
    for layer in screen.line.shelf.all():
        if layer.geometry == "point":
            found[POINTS + layer.key] = f"{layer.title} ({screen.t('layers.per_km2')})"
    return found


def _unit(screen: Screen, item: ObservedProperty) -> str:
    if item.aggregation != COUNTED:
        return item.unit_label(screen.language)
    return f"{item.unit_label(screen.language)} / {screen.t('layers.per_1000')}".strip(" /")


def colouring(screen: Screen, key: str, hours_back: int, wards: Ground) -> Colouring:
    """Values of the wards of today for one of `choices`, at the kept hour so many hours ago."""
    if key.startswith(POINTS):
        kept = screen.line.shelf.read(key.removeprefix(POINTS))
        return Colouring(
            values=_density(screen, kept, wards), title=kept.layer.title, unit=screen.t("layers.per_km2"), decimals=1
        )
    snapshot, areas = screen.snapshot, screen.snapshot.city.areas
    item = snapshot.catalogue[key]
    rows = query.area_hourly(key, HOURS_BACK + 1)
    newest = _hour(snapshot.made_at)
    hour = newest - timedelta(hours=hours_back)
    own = rows[rows["hour"] == hour]
    seen = screen.person.areas
    values = {}
    for code, value in zip(own["area"].astype(str).tolist(), own["mean"].tolist(), strict=True):
        if not code or (seen is not None and code not in seen):
            continue
        if item.aggregation == COUNTED:
            people = _inhabitants(areas, code)
            if people <= 0:
                continue  # a count without its inhabitants says how large a ward is, not how it fares
            value = value / people * PER
        values[code] = Carried(float(value), False, 1.0)
    decimals = max(item.decimals, 2) if item.aggregation == COUNTED else item.decimals
    return Colouring(
        values=values, title=item.name(screen.language), unit=_unit(screen, item), decimals=decimals, hour=hour
    )


def _inhabitants(areas: pd.DataFrame, code: str) -> float:
    known: Any = areas.at[code, "population"] if code in areas.index else None
    return 0.0 if known is None or pd.isna(known) else float(known)


def _hour(moment: datetime) -> datetime:
    """The end of the last whole hour; an hour that still runs has too few values to be compared."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _density(screen: Screen, kept: Kept, wards: Ground) -> dict[str, Carried]:
    shaped = [one for one in wards.wards if one.shape is not None]
    if not shaped:
        return {}
    return _by_km2(kept.layer.digest, tuple(one.code for one in shaped), wards.owner, kept, shaped)


@st.cache_data(max_entries=16, show_spinner=False)
def _by_km2(digest: str, codes: tuple[str, ...], owner: str, _kept: Kept, _wards: list[Ward]) -> dict[str, Carried]:
    places = [one.geometry.representative_point() for one in _kept.features]
    found = Areas(codes, [one.shape for one in _wards]).of([one.x for one in places], [one.y for one in places])
    return {
        ward.code: Carried(found.count(ward.code) / (area_m2(ward.shape) / 1e6), False, 1.0)
        for ward in _wards
        if area_m2(ward.shape) > 0
    }


def carried(screen: Screen, values: Mapping[str, Carried], now: Ground, then: Ground, day: date) -> dict[str, Carried]:
    """The same rates on the wards of another day. Rates are averaged, and everything that rests on shares says so."""
    today = screen.line.clock.now().astimezone(screen.line.city.zone).date()
    codes = {one.code for one in now.wards}
    other = [one for one in then.wards if one.code not in codes]
    if not other:
        return dict(values)
    told = load_successions(screen.line.city.folder / "succession.toml")
    links = told or _shares(_mark(now), _mark(then), list(now.wards), list(then.wards), today > day)
    known = {one.code: one for one in (*now.wards, *then.wards)}
    timeline = Wards(known.values(), links)
    return timeline.carry({code: one.value for code, one in values.items()}, today, day, how="mean")


def _mark(wards: Ground) -> str:
    return wards.owner + ",".join(sorted(one.code for one in wards.wards))


@st.cache_data(max_entries=8, show_spinner=False)
def _shares(now: str, then: str, _now: list[Ward], _then: list[Ward], back: bool) -> tuple[Succession, ...]:
    before, after = (_then, _now) if back else (_now, _then)
    shaped = [[one for one in wards if one.shape is not None] for wards in (before, after)]
    return shares_by_area(*shaped) if all(shaped) else ()


def areas_of(screen: Screen, wards: Ground, values: Mapping[str, Carried]) -> list[Area]:
    """The wards as the chart takes them."""
    estimated = screen.t("layers.estimated")
    found = []
    for ward in wards.wards:
        value = values.get(ward.code)
        note = f"({estimated})" if value is not None and value.estimated else ""
        found.append(
            Area(
                code=ward.code,
                name=ward.name,
                shape=wards.shapes[ward.code],
                value=None if value is None else value.value,
                note=note,
            )
        )
    return found


def box(screen: Screen) -> tuple[float, float, float, float] | None:
    """Where a layer of this city must lie: around its wards and sites, with 0.3° (30 km) of room; None if unknown."""
    city = screen.line.city
    found: list[tuple[float, float]] = []
    for frame in (city.areas, city.sites):
        placed = frame[frame["latitude"].notna() & frame["longitude"].notna()]
        found += list(zip(placed["longitude"].astype(float), placed["latitude"].astype(float), strict=True))
    if not found:
        return None
    longitudes, latitudes = zip(*found, strict=True)
    room = 0.3
    return (min(longitudes) - room, min(latitudes) - room, max(longitudes) + room, max(latitudes) + room)
