"""Targets against their plan, and indicators after decisions: intervals, words, and what may not be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from analysis import progress
from core.plans import Decision, OwnNumber, Target

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 7, 2, 1, 0, tzinfo=UTC)
TARGET = Target(
    key="t", words={}, indicator="x", site="s", over_days=0, decimals=0, better="up", baseline=0.0,
    baseline_day=date(2026, 1, 1), value=365.0, due=date(2027, 1, 1),
    curve=((date(2026, 1, 1), 0.0), (date(2027, 1, 1), 365.0)),
    legal_ref="", legal_status="own", areas=(), measured=(), lapsed=False,
)  # fmt: skip
TODAY = date(2026, 7, 2)  # the plan has 182


def rows(daily: list[float], until: datetime = NOW, site: str = "s", per_day: int = 4) -> pd.DataFrame:
    """That value on each of the last days, several times a day."""
    found = [
        (until - timedelta(days=len(daily) - 1 - day, hours=6 * part), site, value)
        for day, value in enumerate(daily)
        for part in range(per_day)
    ]
    frame = pd.DataFrame(found, columns=["time", "site_id", "value"])
    return frame.assign(time=pd.DatetimeIndex(frame["time"]).as_unit("us"), source="src")


def value_of(value: float, low: float | None = None, high: float | None = None) -> progress.Measured:
    return progress.Measured(
        value=value, low=low, high=high, n=30, counts="days", as_of=NOW, day=TODAY, method="mean_of_days"
    )


def width(measured: progress.Measured) -> float:
    """Of the interval."""
    assert measured.low is not None
    assert measured.high is not None
    return measured.high - measured.low


def test_a_day_with_many_readings_counts_no_more_than_another() -> None:
    some = rows([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    crowd = pd.concat([some, pd.concat([some.tail(1)] * 200)])
    found = progress.mean_of_days(crowd, ZONE, NOW, 6)
    assert found is not None
    assert found.value == pytest.approx(35.0)
    assert found.n == 6


def test_sites_count_once_a_day_each() -> None:
    both = pd.concat([rows([10.0] * 6), rows([30.0] * 6, site="other", per_day=1)])
    found = progress.mean_of_days(both, ZONE, NOW, 6)
    assert found is not None
    assert found.value == pytest.approx(20.0)


def test_days_that_resemble_each_other_make_the_interval_wider() -> None:
    rng = np.random.default_rng(1)
    free = rng.normal(50, 5, 28)
    walk = np.sort(free)  # the same values in an order that creeps upwards
    own, slow = (progress.mean_of_days(rows(list(one)), ZONE, NOW, 28) for one in (free, walk))
    assert own is not None
    assert slow is not None
    assert own.value == pytest.approx(slow.value)
    assert width(slow) > 2 * width(own)


def test_the_interval_of_independent_days_covers_the_truth_as_it_says() -> None:
    rng = np.random.default_rng(7)
    kept = 0
    for _ in range(400):
        low, high = progress._interval(values := rng.normal(0, 1, 28), float(values.mean()))
        kept += low is not None and high is not None and low <= 0 <= high
    assert 0.92 <= kept / 400 <= 0.99


def test_too_few_days_are_no_mean_and_very_few_have_no_interval() -> None:
    assert progress.mean_of_days(rows([1.0] * 16), ZONE, NOW, 28) is None
    short = progress.mean_of_days(rows([1.0, 2.0, 3.0]), ZONE, NOW, 3)
    assert short is not None
    assert (short.low, short.high) == (None, None)


def test_a_share_with_its_n_gets_wilsons_interval() -> None:
    """18 of 20 is 90 %, and says «at least 69.9 %» (domain reference 3.4)."""
    share = rows([90.0], per_day=1)
    beside = share.assign(observed_property="on_time_n", value=20.0)
    found = progress.newest_of(share, ZONE, beside)
    assert found is not None
    assert found.method == "wilson"
    assert found.low == pytest.approx(69.9, abs=0.05)


def test_bounds_that_the_indicator_writes_itself_come_first() -> None:
    share = rows([92.0], per_day=1)
    beside = pd.concat(
        share.assign(observed_property=f"satisfaction_{name}", value=value)
        for name, value in (("low", 90.0), ("high", 93.5), ("n", 800.0))
    )
    found = progress.newest_of(share, ZONE, beside)
    assert found is not None
    assert (found.method, found.low, found.high, found.n) == ("own_bounds", 90.0, 93.5, 800.0)


def test_behind_is_said_in_points_and_days_only_when_the_plan_lies_outside() -> None:
    behind = progress.judge(TARGET, value_of(150.0, 140.0, 160.0), TODAY)
    assert (behind.verdict, behind.planned, behind.points, behind.days) == ("behind", 182.0, -32.0, -32)
    unsure = progress.judge(TARGET, value_of(150.0, 100.0, 200.0), TODAY)
    assert unsure.verdict == "on_plan"
    ahead = progress.judge(TARGET, value_of(200.0, 190.0, 210.0), TODAY)
    assert (ahead.verdict, ahead.days) == ("ahead", 18)


def test_worse_than_the_baseline_is_at_least_so_many_days() -> None:
    found = progress.judge(TARGET, value_of(-5.0), TODAY)
    assert (found.verdict, found.days, found.beyond) == ("behind", -182, True)


def test_a_falling_target_is_ahead_below_its_curve() -> None:
    falling = replace(
        TARGET, better="down", baseline=365.0, value=0.0, curve=((TARGET.curve[0][0], 365.0), (TARGET.due, 0.0))
    )
    assert progress.judge(falling, value_of(100.0), TODAY).verdict == "ahead"
    assert progress.judge(falling, value_of(300.0), TODAY).verdict == "behind"


def test_after_the_due_day_it_is_reached_or_missed() -> None:
    late = date(2027, 2, 1)
    assert progress.judge(TARGET, value_of(365.0), late).verdict == "reached"
    assert progress.judge(TARGET, value_of(364.0), late).verdict == "missed"


def test_what_cannot_be_judged_says_why() -> None:
    assert progress.judge(replace(TARGET, lapsed=True), value_of(1.0), TODAY).why == "lapsed"
    assert progress.judge(TARGET, None, TODAY, "few_days").why == "few_days"
    bare = replace(TARGET, curve=(), baseline=None, baseline_day=None)
    assert progress.judge(bare, value_of(100.0), TODAY).why == "no_curve"
    assert progress.judge(bare, value_of(400.0), TODAY).verdict == "reached"


def test_of_two_numbers_for_one_day_the_later_entry_holds_and_none_from_tomorrow() -> None:
    def number(day: date, value: float) -> OwnNumber:
        return OwnNumber(target="t", day=day, value=value, n=None, source="BC", entered_at=NOW, entered_by="A")

    found = progress.entered([number(TODAY, 1.0), number(TODAY, 2.0), number(TODAY + timedelta(days=1), 9.0)], TODAY)
    assert found is not None
    assert (found.value, found.source) == (2.0, "BC")


DECIDED = Decision(
    id="QD-0001", made_at=NOW, made_by="A", page="traffic", link="/traffic", snapshot=1, seen_at=NOW, seen="", text="x",
    indicator="x", site_id="s", value=100.0, usual_low=90.0, usual_middle=100.0, usual_high=110.0,
)  # fmt: skip


def test_thirty_days_later_is_the_week_up_to_that_day_and_nothing_after_it() -> None:
    until = NOW + timedelta(days=45)
    daily = [100.0] * 24 + [120.0] * 7 + [500.0] * 15
    after = progress.followed(DECIDED, rows(daily, until), ZONE, until, 100.0)
    assert [one.come for one in after] == [True, False, False]
    assert after[0].value == pytest.approx(120.0)
    assert after[0].change == pytest.approx(20.0)
    assert after[0].unusual is True
    assert after[1].value is None


def test_a_week_with_holes_is_not_compared() -> None:
    until = NOW + timedelta(days=30)
    after = progress.followed(DECIDED, rows([120.0] * 3, until), ZONE, until, 100.0)
    assert (after[0].come, after[0].value, after[0].unusual) == (True, None, None)


def test_within_the_usual_and_without_knowing_the_usual() -> None:
    until = NOW + timedelta(days=30)
    near = progress.followed(DECIDED, rows([105.0] * 7, until), ZONE, until, 100.0)
    assert near[0].unusual is False
    unknown = replace(DECIDED, usual_low=None, usual_high=None)
    assert progress.followed(unknown, rows([105.0] * 7, until), ZONE, until, 100.0)[0].unusual is None
