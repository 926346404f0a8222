"""The forecast of the brief: the words of its axis stand where the picture draws."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from charts.brief import HEIGHT, ahead, axis
from charts.theme import DESK

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)


def hours(first: int, *values: float) -> list[tuple[datetime, float]]:
    return [(SIX + timedelta(hours=first + number), value) for number, value in enumerate(values)]


PAST = hours(0, 4.0, 4.1, 4.12)
MIDDLE, LOW, HIGH = hours(3, 4.2, 4.3, 4.4), hours(3, 4.1, 4.1, 4.0), hours(3, 4.3, 4.5, 4.8)


def test_the_present_the_ends_of_the_axis_and_the_limit_stand_where_they_are_drawn() -> None:
    found = axis(PAST, MIDDLE, LOW, HIGH, limit=4.3)
    drawn = ahead(PAST, MIDDLE, LOW, HIGH, limit=4.3, label="", theme=DESK)
    lines = [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'points="([^"]+)"', drawn)
    ]
    area, past, _ = lines
    assert found.now == round(past[-1][0], 1) < 50, "three hours lie ahead, two behind"
    (highest, top), (lowest, bottom) = found.values
    assert (highest, lowest) == (4.8, 4.0)
    assert top == pytest.approx(100 * min(y for _, y in area) / HEIGHT, abs=0.1)
    assert bottom == pytest.approx(100 * max(y for _, y in (*area, *past)) / HEIGHT, abs=0.1)
    assert found.limit is not None
    (limit_y,) = re.findall(r'd="M0 ([0-9.]+)H', drawn)
    assert found.limit == pytest.approx(100 * float(limit_y) / HEIGHT, abs=0.1)


def test_without_a_past_and_a_limit_the_present_is_the_first_hour_that_is_told() -> None:
    found = axis([], MIDDLE, LOW, HIGH, limit=None)
    assert found.limit is None
    assert found.now < 5
    assert found.values[0][0] == 4.8
