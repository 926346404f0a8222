"""The server is killed (-9) while units deliver: a file, its values and its audit entry are one, or there is none."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.duck import DuckStore
from tests.killing import ROOT, said_before_a_kill

KILLS = 4
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DESK = """
import os, signal, sys
from dataclasses import replace
from datetime import datetime, timedelta
from core.access import Person
from core.config import load_city
from core.forms import recent
from pipeline import Line
from store import _chain, _file
_file.SETTINGS["checkpoint_threshold"] = "200KB"  # so that kills also meet checkpoints
from store.duck import DuckStore

class Clock:
    speed = 1.0
    def __init__(self, now):
        self.at = now
    def now(self):
        return self.at

city = replace(load_city("demo"), sources=())
clock = Clock(datetime.fromisoformat("2026-11-19T18:00:00+07:00"))
line = Line(city, DuckStore(sys.argv[1], zone=str(city.zone)), clock)
gauge = line.intake.form("staff_gauge")
day = recent(gauge, clock.at, city.zone, 3)[2]
binh = Person(account="binh", name="Binh", role="operator")
def kill_self(*_):
    os.kill(os.getpid(), signal.SIGKILL)

while True:
    if sys.argv[2:] and line.intake.history(gauge, ["river_01"]):  # the second delivery dies in the middle
        room, deed = (_chain, "append") if "audit" in sys.argv[2] else (DuckStore, "_take_in")
        setattr(room, deed, kill_self)
    version = 1 + len(line.intake.history(gauge, ["river_01"]))
    clock.at = datetime.fromisoformat("2026-11-19T18:00:00+07:00") + timedelta(seconds=version)
    rows = "".join(f"{day.label} {hour}:00;{version / 1000}\\n" for hour in (range(1, 24) if version % 2 else (7, 13)))
    body = ("Thời gian;Mực nước (m)\\n" + rows).encode()
    seen = line.intake.examine(gauge, "river_01", day, f"thuoc_{version}.csv", body)
    line.intake.deliver(binh, seen, body, "đọc lại thước")
    print(version, flush=True)
"""


def check_whole(path: Path, confirmed: int) -> int:
    """Whatever stands in the store, stands wholly; returns how many versions that is."""
    store = DuckStore(path)
    versions = store.read_deliveries(LONG_AGO, ["staff_gauge"], ["river_01"])
    newest = versions[0]
    assert [one.version for one in versions] == list(range(newest.version, 0, -1))
    assert newest.version >= confirmed, "what was confirmed is there"
    for one in versions:
        body = store.delivered_body(one.form, one.unit, one.period_end, one.version)
        assert hashlib.sha256(body).hexdigest() == one.sha256
    audit = store.read_audit(LONG_AGO, limit=None)
    told = audit[audit["action"] == "deliver_file"]
    assert sorted(int(thing.rpartition(" v")[2]) for thing in told["object"]) == list(range(1, newest.version + 1))
    rows = store.read_observations(["river_level"], LONG_AGO, newest.period_end, ["river_01"])
    values = rows["value"].dropna()
    assert set(values) == {newest.version / 1000}, "only the newest version's values stand"
    assert len(values) == newest.row_count
    assert store.verify() == []
    store.close()
    return newest.version


def test_after_a_kill_a_delivery_stands_wholly_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    chance = random.Random(20261119)
    confirmed = 0
    for _ in range(KILLS):
        confirmed = max([confirmed, *map(int, said_before_a_kill(DESK, path, chance.uniform(0.0, 0.4)))])
        assert check_whole(path, confirmed) > 0


@pytest.mark.parametrize("moment", ["before its audit entry", "before its values"])
def test_a_kill_in_the_middle_of_a_delivery_leaves_the_version_before(moment: str, tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    died = subprocess.run([sys.executable, "-c", DESK, str(path), moment], cwd=ROOT, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout.split() == ["1"]
    assert check_whole(path, 1) == 1
