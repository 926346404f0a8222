"""Screens that live: they follow the city without flashing, and say so when they can no longer follow it."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image, ImageChops
from playwright.sync_api import Page

from tests.browser.conftest import House, Server, Viewer
from tests.browser.test_every_screen import CLIPPED, LEAST_PX, SMALL_TEXT, complete

Window = Callable[..., Viewer]

NUMBER = "window.__cityBeat?.data.number"  # of the newest snapshot that this window has heard of
FOLLOWING = '() => [...document.querySelectorAll(".panel-root")].find((root) => root.__live)'
MARK_PARTS = """() => Object.fromEntries([...document.querySelectorAll(".panel-root > [data-part]")].map((part) => {
  if (part.firstElementChild) part.firstElementChild.__seenBefore = true
  return [part.dataset.part, part.innerHTML]
}))"""
COMPARE_PARTS = """(before) => [...document.querySelectorAll(".panel-root > [data-part]")].map((part) => ({
  name: part.dataset.part,
  changed: before[part.dataset.part] !== part.innerHTML,
  kept: !part.firstElementChild || part.firstElementChild.__seenBefore === true,
}))"""
WATCH_FADING = """() => {
  window.__faded = []
  const look = () => {
    for (const e of document.querySelectorAll('[data-stale="true"], .stElementContainer, [data-testid="stMain"]')) {
      if (parseFloat(getComputedStyle(e).opacity) < 1) window.__faded.push(e.className)
    }
    requestAnimationFrame(look)
  }
  look()
}"""


def follow(page: Page, snapshots: int) -> None:
    """Wait until this window has heard of so many newer snapshots."""
    page.wait_for_function(f"{NUMBER} > 0")
    seen = int(page.evaluate(NUMBER))
    page.wait_for_function(f"(least) => {NUMBER} >= least", arg=seen + snapshots)


def test_a_refresh_touches_only_what_changed(storm: Server, window: Window) -> None:
    storm.wait_until((200,))
    viewer = window(storm, (1366, 768))
    page = viewer.open("/")
    complete(page, "overview")
    page.wait_for_selector(".row.s-fresh")
    details = page.locator('.row[data-key^="travel_time_index"]')
    details.locator("summary").click()
    page.evaluate(WATCH_FADING)
    kept_somewhere = changed_somewhere = False
    for _ in range(3):  # in a storm nearly everything may change at once: look at some refreshes
        page.evaluate(MARK_PARTS.replace("() =>", "() => window.__before =", 1))
        follow(page, 2)
        for part in page.evaluate(COMPARE_PARTS.replace("(before)", "()").replace("before[", "window.__before[")):
            if part["changed"]:
                changed_somewhere = True
            else:
                kept_somewhere = True
                assert part["kept"], f"{part['name']} was drawn anew though nothing in it changed"
        if kept_somewhere and changed_somewhere:
            break
    assert kept_somewhere
    assert changed_somewhere
    assert details.evaluate("(e) => e.open"), "what the viewer opened stays open"
    assert page.evaluate("window.__faded") == [], "a refresh greys nothing out"
    assert viewer.wrong == []


def ears(page: Page) -> int:
    """How many listeners hang on the window."""
    browser = page.context.new_cdp_session(page)
    window = browser.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
    heard = browser.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
    return sum(one["type"] in ("pagehide", "keydown") for one in heard)


def test_pages_that_were_left_behind_hear_nothing_any_more(house: House, window: Window) -> None:
    viewer = window(house.server, (1366, 768))
    page = viewer.open("/")
    complete(page, "overview")
    page.wait_for_function(FOLLOWING)
    at_first = ears(page)
    for name in ("traffic", "environment", "services", "traffic", "environment"):
        left = page.wait_for_function(FOLLOWING)
        page.locator(f".st-key-nav_{name} a").click()
        complete(page, name)
        page.wait_for_function("(root) => !root.__live", arg=left)
    assert ears(page) == at_first


def test_the_map_stays_where_the_viewer_moved_it(house: House, window: Window) -> None:
    viewer = window(house.server, (1000, 760))
    page = viewer.open("/map")
    complete(page, "map")
    chart = page.locator('[data-testid="stDeckGlJsonChart"]')
    at_first = settled(page)
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 150, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 240, steps=4)
    page.mouse.up()
    page.mouse.move(5, 5)
    moved = settled(page)
    assert differing(at_first, moved) > 0.02, "the map follows the hand"
    page.evaluate("document.querySelector('[data-testid=stDeckGlJsonChart] canvas').__seenBefore = true")
    page.get_by_text("Mưa 1 giờ", exact=True).click()
    page.wait_for_selector('[data-part="legend"] svg')
    page.get_by_text("Cảnh báo", exact=True).last.click()
    page.wait_for_selector('[data-part="legend"] svg', state="detached")
    assert page.evaluate("document.querySelector('[data-testid=stDeckGlJsonChart] canvas').__seenBefore") is True
    assert differing(moved, settled(page)) < 0.01, "a redraw does not take the map away from the viewer"
    assert viewer.wrong == []


def settled(page: Page) -> Image.Image:
    """The middle of the map when two looks in a row show the same: no label or glide is still on its way."""
    box = page.locator('[data-testid="stDeckGlJsonChart"]').bounding_box()
    assert box
    middle = {"x": box["x"] + box["width"] / 2 - 150, "y": box["y"] + 150, "width": 300, "height": 300}
    before = b""
    for _ in range(20):
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        now = page.screenshot(clip=middle)
        if now == before:
            break
        before = now
    return Image.open(io.BytesIO(before)).convert("RGB")


def differing(one: Image.Image, other: Image.Image) -> float:
    """Share of pixels that differ."""
    assert one.size == other.size
    grey = ImageChops.difference(one, other).convert("L").point(lambda value: 255 if value > 8 else 0)
    return grey.histogram()[255] / (one.width * one.height)


def test_a_dead_server_is_told_and_comes_back_by_itself(house: House, window: Window) -> None:
    viewer = window(house.server)
    page = viewer.open("/wall?embed=true&scene=overview")
    complete(page, "wall")
    page.wait_for_selector(".row.s-fresh")
    house.server.kill()
    bar = page.wait_for_selector("#city-lost", timeout=15_000)
    assert bar
    assert "MẤT KẾT NỐI MÁY CHỦ" in bar.inner_text()
    assert page.locator(".banner h1").is_visible(), "the last picture stays, under the bar"
    house.server.start()
    house.server.wait_until((200,))
    page.wait_for_function(
        "document.querySelector('.panel-root')?.__live?.painted > 0 && !document.getElementById('city-lost')"
    )
    page.wait_for_selector(".banner h1")
    assert [one for one in viewer.wrong if one.startswith(("page error", "outside"))] == []


def test_the_storm_reaches_the_wall(storm: Server, window: Window) -> None:
    """Rain, a flooded underpass, jams, reports: the worst takes the wall, whatever scene it was on."""
    viewer = window(storm)
    page = viewer.open("/wall?embed=true&scene=overview")
    complete(page, "wall")
    page.wait_for_selector('.panel-root[data-scene="incident"] [data-part]', timeout=120_000)
    assert "ngập" in page.locator(".panel-root:has([data-part])").first.inner_text().lower()
    assert page.evaluate(CLIPPED) == [], "also on its worst evening nothing is cut off"
    assert page.evaluate(SMALL_TEXT, LEAST_PX) == []
    assert viewer.wrong == []


def test_the_alert_desk_by_keyboard(storm: Server, window: Window) -> None:
    viewer = window(storm, (1366, 768))
    page = viewer.open("/alert_desk")
    complete(page, "alert_desk")
    page.wait_for_function("document.querySelectorAll('[data-row]').length >= 2", timeout=120_000)
    keys = "[...document.querySelectorAll('[data-row]')].map((row) => row.dataset.focus)"
    here = "document.activeElement.dataset.focus"
    page.locator("[data-row]").first.focus()
    first, second = page.evaluate(keys)[:2]
    assert page.evaluate(here) == first
    page.keyboard.press("ArrowDown")
    assert page.evaluate(here) == second
    page.keyboard.press("ArrowUp")
    assert page.evaluate(here) == first
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(f'[data-row][data-focus="{second}"][aria-current="true"]')
    assert page.evaluate(here) == second, "the row keeps the focus when the list is drawn anew"
    page.wait_for_url(lambda url: "alert=" in url)
    page.keyboard.press("a")
    page.wait_for_selector(".st-key-notice_error")  # nobody has given a name yet
    assert viewer.wrong == []
