"""«What moved it»: the parts add up to the change, to the last digit, and say which part it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import indicators
from analysis import decompose
from analysis.decompose import BEFORE, NEITHER, RATIO, SUM, USUAL
from core.catalogue import Catalogue, Indicator
from core.errors import ConfigError, InputError

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def table(**units: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(units, orient="index", columns=["part", "whole"], dtype=float)


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_of_a_ratio_add_up_to_the_change(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def frame() -> pd.DataFrame:
        whole = rng.integers(1, 900, size=6).astype(float)
        units = [f"u{one}" for one in rng.permutation(9)[:6]]  # some are there in one span only
        return pd.DataFrame({"part": np.floor(whole * rng.random(6)), "whole": whole}, index=units)

    found = decompose.of_ratio(frame(), frame())
    assert found.change is not None
    assert sum(one.total for one in found.parts) == pytest.approx(found.change, abs=1e-10)
    assert found.numerator + found.denominator == pytest.approx(found.change, abs=1e-10)


def test_an_office_that_got_worse_is_told_from_one_that_got_more_work() -> None:
    """B was slow before and is as slow now, but has three times the files: nobody got worse, the mix did."""
    found = decompose.of_ratio(table(a=(99, 100), b=(50, 100)), table(a=(99, 100), b=(150, 300)))
    by_unit = {one.unit: one for one in found.parts}
    assert found.change == pytest.approx(62.25 - 74.5)
    assert by_unit["a"].own == by_unit["b"].own == 0
    assert by_unit["b"].mix < 0
    worse = decompose.of_ratio(table(a=(99, 100), b=(90, 100)), table(a=(99, 100), b=(50, 100)))
    assert worse.parts[0].unit == "b"
    assert worse.parts[0].own == pytest.approx(-20)
    assert worse.parts[0].mix == pytest.approx(0)


def test_an_office_that_is_new_has_no_change_of_its_own() -> None:
    found = decompose.of_ratio(table(a=(90, 100)), table(a=(90, 100), b=(10, 100)))
    new = next(one for one in found.parts if one.unit == "b")
    assert new.before is None
    assert new.own == 0
    assert new.mix < 0


def rows(key: str, site_id: str, start: datetime, values: list[float]) -> pd.DataFrame:
    times = pd.date_range(start + timedelta(hours=1), periods=len(values), freq="h")
    return pd.DataFrame({"time": times, "site_id": site_id, "observed_property": key, "value": values})


def test_a_sum_is_split_by_its_units() -> None:
    item = indicators.catalogue()["files_overdue"]
    key = "files_pending_overdue"
    spans = decompose.spans(NOW - DAY, NOW, BEFORE)
    assert spans == ((NOW - 8 * DAY, NOW - 7 * DAY), (NOW - DAY, NOW))
    data = pd.concat(
        [
            rows(key, "a", NOW - 8 * DAY, [10.0] * 24), rows(key, "a", NOW - DAY, [16.0] * 24),
            rows(key, "b", NOW - 8 * DAY, [5.0] * 24), rows(key, "b", NOW - DAY, [3.0] * 12),
        ]
    )  # fmt: skip
    found = decompose.moved(item, data, spans)
    assert found.kind == SUM
    assert [(one.unit, one.own) for one in found.parts] == [("a", 6.0), ("b", -2.0)]
    assert found.change == 4.0
    assert found.parts[1].n_after == 12
    assert found.spans == spans


def test_counts_of_the_usual_weeks_are_those_of_one_span() -> None:
    """On time: 8 of 10 a day in the four weeks before, 9 of 10 now. Counts are those of one day, not of four."""
    item = indicators.catalogue()["on_time_rate"]
    spans = decompose.spans(NOW - DAY, NOW, USUAL)
    assert len(spans) == 5
    assert spans[0] == (NOW - 29 * DAY, NOW - 28 * DAY)
    part, whole = item.parts  # type: ignore[attr-defined]
    days = [(start, 9.0 if end == NOW else 8.0) for start, end in spans]
    data = pd.concat(
        [rows(part, "a", start, [n]) for start, n in days] + [rows(whole, "a", start, [10.0]) for start, _ in days]
    )
    found = decompose.moved(item, data, spans)
    assert found.kind == RATIO
    assert (found.n_before, found.n_after) == (10.0, 10.0)
    assert found.before == pytest.approx(80.0)
    assert found.numerator == pytest.approx(10.0)
    assert found.denominator == pytest.approx(0.0)


def test_what_is_neither_sum_nor_ratio_is_not_split() -> None:
    catalogue = indicators.catalogue()
    spans = decompose.spans(NOW - DAY, NOW, BEFORE)
    for key in ("travel_time_index", "pm25"):
        assert decompose.moved(catalogue[key], pd.DataFrame(), spans).kind == NEITHER
    empty = rows("files_resolved", "a", NOW - DAY, [])
    assert decompose.moved(catalogue["on_time_rate"], empty, spans).change is None
    with pytest.raises(InputError, match="comparison"):
        decompose.spans(NOW - DAY, NOW, "yesterday")


def test_the_catalogue_refuses_parts_that_nobody_knows() -> None:
    found = indicators.catalogue()
    item = found["on_time_rate"]
    assert isinstance(item, Indicator)
    others = [one for key, one in found.items() if key in ("files_resolved", "files_resolved_on_time")]
    with pytest.raises(ConfigError, match="parts"):
        Catalogue([*others, replace(item, parts=("files_resolved", "gone"), companions=())])


@pytest.mark.parametrize("key", ["on_time_rate", "online_share", "satisfaction", "reports_on_time", "overdue_share"])
def test_the_parts_of_an_indicator_give_its_own_figure(key: str) -> None:
    """The record names the numerator first."""
    item = indicators.catalogue()[key]
    assert isinstance(item, Indicator)
    assert item.parts == item.needs
    assert decompose.kind_of(item) == RATIO
