"""The city as an SVG without tiles: grey ground, and colour only where something is abnormal.

The ground (wards, water, roads) is drawn once per geometry, theme and size; a refresh draws only tints, segments,
names and markers on it. Texts never cover each other or a marker: what finds no place is left out, worst first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

from charts.glyphs import BOX, SHAPES, glyph_shape
from charts.theme import CONDENSED, Theme, text_width_px
from core.alert import PRIORITIES
from core.formats import number

NO_DATA = "no_data"
MOST_NAMES = 8  # names that only help to find one's way; abnormal wards come on top
LEGEND_WORDS = {
    "vi": {"segment": "đường có cảnh báo", "ward": "địa bàn có cảnh báo", NO_DATA: "không có dữ liệu"},
    "en": {"segment": "road with an alert", "ward": "area with an alert", NO_DATA: "no data"},
}
MAP_WORDS = {"vi": "Bản đồ", "en": "Map"}
_KM_PER_DEGREE = 111.32
_LEAST_STEP_PX = 0.6  # nearer points of an outline cannot be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """An alert where it is: `state` after ISA-18.2, `label` the few characters beside the sign («38 cm»)."""

    site_id: str
    latitude: float
    longitude: float
    priority: str
    state: str = "UNACK"
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The centre of a ward, for cities whose boundaries nobody has imported yet."""

    code: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A view of `width_km` around a point, which gets the selection ring."""

    latitude: float
    longitude: float
    width_km: float


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Rectangle) -> bool:
        """True when the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class _Ward:
    code: str
    name: str
    path: str
    middle: tuple[float, float]
    area_px2: float


@dataclass(frozen=True, slots=True)
class _Ground:
    """What does not change from refresh to refresh."""

    project: Callable[[float, float], tuple[float, float]]
    px_per_km: float
    wards: Mapping[str, _Ward]
    land: str
    lines: str  # water and roads
    segments: Mapping[str, tuple[str, tuple[tuple[float, float], ...]]]


class _Same:
    """A value that is equal only to itself, so that a cache can hold a dict; it keeps the value alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def city_map(
    geometry: Mapping[str, Any] | None,
    *,
    theme: Theme,
    language: str = "vi",
    size: tuple[int, int] = (660, 760),
    text_px: float = 22.0,
    wards: Mapping[str, str] | None = None,
    segments: Mapping[str, str] | None = None,
    markers: Iterable[Marker] = (),
    names: Collection[str] | None = None,
    places: Sequence[Place] = (),
    around: Around | None = None,
    message: str = "",
    alt: str = "",
) -> str:
    """SVG of the city, `size` in px, all letters and signs in proportion to `text_px`.

    `geometry` is a GeoJSON FeatureCollection in degrees whose features carry `layer` (city, ward, water, road,
    minor_road), `name`, `code` (wards) and `site_id` (roads); hand over the same dict each time, the ground is kept
    for it. `wards` maps code -> priority or «no_data», `segments` site_id -> priority; what is not in them is normal.
    `names` are the codes of wards that are named while normal (default: the eight largest). Without geometry the
    `places` stand for wards, and `message` says in one sentence what is missing.
    """
    width, height = size
    abnormal_wards, abnormal_segments = dict(wards or {}), dict(segments or {})
    shown = sorted(markers, key=lambda marker: -PRIORITIES.index(marker.priority))
    legend, legend_height = _legend(abnormal_wards, abnormal_segments, theme, language, width, text_px)
    sentence = _wrapped(message, width, text_px)
    map_height = height - math.ceil(legend_height + len(sentence) * text_px * 1.4)
    if geometry is None:
        points = [(place.longitude, place.latitude) for place in places]
        points += [(marker.longitude, marker.latitude) for marker in shown]
        ground = _ground(_Same({"features": []}), theme, (width, map_height), text_px, around, tuple(points))
    else:
        ground = _ground(_Same(geometry), theme, (width, map_height), text_px, around, ())

    board = _Board(width, map_height, text_px, theme)
    bar = _scale_bar(board, ground.px_per_km, language)
    below, above = _abnormal_areas(ground, abnormal_wards, theme, text_px)
    roads = _abnormal_segments(board, ground, abnormal_segments)
    dots = _place_dots(board, ground, places, abnormal_wards) if geometry is None else ""
    signs = _signs(board, ground, shown)
    board.keep_clear_of_signs()
    labels = _marker_labels(board, ground, shown)
    named = _names(board, ground, abnormal_wards, names, places if geometry is None else ())
    ring = ""
    if around is not None:
        middle_x, middle_y = ground.project(around.longitude, around.latitude)
        ring = (
            f'<circle cx="{middle_x:.1f}" cy="{middle_y:.1f}" r="{text_px * 2.4:.1f}" fill="none" '
            f'stroke="{theme.focus}" stroke-width="2"/>'
        )
    words = "".join(
        f'<text class="message" x="{width / 2:g}" y="{map_height + text_px * (1.05 + 1.4 * row):.1f}" '
        f'text-anchor="middle" fill="{theme.ink2}">{escape(line)}</text>'
        for row, line in enumerate(sentence)
    )
    if legend:
        legend = f'<g transform="translate(0 {height - legend_height:.1f})">{legend}</g>'
    clip = f"clip-{theme.name}-{width}-{map_height}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="city-map" role="img" '
        f'aria-label="{escape(alt or MAP_WORDS[_language(language)], quote=True)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{CONDENSED}" font-size="{text_px:g}" font-weight="500">'
        f'<defs><clipPath id="{clip}"><path d="M0 0H{width}V{map_height}H0z"/></clipPath>'
        f'{_hatch(theme, text_px)}</defs><g clip-path="url(#{clip})">{ground.land}{below}{ground.lines}{above}'
        f"{roads}{dots}{ring}{named}{signs}{labels}</g>"
        f"{bar}{words}{legend}</svg>"
    )


def _language(language: str) -> str:
    return "en" if language == "en" else "vi"


def _wrapped(sentence: str, width: float, size_px: float) -> list[str]:
    """The sentence in lines that fit the width; an empty sentence has none."""
    lines: list[str] = []
    for word in sentence.split():
        if lines and text_width_px(f"{lines[-1]} {word}", size_px, condensed=True) < width * 0.95:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


# ---------------------------------------------------------------- the ground


@lru_cache(maxsize=16)
def _ground(
    geometry: _Same,
    theme: Theme,
    size: tuple[int, int],
    text_px: float,
    around: Around | None,
    points: tuple[tuple[float, float], ...],
) -> _Ground:
    features = [feature for feature in geometry.value["features"] if feature.get("geometry")]
    outline = [*points]
    for feature in features:
        outline += [point for line in _lines(feature["geometry"]) for point in line]
    project, px_per_km = _projection(outline, size, text_px, around)

    def path(feature: Mapping[str, Any], *, closed: bool) -> str:
        lines = (_screen(line, project) for line in _lines(feature["geometry"]))
        return "".join(_move(line, closed=closed) for line in lines if _seen(line, size))

    of: dict[str, list[Mapping[str, Any]]] = {}
    for feature in features:
        of.setdefault(feature["properties"].get("layer", ""), []).append(feature)
    wards: dict[str, _Ward] = {}
    for feature in of.get("ward", ()):
        properties = feature["properties"]
        area, middle = _largest_middle(_lines(feature["geometry"]), project)
        code = str(properties.get("code", ""))
        outline_path = path(feature, closed=True)
        if outline_path:
            wards[code] = _Ward(code, str(properties.get("name", code)), outline_path, middle, area)
    segments: dict[str, tuple[str, tuple[tuple[float, float], ...]]] = {}
    for feature in of.get("road", ()):
        site_id = feature["properties"].get("site_id")
        if site_id:
            on_screen = tuple(point for line in _lines(feature["geometry"]) for point in _screen(line, project))
            segments[str(site_id)] = (path(feature, closed=False), on_screen)

    def strokes(roads: Iterable[Mapping[str, Any]], colour: str, width_px: float) -> str:
        joined = "".join(path(feature, closed=False) for feature in roads)
        return (
            f'<path d="{joined}" fill="none" stroke="{colour}" stroke-width="{width_px:.1f}" stroke-linecap="round" '
            'stroke-linejoin="round"/>'
            if joined
            else ""
        )

    edge = max(text_px / 20, 0.8)
    land = "".join(path(feature, closed=True) for feature in of.get("city", ())) or "".join(
        ward.path for ward in wards.values()
    )
    borders = "".join(ward.path for ward in wards.values())
    grown = _growth(px_per_km, size, outline)
    water = []
    for feature in of.get("water", ()):
        area_like = "Polygon" in feature["geometry"]["type"]
        width_km = float(feature["properties"].get("width_km", 0.18))
        paint = (
            f'fill="{theme.water}"'
            if area_like
            else f'fill="none" stroke="{theme.water}" stroke-width="{max(width_km * px_per_km, 3.0):.1f}" '
            'stroke-linecap="round" stroke-linejoin="round"'
        )
        shape = path(feature, closed=area_like)
        if shape:
            water.append(f'<path d="{shape}" {paint}/>')
    roads = of.get("road", ())
    arterials = [feature for feature in roads if feature["properties"].get("road_class") == "arterial"]
    collectors = [feature for feature in roads if feature["properties"].get("road_class") != "arterial"]
    return _Ground(
        project=project,
        px_per_km=px_per_km,
        wards=wards,
        land=(
            (
                f'<path d="{land}" fill="{theme.land}" stroke="{theme.band_edge}" stroke-width="{edge:.1f}"/>'
                if land
                else ""
            )
            + (
                f'<path d="{borders}" fill="none" stroke="{theme.band_edge}" stroke-width="{edge:.1f}"/>'
                if borders
                else ""
            )
        ),
        lines="".join(water)
        + strokes(of.get("minor_road", ()), theme.minor, text_px * 0.05 * grown)
        + strokes(collectors, theme.road, text_px * 0.08 * grown)
        + strokes(arterials, theme.road, text_px * 0.15 * grown),
        segments=segments,
    )


def _growth(px_per_km: float, size: tuple[int, int], outline: Sequence[tuple[float, float]]) -> float:
    """How much wider roads are drawn in a close view than in the city view: the root of the zoom, at most threefold."""
    _, whole = _projection(outline, size, 0.0, None)
    return min(max(math.sqrt(px_per_km / whole), 1.0), 3.0)


def _projection(
    outline: Sequence[tuple[float, float]], size: tuple[int, int], text_px: float, around: Around | None
) -> tuple[Callable[[float, float], tuple[float, float]], float]:
    """Equirectangular about the middle latitude: true to shape within a city, and north is up."""
    width, height = size
    if around is not None:
        east, north = around.longitude, around.latitude
        px_per_km = width / around.width_km
    elif outline:
        longitudes, latitudes = [point[0] for point in outline], [point[1] for point in outline]
        east, north = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
        wide = (max(longitudes) - min(longitudes)) * _KM_PER_DEGREE * math.cos(math.radians(north))
        high = (max(latitudes) - min(latitudes)) * _KM_PER_DEGREE
        margin = text_px * 0.9  # a sign on the border still fits
        px_per_km = min((width - 2 * margin) / max(wide, 0.5), (height - 2 * margin) / max(high, 0.5))
    else:
        east, north, px_per_km = 0.0, 0.0, 10.0
    scale_y = _KM_PER_DEGREE * px_per_km
    scale_x = scale_y * math.cos(math.radians(north))

    def project(longitude: float, latitude: float) -> tuple[float, float]:
        return width / 2 + (longitude - east) * scale_x, height / 2 - (latitude - north) * scale_y

    return project, px_per_km


def _lines(shape: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """All rings or lines of a GeoJSON geometry as (longitude, latitude); points have none."""
    kind, coordinates = shape["type"], shape["coordinates"]
    if kind == "LineString":
        nested = [coordinates]
    elif kind in ("Polygon", "MultiLineString"):
        nested = coordinates
    elif kind == "MultiPolygon":
        nested = [ring for polygon in coordinates for ring in polygon]
    else:
        nested = []
    return [[(float(point[0]), float(point[1])) for point in line] for line in nested]


def _screen(
    line: Iterable[tuple[float, float]], project: Callable[[float, float], tuple[float, float]]
) -> list[tuple[float, float]]:
    """Projected points, without those that lie too near the one before; the last one always stays."""
    points: list[tuple[float, float]] = []
    for longitude, latitude in line:
        point = project(longitude, latitude)
        if len(points) < 2 or math.dist(point, points[-1]) >= _LEAST_STEP_PX:
            points.append(point)
        else:
            points[-1] = point
    return points


def _seen(line: Sequence[tuple[float, float]], size: tuple[int, int]) -> bool:
    """True when the line's box reaches into the picture."""
    across, down = [x for x, _ in line], [y for _, y in line]
    return bool(line) and max(across) >= 0 and min(across) <= size[0] and max(down) >= 0 and min(down) <= size[1]


def _move(line: Sequence[tuple[float, float]], *, closed: bool) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) + ("z" if closed else "")


def _largest_middle(
    rings: Sequence[Sequence[tuple[float, float]]], project: Callable[[float, float], tuple[float, float]]
) -> tuple[float, tuple[float, float]]:
    """Area [px²] and centre of mass [px] of the largest ring; (0, (0, 0)) without one."""
    best = (0.0, (0.0, 0.0))
    for ring in rings:
        points = [project(*point) for point in ring]
        origin_x, origin_y = points[0]
        doubled = moment_x = moment_y = 0.0
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            ax, ay, bx, by = ax - origin_x, ay - origin_y, bx - origin_x, by - origin_y
            cross = ax * by - bx * ay
            doubled += cross
            moment_x += (ax + bx) * cross
            moment_y += (ay + by) * cross
        if abs(doubled) / 2 > best[0]:
            best = (
                abs(doubled) / 2,
                (origin_x + moment_x / (3 * doubled), origin_y + moment_y / (3 * doubled)),
            )
    return best


# ---------------------------------------------------------------- what changes


class _Board:
    """The picture's free space: what is taken, and where a text still fits."""

    def __init__(self, width: int, height: int, text_px: float, theme: Theme) -> None:
        self.width, self.height, self.text_px, self.theme = width, height, text_px, theme
        self.taken: list[Rectangle] = []  # signs and texts: never covered
        self.avoided: list[Rectangle] = []  # coloured roads: covered only when there is no other way
        self.signs: dict[int, Rectangle] = {}

    def keep_clear_of_signs(self) -> None:
        """Whatever comes later stays clear of all markers."""
        self.taken += self.signs.values()

    def free(self, box: Rectangle, *, strict: bool) -> bool:
        """True when the box lies inside the picture and on nothing that is taken (or, if strict, avoided)."""
        if box.left < 1 or box.top < 1 or box.right > self.width - 1 or box.bottom > self.height - 1:
            return False
        if any(box.meets(other) for other in self.taken):
            return False
        return not (strict and any(box.meets(other) for other in self.avoided))

    def settle(self, boxes: Sequence[Rectangle]) -> Rectangle | None:
        """Take the first box that is free, roads respected if possible; None when no place is left."""
        for strict in (True, False):
            for box in boxes:
                if self.free(box, strict=strict):
                    self.taken.append(box)
                    return box
        return None


def _abnormal_areas(ground: _Ground, wards: Mapping[str, str], theme: Theme, text_px: float) -> tuple[str, str]:
    """Tints below the roads and edges above them, worst last so that its edge is whole."""
    below, above = [], []
    order = (NO_DATA, *PRIORITIES)
    for code, level in sorted(wards.items(), key=lambda item: order.index(item[1])):
        ward = ground.wards.get(code)
        if ward is None:
            continue
        if level == NO_DATA:
            below.append(f'<path d="{ward.path}" fill="{theme.bg}"/>')
            below.append(
                f'<path class="no-data" d="{ward.path}" fill="url(#hatch-{theme.name})" stroke="{theme.line2}"/>'
            )
        else:
            colours = theme.priority(level)
            below.append(f'<path d="{ward.path}" fill="{colours.tint}"/>')
            above.append(
                f'<path class="ward" d="{ward.path}" fill="none" stroke="{colours.line}" '
                f'stroke-width="{text_px / 15:.1f}" stroke-linejoin="round"/>'
            )
    return "".join(below), "".join(above)


def _hatch(theme: Theme, text_px: float) -> str:
    step = text_px * 0.45
    return (
        f'<pattern id="hatch-{theme.name}" width="{step:.1f}" height="{step:.1f}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M0 0V{step:.1f}" stroke="{theme.line2}" stroke-width="1.5"/></pattern>'
    )


def _abnormal_segments(board: _Board, ground: _Ground, segments: Mapping[str, str]) -> str:
    drawn = []
    width = board.text_px * 0.34
    for site_id, priority in sorted(segments.items(), key=lambda item: PRIORITIES.index(item[1])):
        if site_id not in ground.segments:
            continue
        path, points = ground.segments[site_id]
        if not path:
            continue
        colours = board.theme.priority(priority)
        for colour, stroke in ((colours.casing, width + 2.4), (colours.broad, width)):
            drawn.append(
                f'<path class="segment" d="{path}" fill="none" stroke="{colour}" stroke-width="{stroke:.1f}" '
                'stroke-linecap="round" stroke-linejoin="round"/>'
            )
        board.avoided += _beads(points, width)
    return "".join(drawn)


def _beads(points: Sequence[tuple[float, float]], width: float) -> list[Rectangle]:
    """Boxes along a line, near enough to each other that no text slips between them."""
    beads = []
    half, step = width / 2, width * 2
    for (ax, ay), (bx, by) in pairwise(points):
        count = max(math.ceil(math.dist((ax, ay), (bx, by)) / step), 1)
        for number_ in range(count + 1):
            x, y = ax + (bx - ax) * number_ / count, ay + (by - ay) * number_ / count
            beads.append(Rectangle(x - half, y - half, x + half, y + half))
    return beads


def _sign_px(priority: str, text_px: float) -> float:
    """Side of the sign's 24-unit box. A notice is a small ring: it is there, and it does not call."""
    return text_px * (1.05 if priority == "low" else 1.55)


def _signs(board: _Board, ground: _Ground, markers: Sequence[Marker]) -> str:
    """The signs, worst on top; two at one place step aside, with a line to where they belong."""
    drawn: list[str] = []
    placed: list[Rectangle] = []
    for number_, marker in enumerate(markers):
        side = _sign_px(marker.priority, board.text_px)
        home_x, home_y = ground.project(marker.longitude, marker.latitude)
        half = side / 2 * (1.0 if marker.priority == "critical" else 0.78)
        if not (-half < home_x < board.width + half and -half < home_y < board.height + half):
            continue
        x, y = home_x, home_y
        for step_x, step_y in _SIDESTEPS:
            x, y = home_x + step_x * board.text_px * 1.5, home_y + step_y * board.text_px * 1.5
            box = Rectangle(x - half, y - half, x + half, y + half)
            if not any(box.meets(other) for other in placed) and (
                step_x == step_y == 0 or board.free(box, strict=False)
            ):
                break
        else:
            x, y = home_x, home_y
        box = Rectangle(x - half, y - half, x + half, y + half)
        placed.append(box)
        board.signs[number_] = box
        lead = ""
        if (x, y) != (home_x, home_y):
            lead = (
                f'<path class="lead" d="M{home_x:.1f} {home_y:.1f}L{x:.1f} {y:.1f}" stroke="{board.theme.line2}" '
                'stroke-width="1.5"/>'
            )
        drawn.append(
            f'{lead}<g class="marker" transform="translate({x - side / 2:.1f} {y - side / 2:.1f}) '
            f'scale({side / BOX:.3f})">'
            f"{_halo(marker.priority, board.theme)}{glyph_shape(marker.priority, marker.state, board.theme)}</g>"
        )
    return "".join(reversed(drawn))


@lru_cache(maxsize=32)
def _halo(priority: str, theme: Theme) -> str:
    """A rim of the ground's colour, so that an orange sign stands out on an orange road."""
    return (
        f'<path d="{SHAPES[priority]}" fill="{theme.bg}" stroke="{theme.bg}" stroke-width="5" stroke-linejoin="round"/>'
    )


_SIDESTEPS = (
    (0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1),
    (2, 0), (-2, 0), (0, 2), (0, -2), (2, 1), (-2, 1), (2, -1), (-2, -1), (1, 2), (-1, 2), (1, -2), (-1, -2),
)  # fmt: skip


def _marker_labels(board: _Board, ground: _Ground, markers: Sequence[Marker]) -> str:
    drawn = []
    theme, size = board.theme, board.text_px * 1.05
    for number_, marker in enumerate(markers):
        sign = board.signs.get(number_)
        if sign is None or not marker.label:
            continue
        wide, high, pad = text_width_px(marker.label, size, condensed=True) * 1.04 + 10, size * 1.28, 3.0
        middle_x, middle_y = (sign.left + sign.right) / 2, (sign.top + sign.bottom) / 2
        corners = (
            (sign.right + pad, middle_y - high / 2), (sign.left - pad - wide, middle_y - high / 2),
            (middle_x - wide / 2, sign.bottom + pad), (middle_x - wide / 2, sign.top - pad - high),
            (sign.right + pad, sign.bottom - high * 0.3), (sign.right + pad, sign.top - high * 0.7),
            (sign.left - pad - wide, sign.bottom - high * 0.3), (sign.left - pad - wide, sign.top - high * 0.7),
        )  # fmt: skip
        box = board.settle([Rectangle(left, top, left + wide, top + high) for left, top in corners])
        if box is None:
            continue
        drawn.append(
            f'<path d="M{box.left:.1f} {box.top:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z" fill="{theme.bg}" '
            'fill-opacity=".82"/>'
            f'<text class="label" x="{box.left + 5:.1f}" y="{box.top + size * 0.98:.1f}" font-size="{size:.1f}" '
            f'font-weight="600" fill="{theme.ink1}">{escape(marker.label)}</text>'
        )
    return "".join(drawn)


def _names(
    board: _Board, ground: _Ground, wards: Mapping[str, str], names: Collection[str] | None, places: Sequence[Place]
) -> str:
    """Abnormal wards first and in ink1, then the others; each as near to its middle as it fits."""
    middles = {code: (ward.name, *ward.middle) for code, ward in ground.wards.items()}
    middles |= {place.code: (place.name, *ground.project(place.longitude, place.latitude)) for place in places}
    order = (NO_DATA, *PRIORITIES)
    first = sorted((code for code in wards if code in middles), key=lambda code: -order.index(wards[code]))
    if names is None:
        by_area = sorted(ground.wards.values(), key=lambda ward: -ward.area_px2)
        names = [ward.code for ward in by_area[:MOST_NAMES]] + [place.code for place in places]
    rest = [code for code in names if code in middles and code not in wards]
    drawn = []
    size, theme = board.text_px, board.theme
    for code in [*first, *rest]:
        name, x, y = middles[code]
        wide, high = text_width_px(name, size, condensed=True) * 1.04, size * 1.3
        away = 1.1 if places else 0.0  # beside its dot, not on it
        offsets = [(0.0, step) for step in ((away,) if places else (0.0, 0.8, -0.8, 1.6, -1.6))]
        offsets += [(side, step) for side in (0.5, -0.5, 0.8, -0.8) for step in (0.0, 1.0, -1.0)]
        if code in wards:
            offsets += [(side, step) for step in (2.0, -2.0, 3.0, -3.0) for side in (0.0, 0.6, -0.6)]
        box = board.settle(
            [
                Rectangle(left, top, left + wide, top + high)
                for side, step in offsets
                for left, top in ((x + side * wide - wide / 2, y + step * high - high / 2),)
            ]
        )
        if box is None:
            continue
        colour = theme.ink1 if code in wards and wards[code] != NO_DATA else theme.ink3
        halo = (
            ""
            if places
            else f' stroke="{theme.land}" stroke-width="{size * 0.16:.1f}" stroke-linejoin="round" paint-order="stroke"'
        )
        drawn.append(
            f'<text class="name" x="{box.left:.1f}" y="{box.top + size * 0.99:.1f}" fill="{colour}"{halo}>'
            f"{escape(name)}</text>"
        )
    return "".join(drawn)


def _place_dots(board: _Board, ground: _Ground, places: Sequence[Place], wards: Mapping[str, str]) -> str:
    """A dot per ward where there are no boundaries; ringed in colour when abnormal, dashed when silent."""
    drawn = []
    for place in places:
        x, y = ground.project(place.longitude, place.latitude)
        radius, level = board.text_px * 0.22, wards.get(place.code)
        if level is None:
            paint = f'fill="{board.theme.line2}"'
        elif level == NO_DATA:
            paint = f'fill="none" stroke="{board.theme.ink3}" stroke-width="1.5" stroke-dasharray="2.5 2"'
            radius *= 1.6
        else:
            colours = board.theme.priority(level)
            paint = f'fill="{colours.tint}" stroke="{colours.line}" stroke-width="2.5"'
            radius *= 1.6
        board.taken.append(Rectangle(x - radius, y - radius, x + radius, y + radius))
        drawn.append(f'<circle class="place" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {paint}/>')
    return "".join(drawn)


def _scale_bar(board: _Board, px_per_km: float, language: str) -> str:
    """A bar of a round length in the corner; its place is taken before anything else."""
    widest = board.width * 0.16 / px_per_km
    lengths = [length for length in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if length <= widest]
    length = lengths[-1] if lengths else 0.1
    text = f"{number(length, 0, language)} km" if length >= 1 else f"{number(length * 1000, 0, language)} m"
    size = board.text_px * 0.91
    bar_px, wide = length * px_per_km, text_width_px(text, size, condensed=True)
    right, bottom = board.width - 6, board.height - 6
    left = right - max(bar_px, wide)
    board.taken.append(Rectangle(left - 4, bottom - size * 1.6, right + 4, bottom + 4))
    return (
        f'<path d="M{right - bar_px:.1f} {bottom - 5}V{bottom}H{right}V{bottom - 5}" fill="none" '
        f'stroke="{board.theme.line2}" stroke-width="1.5"/>'
        f'<text class="scale" x="{right}" y="{bottom - 9:.1f}" text-anchor="end" font-size="{size:.1f}" '
        f'font-weight="400" fill="{board.theme.ink3}">{text}</text>'
    )


def _legend(
    wards: Mapping[str, str], segments: Mapping[str, str], theme: Theme, language: str, width: int, text_px: float
) -> tuple[str, float]:
    """Centred rows of what is drawn (nothing for a calm city), and the height that all entries would need.

    The height is the same whatever is drawn: the city must not jump when its first alert comes.
    """
    words = LEGEND_WORDS[_language(language)]
    size, key_px = text_px * 0.95, text_px * 1.3
    gap, pitch = size * 0.45, size * 1.5
    keys: dict[str, str] = {}
    if segments:
        colours = theme.priority(max(segments.values(), key=PRIORITIES.index))
        keys["segment"] = _key_line(colours.casing, colours.broad, key_px, size)
    abnormal = [level for level in wards.values() if level != NO_DATA]
    if abnormal:
        colours = theme.priority(max(abnormal, key=PRIORITIES.index))
        keys["ward"] = _key_box(colours.tint, colours.line, key_px, size)
    if NO_DATA in wards.values():
        keys[NO_DATA] = _key_box(f"url(#hatch-{theme.name})", theme.line2, key_px, size)

    def rows_of(entries: Iterable[str]) -> list[list[tuple[str, float]]]:
        rows: list[list[tuple[str, float]]] = []
        for entry in entries:
            wide = key_px + gap + text_width_px(words[entry], size, condensed=True) * 1.03 + size * 1.2
            if rows and sum(other for _, other in rows[-1]) + wide <= width:
                rows[-1].append((entry, wide))
            else:
                rows.append([(entry, wide)])
        return rows

    drawn = []
    for line, row in enumerate(rows_of(keys)):
        x = (width - sum(wide for _, wide in row) + size * 1.2) / 2
        for entry, wide in row:
            drawn.append(
                f'<g class="legend" transform="translate({x:.1f} {line * pitch + size * 0.4:.1f})">{keys[entry]}'
                f'<text x="{key_px + gap:.1f}" y="{size:.1f}" font-size="{size:.1f}" font-weight="400" '
                f'fill="{theme.ink2}">{words[entry]}</text></g>'
            )
            x += wide
    return "".join(drawn), len(rows_of(words)) * pitch + size * 0.4


def _key_line(casing: str, colour: str, key_px: float, size: float) -> str:
    y = size * 0.66
    return "".join(
        f'<path d="M2 {y:.1f}H{key_px - 2:.1f}" stroke="{paint}" stroke-width="{stroke:.1f}" stroke-linecap="round"/>'
        for paint, stroke in ((casing, size * 0.3 + 2), (colour, size * 0.3))
    )


def _key_box(fill: str, edge: str, key_px: float, size: float) -> str:
    return (
        f'<rect x="1" y="{size * 0.3:.1f}" width="{key_px - 2:.1f}" height="{size * 0.72:.1f}" rx="4" '
        f'fill="{fill}" stroke="{edge}" stroke-width="1.5"/>'
    )
