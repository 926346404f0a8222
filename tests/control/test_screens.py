"""Wall screens: a dead one is known by its silence, a page that lies about itself harms nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from control.screens import FROZEN_AFTER, Screens
from core.access import Person
from core.wall import WallScreen

NOW = datetime(2026, 9, 15, 20, 12, tzinfo=UTC)  # 03:12 in Viet Nam
WALL = Person(account="wall-2", name="Màn hình 2", role="viewer", kind="wall")
BEAT = timedelta(seconds=3)


@pytest.fixture
def screens() -> Screens:
    plan = [WallScreen(key=key, name_vi=key, name_en=key, slots=(("overview", BEAT),)) for key in ("man_1", "man_2")]
    return Screens(plan)


def of(screens, key="man_2"):
    return next(one for one in screens.states() if one.key == key)


def test_a_screen_that_stops_painting_at_night_is_frozen_after_half_a_minute(screens):
    screens.join("man_2", WALL, "v1", NOW)
    screens.beat("man_2", "v1", {"painted": 7, "scene": "overview"}, NOW + BEAT)
    assert not of(screens).frozen(NOW + BEAT + FROZEN_AFTER)
    later = NOW + BEAT + FROZEN_AFTER + timedelta(seconds=1)
    assert of(screens).frozen(later)
    assert of(screens).silent(later) == FROZEN_AFTER + timedelta(seconds=1)
    assert not of(screens, "man_1").frozen(later), "nobody has ever opened the other one"


def test_one_that_beats_but_repaints_nothing_is_told_by_what_it_painted_last(screens):
    screens.join("man_2", WALL, "v1", NOW)
    for number in range(1, 4):
        screens.beat("man_2", "v1", {"painted": 7}, NOW + number * BEAT)
    assert (of(screens).painted, of(screens).painted_at) == (7, NOW + BEAT)
    screens.beat("man_2", "v1", {"painted": 8}, NOW + 4 * BEAT)
    assert of(screens).painted_at == NOW + 4 * BEAT


def test_a_second_window_of_one_name_takes_over_and_the_first_can_no_longer_speak_for_it(screens):
    screens.join("man_2", WALL, "v1", NOW)
    screens.join("man_2", WALL, "v2", NOW + BEAT)
    screens.beat("man_2", "v1", {"painted": 99}, NOW + BEAT)
    screens.leave("man_2", "v1", NOW + BEAT, politely=True)
    assert (of(screens).visit, of(screens).painted, of(screens).closed_at) == ("v2", 0, None)


def test_a_wall_that_is_closed_by_hand_is_still_missed(screens):
    screens.join("man_2", WALL, "v1", NOW)
    screens.leave("man_2", "v1", NOW + BEAT, politely=True)
    assert of(screens).closed_at == NOW + BEAT
    assert of(screens).frozen(NOW + timedelta(minutes=1))


def test_somebody_who_looks_at_the_wall_from_a_desk_and_leaves_is_not_missed(screens):
    demo = Person(account="demo", name="", role="supervisor", kind="demo")
    screens.join("man_2", demo, "v1", NOW)
    screens.leave("man_2", "v1", NOW + BEAT, politely=True)
    assert not of(screens).frozen(NOW + timedelta(hours=1))
    screens.join("man_2", demo, "v2", NOW)
    screens.leave("man_2", "v2", NOW + BEAT, politely=False)
    assert of(screens).frozen(NOW + timedelta(hours=1)), "a browser that dies is missed, whoever sits before it"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"painted": "7", "errors": [], "heap_mb": "x", "scene": {"a": 1}, "size": None},
        {"painted": -1, "errors": 1e300, "heap_mb": float("nan"), "scene": "x" * 100_000},
        {"painted": True, "heap_mb": -5},
    ],
)
def test_whatever_a_page_says_about_itself_is_kept_small_and_sane(screens, told):
    screens.join("man_2", WALL, "v1", NOW)
    screens.beat("man_2", "v1", told, NOW + BEAT)
    state = of(screens)
    assert state.beat_at == NOW + BEAT
    assert (state.painted, state.errors, state.heap_mb) == (1 if told.get("painted") is True else 0, 0, None)
    assert len(state.scene) <= 300


def test_a_screen_that_is_not_in_the_plan_is_nobody(screens):
    screens.join("man_9", WALL, "v1", NOW)
    screens.beat("man_9", "v1", {"painted": 7}, NOW)
    screens.leave("man_9", "v1", NOW, politely=True)
    assert [one.key for one in screens.states()] == ["man_1", "man_2"]


def test_after_a_restart_of_the_server_a_screen_that_was_there_is_expected_back(screens):
    screens.expect("man_2", NOW)
    assert of(screens).frozen(NOW + timedelta(minutes=1))
    screens.join("man_2", WALL, "v1", NOW + timedelta(minutes=2))
    assert not of(screens).frozen(NOW + timedelta(minutes=2))
