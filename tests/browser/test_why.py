"""«Vì sao con số này?» by keyboard and on paper: the mark opens, Escape returns, the server hears which indicator."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocket

from tests.browser.conftest import House, Viewer
from tests.browser.test_every_screen import complete

Window = Callable[..., Viewer]
LAPTOP, PHONE = (1366, 768), (390, 844)
SATISFACTION = "/citizens?view=hai-long"
FOCUS = "document.activeElement.dataset.focus"


def listening(viewer: Viewer) -> list[str]:
    """Keys that the page tells the server from now on."""
    told: list[str] = []

    def sent(frame: str | bytes) -> None:
        if isinstance(frame, str) and '"asked"' in frame:
            told.append(json.loads(frame)["asked"])

    def opened(socket: WebSocket) -> None:
        socket.on("framesent", sent)

    viewer.page.on("websocket", opened)
    return told


def connected(page: Page) -> None:
    """The page's own connection has brought a picture: what is told from now on arrives."""
    page.wait_for_function(
        "[...document.querySelectorAll('.panel-root')].some((root) => root.__live?.told?.number > 0)"
    )


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_mark_opens_its_drawer_by_enter_and_escape_returns_to_it(
    size: tuple[int, int], house: House, window: Window
) -> None:
    viewer = window(house.server, size)
    told = listening(viewer)
    page = viewer.open(SATISFACTION)
    mark = page.locator('.why-ask[data-opens="satisfied_share"]').first
    mark.wait_for()
    connected(page)
    mark.focus()
    page.keyboard.press("Enter")
    drawer = page.locator('details[data-key="satisfied_share"]')
    drawer.locator(".why").wait_for(state="visible")
    assert page.evaluate(FOCUS) == "why:satisfied_share"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.keyboard.press("Escape")
    drawer.locator(".why").wait_for(state="hidden")
    assert page.evaluate(FOCUS) == "ask::satisfied_share"
    assert told == ["satisfaction"], "once, and only that an indicator was opened"


def test_a_row_closes_by_escape_and_a_picture_that_is_drawn_anew_tells_nothing(house: House, window: Window) -> None:
    viewer = window(house.server, LAPTOP)
    told = listening(viewer)
    page = viewer.open("/")
    complete(page, "overview")
    connected(page)
    row = page.locator(".row > summary").first
    row.focus()
    page.keyboard.press("Enter")
    page.locator(".row[open]").wait_for()
    assert len(told) == 1
    page.evaluate("""() => {
      const part = document.querySelector(".row[open]").closest("[data-part]")
      const again = part.innerHTML
      part.innerHTML = again
    }""")
    page.locator(".row > summary").first.focus()
    assert len(told) == 1
    page.keyboard.press("Escape")
    page.locator(".row[open]").wait_for(state="detached")


def test_paper_shows_no_drawer_even_when_one_is_open(house: House, window: Window) -> None:
    page = window(house.server, LAPTOP).open(SATISFACTION)
    page.locator('.why-ask[data-opens="satisfied_share"]').first.click()
    page.locator('details[data-key="satisfied_share"] .why').wait_for(state="visible")
    page.emulate_media(media="print")
    assert page.locator(".why-set:visible, .why-ask:visible, .why-one:visible").count() == 0
