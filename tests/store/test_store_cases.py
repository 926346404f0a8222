"""Cases in the store: written once however often they come, under pseudonyms, and forgotten when they are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from core import cases
from store.duck import DuckStore

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)


def given(**more: object) -> pd.DataFrame:
    """One report as a connector hands it over."""
    row = {
        "case_id": "1022-4711",
        "category": "waste",
        "ward": "90001",
        "latitude": 21.351349,
        "longitude": 105.993551,
        "received_at": NOW - timedelta(hours=30),
        "description": "Bà Lan, số 5 ngõ 3",
        "rating": 5,
        **more,
    }
    return cases.frame([row], kind=cases.REPORT, source="hotline")


def test_the_same_case_twice_is_one_case_and_its_end_is_news(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "c.duckdb", zone="Asia/Ho_Chi_Minh")
    assert store.write_cases(given(), NOW) == 1
    assert store.write_cases(given(), NOW) == 0
    assert store.write_cases(given(resolved_at=NOW), NOW) == 1
    found = store.read_cases(cases.REPORT, NOW - timedelta(days=9))
    assert found["resolved_at"].tolist() == [pd.Timestamp(NOW)]
    assert store.read_cases(cases.FILE, NOW - timedelta(days=9)).empty
    assert store.stats()["cases"] == 1
    assert store.verify_tables() == []
    assert store.sources_of_cases() == {"hotline"}
    store.close()


def test_neither_number_nor_text_nor_door_of_a_citizen_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.duckdb"
    store = DuckStore(path, zone="Asia/Ho_Chi_Minh")
    store.write_cases(given(), NOW)
    row = store.read_cases(cases.REPORT, NOW - timedelta(days=9)).iloc[0]
    assert row["case_id"] != "1022-4711"
    assert (row["latitude"], row["longitude"]) == (21.351, 105.994), "about 100 m"
    store.close()
    raw = path.read_bytes()
    assert b"4711" not in raw
    assert "Bà Lan".encode() not in raw
    again = DuckStore(path, zone="Asia/Ho_Chi_Minh")
    assert again.write_cases(given(), NOW) == 0, "the pseudonym is the same after a restart"
    other = DuckStore(tmp_path / "d.duckdb", zone="Asia/Ho_Chi_Minh")
    other.write_cases(given(), NOW)
    theirs = other.read_cases(cases.REPORT, NOW - timedelta(days=9))["case_id"].iloc[0]
    assert theirs != row["case_id"], "two stores cannot be joined by their pseudonyms"
    again.close()
    other.close()


def test_old_settled_cases_are_forgotten_and_open_ones_are_not(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "c.duckdb", zone="Asia/Ho_Chi_Minh")
    long_ago = NOW - timedelta(days=500)
    store.write_cases(given(case_id="old", received_at=long_ago, resolved_at=long_ago), NOW)
    store.write_cases(given(case_id="open", received_at=long_ago), NOW)
    store.remind_unit("office_01", "land", long_ago, "demo")
    store.remind_unit("office_01", "land", NOW, "demo")
    store.prune(NOW - timedelta(days=400))
    assert len(store.read_cases(cases.REPORT, NOW - timedelta(days=900))) == 1
    assert store.read_reminders(NOW - timedelta(days=900))["reminded_at"].tolist() == [pd.Timestamp(NOW)]
    store.close()
