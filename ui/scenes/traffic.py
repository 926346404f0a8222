"""The traffic scene: which roads are slow, by how much, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core import formats
from ui import maps
from ui.scenes._figures import listed, live, sites, urgency, value
from ui.scenes._stage import Stage
from ui.views import Row, View

FIGURES = (("travel_time_index", "city"), ("arterial_speed", "city"), ("congested_length", "city"))
# Drawn for the least room of each density, so that a map is only ever enlarged and its letters never shrink.
MAPS = {"full": (1000, 600, 26.0), "sparse": (800, 440, 23.0), "huge": (660, 320, 23.0)}  # width, height, text
SPARK = (150, 40)
NAMES_U = (280.0, 210.0, 195.0)  # what the names of roads have, beside the widest figures


def scene(stage: Stage) -> dict[str, str]:
    """Left the map of roads under the city's figures, right the slowest roads and the open incidents."""
    view = stage.view
    roads = slowest_first(view)
    width, height, text_px = MAPS[stage.density]
    return {
        "left": stage.html(
            "scene_traffic_left.html",
            figures=[view.row(key, pick) for key, pick in FIGURES][: stage.room(3, 0, 0)],
            picture=maps.whole_city(
                view, width, height, only=("traffic",), text_px=text_px, names=(),
                label=lambda site_id: how_slow(view, site_id),
            ),
        ),
        "right": stage.html(
            "scene_traffic_right.html",
            roads=listed(roads, stage.room(7, 4, 3), stage.room(*NAMES_U)),
            count=len(roads),
            incidents=view.row("open_incidents", "sum", width=SPARK[0], height=SPARK[1]),
        ),
    }  # fmt: skip


def slowest_first(view: View) -> Sequence[Row]:
    """A row per measured road: alerts first, then by how far it is below free flow; silent roads last."""
    found = []
    for site_id in sites(view, "speed", "road_segment"):
        ratio = value(view, "relative_speed", site_id)
        found.append((_road(view, site_id), -ratio if ratio is not None else float("-inf")))
    return [row for row, badness in sorted(found, key=lambda one: urgency(*one))]


def _road(view: View, site_id: str) -> Row:
    """Speed of one road: its corridor as the name, the stretch below it, and the usual speed below the deviation."""
    row = view.row("speed", site_id, width=SPARK[0], height=SPARK[1], by_site=True)
    corridor, _, stretch = row.label.partition(": ")
    reading = view.snapshot.reading("speed", site_id)
    usual = view.snapshot.usual("speed", site_id, reading.time) if reading is not None else None
    if live(row) and usual is not None:
        speed = formats.number(usual[1], _decimals(view), view.language)
        row = replace(row, subnote=view.t("scene_traffic.usual", speed=speed))
    return replace(row, label=corridor, place=stretch or row.place)


def _decimals(view: View) -> int:
    """How exactly speeds are written."""
    return view.snapshot.catalogue["speed"].decimals


def how_slow(view: View, site_id: str) -> str:
    """«Vành đai 2 +3 phút»: a road's name and what it costs against its usual speed, for its place on the map."""
    corridor = view.snapshot.city.site_name(site_id, view.language).partition(": ")[0]
    speed, length_km = value(view, "speed", site_id), view.snapshot.city.attribute(site_id, "length_km")
    reading = view.snapshot.reading("speed", site_id)
    if speed is None or reading is None:
        return corridor
    usual = view.snapshot.usual("speed", site_id, reading.time)
    if length_km is not None and usual is not None and 0 < speed < usual[1]:
        minutes = 60 * length_km * (1 / speed - 1 / usual[1])
        if minutes >= 1:
            return f"{corridor} {view.t('scene_traffic.lost', minutes=formats.number(minutes, 0, view.language))}"
    return f"{corridor} {formats.number(speed, _decimals(view), view.language)} km/h"
