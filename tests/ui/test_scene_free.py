"""A city's own scene: the tiles and the map of its wall.toml, and what it says of mistakes in there."""

from __future__ import annotations

from charts.theme import WALL
from core.config import load_city
from core.snapshot import Snapshot
from core.wall import FreeScene, Shown, load_wall
from tests.ui.domain_stories import harmless, hostile, row, rows, silent, stage, words
from ui.scenes import free, stages
from ui.views import View

SOUTH = FreeScene(
    key="south", title_vi="Phía nam", title_en="South", tiles=(("rain_1h", "rain_01"), ("vn_aqi", "worst")), map="rain"
)


def built(snapshot: Snapshot, scene: FreeScene = SOUTH, language: str = "vi") -> dict[str, str]:
    return free.scene(stage(snapshot, scene.key, language=language, free=scene))


def with_map(name: str) -> FreeScene:
    return FreeScene(key="k", title_vi="K", title_en="K", tiles=(("rain_1h", "worst"),), map=name)


def test_the_demo_wall_has_two_screens_and_shows_the_scene_of_the_south(storm_hour: Snapshot) -> None:
    plan = load_wall(load_city("demo").folder / "wall.toml")
    assert [one.key for one in plan.screens] == ["man_1", "man_2"]
    first, second = plan.screens
    assert [scene for scene, _ in first.slots][:4] == ["overview", "traffic", "overview", "environment"]
    assert "south" in [scene for scene, _ in second.slots]
    shown = Shown(scene="south", why="rotation", ends_at=storm_hour.made_at)
    parts = stages.parts(View(storm_hour, "vi", WALL), shown, plan, 1.0)
    assert "Phía nam: mưa và ngập" in words(parts["head"])
    assert rows(parts["tiles"]) == [
        "rain_1h:rain_01", "flood_depth:flood_01", "rain_1h:rain_03", "flood_depth:flood_02", "river_level:river_01",
        "reports_60min:90007",
    ]  # fmt: skip
    assert "scene-board n-6 with-map" in parts["tiles"]
    assert "Nơi mưa, ngập, nước sông cao" in words(parts["tilesmap"])


def test_a_named_place_is_not_called_the_highest(calm_hour: Snapshot) -> None:
    shown = built(calm_hour)["tiles"]
    assert row(shown, "rain_1h:rain_01").startswith("Lượng mưa 1 giờ Trạm mưa Quảng Phú"), row(shown, "rain_1h:rain_01")
    assert "VN_AQI cao nhất" in words(shown)


def test_a_tile_of_something_unknown_says_so_and_the_others_stay(calm_hour: Snapshot) -> None:
    wrong = FreeScene(
        key="k",
        title_vi="K",
        title_en="K",
        tiles=(("rain", "worst"), ("rain_1h", "rain_99"), ("vn_aqi", "worst")),
        map="none",
    )
    parts = built(calm_hour, wrong)
    assert list(parts) == ["tiles"], "no map was asked for"
    assert row(parts["tiles"], "rain:worst") == "rain:worst không có chỉ số này —"
    assert row(parts["tiles"], "rain_1h:rain_99") == "rain_1h:rain_99 không có điểm đo này —"
    assert "VN_AQI cao nhất" in words(parts["tiles"])


def test_each_map_shows_its_own_alerts_only(storm_hour: Snapshot) -> None:
    drawn = {name: built(storm_hour, with_map(name))["tilesmap"] for name in ("alerts", "traffic", "air", "rain")}
    signs = {name: html.count('class="marker"') for name, html in drawn.items()}
    assert signs["traffic"] > 0
    assert signs["rain"] > 0
    assert signs["air"] == 0
    assert signs["alerts"] >= signs["traffic"] + signs["rain"]
    assert 'class="segment"' not in drawn["rain"]
    assert 'class="segment"' in drawn["traffic"]


def test_old_figures_are_grey_with_their_age_and_missing_ones_a_dash(calm_hour: Snapshot, empty_hour: Snapshot) -> None:
    old = built(silent(calm_hour))["tiles"]
    assert "s-old" in old
    assert "3 giờ mất tín hiệu" in row(old, "rain_1h:rain_01")
    assert "— chưa có số liệu" in words(built(empty_hour)["tiles"])


def test_a_small_wall_gives_the_map_s_room_to_the_figures(calm_hour: Snapshot) -> None:
    for density, names in (("full", ["tiles", "tilesmap"]), ("sparse", ["tiles", "tilesmap"]), ("huge", ["tiles"])):
        assert list(free.scene(stage(calm_hour, SOUTH.key, density=density, free=SOUTH))) == names


def test_without_a_free_scene_there_is_nothing_to_draw(calm_hour: Snapshot) -> None:
    assert free.scene(stage(calm_hour, "south")) == {}


def test_english_and_hostile_names(storm_hour: Snapshot) -> None:
    assert "Rain, floods, high rivers" in words(built(storm_hour, language="en")["tilesmap"])
    harmless(built(hostile(storm_hour))["tiles"])
