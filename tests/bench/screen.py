"""How long a value takes from its arrival to the changed screen: HTTP, store, rules, server, browser. Not a test.

    python tests/bench/screen.py [values]

A gauge on this machine answers with a new river level each time it is asked. A value has arrived when its reply has
left the gauge; the screen has changed when a browser on the overview holds the new digits and the next frame is due.
The reference in the same run is one fetch of /api/health: divide by it to compare two machines or two days.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import ClassVar

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.config import load_city
from pipeline import Line
from store.duck import DuckStore
from tests.bench.serving import served
from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS

SITE = "river_01"
SOURCES = """
[[source]]
key = "gauge"
connector = "sensorthings"
name_vi = "Trạm thử"
name_en = "Gauge of the bench"
owner = "bench"
contact = "bench"
every_s = 1
[source.options]
base_url = "http://127.0.0.1:{port}/v1.1"
sites = {{ 1 = "{site}" }}
properties = {{ level = "river_level" }}
"""
STREAM = {
    "@iot.id": 1,
    "name": "level",
    "unitOfMeasurement": {"symbol": "m"},
    "Thing": {"@iot.id": 1, "name": SITE},
}
NOTE_CHANGES = """(site) => {
  window.__changes = []
  let before = ""
  const look = () => {
    const text = document.querySelector('.row[data-key^="river_level"] .row-value b')?.textContent.trim() ?? ""
    if (text !== before) { before = text; window.__changes.push([text, Date.now()]) }
    requestAnimationFrame(look)
  }
  look()
}"""


class Gauge(BaseHTTPRequestHandler):
    """A SensorThings server with one datastream whose newest value is always new."""

    sent_at: ClassVar[dict[str, float]] = {}
    asked = 0

    def do_GET(self) -> None:
        """Datastreams, or the one newest observation."""
        observed = "/Observations" in self.path
        value = ""
        if observed:
            Gauge.asked += 1
            value = f"{1 + Gauge.asked % 300 / 100:.2f}"
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            reply = {"value": [{"phenomenonTime": at, "resultTime": at, "result": float(value)}]}
        else:
            reply = {"value": [STREAM]}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if observed:
            Gauge.sent_at[value.replace(".", ",")] = time.time()

    def log_message(self, *_: object) -> None:
        """Quiet: the table is the only output."""


def bench_city(folder: Path, port: int) -> Line:
    """The demo city with one source, asked every second."""
    shutil.copytree(ROOT / "config" / "demo", folder / "config" / "demo")
    shutil.copytree(ROOT / "data" / "demo", folder / "data" / "demo", ignore=shutil.ignore_patterns("*.duckdb*"))
    own = folder / "config" / "demo"
    (own / "sources.toml").write_text(SOURCES.format(port=port, site=SITE), encoding="utf-8")
    settings = (own / "city.toml").read_text(encoding="utf-8")
    (own / "city.toml").write_text(settings.replace("cycle_s = 60", "cycle_s = 1"), encoding="utf-8")
    city = load_city("demo", folder)
    return Line(city, DuckStore(folder / "bench.duckdb", zone=str(city.zone)))


def main() -> int:
    """One table on stdout."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    gauge = ThreadingHTTPServer(("127.0.0.1", 0), Gauge)
    threading.Thread(target=gauge.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        line = bench_city(Path(name), gauge.server_port)
        with served(line) as address, sync_playwright() as engine:
            line.wait_for(2, 60)
            browser = engine.chromium.launch(executable_path=provide.find(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(address, timeout=PATIENCE_MS)
            page.wait_for_selector('.row[data-key^="river_level"]', timeout=PATIENCE_MS)
            page.evaluate(NOTE_CHANGES)
            page.wait_for_function(f"window.__changes.length > {wanted}", timeout=wanted * 10_000)
            changes = page.evaluate("window.__changes.slice(1)")
            browser.close()
            asked = []
            for _ in range(50):
                began = time.perf_counter()
                urllib.request.urlopen(f"{address}/api/health").read()
                asked.append(time.perf_counter() - began)
    waits = [at / 1000 - Gauge.sent_at[text] for text, at in changes if text in Gauge.sent_at]
    cuts = quantiles(waits, n=20)
    print(f"values seen to change          {len(waits)}")
    print(f"arrival -> screen, median      {median(waits):.3f} s")
    print(f"arrival -> screen, p95         {cuts[18]:.3f} s")
    print(f"one /api/health (reference)    {median(asked):.4f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
