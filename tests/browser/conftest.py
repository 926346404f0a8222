"""Real servers, a real browser, and a viewer who notes everything that goes wrong on a page."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.browser import provide

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tests" / "pictures"
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
]  # fmt: skip
WALL_SIZE = (1920, 1080)
PATIENCE_MS = 60_000  # a machine under load is slow; what is timed is measured apart
# Streamlit's own page asks these two beside the page's address before it asks the right place (docs/adr/0003).
TOUR_SEEN = """localStorage.setItem("city_tour", '["all"]')"""
KNOWN_404 = re.compile(r"^/[^/]+/_stcore/(health|host-config)$")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """`streamlit run dashboard.py` on a port and a store of its own; what it says goes to a file."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._settings = {**os.environ, "CITY": "demo", "CITY_STORE": str(folder / "city.duckdb"), **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    def start(self) -> None:
        """Start it; it need not answer yet."""
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(self.port)]
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._settings, stdout=log, stderr=log)

    def wait_until(self, answers: tuple[int, ...], patience_s: float = 90.0) -> None:
        """Ask /api/health until it answers with one of these codes."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended: {self.said()}"
            try:
                with urllib.request.urlopen(f"{self.address}/api/health", timeout=5) as reply:
                    code = reply.status
            except urllib.error.HTTPError as error:
                code = error.code
            except OSError:
                code = 0
            if code in answers:
                return
            time.sleep(0.05)
        raise AssertionError(f"/api/health did not answer {answers} in {patience_s:g} s: {self.said()}")

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it politely."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=20)
        self._process = None


class WallStage(Server):
    """A city whose hours the test directs (`wall_stage.py`): `stage.ask("ring", "underpass_flood:flood_01")`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def start(self) -> None:
        """Start it; it need not answer yet."""
        command = [sys.executable, "-m", "tests.browser.wall_stage", str(self.port), str(self._folder)]
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def ask(self, wish: str, *given: Any, **named: Any) -> Any:
        """Something that shall happen in the city now; returns when it has."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": wish, "given": given, "named": named}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"no answer to {wish}: {self.said()}"
        return json.loads(answer)


@dataclass
class Viewer:
    """One browser window, and what went wrong in it."""

    page: Page
    server: Server
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the server and wait for its frame."""
        self.page.goto(f"{self.server.address}{path}", wait_until="domcontentloaded", timeout=PATIENCE_MS)
        return self.page

    def note_console(self, message: ConsoleMessage) -> None:
        """Keep console errors, but for the two documented requests that Streamlit's own script makes."""
        where = urlsplit(str(message.location.get("url", "")))
        known = "404" in message.text and KNOWN_404.match(where.path)
        if message.type == "error" and not known:
            self.wrong.append(f"console: {message.text} ({where.path})")

    def note_request(self, request: Request) -> None:
        """Keep every request that leaves for another host."""
        asked = urlsplit(request.url)
        if asked.scheme in ("http", "https", "ws", "wss") and asked.netloc != f"127.0.0.1:{self.server.port}":
            self.wrong.append(f"outside: {request.url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One chromium for all tests. A machine without one fails, with words: skipping would hide the screens."""
    path = provide.find()
    if path is None:
        pytest.fail(provide.HOW, pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class FirstLook:
    """What the very first viewer of a fresh server met, under a deep link."""

    navigation: str
    heading: str
    after_reload: str
    first_frame_s: float
    first_numbers_s: float


@dataclass
class House:
    """A running server of the demo city."""

    server: Server
    first: FirstLook


@pytest.fixture(scope="session")
def storm(tmp_path_factory: pytest.TempPathFactory, house: House) -> Iterator[Server]:
    """The evening storm, played a hundred times as fast as it came."""
    server = Server(tmp_path_factory.mktemp("storm"), SCENARIO="evening_storm", SPEED="100")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WallStage]:
    """A wall of several screens in the demo city, an hour into the evening storm."""
    server = WallStage(tmp_path_factory.mktemp("stage"))
    server.start()
    server.wait_until((200, 503))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[House]:
    """The demo city from an empty store. The first request that it ever gets is a deep link."""
    server = Server(tmp_path_factory.mktemp("house"), SCENARIO="", SPEED="")
    server.start()
    server.wait_until((200, 503))
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        page = context.new_page()
        page.goto(f"{server.address}/traffic?lang=en", wait_until="domcontentloaded", timeout=PATIENCE_MS)
        heading = page.wait_for_selector(".banner h1", timeout=PATIENCE_MS)
        frame_s = time.monotonic() - server.started_at
        navigation = page.locator(".st-key-nav").inner_text()
        words = heading.inner_text() if heading else ""
        page.reload(wait_until="domcontentloaded", timeout=PATIENCE_MS)
        page.wait_for_selector(".banner h1", timeout=PATIENCE_MS)
        again = page.locator(".st-key-nav").inner_text()
        page.wait_for_selector(".row.s-fresh", timeout=PATIENCE_MS)
        numbers_s = time.monotonic() - server.started_at
    yield House(server, FirstLook(navigation, words, again, frame_s, numbers_s))
    server.stop()


def _viewer(context: BrowserContext, server: Server) -> Viewer:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    viewer = Viewer(page, server)
    page.on("console", viewer.note_console)
    page.on("pageerror", lambda error: viewer.wrong.append(f"page error: {error}"))
    page.on("request", viewer.note_request)
    page.on("websocket", lambda socket: viewer.wrong.extend(_outside(socket.url, server)))
    return viewer


def _outside(address: str, server: Server) -> list[str]:
    return [] if urlsplit(address).netloc == f"127.0.0.1:{server.port}" else [f"outside: {address}"]


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser: what it has fetched once it keeps, as at a real desk."""
    with browser.new_context() as context:
        context.add_init_script(TOUR_SEEN)  # test_tour.py opens browsers of newcomers
        yield context


@pytest.fixture
def window(desk: BrowserContext) -> Iterator[Callable[..., Viewer]]:
    """Open windows on a server: `window(server, (1920, 1080))`; all are closed after the test."""
    pages: list[Page] = []

    def opened(server: Server, size: tuple[int, int] = WALL_SIZE) -> Viewer:
        viewer = _viewer(desk, server)
        viewer.page.set_viewport_size({"width": size[0], "height": size[1]})
        pages.append(viewer.page)
        return viewer

    yield opened
    for page in pages:
        page.close()
