"""Roads and incidents as the three traffic services tell them, in the words of the catalogue.

A road that is closed has no speed and no travel time: `road_closed` is 1 and nothing else is said of it. Several
stretches of one site become one: speeds through travel times (length / speed), the jam factor by length, the delay of
the worst stretch. One closed stretch closes the site, for nobody can drive through it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors._places import AREA_REACH_KM, ROAD_REACH_KM, Box, Nearest, Place, coordinates
from connectors._rows import label

Weighted = list[tuple[float, float]]  # value, length of its stretch
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What a service says of one piece of road now; `values` by catalogue key, in the unit of the catalogue."""

    site_id: str
    closed: bool = False
    length_m: float = math.nan
    measured: bool = True  # False: history or a guess fills the gap
    values: Mapping[str, float] = field(default_factory=dict)


def _by_travel_time(parts: Weighted) -> float:
    if any(speed <= 0 for speed, _ in parts):
        return 0.0
    return sum(length for _, length in parts) / sum(length / speed for speed, length in parts)


def _by_length(parts: Weighted) -> float:
    return sum(value * length for value, length in parts) / sum(length for _, length in parts)


COMBINED: Mapping[str, Callable[[Weighted], float]] = {
    "speed": _by_travel_time,
    "free_flow_speed": _by_travel_time,
    "jam_factor": _by_length,
    "jam_delay": lambda parts: max(value for value, _ in parts),
    "travel_time": lambda parts: sum(value for value, _ in parts),
}
KNOWN_FOR_SURE = ("road_closed", "free_flow_speed")  # do not hang on how many cars report at the moment


def road_rows(stretches: Iterable[Stretch], moment: datetime, watched: Iterable[str] = ()) -> list[Row]:
    """Rows of `road_closed` (1 or 0) for each site, and of what is said of the open ones.

    `watched` are the sites that the service covers: nothing said of them means that no closure is known.
    """
    by_site: defaultdict[str, list[Stretch]] = defaultdict(list, {site_id: [] for site_id in watched})
    for stretch in stretches:
        by_site[stretch.site_id].append(stretch)
    rows = []
    for site_id, parts in by_site.items():
        closed = any(part.closed for part in parts)
        told = {"road_closed": float(closed)}
        if not closed:
            told |= {key: _combined(key, parts) for key in COMBINED if any(key in part.values for part in parts)}
        guessed = any(not part.measured for part in parts)
        for key, value in told.items():
            quality = "suspect" if guessed and key not in KNOWN_FOR_SURE else "not_evaluated"
            row = {"time": moment, "site_id": site_id, "observed_property": key, "value": value, "quality": quality}
            rows.append(row)
    return rows


def _combined(key: str, parts: Sequence[Stretch]) -> float:
    known = [
        (value, part.length_m if part.length_m > 0 else 1.0)
        for part in parts
        if not math.isnan(value := part.values.get(key, math.nan))
    ]
    return round(COMBINED[key](known), 9) if known else math.nan


class RoadNames:
    """Which of our road sites a service means: by the option `sites`, else the nearest within 100 m.

    Of a bare file it is the service's own name, else the coordinates of the first point.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        chosen = context.get("options", {}).get("sites")
        self._chosen: Mapping[str, str] | None = chosen if isinstance(chosen, Mapping) else None
        self._bare = "sites" not in context
        self._nearest = Nearest(context.get("sites"), "road_segment", ROAD_REACH_KM)

    @property
    def watched(self) -> list[str]:
        """All sites that can be meant; none of a bare file."""
        if self._bare:
            return []
        return self._nearest.site_ids if self._chosen is None else list(dict.fromkeys(self._chosen.values()))

    def site(self, name: object, line: Sequence[Place]) -> str:
        """The site_id; empty when the road is none of ours."""
        shown = label(name) if isinstance(name, str | int) else ""
        if self._chosen is not None and shown in self._chosen:
            return str(self._chosen[shown])
        if self._bare:
            return shown or (coordinates(line[0]) if line else "unnamed")
        return self._nearest.along(line) if self._chosen is None else ""


def incident_rows(
    places: Iterable[Place], moment: datetime, context: Mapping[str, Any], key: str, box: Box | None = None
) -> list[Row]:
    """Rows of `open_incidents` at `moment`, by the nearest area within 5 km, else the city (of a bare file: `key`).

    City and areas (those inside `box`, the part of the map that was asked for) get their 0 too, for an incident that
    is over is told by nobody. A bare file knows no areas: nothing open gives no row.
    """
    city_site = str(context.get("city_site", key))
    areas = Nearest(context.get("sites"), "area", AREA_REACH_KM, city_site)
    counts = Counter(areas.site(*place) for place in places)
    if "sites" in context:
        for site_id in (city_site, *(areas.site_ids if box is None else areas.inside(box))):
            counts.setdefault(site_id, 0)
    return [
        {"time": moment, "site_id": site_id, "observed_property": "open_incidents", "value": float(count)}
        | {"quality": "not_evaluated"}
        for site_id, count in sorted(counts.items())
    ]


def middle(line: Sequence[Place]) -> Place:
    """The vertex in the middle of a line: where an event on it is put. NaN, NaN for none."""
    return line[len(line) // 2] if line else (math.nan, math.nan)
