"""The use of the dashboard itself: looks, sessions, walls and indicators, and nobody's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from control.screens import ScreenState
from control.usage import LONGEST_LOOK_S, Usage, Used
from store.duck import DuckStore
from tests.clockwork import SetClock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


class Room:
    def __init__(self, path: Path) -> None:
        self.clock = SetClock(MORNING)
        self.store = DuckStore(path, zone=str(ZONE))
        self.usage = Usage(self.store, ZONE, self.clock.now)

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def used(self, *indicators: str) -> Used:
        self.usage.turn()
        return self.usage.used(indicators)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path / "usage.duckdb")
    yield made
    made.store.close()


def test_a_look_of_half_a_minute_is_a_session_and_a_glance_is_not(room: Room) -> None:
    room.usage.opened("one", "traffic", "operator")
    room.wait(31)
    room.usage.opened("one", "map", "operator")
    room.wait(5)
    room.usage.left("one")
    found = {one.name: (one.n, one.sessions, one.seconds) for one in room.used().pages}
    assert found == {"traffic": (1, 1, 31.0), "map": (1, 0, 5.0)}


def test_a_page_that_runs_anew_is_the_same_look_and_two_people_are_two(room: Room) -> None:
    for _ in range(20):
        room.usage.opened("one", "traffic", "operator")
        room.wait(2)
    room.usage.opened("two", "traffic", "viewer")
    room.usage.opened("one", "map", "operator")
    found = {(one.name, one.role): one.n for one in room.used().pages}
    assert found == {("traffic", "operator"): 1, ("traffic", "viewer"): 1, ("map", "operator"): 1}
    assert room.used().total == 3


def test_whoever_left_the_desk_over_night_did_not_view_all_night(room: Room) -> None:
    room.usage.opened("one", "traffic", "operator")
    room.wait(9 * 3600)
    room.usage.left("one")
    (row,) = room.used().pages
    assert row.seconds == LONGEST_LOOK_S


def test_a_wall_counts_hours_while_it_lives_and_none_while_it_is_frozen(room: Room) -> None:
    lives = ScreenState(key="wall_1", since=MORNING, beat_at=MORNING)
    for _ in range(60):
        room.usage.turn([replace(lives, beat_at=room.clock.now())])
        room.wait(60)
    for _ in range(60):
        room.usage.turn([lives])
        room.wait(60)
    (wall,) = room.used().walls
    assert wall.name == "wall_1"
    assert wall.seconds == pytest.approx(59 * 60)
    assert room.used().pages == ()


def test_an_indicator_nobody_opened_in_ninety_days_is_named(room: Room) -> None:
    room.usage.looked_at("one", ["vn_aqi"])
    room.usage.looked_at("one", ["rain_1h"])
    room.wait(89 * 86_400)
    assert room.used("vn_aqi", "rain_1h", "heat_index").unopened == ("heat_index",)
    room.usage.opened("two", "trends", "viewer")
    room.usage.looked_at("two", ["rain_1h"])
    room.wait(2 * 86_400)
    found = room.used("vn_aqi", "rain_1h", "heat_index")
    assert found.unopened == ("vn_aqi", "heat_index")
    assert found.days == 90


def test_the_first_day_is_told_while_ninety_days_are_not_over(room: Room) -> None:
    assert room.used("vn_aqi").since is None
    room.usage.opened("one", "trends", "viewer")
    room.wait(3 * 86_400)
    found = room.used("vn_aqi")
    assert (found.since, found.days) == (date(2026, 11, 20), 4)


def test_counts_outlast_the_house_and_hold_nobody(room: Room) -> None:
    room.usage.opened("a-connection-of-somebody", "traffic", "operator")
    room.wait(40)
    room.usage.stop()
    rows = room.store.read_usage(date(2026, 1, 1))
    assert list(rows.columns) == ["day", "kind", "name", "role", "n", "sessions", "seconds"]
    assert not rows.astype(str).apply(lambda column: column.str.contains("somebody")).any().any()
    again = Usage(room.store, ZONE, room.clock.now)
    again.opened("another", "traffic", "operator")
    again.stop()
    (row,) = again.used([]).pages
    assert (row.n, row.sessions) == (2, 1)


def test_the_day_is_the_citys_not_greenwichs(room: Room) -> None:
    room.clock.set(datetime(2026, 11, 20, 18, 30, tzinfo=UTC))
    room.usage.opened("one", "traffic", "operator")
    assert room.used().since == date(2026, 11, 21)


def test_an_opened_drawer_counts_for_its_indicator_once_per_look(room: Room) -> None:
    room.usage.opened("one", "traffic", "viewer")
    for _ in range(3):
        room.usage.asked_why("one", "vn_aqi")
    room.usage.asked_why("one", "rain_1h")
    assert room.used("vn_aqi", "rain_1h", "heat_index").unopened == ("heat_index",)
    counted = room.store.read_usage(date(2026, 1, 1)).query("kind == 'indicator'")
    assert dict(zip(counted["name"], counted["n"], strict=True)) == {"vn_aqi": 1, "rain_1h": 1}
    room.usage.opened("one", "map", "viewer")
    room.usage.asked_why("one", "vn_aqi")
    room.usage.turn()
    counted = room.store.read_usage(date(2026, 1, 1)).query("name == 'vn_aqi'")
    assert counted["n"].sum() == 2, "another page is another look"


def test_a_drawer_of_an_indicator_whose_trend_is_open_is_no_news(room: Room) -> None:
    room.usage.opened("one", "trends", "viewer")
    room.usage.looked_at("one", ["vn_aqi"])
    room.usage.asked_why("one", "vn_aqi")
    room.usage.looked_at("one", ["vn_aqi"])
    room.usage.turn()
    assert room.store.read_usage(date(2026, 1, 1)).query("name == 'vn_aqi'")["n"].sum() == 1


def test_a_drawer_without_an_open_page_counts_nothing(room: Room) -> None:
    room.usage.asked_why("nobody", "vn_aqi")
    room.usage.opened("one", "traffic", "viewer")
    room.usage.left("one")
    room.usage.asked_why("one", "vn_aqi")
    assert room.used("vn_aqi").unopened == ("vn_aqi",)


def test_a_killed_server_loses_no_more_than_a_cycle_of_the_looks_that_went_on(room: Room) -> None:
    room.usage.opened("one", "traffic", "operator")
    for _ in range(3):
        room.wait(60)
        room.usage.turn()
    room.wait(45)  # killed here: nobody says stop, and nobody leaves
    (row,) = Usage(room.store, ZONE, room.clock.now).used([]).pages
    assert (row.n, row.sessions, row.seconds) == (1, 1, 180.0)


def test_what_was_stored_on_the_way_is_not_counted_again_at_the_end(room: Room) -> None:
    room.usage.opened("one", "traffic", "operator")
    room.wait(20)
    room.usage.turn()
    room.wait(20)
    room.usage.opened("one", "traffic", "operator")
    room.usage.turn()
    room.wait(5)
    room.usage.left("one")
    (row,) = room.used().pages
    assert (row.n, row.sessions, row.seconds) == (1, 1, 45.0)


def test_a_look_left_over_night_stays_at_half_an_hour_however_often_it_is_stored(room: Room) -> None:
    room.usage.opened("one", "traffic", "operator")
    for _ in range(9 * 60):
        room.wait(60)
        room.usage.turn()
    room.usage.left("one")
    (row,) = room.used().pages
    assert (row.sessions, row.seconds) == (1, LONGEST_LOOK_S)
