"""Ambulances and schools: nine in ten by the clock, rolls that were called and nobody's silence."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

import indicators
from core import observations
from core.catalogue import Indicator
from tests.indicators.frames import CITY, at, quality, results, said, series, window

STATIONS = {"centre": {"kind": "ambulance", "rural": 0.0}, "hills": {"kind": "ambulance", "rural": 1.0}}


def arrivals(site: str, first: str, minutes: list[float]) -> pd.DataFrame:
    """One ambulance every five minutes."""
    rows = [{"time": at(first) + timedelta(minutes=5 * n), "value": value} for n, value in enumerate(minutes)]
    return observations.frame(rows, site_id=site, observed_property="ambulance_response", source="ems", quality="pass")


def test_nine_in_ten_between_neighbours_and_the_hills_are_not_the_centre() -> None:
    rows = [
        arrivals("centre", "2026-11-20 11:00", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        arrivals("hills", "2026-11-20 11:00", [20] * 11),
    ]
    seen = window(rows, "2026-11-20 11:00", "2026-11-20 12:00", STATIONS)
    computed = results("ambulance_response_p90", seen)
    assert said(computed, "ambulance_response_p90", "centre") == {"20 12:00": 10.0}  # rank 1 + 0.9 · 10
    assert said(computed, "ambulance_response_p90", CITY) == {"20 12:00": 10.0}, "the hills have their own target"
    assert said(computed, "ambulance_response_p90_n", "centre") == {"20 12:00": 11}
    assert "hills" not in set(computed["site_id"])
    far = results("ambulance_response_rural", seen)
    assert said(far, "ambulance_response_rural", "hills") == {"20 12:00": 20.0}
    assert "centre" not in set(far["site_id"])


def test_a_day_is_looked_back_and_an_hour_without_arrival_repeats_nothing() -> None:
    rows = [
        arrivals("centre", "2026-11-19 09:30", [60] * 6),
        arrivals("centre", "2026-11-20 09:05", [5] * 10),
    ]
    seen = window(rows, "2026-11-20 08:00", "2026-11-20 12:00", STATIONS)
    assert said(results("ambulance_response_p90", seen), "ambulance_response_p90_n", "centre") == {"20 10:00": 10}


def test_fewer_than_ten_arrivals_are_shown_and_marked() -> None:
    seen = window([arrivals("centre", "2026-11-20 11:05", [5] * 9)], "2026-11-20 11:00", "2026-11-20 12:00", STATIONS)
    assert quality(results("ambulance_response_p90", seen), "ambulance_response_p90", "centre") == {"not_evaluated"}


def test_the_targets_of_the_draft_are_named_a_draft_and_no_law() -> None:
    for key, target in (("ambulance_response_p90", 8), ("ambulance_response_rural", 15)):
        record = indicators.catalogue()[key]
        assert isinstance(record, Indicator)
        watch = next(one for one in record.thresholds if one.level == "watch")
        assert (watch.value, watch.basis) == (target, "ours")
        assert "chưa ban hành" in watch.reference
        assert record.level(target, at("2026-11-20 12:00").date()) is None
        assert record.level(target + 0.1, at("2026-11-20 12:00").date()) == "watch"


def test_the_city_divides_sums_of_the_schools_that_called_the_roll() -> None:
    rows = [
        series("pupils_enrolled", "big", "2026-11-20 08:30", [1000]),
        series("pupils_absent", "big", "2026-11-20 08:30", [10]),
        series("pupils_enrolled", "small", "2026-11-20 09:30", [100]),
        series("pupils_absent", "small", "2026-11-20 09:30", [12]),
        series("pupils_enrolled", "silent", "2026-11-19 08:30", [700]),
        series("pupils_absent", "silent", "2026-11-19 08:30", [0]),
    ]
    computed = results("pupils_absent_share", window(rows, "2026-11-20 08:00", "2026-11-20 20:00"))
    assert said(computed, "pupils_absent_share", "big")["20 09:00"] == 1.0
    assert said(computed, "pupils_absent_share", CITY) == {"20 09:00": 1.0, "20 10:00": 2.0}
    assert said(computed, "pupils_absent_share_n", CITY)["20 10:00"] == 1100


def test_a_class_of_twenty_is_too_small_to_be_read() -> None:
    rows = [
        series("pupils_enrolled", "tiny", "2026-11-20 08:30", [20]),
        series("pupils_absent", "tiny", "2026-11-20 08:30", [3]),
    ]
    computed = results("pupils_absent_share", window(rows, "2026-11-20 08:00", "2026-11-20 10:00"))
    assert quality(computed, "pupils_absent_share", "tiny") == {"not_evaluated"}
