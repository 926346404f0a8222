"""How long a turn of the quality figures takes with 10,000 sites that report every hour. Not a test.

    python tests/bench/quality.py [SITES] [DAYS]

The reference is one sort of 1,000,000 random numbers: divide by it to compare two machines or two days.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import indicators
from control.quality import QualityKeeper
from core import observations as obs
from core.config import City, ConfiguredSource, load_city
from core.snapshot import SeriesFrames
from store.duck import DuckStore
from tests.bench.timing import reference_s, timed

NOW = datetime(2026, 11, 19, 11, tzinfo=UTC)


def large(city: City, sites: int) -> City:
    """A city of so many air stations and one source that gives them."""
    stations = pd.DataFrame([{**city.sites.iloc[0].to_dict(), "kind": "air_station"}] * sites)
    stations["site_id"] = [f"air_{number:05d}" for number in range(sites)]
    source = ConfiguredSource(
        key="air", connector="demo", name_vi="air", name_en="air", owner="Sở", contact="", every=timedelta(hours=1),
        enabled=True, options={},
    )  # fmt: skip
    return replace(city, sites=stations.set_index("site_id", drop=False), sources=(source,))


def main(sites: int, days: int) -> int:
    """One table on stdout."""
    reference = reference_s()
    city, catalogue = large(load_city("demo"), sites), indicators.catalogue()
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "bench.duckdb", zone=str(city.zone))
        store.write_dimensions(city, catalogue)
        for hour in range(24 * days):
            time = pd.Timestamp(NOW - timedelta(hours=hour))
            here = city.sites.index[chance.random(sites) > 0.02]  # one value of fifty is lost
            rows = {"site_id": here, "observed_property": "pm25", "value": chance.gamma(4, 10, len(here)).round(1)}
            store.write_observations(
                obs.frame(pd.DataFrame(rows), time=time, source="air", quality="pass"), time.to_pydatetime()
            )
        keeper = QualityKeeper(store, city, catalogue, {"air": "measurement"}, ())
        band = SeriesFrames(pd.DataFrame(columns=["site_id", "observed_property", "middle"]), ["middle"])
        first = timed(lambda: keeper.turn(NOW, band), runs=1)
        later = timed(lambda: keeper.turn(NOW, band), runs=3)
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sites} sites, {24 * days} hours, {peak:.0f} MiB at the most")
    for name, seconds in [("sort (reference)", reference), ("the first turn", first), ("a later turn", later)]:
        print(f"{name:20s} {seconds * 1000:9.1f} ms {seconds / reference:8.1f} x")
    return 0


if __name__ == "__main__":
    told = [int(word) for word in sys.argv[1:3]]
    sys.exit(main(*(told + [10_000, 3][len(told) :])))
