"""Points to wards, what lies within so many metres, lengths and areas: on the WGS 84 ellipsoid, never in degrees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

ELLIPSOID = Geod(ellps="WGS84")
METRES_PER_DEGREE = 110_500.0  # of latitude, at its least: a search box made with it is never too small
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Near:
    """One thing in reach: its place in the given sequence, and how far its nearest edge is [m]; 0 inside of it."""

    index: int
    metres: float


class Areas:
    """Polygons that points are asked for; the tree is built once."""

    def __init__(self, codes: Sequence[str], shapes: Sequence[BaseGeometry]) -> None:
        """`codes` and `shapes` [degrees WGS 84] belong together, one each."""
        self._codes = np.array([*codes, ""], dtype=object)  # NOWHERE is the last one
        self._tree = shapely.STRtree(list(shapes))

    def of(self, longitudes: Sequence[float], latitudes: Sequence[float]) -> list[str]:
        """The code of the area of each point; «» outside of all. A point on a border belongs to the first of them."""
        points = shapely.points(np.asarray(longitudes, dtype=float), np.asarray(latitudes, dtype=float))
        found = np.full(len(points), NOWHERE)
        asked, inside = self._tree.query(points, predicate="intersects")
        order = np.lexsort((inside, asked))[::-1]  # written last: the first area of each point
        found[asked[order]] = inside[order]
        return [str(code) for code in self._codes[found]]


class Reach:
    """Things of any shape that are asked what lies near a point; the tree is built once."""

    def __init__(self, shapes: Sequence[BaseGeometry]) -> None:
        """`shapes` in degrees WGS 84."""
        self._shapes = np.array(list(shapes), dtype=object)
        self._tree = shapely.STRtree(self._shapes)

    @classmethod
    def of_points(cls, longitudes: Sequence[float], latitudes: Sequence[float]) -> Reach:
        """The same for bare points."""
        return cls(list(shapely.points(np.asarray(longitudes, dtype=float), np.asarray(latitudes, dtype=float))))

    def within_m(self, longitude: float, latitude: float, radius_m: float) -> list[Near]:
        """All that lies within so many metres of a point, nearest first.

        Measured on the plane that touches the ellipsoid at the point (azimuthal equidistant): distances from there
        are true, also where the nearest place is the middle of a long edge.
        """
        down = radius_m / METRES_PER_DEGREE * 1.01
        across = down / max(math.cos(math.radians(latitude)), 0.01)
        box = shapely.box(longitude - across, latitude - down, longitude + across, latitude + down)
        candidates = np.sort(self._tree.query(box))
        if len(candidates) == 0:
            return []
        plane = _plane(round(longitude, 7), round(latitude, 7))

        def flat(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            return np.column_stack(plane.transform(points[:, 0], points[:, 1]))

        metres = shapely.distance(shapely.transform(self._shapes[candidates], flat), Point(0.0, 0.0))
        near = [
            Near(int(index), float(far))
            for index, far in zip(candidates.tolist(), metres.tolist(), strict=True)
            if far <= radius_m
        ]
        return sorted(near, key=lambda one: (one.metres, one.index))


@lru_cache(maxsize=128)
def _plane(longitude: float, latitude: float) -> Transformer:
    target = f"+proj=aeqd +lat_0={latitude} +lon_0={longitude} +ellps=WGS84 +units=m"
    return Transformer.from_crs("EPSG:4326", target, always_xy=True)


def circle(longitude: float, latitude: float, radius_m: float, corners: int = 72) -> list[tuple[float, float]]:
    """The ring [longitude, latitude] of all that is so many metres away; closed."""
    bearings = np.linspace(0.0, 360.0, corners + 1)
    east, north, _ = ELLIPSOID.fwd(
        np.full(corners + 1, longitude), np.full(corners + 1, latitude), bearings, np.full(corners + 1, radius_m)
    )
    return [(round(x, 6), round(y, 6)) for x, y in zip(east.tolist(), north.tolist(), strict=True)]


def area_m2(shape: BaseGeometry) -> float:
    """Area on the ellipsoid; 0 for points and lines."""
    return abs(float(ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(shape))[0]))


def length_m(shape: BaseGeometry) -> float:
    """Length of lines on the ellipsoid, or the outline of areas."""
    return float(ELLIPSOID.geometry_length(shape))
