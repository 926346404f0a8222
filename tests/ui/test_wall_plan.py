"""What a smaller or farther wall leaves out, and that nothing which calls is among it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from charts.theme import WALL
from core.ledger import Switch
from core.snapshot import Snapshot
from core.wall import WallScreen, direct
from tests.ui.alert_stories import screen
from ui import overview
from ui.scenes._stage import density
from ui.scenes.environment import apart
from ui.scenes.overview import ROWS
from ui.views import View

NOON = datetime(2026, 11, 19, 5, 0, tzinfo=UTC)


def keys(snapshot: Snapshot, room: int | None) -> list[tuple[str, str]]:
    groups = overview._groups(View(snapshot, "vi", WALL), room)
    return [(row.key, row.site_id) for _, rows in groups for row in rows]


@pytest.mark.parametrize("size", ["sparse", "huge"])
def test_a_smaller_wall_shows_fewer_figures_those_that_call_among_them(size: str, storm_hour: Snapshot) -> None:
    everything, room = keys(storm_hour, None), ROWS[size]
    kept = keys(storm_hour, room)
    assert len(kept) == room
    assert kept == [key for key in everything if key in kept], "in their places"
    groups = overview._groups(View(storm_hour, "vi", WALL))
    calling = [(row.key, row.site_id) for _, rows in groups for row in rows if row.priority]
    assert calling
    assert set(calling) <= set(kept)


def test_what_is_silent_is_not_what_is_left_out(calm_hour: Snapshot) -> None:
    last = keys(calm_hour, None)[-1]
    old = replace(calm_hour.readings[last], freshness="old", age=timedelta(hours=9))
    silent = replace(calm_hour, readings={**calm_hour.readings, last: old})
    assert last not in keys(calm_hour, ROWS["huge"])
    assert last in keys(silent, ROWS["huge"])


def test_the_room_grows_smaller_with_the_scale() -> None:
    assert [density(one) for one in (1.0, 1.05, 1.06, 1.34, 1.35, 1.6)] == ["full"] * 2 + ["sparse"] * 2 + ["huge"] * 2


def test_a_station_is_told_by_what_the_others_are_not_called() -> None:
    assert apart(["Trạm đo ồn Bến xe", "Trạm đo ồn Hồ Sen"]) == ["Bến xe", "Hồ Sen"]
    assert apart(["East gauge", "Old Town gauge"]) == ["East", "Old Town"]
    assert apart(["Trạm đo ồn", "Trạm đo ồn Hồ Sen"]) == ["ồn", "ồn Hồ Sen"], "something is left of each"
    assert apart(["Trạm Một"]) == ["Trạm Một"]
    assert apart([]) == []


def test_what_somebody_chose_ends_by_the_citys_clock_and_is_one_picture_until_then(calm_hour: Snapshot) -> None:
    """A played city has a clock of its own: the wall names that hour, and is not drawn anew with every look."""
    city_now = calm_hour.made_at
    put = Switch(name="show:*:traffic", until=city_now + timedelta(minutes=15), by="Hà", at=city_now)
    plan = WallScreen(key="one", name_vi="Một", name_en="One", slots=(("overview", timedelta(seconds=40)),))
    looks = [
        direct(plan, (), {put.name: put}, now=NOON + later, city_now=city_now + later + timedelta(microseconds=jitter))
        for jitter, later in enumerate((timedelta(0), timedelta(seconds=3)), start=1)
    ]
    assert [one.until for one in looks] == [put.until, put.until]
    until = put.until.astimezone(calm_hour.city.zone).strftime("%H:%M")
    parts = screen(calm_hour, "traffic", why="chosen", by="Hà", until=put.until)
    assert f"Hà đưa lên, đến {until}" in parts["turn"]
