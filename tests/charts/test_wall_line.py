"""The line of an incident: the limit is always in the picture, only what is beyond it now has a colour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from defusedxml import ElementTree

from charts.theme import WALL
from charts.wall_line import Limit, wall_line

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)  # 17:42 in the city
RISING = [0.0, 0.0, 0.0, 5.0, 12.0, 21.0, 30.0, 38.0]
DEEP = Limit(label="ngưỡng 25", value=25.0)


def line(values: list[float], *, every_min: int = 10, ends_min: float = 0.0, **more: object) -> str:
    times = pd.Series([NOW - timedelta(minutes=ends_min + every_min * back) for back in range(len(values))][::-1])
    given: dict[str, object] = {
        "since": NOW - timedelta(hours=3), "until": NOW, "period": timedelta(minutes=10), "zone": CITY, "theme": WALL,
        "size": (620, 280), "limits": [DEEP], "priority": "critical", **more,
    }  # fmt: skip
    return wall_line(times.astype("datetime64[us, UTC]"), pd.Series(values, dtype="float64"), **given)  # type: ignore[arg-type]


def texts(svg: str) -> list[str]:
    return [node.text for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")]


def of(svg: str, name: str) -> list[list[tuple[float, float]]]:
    """Points of the paths of a class."""
    found = [node.get("d") for node in ElementTree.fromstring(svg).iter() if node.get("class") == name]
    return [
        [(float(x), float(y)) for x, y in (point.split() for point in d[1:].split("L"))]
        if name == "beyond"
        else [(0, 0)]
        for d in found
    ]


def test_only_what_is_beyond_the_limit_now_is_coloured_from_where_it_crossed() -> None:
    svg = line(RISING)
    (beyond,) = of(svg, "beyond")
    assert len(beyond) == 3, "the crossing, 30 and 38"
    limit_y = next(
        float(node.get("d").split()[1].split("H")[0])
        for node in ElementTree.fromstring(svg).iter()
        if node.get("class") == "limit"
    )
    assert beyond[0][1] == pytest.approx(limit_y, abs=0.2)
    assert all(later[0] > earlier[0] and later[1] < earlier[1] for earlier, later in pairwise(beyond))
    assert WALL.critical.line in svg


def test_a_value_that_came_back_within_has_no_colour_but_its_last_point() -> None:
    assert of(line([30.0, 38.0, 30.0, 20.0]), "beyond") == []
    assert of(line([30.0, 38.0, 40.0, 42.0]), "beyond")[0][0] != of(line([20.0, 38.0, 40.0, 42.0]), "beyond")[0][0]


def test_too_low_is_beyond_where_low_is_bad() -> None:
    low = Limit(label="ngưỡng 10", value=10.0, below=True)
    assert len(of(line([30.0, 20.0, 8.0, 4.0], limits=[low]), "beyond")[0]) == 3
    assert of(line([4.0, 8.0, 20.0, 30.0], limits=[low]), "beyond") == []


def test_the_limit_is_in_the_picture_whatever_its_distance_and_names_never_cover_each_other() -> None:
    far = line([1.0, 2.0, 1.0], limits=[DEEP], priority=None)
    assert "ngưỡng 25" in texts(far)
    two = [DEEP, Limit(label="Khẩn cấp 25,5", value=25.5)]
    assert "Khẩn cấp 25,5" not in texts(line(RISING, limits=two)), "it would lie on the other name"
    assert "Khẩn cấp 35" in texts(line(RISING, limits=[DEEP, Limit(label="Khẩn cấp 35", value=35.0)]))
    assert "Khẩn cấp 90" not in texts(line(RISING, limits=[DEEP, Limit(label="Khẩn cấp 90", value=90.0)])), "too far"


def test_a_gap_is_a_box_and_the_line_does_not_cross_it() -> None:
    assert of(line([1.0] * 19, every_min=10), "gap") == []
    silent = line([1.0] * 16, ends_min=30.0)
    assert len(of(silent, "gap")) == 1
    assert len(of(line([1.0] * 4, ends_min=60.0), "gap")) == 2


def test_old_values_have_no_colour_at_all() -> None:
    svg = line(RISING, stale=True)
    assert of(svg, "beyond") == []
    assert not any(colour in svg for colour in (WALL.critical.line, WALL.critical.fill))


def test_without_a_value_it_says_so() -> None:
    svg = line([], message="Không có số liệu <b>")
    assert texts(svg) == ["Không có số liệu <b>"]
    assert line([5.0], ends_min=600.0, message="trống") == line([], message="trống"), "older than the span"


def test_times_are_city_time_and_now_ends_the_axis() -> None:
    assert {"15:00", "16:00", "17:00", "17:42"} <= set(texts(line(RISING)))
    early = NOW - timedelta(minutes=35)
    shown = texts(line(RISING, ends_min=35, since=early - timedelta(hours=3), until=early))
    assert {"15:00", "16:00", "17:07"} <= set(shown)
    assert "17:00" not in shown, "it would lie on «now»"


@pytest.mark.parametrize(
    ("values", "limit", "ticks"),
    [
        (RISING, 25.0, ["0", "20", "40"]),
        ([1.21, 1.26, 1.24], 1.3, ["1,20", "1,25", "1,30"]),
        ([1200.0, 1500.0], 2000.0, ["1.500", "2.000"]),
    ],
)
def test_the_scale_has_round_figures_written_as_in_vietnam(values: list[float], limit: float, ticks: list[str]) -> None:
    shown = texts(line(values, limits=[Limit(label="ngưỡng", value=limit)], priority=None))
    figures = [text for text in shown if text[0].isdigit() and ":" not in text]
    assert figures == ticks


def test_a_series_of_nothing_but_zero_stands_on_the_floor() -> None:
    shown = texts(line([0.0, 0.0], limits=[], priority=None))
    assert shown[0].startswith("0")
