"""A demo city that goes on one minute every so many seconds, for `wall.py` and the soak: prints one line per snapshot.

    python tests/bench/wall_server.py PORT EVERY_S [FOLDER]

Each line: number of the snapshot, the machine's time when it was published, seconds of processor used so far, memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.config import load_city
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from ui import server

START = datetime.fromisoformat("2026-11-19T17:30:00+07:00")
STORY_MIN = 180  # the storm begins again after this; the clock goes on


def resident_mb() -> float:
    """Memory of this process [MB]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    """Serve until the process is ended."""
    port, every_s = int(sys.argv[1]), float(sys.argv[2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(tempfile.mkdtemp())
    known = folder / "clock"
    city = load_city("demo")
    start = datetime.fromisoformat(known.read_text()) if known.is_file() else START
    clock = SetClock(start)
    line = Line(
        city,
        DuckStore(folder / "bench.duckdb", zone=str(city.zone)),
        clock,
        scenario="evening_storm",
        scenario_start=START + (start - START) // timedelta(minutes=STORY_MIN) * timedelta(minutes=STORY_MIN),
    )
    line.run_once(60)
    server.install(line)
    import dashboard  # the server's front door; it finds the installed line

    def told() -> None:
        print(line.snapshot.number, time.time(), time.process_time(), round(resident_mb(), 1), flush=True)

    line.on_publish(told)

    def live() -> None:
        while True:
            began = time.monotonic()
            clock.set(clock.now() + timedelta(minutes=1))
            known.write_text(clock.now().isoformat())
            line.run_once(60)
            time.sleep(max(every_s - (time.monotonic() - began), 0.05))

    threading.Thread(target=live, daemon=True).start()
    uvicorn.run(dashboard.app, host="127.0.0.1", port=port, log_level="error")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
