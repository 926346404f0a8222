"""The stores that a page can meet: full, empty, stale, and one with alerts to act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.alert import Alert
from core.config import load_city
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from ui import render, server

NOTHING_CHANGES = ((), ())


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Line], Line]:
    """Serve a line to the pages of this test, with no picture left from another line.

    That somebody opened a page is not written down: lines are shared, and other tests count what their log holds.
    """
    monkeypatch.setattr(server, "_INSTALLED", [])
    monkeypatch.setattr(server, "_DOORS", [])
    monkeypatch.setattr(render, "_KEPT", {})

    def served(line: Line) -> Line:
        server.install(line)
        server.install(line, replace(server.door(), audit=lambda *_: None))
        return line

    return served


def copy_of(line: Line, path: Path) -> Line:
    """The same city with the same history in a store of its own, so that a test may act on it."""
    line.store.backup(path)
    own = Line(line.city, DuckStore(path, zone=str(line.city.zone)), SetClock(line.clock.now()))
    own.run_once()
    return own


@pytest.fixture(scope="session")
def stale_line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city three hours after its last number: the picture is new, its data are not."""
    line = copy_of(demo_line, tmp_path_factory.mktemp("stale") / "stale.duckdb")
    line.clock.advance(timedelta(hours=3))
    line.change(lambda _: NOTHING_CHANGES)
    yield line
    line.stop()


@pytest.fixture(scope="session")
def empty_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The pilot on its first minute in a closed network: no row yet, and no source over the network answers."""
    gone = tmp_path_factory.mktemp("no_files") / "gone"
    pilot = load_city("bac_giang")
    sources = tuple(replace(one, options={**one.options, "folder": str(gone)}) for one in pilot.sources)
    city = replace(pilot, sources=sources)
    store = DuckStore(tmp_path_factory.mktemp("empty") / "empty.duckdb", zone=str(city.zone))
    line = Line(city, store, SetClock(EVENING))
    line.run_once(patience_s=60.0)
    yield line
    line.stop()


JAM = ("congestion_segment", "road_01")
FLOOD = ("underpass_flood", "flood_01")
RAIN = ("heavy_rain", "rain_01")


@pytest.fixture(scope="session")
def _line_with_alerts(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    line = copy_of(demo_line, tmp_path_factory.mktemp("alerts") / "alerts.duckdb")
    yield line
    line.stop()


@pytest.fixture
def alert_line(_line_with_alerts: Line) -> Line:
    """An evening with three alerts that nobody has acknowledged: one critical, one high, one medium."""
    line = _line_with_alerts
    line.clock.set(EVENING)
    alerts = [
        Alert(rule=FLOOD[0], site_id=FLOOD[1], active=True, acked=False, priority="critical", value=38.0),
        Alert(rule=RAIN[0], site_id=RAIN[1], active=True, acked=False, priority="high", value=42.0),
        Alert(rule=JAM[0], site_id=JAM[1], active=True, acked=False, priority="medium", value=2.1),
    ]
    raised = EVENING - timedelta(minutes=6)
    line.change(lambda _: ([replace(alert, seen_at=EVENING, raised_at=raised) for alert in alerts], ()))
    return line
