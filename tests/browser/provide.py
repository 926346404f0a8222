"""Find or install a browser for the tests: Debian's chromium, or Playwright's own. Prints its path; exit 2 with words.

python tests/browser/provide.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
HOW = (
    "error: no browser for the tests: as root run `apt-get install chromium`, "
    "or run `.venv/bin/playwright install chromium`, or set CHROMIUM to the path of a Chromium"
)


def find() -> str | None:
    """Path of a Chromium on this machine, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).is_file() else None


def install() -> None:
    """Debian's package when root or sudo is there, else Playwright's download. Failing is told by the caller."""
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not sudo or shutil.which("sudo"):
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
                done = subprocess.run([*sudo, "apt-get", *step], env=quiet, stdout=subprocess.DEVNULL, check=False)
                if done.returncode:
                    break
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    """Exit code 0 with the path on stdout, or 2 with what to do."""
    if find() is None:
        print("no browser yet: installing one", file=sys.stderr)
        install()
    path = find()
    if path is None:
        print(HOW, file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
