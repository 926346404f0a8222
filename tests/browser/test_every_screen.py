"""Every screen in a real browser: complete, quiet in the console, nothing from outside, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PATIENCE_MS, PICTURES, House, Viewer
from ui.wall import ORBIT_STEPS

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ["overview", *sorted(path.stem for path in (ROOT / "pages").glob("*.py"))]
READY = {  # what shows that a screen is complete; any other screen: its first panel
    "alert_desk": '[data-part="list"]',
    "brief": ".brief",
    "map": '[data-testid="stDeckGlJsonChart"] canvas',
    "trends": '[data-testid="stVegaLiteChart"] :is(canvas, svg)',
}
DESKS = [(1920, 1080), (1366, 768)]
PHONE = (390, 844)
LEAST_PX = 19.5  # of a 1080p wall, for readers six metres away
Window = Callable[..., Viewer]

FONT_LOADED = """async () => {
  await document.fonts.ready
  return [...document.fonts].some((face) => face.family.includes("IBM Plex Sans") && face.status === "loaded")
}"""
# Streamlit scrolls its own container: neither the document nor that container may be wider than the window.
TOO_WIDE = """() => [document.documentElement, document.body, ...document.querySelectorAll('[data-testid="stMain"]')]
  .filter((e) => e.scrollWidth > e.clientWidth + 1)
  .map((e) => `${e.tagName} ${e.dataset.testid ?? ""}: ${e.scrollWidth} in ${e.clientWidth}`)"""
OVERFLOWING = """() => [...document.querySelectorAll('.stMain *')]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .filter((e) => !e.closest('.scroll-x, .foot, .st-key-nav, .st-key-trend_others, svg, [data-testid="stExpander"]'))
  .filter((e) => !e.matches('.panel-root[data-orbit]'))  // against burn-in: its empty margin may leave, nothing in it
  .slice(0, 5).map((e) => `${e.tagName}.${e.className} ends at ${Math.round(e.getBoundingClientRect().right)}`)"""
CLIPPED = """() => {
  const texts = ".row-label b, .row-label small, .row-value b, .row-value small, .row-note b, .row-note small, "
    + ".banner h1, .banner p, .card h3, .card p, .wall-head b, .wall-head small, .wall-scene, .rows > h2 :is(span, i)"
  const boxes = '[data-part="rows"], [data-part="todo"], [data-part="foot"], [data-part="banner"], [data-part="head"]'
  const style = (e) => getComputedStyle(e)
  const cut = (e) => e.clientWidth > 0 && (e.scrollWidth > e.clientWidth + 1
    || (style(e).overflowY !== "visible" && e.scrollHeight > e.clientHeight + 0.1 * parseFloat(style(e).fontSize)))
  const say = (e) => `${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 60)}": `
    + `${e.scrollWidth}x${e.scrollHeight} in ${e.clientWidth}x${e.clientHeight}`
  return [
    ...[...document.querySelectorAll(texts)].filter((e) => style(e).display !== "inline" && cut(e)),
    ...[...document.querySelectorAll(boxes)].filter(cut),
  ].map(say)
}"""
SMALL_TEXT = """(least) => {
  const found = {}
  const walk = document.createTreeWalker(document.querySelector(".panel-root"), NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement
    if (!walk.currentNode.data.trim() || !e.getClientRects().length || e.closest("title, desc, style")) continue
    const scale = e.closest("svg") ? e.getScreenCTM().a : 1
    const px = parseFloat(getComputedStyle(e).fontSize) * scale
    const name = `${e.tagName}.${e.getAttribute("class") ?? ""} ${px.toFixed(1)} px`
    if (px < least) found[name] = walk.currentNode.data.trim()
  }
  return Object.entries(found).map((pair) => pair.join(": "))
}"""


def address(name: str, language: str) -> str:
    path = {"overview": "/", "wall": "/wall?scene=overview"}.get(name, f"/{name}")
    return path if language == "vi" else f"{path}{'&' if '?' in path else '?'}lang={language}"


def complete(page: Page, name: str) -> None:
    """Wait for the screen's own content, for its fonts, and for Streamlit to come to rest."""
    page.wait_for_selector(".panel-root [data-part]", state="attached")
    page.wait_for_selector(READY.get(name, ".panel-root h1, .panel-root [data-part]"), state="visible")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', state="attached")
    page.wait_for_function(FONT_LOADED)  # our own font, not one of the machine's


def picture(page: Page, size: tuple[int, int], name: str) -> None:
    folder = PICTURES / f"{size[0]}x{size[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def test_the_walk_finds_the_screens() -> None:
    assert len(SCREENS) >= 9


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_on_desks_and_on_a_phone(name: str, house: House, window: Window) -> None:
    viewer = window(house.server, DESKS[0])
    page = viewer.open(address(name, "vi"))
    complete(page, name)
    for size in [*DESKS, PHONE]:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function("(width) => innerWidth === width", arg=size[0])
        picture(page, size, name)
        assert page.evaluate(TOO_WIDE) == [], size
        if name != "wall":  # the wall is never shown on a phone; its picture is scaled to fit
            assert page.evaluate(OVERFLOWING) == [], size
    assert viewer.wrong == []


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_in_english(name: str, house: House, window: Window) -> None:
    viewer = window(house.server, DESKS[1])
    page = viewer.open(address(name, "en"))
    complete(page, name)
    picture(page, DESKS[1], f"{name}-en")
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(OVERFLOWING) == []
    assert viewer.wrong == []


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (3840, 2160)])
def test_the_wall_is_one_picture(size: tuple[int, int], house: House, window: Window) -> None:
    """No scroll bar, no Streamlit, no word cut off, nothing too small for six metres."""
    viewer = window(house.server, size)
    page = viewer.open("/wall?embed=true&scene=overview")
    complete(page, "wall")
    page.wait_for_selector(".wall-clock [data-clock]:not(:empty)")
    picture(page, size, "wall")
    bars = "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]"
    assert max(page.evaluate(bars)) <= 0
    assert not page.locator('[data-testid="stHeader"]').is_visible()
    assert not page.locator('[data-testid="stSidebar"]').is_visible()
    assert page.evaluate(CLIPPED) == []
    moved = page.locator(".panel-root[data-orbit]")
    moved.evaluate("(e) => { e.style.transition = 'none' }")
    for place in range(ORBIT_STEPS):
        moved.evaluate("(e, place) => { e.dataset.orbit = place }", place)
        assert page.evaluate(OVERFLOWING) == [], place
    if size == (1920, 1080):
        assert page.evaluate(SMALL_TEXT, LEAST_PX) == []
    assert viewer.wrong == []


def test_chosen_things_stand_under_one_another(house: House, window: Window) -> None:
    """Eight lanes do not fit beside one another: none may hide behind the edge of its field."""
    viewer = window(house.server, DESKS[1])
    page = viewer.open(address("links", "en"))
    page.wait_for_selector(".st-key-links_lanes [data-tag]", timeout=4 * PATIENCE_MS)  # a study of the whole city
    complete(page, "links")
    heights = page.locator("[data-tag]").evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().top)")
    assert len(set(heights)) > 1, "the choice must be wider than the window"
    assert page.evaluate(OVERFLOWING) == []


def test_the_first_request_may_be_a_deep_link(house: House) -> None:
    """A kiosk or a bookmark opens /traffic on a server that has just started; then somebody reloads it."""
    assert "Traffic" in house.first.navigation
    assert "More" in house.first.navigation, "the other pages are one click away"
    assert house.first.heading
    assert house.first.after_reload == house.first.navigation


def test_the_first_screen_comes_soon(house: House, record_property: Callable[[str, object], None]) -> None:
    """From the start of the process with an empty store. The bound is generous: the figure depends on the machine."""
    record_property("first_frame_s", round(house.first.first_frame_s, 1))
    record_property("first_numbers_s", round(house.first.first_numbers_s, 1))
    frame_s, numbers_s = house.first.first_frame_s, house.first.first_numbers_s
    print(f"\nafter the start: first frame {frame_s:.1f} s, first numbers {numbers_s:.1f} s")
    assert house.first.first_frame_s <= 30
