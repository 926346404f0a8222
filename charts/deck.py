"""The city as a pydeck map without tiles: one thematic fill, roads, stations and alert signs on our own outlines.

No `map_style` is ever passed, because Streamlit would fetch tiles for it; texts from outside are escaped before they
reach the tooltip; the view depends on the geometry alone, so that a refresh leaves the viewer where they are.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pydeck

from charts.city_map import Marker, Rectangle
from charts.glyphs import glyph
from charts.theme import CONDENSED, DESK, PRIORITY_WORDS, WALL, Theme, text_width_px
from core.alert import PRIORITIES
from core.formats import number

LAYERS = ("roads", "water", "stations", "names", "alerts")
ROAD_BREAKS = (0.25, 0.4, 0.55, 0.75)  # speed as a share of free flow: below the first is the worst class
WORDS = {
    "vi": {"no_data": "không có dữ liệu", "below": "dưới", "from": "từ"},
    "en": {"no_data": "no data", "below": "under", "from": "from"},
}
ARCHIPELAGOS = (
    ((112.3, 16.4), "Quần đảo Hoàng Sa\n(Việt Nam)", "Hoàng Sa Islands\n(Viet Nam)"),
    ((114.2, 9.6), "Quần đảo Trường Sa\n(Việt Nam)", "Trường Sa Islands\n(Viet Nam)"),
)
_HATCH_STEP_DEGREES = 0.0022
_ICON_PX = 64
_ROW_PX = 28
_NAME_PX = 15
_KM_PER_DEGREE = 111.32

Colour = list[int]


def deck(
    geometry: Mapping[str, Any] | None,
    *,
    theme: Theme,
    language: str = "vi",
    fill: Mapping[str, float | None] | None = None,
    breaks: Sequence[float] = (),
    decimals: int = 0,
    unit: str = "",
    notes: Mapping[str, str] | None = None,
    segments: Mapping[str, str] | None = None,
    relative_speed: Mapping[str, float | None] | None = None,
    stations: pd.DataFrame | None = None,
    markers: Iterable[Marker] = (),
    show: Collection[str] = LAYERS,
    view: pydeck.ViewState | None = None,
    height_px: int = 640,
) -> pydeck.Deck:
    """A deck for `st.pydeck_chart`.

    `geometry`: see `city_map`. `fill` maps ward code -> value in `unit` (None: no data, hatched) and `breaks` are the
    inner class bounds of `breaks_for`; without `fill` the wards are plain ground. `notes` maps ward code -> why a value
    of it is no news, one line for the tooltip. Roads take `relative_speed`
    (site_id -> share of free flow) or, above it, `segments` (site_id -> priority). `stations` has site_id, name,
    latitude, longitude and optionally `text`, one line for the tooltip. `show` names the layers that are switched on.
    """
    features = [] if geometry is None else list(geometry["features"])
    markers = sorted(markers, key=lambda marker: -PRIORITIES.index(marker.priority))
    if view is None:
        points = _points(features)
        if not points and stations is not None:
            points = list(zip(stations["longitude"].astype(float), stations["latitude"].astype(float), strict=True))
        view = view_of(points, height_px)
    layers: list[pydeck.Layer] = []
    wards = _of(features, "ward")
    if wards:
        layers += _ward_layers(wards, theme, language, fill, breaks, decimals, unit, notes or {})
    if "water" in show:
        layers += _plain_layer("water", _of(features, "water"), theme.water, 3.0)
    if "roads" in show:
        layers += _plain_layer("minor-roads", _of(features, "minor_road"), theme.minor, 0.8)
        layers += _plain_layer("roads", _of(features, "road"), theme.road, 2.2)
    layers += _road_layers(_of(features, "road"), theme, language, relative_speed or {}, segments or {})
    if "stations" in show and stations is not None and len(stations):
        layers.append(_station_layer(stations, theme))
    if "names" in show and wards:
        signs = _sign_boxes(markers if "alerts" in show else [], stations if "stations" in show else None, view)
        layers.append(_name_layer(wards, theme, fill, breaks, signs, view))
    layers.append(archipelagos(theme, language))
    if "alerts" in show and markers:
        layers += marker_layers(markers, theme, language)
    return pydeck.Deck(
        layers=layers,
        initial_view_state=view,
        map_provider=None,
        height=height_px,
        tooltip={
            "html": "{tooltip}",
            "style": {
                "backgroundColor": theme.panel, "color": theme.ink1, "border": f"1px solid {theme.line2}",
                "borderRadius": "4px", "fontFamily": CONDENSED, "fontSize": "15px", "padding": "6px 10px",
            },
        },
    )  # fmt: skip


def archipelagos(theme: Theme, language: str) -> pydeck.Layer:
    """The names of Hoàng Sa and Trường Sa where they lie."""
    rows = [
        {"position": list(place), "name": english if language == "en" else vietnamese}
        for place, vietnamese, english in ARCHIPELAGOS
    ]
    return pydeck.Layer(
        "TextLayer", id="archipelagos", data=rows, get_position="position", get_text="name",
        get_color=rgb(theme.ink1), get_size=15, size_units='"pixels"', font_family='"IBM Plex Sans"', font_weight=600,
        character_set='"auto"', line_height=1.25,
    )  # fmt: skip


def breaks_for(values: Iterable[float | None], classes: int = 5) -> list[float]:
    """Inner bounds of classes with about equally many values, rounded to two digits so that a legend can be read.

    At most `classes` - 1 bounds, strictly rising; fewer when the values do not differ enough, none without values.
    """
    known = np.array([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)
    if len(known) == 0 or known.min() == known.max():
        return []
    bounds: list[float] = []
    for bound in np.quantile(known, np.linspace(0, 1, classes + 1)[1:-1]).tolist():
        rounded = _two_digits(bound, float(known.max() - known.min()))
        if known.min() < rounded <= known.max() and (not bounds or rounded > bounds[-1]):
            bounds.append(rounded)
    return bounds


def class_colour(value: float | None, breaks: Sequence[float], theme: Theme) -> str | None:
    """The fill of a value: a value on a bound belongs to the class above it; None for no data."""
    if value is None or not math.isfinite(value):
        return None
    return _ramp(len(breaks) + 1, theme)[bisect_right(breaks, value)]


def choropleth_legend(
    breaks: Sequence[float],
    *,
    theme: Theme,
    language: str = "vi",
    title: str = "",
    unit: str = "",
    decimals: int = 0,
    no_data: bool = False,
    text_px: float = 14.0,
) -> str:
    """SVG of the classes with their bounds printed, and the hatched box only if some area has no data."""
    words = WORDS["en" if language == "en" else "vi"]
    texts = class_texts(breaks, decimals, language)
    boxes = list(zip(_ramp(len(breaks) + 1, theme), texts, strict=True))
    head = f"{title} ({unit})" if title and unit else title or unit
    pitch, key = text_px * 1.5, text_px * 1.6
    rows = len(boxes) + no_data + bool(head)
    wide = max(text_width_px(text, text_px) for text in (*texts, words["no_data"] if no_data else "", head)) * 1.04
    width, height = math.ceil(wide + key + text_px), math.ceil(rows * pitch + 4)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map-legend" role="img" '
        f'aria-label="{escape(head, quote=True)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{CONDENSED}" font-size="{text_px:g}">'
    ]
    y = 2.0
    if head:
        parts.append(f'<text x="0" y="{y + text_px:.1f}" font-weight="600" fill="{theme.ink1}">{escape(head)}</text>')
        y += pitch
    for colour, text in boxes:
        parts.append(_legend_row(y, key, text_px, f'fill="{colour}" stroke="{theme.line2}"', text, theme))
        y += pitch
    if no_data:
        parts.append(_legend_row(y, key, text_px, f'fill="none" stroke="{theme.line2}"', words["no_data"], theme))
        top, low = y + text_px * 0.22, y + text_px * 1.12
        strokes = "".join(
            f"M{key * part:.1f} {low:.1f}L{key * part + (low - top):.1f} {top:.1f}" for part in (0.02, 0.22, 0.42)
        )
        parts.append(f'<path d="{strokes}" fill="none" stroke="{theme.line2}"/>')
    return "".join(parts) + "</svg>"


def view_of(points: Sequence[tuple[float, float]], height_px: int) -> pydeck.ViewState:
    """The view that holds all points (longitude, latitude); rounded, so that it is the same in every refresh."""
    if not points:
        return pydeck.ViewState(longitude=105.8, latitude=16.0, zoom=4.5)
    longitudes, latitudes = [point[0] for point in points], [point[1] for point in points]
    east, north = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
    high_km = max((max(latitudes) - min(latitudes)) * _KM_PER_DEGREE, 1.0)
    # Web Mercator: at zoom 0 the equator (40,075 km) is 512 px long
    zoom = math.log2(height_px * 0.94 / high_km * 40075 * math.cos(math.radians(north)) / 512)
    return pydeck.ViewState(
        longitude=round(east, 5), latitude=round(north, 5), zoom=round(zoom, 2), min_zoom=3, max_zoom=18
    )


def rgb(colour: str, alpha: int = 255) -> Colour:
    """«#RRGGBB» as deck takes it."""
    return [int(colour[index : index + 2], 16) for index in (1, 3, 5)] + [alpha]


def _of(features: Iterable[Mapping[str, Any]], layer: str) -> list[Mapping[str, Any]]:
    return [one for one in features if one["properties"].get("layer") == layer and one.get("geometry")]


def _points(features: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
    return [
        (float(point[0]), float(point[1]))
        for feature in features
        if feature["properties"].get("layer") in ("city", "ward")
        for ring in rings(feature["geometry"])
        for point in ring
    ]


def rings(shape: Mapping[str, Any]) -> list[list[list[float]]]:
    """All rings of an area as GeoJSON has it; none of anything else."""
    if shape["type"] == "MultiPolygon":
        return [ring for polygon in shape["coordinates"] for ring in polygon]
    return list(shape["coordinates"]) if shape["type"] == "Polygon" else []


def _dressed(feature: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """The feature's shape with our own properties only: nothing unescaped from a file reaches the tooltip."""
    return {"type": "Feature", "geometry": feature["geometry"], "properties": properties}


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    """Features as a FeatureCollection."""
    return {"type": "FeatureCollection", "features": features}


def _ramp(classes: int, theme: Theme) -> list[str]:
    """Colours for the classes; the darkest contrast stays for the last one. Past five, they are mixed in between."""
    last = len(theme.classes) - 1
    if classes == 1:
        return [theme.classes[last // 2]]
    places = [index * last / (classes - 1) for index in range(classes)]
    if classes <= len(theme.classes):
        return [theme.classes[round(place)] for place in places]
    return [_mixed(theme.classes[math.floor(place)], theme.classes[math.ceil(place)], place % 1) for place in places]


def _mixed(first: str, second: str, share: float) -> str:
    parts = zip(rgb(first)[:3], rgb(second)[:3], strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02X}" for one, other in parts)


def _two_digits(value: float, span: float) -> float:
    """Rounded to a hundredth of the span's power of ten, so that near bounds stay apart."""
    step = 10.0 ** (math.floor(math.log10(span)) - 1)
    return round(round(value / step) * step, 10)


def class_texts(breaks: Sequence[float], decimals: int, language: str) -> list[str]:
    """The classes in words, lowest first: «dưới 10», «10 – 20», «từ 20»."""
    words = WORDS["en" if language == "en" else "vi"]
    texts = [number(bound, max(decimals, _decimals(bound)), language) for bound in breaks]
    if not texts:
        return ["–"]
    middle = [f"{low} – {high}" for low, high in pairwise(texts)]
    return [f"{words['below']} {texts[0]}", *middle, f"{words['from']} {texts[-1]}"]


def _decimals(bound: float) -> int:
    """Decimals that the bound itself has, so that a legend never prints another bound than the map used."""
    text = f"{bound:.6f}".rstrip("0")
    return len(text.partition(".")[2])


def _legend_row(y: float, key: float, text_px: float, paint: str, text: str, theme: Theme) -> str:
    return (
        f'<rect x="1" y="{y + text_px * 0.22:.1f}" width="{key - 2:.1f}" height="{text_px * 0.9:.1f}" {paint}/>'
        f'<text x="{key + text_px * 0.5:.1f}" y="{y + text_px:.1f}" fill="{theme.ink2}">{escape(text)}</text>'
    )


def _ward_layers(
    wards: Sequence[Mapping[str, Any]],
    theme: Theme,
    language: str,
    fill: Mapping[str, float | None] | None,
    breaks: Sequence[float],
    decimals: int,
    unit: str,
    notes: Mapping[str, str],
) -> list[pydeck.Layer]:
    words = WORDS["en" if language == "en" else "vi"]
    drawn, silent = [], []
    for ward in wards:
        properties = ward["properties"]
        code, name = str(properties.get("code", "")), escape(str(properties.get("name", "")))
        tooltip, colour = f"<b>{name}</b>", theme.land
        if fill is not None:
            value = fill.get(code)
            found = class_colour(value, breaks, theme)
            if found is None:
                silent.append(ward)
                tooltip += f"<br>{words['no_data']}"
                colour = theme.bg
            else:
                colour = found
                tooltip += f"<br>{number(value, decimals, language)} {escape(unit)}".rstrip()
        if code in notes:
            tooltip += f"<br>⊤ {escape(notes[code])}"
        drawn.append(_dressed(ward, code=code, tooltip=tooltip, fill=rgb(colour)))
    layers = [
        pydeck.Layer(
            "GeoJsonLayer",
            id="wards",
            data=collection(drawn),
            get_fill_color="properties.fill",
            get_line_color=rgb(theme.line2 if fill is not None else theme.band_edge),
            line_width_units='"pixels"',
            get_line_width=1,
            pickable=True,
        )
    ]
    if silent:
        layers.append(
            pydeck.Layer(
                "PathLayer",
                id="no-data",
                data=[{"path": path} for ward in silent for path in hatch(rings(ward["geometry"]))],
                get_path="path",
                get_color=rgb(theme.line2),
                width_units='"pixels"',
                get_width=1,
            )
        )
    return layers


def hatch(
    outline: Sequence[Sequence[Sequence[float]]], step_degrees: float = _HATCH_STEP_DEGREES
) -> list[list[list[float]]]:
    """Diagonal strokes inside the rings (even-odd, so holes stay empty): deck has no pattern of its own."""
    edges = [edge for ring in outline for edge in pairwise(ring)]
    offsets = [point[1] - point[0] for ring in outline for point in ring]
    strokes: list[list[list[float]]] = []
    first = math.ceil(min(offsets) / step_degrees)
    for step in range(first, math.floor(max(offsets) / step_degrees) + 1):
        offset = step * step_degrees  # the line latitude = longitude + offset
        crossings = []
        for start, end in edges:
            from_line, to_line = start[1] - start[0] - offset, end[1] - end[0] - offset
            if (from_line > 0) != (to_line > 0):
                share = from_line / (from_line - to_line)
                crossings.append(start[0] + share * (end[0] - start[0]))
        crossings.sort()
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            if right - left > 1e-5:  # a corner that is only touched gives no stroke
                strokes.append([[round(left, 6), round(left + offset, 6)], [round(right, 6), round(right + offset, 6)]])
    return strokes


def _plain_layer(key: str, features: Sequence[Mapping[str, Any]], colour: str, width_px: float) -> list[pydeck.Layer]:
    if not features:
        return []
    return [
        pydeck.Layer(
            "GeoJsonLayer",
            id=key,
            data=collection([_dressed(feature) for feature in features]),
            get_fill_color=rgb(colour),
            get_line_color=rgb(colour),
            line_width_units='"pixels"',
            get_line_width=width_px,
            line_joint_rounded=True,
            line_cap_rounded=True,
        )
    ]


def _road_layers(
    roads: Sequence[Mapping[str, Any]],
    theme: Theme,
    language: str,
    relative_speed: Mapping[str, float | None],
    segments: Mapping[str, str],
) -> list[pydeck.Layer]:
    """Measured roads by class of relative speed, the slowest strongest; abnormal ones in their priority's colour."""
    words = PRIORITY_WORDS["en" if language == "en" else "vi"]
    slowest_last = _ramp(len(ROAD_BREAKS) + 1, theme)
    cores, casings = [], []
    for road in roads:
        site_id = str(road["properties"].get("site_id", ""))
        tooltip = f"<b>{escape(str(road['properties'].get('name', '')))}</b>"
        if site_id in segments:
            colours = theme.priority(segments[site_id])
            tooltip += f"<br>{words[segments[site_id]]}"
            casings.append((PRIORITIES.index(segments[site_id]), _dressed(road, colour=rgb(colours.casing), width=8)))
            cores.append(
                (
                    PRIORITIES.index(segments[site_id]),
                    _dressed(road, colour=rgb(colours.broad), width=5.5, tooltip=tooltip),
                )
            )
        elif site_id in relative_speed:
            ratio = relative_speed[site_id]
            if ratio is None or not math.isfinite(ratio):
                tooltip += f"<br>{words['unknown']}"
                colour, width = theme.line2, 1.5
            else:
                tooltip += f"<br>{number(ratio * 100, 0, language)}%"
                colour, width = slowest_last[len(ROAD_BREAKS) - bisect_right(ROAD_BREAKS, ratio)], 4.0
                casings.append((-1, _dressed(road, colour=rgb(theme.line2), width=width + 1.5)))
            cores.append((-1, _dressed(road, colour=rgb(colour), width=width, tooltip=tooltip)))
    layers = []
    for key, pairs in (("road-casings", casings), ("road-classes", cores)):
        if pairs:
            layers.append(
                pydeck.Layer(
                    "GeoJsonLayer",
                    id=key,
                    data=collection([feature for _, feature in sorted(pairs, key=lambda pair: pair[0])]),
                    get_line_color="properties.colour",
                    get_line_width="properties.width",
                    line_width_units='"pixels"',
                    line_joint_rounded=True,
                    line_cap_rounded=True,
                    pickable=key == "road-classes",
                )
            )
    return layers


def _station_layer(stations: pd.DataFrame, theme: Theme) -> pydeck.Layer:
    rows = []
    for station in stations.to_dict("records"):
        text = str(station.get("text") or "")
        tooltip = f"<b>{escape(str(station['name']))}</b>" + (f"<br>{escape(text)}" if text else "")
        position = [float(station["longitude"]), float(station["latitude"])]
        if all(math.isfinite(degree) for degree in position):
            rows.append({"site_id": str(station["site_id"]), "position": position, "tooltip": tooltip})
    return pydeck.Layer(
        "ScatterplotLayer",
        id="stations",
        data=rows,
        get_position="position",
        radius_units='"pixels"',
        get_radius=4,
        get_fill_color=rgb(theme.panel),
        get_line_color=rgb(theme.data),
        stroked=True,
        line_width_units='"pixels"',
        get_line_width=1.8,
        pickable=True,
    )


def _px_per_degree(view: pydeck.ViewState) -> tuple[float, float]:
    """Pixels per degree of longitude and of latitude in the middle of a Web Mercator view."""
    across = 512 * 2**view.zoom / 360
    return across, across / math.cos(math.radians(view.latitude))


def _sign_boxes(markers: Sequence[Marker], stations: pd.DataFrame | None, view: pydeck.ViewState) -> list[Rectangle]:
    """What a name must not cover, in pixels of the first view."""
    across, down = _px_per_degree(view)
    boxes = []
    for marker in markers:
        x, y = marker.longitude * across, -marker.latitude * down
        right = 22 + (text_width_px(marker.label, 16, condensed=True) + 8 if marker.label else 0)
        boxes.append(Rectangle(x - 18, y - 18, x + right, y + 18))
    if stations is not None:
        for longitude, latitude in zip(stations["longitude"].tolist(), stations["latitude"].tolist(), strict=True):
            x, y = longitude * across, -latitude * down
            boxes.append(Rectangle(x - 5, y - 5, x + 5, y + 5))
    return boxes


def _name_layer(
    wards: Sequence[Mapping[str, Any]],
    theme: Theme,
    fill: Mapping[str, float | None] | None,
    breaks: Sequence[float],
    signs: Sequence[Rectangle],
    view: pydeck.ViewState,
) -> pydeck.Layer:
    """Names in an ink that stands out on their ward's fill, moved aside where the first view has a sign or station."""
    across, down = _px_per_degree(view)
    rows = []
    for ward in wards:
        name, code = str(ward["properties"].get("name", "")), str(ward["properties"].get("code", ""))
        ring = max(rings(ward["geometry"]), key=len)
        longitude, latitude = (sum(point[axis] for point in ring[:-1]) / (len(ring) - 1) for axis in (0, 1))
        half = text_width_px(name, _NAME_PX, condensed=True) / 2
        for shift in (0, 14, -14, 26, -26, 40, -40):
            x, y = longitude * across, -latitude * down + shift
            if not any(Rectangle(x - half, y - 9, x + half, y + 9).meets(sign) for sign in signs):
                break
        else:
            shift = 0
        ground = None if fill is None else class_colour(fill.get(code), breaks, theme)
        rows.append(
            {
                "position": [round(longitude, 5), round(latitude, 5)],
                "name": name,
                "offset": [0, shift],
                "colour": rgb(ink_on(ground or theme.land)),
            }
        )
    return pydeck.Layer(
        "TextLayer",
        id="names",
        data=rows,
        get_position="position",
        get_text="name",
        get_color="colour",
        get_pixel_offset="offset",
        get_size=_NAME_PX,
        size_units='"pixels"',
        font_family='"IBM Plex Sans Condensed"',
        font_weight=500,
        character_set='"auto"',
    )


def ink_on(ground: str) -> str:
    """The desk's or the wall's darkest or lightest ink, whichever differs more from the ground (WCAG luminance)."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb(ground)[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return DESK.ink1 if luminance > 0.19 else WALL.ink1


def marker_layers(markers: Sequence[Marker], theme: Theme, language: str) -> list[pydeck.Layer]:
    """The signs; several at one place stand in a row, worst first, and the worst one's label follows the row."""
    words = PRIORITY_WORDS["en" if language == "en" else "vi"]
    together: dict[tuple[float, float], list[Marker]] = {}
    for marker in markers:
        together.setdefault((round(marker.longitude, 4), round(marker.latitude, 4)), []).append(marker)
    rows, texts = [], []
    for place in together.values():
        for index, marker in enumerate(place):
            label = escape(marker.label)
            rows.append(
                {
                    "site_id": marker.site_id,
                    "position": [marker.longitude, marker.latitude],
                    "offset": [index * _ROW_PX, 0],
                    "tooltip": f"<b>{words[marker.priority]}</b>" + (f"<br>{label}" if label else ""),
                    "size": 20 if marker.priority == "low" else 30,
                    "icon": _icon(marker.priority, marker.state, theme),
                }
            )
        if place[0].label:
            position = [place[0].longitude, place[0].latitude]
            offset = [20 + (len(place) - 1) * _ROW_PX, 0]
            texts.append({"position": position, "label": place[0].label, "offset": offset})
    layers = [
        pydeck.Layer(
            "IconLayer",
            id="alerts",
            data=rows[::-1],  # the worst is drawn last
            get_position="position",
            get_icon="icon",
            get_size="size",
            get_pixel_offset="offset",
            size_units='"pixels"',
            pickable=True,
        )
    ]
    if texts:
        layers.append(
            pydeck.Layer(
                "TextLayer",
                id="alert-labels",
                data=texts,
                get_position="position",
                get_text="label",
                get_color=rgb(theme.ink1),
                get_size=16,
                size_units='"pixels"',
                get_pixel_offset="offset",
                get_text_anchor='"start"',
                font_family='"IBM Plex Sans Condensed"',
                font_weight=600,
                character_set='"auto"',
                background=True,
                get_background_color=rgb(theme.bg, 210),
                background_padding=[4, 2],
            )
        )
    return layers


@lru_cache(maxsize=64)
def _icon(priority: str, state: str, theme: Theme) -> dict[str, str | float]:
    """The sign as a data address: local, so that no request leaves the browser."""
    svg = glyph(priority, state, size_px=_ICON_PX, theme=theme, label="")
    url = "data:image/svg+xml;charset=utf-8," + quote(svg)
    return {"url": url, "width": _ICON_PX, "height": _ICON_PX, "anchorY": _ICON_PX / 2}
