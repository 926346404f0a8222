"""Rain, rivers, heat and noise, worked out by hand and read off official tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from indicators.heat_index import heat_index_c
from tests.indicators.frames import results, said, series, window

STORM = [5.0, 12.0, 20.0, 15.0, 6.0, 2.0]  # six ten-minute readings, 60 mm


def test_an_hour_of_rain_is_the_sum_of_its_ten_minutes() -> None:
    rows = series("rainfall", "gauge", "2026-11-20 18:00", [0.0] * 6 + STORM, every_min=10)
    computed = results("rain_1h", window(rows, "2026-11-20 17:30", "2026-11-20 18:00"))
    assert said(computed, "rain_1h", "gauge") == {"20 17:40": 52.0, "20 17:50": 58.0, "20 18:00": 60.0}


def test_a_gauge_may_lose_one_reading_of_six_but_not_two() -> None:
    before = [0.0] * 18
    one = series("rainfall", "gauge", "2026-11-20 18:00", [*before, 5, None, 20, 15, 6, 2], every_min=10)
    two = series("rainfall", "gauge", "2026-11-20 18:00", [*before, 5, None, 20, None, 6, 2], every_min=10)
    assert said(results("rain_1h", window(one, "2026-11-20 17:55", "2026-11-20 18:00")), "rain_1h", "gauge") == {
        "20 18:00": 48.0
    }
    assert results("rain_1h", window(two, "2026-11-20 17:55", "2026-11-20 18:00")).empty


def test_a_silent_gauge_is_not_a_dry_one() -> None:
    rows = series("rainfall", "gauge", "2026-11-20 17:00", [0.0] * 24, every_min=10)
    computed = results("rain_1h", window(rows, "2026-11-20 16:50", "2026-11-20 19:00"))
    assert said(computed, "rain_1h", "gauge") == {"20 17:00": 0.0, "20 17:10": 0.0}


@pytest.mark.parametrize(("every_min", "each"), [(5, 2.0), (10, 4.0), (15, 6.0), (30, 12.0), (60, 24.0)])
def test_the_interval_of_the_gauge_is_its_own(every_min: int, each: float) -> None:
    rows = series("rainfall", "gauge", "2026-11-20 18:00", [each] * (6 * 60 // every_min), every_min=every_min)
    computed = results("rain_1h", window(rows, "2026-11-20 16:59", "2026-11-20 18:00"))
    hourly = said(computed, "rain_1h", "gauge")
    assert set(hourly.values()) == {24.0}
    assert {"20 17:00", "20 18:00"} <= hourly.keys()
    if every_min == 60:
        assert len(hourly) == 2  # at 17:10 its reading would stand for 16:00-17:00


def test_a_logger_whose_labels_lie_beside_the_mark_loses_no_rain() -> None:
    rows = series("rainfall", "gauge", "2026-11-20 18:03", [0.0] * 6 + STORM + [0.0], every_min=10)
    computed = results("rain_1h", window(rows, "2026-11-20 17:55", "2026-11-20 18:10"))
    assert said(computed, "rain_1h", "gauge") == {"20 18:00": 60.0, "20 18:10": 55.0}


def test_two_sources_of_one_gauge_are_not_added_up() -> None:
    rows = [
        series("rainfall", "gauge", "2026-11-20 18:00", [0.0] * 6 + STORM, every_min=10),
        series("rainfall", "gauge", "2026-11-20 18:00", [0.0] * 6 + STORM, every_min=10, source="copy"),
    ]
    computed = results("rain_1h", window(rows, "2026-11-20 17:55", "2026-11-20 18:00"))
    assert said(computed, "rain_1h", "gauge") == {"20 18:00": 60.0}


def test_rain_of_a_day_needs_twenty_hours() -> None:
    rows = series("rainfall", "gauge", "2026-11-20 20:00", [1.0] * 20)
    computed = results("rain_24h", window(rows, "2026-11-20 18:00", "2026-11-21 03:00"))
    # The first reading has no neighbour before it and stands for ten minutes only.
    assert said(computed, "rain_24h", "gauge") == {}
    rows = series("rainfall", "gauge", "2026-11-20 20:00", [1.0] * 21)
    computed = results("rain_24h", window(rows, "2026-11-20 18:00", "2026-11-21 03:00"))
    assert said(computed, "rain_24h", "gauge") == {
        **{f"20 {hour}:00": 21.0 for hour in range(20, 24)},
        "21 00:00": 20.0,
    }


ALARMS = {"phu_lang_thuong": {"kind": "river_station", "alarm_1_m": 4.3, "alarm_2_m": 5.3, "alarm_3_m": 6.3}}


@pytest.mark.parametrize(
    ("height_m", "stage_m", "alarm"),
    [(4.29, -0.01, 0), (4.3, 0.0, 1), (5.05, 0.75, 1), (5.3, 1.0, 2), (6.29, 1.99, 2), (6.3, 2.0, 3), (7.5, 3.2, 3)],
)
def test_a_river_reaches_an_alarm_by_equality(height_m: float, stage_m: float, alarm: int) -> None:
    rows = series("river_level", "phu_lang_thuong", "2025-10-14 07:00", [height_m])
    computed = results("river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00", ALARMS))
    assert said(computed, "river_stage", "phu_lang_thuong") == {"14 07:00": stage_m}
    assert said(computed, "river_alarm_level", "phu_lang_thuong") == {"14 07:00": alarm}


def test_a_logger_of_single_precision_reaches_the_level_too() -> None:
    reading = float(np.float32(4.1))  # 4.09999990…
    rows = series("river_level", "weir", "2025-10-14 07:00", [reading])
    computed = results(
        "river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00", {"weir": {"alarm_1_m": 4.1}})
    )
    assert said(computed, "river_alarm_level", "weir") == {"14 07:00": 1}


def test_a_station_without_alarm_levels_has_no_stage() -> None:
    rows = series("river_level", "ford", "2025-10-14 07:00", [3.0])
    sites = {**ALARMS, "ford": {"kind": "river_station"}}
    assert results("river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00", sites)).empty
    assert results("river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00")).empty


def test_a_station_that_only_knows_its_second_alarm_says_so() -> None:
    rows = series("river_level", "weir", "2025-10-14 07:00", [5.5])
    sites = {"weir": {"kind": "river_station", "alarm_1_m": math.nan, "alarm_2_m": 5.3, "alarm_3_m": math.nan}}
    computed = results("river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00", sites))
    assert said(computed, "river_alarm_level", "weir") == {"14 07:00": 2}
    assert said(computed, "river_stage", "weir") == {}


def test_the_newest_of_several_readings_tells_the_stage() -> None:
    rows = series("river_level", "phu_lang_thuong", "2025-10-14 06:59", [4.5, 4.6, 4.8], every_min=3)
    computed = results("river_stage", window(rows, "2025-10-14 06:00", "2025-10-14 07:00", ALARMS))
    assert said(computed, "river_stage", "phu_lang_thuong") == {"14 07:00": 0.5}


@pytest.mark.parametrize(
    ("fahrenheit", "humidity", "chart"),  # NWS heat index chart, °F
    [
        (80, 40, 80),
        (82, 85, 90),
        (86, 70, 95),
        (90, 70, 105),
        (94, 55, 106),
        (100, 40, 109),
        (104, 50, 131),
        (110, 40, 136),
    ],
)
def test_the_heat_index_chart_of_the_weather_service(fahrenheit: float, humidity: float, chart: float) -> None:
    felt = heat_index_c(np.array([(fahrenheit - 32) / 1.8]), np.array([float(humidity)]))[0] * 1.8 + 32
    assert felt == pytest.approx(chart, abs=1.0)


def test_the_adjustments_for_dry_and_for_damp_air() -> None:
    def felt(fahrenheit: float, humidity: float) -> float:
        return float(heat_index_c(np.array([(fahrenheit - 32) / 1.8]), np.array([humidity]))[0] * 1.8 + 32)

    # 95 °F, 9 %: less (13-9)/4·√(17/17) = 1; 84 °F, 95 %: plus (95-85)/10·(87-84)/5 = 0.6
    assert felt(95, 9) == pytest.approx(_regression(95, 9) - 1.0)
    assert felt(84, 95) == pytest.approx(_regression(84, 95) + 0.6)
    assert felt(84, 83) == pytest.approx(_regression(84, 83))  # not damp enough
    assert felt(84, 104) == felt(84, 100)  # a damp sensor that reads above 100


def _regression(t: float, r: float) -> float:
    """Rothfusz as printed, one term per line."""
    return sum(
        [
            -42.379,
            2.04901523 * t,
            10.14333127 * r,
            -0.22475541 * t * r,
            -0.00683783 * t * t,
            -0.05481717 * r * r,
            0.00122874 * t * t * r,
            0.00085282 * t * r * r,
            -0.00000199 * t * t * r * r,
        ]
    )


def test_on_a_mild_day_it_feels_about_as_it_is() -> None:
    assert heat_index_c(np.array([20.0]), np.array([50.0]))[0] == pytest.approx(19.4, abs=0.1)


def test_heat_needs_temperature_and_humidity_of_the_same_hour() -> None:
    rows = [
        series("temperature", "square", "2026-06-20 14:00", [37.0, 38.0]),
        series("relative_humidity", "square", "2026-06-20 14:00", [60.0]),
        series("temperature", "hill", "2026-06-20 14:00", [30.0]),
    ]
    computed = results("heat_index", window(rows, "2026-06-20 12:00", "2026-06-20 15:00"))
    assert list(said(computed, "heat_index", "square")) == ["20 14:00"]
    felt = said(computed, "heat_index", "square")["20 14:00"]
    assert felt * 1.8 + 32 == pytest.approx(130.6, abs=0.5)  # the chart: 129 °F at 100 °F, 137 °F at 102 °F
    assert said(computed, "heat_index", "hill") == {}


LIMITS = {"school": {"kind": "noise_station", "noise_limit_day_dba": 70.0, "noise_limit_night_dba": 55.0}}


def test_noise_is_averaged_as_energy() -> None:
    rows = series("noise_level", "school", "2026-11-20 08:00", [60.0] * 12 + [60, 60, 60, 60, 60, 80], every_min=10)
    computed = results("noise_laeq", window(rows, "2026-11-20 07:00", "2026-11-20 08:00", LIMITS))
    expected = 10 * math.log10((5 * 1e6 + 1e8) / 6)  # 72.4, not 63.3
    assert said(computed, "noise_laeq", "school")["20 08:00"] == pytest.approx(expected)
    assert said(computed, "noise_over_limit", "school")["20 08:00"] == pytest.approx(expected - 70)


def test_the_night_ends_at_six_and_begins_at_nine_in_the_evening() -> None:
    rows = series("noise_level", "school", "2026-11-20 23:00", [60.0] * 6 * 24, every_min=10)
    computed = results("noise_laeq", window(rows, "2026-11-20 00:00", "2026-11-20 23:00", LIMITS))
    over = said(computed, "noise_over_limit", "school")
    assert (over["20 06:00"], over["20 07:00"]) == (5.0, -10.0)  # 05-06 h is night, 06-07 h is day
    assert (over["20 21:00"], over["20 22:00"]) == (-10.0, 5.0)


def test_noise_without_a_limit_or_with_too_few_readings() -> None:
    readings = [60.0] * 18
    rows = series("noise_level", "square", "2026-11-20 08:00", readings, every_min=10)
    computed = results("noise_laeq", window(rows, "2026-11-20 07:00", "2026-11-20 08:00"))
    assert said(computed, "noise_laeq", "square") == {"20 08:00": pytest.approx(60.0)}
    assert said(computed, "noise_over_limit", "square") == {}
    gaps = series("noise_level", "square", "2026-11-20 08:00", [*readings, 60, None, 60, None, 60, 60], every_min=10)
    assert results("noise_laeq", window(gaps, "2026-11-20 07:00", "2026-11-20 08:00")).empty
