"""The early warning on the first screens: at its row, readable from six metres, calm, and gone when it is old."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from charts.theme import WALL
from tests.browser.conftest import PICTURES, Viewer, WallStage
from tests.browser.test_every_screen import LEAST_PX, SMALL_TEXT
from tests.browser.wall_eye import objections, shows

Window = Callable[..., Viewer]
VIEWER_M = 6.0
ROOMS = {"near": 4000.0, "scale_125": 3000.0, "scale_150": 2560.0}
SPEED = ("arterial_speed", "thanh_lam", 18.0, 120)  # «higher is better»: may fall below
JAM = ("travel_time_index", "thanh_lam", 2.5, 90)
SOON = ("reports_60min", "thanh_lam", 90.0, 40)


@pytest.fixture(autouse=True)
def one_evening(stage: WallStage) -> Iterator[None]:
    """Each story begins and ends without forecasts."""
    stage.ask("release")
    stage.ask("put", "overview")
    yield
    stage.ask("foresee")
    stage.ask("calm")
    stage.ask("release")


def wall(window: Window, stage: WallStage, room: str) -> Page:
    page = window(stage).open(f"/wall?screen={room}&embed=true")
    shows(page, "overview")
    return page


@pytest.mark.parametrize("room", sorted(ROOMS))
@pytest.mark.parametrize("hour", ["storm", "calm"])
def test_the_wall_says_the_soonest_two_at_their_rows_and_nothing_is_cut_off(
    room: str, hour: str, stage: WallStage, window: Window
) -> None:
    stage.ask(hour)
    stage.ask("foresee", SPEED, JAM, SOON)
    page = wall(window, stage, room)
    said = page.locator(".row:has(.row-ahead)")
    expect(said).to_have_count(2)
    assert [one.get_attribute("data-key") for one in said.all()] == [
        "travel_time_index:thanh_lam",
        "reports_60min:thanh_lam",
    ], "120 minutes ahead is the least urgent of three"
    for one in said.all():
        assert one.locator(".row-ahead").inner_text().startswith("Dự báo: có thể vượt")
        assert one.locator(".row-value b").is_visible(), "the present stays where it was"
    for size in ((1920, 1080), (1366, 768)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function("(width) => innerWidth === width", arg=size[0])
        page.screenshot(path=PICTURES / f"ahead_{room}_{hour}_{size[0]}.png")
        assert objections(page, ROOMS[room], VIEWER_M) == [], size


def test_it_can_be_read_from_six_metres_and_takes_no_colour_of_an_alert(stage: WallStage, window: Window) -> None:
    stage.ask("calm")
    stage.ask("foresee", SPEED)
    page = wall(window, stage, "near")
    mark = page.locator(".row-ahead")
    expect(mark).to_contain_text("có thể xuống dưới 18 km/h")
    assert page.evaluate(SMALL_TEXT, LEAST_PX) == []
    grey = ", ".join(str(int(WALL.ink2[place : place + 2], 16)) for place in (1, 3, 5))
    assert mark.evaluate("(e) => getComputedStyle(e).color") == f"rgb({grey})"
    expect(page.locator(".row .row-mark svg")).to_have_count(0)


def test_it_leaves_the_wall_when_no_new_forecast_comes(stage: WallStage, window: Window) -> None:
    """An hour and a half after it was made nobody may still read it as news."""
    stage.ask("calm")
    stage.ask("foresee", SPEED)
    page = wall(window, stage, "near")
    expect(page.locator(".row-ahead")).to_have_count(1)
    stage.ask("advance", 95)
    expect(page.locator(".row-ahead")).to_have_count(0)
    stage.ask("advance", -95)


def test_the_overview_of_a_desk_and_a_phone_says_all_of_them(stage: WallStage, window: Window) -> None:
    stage.ask("calm")
    stage.ask("foresee", SPEED, JAM, SOON)
    page = window(stage, (1920, 1080)).open("/")
    expect(page.locator(".row-ahead")).to_have_count(3)
    for size in ((1920, 1080), (1366, 768), (390, 844)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function("(width) => innerWidth === width", arg=size[0])
        page.screenshot(path=PICTURES / f"ahead_desk_{size[0]}.png", full_page=True)
        for mark in page.locator(".row-ahead span").all():
            assert mark.evaluate("(e) => e.scrollWidth <= e.clientWidth + 1")
