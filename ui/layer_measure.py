"""«How far, how large»: a way through places of the city and typed coordinates, measured and drawn on the map."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import formats
from gis.faults import Fault
from gis.measure import MOST_POINTS, Measured, Place, measured, places_of
from ui import layer_map, panel, render
from ui.frame import Screen
from ui.layer_map import Choice

HECTARE_M2 = 10_000.0
KM_FROM_M = 2_000.0


def ask(screen: Screen, choice: Choice) -> Choice:
    """Which places are measured. What is typed comes behind what is chosen."""
    t = screen.t
    named = _named(screen)
    chosen = st.multiselect(
        t("layers.measure"), list(named), format_func=lambda key: named[key][0] if key in named else key,
        placeholder=t("layers.measure_none"), max_selections=MOST_POINTS, key="layers_measure_places",
    )  # fmt: skip
    text = st.text_input(
        t("layers.measure_typed"), placeholder="21,2731 106,1946; 21,2800 106,2010", max_chars=2000,
        key="layers_measure_typed",
    )  # fmt: skip
    path = [named[key][1] for key in chosen if key in named]
    try:
        path += places_of(text)
    except Fault as fault:
        with st.container(key="notice_error"):
            st.text(fault.words(screen.language))
    found = tuple(path[:MOST_POINTS])
    panel.panel("layers_measure_panel", {"measured": _shown(screen, measured(found), found)})
    return replace(choice, path=found)


def _named(screen: Screen) -> dict[str, tuple[str, Place]]:
    """Open alerts first, worst first; then every site with a place."""
    view, city = screen.view(), screen.snapshot.city
    found: dict[str, tuple[str, Place]] = {}
    for key, words in layer_map.placed_alerts(view).items():
        latitude, longitude = city.point(key.rpartition(":")[2]) or (0.0, 0.0)
        found[key] = (words, (longitude, latitude))
    for site in city.sites.index[~city.sites["kind"].isin(["city", "area"])]:
        place = city.point(str(site))
        if place is not None:
            found[str(site)] = (city.site_name(str(site), screen.language), (place[1], place[0]))
    return found


def _shown(screen: Screen, found: Measured, path: tuple[Place, ...]) -> str:
    language = screen.language
    return render.html(
        "layers_measured.html", screen.snapshot, language, places=len(path),
        legs=[length(one, language) for one in found.legs], length=length(found.length, language),
        around=length(found.around, language), crossed=found.crossed,
        area="" if found.area is None else surface(found.area, language),
    )  # fmt: skip


def length(metres: float, language: str) -> str:
    """«350 m», «2,45 km»."""
    if metres < KM_FROM_M:
        return f"{formats.number(metres, 0, language)} m"
    return f"{formats.number(metres / 1000, 2, language)} km"


def surface(square_metres: float, language: str) -> str:
    """«820 m²», «3,20 ha», «4.713 km²»."""
    if square_metres < HECTARE_M2:
        return f"{formats.number(square_metres, 0, language)} m²"
    if square_metres < 1000 * HECTARE_M2:
        return f"{formats.number(square_metres / HECTARE_M2, 2, language)} ha"
    return f"{formats.number(square_metres / 1e6, 1, language)} km²"
