"""The figures of data quality beside the cycle: days that are counted one after another, and what a person may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from control.quality import DAYS, DAYS_PER_TURN, QualityKeeper
from control.scope import scoped
from core import observations as obs
from core.config import City, ConfiguredSource, load_city
from core.quality import COMPLETE, CORRECT, DAY, LIVE, MONTH, REPAIR
from core.snapshot import SeriesFrames
from indicators import catalogue
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING

CATALOGUE = catalogue()
NO_BAND = SeriesFrames(
    pd.DataFrame(columns=["observed_property", "site_id", "hour_of_week", "low", "middle", "high", "n"]),
    ["hour_of_week", "low", "middle", "high", "n"], index="hour_of_week",
)  # fmt: skip
NOW = pd.Timestamp(EVENING).tz_convert("UTC").to_pydatetime()
MINUTES = timedelta(minutes=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    opened = DuckStore(tmp_path / "city.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def city() -> City:
    source = ConfiguredSource(
        key="loops", connector="demo", name_vi="Vòng từ", name_en="Loops", owner="Sở Xây dựng", contact="",
        every=MINUTES, enabled=True, options={},
    )  # fmt: skip
    return replace(load_city("demo"), sources=(source,))


def keeper(store: DuckStore, city: City) -> QualityKeeper:
    store.write_dimensions(city, CATALOGUE)
    return QualityKeeper(store, city, CATALOGUE, {"loops": "measurement"}, ())


def road(city: City) -> str:
    return str(city.sites.index[city.sites["kind"] == "road_segment"][0])


def write(store: DuckStore, city: City, begin_h: float, end_h: float, value: float, up: float = 1.0) -> None:
    """Every five minutes, from `begin_h` to `end_h` hours before now: the speed of a road, and the source is up."""
    count = int((begin_h - end_h) * 12)
    for step in range(count):
        time = NOW - timedelta(hours=begin_h) + MINUTES * (step + 1)
        rows = [{"site_id": "loops", "observed_property": "source_up", "value": up, "source": "house"}]
        if up:
            said = value + (step % 3) / 10
            rows.append({"site_id": road(city), "observed_property": "speed", "value": said, "source": "loops"})
        store.write_observations(obs.frame(rows, time=pd.Timestamp(time), quality="pass"), time + timedelta(seconds=20))


def test_a_silence_costs_completeness_and_life_and_its_end_marks_the_step(store: DuckStore, city: City) -> None:
    write(store, city, 6, 3, 30.0)
    write(store, city, 3, 2, 0.0, up=0.0)
    write(store, city, 2, 0, 45.0)
    quality = keeper(store, city).turn(NOW, NO_BAND)
    scores = quality.spans[DAY].sources["loops"].scores
    assert scores[CORRECT].percent == 100.0
    assert scores[COMPLETE].percent == pytest.approx(100 * 5 / 6, abs=1.0)
    assert scores[LIVE].percent == pytest.approx(100 * 305 / 355, abs=0.5)  # of 60 min 10 were fresh still
    (mark,) = [one for one in quality.artefacts if one.observed_property == "speed"]
    assert (mark.site_id, mark.cause, mark.source) == (road(city), REPAIR, "loops")
    assert mark.at == NOW - timedelta(hours=2) + MINUTES
    assert quality.marks("speed", road(city)) == (mark,)
    assert quality.marks("speed", "elsewhere") == ()


def test_the_month_is_whole_when_every_day_had_its_turn_and_a_late_delivery_is_seen_when_it_comes_round(
    store: DuckStore, city: City
) -> None:
    write(store, city, 30, 29, 30.0)
    measured = keeper(store, city)
    quality = measured.turn(NOW, NO_BAND)
    assert not quality.spans[MONTH].complete
    turns = 1
    while measured.catching_up:
        quality = measured.turn(NOW, NO_BAND)
        turns += 1
    assert quality.spans[MONTH].complete
    assert turns == -(-(DAYS - 1) // DAYS_PER_TURN)
    assert quality.spans[MONTH].sources["loops"].scores[CORRECT].n == 12
    write(store, city, 29, 28, 30.0)
    for _ in range(turns):
        quality = measured.turn(NOW, NO_BAND)
    assert quality.spans[MONTH].sources["loops"].scores[CORRECT].n == 24


def test_a_formula_that_changed_is_remembered_and_the_first_one_is_no_change(store: DuckStore, city: City) -> None:
    store.write_dimensions(city, CATALOGUE)
    store.write_dimensions(city, CATALOGUE)
    assert store.formula_changes().empty
    changed = [replace(one, version=2) if one.key == "vn_aqi" else one for one in CATALOGUE.indicators()]
    plain = [CATALOGUE[key] for key in ("pm25",)]
    store.write_dimensions(city, type("Changed", (dict,), {"indicators": lambda self: tuple(changed)})(pm25=plain[0]))
    told = store.formula_changes()
    assert told["observed_property"].tolist() == ["vn_aqi"]
    assert str(told["changed_at"].dtype) == "datetime64[us, UTC]"


def test_the_cycle_does_not_wait_for_it_and_the_snapshot_has_it_later(demo_line: Line) -> None:
    quality = demo_line.quality.measure(demo_line.clock.now())
    assert set(quality.spans) == {DAY, MONTH}
    assert set(quality.spans[DAY].sources) <= {one.key for one in demo_line.city.sources}
    assert len(quality.spans[DAY].league) == len(quality.spans[DAY].owners)
    assert quality.spans[DAY].failing["score"].isin(["correct", "complete", "clean", "live"]).all()


def test_a_defect_there_leaves_the_line_alone(
    store: DuckStore, clock: SetClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(replace(load_city("demo"), sources=()), store, clock)
    monkeypatch.setattr(line.quality.keeper, "turn", lambda *_: 1 / 0)
    line.run_once()
    assert line.quality.running is not None
    line.quality.running.exception(timeout=30)
    line.run_once()
    assert "data quality could not be measured" in caplog.text
    assert line.snapshot.quality is None
    line.quality.stop()
    line.feeds.stop()


def test_a_person_of_one_area_sees_the_rows_of_that_area_alone(demo_line: Line) -> None:
    quality = demo_line.quality.measure(demo_line.clock.now())
    picture = replace(demo_line.snapshot, quality=quality)
    area = next(code for code in quality.spans[DAY].areas if code)
    seen = scoped(picture, {area}, lambda alerts: ()).quality
    assert seen is not None
    assert set(seen.spans[DAY].areas) == {area}
    where = {demo_line.city.area_of(site) for site in seen.spans[DAY].failing["site_id"]}
    assert where <= {area, ""}
    assert {demo_line.city.area_of(site) for site in seen.spans[DAY].sites} <= {area, ""}
    assert set(seen.spans[DAY].sources) == set(quality.spans[DAY].sources)
