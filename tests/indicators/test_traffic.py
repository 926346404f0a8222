"""Traffic figures worked out by hand: travel times are averaged, never speeds; a closed road is no division by zero."""

from __future__ import annotations

import pandas as pd
import pytest

from core.window import Window
from tests.indicators.frames import CITY, results, said, series, window

TWO_ROADS = {
    "ring": {"kind": "road_segment", "length_km": 2.0, "free_flow_kmh": 60.0, "arterial": True},
    "market": {"kind": "road_segment", "length_km": 1.0, "free_flow_kmh": 40.0, "arterial": False},
}
EIGHT = "20 08:00"


def at_eight(*rows: pd.DataFrame, sites: dict[str, dict[str, object]] | None = None) -> Window:
    return window(list(rows), "2026-11-20 07:55", "2026-11-20 08:00", TWO_ROADS if sites is None else sites)


def reading(site: str, kmh: float, key: str = "speed", end: str = "2026-11-20 08:00") -> pd.DataFrame:
    return series(key, site, end, [kmh])


def test_the_city_takes_the_time_of_all_roads_together() -> None:
    seen = at_eight(reading("ring", 30), reading("market", 10))
    # ring: 2 km in 4 min instead of 2; market: 1 km in 6 min instead of 1.5; together 10 min instead of 3.5.
    computed = results("travel_time_index", seen)
    assert said(computed, "travel_time_index", "ring") == {EIGHT: 2.0}
    assert said(computed, "travel_time_index", "market") == {EIGHT: 4.0}
    assert said(computed, "travel_time_index", CITY)[EIGHT] == pytest.approx(10 / 3.5)
    relative = results("relative_speed", seen)
    assert said(relative, "relative_speed", "ring") == {EIGHT: 50.0}
    assert said(relative, "relative_speed", CITY)[EIGHT] == pytest.approx(35.0)


def test_flow_weighs_the_roads_when_all_of_them_are_counted() -> None:
    speeds = [reading("ring", 30), reading("market", 10)]
    counts = [reading("ring", 900, "traffic_flow"), reading("market", 100, "traffic_flow")]
    by_flow = results("travel_time_index", at_eight(*speeds, *counts))
    # vehicle-minutes: 900·4 + 100·6 = 4200 against 900·2 + 100·1.5 = 1950
    assert said(by_flow, "travel_time_index", CITY)[EIGHT] == pytest.approx(4200 / 1950)
    half_counted = results("travel_time_index", at_eight(*speeds, counts[0]))
    assert said(half_counted, "travel_time_index", CITY)[EIGHT] == pytest.approx(10 / 3.5)
    nobody = [reading(site, 0, "traffic_flow") for site in TWO_ROADS]
    assert said(results("travel_time_index", at_eight(*speeds, *nobody)), "travel_time_index", CITY)[EIGHT] == (
        pytest.approx(10 / 3.5)
    )


def test_a_closed_road_has_no_travel_time_but_is_congested() -> None:
    seen = at_eight(reading("ring", 30), reading("market", 0))
    index = results("travel_time_index", seen)
    assert said(index, "travel_time_index", "market") == {}
    assert said(index, "travel_time_index", CITY) == {EIGHT: 2.0}
    relative = results("relative_speed", seen)
    assert said(relative, "relative_speed", "market") == {EIGHT: 0.0}
    assert said(relative, "relative_speed", CITY) == {EIGHT: 50.0}
    assert said(results("congested_length", seen), "congested_length", CITY) == {EIGHT: 1.0}


def test_when_the_whole_city_stands_there_is_no_mean_and_all_of_it_is_congested() -> None:
    seen = at_eight(reading("ring", 0), reading("market", 0))
    for key in ("travel_time_index", "arterial_speed"):
        assert said(results(key, seen), key, CITY) == {}
    assert said(results("congested_length", seen), "congested_length", CITY) == {EIGHT: 3.0}


def test_forty_percent_of_free_flow_is_not_yet_congested() -> None:
    exactly = at_eight(reading("ring", 24), reading("market", 16))  # 24/60 and 16/40, whatever binary fractions say
    assert said(results("congested_length", exactly), "congested_length", CITY) == {EIGHT: 0.0}
    odd = {"ring": {"kind": "road_segment", "length_km": 2.0, "free_flow_kmh": 20.1}}
    assert said(results("congested_length", at_eight(reading("ring", 8.04), sites=odd)), "congested_length", CITY) == {
        EIGHT: 0.0
    }
    below = at_eight(reading("ring", 23.9), reading("market", 16))
    assert said(results("congested_length", below), "congested_length", CITY) == {EIGHT: 2.0}


def test_two_kilometres_at_60_and_at_20_are_30_on_average() -> None:
    sites = {
        "ring": {"kind": "road_segment", "length_km": 1.0, "arterial": True},
        "bridge": {"kind": "road_segment", "length_km": 1.0, "arterial": True},
        "lane": {"kind": "road_segment", "length_km": 9.0, "arterial": float("nan")},
    }
    seen = at_eight(reading("ring", 60), reading("bridge", 20), reading("lane", 5), sites=sites)
    assert said(results("arterial_speed", seen), "arterial_speed", CITY)[EIGHT] == pytest.approx(30.0)


def test_two_readings_of_one_period_are_averaged_as_travel_times() -> None:
    sites = {"ring": {"kind": "road_segment", "length_km": 1.0, "free_flow_kmh": 60.0}}
    seen = at_eight(reading("ring", 60, end="2026-11-20 07:57"), reading("ring", 20), sites=sites)
    assert said(results("relative_speed", seen), "relative_speed", "ring")[EIGHT] == pytest.approx(50.0)


def test_a_reading_between_two_marks_counts_at_the_next_one() -> None:
    early = window([reading("ring", 30, end="2026-11-20 08:02")], "2026-11-20 07:55", "2026-11-20 08:04", TWO_ROADS)
    assert results("relative_speed", early).empty
    later = window([reading("ring", 30, end="2026-11-20 08:02")], "2026-11-20 07:55", "2026-11-20 08:05", TWO_ROADS)
    assert said(results("relative_speed", later), "relative_speed", "ring") == {"20 08:05": 50.0}


@pytest.mark.parametrize("key", ["travel_time_index", "relative_speed", "congested_length"])
def test_the_city_is_not_judged_by_a_third_of_its_roads(key: str) -> None:
    assert said(results(key, at_eight(reading("market", 10))), key, CITY) == {}
    assert said(results(key, at_eight(reading("ring", 10))), key, CITY) != {}


def test_a_road_that_nobody_measured_out_is_left_out_of_the_city() -> None:
    sites = {**TWO_ROADS, "new": {"kind": "road_segment", "length_km": float("nan"), "free_flow_kmh": 50.0}}
    seen = at_eight(reading("ring", 60), reading("market", 40), reading("new", 5), sites=sites)
    computed = results("travel_time_index", seen)
    assert said(computed, "travel_time_index", "new") == {EIGHT: 10.0}
    assert said(computed, "travel_time_index", CITY) == {EIGHT: 1.0}


def test_without_any_attribute_there_is_no_figure_and_no_error() -> None:
    seen = at_eight(reading("ring", 30), sites={"ring": {"kind": "road_segment"}})
    for key in ("travel_time_index", "relative_speed", "congested_length", "arterial_speed"):
        assert results(key, seen).empty
