"""What a tick of the wall costs, beside a bare Streamlit page with one number on it, in the same run. Not a test.

    python tests/bench/wall.py [walls laptops]

Prints one table: new snapshot to painted pixels, server's processor time and bytes per tick, first complete picture,
and the ticks of 50 walls and 150 laptops that follow one process (their connections are real, their browsers are not:
this machine could not hold two hundred; a real wall and a real laptop among them are timed to their pixels).
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import websockets
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS

TICKS = 40
FIRST_LOOKS = 5
BARE = """
import time
import streamlit as st

@st.fragment(run_every=1)
def number():
    st.metric("value", round(time.time(), 1))

number()
"""
FOLLOWS = "[...document.querySelectorAll('.panel-root')].some((root) => root.__live?.painted > 0)"
# What the page itself says it has painted, noted without asking for frames that nobody else needs.
NOTE_PAINTED = """() => {
  window.__painted = []
  const live = [...document.querySelectorAll(".panel-root")].find((root) => root.__live).__live
  let last = live.painted
  Object.defineProperty(live, "painted", {
    get: () => last,
    set: (number) => {
      if (number !== last) window.__painted.push([number, Date.now()])
      last = number
    },
  })
}"""


@dataclass
class Server:
    """A process under test, and what it printed."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def lines(self) -> list[list[float]]:
        """Number, time, processor seconds, memory of every snapshot so far."""
        rows = [line.split() for line in self.log.read_text().splitlines()]
        return [[float(word) for word in row] for row in rows if len(row) == 4]

    def used_s(self) -> float:
        """Seconds of processor that the process has used."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / 100


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(command: list[str], port: int, log: Path, path: str) -> Iterator[Server]:
    """Start it, wait until it answers, end it."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, text=True
        )
    found = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        until = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{found.address}{path}", timeout=2).read()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise SystemExit(f"the server did not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(20)


def city(folder: Path, every_s: float, port: int) -> list[str]:
    """The command of the city under test."""
    return [str(ROOT / "tests" / "bench" / "wall_server.py"), str(port), str(every_s), str(folder)]


@dataclass
class Bytes:
    """What came over the websockets of a page."""

    page: Page
    total: int = 0
    sockets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("websocket", self._watch)

    def _watch(self, found: object) -> None:
        self.sockets.append(found.url)  # type: ignore[attr-defined]
        found.on("framereceived", lambda data: self._count(data))  # type: ignore[attr-defined]

    def _count(self, data: str | bytes) -> None:
        self.total += len(data.encode() if isinstance(data, str) else data)


def first_looks(browser: Browser, address: str, ready: str) -> float:
    """Median seconds from the address to the complete picture, in a browser that has never been there."""
    taken = []
    for _ in range(FIRST_LOOKS):
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        page = context.new_page()
        began = time.perf_counter()
        page.goto(address, timeout=PATIENCE_MS)
        page.wait_for_selector(ready, timeout=PATIENCE_MS)
        page.evaluate("() => document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
        taken.append(time.perf_counter() - began)
        context.close()
    return median(taken)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20)[18]


def bare_page(browser: Browser, folder: Path) -> tuple[float, float, float]:
    """First look [s], processor [s] and bytes per tick of a page with one number."""
    script = folder / "bare.py"
    script.write_text(BARE)
    port = free_port()
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    with served(["-m", "streamlit", "run", str(script), *options], port, folder / "bare.log", "/_stcore/health") as one:
        looked = first_looks(browser, one.address, '[data-testid="stMetricValue"]')
        page = browser.new_page()
        heard = Bytes(page)
        page.goto(one.address)
        page.wait_for_selector('[data-testid="stMetricValue"]')
        time.sleep(3)
        used, came = one.used_s(), heard.total
        time.sleep(TICKS)
        page.wait_for_timeout(100)
        used, came = one.used_s() - used, heard.total - came
        page.close()
        return looked, used / TICKS, came / TICKS


def opened(browser: Browser, one: Server) -> Page:
    """A wall that follows."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.goto(f"{one.address}/wall?embed=true")
    page.wait_for_function(FOLLOWS, timeout=PATIENCE_MS)
    return page


def one_wall(browser: Browser, folder: Path) -> dict[str, float]:
    """One real browser on the wall: paint times, processor and bytes per tick, first look."""
    port = free_port()
    with served(city(folder, 1.0, port), port, folder / "wall.log", "/api/health") as one:
        looked = first_looks(browser, f"{one.address}/wall?embed=true", ".panel-root .row, .panel-root .wall-head")
        desk = first_looks(browser, one.address, ".panel-root .row")
        time.sleep(3)
        began = one.lines()[-1]
        time.sleep(TICKS)
        ended = one.lines()[-1]
        alone = (ended[2] - began[2]) / (ended[0] - began[0])
        pages = [opened(browser, one)]
        heard = Bytes(pages[0])
        pages[0].reload()
        pages[0].wait_for_function(FOLLOWS, timeout=PATIENCE_MS)
        pages[0].evaluate(NOTE_PAINTED)
        start, came = one.lines()[-1], heard.total
        pages[0].wait_for_timeout(TICKS * 1000)
        came = (heard.total - came) / (one.lines()[-1][0] - start[0])
        published = {int(row[0]): row[1] for row in one.lines()}
        seen = pages[0].evaluate("window.__painted")
        waits = [at / 1000 - published[int(number)] for number, at in seen if int(number) in published]
        pages += [opened(browser, one) for _ in range(3)]
        pages[0].wait_for_timeout(3000)
        start = one.lines()[-1]
        pages[0].wait_for_timeout(TICKS * 1000)
        ended = one.lines()[-1]
        watched = (ended[2] - start[2]) / (ended[0] - start[0])
        for page in pages:
            page.close()
    return {
        "first": looked,
        "desk": desk,
        "cpu": max(watched - alone, 0.0) / len(pages),
        "cycle": alone,
        "bytes": came,
        "paint50": median(waits),
        "paint95": p95(waits),
        "memory": ended[3],
    }


async def follow(address: str, ticket: str, until: float, heard: list[tuple[int, float]]) -> None:
    """One connection that listens as a browser does."""
    async with websockets.connect(f"{address.replace('http', 'ws')}/api/live", max_size=None) as one:
        await one.send(json.dumps({"ticket": ticket, "known": {}}))
        before = 0
        while time.time() < until:
            told = json.loads(await asyncio.wait_for(one.recv(), 30))
            if told["number"] != before:
                before = told["number"]
                heard.append((before, time.time()))
                await one.send(json.dumps({"painted": before}))


def crowd(browser: Browser, folder: Path, walls: int, laptops: int) -> dict[str, float]:
    """Many connections and one real browser, a snapshot every ten seconds."""
    port = free_port()
    with served(city(folder, 10.0, port), port, folder / "crowd.log", "/api/health") as one:
        tickets, pages = [], []
        for path in ("/wall?embed=true", "/"):
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(f"{one.address}{path}")
            page.wait_for_function(FOLLOWS, timeout=PATIENCE_MS)
            tickets.append(
                page.evaluate("[...document.querySelectorAll('.panel-root')].find((r) => r.__live)?.__live.ticket")
            )
            page.evaluate(NOTE_PAINTED)
            pages.append(page)
        heard: list[tuple[int, float]] = []
        began = one.used_s()
        start, until = time.time(), time.time() + 95

        async def all_of_them() -> None:
            who = [tickets[0]] * walls + [tickets[1]] * laptops
            await asyncio.gather(*(follow(one.address, ticket, until, heard) for ticket in who))

        with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
            apart.submit(asyncio.run, all_of_them()).result()
        used = one.used_s() - began
        published = {int(row[0]): row[1] for row in one.lines() if row[1] > start + 5}
        waits = [at - published[number] for number, at in heard if number in published]
        seen = [pair for page in pages for pair in page.evaluate("window.__painted")]
        painted = [at / 1000 - published[int(number)] for number, at in seen if int(number) in published]
        memory = one.lines()[-1][3]
    return {
        "painted": max(painted),
        "p50": median(waits),
        "p95": p95(waits),
        "ticks": len(waits),
        "cpu": used / 95,
        "memory": memory,
    }


def main() -> int:
    """One table on stdout."""
    walls, laptops = (int(word) for word in sys.argv[1:3]) if len(sys.argv) > 2 else (50, 150)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=provide.find(), args=FLAGS)
        folders = [Path(name) / part for part in ("bare", "wall", "crowd")]
        for folder in folders:
            folder.mkdir()
        bare_first, bare_cpu, bare_bytes = bare_page(browser, folders[0])
        wall = one_wall(browser, folders[1])
        many = crowd(browser, folders[2], walls, laptops)
        browser.close()
    rows = [
        ("first complete picture: bare page", f"{bare_first:.2f} s", ""),
        ("first complete picture: wall", f"{wall['first']:.2f} s", f"{wall['first'] / bare_first:.2f} x"),
        ("first complete picture: overview", f"{wall['desk']:.2f} s", f"{wall['desk'] / bare_first:.2f} x"),
        ("processor per tick: bare page", f"{bare_cpu * 1000:.1f} ms", ""),
        ("processor per wall tick", f"{wall['cpu'] * 1000:.1f} ms", f"{wall['cpu'] / bare_cpu:.2f} x"),
        ("processor per cycle of the city, nobody looking", f"{wall['cycle'] * 1000:.0f} ms", ""),
        ("bytes per tick: bare page", f"{bare_bytes:.0f}", ""),
        ("bytes per wall tick", f"{wall['bytes']:.0f}", f"{wall['bytes'] / bare_bytes:.2f} x"),
        ("snapshot to painted wall, median", f"{wall['paint50']:.3f} s", ""),
        ("snapshot to painted wall, p95", f"{wall['paint95']:.3f} s", ""),
        (f"{walls} walls + {laptops} laptops: tick, median", f"{many['p50']:.3f} s", f"{many['ticks']:.0f} ticks"),
        (f"{walls} walls + {laptops} laptops: tick, p95", f"{many['p95']:.3f} s", ""),
        (
            f"{walls} walls + {laptops} laptops: one wall and one laptop to their pixels, worst",
            f"{many['painted']:.3f} s",
            "",
        ),
        (
            f"{walls} walls + {laptops} laptops: server",
            f"{many['cpu'] * 100:.0f} % of a core",
            f"{many['memory']:.0f} MB",
        ),
    ]
    for words, value, beside in rows:
        print(f"{words:<72}{value:>20}  {beside}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
