"""The drawn land of the demo city: wards, river, lake and roads of a town that does not exist.

    python -m connectors._demo_geometry        writes data/demo/geometry.geojson anew (always the same bytes)

Everything is laid out on a plane in kilometres with straight edges, then bent by one smooth field. Neighbours share
the very points of their common edge before it is bent, so they share them afterwards: no gap, no overlap.
Names come from config/demo (areas by code, road segments by site_id); only the plan itself stands here.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from core.config import ROOT, load_city

Point = tuple[float, float]

SEED = 1789
TARGET = ROOT / "data" / "demo" / "geometry.geojson"
CENTRE_LATITUDE, CENTRE_LONGITUDE = 21.3, 106.0
KM_PER_DEGREE = 111.2
RIM_KM = (7.0, 7.3)  # half axes of the plain outline
EDGE_STEP_KM = 0.14
# The field that bends the plane: (amplitude, wavelength) in km. The sum of 2*pi*amplitude/wavelength stays below 1,
# so no two points can change places and no edge can cross another.
BENDS_KM = ((0.55, 9.5), (0.075, 1.9), (0.018, 0.62))

WARD_SEEDS: dict[str, Point] = {
    "90001": (-0.9, 5.3),
    "90002": (-0.6, 3.1),
    "90003": (2.2, 4.6),
    "90004": (-3.6, 3.3),
    "90005": (-2.6, -0.9),
    "90006": (-5.4, -2.9),
    "90007": (-0.4, -4.6),
    "90008": (3.4, -4.9),
    "90009": (5.1, -1.2),
    "90010": (5.2, 1.9),
    "90011": (0.2, 1.0),
    "90012": (1.7, -0.7),
    "90013": (2.4, -2.7),
    "90014": (2.6, 2.1),
    "90015": (-2.6, 1.3),
    "90016": (-5.4, 0.8),
    "90017": (-3.2, -4.5),
}
RIVER: tuple[Point, ...] = (
    (-6.9, -6.6), (-5.6, -5.0), (-4.3, -3.0), (-2.2, -2.3), (-0.4, -1.4), (0.8, 0.0), (2.5, 0.6), (3.9, 1.5),
    (4.4, 3.2), (4.7, 4.9), (6.0, 7.3),
)  # fmt: skip
RIVER_HALF_WIDTH_KM = 0.14
LAKE_CENTRE: Point = (-2.5, 1.7)
LAKE_RADII_KM = (0.75, 0.42)
ROADS: dict[str, tuple[Point, ...]] = {
    "road_01": ((0.6, -3.2), (2.0, -3.1), (3.3, -2.6), (3.7, -1.4), (3.2, -0.5)),
    "road_02": ((3.2, -0.5), (3.6, 0.6), (4.0, 1.6), (3.5, 2.9), (2.5, 3.9)),
    "road_03": ((2.5, 3.9), (1.0, 4.4), (-0.9, 4.3), (-2.6, 3.6), (-3.8, 2.6)),
    "road_04": ((0.6, -1.6), (0.6, -3.2), (0.5, -4.4), (0.7, -6.2)),
    "road_05": ((0.4, 1.0), (0.9, 2.8), (1.0, 4.4), (1.5, 6.3)),
    "road_06": ((-0.5, 1.2), (-1.6, 0.3), (-2.9, -0.2), (-4.2, 0.1), (-6.6, 0.2)),
    "road_07": ((0.4, 1.0), (2.2, 1.6), (4.0, 1.6), (6.7, 1.3)),
    "road_08": ((-3.8, 2.6), (-4.2, 0.1), (-4.3, -1.9), (-3.4, -3.6)),
    "road_09": ((-3.4, -3.6), (-1.5, -3.9), (0.6, -3.2)),
    "road_10": ((0.4, 1.0), (0.7, -0.3), (0.6, -1.6)),
    "road_11": ((0.6, -1.6), (2.0, -1.1), (3.2, -0.5), (5.0, -1.0), (6.5, -1.3)),
    "road_12": ((3.3, -2.6), (3.1, -4.2), (3.6, -5.6)),
    "road_13": ((-0.5, 1.2), (-0.7, 2.8), (-0.9, 4.3), (-1.2, 6.3)),
    "road_14": ((-2.9, -0.2), (-3.9, -1.3), (-5.2, -2.4), (-6.4, -2.9)),
}
# Roads that nobody measures: they make the net whole on the map.
PLAIN_ROADS: tuple[tuple[Point, ...], ...] = (
    ((0.4, 1.0), (-0.5, 1.2)),
    ((-3.8, 2.6), (-4.9, 3.7), (-5.6, 4.4)),
    ((-3.4, -3.6), (-3.2, -5.2), (-3.5, -6.4)),
    ((2.5, 3.9), (3.2, 5.2), (3.6, 5.8)),
)


def bend(point: Point) -> Point:
    """One point of the plain plan -> the same point of the organic town, km; a fixed, smooth, one-to-one field."""
    turns = random.Random(SEED)
    x_km, y_km = point
    for amplitude, wavelength in BENDS_KM:
        phases = [turns.uniform(0.0, 2.0 * math.pi) for _ in range(4)]
        wave = 2.0 * math.pi / wavelength
        across = math.sin(wave * point[1] + phases[0]) + math.sin(wave * (0.6 * point[0] + 0.8 * point[1]) + phases[1])
        along = math.sin(wave * point[0] + phases[2]) + math.sin(wave * (0.8 * point[0] - 0.6 * point[1]) + phases[3])
        x_km += 0.5 * amplitude * across
        y_km += 0.5 * amplitude * along
    return x_km, y_km


def to_degrees(point: Point) -> list[float]:
    """Plane km -> [longitude, latitude] of WGS84, five decimals (about one metre)."""
    longitude = CENTRE_LONGITUDE + point[0] / (KM_PER_DEGREE * math.cos(math.radians(CENTRE_LATITUDE)))
    return [round(longitude, 5), round(CENTRE_LATITUDE + point[1] / KM_PER_DEGREE, 5)]


def divided(start: Point, end: Point) -> list[Point]:
    """Points from start to before end; both owners of an edge get the very same ones, as it is cut in one order."""
    low, high = min(start, end), max(start, end)
    pieces = max(1, math.ceil(math.dist(low, high) / EDGE_STEP_KM))
    points = [
        (low[0] + (high[0] - low[0]) * piece / pieces, low[1] + (high[1] - low[1]) * piece / pieces)
        for piece in range(1, pieces)
    ]
    return [start, *(points if start == low else reversed(points))]


def ward_cells(rim: Sequence[Point]) -> dict[str, list[Point]]:
    """Voronoi cells of the ward seeds inside the convex rim, corners snapped to the metre so that neighbours agree."""
    cells = {}
    for code, seed in WARD_SEEDS.items():
        cell = list(rim)
        for other in WARD_SEEDS.values():
            if other != seed:
                cell = _nearer(cell, seed, other)
        cells[code] = [corner for corner, _ in itertools.groupby((round(x, 3), round(y, 3)) for x, y in cell)]
    return cells


def _nearer(polygon: Sequence[Point], seed: Point, other: Point) -> list[Point]:
    """The part of a convex polygon that lies nearer to `seed` than to `other` (Sutherland and Hodgman)."""

    def beyond(point: Point) -> float:
        return math.dist(point, seed) ** 2 - math.dist(point, other) ** 2

    kept: list[Point] = []
    for start, end in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        before, after = beyond(start), beyond(end)
        if before <= 0:
            kept.append(start)
        if before * after < 0:
            share = before / (before - after)
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    return kept


def _ring(corners: Sequence[Point]) -> list[list[float]]:
    """A bent, closed, anticlockwise ring in degrees (RFC 7946)."""
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, [*corners[1:], corners[0]], strict=True))
    ordered = list(corners) if area > 0 else list(reversed(corners))
    points: list[Point] = []
    for start, end in zip(ordered, [*ordered[1:], ordered[0]], strict=True):
        points.extend(divided(start, end))
    ring = [degrees for degrees, _ in itertools.groupby(to_degrees(bend(point)) for point in points)]
    return [*ring, ring[0]]


def _curve(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Catmull-Rom curve through the points."""
    ends = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for step in range(steps):
            t = step / steps
            weights = (
                -0.5 * t + t**2 - 0.5 * t**3,
                1.0 - 2.5 * t**2 + 1.5 * t**3,
                0.5 * t + 2.0 * t**2 - 1.5 * t**3,
                -0.5 * t**2 + 0.5 * t**3,
            )
            near = list(zip(weights, (a, b, c, d), strict=True))
            curve.append((sum(w * point[0] for w, point in near), sum(w * point[1] for w, point in near)))
    return [*curve, points[-1]]


def _line(points: Iterable[Point]) -> list[list[float]]:
    return [degrees for degrees, _ in itertools.groupby(to_degrees(bend(point)) for point in points)]


def _river() -> list[Point]:
    """The river as a polygon: both banks of its middle line, a little wider towards the mouth."""
    middle = _curve(RIVER, 6)
    left, right = [], []
    for number, point in enumerate(middle):
        before, after = middle[max(number - 1, 0)], middle[min(number + 1, len(middle) - 1)]
        length = math.dist(before, after)
        width = RIVER_HALF_WIDTH_KM * (1.35 - 0.5 * number / len(middle))
        normal = (-(after[1] - before[1]) / length * width, (after[0] - before[0]) / length * width)
        left.append((point[0] + normal[0], point[1] + normal[1]))
        right.append((point[0] - normal[0], point[1] - normal[1]))
    return [*left, *reversed(right)]


def _dry(point: Point) -> bool:
    """True where a street may run: not in the lake and not in the river."""
    lake = math.hypot((point[0] - LAKE_CENTRE[0]) / LAKE_RADII_KM[0], (point[1] - LAKE_CENTRE[1]) / LAKE_RADII_KM[1])
    return lake > 1.15 and min(math.dist(point, middle) for middle in _curve(RIVER, 6)) > 2.0 * RIVER_HALF_WIDTH_KM


def _streets(cell: Sequence[Point], chance: random.Random) -> list[list[Point]]:
    """Two families of parallel streets across one convex ward, broken at the water."""
    centre = (sum(x for x, _ in cell) / len(cell), sum(y for _, y in cell) / len(cell))
    angle = chance.uniform(0.0, math.pi)
    streets: list[list[Point]] = []
    for turn in (0.0, math.pi / 2.0):
        direction = (math.cos(angle + turn), math.sin(angle + turn))
        spacing_km = chance.uniform(0.5, 0.75)
        for number in range(-6, 7):
            offset = (number + chance.uniform(-0.25, 0.25)) * spacing_km
            foot = (centre[0] - direction[1] * offset, centre[1] + direction[0] * offset)
            span = _inside(cell, foot, direction)
            if span is None or span[1] - span[0] < 0.6 or chance.random() < 0.25:
                continue
            start_km, end_km = span[0] + 0.1 * (span[1] - span[0]) * chance.random(), span[1] - 0.1
            pieces = max(2, math.ceil((end_km - start_km) / 0.35))
            way = [start_km + (end_km - start_km) * piece / pieces for piece in range(pieces + 1)]
            points = [(foot[0] + direction[0] * km, foot[1] + direction[1] * km) for km in way]
            for dry, run in itertools.groupby(points, key=_dry):
                stretch = list(run)
                if dry and len(stretch) > 1:
                    streets.append(stretch)
    return streets


def _inside(cell: Sequence[Point], foot: Point, direction: Point) -> tuple[float, float] | None:
    """Where the straight line foot + km * direction enters and leaves a convex anticlockwise cell."""
    enter, leave = -math.inf, math.inf
    for start, end in zip(cell, [*cell[1:], cell[0]], strict=True):
        inward = (-(end[1] - start[1]), end[0] - start[0])
        speed = inward[0] * direction[0] + inward[1] * direction[1]
        depth = inward[0] * (foot[0] - start[0]) + inward[1] * (foot[1] - start[1])
        if abs(speed) < 1e-12:
            if depth < 0:
                return None
        elif speed > 0:
            enter = max(enter, -depth / speed)
        else:
            leave = min(leave, -depth / speed)
    return (enter, leave) if enter < leave else None


def _ellipse(centre: Point, radii_km: Point, corners: int) -> list[Point]:
    turns = [2.0 * math.pi * step / corners for step in range(corners)]
    return [(centre[0] + radii_km[0] * math.cos(turn), centre[1] + radii_km[1] * math.sin(turn)) for turn in turns]


def build() -> dict[str, Any]:
    """The whole FeatureCollection. Layers: city, ward, water, road, minor_road."""
    city = load_city("demo")
    chance = random.Random(SEED)
    rim = _ellipse((0.0, 0.0), RIM_KM, 72)
    cells = ward_cells(rim)
    owners = itertools.chain.from_iterable(cells.values())
    # The outline runs through the rim's own corners and through the points where two wards meet it.
    on_rim = [point for point in set(owners) if math.hypot(point[0] / RIM_KM[0], point[1] / RIM_KM[1]) > 0.997]
    outline = sorted(on_rim, key=lambda point: math.atan2(point[1] / RIM_KM[1], point[0] / RIM_KM[0]))

    def feature(kind: str, coordinates: Any, **properties: str) -> dict[str, Any]:
        return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}

    features = [feature("Polygon", [_ring(outline)], layer="city", name=city.name_vi, site_id=city.city_site)]
    for code, cell in cells.items():
        name = str(city.areas.at[code, "name_vi"])
        features.append(feature("Polygon", [_ring(cell)], layer="ward", name=name, code=code, site_id=code))
    lake = _ellipse(LAKE_CENTRE, LAKE_RADII_KM, 28)
    features.append(feature("Polygon", [_ring(_river())], layer="water", name="Sông Thanh"))
    features.append(feature("Polygon", [_ring(lake)], layer="water", name="Hồ Sen"))
    for cell in cells.values():
        for street in _streets(cell, chance):
            features.append(feature("LineString", _line(street), layer="minor_road", name="", road_class="minor"))
    for way in PLAIN_ROADS:
        features.append(feature("LineString", _line(_curve(way)), layer="road", name="", road_class="collector"))
    for site_id, way in ROADS.items():
        road_class = "arterial" if city.sites.at[site_id, "arterial"] is True else "collector"
        name = city.site_name(site_id, "vi")
        features.append(
            feature("LineString", _line(_curve(way)), layer="road", name=name, site_id=site_id, road_class=road_class)
        )
    return {"type": "FeatureCollection", "name": "demo", "features": features}


def to_text(collection: dict[str, Any]) -> str:
    """GeoJSON with one feature per line, so that a change can be read in a diff."""
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in collection["features"])
    return f'{{"type":"FeatureCollection","name":"demo","features":[\n{lines}\n]}}\n'


def main() -> int:
    """Write the file."""
    text = to_text(build())
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(text.encode())} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
