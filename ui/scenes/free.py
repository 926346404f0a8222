"""A city's own scene: the tiles and the map that its wall.toml asks for."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from core import formats
from core.snapshot import ABSENT
from core.wall import FreeScene
from ui import maps
from ui.scenes._stage import HUGE, Stage
from ui.views import Row, View

PICKS = ("city", "worst", "sum", "river")
AIR = ("vn_aqi", "vn_aqi_daily", "pm25", "pm25_24h", "pm10", "pm10_24h")
ONLY = {"alerts": None, "traffic": ("traffic",), "air": AIR, "rain": ("weather",)}
MAPS = {"full": (640, 560), "sparse": (525, 400)}  # least room in u, as in the other scenes
MAP_TEXT_PX = 24.0
SPARK = (260, 56)


def scene(stage: Stage) -> dict[str, str]:
    """Up to six large figures, beside a map where one is asked for."""
    free, view = stage.free, stage.view
    if free is None:
        return {}
    with_map = free.map in ONLY and stage.density != HUGE  # there the figures need the whole width
    parts = {"tiles": stage.html("scene_free_tiles.html", tiles=tiles(view, free), with_map=with_map)}
    if with_map:
        width, height = MAPS[stage.density]
        picture = maps.whole_city(view, width, height, only=ONLY[free.map], text_px=MAP_TEXT_PX)
        parts["tilesmap"] = stage.html("scene_free_map.html", picture=picture, map=free.map)
    return parts


def tiles(view: View, free: FreeScene) -> list[Row]:
    """One figure per entry; what the city does not know is said on the tile, the others stay."""
    return [_tile(view, key, pick) for key, pick in free.tiles]


def _tile(view: View, key: str, pick: str) -> Row:
    known = pick in PICKS or pick in view.snapshot.city.sites.index
    if key in view.snapshot.catalogue and known:
        row = view.row(key, pick, width=SPARK[0], height=SPARK[1])
        name = view.snapshot.catalogue[key].name(view.language)
        return row if pick in PICKS else replace(row, label=name)  # «lớn nhất» is not said of one place
    why = view.t("scene_free.no_place" if key in view.snapshot.catalogue else "scene_free.no_figure")
    return Row(
        key=key, site_id=pick, label=f"{key}:{pick}", place=why, value=formats.DASH, unit="", mark=Markup(""),
        priority="", state=ABSENT, note="", subnote="", picture=Markup(""), facts=(), simulated=False, model=False,
    )  # fmt: skip
