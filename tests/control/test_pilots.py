"""Figures of pilots are believed for the locked plan alone, and nobody looks at the result before the last day."""

from __future__ import annotations

import shutil
import string
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from control.pilots import Known, Pilots
from core.config import City, load_city
from core.pilot_faults import FAULTS, PilotFault, PlanFault, SealRefused
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
    assert len(made) == 3
    for path in made:
        assert path.read_bytes() == (demo.data_folder / "pilots" / path.name).read_bytes(), path.name


def test_the_kerb_watch_finds_what_the_simulator_planted(city: City) -> None:
    """12 % shorter travel is 12 % less of the index; the roads' own noise leaves half a point."""
    known = next(one for one in Pilots(city).on(FINISHED) if one.pilot.key == "kerb_watch")
    assert known.problem is None
    assert known.result is not None
    assert known.result.verdict == "scale"
    assert known.result.percent is not None
    assert known.result.percent.value == pytest.approx(-12.0, abs=0.5)
    assert known.power is not None
    assert known.power.smallest_pct is not None
    assert known.power.smallest_pct < 3


def test_an_effect_that_is_there_is_not_claimed_while_the_groups_went_apart_before(city: City) -> None:
    """The signals did shorten travel by 6 %, and the interval holds it; but nobody could know it from these figures."""
    result = signals(city).result
    assert result is not None
    assert result.percent is not None
    assert result.percent.low < -6.0 < result.percent.high
    assert result.trend is not None
    assert result.trend.p < 0.05
    assert result.verdict == "cannot_tell"


@pytest.mark.parametrize(("since", "said"), [("2026-08-10", "figures begin at 2026-08-10"), ("2026-07-21", "begin at")])
def test_nobody_trims_the_time_before_until_the_verdict_is_nicer(city: City, since: str, said: str) -> None:
    """With eight weeks before instead of the planned twelve the same pilot would read «scale»."""
    path = city.data_folder / "pilots" / "signal_timing.csv"
    frame = pd.read_csv(path)
    frame[frame["time"] >= since].to_csv(path, index=False)
    known = signals(city)
    assert known.result is None
    assert said in str(known.problem)
    assert "the plan looks back to 2026-07-13" in str(known.problem)


def test_a_plan_is_sealed_once_before_its_start_and_shows_every_later_change(city: City, tmp_path: Path) -> None:
    shutil.copytree(city.folder / "pilots", tmp_path / "config" / "pilots")
    own = replace(city, folder=tmp_path / "config", store_path=tmp_path / "city.duckdb")
    register = Pilots(own)
    sealed = register.seal("mobile_desk", datetime(2026, 12, 6, 16, 59, tzinfo=UTC))
    assert (sealed.lock, sealed.locked_at) == ("locked", datetime(2026, 12, 6, 16, 59, tzinfo=UTC))
    assert {one.pilot.key: one.pilot.lock for one in register.on(FINISHED)}["mobile_desk"] == "locked"
    with pytest.raises(SealRefused, match="đã có khóa từ 06/12/2026"):
        register.seal("mobile_desk", datetime(2026, 12, 6, 17, tzinfo=UTC))
    plan = own.folder / "pilots" / "mobile_desk.toml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("worthwhile_pct = 20", "worthwhile_pct = 10"))
    assert {one.pilot.key: one.pilot.lock for one in Pilots(own).on(FINISHED)}["mobile_desk"] == "changed"


def test_a_seal_on_the_day_of_the_start_or_on_nothing_is_refused(city: City, tmp_path: Path) -> None:
    own = replace(city, store_path=tmp_path / "city.duckdb")
    with pytest.raises(SealRefused, match="đã bắt đầu ngày 07/12/2026"):
        Pilots(own).seal("mobile_desk", datetime(2026, 12, 6, 17, tzinfo=UTC))
    with pytest.raises(SealRefused, match=r"Không có thí điểm ../gone"):
        Pilots(own).seal("../gone", datetime(2026, 11, 20, tzinfo=UTC))
    assert not own.pilot_locks.exists()


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
        assert known.problem is None
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
    assert said in str(known.problem)


def test_the_disk_that_takes_no_lock_is_told_in_both_languages(city: City, tmp_path: Path) -> None:
    """The folder beside the store is a file: nothing is sealed, and the page has a sentence instead of a traceback."""
    own = replace(city, store_path=tmp_path / "city.duckdb")
    own.pilot_locks.write_text("taken", encoding="utf-8")
    with pytest.raises(SealRefused) as refused:
        Pilots(own).seal("mobile_desk", datetime(2026, 11, 20, tzinfo=UTC))
    assert "Không ghi được khóa của thí điểm mobile_desk" in refused.value.words("vi")
    assert refused.value.words("en").startswith("The lock of mobile_desk could not be written")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "worthwhile_pct = 20",
            "worthwhile_pct = 200",
            "mục worthwhile_pct: là tỷ lệ %, nhiều nhất 100, không phải 200",
        ),
        ("worthwhile_pct = 20", 'worthwhile_pct = "20"', "mục worthwhile_pct: phải là số, không phải '20'"),
        ("worthwhile_pct = 20\n", "", "thiếu mục worthwhile_pct; hãy thêm vào"),
        ("worthwhile_pct = 20", "worthwhile_pct = ", "không phải TOML hợp lệ"),
        ("worthwhile_pct = 20", "worthwhile_pct = 20\nworth = 1", "không có mục worth;"),
        ("starts = 2026-12-07", "starts = 2026-12-07T08:00:00", "mục starts: chỉ ghi ngày như 2026-10-05"),
        ("starts = 2026-12-07", "starts = 2029-12-07", "mục ends: ngày cuối"),
        ("starts = 2026-12-07", "starts = 2020-12-07", "mục looks_back_to: "),
        ('better = "', 'better = "more ', "mục better: phải là một trong up, down"),
        ("treated = [", 'treated = ["nowhere", ', "mục treated: không có nơi 'nowhere' trong sites.toml"),
        ("cost_million_vnd = ", "cost_million_vnd = -", "mục cost_million_vnd: phải từ 0 trở lên"),
    ],
)
def test_a_plan_that_was_spoilt_before_its_seal_says_where_in_vietnamese(
    city: City, tmp_path: Path, old: str, new: str, said: str
) -> None:
    shutil.copytree(city.folder / "pilots", tmp_path / "config" / "demo" / "pilots")
    own = replace(city, folder=tmp_path / "config" / "demo", store_path=tmp_path / "city.duckdb")
    register = Pilots(own)
    plan = own.folder / "pilots" / "mobile_desk.toml"
    text = plan.read_text(encoding="utf-8")
    assert old in text
    plan.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PlanFault) as refused:
        register.seal("mobile_desk", datetime(2026, 11, 20, tzinfo=UTC))
    vietnamese = refused.value.words("vi")
    assert vietnamese.startswith("config/demo/pilots/mobile_desk.toml")
    assert said in vietnamese
    assert refused.value.words("en") == str(refused.value) != vietnamese
    assert not own.pilot_locks.exists()


def test_every_fault_has_both_sentences_with_the_same_place() -> None:
    """What the Vietnamese reader is told to look at is what the English one is: same file, row and column."""
    names = [
        [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in sentences]
        for sentences in FAULTS.values()
    ]
    for code, (vietnamese, english) in zip(FAULTS, names, strict=True):
        assert {"name", "where", "key"} & vietnamese, code
        if "english" not in english:
            assert {"row", "column", "where"} & vietnamese == {"row", "column", "where"} & english, code


def test_a_file_that_is_no_table_is_told_with_its_line(city: City) -> None:
    path = city.data_folder / "pilots" / "signal_timing.csv"
    good = path.read_text(encoding="utf-8")
    for body, said in (
        (b"", "tệp trống"),
        (good.replace("\n", ",9\n", 3).replace(",9\n", "\n", 2).encode(), "dòng 3 có 6 ô thay vì 5"),
        (good.replace("unit", "nơi", 1).encode("utf-16"), "chữ không phải mã UTF-8"),
        (good.encode() + b'road_01,"2026', "dấu ngoặc kép hoặc dấu phẩy đặt sai"),
    ):
        path.write_bytes(body)
        problem = signals(city).problem
        assert isinstance(problem, PilotFault)
        assert f"signal_timing.csv: không phải bảng CSV ({said})" in problem.words("vi")


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
    assert "signal_timing.csv" in str(gone.problem)
