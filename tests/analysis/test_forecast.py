"""Forecasts: nothing of the future is read, a model must beat the naive ones, and the warning keeps its record."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis import forecast, forecast_selftest
from analysis.forecast import BROKEN, GAPS, NO_SKILL, SHORT, SILENT, STILL, Forecast, History, Late
from analysis.forecast_models import DAILY, HOURLY, NAIVE, RIVALS, Floats, known, medians, predictions
from core.calendar import VIETNAM
from core.catalogue import Threshold

START = datetime(2025, 9, 1, tzinfo=UTC)
HOURS = 35 * 24


def rush(hours: int = HOURS, seed: int = 7) -> Floats:
    """A day course with deviations that fade: a model that knows both beats every naive guess."""
    rng = np.random.default_rng(seed)
    values = forecast_selftest.made("rush", rng)
    return values[:hours]


def history(values: Floats, **further: object) -> History:
    times = pd.DatetimeIndex(pd.date_range(START, periods=len(values), freq="h"))
    return History(times=times, values=values, rhythm=HOURLY, zone=VIETNAM, **further)  # type: ignore[arg-type]


def told(series: History, **further: object) -> Forecast:
    return forecast.forecast(series, now=series.times[-1].to_pydatetime() + timedelta(minutes=10), **further)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def good() -> Forecast:
    return told(history(rush()))


def test_the_winner_beats_the_best_naive_model_with_certainty(good: Forecast) -> None:
    best, naive = good.score(good.model), good.score(good.baseline)
    assert best is not None
    assert naive is not None
    assert best.model in RIVALS
    assert naive.model in NAIVE
    assert naive.mae == min(one.mae for one in good.league if one.naive)
    assert best.mae < naive.mae
    assert best.skill_low > 0
    assert best.skill == pytest.approx(1 - best.mae / naive.mae)
    assert len({one.origins for one in good.league}) == 1, "all models are judged at the same moments"
    assert [one.mae for one in good.league] == sorted(one.mae for one in good.league)


def test_steps_begin_after_the_last_value_and_the_interval_holds_the_middle(good: Forecast) -> None:
    assert good.issued_at == START + timedelta(hours=HOURS - 1)
    assert good.times == tuple(good.issued_at + timedelta(hours=one) for one in range(1, 25))
    assert all(low <= middle <= high for low, middle, high in zip(good.low, good.middle, good.high, strict=True))
    assert good.high[-1] - good.low[-1] > good.high[0] - good.low[0], "farther ahead is less certain"


def test_no_origin_sees_what_came_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens after an origin: its prediction stays what it was."""
    values = rush()
    asked: list[int] = []
    whole = History.as_of
    monkeypatch.setattr(History, "as_of", lambda self, place: (asked.append(place), whole(self, place))[1])
    first = forecast.backtest(history(values))
    assert first is not None
    assert asked == first.places.tolist(), "models get their data through as_of alone"
    middle = int(first.places[len(first.places) // 2])
    changed = values.copy()
    changed[middle + 1 :] = 9999.0
    second = forecast.backtest(history(changed))
    assert second is not None
    before = first.places <= middle
    for model in (*NAIVE, *RIVALS):
        np.testing.assert_array_equal(first.predicted[model][before], second.predicted[model][before])
        seen = first.places <= middle - HOURLY.horizon
        np.testing.assert_array_equal(first.low[model][seen], second.low[model][seen])


def test_a_later_correction_does_not_leak_into_an_earlier_origin() -> None:
    """Hour 100 was 50 when it came; ten hours later somebody corrected it to 5."""
    values = np.full(200, 5.0)
    came, corrected = START + timedelta(hours=100), START + timedelta(hours=110)
    series = history(values, late=(Late(place=100, versions=((came, 50.0), (corrected, 5.0))),))
    assert series.as_of(105)[100] == 50.0
    assert series.as_of(110)[100] == 5.0
    assert series.as_of(99).size == 100


def rows(times: pd.DatetimeIndex, values: Floats, received: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"time": times, "value": values, "received_at": received, "source": "gauge"})


def test_history_of_the_store_keeps_late_rows_and_corrections_to_their_time() -> None:
    """A month that was loaded afterwards, then live hours: one came four hours late, one was corrected."""
    times = pd.DatetimeIndex(pd.date_range(START, periods=300, freq="h"))
    late = pd.Series(times + pd.Timedelta(minutes=5))
    late[:200] = times[200]
    late[250] = times[254] + pd.Timedelta(minutes=5)
    late[260] = times[270] + pd.Timedelta(minutes=5)
    values = np.arange(300.0)
    before = pd.DataFrame(
        {
            "time": [times[260]],
            "value": [-7.0],
            "received_at": [times[260] + pd.Timedelta(minutes=5)],
            "source": "gauge",
        }
    )
    made = forecast.history(
        rows(times, values, pd.DatetimeIndex(late)), HOURLY, VIETNAM, until=times[-1].to_pydatetime(), revisions=before
    )
    assert made is not None
    assert made.delay == timedelta(minutes=5)
    assert made.as_of(150)[140] == 140.0, "what was loaded afterwards counts as known in its time"
    assert np.isnan(made.as_of(252)[250])
    assert made.as_of(255)[250] == 250.0
    assert made.as_of(265)[260] == -7.0
    assert made.as_of(272)[260] == 260.0


def test_hours_are_means_and_half_empty_hours_are_missing() -> None:
    times = pd.DatetimeIndex(pd.date_range(START + timedelta(minutes=5), periods=36, freq="5min"))
    data = pd.DataFrame({"time": times, "value": np.arange(36.0)}).drop(index=range(12, 20))
    made = forecast.history(data, HOURLY, VIETNAM, until=times[-1].to_pydatetime())
    assert made is not None
    np.testing.assert_array_equal(made.values, [5.5, np.nan, 29.5])
    assert made.times[0] == pd.Timestamp(START + timedelta(hours=1))


def test_an_unfinished_hour_is_no_hour_yet() -> None:
    times = pd.DatetimeIndex(pd.date_range(START + timedelta(minutes=5), periods=18, freq="5min"))
    data = pd.DataFrame({"time": times, "value": 1.0})
    made = forecast.history(data, HOURLY, VIETNAM, until=times[-1].to_pydatetime())
    assert made is not None
    assert len(made.values) == 1


def test_days_are_days_of_the_city() -> None:
    ends = pd.DatetimeIndex(pd.date_range("2025-09-01T17:00:00Z", periods=5, freq="D"))  # midnight in Vietnam
    made = forecast.history(
        pd.DataFrame({"time": ends, "value": np.arange(5.0)}), DAILY, VIETNAM, until=ends[-1].to_pydatetime()
    )
    assert made is not None
    assert list(made.times) == list(ends)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda one: history(one.values[: 15 * 24]), SHORT),
        (
            lambda one: history(np.where(np.isin(np.arange(HOURS), HOURS - np.arange(5, 13)), np.nan, one.values)),
            GAPS,
        ),
        (lambda one: history(one.values, breaks=(START + timedelta(days=30),)), BROKEN),
        (lambda one: history(np.full(HOURS, 3.0)), STILL),
        (lambda one: history(np.cumsum(np.random.default_rng(5).normal(size=HOURS))), NO_SKILL),
    ],
)
def test_without_ground_there_is_no_forecast_and_the_reason_is_told(spoil, why: str) -> None:  # type: ignore[no-untyped-def]
    found = told(spoil(history(rush())))
    assert (found.model, found.why_not) == ("", why)
    assert found.times == ()


def test_a_series_that_fell_silent_has_no_forecast() -> None:
    series = history(rush())
    found = forecast.forecast(series, now=series.times[-1].to_pydatetime() + timedelta(hours=9))
    assert found.why_not == SILENT
    assert forecast.forecast(None, now=START).why_not == SHORT


def test_values_before_a_step_of_the_data_are_not_used() -> None:
    values = rush(hours=42 * 24)
    jump = 10 * 24
    lifted = values.copy()
    lifted[:jump] += 500
    found = told(history(lifted, breaks=(START + timedelta(hours=jump),)))
    clean = told(history(lifted[jump:]))
    assert found.model
    assert found.middle == pytest.approx(told(History(
        times=history(lifted).times[jump:], values=lifted[jump:], rhythm=HOURLY, zone=VIETNAM)).middle)  # fmt: skip
    assert clean.model
    assert found.steps == len(values) - jump


def test_bounds_of_the_catalogue_hold(good: Forecast) -> None:
    found = told(history(rush()), bounds=(39.5, 42.0))
    assert min(found.low) >= 39.5
    assert max(found.high) <= 42.0


def limit(level: str, value: float, **further: object) -> Threshold:
    return Threshold(level=level, value=value, **further)  # type: ignore[arg-type]


NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STEPS = tuple(NOW + timedelta(hours=one) for one in (1, 2, 3, 4))


def test_the_moment_of_a_crossing_lies_between_two_steps() -> None:
    found = forecast.crosses(
        STEPS, (10.0, 20.0, 30.0, 20.0), (15.0, 30.0, 40.0, 30.0), 5.0, NOW, [limit("warning", 25.0)], "lower", VIETNAM
    )
    assert found is not None
    assert found.at == NOW + timedelta(hours=2, minutes=30)
    assert found.earliest == NOW + timedelta(hours=1, minutes=40)


def test_the_worst_level_that_the_middle_reaches_is_told_else_the_mildest_of_the_interval() -> None:
    limits = [limit("watch", 20.0), limit("warning", 25.0), limit("critical", 45.0)]
    found = forecast.crosses(STEPS, (10, 20, 30, 30), (15, 30, 50, 50), 5.0, NOW, limits, "lower", VIETNAM)
    assert found is not None
    assert found.level == "warning"
    only = forecast.crosses(STEPS, (10, 12, 12, 12), (15, 30, 50, 50), 5.0, NOW, limits, "lower", VIETNAM)
    assert only is not None
    assert (only.level, only.at) == ("watch", None)
    assert forecast.crosses(STEPS, (1, 1, 1, 1), (2, 2, 2, 2), 5.0, NOW, limits, "lower", VIETNAM) is None


def test_a_level_that_is_reached_already_is_no_news() -> None:
    limits = [limit("watch", 20.0), limit("warning", 25.0)]
    assert forecast.crosses(STEPS, (22, 22, 22, 22), (23, 23, 23, 23), 21.0, NOW, limits, "lower", VIETNAM) is None
    worse = forecast.crosses(STEPS, (22, 26, 26, 26), (23, 27, 27, 27), 21.0, NOW, limits, "lower", VIETNAM)
    assert worse is not None
    assert worse.level == "warning"


def test_where_higher_is_better_the_low_end_is_the_bad_one() -> None:
    limits = [limit("warning", 95.0, inclusive=False)]
    found = forecast.crosses(STEPS, (97, 96, 96, 96), (96, 94, 94, 94), 97.0, NOW, limits, "higher", VIETNAM)
    assert found is not None
    assert found.at is None
    assert found.earliest == NOW + timedelta(hours=1, minutes=30)


def test_a_limit_counts_only_while_it_holds() -> None:
    new_year = datetime(2025, 12, 31, 15, 0, tzinfo=UTC)  # 22:00 in Vietnam
    steps = tuple(new_year + timedelta(hours=one) for one in (1, 2, 3, 4))
    limits = [
        limit("warning", 50.0, valid_to=date(2025, 12, 31)),
        limit("warning", 45.0, valid_from=date(2026, 1, 1)),
    ]
    found = forecast.crosses(steps, (47, 47, 47, 47), (48, 48, 48, 48), 40.0, new_year, limits, "lower", VIETNAM)
    assert found is not None
    assert found.limit == 45.0
    assert found.at is not None
    assert found.at > new_year + timedelta(hours=1), "not before midnight of the city"


def test_the_record_counts_hits_false_alarms_and_misses() -> None:
    """Four origins below the limit: warned and came, warned in vain, missed, quiet; a fifth lay beyond it already."""
    actual = np.array([[30.0], [10.0], [30.0], [10.0], [30.0]])
    middle = np.array([[28.0], [26.0], [11.0], [12.0], [30.0]])
    trials = forecast.Trials(
        places=np.arange(5), days=np.array([0, 0, 1, 1, 2]), actual=actual,
        parts=np.zeros((5, 1), dtype=np.int64), spreads=np.ones((5, 1)),
        now=np.array([5.0, 5.0, 5.0, 5.0, 40.0]), predicted={"usual": middle},
        low={"usual": middle - 20}, high={"usual": middle + 20}, judged=np.ones(5, dtype=bool),
    )  # fmt: skip
    found = forecast.warning_record(trials, "usual", limit("warning", 25.0), "lower", "middle")
    assert (found.origins, found.warned, found.hits, found.happened, found.days) == (4, 2, 1, 2, 2)
    assert found.hit_pct == 50.0
    assert found.false_pct == 50.0
    wide = forecast.warning_record(trials, "usual", limit("warning", 25.0), "lower", "interval")
    assert (wide.warned, wide.hits) == (4, 2)
    never = forecast.warning_record(trials, "usual", limit("critical", 999.0), "lower", "middle")
    assert never.hit_pct is None
    assert never.false_pct is None


def test_completeness_counts_only_hours_that_are_usually_there() -> None:
    """An office that reports from 8 to 17 is complete at 17:00 although the night is empty."""
    hour = np.arange(20 * 24) % 24
    values = np.where((hour >= 8) & (hour < 17), 1.0, np.nan)
    series = history(values)
    now = series.times[-1].to_pydatetime()
    assert forecast.completeness(series, now) == 100.0
    values[-12:] = np.nan
    assert forecast.completeness(history(values), now) == pytest.approx(100 * 4 / 9)


def test_medians_by_group_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=500)
    values[rng.random(500) < 0.2] = np.nan
    groups = rng.integers(0, 30, size=500)
    found, n = medians(values, groups, 31)
    for group in range(30):
        own = values[(groups == group) & np.isfinite(values)]
        assert found[group] == pytest.approx(np.median(own))
        assert n[group] == len(own)
    assert np.isnan(found[30])


def test_naive_models_are_what_their_names_say() -> None:
    values = np.arange(3 * 168.0)
    parts = (np.arange(len(values) + 24) % 24).astype(np.int64)
    at = known(values, parts, parts, HOURLY, (24, 24))
    found = predictions(at)
    assert found["last"][5] == values[-1]
    assert found["flat"][0] == np.median(values)
    assert found["day"][0] == values[-24]
    assert found["week"][3] == values[-168 + 3]
    values[-24] = np.nan
    at = known(values, parts, parts, HOURLY, (24, 24))
    assert predictions(at)["day"][0] == values[-48], "a missing hour: that of the day before"


def test_a_miss_is_measured_in_the_spread_that_is_known_now() -> None:
    """Two weeks of history made the usual fit its own values: the spread of then is half of that of now."""
    hours = np.array([[7, 8], [8, 9]], dtype=np.int64)
    trials = forecast.Trials(
        places=np.arange(2), days=np.array([0, 1]), actual=np.full((2, 2), 14.0), parts=hours,
        spreads=np.ones((2, 24)), now=np.zeros(2), predicted={"usual": np.full((2, 2), 10.0)}, low={}, high={},
        judged=np.ones(2, dtype=bool),
    )  # fmt: skip
    now = np.ones(24)
    now[8] = 4.0
    np.testing.assert_array_equal(trials.misses("usual", now), [[4.0, 1.0], [1.0, 4.0]])


def test_nights_are_narrow_and_rush_hours_wide() -> None:
    found = told(history(forecast_selftest.made("wide", np.random.default_rng(11))[: 42 * 24]))
    assert found.model
    width = {moment.hour: high - low for moment, low, high in zip(found.times, found.low, found.high, strict=True)}
    assert width[(START.hour + 17) % 24] > 2.5 * width[(START.hour + 3) % 24]


def test_an_interval_of_a_back_test_uses_the_spreads_of_its_own_day() -> None:
    """What later days taught about the spread of an hour is unknown to an earlier interval."""
    values = rush()
    first = forecast.backtest(history(values))
    louder = values.copy()
    louder[-24:] += np.random.default_rng(2).normal(scale=300.0, size=24)
    second = forecast.backtest(history(louder))
    assert first is not None
    assert second is not None
    before = first.places < HOURS - 24 - HOURLY.horizon
    assert np.isfinite(first.low["damped"][before]).any()
    np.testing.assert_array_equal(first.low["damped"][before], second.low["damped"][before])


def test_a_few_runs_of_the_selftest_keep_its_promises_whoever_works_on_them() -> None:
    """The whole selftest has 200 runs per kind; docs/forecasts.md holds its table."""
    rows_of_one = list(forecast_selftest.rows(2, 3))
    found = {row.kind: row for row in rows_of_one}
    assert found["white"].shown == 0
    assert found["walk"].shown == 0
    assert found["rush"].shown == 2
    assert found["rush"].skill > 0.05
    assert 50 <= found["rush"].covered_pct <= 100
    assert 30 <= found["wide"].rush_pct <= 100
    of_two = forecast_selftest.rows(2, 3, processes=2)
    assert [forecast_selftest.printed(row) for row in of_two] == [forecast_selftest.printed(row) for row in rows_of_one]
