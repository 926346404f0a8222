"""What a smaller or farther wall leaves out, and that nothing which calls is among it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from charts.theme import WALL
from core.ledger import Switch
from core.snapshot import Snapshot
from core.wall import LEAST_ARCMIN, SMALLEST_U, WallScreen, arcmin, direct
from tests.ui.alert_stories import screen
from ui import overview
from ui.scenes._stage import density
from ui.scenes.environment import apart
from ui.scenes.overview import ROWS
from ui.views import View
from ui.wall import enlarged

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


@pytest.mark.parametrize(
    ("given", "least", "most"), [("", 1.0, 1.0), ("2", 1.2, 1.3), ("-9", 0.9, 1.0), ("x", 1.0, 1.0)]
)
def test_a_hand_at_the_screen_makes_its_letters_larger_but_never_unreadable(
    given: str, least: float, most: float
) -> None:
    plan = WallScreen(key="man_1", name_vi="1", name_en="1", slots=(("overview", timedelta(seconds=40)),))
    assert least <= enlarged(plan, given) <= most


@pytest.mark.parametrize("given", ["999999999999", "-999999999999", "1e9", "٣"])
def test_whatever_stands_in_the_address_gives_a_picture(given: str) -> None:
    plan = WallScreen(key="man_1", name_vi="1", name_en="1", slots=(("overview", timedelta(seconds=40)),))
    assert arcmin(SMALLEST_U, plan.width_mm, plan.viewer_m, enlarged(plan, given)) >= LEAST_ARCMIN - 1e-9
