"""The register of pilots: a plan that is locked before its start, and what becomes visible when somebody changes it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.config import City, load_city
from core.errors import ConfigError
from core.pilots import Pilot, digest, load_pilots, lock_text
from core.toml_files import read_toml

IN_TIME = datetime(2026, 9, 28, 2, 15, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> City:
    """The demo city with a folder of its own that a test may write to."""
    demo = load_city("demo")
    shutil.copytree(demo.folder / "pilots", tmp_path / "config" / "demo" / "pilots")
    return replace(demo, folder=tmp_path / "config" / "demo")


def plan_of(city: City) -> Path:
    return city.folder / "pilots" / "signal_timing.toml"


def changed(city: City, old: str, new: str) -> Path:
    path = plan_of(city)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def signals(city: City) -> Pilot:
    return next(one for one in load_pilots(city) if one.key == "signal_timing")


def test_the_demo_citys_register_holds_a_locked_and_an_open_plan(city: City) -> None:
    open_plan, locked, kerb = load_pilots(city)
    assert (kerb.key, kerb.lock) == ("kerb_watch", "locked")
    assert (locked.key, locked.lock, locked.locked_at) == ("signal_timing", "locked", IN_TIME)
    assert (open_plan.key, open_plan.lock, open_plan.locked_at) == ("mobile_desk", "unlocked", None)
    assert locked.text("title", "vi") == "Chỉnh chu kỳ đèn tín hiệu giờ tan tầm"
    assert locked.text("title", "en") == "Signal timing in the evening rush"
    assert open_plan.private_share_pct == 40


def test_a_pilot_is_planned_runs_through_its_last_day_and_is_finished(city: City) -> None:
    states = [signals(city).state(date(2026, month, day)) for month, day in ((10, 4), (10, 5), (10, 30), (10, 31))]
    assert states == ["planned", "running", "running", "finished"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("worthwhile_pct = 3", "worthwhile_pct = 1"),
        ('"road_14"', '"road_14", "noise_01"'),
        ('better = "down"', 'better = "up"'),
        ("ends = 2026-10-30", "ends = 2026-11-06"),
        ("looks_back_to = 2026-07-13", "looks_back_to = 2026-08-10"),
        ("bốn đoạn đường", "vài đoạn đường"),
    ],
)
def test_whatever_is_changed_after_the_lock_is_seen(city: City, old: str, new: str) -> None:
    changed(city, old, new)
    assert signals(city).lock == "changed"


def test_another_layout_of_the_same_plan_is_the_same_plan(city: City) -> None:
    path = plan_of(city)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("# a note\n\n" + "\n".join(reversed(lines)) + "\n", encoding="utf-8")
    assert signals(city).lock == "locked"


def test_a_lock_from_the_day_of_the_start_on_is_late(city: City) -> None:
    """The start is a day of the city: at 17:00 UTC on 4 October it has begun there."""
    path = plan_of(city)
    for moment, word in (
        (datetime(2026, 10, 4, 16, 59, tzinfo=UTC), "locked"),
        (datetime(2026, 10, 4, 17, tzinfo=UTC), "late"),
    ):
        path.with_suffix(".lock").write_text(lock_text(path, moment), encoding="utf-8")
        assert signals(city).lock == word
    assert digest(read_toml(path)) == signals(city).digest
    assert len(signals(city).digest) == 64


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"road_14"', '"road_99"', "controls: 'road_99' is not in sites.toml"),
        ('"road_14"', '"road_04"', "road_04 is in treated and in controls"),
        ('"road_14"', '"road_13"', "controls must name each unit once"),
        ("looks_back_to = 2026-07-13", "looks_back_to = 2026-10-05", "must lie before starts"),
        ("ends = 2026-10-30", "ends = 2026-10-01", r"ends \(2026-10-01\) lies before starts"),
        ("decide_by = 2026-11-27", "decide_by = 2026-10-30", r"decide_by \(2026-10-30\) must lie after ends"),
        ("starts = 2026-10-05", "starts = 2026-10-05T07:00:00Z", "starts is a day"),
        ('better = "down"', 'better = "less"', "better must be one of up, down"),
        ("private_share_pct = 0", "private_share_pct = 120", "at most 100"),
        ("cost_million_vnd = 180", "cost_million_vnd = -1", "cost_million_vnd must be 0 or more"),
        ("seed = 20261005", "sede = 20261005", "unknown key sede"),
        ('owner_en = "', '# owner_en = "', "the key owner_en is missing"),
    ],
)
def test_a_mistake_in_a_plan_is_named(city: City, old: str, new: str, said: str) -> None:
    changed(city, old, new)
    with pytest.raises(ConfigError, match=said):
        load_pilots(city)


def test_a_city_without_pilots_has_none(tmp_path: Path) -> None:
    assert load_pilots(replace(load_city("demo"), folder=tmp_path)) == ()
