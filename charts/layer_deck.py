"""Map layers of any office as a pydeck map: one choropleth, areas, lines, points, heat, and what lies around an alert.

Built like `charts.deck`: no `map_style` unless the city has a base map of its own, texts from outside escaped before
they reach the tooltip, and a view that depends on the place alone, so that a refresh leaves the viewer where they are.
The two archipelagos are labelled on every map (QCVN 80:2024/BTNMT): at the scale of the country they are in sight.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pydeck
from pydeck.bindings.json_tools import default_serialize

from charts.city_map import Marker
from charts.deck import (
    WORDS,
    archipelagos,
    class_colour,
    collection,
    hatch,
    ink_on,
    marker_layers,
    rgb,
    rings,
    view_of,
)
from charts.theme import Theme, text_width_px
from core.alert import PRIORITIES
from core.formats import number

MOST_CLASSES = 7
METHODS = ("quantile", "equal")
NATION = ((102.0, 8.0), (118.0, 23.5))  # corners of the view «the whole country», with both archipelagos
INKS = ("#2F6B66", "#75602B", "#5D4A85", "#40566B", "#7A4A5A", "#4E6340", "#36596E", "#6B5A4A")  # no priority's colour
HEAT = [[127, 115, 181, 0], [127, 115, 181, 110], [127, 115, 181, 190], [101, 86, 164, 220], [84, 69, 143, 240]]
HATCHES = 180  # strokes across the height of what is drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One layer as it is drawn. `shapes` are GeoJSON geometries, `tooltips` plain text lines, one each."""

    key: str
    title: str
    geometry: str  # point | line | polygon | mixed
    style: str  # plain | heat
    shapes: Sequence[Mapping[str, Any]]
    tooltips: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One ward of the choropleth; `note` stands behind the value («ước tính»)."""

    code: str
    name: str
    shape: Mapping[str, Any]
    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """What lies around a place: a ring [longitude, latitude], and points to mark in it."""

    ring: Sequence[tuple[float, float]]
    found: Sequence[tuple[float, float]] = ()


class TightDeck(pydeck.Deck):  # type: ignore[misc]
    """A deck that is written without blanks: with thousands of points they were most of what went to the browser."""

    def to_json(self) -> str:
        """The deck as deck.gl's JSON converter reads it."""
        return json.dumps(self, sort_keys=True, default=default_serialize, separators=(",", ":"), ensure_ascii=False)


def class_bounds(values: Iterable[float | None], classes: int, method: str) -> list[float]:
    """Inner bounds of at most seven classes: of about equally many values, or equally wide."""
    known = np.array([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)
    classes = max(2, min(classes, MOST_CLASSES))
    if len(known) == 0 or known.min() == known.max():
        return []
    low, high = float(known.min()), float(known.max())
    ends = np.linspace(0, 1, classes + 1) if method == "quantile" else np.linspace(low, high, classes + 1)
    inner = (np.quantile(known, ends) if method == "quantile" else ends)[1:-1].tolist()
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2)  # rounded, so that a legend can be read
    return sorted({bound for bound in (round(round(one / step) * step, 10) for one in inner) if low < bound <= high})


def ink(place: int) -> str:
    """The colour of the layer at that place of the list."""
    return INKS[place % len(INKS)]


def layer_deck(
    *,
    theme: Theme,
    language: str = "vi",
    areas: Sequence[Area] = (),
    coloured: bool = False,
    bounds: Sequence[float] = (),
    decimals: int = 0,
    unit: str = "",
    layers: Sequence[tuple[Drawn, str]] = (),
    markers: Iterable[Marker] = (),
    circle: Circle | None = None,
    path: Sequence[tuple[float, float]] = (),
    corners: Sequence[tuple[float, float]] = (),
    basemap: str = "",
    height_px: int = 640,
) -> pydeck.Deck:
    """A deck for `st.pydeck_chart`. `areas` are coloured by value with `coloured`, else they are plain ground.

    `layers` are drawn in order, each in its ink; `path` (longitude, latitude) is the way that is measured; `corners`
    (likewise) make the view; `basemap` is the address of a style on our own server, or empty.
    """
    view = view_of(list(corners), height_px)
    stack: list[pydeck.Layer] = []
    if areas:
        stack += _areas(areas, theme, language, coloured, bounds, decimals, unit, bool(basemap))
    for drawn, colour in sorted(layers, key=lambda pair: ("polygon", "mixed", "line", "point").index(pair[0].geometry)):
        stack.append(_heat(drawn) if drawn.style == "heat" else _things(drawn, colour))
    if circle is not None:
        stack += _circle(circle, theme)
    if path:
        stack += _path(path, theme)
    if areas:
        stack.append(_names(areas, theme, coloured, bounds, view))
    stack.append(archipelagos(theme, language))
    shown = sorted(markers, key=lambda marker: -PRIORITIES.index(marker.priority))
    if shown:
        stack += marker_layers(shown, theme, language)
    base: dict[str, Any] = {"map_provider": "mapbox", "map_style": basemap} if basemap else {"map_provider": None}
    return TightDeck(
        layers=stack,
        initial_view_state=view,
        height=height_px,
        tooltip={
            "html": "{tooltip}",
            "style": {
                "backgroundColor": theme.panel, "color": theme.ink1, "border": f"1px solid {theme.line2}",
                "borderRadius": "4px", "fontSize": "15px", "padding": "6px 10px", "maxWidth": "340px",
            },
        },
        **base,
    )  # fmt: skip


def _areas(
    areas: Sequence[Area],
    theme: Theme,
    language: str,
    coloured: bool,
    bounds: Sequence[float],
    decimals: int,
    unit: str,
    see_through: bool,
) -> list[pydeck.Layer]:
    words = WORDS["en" if language == "en" else "vi"]
    features, silent = [], []
    for area in areas:
        tooltip, colour = f"<b>{escape(area.name)}</b>", theme.land
        if coloured:
            found = class_colour(area.value, bounds, theme)
            if found is None:
                silent.append(area)
                tooltip += f"<br>{words['no_data']}"
            else:
                tooltip += f"<br>{number(area.value, decimals, language)} {escape(unit)} {escape(area.note)}".rstrip()
            colour = found or theme.bg
        properties = {"code": area.code, "tooltip": tooltip, "fill": rgb(colour, 150 if see_through else 255)}
        features.append({"type": "Feature", "geometry": area.shape, "properties": properties})
    stack = [
        pydeck.Layer(
            "GeoJsonLayer", id="wards", data=collection(features), get_fill_color="properties.fill",
            get_line_color=rgb(theme.line2), line_width_units='"pixels"', get_line_width=1, pickable=True,
        )
    ]  # fmt: skip
    if silent:
        latitudes = [point[1] for area in areas for ring in rings(area.shape) for point in ring]
        step = max((max(latitudes) - min(latitudes)) / HATCHES, 0.0005)
        strokes = [{"path": path} for area in silent for path in hatch(rings(area.shape), step)]
        stack.append(
            pydeck.Layer(
                "PathLayer", id="no-data", data=strokes, get_path="path", get_color=rgb(theme.line2),
                width_units='"pixels"', get_width=1,
            )
        )  # fmt: skip
    return stack


def _names(
    areas: Sequence[Area], theme: Theme, coloured: bool, bounds: Sequence[float], view: pydeck.ViewState
) -> pydeck.Layer:
    """Names of the wards that have room for them at the first view; the others are told by the tooltip."""
    across = 512 * 2**view.zoom / 360
    rows = []
    for area in areas:
        ring = max(rings(area.shape), key=len)
        longitudes, latitudes = [point[0] for point in ring], [point[1] for point in ring]
        if text_width_px(area.name, 14, condensed=True) > (max(longitudes) - min(longitudes)) * across * 1.1:
            continue
        ground = class_colour(area.value, bounds, theme) if coloured else theme.land
        rows.append(
            {
                "position": [round((min(longitudes) + max(longitudes)) / 2, 5), round(sum(latitudes) / len(ring), 5)],
                "name": area.name,
                "colour": rgb(ink_on(ground or theme.bg)),
            }
        )
    return pydeck.Layer(
        "TextLayer", id="names", data=rows, get_position="position", get_text="name", get_color="colour", get_size=14,
        size_units='"pixels"', font_family='"IBM Plex Sans Condensed"', font_weight=500, character_set='"auto"',
    )  # fmt: skip


def _things(drawn: Drawn, colour: str) -> pydeck.Layer:
    """Areas, lines and points in the layer's one ink; plain points go as bare positions, a tenth of the size."""
    tooltips = [_tooltip(drawn.title, text) for text in drawn.tooltips]
    if drawn.geometry == "point" and all(one["type"] == "Point" for one in drawn.shapes):
        rows = [
            {"p": list(one["coordinates"]), "tooltip": text} for one, text in zip(drawn.shapes, tooltips, strict=True)
        ]
        return pydeck.Layer(
            "ScatterplotLayer", id=f"layer-{drawn.key}", data=rows, get_position="p", radius_units='"pixels"',
            get_radius=4, get_fill_color=rgb(colour, 210), get_line_color=[255, 255, 255, 255], stroked=True,
            line_width_units='"pixels"', get_line_width=1, pickable=True,
        )  # fmt: skip
    features = [
        {"type": "Feature", "geometry": one, "properties": {"tooltip": text}}
        for one, text in zip(drawn.shapes, tooltips, strict=True)
    ]
    return pydeck.Layer(
        "GeoJsonLayer", id=f"layer-{drawn.key}", data=collection(features), get_fill_color=rgb(colour, 60),
        get_line_color=rgb(colour), line_width_units='"pixels"', get_line_width=2 if drawn.geometry == "line" else 1.2,
        point_radius_units='"pixels"', get_point_radius=4, pickable=True,
    )  # fmt: skip


def _tooltip(title: str, text: str) -> str:
    lines = [escape(line) for line in text.split("\n") if line]
    return f"<b>{lines[0] if lines else ''}</b><br>{escape(title)}" + "".join(f"<br>{line}" for line in lines[1:])


def _heat(drawn: Drawn) -> pydeck.Layer:
    """How dense points lie: from a pale to a dark violet, the choropleth's own hue."""
    rows = [
        {"p": list(point)}
        for one in drawn.shapes
        for point in (one["coordinates"] if one["type"] == "MultiPoint" else [one["coordinates"]])
    ]
    return pydeck.Layer(
        "HeatmapLayer", id=f"layer-{drawn.key}", data=rows, get_position="p", radius_pixels=40, opacity=0.7,
        color_range=HEAT,
    )  # fmt: skip


def _circle(circle: Circle, theme: Theme) -> list[pydeck.Layer]:
    stack = [
        pydeck.Layer(
            "PathLayer", id="around", data=[{"path": [list(point) for point in circle.ring]}], get_path="path",
            get_color=rgb(theme.focus), width_units='"pixels"', get_width=2,
        )
    ]  # fmt: skip
    if circle.found:
        stack.append(
            pydeck.Layer(
                "ScatterplotLayer", id="around-found", data=[{"p": list(point)} for point in circle.found],
                get_position="p", radius_units='"pixels"', get_radius=8, filled=False, stroked=True,
                get_line_color=rgb(theme.focus), line_width_units='"pixels"', get_line_width=2,
            )
        )  # fmt: skip
    return stack


def _path(path: Sequence[tuple[float, float]], theme: Theme) -> list[pydeck.Layer]:
    """The measured way, its places numbered in their order; from three places on also the way back, thin."""
    rows = [{"p": list(point), "n": str(number)} for number, point in enumerate(path, start=1)]
    lines = [{"path": [one["p"] for one in rows], "width": 3}]
    if len(path) > 2:
        lines.append({"path": [rows[-1]["p"], rows[0]["p"]], "width": 1})
    return [
        pydeck.Layer(
            "PathLayer", id="measured", data=lines, get_path="path", get_width="width", width_units='"pixels"',
            get_color=rgb(theme.focus), joint_rounded=True, cap_rounded=True,
        ),
        pydeck.Layer(
            "TextLayer", id="measured-places", data=rows, get_position="p", get_text="n", get_color=rgb(theme.panel),
            get_size=14, size_units='"pixels"', font_family='"IBM Plex Sans"', font_weight=600, background=True,
            get_background_color=rgb(theme.focus), background_padding=[5, 2],
        ),
    ]  # fmt: skip
