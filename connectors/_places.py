"""Where on the map: the site nearest to a point or a line, and the box around the city that a service is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from connectors._contract import FetchRequest
from connectors._text import number
from core.errors import ConfigError

EARTH_RADIUS_KM = 6371.0
AREA_REACH_KM = 5.0  # an event farther than this from every ward's point belongs to the whole city
ROAD_REACH_KM = 0.1  # a source's line farther than this from our road site is another road
Place = tuple[float, float]  # latitude, longitude [degrees, WGS 84]


class Nearest:
    """The nearest site of one kind within reach, else `otherwise`."""

    def __init__(self, sites: pd.DataFrame | None, kind: str, reach_km: float, otherwise: str = "") -> None:
        self._reach_km, self._otherwise = reach_km, otherwise
        of_kind = pd.DataFrame(columns=["latitude", "longitude"]) if sites is None else sites[sites["kind"] == kind]
        of_kind = of_kind.dropna(subset=["latitude", "longitude"])
        self.site_ids = [str(site_id) for site_id in of_kind.index]
        self._degrees = of_kind[["latitude", "longitude"]].to_numpy(dtype="float64")
        self._latitude, self._longitude = np.radians(self._degrees).T

    def site(self, latitude: float, longitude: float) -> str:
        """Great-circle distance. No number, no place on Earth, or 0,0 (far from every site) gives `otherwise`."""
        return self.along([(latitude, longitude)])

    def along(self, line: Iterable[Place]) -> str:
        """The site nearest to any of the points."""
        found, least_km = self._otherwise, math.inf
        for latitude, longitude in line:
            on_earth = abs(latitude) <= 90 and abs(longitude) <= 180  # False for NaN
            if not on_earth or not self.site_ids:
                continue
            here, there = math.radians(latitude), math.radians(longitude)
            half = np.sin((self._latitude - here) / 2) ** 2
            half += math.cos(here) * np.cos(self._latitude) * np.sin((self._longitude - there) / 2) ** 2
            distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
            best = int(distance_km.argmin())
            if distance_km[best] <= self._reach_km and distance_km[best] < least_km:
                found, least_km = self.site_ids[best], float(distance_km[best])
        return found

    def inside(self, box: Box) -> list[str]:
        """The sites of the kind that lie in the box."""
        places = zip(self.site_ids, self._degrees, strict=True)
        return [site_id for site_id, (latitude, longitude) in places if box.holds(latitude, longitude)]


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees, WGS 84; the order of the fields is that of GeoJSON and of most services."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        return ",".join(f"{each:.6f}" for each in (self.west, self.south, self.east, self.north))

    def holds(self, latitude: float, longitude: float) -> bool:
        """True for a point inside or on the edge."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


def box_of(request: FetchRequest) -> Box:
    """The option `bbox` = [west, south, east, north], else the box of city and wards with 5 km around it.

    Raises ConfigError for another order, or when no site of the city has coordinates.
    """
    asked = request.options.get("bbox")
    if asked is not None:
        edges = [number(edge) for edge in asked] if isinstance(asked, list) else []
        if len(edges) != 4 or not (-180 <= edges[0] < edges[2] <= 180 and -90 <= edges[1] < edges[3] <= 90):
            raise ConfigError(f"source {request.source}: bbox must be [west, south, east, north] in degrees")
        return Box(*edges)
    places = request.sites.loc[request.sites["kind"].isin(["city", "area"]), ["latitude", "longitude"]].dropna()
    if places.empty:
        raise ConfigError(f"source {request.source}: no site has coordinates: give bbox = [west, south, east, north]")
    (south, west), (north, east) = places.min(), places.max()
    margin = math.degrees(AREA_REACH_KM / EARTH_RADIUS_KM)
    wider = margin / math.cos(math.radians(max(abs(south), abs(north))))
    return Box(west - wider, south - margin, east + wider, north + margin)


def point_of(latitude: object, longitude: object) -> Place:
    """A place from numbers or texts; NaN where one is none."""
    return number(latitude), number(longitude)


def coordinates(place: Place) -> str:
    """How a place without a name is called: «21.2731,106.1946»."""
    return f"{place[0]:g},{place[1]:g}" if abs(place[0]) > 1e6 else f"{round(place[0], 6)},{round(place[1], 6)}"


def sites_with_coordinates(request: FetchRequest, site_ids: Iterable[str]) -> Mapping[str, Place]:
    """Latitude and longitude of those sites. Raises ConfigError that names the ones without."""
    wanted = list(site_ids)
    places = request.sites.reindex(wanted)[["latitude", "longitude"]].astype("float64")
    nowhere = [str(site_id) for site_id in places.index[places.isna().any(axis=1)]]
    if nowhere or not wanted:
        raise ConfigError(f"source {request.source}: no coordinates for {', '.join(nowhere) or 'any site'}")
    rows: Iterable[Any] = places.itertuples(index=False)
    return {site_id: (float(row[0]), float(row[1])) for site_id, row in zip(wanted, rows, strict=True)}
