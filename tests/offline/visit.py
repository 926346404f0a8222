"""Run in an empty network namespace: the whole app, every page of it in a browser, and who wanted to leave the machine.

python -m tests.offline.visit FOLDER      JSON on stdout
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS, ROOT, Server, Viewer
from tests.browser.test_every_screen import SCREENS, address, complete
from tests.offline.namespace import OUTSIDE, interfaces, loopback_up, wanted_to_leave

KIOSK = [line for line in (ROOT / "deploy" / "kiosk.flags").read_text("utf-8").splitlines() if line.startswith("--")]
ONE_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # as both kiosk scripts do
# By it the browser learns whether the internet speaks IPv6: it opens a datagram socket and sends nothing.
IPV6_PROBE = "[2001:4860:4860::8888]:443"
OWN = "not an origin"  # what the browser wants for itself, not for a page
WATCH = ROOT / "tests" / "offline" / "watch"
PROBE = "import socket\nfor family, host in {outside}:\n    socket.socket(family).connect_ex((host, 443))\n"
LOOK_UP = "try:\n    socket.getaddrinfo('example.org', 443)\nexcept OSError:\n    print('not found')\n"


def main(folder: Path) -> dict[str, Any]:
    """What was met in this namespace."""
    loopback_up()
    met: dict[str, Any] = {"interfaces": interfaces(), "instruments": instruments(folder)}
    before = wanted_to_leave()
    notes = folder / "attempts.txt"
    server = Server(folder, SCENARIO="", SPEED="", PYTHONPATH=str(WATCH), CITY_ATTEMPTS=str(notes))
    server.start()
    try:
        server.wait_until((200,))
        met["health"] = True
        net_log = folder / "net.json"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=provide.find(),
                args=[*FLAGS, *KIOSK, ONE_HOST, f"--log-net-log={net_log}"],
            )
            met["pages"] = walk(browser, server)
            browser.close()
        met |= asked_for(json.loads(net_log.read_text(encoding="utf-8")))
    finally:
        server.stop()
    met["server"] = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    met["kernel"] = wanted_to_leave() - before
    return met


def instruments(folder: Path) -> dict[str, Any]:
    """What the instruments say of a programme that does want to leave: blind ones would find nothing anywhere."""
    notes, before = folder / "probe.txt", wanted_to_leave()
    outside = [(int(family), host) for family, host in OUTSIDE]
    subprocess.run(
        [sys.executable, "-c", PROBE.format(outside=outside) + LOOK_UP],
        env={"PYTHONPATH": str(WATCH), "CITY_ATTEMPTS": str(notes)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seen = wanted_to_leave()  # the look-up may have asked the machine's name server, which is outside too
    return {"kernel": seen - before, "server": notes.read_text(encoding="utf-8").splitlines()}


def walk(browser: Browser, server: Server) -> dict[str, list[str]]:
    """Every page until it is complete, and what went wrong on it."""
    found: dict[str, list[str]] = {}
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        for name in SCREENS:
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            viewer = Viewer(page, server)
            page.on("console", viewer.note_console)
            page.on("pageerror", lambda error, viewer=viewer: viewer.wrong.append(f"page error: {error}"))
            page.on("request", viewer.note_request)
            viewer.open(address(name, "vi"))
            complete(page, name)
            found[name] = viewer.wrong
            page.close()
    return found


def asked_for(log: dict[str, Any]) -> dict[str, Any]:
    """By the browser's own account: how often it probed for IPv6, whom it called, and what pages asked of others."""
    kinds = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    probes, called, for_pages, for_itself = 0, set(), set(), set()
    for event in log["events"]:
        kind, told = kinds[event["type"]], event.get("params", {})
        if kind in ("TCP_CONNECT_ATTEMPT", "UDP_CONNECT") and "address" in told:
            if told["address"] == IPV6_PROBE:
                probes += 1
            elif not told["address"].startswith(("127.", "[::1]")):
                called.add(told["address"])
        elif kind == "URL_REQUEST_START_JOB" and "url" in told:
            asked = urlsplit(told["url"])
            own = told["initiator"] == OWN and told["network_isolation_key"].startswith("null")
            if asked.scheme in ("http", "https", "ws", "wss") and asked.hostname != "127.0.0.1":
                (for_itself if own else for_pages).add(asked.hostname)
    return {
        "probes": probes,
        "called": sorted(called),
        "for_pages": sorted(for_pages),
        "for_itself": sorted(for_itself),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
