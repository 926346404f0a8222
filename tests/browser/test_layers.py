"""The map of layers in a real browser: nothing throws the view back, and what is taken away is what was seen."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page
from shapely.geometry import Point

from gis.layers import Shelf, described
from gis.read import Feature
from tests.browser.conftest import PATIENCE_MS, Server, Viewer
from tests.browser.test_living_screens import follow

Window = Callable[..., Viewer]
MAP = ".st-key-layer_picture canvas"
NAMES = ["Trường THCS Đông Kiều", "=HYPERLINK(1)"]
MOVED = 0.08  # mean difference of two pictures [0 … 1] from which on another place is shown
SAME = 0.02  # alerts come and go in them


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The evening storm, a hundred times as fast, with a layer of points."""
    folder = tmp_path_factory.mktemp("layers")
    rng = random.Random(7)
    features = [
        Feature(Point(rng.uniform(105.93, 106.1), rng.uniform(21.22, 21.4)), {"ten": NAMES[number % 2]})
        for number in range(600)
    ]
    layer = described(
        features, key="cong_trinh", title="Công trình", kind="infrastructure", owner="Sở Xây dựng", licence="Nội bộ",
        dated=date(2026, 9, 1),
    )  # fmt: skip
    Shelf(folder / "city-layers").put(layer, features, by="Lê Thị Quản trị", now=datetime.now(UTC))
    server = Server(folder, SCENARIO="evening_storm", SPEED="100")
    server.start()
    server.wait_until((200,))
    yield server
    server.stop()


def picture(page: Page) -> np.ndarray[Any, Any]:
    """What the map shows, small and grey: signs and letters weigh little in it, areas and edges do."""
    body = page.locator(MAP).first.screenshot(timeout=PATIENCE_MS)
    with Image.open(io.BytesIO(body)) as found:
        return np.asarray(found.convert("L").resize((160, 100)), dtype=float) / 255


def differ(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float(np.abs(one - other).mean())


def at_rest(page: Page) -> np.ndarray[Any, Any]:
    """The picture once two behind each other are the same: layers that fade in have come."""
    before = picture(page)
    for _ in range(40):
        page.wait_for_timeout(150)
        now = picture(page)
        if differ(before, now) < 0.001:
            return now
        before = now
    return before


def opened(window: Window, city: Server, query: str = "") -> tuple[Viewer, Page]:
    viewer = window(city, (1366, 768))
    page = viewer.open(f"/layers{query}")
    page.wait_for_selector(MAP, timeout=PATIENCE_MS)
    page.wait_for_function(f"document.querySelector('{MAP}').clientWidth > 300")
    at_rest(page)
    return viewer, page


def drag(page: Page) -> None:
    area = page.locator(MAP).first.bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x - 18 * step, y - 9 * step)
    page.mouse.up()
    page.mouse.move(x, y)
    for _ in range(4):
        page.mouse.wheel(0, -200)


def test_neither_a_snapshot_nor_a_layer_nor_another_hour_throws_the_view_back(city: Server, window: Window) -> None:
    viewer, page = opened(window, city, "?colour=pm25")
    first = at_rest(page)
    drag(page)
    moved = at_rest(page)
    assert differ(first, moved) > MOVED, "the picture shows another place now"
    follow(page, 5)  # the map is drawn anew every five seconds, a snapshot takes one at least
    assert differ(moved, at_rest(page)) < SAME, "a newer snapshot leaves the viewer where they are"
    page.locator(".st-key-layers_shown input").first.press("Backspace")
    page.wait_for_function("!document.querySelector('.layer-inks')")
    without = at_rest(page)
    page.locator(".st-key-layers_shown input").first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".layer-inks")
    page.keyboard.press("Escape")
    again = at_rest(page)
    assert differ(moved, again) < SAME, "a layer that is switched leaves the view"
    assert differ(without, again) < differ(first, moved)
    slider = page.locator(".st-key-layers_hour").get_by_role("slider")
    slider.focus()
    legend = page.locator(".st-key-layers_legend").inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "(before) => document.querySelector('.st-key-layers_legend').innerText !== before", arg=legend
    )
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    follow(page, 5)
    assert differ(first, at_rest(page)) > MOVED, "another hour leaves the view"
    assert viewer.wrong == []


def taken(page: Page, button: Locator) -> bytes:
    with page.expect_download(timeout=PATIENCE_MS) as coming:
        button.click()
    return Path(coming.value.path()).read_bytes()


def test_the_three_exports_arrive_and_hold_what_is_seen(city: Server, window: Window) -> None:
    viewer, page = opened(window, city, "?colour=pm25")
    whole = json.loads(taken(page, page.locator(".st-key-layers_take_geojson button")))
    of_layer = [one for one in whole["features"] if one["properties"]["_layer"] == "Công trình"]
    assert len(of_layer) == 600
    assert {one["properties"]["_name"] for one in of_layer} == set(NAMES)
    assert "MÔ PHỎNG" in whole["about"]["told"].upper()
    table = taken(page, page.locator(".st-key-layers_take_csv button")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {one["name"] for one in rows if one["layer"] == "Công trình"} == {NAMES[0], f"'{NAMES[1]}"}
    assert len(rows) == len(whole["features"])
    picture_of = taken(page, page.locator(".st-key-layers_png button"))
    with Image.open(io.BytesIO(picture_of)) as found:
        assert found.format == "PNG"
        colours = found.convert("RGB").getcolors(2**24) or []
        pixels = found.width * found.height
        drawn = pixels - max(count for count, _ in colours)
        below = found.convert("L").crop((0, found.height - 60, found.width, found.height))
    assert drawn > pixels * 0.2, "the canvas of the map is in it, not only its frame"
    assert len(colours) > 50
    assert np.asarray(below).min() < 120, "legend and sources stand below the map"
    assert viewer.wrong == []
