"""Walls and laptops in real browsers for an hour or a night, with everything that goes wrong in months.

    python tests/soak/run.py --minutes 60 --walls 2 --laptops 2 --every 0.8 --out FOLDER

The refresh is shortened: 4,320 snapshots are 72 hours of a city whose cycle is a minute. Meanwhile the server is
killed and started again, the network is cut, and the evening storm begins anew every three hours of the city. Every
ten seconds the memory of the server and of each page, what each has painted and what went wrong is written down.
At the end there are one table (soak.md), one picture (soak.svg), the raw rows (soak.csv) and every painting
(ticks.csv) in FOLDER.
"""

from __future__ import annotations

import argparse
import csv
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS
from tests.soak.picture import picture
from tests.soak.proxy import Cable

SAMPLE_S = 10
TICKS_OF_72_H = 72 * 60
SERVER = ROOT / "tests" / "bench" / "wall_server.py"
LAPTOP_PAGES = ("/", "/alert_desk", "/traffic", "/source_health")
KILLS, CUTS = 6, 4  # how many of each over the whole time
CUT_S = 60
OUTAGE_S = {"server killed": 30, "network cut": CUT_S + 30}  # ticks of these seconds are not counted as missed
LONGEST_WAIT_S = 5  # a snapshot that was not painted until then was passed over
LOOK = """() => {
  const live = [...document.querySelectorAll(".panel-root")].map((r) => r.__live).find((one) => one)
  if (live && !live.noted) {  // note every painting when the page itself says so
    live.noted = []
    let last = live.painted
    Object.defineProperty(live, "painted", {
      get: () => last,
      set: (number) => {
        if (number !== last) live.noted.push([number, Date.now() / 1000])
        last = number
      },
    })
  }
  return {
    ticks: live?.noted?.splice(0) ?? [],
    number: window.__cityBeat?.data?.number ?? 0,
    painted: live?.painted ?? 0,
    errors: window.__cityErrors?.count ?? 0,
    lost: document.documentElement.classList.contains("city-lost"),
    nodes: document.getElementsByTagName("*").length,
    scene: live?.told?.scene ?? "",
    reloads: performance.getEntriesByType("navigation")[0]?.type === "reload",
  }
}"""


@dataclass
class Window:
    """One open page, and what was noticed of it."""

    name: str
    page: Page
    errors: list[str] = field(default_factory=list)
    sockets: int = 0
    loads: int = 0
    ticks: list[tuple[int, float]] = field(default_factory=list)  # number of the snapshot, when it was painted

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.on("websocket", lambda found: self._count(found.url))
        self.page.on("load", lambda _: self._loaded())

    def _note(self, kind: str, text: str) -> None:
        # A browser tells of every connection that fails while the server is down: that is the test, not a fault.
        expected = (
            "ERR_",
            "WebSocket",
            "404",
            "Failed to fetch",
            "server endpoint",
            "server is not responding",
            "disconnected from server",
        )
        if kind == "error" and not any(word in text for word in expected):
            self.errors.append(text[:200])

    def _count(self, url: str) -> None:
        self.sockets += "/api/live" in url

    def _loaded(self) -> None:
        self.loads += 1

    def heap_mb(self) -> float:
        """Memory of the page's scripts [MB], after a collection, as the browser's own tools measure it."""
        session = self.page.context.new_cdp_session(self.page)
        try:
            session.send("HeapProfiler.collectGarbage")
            return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
        finally:
            session.detach()


class City:
    """The server under test."""

    def __init__(self, folder: Path, every_s: float, port: int) -> None:
        self._folder, self._every_s, self._port = folder, every_s, port
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it need not answer yet."""
        command = [sys.executable, str(SERVER), str(self._port), str(self._every_s), str(self._folder)]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)

    def wait(self, patience_s: float = 120) -> None:
        """Until it answers."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/health", timeout=2).read()
                return
            except OSError:
                time.sleep(0.3)
        raise SystemExit(f"the server did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)

    def rows(self) -> list[list[float]]:
        """Number, time, processor, memory of every snapshot of all starts."""
        found = [line.split() for line in self.log.read_text(errors="replace").splitlines()]
        return [[float(word) for word in row] for row in found if len(row) == 4 and row[0].isdigit()]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def opened(browser: Browser, address: str, walls: int, laptops: int) -> list[Window]:
    """All pages."""
    windows = []
    for number in range(walls + laptops):
        wall = number < walls
        path = "/wall?embed=true" if wall else LAPTOP_PAGES[(number - walls) % len(LAPTOP_PAGES)]
        size = {"width": 1920, "height": 1080} if wall else {"width": 1366, "height": 768}
        page = browser.new_context(viewport=size).new_page()
        window = Window(f"wall {number + 1}" if wall else f"laptop {path}", page)
        page.goto(f"{address}{path}", timeout=PATIENCE_MS)
        page.wait_for_selector(".panel-root [data-part]", state="attached", timeout=PATIENCE_MS)
        windows.append(window)
    return windows


def main() -> int:
    """Run it. Exit code 1 when a page was lost for good or spoke of errors."""
    parser = argparse.ArgumentParser(description="Walls and laptops for a long time, with everything that goes wrong.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--walls", type=int, default=2)
    parser.add_argument("--laptops", type=int, default=2)
    parser.add_argument("--every", type=float, default=0.8, help="seconds between two snapshots")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    inner, outer = free_port(), free_port()
    city, cable = City(asked.out, asked.every, inner), Cable(outer, inner)
    city.start()
    span_s = asked.minutes * 60
    kills = [span_s * (n + 0.5) / KILLS for n in range(KILLS)]
    cuts = [span_s * (n + 0.9) / CUTS for n in range(CUTS)]
    rows: list[dict[str, object]] = []
    events: list[tuple[float, str]] = []
    outages: list[tuple[float, float]] = []
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=provide.find(), args=[*FLAGS, "--js-flags=--expose-gc"])
        city.wait()
        windows = opened(browser, f"http://127.0.0.1:{outer}", asked.walls, asked.laptops)
        began = time.monotonic()
        mend_at = 0.0
        while (now := time.monotonic() - began) < span_s:
            at = time.time()
            if kills and now >= kills[0]:
                kills.pop(0)
                city.kill()
                windows[0].page.wait_for_timeout(5000)
                city.start()
                events.append((now, "server killed"))
                outages.append((at, at + OUTAGE_S["server killed"]))
            if cuts and now >= cuts[0] and now + CUT_S + 30 < span_s:
                cuts.pop(0)
                cable.cut()
                mend_at = now + CUT_S
                events.append((now, "network cut"))
                outages.append((at, at + OUTAGE_S["network cut"]))
            if mend_at and now >= mend_at:
                cable.mend()
                mend_at = 0.0
            rows += [sample(window, now, city) for window in windows]
            windows[0].page.wait_for_timeout(SAMPLE_S * 1000)
        browser.close()
    city.kill()
    write(asked.out, rows, events, outages, windows, city, asked)
    return 1 if any(window.errors for window in windows) else 0


def sample(window: Window, now: float, city: City) -> dict[str, object]:
    """One row about one page."""
    published = city.rows()
    row: dict[str, object] = {
        "at_s": round(now),
        "page": window.name,
        "server_mb": published[-1][3] if published else 0,
    }
    row["number"] = published[-1][0] if published else 0
    try:
        looked = window.page.evaluate(LOOK)
        window.ticks += [(int(number), at) for number, at in looked.pop("ticks")]
        row |= looked
        row["heap_mb"] = round(window.heap_mb(), 2)
    except Error as error:  # the page is just opening itself anew
        row["note"] = str(error).splitlines()[0][:80]
    row |= {"sockets": window.sockets, "loads": window.loads, "console": len(window.errors)}
    return row


def write(
    out: Path,
    rows: list[dict[str, object]],
    events: list[tuple[float, str]],
    outages: list[tuple[float, float]],
    windows: list[Window],
    city: City,
    asked: argparse.Namespace,
) -> None:
    """The raw rows, the table and the picture."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (out / "soak.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    with (out / "ticks.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([(window.name, *tick) for window in windows for tick in window.ticks])
    snapshots = city.rows()
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(snapshots)]
    lines = [
        f"{asked.minutes:g} minutes, {asked.walls} walls, {asked.laptops} laptops, a snapshot every {asked.every:g} s: "
        f"{len(snapshots)} snapshots, which are {len(snapshots) / TICKS_OF_72_H * 72:.0f} hours of a city.",
        "",
        f"Events: {len([e for e in events if e[1] == 'server killed'])} kills of the server, "
        f"{len([e for e in events if e[1] == 'network cut'])} cuts of the network of {CUT_S} s. "
        f"Between two snapshots: median {median(gaps):.2f} s.",
        "",
        "| page | heap first | heap last | nodes first | nodes last | reconnects | reloads | lost | "
        "repaint median | repaint p95 | missed ticks | console errors |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for window in windows:
        own = [row for row in rows if row["page"] == window.name and "heap_mb" in row]
        tenth = max(len(own) // 10, 1)
        first, last = own[1 : tenth + 1] or own[:1], own[-tenth:]
        lost = sum(bool(row.get("lost")) for row in own) * SAMPLE_S
        repainted = repaints(window.ticks, snapshots, outages)
        lines.append(
            f"| {window.name} | {_mid(first, 'heap_mb'):.1f} MB | {_mid(last, 'heap_mb'):.1f} MB | "
            f"{_mid(first, 'nodes'):.0f} | {_mid(last, 'nodes'):.0f} | "
            f"{max(window.sockets - 1, 0)} | {window.loads - 1} | {lost} s | {repainted} | {len(window.errors)} |"
        )
    tenth = max(len(snapshots) // 10, 1)
    early, late = snapshots[tenth // 2 : tenth + tenth // 2], snapshots[-tenth:]
    lines.append(
        f"\nServer memory: {median(row[3] for row in early):.0f} MB in the first tenth, "
        f"{median(row[3] for row in late):.0f} MB in the last."
    )
    lines += [f"- {window.name}: {error}" for window in windows for error in dict.fromkeys(window.errors)]
    (out / "soak.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "soak.svg").write_text(picture(rows, events), encoding="utf-8")
    print("\n".join(lines))


def repaints(ticks: list[tuple[int, float]], snapshots: list[list[float]], outages: list[tuple[float, float]]) -> str:
    """Three cells: median and p95 of the seconds from a snapshot to its pixels, and how many were passed over.

    Only snapshots outside of the outages count as missed. A restarted server counts from one again: a painting belongs
    to the newest snapshot of its number before it. A page of widgets asks every five seconds and notes nothing.
    """
    if not ticks:
        return "— | — | —"
    by_number: dict[int, list[float]] = defaultdict(list)
    for number, at in ticks:
        by_number[number].append(at)
    waits, missed, counted = [], 0, 0
    for number, published, *_ in snapshots:
        wait = min((at - published for at in by_number[int(number)] if at >= published), default=LONGEST_WAIT_S)
        if wait < LONGEST_WAIT_S:
            waits.append(wait)
        if ticks[0][1] < published < ticks[-1][1] and not any(began <= published <= end for began, end in outages):
            counted += 1
            missed += wait >= LONGEST_WAIT_S
    return f"{median(waits):.2f} s | {quantiles(waits, n=20)[18]:.2f} s | {missed} of {counted}"


def _mid(rows: list[dict[str, object]], name: str) -> float:
    return median(float(row[name]) for row in rows)  # type: ignore[arg-type]


if __name__ == "__main__":
    raise SystemExit(main())
