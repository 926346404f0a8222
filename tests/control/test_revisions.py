"""Corrections of the last week, from a real store: how many, and the newest one's old and new value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from control.revisions import revised
from core import observations as obs
from store.duck import DuckStore

NOW = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def came(store: DuckStore, value: float, at: datetime, time: datetime, source: str = "gauges") -> None:
    row = {"site_id": "rain_01", "observed_property": "rainfall", "value": value}
    store.write_observations(obs.frame([row], time=pd.Timestamp(time), source=source, quality="pass"), at)


def test_the_newest_correction_is_told_with_its_old_and_new_value(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "city.duckdb")
    came(store, 1.0, NOW - 5 * HOUR, NOW - 6 * HOUR)
    came(store, 2.0, NOW - 4 * HOUR, NOW - 6 * HOUR)
    came(store, 7.0, NOW - 3 * HOUR, NOW - 5 * HOUR)
    came(store, 9.5, NOW - 2 * HOUR, NOW - 5 * HOUR)
    found = revised(store, NOW)[("rainfall", "rain_01")]
    assert (found.n, found.old, found.new) == (2, 7.0, 9.5)
    assert (found.at, found.time) == (NOW - 2 * HOUR, NOW - 5 * HOUR)


def test_an_equal_value_and_one_of_eight_days_ago_are_no_corrections(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "city.duckdb")
    long_ago = NOW - timedelta(days=9)
    came(store, 1.0, long_ago, long_ago)
    came(store, 2.0, NOW - timedelta(days=8), long_ago)
    came(store, 2.0, NOW - HOUR, long_ago)
    assert revised(store, NOW) == {}


def test_two_sources_of_one_property_count_together(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "city.duckdb")
    for source, hours in (("gauges", 3), ("radar", 2)):
        came(store, 1.0, NOW - 5 * HOUR, NOW - 6 * HOUR, source)
        came(store, float(hours), NOW - hours * HOUR, NOW - 6 * HOUR, source)
    found = revised(store, NOW)[("rainfall", "rain_01")]
    assert (found.n, found.new) == (2, 2.0), "the radar's correction is the newer one"
