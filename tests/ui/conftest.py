"""The hours in which screens are looked at: a calm one, the evening storm, the first minute of a city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.config import load_city
from core.snapshot import Snapshot
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING

STARTS = EVENING - timedelta(minutes=30)


@pytest.fixture(scope="session")
def storm_hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """An hour into the evening storm: rain in the south, an underpass under water, a jam."""
    city = load_city("demo")
    clock = SetClock(STARTS)
    store = DuckStore(tmp_path_factory.mktemp("storm_scenes") / "storm.duckdb", zone=str(city.zone))
    line = Line(city, store, clock, scenario="evening_storm", scenario_start=STARTS)
    line.run_once()
    for minutes in range(5, 65, 5):
        clock.set(STARTS + timedelta(minutes=minutes))
        line.run_once()
    yield line.snapshot
    line.stop()


@pytest.fixture(scope="session")
def calm_hour(demo_line: Line) -> Snapshot:
    """An evening without an alert."""
    return replace(demo_line.snapshot, alerts=(), items=())


@pytest.fixture(scope="session")
def empty_hour(demo_line: Line) -> Snapshot:
    """The first minute of a city: nothing was ever sent."""
    return replace(demo_line.snapshot, alerts=(), items=(), readings={}, recent={}, band={})
