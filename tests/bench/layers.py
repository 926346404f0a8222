"""10,000 points and 99 areas: how long the page needs to draw them and to refresh, and how the browser moves. No test.

    python tests/bench/layers.py [points]

Measured: reading the layers from disk, building and writing the deck (what a refresh costs the server per viewer), its
size, and in a real browser the frames while the map is dragged; before and after it the same drag on the same page
without any layer, because software rendering on a busy machine says little by itself. The reference of what the server
does is one sort of 1,000,000 numbers.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright
from shapely.geometry import Point, box

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from charts.layer_deck import Area, Drawn, class_bounds, layer_deck
from charts.theme import DESK
from gis.intake import draft
from gis.layers import Shelf, described
from gis.read import Feature
from pipeline import open_line
from tests.bench.serving import served
from tests.bench.timing import reference_s, timed
from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS

REAL = ROOT.parent / "shared" / "datasets" / "vn" / "after_2025_bac_ninh_wards.geojson"
DRAG = """async () => {
  const stamps = []
  let on = true
  const look = (at) => { stamps.push(at); if (on) requestAnimationFrame(look) }
  requestAnimationFrame(look)
  window.__stop = () => { on = false; return stamps }
}"""


def wards() -> list[Feature]:
    """The 99 real ones, else as many squares."""
    if REAL.is_file():
        return list(draft(REAL.read_bytes(), REAL.name, province="24").features)
    squares = [(105.9 + n % 11 * 0.1, 20.97 + n // 11 * 0.07) for n in range(99)]
    return [
        Feature(box(x, y, x + 0.1, y + 0.07), {"ma": f"{n:05d}", "ten": f"P. {n}"}) for n, (x, y) in enumerate(squares)
    ]


def main() -> int:
    """One table on stdout."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = random.Random(1)
    points = [
        Feature(Point(rng.uniform(105.9, 107.0), rng.uniform(21.0, 21.6)), {"ten": f"Công trình {n}", "so": n})
        for n in range(count)
    ]
    said = {"owner": "bench", "licence": "bench", "dated": date(2026, 1, 1)}
    with tempfile.TemporaryDirectory() as name:
        os.environ["CITY_STORE"] = str(Path(name) / "city.duckdb")
        shelf = Shelf(Path(name) / "city-layers")
        for key, kind, features in (("diem", "other", points), ("xa", "ward", wards())):
            layer = described(features, key=key, title=key, kind=kind, **said)
            shelf.put(layer, features, by="bench", now=datetime.now(UTC))
        reading = timed(lambda: [Shelf(Path(name) / "city-layers").read(key) for key in ("diem", "xa")], runs=3)
        areas_kept, points_kept = shelf.read("xa"), shelf.read("diem")
        areas = [
            Area(code=areas_kept.code(n), name=areas_kept.name(n), shape=one, value=float(n))
            for n, one in enumerate(areas_kept.shapes)
        ]
        drawn = Drawn(
            key="diem", title="Điểm", geometry="point", style="plain", shapes=points_kept.shapes,
            tooltips=[points_kept.name(n) for n in range(count)],
        )  # fmt: skip
        bounds = class_bounds([one.value for one in areas], 7, "quantile")

        def build() -> str:
            return layer_deck(
                theme=DESK, areas=areas, coloured=True, bounds=bounds, layers=[(drawn, "#2F6B66")],
                corners=[(105.9, 21.0), (107.0, 21.6)],
            ).to_json()  # fmt: skip

        near = timed(lambda: points_kept.reach.within_m(106.2, 21.28, 300))
        drawing, size = timed(build), len(build()) / 2**20
        full, empty, first, heap = browse(name)
    print(f"reference: sort of 1,000,000      {reference_s():.3f} s")
    print(f"read both layers from the disk    {reading:.3f} s (once per version)")
    print(f"build and write the deck          {drawing:.3f} s (per viewer and refresh), {size:.2f} MiB")
    print(f"what lies within 300 m            {near * 1000:.2f} ms")
    print(f"page opened -> map drawn          {first:.1f} s (software rendering)")
    for what, frames in (("empty map", empty), ("this map", full)):
        late = sorted(frames)[int(len(frames) * 0.95)]
        print(f"frame while dragging, {what:11s} {median(frames):.0f} / {late:.0f} ms (median / p95 of {len(frames)})")
    print(f"heap of the browser               {heap:.0f} MiB")
    return 0


def browse(folder: str) -> tuple[list[float], list[float], float, float]:
    """Times between frames [ms] while the full and the empty map are dragged, seconds to the first map, heap [MiB]."""
    line = open_line("demo")
    shelf = line.shelf
    full: list[float] = []
    empty: list[float] = []
    with served(line) as address, sync_playwright() as engine:
        line.wait_for(1, 120)
        browser = engine.chromium.launch(executable_path=provide.find(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        first = heap = 0.0
        for nothing in (True, False, False, True):
            line.shelf = Shelf(Path(folder) / "nothing") if nothing else shelf
            began = time.perf_counter()
            page.goto(f"{address}/layers", timeout=PATIENCE_MS)
            page.wait_for_selector(".st-key-layer_picture canvas", timeout=PATIENCE_MS)
            first = first or (0.0 if nothing else time.perf_counter() - began)
            (empty if nothing else full).extend(drag(page))
            heap = max(heap, page.evaluate("performance.memory.usedJSHeapSize / 2 ** 20"))
        browser.close()
    return full, empty, first, heap


def drag(page: Page) -> list[float]:
    """Times between frames [ms] while the map is dragged to and fro."""
    page.wait_for_timeout(3000)  # shaders and letters are made with the first pictures
    area = page.locator(".st-key-layer_picture canvas").first.bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.evaluate(DRAG)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(x + step * 3, y + step * 2)
    page.mouse.up()
    stamps = page.evaluate("window.__stop()")
    return [later - earlier for earlier, later in pairwise(stamps)]


if __name__ == "__main__":
    raise SystemExit(main())
