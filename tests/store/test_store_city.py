"""A data file belongs to one city: simulated rows never stand among real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import indicators
from core.config import load_city
from core.errors import StoreError
from store.duck import DuckStore


def test_a_file_of_the_demo_is_refused_by_the_pilot(tmp_path: Path) -> None:
    """One exported CITY_STORE is enough to point two cities at one file."""
    path = tmp_path / "shared.duckdb"
    demo, pilot = load_city("demo"), load_city("bac_giang")
    store = DuckStore(path, zone=str(demo.zone))
    store.write_dimensions(demo, indicators.catalogue())
    store.close()
    again = DuckStore(path, zone=str(pilot.zone))
    with pytest.raises(StoreError, match="CITY=demo, not of CITY=bac_giang"):
        again.write_dimensions(pilot, indicators.catalogue())
    again.write_dimensions(demo, indicators.catalogue())
    again.close()


def test_a_backup_goes_only_into_a_folder_that_is_there(tmp_path: Path) -> None:
    """/mnt/backup without its disk would fill the disk below."""
    store = DuckStore(tmp_path / "city.duckdb")
    with pytest.raises(StoreError, match="make or mount it"):
        store.backup(tmp_path / "not_mounted" / "city.duckdb")
    assert not (tmp_path / "not_mounted").exists()
    store.close()
