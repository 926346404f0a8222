"""The map scene: the places with an alert, worst first, and how much of the city is seen at all."""

from __future__ import annotations

import re
from dataclasses import replace

from charts.theme import WALL
from core.snapshot import Snapshot
from tests.ui.alert_stories import CITY, FLOOD, JAM, RAIN, alert, hour, screen
from tests.ui.domain_stories import harmless, hostile, silent, words
from ui.scenes import map as map_scene
from ui.scenes._fit import fitting, lines, short_value
from ui.views import View

SLOW = ("travel_time_unusual", "road_01")


def listed(html: str) -> list[str]:
    found = re.findall(r'<div class="map-place .*?(?=<div class="map-place|</div>\s*</div>|<p[ >])', html, re.DOTALL)
    return [words(one) for one in found]


def labels(html: str) -> list[str]:
    return re.findall(r'class="label"[^>]*>([^<]*)', html)


def test_each_place_stands_once_with_its_worst_alert(storm_hour: Snapshot) -> None:
    now = hour(
        storm_hour,
        alert(storm_hour, SLOW, 6.3, "low"),
        alert(storm_hour, JAM, 1.9, "medium"),
        alert(storm_hour, RAIN, 42.0),
        alert(storm_hour, FLOOD, 38.0, "critical"),
    )
    right = screen(now, "map")["right"]
    assert words(right).startswith("Nơi có cảnh báo 3")
    assert listed(right) == [
        "Hầm chui Đông Kiều Ngập hầm chui 38 cm 6 phút",
        "Trạm mưa Quảng Phú Mưa to cục bộ 42,0 mm 6 phút",
        "Vành đai 2: Đông Kiều – Bến Thủy Ùn tắc kéo dài · thêm 1 1,90 lần 6 phút",
    ]


def test_the_map_labels_the_serious_ones_of_the_list_alone(storm_hour: Snapshot) -> None:
    now = hour(
        storm_hour,
        alert(storm_hour, JAM, 1.9, "medium"),
        alert(storm_hour, FLOOD, 38.0, "critical"),
        alert(storm_hour, ("flood_reports", "90007"), 17.0),
    )
    left = screen(now, "map")["left"]
    assert sorted(labels(left)) == ["17 tin", "38 cm"]
    assert left.count('class="marker"') == 3
    assert "đường có cảnh báo" in words(left)


def test_what_has_no_room_or_no_point_is_counted(storm_hour: Snapshot) -> None:
    rains = [alert(storm_hour, ("heavy_rain", f"rain_0{n}"), 40.0) for n in range(1, 6)]
    others = [alert(storm_hour, FLOOD, 38.0, "critical"), alert(storm_hour, JAM, 1.9, "medium")]
    nowhere = [alert(storm_hour, CITY, 5.0), alert(storm_hour, ("source_silent", "rain_gauges"), 40.0)]
    now = hour(storm_hour, *rains, *others, *nowhere)
    full, huge = (words(screen(now, "map", density=one)["right"]) for one in ("full", "huge"))
    assert "và 1 nơi khác 2 cảnh báo không gắn với một điểm trên bản đồ" in full
    assert "và 6 nơi khác" in huge, "names of two lines"
    over = hour(storm_hour, replace(others[0], active=False, latched=True))
    assert "Không có nơi nào có cảnh báo." in words(screen(over, "map")["right"]), "over: nothing is wrong there now"


def test_old_data_are_named_with_their_age(storm_hour: Snapshot) -> None:
    frozen = hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical", stale=True))
    right = screen(silent(frozen, "flood_depth"), "map")["right"]
    assert listed(right) == ["Hầm chui Đông Kiều số liệu đã 3 giờ, mất tín hiệu 38 cm 6 phút"]
    assert 'class="map-place p-critical old"' in right
    assert "số liệu chậm, giữ nguyên trạng thái" in words(screen(frozen, "map")["right"])


def test_it_says_how_many_points_are_heard(storm_hour: Snapshot) -> None:
    live, known = map_scene.coverage(View(storm_hour, "vi", WALL))
    assert live == known > 30
    assert f"{known}/{known} điểm đo đang có số liệu mới" in words(screen(storm_hour, "map")["right"])
    assert map_scene.coverage(View(silent(storm_hour), "vi", WALL)) == (0, known)
    deaf = silent(storm_hour, "flood_depth")
    assert map_scene.coverage(View(deaf, "vi", WALL))[0] == known - len(storm_hour.of("flood_depth"))


def test_a_calm_and_an_empty_city(calm_hour: Snapshot, empty_hour: Snapshot) -> None:
    calm = screen(calm_hour, "map")
    assert "Không có nơi nào có cảnh báo." in words(calm["right"])
    assert not re.search(r"p-(critical|high|medium|low)", calm["left"] + calm["right"])
    assert "legend" not in calm["left"]
    assert "Chưa có số liệu" in words(screen(empty_hour, "map")["right"])
    assert "No place has an alert." in words(screen(calm_hour, "map", language="en")["right"])


def test_names_from_outside_stay_text(storm_hour: Snapshot) -> None:
    now = hostile(hour(storm_hour, alert(storm_hour, FLOOD, 38.0, "critical")))
    harmless(screen(now, "map")["right"])
    assert "<img" not in screen(now, "map")["left"]


def test_a_long_value_is_cut_to_its_figure() -> None:
    assert short_value("12 tin trong 30 phút") == "12 tin"
    assert short_value("+6,3σ so với thường lệ") == "+6,3σ"
    assert [short_value(text) for text in ("38 cm", "", "báo động II")] == ["38 cm", "", "báo động II"]


def test_rows_fit_by_their_heights_and_the_worst_always_stands() -> None:
    heights = {"a": 60.0, "b": 90.0, "c": 60.0}
    assert list(fitting("abc", heights.__getitem__, 210.0)) == ["a", "b", "c"]
    assert list(fitting("abc", heights.__getitem__, 209.0)) == ["a", "b"]
    assert list(fitting("abc", heights.__getitem__, 10.0)) == ["a"]
    assert list(fitting("", heights.__getitem__, 10.0)) == []
    assert (lines("Ngập", 26.0, 400.0), lines("Ngập " * 12, 26.0, 400.0)) == (1, 2)
    assert (lines("Ngập " * 60, 26.0, 400.0), lines("Ngập " * 60, 26.0, 400.0, 3)) == (2, 3)
