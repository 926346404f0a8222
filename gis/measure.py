"""How far and how large: lines through places and typed coordinates, on the WGS 84 ellipsoid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shapely.geometry import Polygon

from gis.crs import VIETNAM
from gis.faults import Fault
from gis.join import ELLIPSOID, area_m2

MOST_POINTS = 50
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
Place = tuple[float, float]  # longitude, latitude [degrees WGS 84]


@dataclass(frozen=True, slots=True)
class Measured:
    """`legs` and `length` in metres; `area` in m² of the ring that the places make, None for fewer than three.

    `crossed` says that the ring crosses itself, so that it has no area to be told.
    """

    legs: tuple[float, ...]
    length: float
    around: float = 0.0  # with the way back to the first place
    area: float | None = None
    crossed: bool = False


def measured(places: Sequence[Place]) -> Measured:
    """The way through the places in their order, and the area inside. Geodesic, so it does not depend on a zone."""
    legs = tuple(_metres(one, other) for one, other in pairwise(places))
    length = sum(legs)
    if len(places) < 3:
        return Measured(legs=legs, length=length, around=length)
    ring = Polygon(places)
    around = length + _metres(places[-1], places[0])
    if not ring.is_valid:
        return Measured(legs=legs, length=length, around=around, crossed=True)
    return Measured(legs=legs, length=length, around=around, area=area_m2(ring))


def _metres(one: Place, other: Place) -> float:
    return float(ELLIPSOID.inv(*one, *other)[2])


def places_of(text: str) -> tuple[Place, ...]:
    """«21,2731 106,1946; 21.28, 106.2» as places; points or commas, latitude or longitude first. Raises Fault.

    In this country no latitude can be taken for a longitude, so the order of a pair is seen from the numbers.
    """
    numbers = [float(found.replace(",", ".")) for found in _NUMBER.findall(text)]
    if len(numbers) % 2:
        raise Fault(
            "mỗi điểm cần hai số: vĩ độ và kinh độ, ví dụ 21,2731 106,1946",
            "each point needs two numbers, latitude and longitude, for example 21.2731 106.1946",
        )
    if len(numbers) > 2 * MOST_POINTS:
        raise Fault(f"nhiều hơn {MOST_POINTS} điểm", f"more than {MOST_POINTS} points")
    west, south, east, north = VIETNAM
    found = []
    for first, second in zip(numbers[::2], numbers[1::2], strict=True):
        longitude, latitude = (first, second) if first > second else (second, first)
        if not (west <= longitude <= east and south <= latitude <= north):
            raise Fault(
                f"điểm {first:g} {second:g} không nằm ở Việt Nam; hãy ghi độ thập phân, ví dụ 21,2731 106,1946",
                f"the point {first:g} {second:g} is not in Viet Nam; write degrees, for example 21.2731 106.1946",
            )
        found.append((longitude, latitude))
    return tuple(found)
