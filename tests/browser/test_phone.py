"""The three screens that are read on a telephone: brief, alerts and services stand in one column, nothing sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import PATIENCE_MS, House, Viewer

PHONE = (390, 844)
READY = {"brief": ".brief", "alert_desk": '[data-part="list"]', "services": ".stacked"}
SIDEWAYS = """() => [...document.querySelectorAll('.stMain *')]
  .filter((e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
  .filter((e) => !e.closest('.st-key-nav'))
  .map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)"""


@pytest.mark.parametrize("key", sorted(READY))
def test_nothing_must_be_pushed_sideways_to_be_read(key: str, house: House, window: Callable[..., Viewer]) -> None:
    page = window(house.server, PHONE).page
    page.goto(f"{house.server.address}/{key}", wait_until="domcontentloaded", timeout=PATIENCE_MS)
    page.wait_for_selector(READY[key], timeout=PATIENCE_MS)
    assert page.evaluate(SIDEWAYS) == []


def test_a_value_of_a_stacked_row_stands_beside_its_name(house: House, window: Callable[..., Viewer]) -> None:
    page = window(house.server, PHONE).page
    page.goto(f"{house.server.address}/services", wait_until="domcontentloaded", timeout=PATIENCE_MS)
    value = page.locator(".stacked td[data-name]").first
    value.wait_for(timeout=PATIENCE_MS)
    shown = value.evaluate("(cell) => getComputedStyle(cell, '::before').content")
    assert shown == f'"{value.get_attribute("data-name")}"'
    assert value.evaluate("(cell) => getComputedStyle(cell).display") == "flow-root"
