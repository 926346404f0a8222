"""The large chart: city time, holes as holes, limits by name, Vietnamese numbers, at most 2,000 points."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from charts.theme import DESK
from charts.trend import MOST_POINTS, small_multiples, starts_at_zero, trend
from core.catalogue import ObservedProperty

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
UNTIL = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)  # 17:42 in the city
SINCE = UNTIL - timedelta(hours=24)
INDEX = ObservedProperty(
    key="travel_time_index", domain="traffic", name_vi="Chỉ số ùn tắc", name_en="Travel time index", unit="1",
    unit_vi="lần", unit_en="x", decimals=2,
)  # fmt: skip
REPORTS = ObservedProperty(
    key="reports", domain="reports", name_vi="Phản ánh", name_en="Reports", unit="1", unit_vi="tin", aggregation="sum"
)


def series(values: Any = 1.5, **more: Any) -> pd.DataFrame:
    at = pd.date_range(SINCE, UNTIL, freq="5min")
    return pd.DataFrame({"time": at, "value": values, "quality": "pass"} | more)


def usual(low: float, high: float) -> pd.DataFrame:
    at = pd.date_range(SINCE, UNTIL, freq="1h")
    return pd.DataFrame({"time": at, "low": low, "middle": (low + high) / 2, "high": high})


def spec(data: pd.DataFrame, **more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"prop": INDEX, "zone": CITY, "theme": DESK, "since": SINCE, "until": UNTIL, **more}
    found: dict[str, Any] = trend(data, **options).to_dict()
    assert "NaN" not in json.dumps(found)
    return found


def layer(drawn: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((one for one in drawn["layer"] if one.get("name", "").startswith(name)), None)


def rows(drawn: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = layer(drawn, name)
    assert found is not None, name
    result: list[dict[str, Any]] = drawn["datasets"][found["data"]["name"]]
    return result


def y_domain(drawn: dict[str, Any]) -> list[float]:
    found = layer(drawn, "series")
    assert found is not None
    result: list[float] = found["encoding"]["y"]["scale"]["domain"]
    return result


def test_the_x_axis_is_city_time_whatever_the_browser_thinks() -> None:
    last = rows(spec(series()), "last")[0]
    assert last["time"] == "2026-09-15T17:42:00"
    assert last["when"] == "15/09 17:42"


def test_now_has_its_own_tick() -> None:
    found = layer(spec(series()), "now")
    assert found is not None
    ticks = found["encoding"]["x"]["axis"]["values"]
    assert (ticks[-1]["hours"], ticks[-1]["minutes"]) == (17, 42)
    assert [tick["hours"] for tick in ticks[:-1]] == [18, 21, 0, 3, 6, 9, 12, 15]


def test_numbers_are_vietnamese_by_default_and_english_on_request() -> None:
    vi, en = spec(series(2.18)), spec(series(2.18), language="en")
    assert vi["config"]["locale"]["number"]["decimal"] == ","
    assert en["config"]["locale"]["number"]["decimal"] == "."
    assert rows(vi, "labels")[0]["words"] == "2,18 lần"
    assert rows(en, "labels")[0]["words"] == "2.18 x"


def test_a_silence_of_47_minutes_is_a_box_and_not_a_line() -> None:
    drawn = spec(series().iloc[:-9])
    (box,) = rows(drawn, "gaps")
    assert box["words"] == "15/09 16:57 – 15/09 17:42"
    assert max(row["time"] for row in rows(drawn, "series")) == "2026-09-15T16:57:00"


def test_suspect_and_failed_values_are_not_drawn_as_measurements() -> None:
    data = series()
    data.loc[100:120, "quality"] = "fail"
    data.loc[100:120, "value"] = 99.0
    drawn = spec(data)
    assert max(row["value"] for row in rows(drawn, "series")) == 1.5
    assert len(rows(drawn, "gaps")) == 1
    assert len({row["run"] for row in rows(drawn, "series")}) == 2


def test_without_any_value_the_chart_says_so_instead_of_drawing_zero() -> None:
    drawn = spec(series(float("nan")))
    assert layer(drawn, "series") is None
    assert rows(drawn, "nothing")[0]["words"] == "Không có số liệu trong khoảng này"
    assert len(rows(drawn, "gaps")) == 1


def test_limits_carry_name_and_value_and_a_far_one_does_not_flatten_the_line() -> None:
    drawn = spec(series(np.linspace(1.2, 2.2, 289)), thresholds=[("ngưỡng", 1.8), ("nguy hiểm", 9.0)])
    assert [row["value"] for row in rows(drawn, "thresholds")] == [1.8]
    assert "ngưỡng 1,80" in [row["words"] for row in rows(drawn, "labels")]
    assert y_domain(drawn)[1] < 3


def test_on_a_dry_day_the_next_limit_gives_the_measure() -> None:
    rain = ObservedProperty(key="rain_1h", domain="weather", name_vi="Mưa", name_en="Rain", unit="mm", unit_vi="mm")
    drawn = spec(series(0.0), prop=rain, thresholds=[("mưa to", 30.0), ("mưa rất to", 60.0)])
    assert y_domain(drawn) == [0.0, pytest.approx(32.4)]


def test_counts_start_at_zero_and_levels_do_not() -> None:
    assert y_domain(spec(series(40.0), prop=REPORTS))[0] == 0
    assert y_domain(spec(series(40.0)))[0] > 0
    assert starts_at_zero(REPORTS)
    assert not starts_at_zero(INDEX)


def test_labels_at_the_end_never_cover_each_other() -> None:
    drawn = spec(
        series(1.79), band=usual(1.7, 1.9), thresholds=[("theo dõi", 1.78), ("ngưỡng", 1.8), ("cao", 1.81)], height=360
    )
    heights = sorted(row["value"] for row in rows(drawn, "labels"))
    low, high = y_domain(drawn)
    pitch = 17 / (290 / (high - low))
    assert len(heights) == 5
    assert all(upper - lower >= pitch * 0.99 for lower, upper in itertools.pairwise(heights))
    assert rows(drawn, "labels")[0]["value"] == 1.79, "the value itself stays where it is"


def test_only_the_present_excursion_of_an_alert_is_coloured() -> None:
    values = np.full(289, 1.5)
    values[50:60] = 2.5
    values[-6:] = 2.5
    calm, alarmed = spec(series(values), band=usual(1, 2)), spec(series(values), band=usual(1, 2), abnormal="high")
    assert layer(calm, "excursion") is None
    assert len(rows(alarmed, "excursion")) == 7, "six values outside, and the one where the line left the band"
    found = layer(alarmed, "last")
    assert found is not None
    assert found["mark"]["shape"] == "triangle-up"
    assert found["mark"]["color"] == DESK.high.line


def test_alerts_stand_as_flags_with_words_and_those_outside_the_span_do_not() -> None:
    drawn = spec(
        series(),
        events=[(UNTIL - timedelta(minutes=6), "critical", "Ngập sâu"), (SINCE - timedelta(hours=1), "low", "cũ")],
    )
    (flag,) = rows(drawn, "events")
    assert flag["words"] == "Khẩn cấp: Ngập sâu"
    assert flag["when"] == "15/09 17:36"


def test_a_year_of_five_minute_values_becomes_two_thousand_points_with_its_peak() -> None:
    at = pd.date_range(UNTIL - timedelta(days=365), UNTIL, freq="5min")
    values = np.full(len(at), 1.5)
    values[70000] = 7.5
    data = pd.DataFrame({"time": at, "value": values, "quality": "pass"}).drop(index=range(0, len(at), 7))
    data.loc[70000] = [at[70000], 7.5, "pass"]
    hours = pd.date_range(UNTIL - timedelta(days=365), UNTIL, freq="1h")
    band = pd.DataFrame({"time": hours, "low": 1.0, "middle": 1.5, "high": 2.0})
    drawn = spec(data, since=UNTIL - timedelta(days=365), band=band)
    assert len(rows(drawn, "band")) <= 1000
    assert len(rows(drawn, "gaps")) == 0, "a hole of ten minutes in a year is finer than a pixel"
    points = rows(drawn, "series")
    assert len(points) <= MOST_POINTS
    assert max(row["value"] for row in points) == 7.5


def test_small_multiples_share_one_scale_and_stand_worst_first() -> None:
    data = pd.concat([series(value, name=name) for name, value in (("An Khê", 1.2), ("Tân Mỹ", 2.4), ("Lê Lợi", 1.7))])
    drawn = small_multiples(data, prop=INDEX, zone=CITY, theme=DESK, since=SINCE, until=UNTIL).to_dict()
    assert drawn["facet"]["sort"] == ["Tân Mỹ", "Lê Lợi", "An Khê"]
    low, high = drawn["spec"]["encoding"]["y"]["scale"]["domain"]
    assert low < 1.2 < 2.4 < high
    assert "resolve" not in drawn, "shared scales"
    speed = ObservedProperty(key="speed", domain="traffic", name_vi="", name_en="", unit="km/h", direction="higher")
    slow = small_multiples(data, prop=speed, zone=CITY, theme=DESK, since=SINCE, until=UNTIL).to_dict()
    assert slow["facet"]["sort"][0] == "An Khê", "the slowest road is the worst"


def test_small_multiples_of_nothing_say_what_is_missing() -> None:
    with pytest.raises(ValueError, match="travel_time_index: no usable value"):
        small_multiples(series(float("nan"), name="x"), prop=INDEX, zone=CITY, theme=DESK, since=SINCE, until=UNTIL)


def test_no_address_of_another_host_is_in_the_chart_but_the_schema_name() -> None:
    text = json.dumps({key: part for key, part in spec(series()).items() if key != "$schema"})
    assert "http" not in text


def test_holidays_are_columns_and_a_closed_road_is_a_bar_with_its_words() -> None:
    """Both end with the plot, and a closure of two minutes can still be seen in a chart of a day."""
    feast = (UNTIL - timedelta(hours=30), UNTIL - timedelta(hours=20), "nghỉ lễ", True)
    closed = (UNTIL - timedelta(hours=5), UNTIL - timedelta(hours=5) + timedelta(minutes=2), "đường bị cấm", False)
    gone = (SINCE - timedelta(hours=9), SINCE - timedelta(hours=8), "đã qua", False)
    drawn = spec(series(), spans=[feast, closed, gone])
    (day,), (fact,) = rows(drawn, "days"), rows(drawn, "facts")
    assert (day["words"], fact["words"]) == ("nghỉ lễ", "đường bị cấm")
    assert day["time"] == "2026-09-14T17:42:00", "what began before the plot begins with it"
    width = datetime.fromisoformat(fact["end"]) - datetime.fromisoformat(fact["time"])
    assert timedelta(minutes=3) < width < timedelta(minutes=10)
    assert layer(spec(series()), "days") is None
