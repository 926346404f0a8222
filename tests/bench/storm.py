"""The storm replay in figures: how much of 500 alerts in 10 minutes the desk must read, and what a round costs.

    python tests/bench/storm.py

The reference is one sort of 1,000,000 random numbers, as in line.py. Not a test.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from alerts.situations import Policy, form, items
from store.duck import DuckStore
from tests.alerts.storm import LASTS, MINUTES, START, make_storm
from tests.bench.timing import reference_s


def replayed(with_causes: bool, reference: float) -> None:
    """One storm on stdout."""
    storm, policy = make_storm(with_causes=with_causes), Policy()
    most, rounds, grouping, listing, events = 0, [], [], [], 0
    listed = ()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "storm.duckdb")
        for minute in range(1, LASTS + int(policy.close_after / timedelta(minutes=1)) + 2):
            now = START + timedelta(minutes=minute)
            began = time.perf_counter()
            outcome = store.change_alerts(lambda known, m=minute, at=now: storm.go_round(known, m, at, policy))
            rounds.append(time.perf_counter() - began)
            events += len(outcome.events)
            ledger = store.read_ledger()
            began = time.perf_counter()
            form(ledger, storm.rules, policy, storm.places, now)
            grouping.append(time.perf_counter() - began)
            began = time.perf_counter()
            found = items(ledger.values(), ledger.situations, storm.rules, policy, storm.places)
            listing.append(time.perf_counter() - began)
            most = max(most, len(found))
            if minute == MINUTES:
                listed = found
        store.close()
    signals = sum(len(item.members) + len(item.inhibited) for item in listed)
    alone = sum(item.kind == "single" for item in listed)
    rows = (
        (f"alerts raised in {MINUTES} minutes", f"{len(storm.signals):6d}"),
        ("journal lines in all", f"{events:6d}"),
        ("most items at once", f"{most:6d}"),
        (f"items after {MINUTES} minutes", f"{len(listed):6d}"),
        ("alerts in situations and groups", f"{100 * (1 - alone / signals):6.1f} %"),
        ("of them hidden behind their cause", f"{100 * sum(len(item.inhibited) for item in listed) / signals:6.1f} %"),
        ("lines that must stand by themselves", f"{sum(len(item.shown) for item in listed):6d}"),
    )
    print(f"causes known: {'yes' if with_causes else 'no'}")
    for words, figure in rows:
        print(f"  {words:40s}{figure}")
    for name, taken in (("whole round with the store", rounds), ("form", grouping), ("items", listing)):
        middle = median(taken[:MINUTES])
        print(f"  {name:28s} median {middle * 1000:7.1f} ms {middle / reference:6.2f} x   "
              f"worst {max(taken) * 1000:7.1f} ms {max(taken) / reference:6.2f} x")  # fmt: skip


def main() -> int:
    """Both storms: with the causes written into the rules, and without."""
    reference = reference_s()
    print(f"sort of 1,000,000 numbers (reference) {reference * 1000:.1f} ms")
    for with_causes in (True, False):
        replayed(with_causes, reference)
    return 0


if __name__ == "__main__":
    sys.exit(main())
