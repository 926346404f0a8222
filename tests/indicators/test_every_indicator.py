"""What every indicator promises: a complete record, and results that hang on what was known at their time alone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import indicators
from core import observations
from core.catalogue import Indicator
from core.errors import ConfigError
from core.window import Window
from tests.indicators.frames import CITY, at, city_sites, window

KEYS = sorted(indicators.discover())
BASIS = {"law", "standard", "ours"}
SITES = {
    "ring": {"kind": "road_segment", "length_km": 2.0, "free_flow_kmh": 60.0, "arterial": True},
    "market": {"kind": "road_segment", "length_km": 1.0, "free_flow_kmh": 40.0, "arterial": False},
    "air": {"kind": "air_station"},
    "gauge": {"kind": "rain_gauge"},
    "river": {"kind": "river_station", "alarm_1_m": 4.3, "alarm_2_m": 5.3, "alarm_3_m": 6.3},
    "noise": {"kind": "noise_station", "noise_limit_day_dba": 70.0, "noise_limit_night_dba": 55.0},
    "weather": {"kind": "weather_station"},
    "north": {"kind": "office"},
    "south": {"kind": "office"},
    "ems": {"kind": "ambulance", "rural": 0.0},
    "ems_far": {"kind": "ambulance", "rural": 1.0},
    "school": {"kind": "school"},
    "ward": {"kind": "area"},
    "other": {"kind": "area"},
}
OFFICES = ("north", "south")
REPORTED = {  # property: sites, spacing [min], lowest, highest
    "speed": (("ring", "market"), 30, 0, 70),
    "traffic_flow": (("ring", "market"), 30, 0, 900),
    **dict.fromkeys(("pm25", "pm10", "no2", "so2", "co", "o3"), (("air",), 60, 0, 300)),
    "rainfall": (("gauge",), 30, 0, 12),
    "river_level": (("river",), 60, 3, 7),
    "flood_depth": (("gauge",), 60, 0, 40),
    "noise_level": (("noise",), 20, 45, 85),
    "temperature": (("weather",), 60, 15, 39),
    "relative_humidity": (("weather",), 60, 5, 100),
    **dict.fromkeys(("files_received", "files_resolved", "files_pending", "ratings_valid"), (OFFICES, 120, 40, 60)),
    **dict.fromkeys(("files_received_online", "files_resolved_on_time"), (OFFICES, 120, 0, 40)),
    **dict.fromkeys(("files_pending_overdue", "ratings_satisfied"), (OFFICES, 120, 0, 40)),
    **dict.fromkeys(("reports_received", "reports_due", "report_first_response"), (("ward", "other", CITY), 95, 0, 6)),
    "reports_due_met": (("ward", "other"), 95, 0, 3),
    "ambulance_response": (("ems", "ems_far"), 55, 3, 25),
    **dict.fromkeys(("pupils_enrolled", "pupils_absent"), (("school",), 480, 20, 40)),
    "source_up": (("feed", "file"), 30, 0, 1),
    "source_age": (("feed", "file"), 30, 0, 90),
}
BEGIN, END = "2026-11-08 00:00", "2026-11-20 00:00"


@lru_cache(maxsize=1)
def a_fortnight() -> pd.DataFrame:
    """Twelve days of everything, with holes, from a fixed seed."""
    random = np.random.default_rng(766)
    times = {}
    pieces = []
    for key, (sites, every_min, low, high) in REPORTED.items():
        if every_min not in times:
            times[every_min] = pd.date_range(at(BEGIN) + timedelta(minutes=every_min), at(END), freq=f"{every_min}min")
        for site in sites:
            heard = times[every_min][random.random(len(times[every_min])) < 0.85]
            value = random.integers(low, high, len(heard), endpoint=True).astype(float)
            quality = np.where(random.random(len(heard)) < 0.95, "pass", "suspect")
            pieces.append(
                pd.DataFrame(
                    {"time": heard, "value": value, "quality": quality, "site_id": site, "observed_property": key}
                )
            )
    return observations.frame(pd.concat(pieces, ignore_index=True), source="logger")


def fortnight_for(record: Indicator) -> Window:
    rows = a_fortnight()
    needed = rows[rows["observed_property"].isin(record.needs)].reset_index(drop=True)
    return window(needed, BEGIN, END, SITES, source_period_min={"feed": 30.0, "file": 60.0})


@lru_cache(maxsize=64)
def whole(key: str) -> pd.DataFrame:
    module = indicators.discover()[key]
    return in_order(module.compute(fortnight_for(module.INDICATOR)))


def in_order(computed: pd.DataFrame) -> pd.DataFrame:
    return computed.sort_values(observations.IDENTITY).reset_index(drop=True)


def test_the_folder_holds_the_indicators() -> None:
    files = {path.stem for path in (Path(indicators.__file__).parent).glob("[!_]*.py")}
    assert len(files) >= 20
    assert files == set(KEYS)


def test_each_can_be_computed_after_what_it_needs() -> None:
    order = [module.INDICATOR.key for module in indicators.ordered()]
    assert sorted(order) == KEYS
    for module in indicators.ordered():
        for need in module.INDICATOR.needs:
            assert need not in KEYS or order.index(need) < order.index(module.INDICATOR.key)


def test_a_circle_of_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = indicators.discover()

    class First:
        INDICATOR = replace(known["vn_aqi"].INDICATOR, key="first", needs=("second_n",), companions=())

    class Second:
        INDICATOR = replace(
            known["on_time_rate"].INDICATOR,
            key="second",
            needs=("first",),
            companions=(replace(known["on_time_rate"].INDICATOR.companions[0], key="second_n"),),
        )

    monkeypatch.setattr(indicators, "discover", lambda: {"first": First, "second": Second})
    with pytest.raises(ConfigError, match=r"in a circle: (first|second) -> "):
        indicators.ordered()


@pytest.mark.parametrize("key", KEYS)
def test_the_record_is_complete(key: str) -> None:
    record = indicators.catalogue()[key]
    assert isinstance(record, Indicator)
    for text in (
        record.code,
        record.name_vi,
        record.name_en,
        record.formula,
        record.reference,
        record.owner,
        record.unit,
    ):
        assert text
    assert record.needs
    assert record.stale_after > record.period or record.period == timedelta(hours=1)
    assert record.low < record.high < math.inf
    assert indicators.discover()[key].__doc__
    for limit in record.thresholds:
        assert limit.basis in BASIS
        assert limit.reference or limit.basis == "ours", f"{key}: a limit of {limit.basis} needs its reference"
    on_this_day = [t for t in record.thresholds if t.holds_on(date(2026, 11, 20))]
    assert len({t.level for t in on_this_day}) == len(on_this_day)


@pytest.mark.parametrize(
    ("key", "value", "level"),
    [
        ("vn_aqi", 100, None), ("vn_aqi", 101, "watch"), ("vn_aqi", 151, "warning"), ("vn_aqi", 201, "critical"),
        ("travel_time_index", 1.29, None), ("travel_time_index", 1.5, "warning"), ("travel_time_index", 2, "critical"),
        ("relative_speed", 50, "watch"), ("relative_speed", 30, "critical"), ("relative_speed", 51, None),
        ("rain_1h", 30, "watch"), ("rain_1h", 80, "critical"), ("rain_24h", 50, None), ("rain_24h", 200.1, "critical"),
        ("river_stage", -0.01, None), ("river_stage", 0, "watch"), ("heat_index", 41, "warning"),
        ("pm10_24h", 100, "watch"), ("pm10_24h", 100.1, "warning"),
        ("on_time_rate", 98, None), ("on_time_rate", 97.9, "watch"), ("on_time_rate", 89, "critical"),
        ("satisfaction", 90, None), ("satisfaction", 84.9, "warning"), ("files_overdue", 1, "watch"),
        ("overdue_share", 0.5, None), ("overdue_share", 0.6, "warning"), ("overdue_share", 2.1, "critical"),
        ("online_share", 79, "watch"), ("reports_vs_baseline", 3, "warning"), ("reports_on_time", 79, "critical"),
        ("first_response", 8, None), ("first_response", 8.1, "watch"), ("data_freshness", 94, "warning"),
        ("data_completeness", 74, "critical"), ("noise_laeq", 120, None), ("congested_length", 100, None),
    ],
)  # fmt: skip
def test_limits_and_on_which_side_equality_lies(key: str, value: float, level: str | None) -> None:
    record = indicators.catalogue()[key]
    assert isinstance(record, Indicator)
    assert record.level(value, date(2026, 11, 20)) == level


def test_the_limit_of_pm25_fell_at_new_year() -> None:
    record = indicators.catalogue()["pm25_24h"]
    assert isinstance(record, Indicator)
    assert record.level(50, date(2025, 12, 31)) == "watch"
    assert record.level(50.1, date(2025, 12, 31)) == "warning"
    assert record.level(45, date(2026, 1, 1)) == "watch"  # «không vượt quá»: equality complies
    assert record.level(45.1, date(2026, 1, 1)) == "warning"


@pytest.mark.parametrize("key", KEYS)
def test_nothing_observed_gives_nothing(key: str) -> None:
    computed = indicators.discover()[key].compute(window(observations.empty(), BEGIN, END, SITES))
    assert computed.dtypes.to_dict() == observations.empty().dtypes.to_dict()
    assert computed.empty


@pytest.mark.parametrize("key", KEYS)
def test_a_window_between_two_marks_gives_nothing(key: str) -> None:
    module = indicators.discover()[key]
    seen = fortnight_for(module.INDICATOR)
    narrow = replace(seen, since=at("2026-11-15 07:01"), until=at("2026-11-15 07:04"))
    assert module.compute(narrow).empty


@pytest.mark.parametrize("key", KEYS)
def test_results_are_rows_of_the_one_frame_that_the_catalogue_knows(key: str) -> None:
    record = indicators.discover()[key].INDICATOR
    computed = whole(key)
    assert len(computed) > 0
    assert computed.dtypes.to_dict() == observations.empty().dtypes.to_dict()
    assert set(computed["observed_property"]) == {key, *(part.key for part in record.companions)}
    assert set(computed["source"]) == {"indicators"}
    assert not computed.duplicated(observations.IDENTITY).any()
    known = {*city_sites(SITES).index}
    good, bad = observations.validate(computed, indicators.catalogue(), known, at(END))
    assert bad.empty, bad
    assert len(good) == len(computed)
    assert computed["time"].min() > pd.Timestamp(at(BEGIN))
    assert computed["time"].max() <= pd.Timestamp(at(END))


@pytest.mark.parametrize("key", KEYS)
def test_only_usable_values_count(key: str) -> None:
    module = indicators.discover()[key]
    seen = fortnight_for(module.INDICATOR)
    rows = seen.observations
    if key != "data_completeness":  # it counts what is not usable as not arrived
        dropped = replace(seen, observations=rows[rows["quality"] == "pass"].reset_index(drop=True))
        pd.testing.assert_frame_equal(in_order(module.compute(dropped)), whole(key))
    useless = replace(seen, observations=rows.assign(quality="fail"))
    assert (module.compute(useless)["value"] == 0).all()


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("key", KEYS)
def test_the_order_of_the_rows_changes_nothing(key: str, seed: int) -> None:
    module = indicators.discover()[key]
    seen = fortnight_for(module.INDICATOR)
    shuffled = seen.observations.sample(frac=1.0, random_state=seed).reset_index(drop=True)
    pd.testing.assert_frame_equal(
        in_order(module.compute(replace(seen, observations=shuffled))), whole(key), check_exact=True
    )


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(minutes=st.one_of(st.integers(60, 12 * 60), st.integers(60, 12 * 24 * 60)))
@pytest.mark.parametrize("key", KEYS)
def test_no_result_looks_into_the_future(key: str, minutes: int) -> None:
    module = indicators.discover()[key]
    seen = fortnight_for(module.INDICATOR)
    now = at(BEGIN) + timedelta(minutes=minutes)
    known = seen.observations[seen.observations["time"] <= pd.Timestamp(now)].reset_index(drop=True)
    for rows in (known, seen.observations):  # the future is unknown, or known and must be ignored
        then = in_order(module.compute(replace(seen, observations=rows, until=now)))
        expected = whole(key)[whole(key)["time"] <= pd.Timestamp(now)].reset_index(drop=True)
        pd.testing.assert_frame_equal(then, expected, check_exact=True)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, 12 * 24 * 60 - 1), min_size=1, max_size=5, unique=True))
@pytest.mark.parametrize("key", KEYS)
def test_piece_by_piece_gives_the_same_as_all_at_once(key: str, cuts: list[int]) -> None:
    module = indicators.discover()[key]
    seen = fortnight_for(module.INDICATOR)
    edges = [at(BEGIN), *(at(BEGIN) + timedelta(minutes=cut) for cut in sorted(cuts)), at(END)]
    pieces = []
    for since, until in pairwise(edges):
        time = seen.observations["time"]
        reach = (time > pd.Timestamp(since - module.INDICATOR.window)) & (time <= pd.Timestamp(until))
        rows = seen.observations[reach].reset_index(drop=True)
        pieces.append(module.compute(replace(seen, observations=rows, since=since, until=until)))
    together = in_order(pd.concat(pieces, ignore_index=True))
    pd.testing.assert_frame_equal(together, whole(key), check_exact=True)
