"""Wards in five shades of one neutral violet, as an SVG without tiles: more is darker, few cases are hatched grey.

Each ward carries the number under which the table beside the map tells its name and value, so nobody has to read a
shade; without outlines the wards are circles at their centres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from charts.theme import SANS, Theme

TEXT_PX = 15.0
MARGIN = 8.0
CLASSES = 5
RADIUS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """One ward. `share` 0 … 1 of the way from the least to the most; None: too few, or not said."""

    code: str
    mark: str  # what stands in it
    title: str  # what is read aloud or shown on hovering
    share: float | None
    latitude: float
    longitude: float


def ward_shades(
    geometry: Mapping[str, Any] | None,
    wards: Sequence[Shade],
    *,
    theme: Theme,
    alt: str,
    size: tuple[int, int] = (420, 440),
) -> str:
    """SVG; `geometry` is the city's GeoJSON whose features of layer «ward» carry `code`."""
    width, height = size
    rings = _rings(geometry)
    points = [point for own in rings.values() for ring in own for point in ring]
    points += [(one.longitude, one.latitude) for one in wards if math.isfinite(one.latitude + one.longitude)]
    if not points:
        return ""
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    squeeze = math.cos(math.radians((south + north) / 2.0))
    room = MARGIN if rings else MARGIN + RADIUS
    across, up = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
    scale = min((width - 2 * room) / across, (height - 2 * room) / up)

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        return (
            width / 2 + ((longitude - (west + east) / 2) * squeeze) * scale,
            height / 2 - (latitude - (south + north) / 2) * scale,
        )

    shapes, marks = [], []
    for one in wards:
        if not math.isfinite(one.latitude + one.longitude):
            continue
        x, y = place(one.longitude, one.latitude)
        fill = "url(#few)" if one.share is None else theme.classes[min(int(one.share * CLASSES), CLASSES - 1)]
        own = rings.get(one.code)
        title = f"<title>{escape(one.title)}</title>"
        if own:
            path = "".join(_path(place(*point) for point in ring) for ring in own)
            shapes.append(f'<path d="{path}" fill="{fill}" stroke="{theme.panel}" stroke-width="1.5">{title}</path>')
            x, y = _middle([place(*point) for point in max(own, key=len)])
        else:
            shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:g}" fill="{fill}">{title}</circle>')
        marks.append(
            f'<text x="{x:.1f}" y="{y + TEXT_PX * 0.36:.1f}" text-anchor="middle" fill="{theme.ink1}" '
            f'stroke="{theme.panel}" stroke-width="3" paint-order="stroke" font-weight="600">{escape(one.mark)}</text>'
        )
    hatch = (
        f'<defs><pattern id="few" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="7" height="7" fill="{theme.land}"/><line x1="0" y1="0" x2="0" y2="7" stroke="{theme.line2}" '
        f'stroke-width="1.4"/></pattern></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cases-map" role="img" aria-label="{escape(alt, quote=True)}" '
        f'viewBox="0 0 {width} {height}" font-family="{escape(SANS, quote=True)}" font-size="{TEXT_PX:g}">'
        f"{hatch}{''.join(shapes)}{''.join(marks)}</svg>"
    )


def _rings(geometry: Mapping[str, Any] | None) -> dict[str, list[list[tuple[float, float]]]]:
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for feature in (geometry or {}).get("features", ()):
        about, shape = feature.get("properties") or {}, feature.get("geometry") or {}
        if about.get("layer") != "ward" or shape.get("type") not in ("Polygon", "MultiPolygon"):
            continue
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        found[str(about.get("code"))] = [[(float(p[0]), float(p[1])) for p in ring] for one in polygons for ring in one]
    return found


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "z"


def _middle(ring: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Centre of gravity of a ring."""
    area = cx = cy = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        area, cx, cy = area + cross, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    return (cx / (3 * area), cy / (3 * area)) if area else ring[0]
