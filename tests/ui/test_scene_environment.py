"""The environment scene: stations with the limit each is read by, the worst air, and the last day of rain and river."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.alert import Alert
from core.snapshot import Snapshot
from indicators.vn_aqi import Level, levels
from tests.ui.domain_stories import harmless, hostile, parts, row, rows, silent, valued, words


def test_four_groups_name_their_limits(calm_hour: Snapshot) -> None:
    said = words(parts(calm_hour, "environment")["left"])
    for heading in (
        "Không khí (VN_AQI) Kém từ 101",
        "Mưa 1 giờ, ngập ngưỡng 30 mm",
        "Mực nước sông báo động I–III",
        "Tiếng ồn 1 giờ giới hạn ngày, đêm",
    ):
        assert heading in said
    assert "và 2 nơi khác" in said, "five air stations, three are shown"


def test_limits_that_nobody_set_are_not_invented(calm_hour: Snapshot) -> None:
    off = {key: replace(rule, enabled=False) for key, rule in calm_hour.rules.items()}
    said = words(parts(replace(calm_hour, rules=off), "environment")["left"])
    assert "Không khí (VN_AQI) chưa đặt ngưỡng" in said
    assert "Mưa 1 giờ, ngập chưa đặt ngưỡng" in said


def test_the_worst_station_of_a_group_comes_first(calm_hour: Snapshot) -> None:
    bad = valued(calm_hour, "vn_aqi", "air_05", 134.0)
    shown = parts(bad, "environment")["left"]
    assert rows(shown)[0] == "vn_aqi:air_05"
    assert row(shown, "vn_aqi:air_05").startswith("Hoàng Diệu 134 điểm Kém")
    near = valued(calm_hour, "river_level", "river_02", 3.8)
    rivers = [one for one in rows(parts(near, "environment")["left"]) if one.startswith("river")]
    assert rivers == ["river_level:river_02", "river_level:river_01"]
    assert "0,10 m dưới báo động I" in row(parts(near, "environment")["left"], "river_level:river_02")


def test_noise_is_read_against_the_limit_of_its_place_and_hour(calm_hour: Snapshot) -> None:
    loud = valued(valued(calm_hour, "noise_laeq", "noise_02", 73.2), "noise_over_limit", "noise_02", 3.2)
    shown = parts(loud, "environment")["left"]
    assert next(one for one in rows(shown) if one.startswith("noise")) == "noise_laeq:noise_02"
    assert row(shown, "noise_laeq:noise_02").startswith("Nguyễn Du 73,2 dBA +3,2 dB so với 70 dBA")


def test_an_alert_leads_its_group_whatever_the_figures_say(storm_hour: Snapshot) -> None:
    shown = parts(storm_hour, "environment")["left"]
    first = next(one for one in rows(shown) if one.startswith(("rain", "flood")))
    assert first == "flood_depth:flood_01"
    assert "ngập · Hầm chui Đông Kiều" in row(shown, first)
    flood = next(one for one in storm_hour.open_alerts() if one.site_id == "flood_01" and one.rule == "underpass_flood")
    limit = {"medium": 10, "high": 20, "critical": 25}[flood.priority]
    assert row(shown, first).endswith(f"cm ngưỡng {limit}"), "the limit that the alert stands over"
    quiet = parts(replace(storm_hour, alerts=()), "environment")["left"]
    assert row(quiet, first).endswith("cm ngưỡng 10")
    assert re.search(r'p-(medium|high|critical)" data-key="flood_depth:flood_01"', shown)


def test_a_dry_sensor_takes_no_place(calm_hour: Snapshot) -> None:
    assert not any(one.startswith("flood") for one in rows(parts(calm_hour, "environment")["left"]))


def test_the_day_s_sum_stands_beside_the_hour_but_never_below_it(calm_hour: Snapshot) -> None:
    wet = valued(valued(calm_hour, "rain_1h", "rain_02", 8.0), "rain_24h", "rain_02", 31.0)
    assert "8,0 mm 31 mm 24 giờ qua" in row(parts(wet, "environment")["left"], "rain_1h:rain_02")
    behind = valued(wet, "rain_24h", "rain_02", 5.0)
    assert "24 giờ qua" not in row(parts(behind, "environment")["left"], "rain_1h:rain_02")


@pytest.mark.parametrize("official", levels(), ids=lambda one: one.key)
def test_the_worst_air_has_its_official_word_and_colour_and_one_line_of_advice(
    official: Level, calm_hour: Snapshot
) -> None:
    bad = calm_hour
    for number in range(1, 6):
        bad = valued(bad, "vn_aqi", f"air_0{number}", float(official.high))
    shown = parts(bad, "environment")["right"]
    assert f"background:{official.colour}" in shown
    assert f"VN_AQI {official.high} · {official.name_vi}" in words(shown)
    advice = re.search(r'scene-air">.*?<p>([^<]*)</p>', shown, re.DOTALL)
    assert advice
    assert 10 < len(advice[1]) <= 42


def test_silence_is_no_normal_air(storm_hour: Snapshot) -> None:
    shown = parts(silent(storm_hour), "environment")
    assert "Không có số liệu không khí còn mới" in words(shown["right"])
    assert "swatch" not in shown["right"]
    assert not re.search(r"scene-row [^\"]*p-", shown["left"])
    assert "3 giờ mất tín hiệu" in row(shown["left"], "vn_aqi:air_01")
    assert "3 giờ mất tín hiệu" in words(shown["right"]), "the pictures say it too"
    assert "2 mất tín hiệu" in words(shown["left"])


def test_only_the_silent_station_goes_to_the_end(calm_hour: Snapshot) -> None:
    high = valued(calm_hour, "vn_aqi", "air_05", 134.0)
    one = {("vn_aqi", "air_05"): silent(high).readings[("vn_aqi", "air_05")]}
    shown = parts(replace(high, readings={**high.readings, **one}), "environment")
    assert "vn_aqi:air_05" not in rows(shown["left"])
    assert "VN_AQI 134" not in words(shown["right"])


def test_an_empty_store_says_that_nothing_came(empty_hour: Snapshot) -> None:
    shown = parts(empty_hour, "environment")
    assert "— chưa có số liệu" in row(shown["left"], "rain_1h:rain_01")
    assert words(shown["right"]).count("chưa có") == 2
    assert "không mưa" not in words(shown["left"] + shown["right"])


def test_the_day_shows_the_rainiest_gauge_and_the_river_with_its_alarms(storm_hour: Snapshot) -> None:
    said = words(parts(storm_hour, "environment")["right"])
    assert "Mưa từng giờ Trạm mưa Quảng Phú ngưỡng 30 mm" in said
    assert re.search(r"Mực nước Sông Thanh tại Bến Thủy · [\d,]+ m dưới báo động I", said)
    for alarm in ("báo động I 4,3 m", "báo động II 5,3 m", "báo động III 6,3 m"):
        assert alarm in said


def test_where_one_picture_fits_it_is_the_one_that_matters(calm_hour: Snapshot, storm_hour: Snapshot) -> None:
    assert "Mực nước" in words(parts(calm_hour, "environment", density="huge")["right"]), "a dry day"
    wet = words(parts(storm_hour, "environment", density="huge")["right"])
    assert "Mưa từng giờ" in wet
    assert "Mực nước" not in wet
    raised = Alert(rule="river_alarm", site_id="river_01", active=True, acked=False, priority="medium", value=4.4)
    high = valued(replace(storm_hour, alerts=(raised,)), "river_level", "river_01", 4.4)
    assert "Mực nước" in words(parts(high, "environment", density="huge")["right"])


def test_smaller_walls_show_the_worst_of_each_group(storm_hour: Snapshot) -> None:
    assert len(rows(parts(storm_hour, "environment", density="sparse")["left"])) == 4
    assert len(rows(parts(storm_hour, "environment", density="huge")["left"])) == 4


def test_english_and_hostile_names(storm_hour: Snapshot) -> None:
    assert "Air (VN_AQI) Poor from 101" in words(parts(storm_hour, "environment", language="en")["left"])
    harmless(parts(hostile(storm_hour), "environment")["left"])
    harmless(parts(hostile(storm_hour), "environment")["right"])
