"""The map desk: one thematic fill at a time, alerts always on top, and the figures of a chosen ward beside it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import deck
from core import formats
from core.snapshot import Snapshot
from ui import maps, panel, render
from ui.frame import Screen
from ui.views import View

MAP_HEIGHT_PX = 620
THEMES: dict[str, tuple[str, str] | None] = {  # theme -> (property, how sites of a ward combine)
    "alerts": None,
    "traffic": ("relative_speed", "min"),
    "air": ("vn_aqi", "max"),
    "rain": ("rain_1h", "max"),
    "reports": ("reports_60min", "sum"),
}
LAYERS = {"roads": ("roads",), "water": ("water",), "sites": ("stations",), "names": ("names",)}
WARD_PROPERTIES = (
    "rain_1h", "flood_depth", "river_level", "vn_aqi", "relative_speed", "noise_laeq", "reports_60min", "on_time_rate",
    "temperature",
)  # fmt: skip


def explore(screen: Screen) -> None:
    """Layer panel, map, and the chosen ward."""
    t = screen.t
    left, middle, right = st.columns([2, 7, 3], gap="small")
    with left, st.container(key="map_layers"):
        theme, chosen = _choice(screen)
        legend_place = st.container(key="map_legend")
    with right, st.container(key="map_ward"):
        areas = screen.snapshot.city.areas
        codes = list(areas.index)
        asked = str(st.query_params.get("ward", ""))
        ward = st.selectbox(
            t("map.ward"), codes, index=codes.index(asked) if asked in codes else None, placeholder=t("map.ward_none"),
            format_func=lambda code: str(areas.at[code, f"name_{screen.language}"]), key="map_ward_choice",
        )  # fmt: skip
        if ward:
            st.query_params["ward"] = ward

        @st.fragment(run_every=screen.redraw_s)
        def figures() -> None:
            panel.panel("ward_figures", {"ward": _ward(screen.view(), ward)})

        figures()
    with middle, st.container(key="map_picture"):

        @st.fragment(run_every=screen.redraw_s)
        def picture() -> None:
            _picture(screen, theme, chosen, legend_place)

        picture()


def _choice(screen: Screen) -> tuple[str, tuple[str, ...]]:
    """The theme and the layers, of those that this city has; what it lacks is no switch that does nothing."""
    t, themes, layers = screen.t, themes_of(screen.snapshot), layers_of(screen.view())
    kept = st.session_state.get("map_theme")
    if kept is not None and kept not in themes:  # chosen while there were figures of it
        del st.session_state["map_theme"]
    theme = st.radio(t("map.theme"), themes, format_func=lambda one: t(f"map.theme_{one}"), key="map_theme")
    if not layers:
        return theme, ()
    if not set(st.session_state.get("map_chosen_layers") or ()) <= set(layers):
        del st.session_state["map_chosen_layers"]
    chosen = st.pills(
        t("map.layers"), layers, selection_mode="multi", default=layers,
        format_func=lambda one: t(f"map.layer_{one}"), key="map_chosen_layers",
    )  # fmt: skip
    return theme, tuple(chosen)


def themes_of(snapshot: Snapshot) -> list[str]:
    """The alerts, and every theme of which the city ever had a figure."""
    return [name for name, chosen in THEMES.items() if chosen is None or snapshot.of(chosen[0])]


def layers_of(view: View) -> list[str]:
    """Layers with something to draw: lines of the boundary file, placed sites, areas that have a name."""
    features = (view.snapshot.geometry or {}).get("features", ())
    drawn = {str(one["properties"].get("layer", "")) for one in features if one.get("geometry")}
    there = {
        "roads": bool(drawn & {"road", "minor_road"}),
        "water": "water" in drawn,
        "sites": not _stations(view).empty,
        "names": "ward" in drawn,
    }
    return [name for name in LAYERS if there[name]]


def _picture(
    screen: Screen, theme: str, chosen: tuple[str, ...], legend_place: st.delta_generator.DeltaGenerator
) -> None:
    view = screen.view()
    snapshot = view.snapshot
    fill, breaks, unit, decimals = _fill(snapshot, theme, screen.language)
    marks = _marks(view, theme)
    relative = {one.site_id: one.value / 100 for one in snapshot.of("relative_speed") if one.live}
    _, segments, markers = maps.marks(view)
    drawn = deck.deck(
        snapshot.geometry,
        theme=screen.look,
        language=screen.language,
        fill=fill,
        breaks=breaks,
        decimals=decimals,
        unit=unit,
        notes={snapshot.city.area_of(site_id) or site_id: words for site_id, words in marks.items()},
        segments=segments,
        relative_speed=relative if theme == "traffic" else None,
        stations=_stations(view),
        markers=markers,
        show=[layer for name in chosen for layer in LAYERS[name]] + ["alerts"],
        height_px=MAP_HEIGHT_PX,
    )
    able = panel.canvas("map_canvas")
    if snapshot.geometry is None or able != "webgl":
        # a still picture at once; the live one follows when the fonts are there, if the browser can draw it
        still = maps.whole_city(view, 900, MAP_HEIGHT_PX, text_px=16.0, message=_advice(screen))
        panel.panel("map_still", {"map": f'<section class="map">{still}</section>'})
        if able == "none":
            st.caption(screen.t("map.no_webgl"))
    else:
        st.pydeck_chart(drawn, height=MAP_HEIGHT_PX, key="city_deck")
    with legend_place:
        legend = ""
        if fill is not None:
            legend = deck.choropleth_legend(
                breaks, theme=screen.look, language=screen.language, title=screen.t(f"map.theme_{theme}"), unit=unit,
                decimals=decimals, no_data=any(value is None for value in fill.values()),
            )  # fmt: skip
        named = [(snapshot.city.site_name(site_id, screen.language), words) for site_id, words in marks.items()]
        told = render.html("map_artefacts.html", snapshot, screen.language, marks=named)
        panel.panel("map_legend_panel", {"legend": f"{legend}{told}"})


def _marks(view: View, theme: str) -> dict[str, str]:
    """Site -> why the step of its value in the last day is no news, for what the theme shows."""
    chosen = THEMES[theme]
    if chosen is None:
        return {}
    found = {one.site_id: view.artefacts(chosen[0], one.site_id) for one in view.snapshot.of(chosen[0])}
    return {site_id: view.artefact_words(marks[0]) for site_id, marks in found.items() if marks}


def _advice(screen: Screen) -> str:
    """What an operator must do to see boundaries; empty where they are there."""
    city = screen.snapshot.city
    if screen.snapshot.geometry is not None:
        return ""
    return screen.t("map.no_geometry", path="/".join(city.geometry.parts[-3:]) if city.geometry else "data/")


def _fill(
    snapshot: Snapshot, theme: str, language: str
) -> tuple[dict[str, float | None] | None, list[float], str, int]:
    """Ward code -> value of the theme (None: no live site there), class bounds, unit label, decimals."""
    chosen = THEMES[theme]
    if chosen is None or theme == "traffic":
        return None, [], "", 0
    key, how = chosen
    city = snapshot.city
    live = [one for one in snapshot.of(key) if one.live and one.site_id in city.sites.index]
    by_ward = pd.DataFrame(
        [(str(city.sites.at[one.site_id, "area"]) or one.site_id, one.value) for one in live], columns=["ward", "value"]
    )
    values = by_ward.groupby("ward")["value"].agg(how).to_dict()
    fill = {code: values.get(code) for code in city.areas.index}
    item = snapshot.catalogue[key]
    return fill, deck.breaks_for(fill.values()), item.unit_label(language), item.decimals


def _stations(view: View) -> pd.DataFrame:
    sites = view.snapshot.city.sites
    fixed = sites[~sites["kind"].isin(["city", "area", "road_segment"]) & sites["latitude"].notna()]
    return pd.DataFrame(
        {
            "site_id": fixed.index,
            "name": [view.snapshot.city.site_name(site, view.language) for site in fixed.index],
            "latitude": fixed["latitude"].to_numpy(),
            "longitude": fixed["longitude"].to_numpy(),
            "text": [_station_text(view, site) for site in fixed.index],
        }
    )


def _station_text(view: View, site_id: str) -> str:
    """The newest values of a station in one line; silence says so."""
    found = [reading for (_, site), reading in sorted(view.snapshot.readings.items()) if site == site_id]
    shown = []
    for reading in found[:4]:
        name = reading.item.name(view.language)
        if reading.live:
            value = formats.number(reading.value, reading.item.decimals, view.language)
            shown.append(f"{name} {value} {reading.item.unit_label(view.language)}".strip())
        else:
            shown.append(f"{name}: {view.t('state.no_signal')} {formats.duration(reading.age, view.language)}")
    return " · ".join(shown) or view.t("state.no_data")


def _ward(view: View, code: str | None) -> str:
    city = view.snapshot.city
    rows = []
    if code:
        inside = set(city.sites.index[city.sites["area"] == code]) | {code}
        for key in WARD_PROPERTIES:
            rows += [
                view.row(key, reading.site_id, width=120, height=30)
                for reading in view.snapshot.of(key)
                if reading.site_id in inside
            ]
    alerts = [
        alert
        for alert in view.snapshot.open_alerts()
        if code
        and (
            alert.site_id == code
            or (alert.site_id in city.sites.index and city.sites.at[alert.site_id, "area"] == code)
        )
    ]
    name = "" if not code else str(city.areas.at[code, f"name_{view.language}"])
    return render.html("ward.html", view.snapshot, view.language, rows=rows, cards=view.cards(alerts), name=name)
