"""The 24-hour line: grey inside and outside its band, colour only for a present alert, silence drawn as silence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from charts.sparkline import band_over, gaps, present_excursion, runs, seconds, sparkline, thinned
from charts.theme import DESK, WALL
from core.alert import PRIORITIES

UNTIL = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)  # 17:42 in the city
SINCE = UNTIL - timedelta(hours=24)
FIVE = timedelta(minutes=5)
COLOURS = {WALL.priority(name).line for name in PRIORITIES}


def times(step: timedelta = FIVE, until: datetime = UNTIL) -> pd.DatetimeIndex:
    return pd.date_range(SINCE, until, freq=step)


def flat_band(low: float, high: float) -> pd.DataFrame:
    hours = pd.date_range(SINCE, UNTIL, freq="1h")
    return pd.DataFrame({"time": hours, "low": low, "high": high})


def line(
    at: pd.DatetimeIndex, values: list[float] | np.ndarray, band: pd.DataFrame | None = None, **more: object
) -> str:
    options: dict[str, object] = {"since": SINCE, "until": UNTIL, "theme": WALL, "period": FIVE, **more}
    return sparkline(at, values, band, **options)  # type: ignore[arg-type]


def strokes(svg: str, colour: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [path.get("d") for path in root.iter() if path.get("stroke") == colour and path.get("d")]


def end_x(path: str) -> float:
    """Where the last relative move of a path ends."""
    x = 0.0
    for start, moves in re.findall(r"M([\d.]+ [\d.]+)l([^M]*)", path):
        x = float(start.split()[0])
        x += sum(float(number) for number in re.findall(r"-?\d*\.?\d+", moves)[::2])
    return x


def test_a_day_as_usual_has_no_priority_colour() -> None:
    drawn = line(times(), np.full(289, 5.0), flat_band(4, 6))
    assert not COLOURS & set(re.findall(r"#[0-9A-F]{6}", drawn))
    assert WALL.band in drawn
    assert WALL.data in drawn


def test_a_value_outside_the_band_without_an_alert_stays_grey() -> None:
    values = np.full(289, 5.0)
    values[-12:] = 9.0
    drawn = line(times(), values, flat_band(4, 6))
    assert not COLOURS & set(re.findall(r"#[0-9A-F]{6}", drawn))


def test_an_alert_colours_only_what_lies_outside_the_band_now() -> None:
    values = np.full(289, 5.0)
    values[40:50] = 8.0  # the night's excursion is over
    values[-12:] = np.linspace(6.5, 9, 12)
    drawn = line(times(), values, flat_band(4, 6), abnormal="high")
    coloured = strokes(drawn, WALL.high.line)
    assert len(coloured) == 1
    start_x = float(re.match(r"M([\d.]+)", coloured[0]).group(1))  # type: ignore[union-attr]
    assert 127 < start_x < 131, "one hour before the end of 140 px"
    assert 'stroke-width="3.4"' in drawn


def test_an_alert_on_a_limit_inside_the_band_marks_only_the_last_point() -> None:
    drawn = line(times(), np.full(289, 5.0), flat_band(4, 6), abnormal="medium")
    assert strokes(drawn, WALL.medium.line) == []
    assert f'fill="{WALL.medium.line}"' in drawn


def test_the_excursion_begins_where_the_line_leaves_the_band() -> None:
    at = times(timedelta(hours=1))
    values = np.full(25, 5.0)
    values[-1] = 7.0  # leaves the band (at 6) half-way between the last two hours
    drawn = line(at, values, flat_band(4, 6), abnormal="high", period=timedelta(hours=1), width=250)
    start_x = float(re.match(r"M([\d.]+)", strokes(drawn, WALL.high.line)[0]).group(1))  # type: ignore[union-attr]
    assert start_x == pytest.approx(245 - 0.5 * 240 / 24, abs=0.11)


def test_a_gap_of_47_minutes_at_the_end_is_a_dashed_box_without_a_line() -> None:
    drawn = line(times(until=UNTIL - timedelta(minutes=47)), np.full(279, 64.0), stale=True)
    root = ElementTree.fromstring(drawn)
    boxes = [path for path in root.iter() if path.get("class") == "gap"]
    assert len(boxes) == 1
    assert boxes[0].get("stroke-dasharray")
    left = float(re.match(r"M([\d.]+)", boxes[0].get("d")).group(1))  # type: ignore[union-attr]
    assert left == pytest.approx(5 + 130 * (1 - 47 / 1440), abs=0.3)
    (path,) = strokes(drawn, WALL.ink3)[1:]
    assert end_x(path) <= left + 0.1, "no line where nothing was measured"
    assert "<circle" in drawn
    assert f'fill="{WALL.data}"' not in drawn, "a stale last point is hollow"


def test_a_hole_in_the_day_breaks_the_line_and_missing_values_are_a_hole_too() -> None:
    values = np.full(289, 61.0)
    values[100:130] = np.nan
    drawn = line(times(), values)
    assert strokes(drawn, WALL.data)[0].count("M") == 2
    assert drawn.count('class="gap"') == 1


def test_one_and_a_half_periods_are_still_a_line() -> None:
    at = np.array([0.0, 300.0, 750.0, 1201.0])
    assert gaps(at, 0.0, 1201.0, 300.0) == [(750.0, 1201.0)]
    assert runs(at, 300.0) == [slice(0, 3), slice(3, 4)]


def test_nothing_measured_is_a_dashed_box_and_never_a_line_at_zero() -> None:
    for values, at in (([], times()[:0]), ([float("nan")] * 289, times())):
        drawn = line(at, values, flat_band(4, 6))
        assert "stroke-dasharray" in drawn
        assert WALL.data not in drawn
        ElementTree.fromstring(drawn)


def test_the_band_keeps_a_readable_height() -> None:
    drawn = line(times(), np.full(289, 5.0), flat_band(4, 6), height=110)
    path = next(path for path in ElementTree.fromstring(drawn).iter() if path.get("fill") == WALL.band)
    top = float(re.match(r"M[\d.]+ ([\d.]+)", path.get("d")).group(1))  # type: ignore[union-attr]
    assert top == pytest.approx(5 + 100 * 0.55 / 2.1, abs=0.1), "0.55 band heights of air above it"


def test_a_long_day_stays_under_two_kilobytes_and_keeps_its_peak() -> None:
    random = np.random.default_rng(7)
    values = 20 + random.normal(0, 1, 289)
    values[150] = 60.0
    drawn = line(times(), values, flat_band(15, 25), width=300, height=60)
    assert len(drawn) < 2048
    path = strokes(drawn, WALL.data)[0]
    start, moves = re.match(r"M[\d.]+ ([\d.]+)l(.*)", path).groups()  # type: ignore[union-attr]
    ups = np.cumsum([float(start), *(float(number) for number in re.findall(r"-?\d*\.?\d+", moves)[1::2])])
    assert ups.min() == pytest.approx(5.0, abs=0.06), "the peak touches the top"


def test_the_end_mark_has_the_shape_of_its_priority() -> None:
    marks = {
        name: ElementTree.fromstring(line(times(), np.full(289, 5.0), abnormal=name))[-1].get("d")
        for name in PRIORITIES
    }
    letters = {"".join(re.findall("[a-zA-Z]", mark)) + str(mark.count("-")) for mark in marks.values()}
    assert len(letters) == 4


def test_words_for_the_screen_reader_are_escaped() -> None:
    drawn = line(times(), np.full(289, 5.0), alt='Mưa <b> & "gió"')
    assert ElementTree.fromstring(drawn).get("aria-label") == 'Mưa <b> & "gió"'


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        seconds(pd.date_range("2026-09-15", periods=3, freq="1h"))


def test_the_weekly_band_is_read_in_city_time() -> None:
    weekly = pd.DataFrame(
        {"low": range(168), "middle": range(168), "high": range(1, 169)}, index=range(168), dtype=float
    )
    band = band_over(weekly, SINCE, UNTIL, ZoneInfo("Asia/Ho_Chi_Minh"))
    assert band is not None
    # Tuesday 10:30 UTC is Tuesday 17:30 in the city: hour 24 + 17 of the week
    row = band.loc[band["time"] == datetime(2026, 9, 15, 10, 30, tzinfo=UTC)]
    assert row["low"].tolist() == [41.0]
    assert band["time"].min() < SINCE
    assert band["time"].max() >= UNTIL - timedelta(minutes=30)
    assert band_over(None, SINCE, UNTIL, ZoneInfo("Asia/Ho_Chi_Minh")) is None
    assert band_over(weekly.iloc[:0], SINCE, UNTIL, ZoneInfo("Asia/Ho_Chi_Minh")) is None


def test_the_present_excursion_ends_at_now() -> None:
    low, high = np.zeros(6), np.ones(6)
    assert present_excursion(np.array([5, 0.5, 2, 0.5, 2, 3.0]), low, high) == 4
    assert present_excursion(np.array([5, 5, 5, 5, 5, 0.5]), low, high) == 6
    assert present_excursion(np.full(6, 5.0), low, high) == 0


@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=0, max_size=300),
    width=st.integers(40, 400),
    abnormal=st.sampled_from([None, *PRIORITIES]),
    stale=st.booleans(),
)
def test_any_series_gives_a_well_formed_picture(
    values: list[float | None], width: int, abnormal: str | None, stale: bool
) -> None:
    at = pd.date_range(SINCE, periods=len(values), freq=FIVE)
    series = [float("nan") if value is None else value for value in values]
    drawn = line(at, series, flat_band(-5, 5), width=width, abnormal=abnormal, stale=stale, theme=DESK)
    root = ElementTree.fromstring(drawn)
    assert root.get("role") == "img"
    assert "nan" not in drawn.lower()
    assert "inf" not in drawn


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=400), st.integers(10, 120))
def test_thinning_keeps_ends_and_extremes_and_never_more_than_asked(values: list[float], most: int) -> None:
    value = np.array(values)
    kept = thinned(np.arange(len(value), dtype=float), value, most)
    assert len(kept) <= max(most, 4)
    assert {0, len(value) - 1} <= set(kept.tolist())
    assert value[kept].max() == value.max()
    assert value[kept].min() == value.min()
    assert (np.diff(kept) > 0).all()
