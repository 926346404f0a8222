"""The traffic scene: which roads are slow, by how much, and where."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.snapshot import ABSENT, Snapshot
from tests.ui.domain_stories import harmless, hostile, parts, row, rows, silent, stage, valued, words
from ui.scenes import traffic


def roads(html: str) -> list[str]:
    return [key.partition(":")[2] for key in rows(html) if key.startswith("speed:")]


def test_roads_with_an_alert_come_first_then_the_slowest_against_free_flow(storm_hour: Snapshot) -> None:
    shown = parts(storm_hour, "traffic")["right"]
    ids = roads(shown)
    assert len(ids) == 7
    ringing = [one for one in ids if storm_hour.worst_priority(one, "travel_time_index")]
    assert ringing
    assert ids[: len(ringing)] == ringing
    calm_ones = ids[len(ringing) :]
    ratios = [storm_hour.readings[("relative_speed", one)].value for one in calm_ones]
    assert ratios == sorted(ratios)
    assert "và 7 nơi khác" in words(shown)


def test_a_road_says_its_speed_its_usual_speed_and_the_deviation(calm_hour: Snapshot) -> None:
    usual = calm_hour.usual("speed", "road_04", calm_hour.readings[("speed", "road_04")].time)
    assert usual is not None
    slow = valued(calm_hour, "speed", "road_04", usual[1] / 2)
    said = row(parts(valued(slow, "relative_speed", "road_04", 1.0), "traffic")["right"], "speed:road_04")
    assert said.startswith(f"Quốc lộ B Cầu Thanh – Quảng Phú {usual[1] / 2:.0f} km/h −50%"), said
    assert said.endswith(f"thường {usual[1]:.0f}")


def test_the_map_says_what_a_slow_road_costs(storm_hour: Snapshot) -> None:
    picture = parts(storm_hour, "traffic")["left"]
    assert re.search(r"Vành đai 2 chậm \d+ phút", words(picture))
    assert "Quảng Phú" not in re.findall(r'class="name"[^>]*>([^<]*)', picture), "corridors only"


@pytest.mark.parametrize(
    ("speed", "said"),
    [(23.4, "Vành đai 2 chậm 6 phút"), (46.7, "Vành đai 2 47 km/h"), (60.0, "Vành đai 2 60 km/h")],
)
def test_minutes_lost_are_against_the_usual_speed(
    speed: float, said: str, calm_hour: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,68 km at 46,8 km/h take 6 minutes; at half the speed they take 12."""
    monkeypatch.setattr(Snapshot, "usual", lambda *_: (40.0, 46.8, 50.0))
    assert traffic.how_slow(stage(valued(calm_hour, "speed", "road_01", speed), "traffic").view, "road_01") == said


def test_a_silent_road_leaves_the_ranking_and_says_since_when(storm_hour: Snapshot) -> None:
    hidden = silent(storm_hour, "speed", "relative_speed")
    shown = parts(hidden, "traffic")
    assert "7 mất tín hiệu" in words(shown["right"])
    assert "p-" not in "".join(re.findall(r'scene-row [^"]*', shown["right"])).replace("p-low scene-one", "")
    first = row(shown["right"], rows(shown["right"])[0])
    assert "3 giờ mất tín hiệu" in first
    assert "phút" not in " ".join(re.findall(r'class="label"[^>]*>([^<]*)', shown["left"])), (
        "an old speed costs nothing"
    )


def test_one_silent_road_stands_after_those_that_are_known(storm_hour: Snapshot) -> None:
    one = {("speed", "road_01"): silent(storm_hour).readings[("speed", "road_01")]}
    shown = parts(replace(storm_hour, readings={**storm_hour.readings, **one}), "traffic")["right"]
    assert "road_01" not in roads(shown)
    assert "và 7 nơi khác · 1 mất tín hiệu" in words(shown)


def test_in_a_calm_hour_nothing_has_a_colour_and_there_is_no_legend(calm_hour: Snapshot) -> None:
    shown = parts(calm_hour, "traffic")
    assert not re.search(r"p-(critical|high|medium|low)", shown["left"] + shown["right"])
    assert 'class="legend"' not in shown["left"]
    assert "Sự cố giao thông" in words(shown["right"])


def test_an_empty_store_keeps_the_rows_in_place_with_dashes(empty_hour: Snapshot) -> None:
    shown = parts(empty_hour, "traffic")
    assert len(roads(shown["right"])) == 7
    assert "— chưa có số liệu" in row(shown["right"], "speed:road_01")
    assert "như thường" not in words(shown["left"] + shown["right"])


def test_smaller_walls_hold_fewer_rows_and_no_figures_over_the_map(storm_hour: Snapshot) -> None:
    assert [len(roads(parts(storm_hour, "traffic", density=one)["right"])) for one in ("full", "sparse", "huge")] == [
        7,
        4,
        3,
    ]
    assert "Chỉ số ùn tắc" in words(parts(storm_hour, "traffic")["left"])
    assert "Chỉ số ùn tắc" not in words(parts(storm_hour, "traffic", density="sparse")["left"])
    silent_ones = parts(silent(storm_hour, "speed", state=ABSENT, hours=30), "traffic", density="huge")["right"]
    assert "11 mất tín hiệu" in words(silent_ones)


def test_english_and_hostile_names(storm_hour: Snapshot) -> None:
    assert "Slowest roads 14" in words(parts(storm_hour, "traffic", language="en")["right"])
    assert re.search(r"Ring Road 2 \d+ min slower", words(parts(storm_hour, "traffic", language="en")["left"]))
    for html in parts(hostile(storm_hour), "traffic").values():
        harmless(html)


def test_the_same_hour_gives_the_same_text(storm_hour: Snapshot) -> None:
    assert parts(storm_hour, "traffic") == parts(storm_hour, "traffic")
