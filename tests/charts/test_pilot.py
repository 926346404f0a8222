"""Pictures of a pilot: the start is marked, names stay apart, and the interval is drawn where there is one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from charts import pilot
from charts.theme import DESK

DAYS = [date(2026, 10, 1) + timedelta(days=one) for one in range(10)]
NAMES = {"own": "Nơi làm", "mix": "So sánh tổng hợp", "others": "Trung bình"}


def layers(chart: Any) -> dict[str, Any]:
    spec = chart.to_dict()
    shared = spec.get("data", {})  # what all layers share stands at the top
    return {
        one["name"]: (one, spec["datasets"][one.get("data", shared)["name"]]) for one in spec["layer"] if "name" in one
    }


def drawn(lines: dict[str, list[float]]) -> dict[str, Any]:
    return layers(
        pilot.path(DAYS, lines, starts=DAYS[6], names=NAMES, start_word="bắt đầu", unit="lần", decimals=2, theme=DESK)
    )


def test_the_start_stands_at_its_day_and_every_line_has_its_name_and_stroke() -> None:
    found = drawn({"own": [1.5] * 10, "mix": [1.4] * 10, "others": [1.3] * 10})
    assert found["start"][1][0]["day"].startswith("2026-10-07")
    strokes = {str(found[key][0]["mark"]["strokeDash"]) + str(found[key][0]["mark"]["strokeWidth"]) for key in NAMES}
    assert len(strokes) == 3, "lines differ without colour"
    assert {found[f"name_{key}"][1][0]["words"] for key in NAMES} == set(NAMES.values())
    assert found["own"][1][0]["words"] == "1,50"


def test_names_of_lines_that_end_together_stand_apart() -> None:
    found = drawn({"own": [1.0, *[2.0] * 9], "mix": [1.0, *[2.0] * 9], "others": [1.0, *[2.0] * 9]})
    heights = sorted(found[f"name_{key}"][1][0]["value"] for key in NAMES)
    span = 1.2  # of the axis: the values with their margin
    assert heights[1] - heights[0] >= 0.08 * span
    assert heights[2] - heights[1] >= 0.08 * span


@pytest.mark.parametrize(("low", "high"), [(-0.12, -0.06), (None, None)])
def test_the_pilot_stands_among_its_placebos_with_an_interval_or_without(low: float | None, high: float | None) -> None:
    chart = pilot.among_placebos(
        [("A", 0.01), ("B", -0.2)], effect=-0.09, low=low, high=high, name="P", unit="lần", decimals=2, theme=DESK
    )
    found = layers(chart)
    assert ("interval" in found) is (low is not None)
    assert [one["words"] for one in found["placebos"][1]] == ["+0,01 lần", "−0,20 lần"]
    assert found["pilot"][1][0]["words"] == "−0,09 lần"
    low_end, high_end = found["placebos"][0]["encoding"]["x"]["scale"]["domain"]
    assert low_end < -0.2
    assert high_end == -low_end, "nothing lies in the middle, so the sign is seen"


def test_a_pilot_without_any_difference_is_drawn() -> None:
    assert drawn({"own": [1.0] * 10, "others": [1.0] * 10})
    assert pilot.among_placebos([], effect=0.0, low=0.0, high=0.0, name="P", unit="", decimals=1, theme=DESK).to_dict()
