"""Figures of pilots are believed for the locked plan alone, and nobody looks at the result before the last day."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from control.pilots import Known, Pilots
from core.config import City, load_city
from tests.analysis.demo_pilots import write

FINISHED = date(2026, 11, 20)


@pytest.fixture
def city(tmp_path: Path) -> City:
    demo = load_city("demo")
    shutil.copytree(demo.data_folder / "pilots", tmp_path / "pilots")
    return replace(demo, data_folder=tmp_path)


def signals(city: City, day: date = FINISHED) -> Known:
    return next(one for one in Pilots(city).on(day) if one.pilot.key == "signal_timing")


def altered(city: City, change: dict[str, object], where: str) -> None:
    path = city.data_folder / "pilots" / "signal_timing.csv"
    frame = pd.read_csv(path)
    chosen = frame.eval(where)
    for column, value in change.items():
        frame.loc[chosen, column] = value
    frame.to_csv(path, index=False)


def test_the_demo_panels_are_what_the_simulator_gives(tmp_path: Path) -> None:
    demo = load_city("demo")
    write(tmp_path, demo)
    made = sorted(tmp_path.glob("*.csv"))
    assert len(made) == 2
    for path in made:
        assert path.read_bytes() == (demo.data_folder / "pilots" / path.name).read_bytes(), path.name


def test_the_demo_pilot_finds_what_the_simulator_planted(city: City) -> None:
    known = signals(city)
    assert known.problem == ""
    assert known.result is not None
    assert known.result.verdict == "scale"
    assert known.result.percent is not None
    assert known.result.percent.low < -6.0 < known.result.percent.high
    assert known.power is not None
    assert known.power.smallest_pct is not None
    assert known.power.smallest_pct < 3


def test_nobody_sees_an_effect_before_the_last_day_has_passed(city: City) -> None:
    altered(city, {"after": 0}, "time < '2026-10-05'")
    path = city.data_folder / "pilots" / "signal_timing.csv"
    frame = pd.read_csv(path)
    for day, kept in (
        (date(2026, 10, 1), "2026-10-02"),
        (date(2026, 10, 20), "2026-10-20"),
        (date(2026, 10, 30), "2026-10-31"),
    ):
        frame[frame["time"] < kept].to_csv(path, index=False)
        known = signals(city, day)
        assert known.problem == ""
        assert known.result is None
        assert known.power is not None
        assert known.power.smallest is not None
    assert signals(city, date(2026, 10, 31)).result is not None


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ({"treated": 1}, "unit == 'road_01'", "treated differ from the plan at road_01"),
        ({"unit": "road_99"}, "unit == 'road_14'", "controls differ from the plan at road_14"),
        ({"after": 1}, "time >= '2026-09-28'", "at 2026-09-28 after is 1; the plan runs 2026-10-05 to 2026-10-30"),
        ({"time": "2026-11-02"}, "time == '2026-10-30'", "at 2026-11-02"),
        ({"value": "n/a?"}, "time == '2026-10-30'", "is no number"),
    ],
)
def test_figures_that_are_not_those_of_the_plan_are_refused(
    city: City, change: dict[str, object], where: str, said: str
) -> None:
    if "value" in change:
        path = city.data_folder / "pilots" / "signal_timing.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("road_01,2026-10-30,", "road_01,2026-10-30,x"))
    else:
        altered(city, change, where)
    known = signals(city)
    assert known.result is None
    assert said in known.problem


def test_a_panel_that_is_gone_or_replaced_is_noticed(city: City) -> None:
    path = city.data_folder / "pilots" / "signal_timing.csv"
    kept = Pilots(city)
    first = next(one for one in kept.on(FINISHED) if one.pilot.key == "signal_timing")
    assert next(one for one in kept.on(FINISHED) if one.pilot.key == "signal_timing").result is first.result
    frame = pd.read_csv(path)
    frame["value"] += 1.25
    frame.to_csv(path, index=False)
    second = next(one for one in kept.on(FINISHED) if one.pilot.key == "signal_timing")
    assert second.result is not None
    assert first.result is not None
    assert second.result.own[0] == pytest.approx(first.result.own[0] + 1.25)
    path.unlink()
    gone = next(one for one in kept.on(FINISHED) if one.pilot.key == "signal_timing")
    assert gone.result is None
    assert "signal_timing.csv" in gone.problem
