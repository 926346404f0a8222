"""How long the parts of the line take on this machine, beside a reference in the same run. Not a test.

    python tests/bench/line.py

The reference is one sort of 1,000,000 random numbers: divide by it to compare two machines or two days.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from charts.theme import DESK, WALL
from core.config import load_city
from pipeline import Line
from store.duck import DuckStore
from tests.bench.timing import reference_s, timed
from tests.clockwork import SetClock
from ui import overview
from ui.views import View

START = datetime.fromisoformat("2026-11-19T18:00:00+07:00")


def main() -> int:
    """One table on stdout."""
    reference = reference_s()
    city = load_city("demo")
    rows: list[tuple[str, float]] = [("sort of 1,000,000 numbers (reference)", reference)]
    with tempfile.TemporaryDirectory() as folder:
        clock = SetClock(START)
        store = DuckStore(Path(folder) / "bench.duckdb", zone=str(city.zone))
        line = Line(city, store, clock)
        rows.append(("first cycle: 30 days simulated, stored, computed", timed(lambda: line.run_once(60), runs=1)))

        def cycle() -> None:
            clock.set(clock.now() + timedelta(minutes=5))
            line.run_once(60)

        rows.append(("a cycle with five new minutes", timed(cycle)))
        rows.append(("overview for the desk, in vi", timed(lambda: overview.desk(View(line.snapshot, "vi", DESK)))))
        rows.append(("overview for the wall, in en", timed(lambda: overview.wall(View(line.snapshot, "en", WALL)))))
        rows.append(("latest value of every series", timed(store.latest)))
        line.stop()
    for name, seconds in rows:
        print(f"{name:52s} {seconds * 1000:9.1f} ms {seconds / reference:8.1f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
