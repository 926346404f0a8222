"""Paper and letters in a real browser: pages print without what is pressed, A+ works on every page by keyboard."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from tests.browser.conftest import House, Viewer
from tests.browser.test_every_screen import complete

Window = Callable[..., Viewer]
LAPTOP, PHONE = (1366, 768), (390, 844)
PRESSED = """() => [...document.querySelectorAll(
  '.st-key-nav, .strip, [data-testid="stButton"], [data-testid="stDownloadButton"], [data-testid="stSelectbox"],'
  + '[data-testid="stDateInput"], [data-testid="stButtonGroup"], [data-testid="stTextInput"]')]
  .filter((e) => e.getClientRects().length).map((e) => e.className)"""
HIDDEN = """() => [...document.querySelectorAll('.stMain, .stMain *')]
  .filter((e) => ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowY)
    && e.scrollHeight > e.clientHeight + 2
    && e.clientHeight > 0 && !e.closest('svg') && e.querySelector('p, table, h2'))
  .map((e) => `${e.tagName}.${e.className}`)"""


@pytest.mark.parametrize("name", ["brief", "services", "pilots"])
def test_a_page_prints_on_a4_whole_and_without_what_is_pressed(name: str, house: House, window: Window) -> None:
    page = window(house.server, LAPTOP).open(f"/{name}")
    complete(page, name)
    page.emulate_media(media="print")
    said = [root.inner_text().strip() for root in page.locator(".panel-root [data-part]").all() if root.is_visible()]
    last = [text for text in said if text][-1].splitlines()[-1][:24]
    assert page.evaluate(PRESSED) == []
    assert page.evaluate(HIDDEN) == []
    paper = PdfReader(io.BytesIO(page.pdf(format="A4", print_background=True)))
    width, height = paper.pages[0].mediabox.width, paper.pages[0].mediabox.height
    assert (float(width), float(height)) == pytest.approx((595, 842), abs=1.5), "A4, whichever way the browser rounds"
    text = " ".join(" ".join(one.extract_text().split()) for one in paper.pages)
    assert " ".join(last.split())[:12] in text, "the end of the page is on paper too"
    assert "Thêm" not in text
    for one in paper.pages:
        assert len(one.extract_text().strip()) > 0, "no empty sheet"


def test_letters_grow_by_keyboard_and_stay_on_every_page_of_this_browser(house: House, window: Window) -> None:
    viewer = window(house.server, LAPTOP)
    page = viewer.open("/brief")
    complete(page, "brief")
    size = "parseFloat(getComputedStyle(document.querySelector('.strip-cell b + span b')).fontSize)"
    before = page.evaluate(size)
    try:
        page.locator('[data-text-size="1"]').focus()
        page.keyboard.press("Enter")
        page.wait_for_function(f"{size} > {before} * 1.1")
        viewer.open("/services")
        complete(page, "services")
        page.wait_for_function(f"{size} > {before} * 1.1")
        for _ in range(4):
            page.locator('[data-text-size="1"]').press("Enter")  # also where it has come to its end
        assert page.locator('[data-text-size="1"]').get_attribute("aria-disabled") == "true"
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "the largest letters wrap"
        viewer.open("/wall?scene=overview")
        complete(page, "wall")
        assert page.evaluate("document.documentElement.style.getPropertyValue('--text-size')") == ""
    finally:
        page.evaluate("localStorage.removeItem('city_text_size')")
    assert viewer.wrong == []


CHART = """() => {
  const svg = document.querySelector('[data-testid="stVegaLiteChart"] svg')
  const letters = svg.querySelector("text").getBoundingClientRect().height
  const frame = svg.closest(".stElementContainer").getBoundingClientRect()
  return { letters, free: frame.width - svg.getBoundingClientRect().width }
}"""


def test_the_letters_of_a_chart_grow_on_a_wide_screen_and_with_the_others(house: House, window: Window) -> None:
    """Vega writes in pixels; on a screen of 3840 they were half as high as the words beside them."""
    page = window(house.server, (1920, 1080)).open("/trends")
    complete(page, "trends")
    desk = page.evaluate(CHART)
    try:
        page.set_viewport_size({"width": 3840, "height": 2160})
        page.wait_for_function(f"({CHART})().letters > {desk['letters'] * 1.9}")
        page.wait_for_function(f"Math.abs(({CHART})().free) < 3")
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.wait_for_function(f"({CHART})().letters < {desk['letters'] * 1.05}")
        page.locator('[data-text-size="1"]').press("Enter")
        page.wait_for_function(f"({CHART})().letters > {desk['letters'] * 1.1}")
        page.wait_for_function(f"Math.abs(({CHART})().free) < 3")
    finally:
        page.evaluate("localStorage.removeItem('city_text_size')")


def test_paper_is_one_press_away_on_a_page(house: House, window: Window) -> None:
    page = window(house.server, PHONE).page
    page.add_init_script("window.print = () => { window.printed = (window.printed ?? 0) + 1 }")
    page.goto(f"{house.server.address}/services?lang=en")
    complete(page, "services")
    page.get_by_role("button", name="Print", exact=True).click()
    assert page.evaluate("window.printed") == 1
