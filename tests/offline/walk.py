"""Run in an empty network namespace: `make run` in a folder that was carried here, until the server answers.

python -m tests.offline.walk FOLDER PORT      JSON on stdout
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.offline.namespace import interfaces, loopback_up, wanted_to_leave

PATIENCE_S = 300.0  # a virtual environment is made and filled meanwhile


def main(folder: Path, port: int) -> dict[str, Any]:
    """What `make run` said, and what /api/health answered."""
    loopback_up()
    began = time.monotonic()
    log = folder / "make.log"
    with log.open("wb") as said:
        running = subprocess.Popen(
            ["make", "run", f"PORT={port}"], cwd=folder, stdout=said, stderr=said, start_new_session=True
        )
        health = _answer(running, f"http://127.0.0.1:{port}/api/health")
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)
        code = running.wait(timeout=60)
    return {
        "interfaces": interfaces(),
        "health": health,
        "code": code,
        "seconds": round(time.monotonic() - began, 1),
        "wanted_to_leave": wanted_to_leave(),
        "said": log.read_text(encoding="utf-8", errors="replace")[-3000:],
    }


def _answer(running: subprocess.Popen[bytes], address: str) -> dict[str, Any] | None:
    until = time.monotonic() + PATIENCE_S
    while running.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return dict(json.load(reply))
        except OSError:  # not yet there, or 503: no snapshot yet
            time.sleep(0.1)
    return None


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
