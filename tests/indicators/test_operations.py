"""The house about itself: are the sources fresh, and did what was due arrive?"""

from __future__ import annotations

import pytest

from tests.indicators.frames import CITY, results, said, series, window

PERIODS = {"traffic": 5.0, "air": 60.0}


def health(source: str, up: float, age_min: float | None, end: str = "2026-11-20 08:00") -> list[object]:
    rows = [series("source_up", source, end, [up])]
    return rows if age_min is None else [*rows, series("source_age", source, end, [age_min])]


@pytest.mark.parametrize(
    ("traffic", "air", "share"),
    [
        ((1, 10), (1, 120), 100.0),  # twice the period is still fresh
        ((1, 11), (1, 120), 50.0),
        ((1, 3), (1, 121), 50.0),
        ((0, 3), (1, 30), 50.0),  # an answer of yesterday does not make it answer now
        ((1, 3), (1, None), 50.0),  # answers, but never gave a value
        ((0, 3), (0, 30), 0.0),
    ],
)
def test_a_source_is_fresh_when_it_answers_with_data_of_its_period(
    traffic: tuple[float, float], air: tuple[float, float | None], share: float
) -> None:
    rows = [*health("traffic", *traffic), *health("air", *air)]
    computed = results(
        "data_freshness", window(rows, "2026-11-20 07:55", "2026-11-20 08:00", source_period_min=PERIODS)
    )
    assert said(computed, "data_freshness", CITY) == {"20 08:00": share}


def test_a_configured_source_that_nobody_heard_of_counts_as_lost() -> None:
    seen = window(health("traffic", 1, 3), "2026-11-20 07:55", "2026-11-20 08:05", source_period_min=PERIODS)
    assert said(results("data_freshness", seen), "data_freshness", CITY) == {"20 08:00": 50.0}


def test_the_last_word_of_the_five_minutes_counts() -> None:
    rows = [*health("traffic", 0, 3, "2026-11-20 07:58"), *health("traffic", 1, 3, "2026-11-20 07:59")]
    seen = window(rows, "2026-11-20 07:55", "2026-11-20 08:00", source_period_min={"traffic": 5.0})
    assert said(results("data_freshness", seen), "data_freshness", CITY) == {"20 08:00": 100.0}


def test_without_configured_periods_an_answer_is_enough() -> None:
    seen = window([*health("traffic", 1, 9000), *health("air", 0, 1)], "2026-11-20 07:55", "2026-11-20 08:00")
    assert said(results("data_freshness", seen), "data_freshness", CITY) == {"20 08:00": 50.0}


def test_every_series_is_due_at_its_own_pace() -> None:
    rows = [
        series("speed", "ring", "2026-11-20 12:00", [30.0] * 288, every_min=5),
        series("rainfall", "gauge", "2026-11-20 12:00", [0.0] * 72 + [None] * 72, every_min=10),
        series("pm25", "station", "2026-11-20 12:00", [20.0] * 24),
    ]
    computed = results("data_completeness", window(rows, "2026-11-20 11:00", "2026-11-20 12:00"))
    due, came = 288 + 144 + 24, 288 + 72 + 24
    assert said(computed, "data_completeness", CITY)["20 12:00"] == pytest.approx(100 * came / due)


def test_a_value_that_is_not_usable_did_not_arrive() -> None:
    rows = [
        series("pm25", "station", "2026-11-20 08:00", [20.0] * 20),
        series("pm25", "station", "2026-11-20 12:00", [20.0] * 4, quality="suspect"),
    ]
    computed = results("data_completeness", window(rows, "2026-11-20 11:00", "2026-11-20 12:00"))
    assert said(computed, "data_completeness", CITY)["20 12:00"] == pytest.approx(100 * 20 / 24)


def test_a_dead_sensor_is_missed_for_three_days_and_then_forgotten() -> None:
    rows = [
        series("pm25", "alive", "2026-11-20 12:00", [20.0] * 24 * 6),
        series("pm25", "dead", "2026-11-16 12:00", [20.0] * 48),
    ]
    computed = results("data_completeness", window(rows, "2026-11-14 12:00", "2026-11-20 12:00"))
    share = said(computed, "data_completeness", CITY)
    assert (share["16 12:00"], share["18 12:00"]) == (100.0, 50.0)
    assert (share["19 11:00"], share["19 12:00"]) == (50.0, 100.0)


def test_more_than_was_due_does_not_fill_the_holes_of_others() -> None:
    rows = [
        series("pm25", "station", "2026-11-20 12:00", [20.0] * 12 + [None] * 12),
        series("speed", "ring", "2026-11-20 12:00", [30.0] * 144, every_min=10),
        series("speed", "ring", "2026-11-20 11:58", [30.0] * 30, every_min=1),
    ]
    computed = results("data_completeness", window(rows, "2026-11-20 11:00", "2026-11-20 12:00"))
    assert said(computed, "data_completeness", CITY)["20 12:00"] == pytest.approx(100 * (144 + 12) / (144 + 24))
