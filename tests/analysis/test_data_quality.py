"""Đúng, đủ, sạch, sống: small days of which everybody can count the values by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from analysis.data_quality import (
    LATENESS_MAX,
    Supply,
    Tally,
    added,
    bounded,
    due_series,
    heard,
    lateness,
    league,
    scored,
    tally,
    wilson,
)
from core import observations as obs
from core.catalogue import Catalogue, ObservedProperty
from core.quality import CLEAN, COMPLETE, CORRECT, LIVE, SCORES, Score, Scored

DAY = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def prop(key: str, **named: Any) -> ObservedProperty:
    given = {
        "domain": "environment",
        "name_vi": key,
        "name_en": key,
        "unit": "1",
        "period": HOUR,
        "stale_after": 2 * HOUR,
    }
    return ObservedProperty(key=key, **{**given, **named})  # type: ignore[arg-type]


CATALOGUE = Catalogue(
    [
        prop("pm25", low=0.0, high=500.0, decimals=1),
        prop("pm10", low=0.0, high=900.0, decimals=1),
        prop("meter", rising=True),
        prop("rainfall", period=timedelta(minutes=10), stale_after=timedelta(minutes=30)),
        prop("reports_received", domain="reports"),
        *[prop(f"dvc766_{part}") for part in
          ("total", "transparency", "timeliness", "online", "payment", "digitisation", "satisfaction")],
    ]
)  # fmt: skip
KINDS = {"air_01": "air_station", "air_02": "air_station", "air_03": "air_station", "gauge": "rain_gauge"}
SUPPLIES = {"air": Supply(every=HOUR, kind="measurement", owner="Sở A", sites=("air_01", "air_02"))}


def row(
    hour: float, value: float, site: str = "air_01", key: str = "pm25", source: str = "air", **named: Any
) -> dict[str, Any]:
    time = DAY + hour * HOUR
    said = {"time": time, "site_id": site, "observed_property": key, "value": value, "source": source}
    return {**said, "quality": "pass", "received_at": time + timedelta(minutes=5), **named}


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    told = obs.frame(rows)
    received = (
        pd.to_datetime([one["received_at"] for one in rows], utc=True)
        if rows
        else pd.Series([], dtype="datetime64[us, UTC]")
    )
    return told.assign(received_at=received)


NOTHING_ASIDE = frame([]).assign(reason="")
NO_REVISIONS = frame([]).assign(superseded_at=pd.Series([], dtype="datetime64[us, UTC]"))


def count(
    rows: list[dict[str, Any]],
    *,
    aside: pd.DataFrame = NOTHING_ASIDE,
    revisions: pd.DataFrame = NO_REVISIONS,
    supplies: dict[str, Supply] = SUPPLIES,
    kinds: dict[str, str] | None = None,
    hours: float = 24,
    watched: datetime | None = DAY,
    known: list[dict[str, Any]] | None = None,
    last: Any = None,
) -> Tally:
    due = due_series(heard(frame(known or rows)), supplies, KINDS, CATALOGUE)
    return tally(
        frame(rows), aside, revisions, due, CATALOGUE, kinds or {key: one.kind for key, one in supplies.items()},
        since=DAY, until=DAY + hours * HOUR, last=last,
        watched_since=dict.fromkeys(supplies, watched) if watched else {},
    )  # fmt: skip


def score(found: Tally, name: str, source: str = "air") -> Score:
    return scored(found.counts, lambda key, _: key)[source].scores[name]


def both(hours: list[int], **named: Any) -> list[dict[str, Any]]:
    return [row(hour, 20.0, site, **named) for hour in hours for site in ("air_01", "air_02")]


# -- đủ ---------------------------------------------------------------------------------------------------------------


def test_a_whole_day_of_two_stations_is_complete_clean_correct_and_live() -> None:
    found = count(both(list(range(-3, 25))))
    for name in SCORES:
        assert score(found, name).percent == 100.0, name
    assert score(found, COMPLETE).n == 48
    assert found.failing.empty
    assert found.failed == {}


def test_six_lost_hours_of_one_station_of_two_are_an_eighth_and_one_hole() -> None:
    rows = both(list(range(-3, 25)))
    kept = [one for one in rows if not (one["site_id"] == "air_02" and DAY + 5 * HOUR < one["time"] <= DAY + 11 * HOUR)]
    found = count(kept)
    assert score(found, COMPLETE).percent == pytest.approx(87.5)
    hole = found.failing[found.failing["score"] == COMPLETE].iloc[0]
    assert (hole["site_id"], hole["n"], hole["why"]) == ("air_02", 6, "gap")
    assert (hole["since"], hole["until"]) == (pd.Timestamp(DAY + 5 * HOUR), pd.Timestamp(DAY + 12 * HOUR))
    assert score(found, CLEAN).percent == pytest.approx(100 * 42 / 48), "six values are lost in a gap over two hours"


def test_a_value_that_may_still_come_is_not_missing() -> None:
    """Closed one hour after the label: at midnight the hour that ended at 23:00 is judged, the last one is not."""
    assert lateness(CATALOGUE["pm25"]) == HOUR
    found = count(both(list(range(-3, 24))))
    assert score(found, COMPLETE).percent == 100.0


def test_a_series_counts_from_its_first_word_and_more_than_due_is_no_more_than_due() -> None:
    rows = [row(hour, 20.0) for hour in range(12, 25)] + [row(hour + 0.5, 20.0) for hour in range(12, 24)]
    found = count(
        rows, supplies={"air": Supply(every=HOUR, kind="measurement", owner="A")}, known=[row(12, 1), row(13, 1)]
    )
    assert score(found, COMPLETE).percent == 100.0
    assert score(found, COMPLETE).n == pytest.approx(12)


def test_a_configured_station_that_never_spoke_owes_what_its_neighbours_give() -> None:
    found = count([row(hour, 20.0) for hour in range(-3, 25)])
    assert score(found, COMPLETE).percent == pytest.approx(50.0)
    silent = found.failing[(found.failing["score"] == COMPLETE) & (found.failing["site_id"] == "air_02")]
    assert silent["n"].sum() == 24


def test_a_slow_source_owes_its_own_rhythm_and_a_station_that_halved_its_own_is_caught() -> None:
    """Rain of an hourly model is not eleven readings short of twelve; a gauge of ten minutes that fell to twenty is."""
    model = {"model": Supply(every=HOUR, kind="model", owner="B")}
    hourly = [row(hour, 1.0, "gauge", "rainfall", "model") for hour in range(-3, 25)]
    assert score(count(hourly, supplies=model), COMPLETE, "model").percent == 100.0
    gauge = {"gauge": Supply(every=timedelta(minutes=10), kind="measurement", owner="B")}
    halved = [row(half / 3, 1.0, "gauge", "rainfall", "gauge") for half in range(-9, 73)]
    assert score(count(halved, supplies=gauge), COMPLETE, "gauge").percent == pytest.approx(50.0, abs=1.0)


def test_nobody_can_say_how_many_reports_are_due() -> None:
    found = count([row(hour, 1.0, "air_01", "reports_received", "hotline") for hour in (3, 4)],
                  supplies={"hotline": Supply(every=HOUR, kind="report", owner="C")})  # fmt: skip
    assert score(found, COMPLETE, "hotline").percent is None
    assert score(found, CORRECT, "hotline").percent == 100.0


# -- đúng -------------------------------------------------------------------------------------------------------------


def test_a_row_without_a_time_or_from_the_future_is_wrong_on_the_day_on_which_it_came() -> None:
    aside = frame([row(7, 20.0), row(8, 20.0)]).assign(
        reason="time_in_the_future", received_at=pd.Timestamp(DAY + HOUR)
    )
    aside["time"] = [pd.NaT, pd.Timestamp(DAY + 400 * HOUR)]
    found = count([row(hour, 20.0) for hour in range(1, 25)], aside=aside)
    assert score(found, CORRECT) == Score(good=23, n=25)
    later = count([row(hour, 20.0) for hour in range(1, 25)], aside=aside.assign(received_at=pd.Timestamp(DAY - HOUR)))
    assert score(later, CORRECT) == Score(good=23, n=23)


def test_what_was_set_aside_failed_or_lies_outside_the_range_is_not_correct() -> None:
    rows = [*both(list(range(-3, 25))), row(5, 9.0, key="pm10"), row(6, 901.0, key="pm10")]
    rows[10]["quality"] = "fail"
    aside = frame([row(7, -5.0)]).assign(reason="below_plausible_range")
    aside = pd.concat([aside, aside.assign(time=pd.Timestamp(DAY - HOUR))])  # of the day before
    found = count(rows, aside=aside)
    assert score(found, CORRECT).n == len([one for one in rows if -1 < (one["time"] - DAY) / HOUR <= 23]) + 1
    told = found.failing[found.failing["score"] == CORRECT]
    assert sorted(told["why"]) == ["below_plausible_range", "fail", "out_of_range", "part"]
    assert found.failed["air", CORRECT] == len(told)


def test_a_part_is_never_more_than_the_whole_and_the_part_is_blamed() -> None:
    rows = [row(3, 40.0), row(3, 30.0, key="pm10"), row(4, 30.4), row(4, 30.0, key="pm10"), row(5, 20.0)]
    wrong = count(rows).failing.query("score == 'correct'")
    assert list(wrong["why"]) == ["part"], "two instruments may differ by five per cent"
    assert wrong["value"].tolist() == [40.0]


def test_the_groups_of_a_total_add_up_to_it_where_all_are_there() -> None:
    parts = {"transparency": 15.0, "timeliness": 18.0, "online": 10.0, "payment": 8.0, "digitisation": 20.0}

    def unit(hour: float, total: float, **more: float) -> list[dict[str, Any]]:
        told = {**parts, **more, "total": total}
        return [row(hour, value, "air_01", f"dvc766_{name}") for name, value in told.items()]

    rows = [*unit(3, 87.0, satisfaction=16.0), *unit(4, 87.2, satisfaction=16.0), *unit(5, 50.0)]
    wrong = count(rows).failing.query("score == 'correct'")
    assert wrong[["why", "value"]].to_numpy().tolist() == [["sum", 87.2]], "without one group nobody can add up"


def test_a_counter_that_falls_is_wrong_once() -> None:
    rows = [row(hour, value, key="meter") for hour, value in enumerate([10.0, 12.0, 11.0, 13.0], start=2)]
    assert count(rows).failing.query("score == 'correct'")[["why", "value"]].to_numpy().tolist() == [["falling", 11.0]]


# -- sạch -------------------------------------------------------------------------------------------------------------


def test_a_value_corrected_three_times_is_not_clean_and_twice_is() -> None:
    rows = both(list(range(-3, 25)))
    old = frame([row(5, 1.0)] * 3 + [row(6, 1.0)] * 2).assign(superseded_at=pd.Timestamp(DAY))
    found = count(rows, revisions=old)
    assert score(found, CLEAN).percent == pytest.approx(100 * 47 / 48)
    assert found.failing[["why", "n"]].to_numpy().tolist() == [["revised", 3.0]]


@pytest.mark.parametrize(
    ("value", "kind", "clean"), [(20.9, "measurement", 100.0), (22.0, "measurement", 98.0), (40.0, "model", 100.0)]
)
def test_two_sources_of_one_kind_that_disagree_are_both_not_clean_and_a_model_contradicts_nobody(
    value: float, kind: str, clean: float
) -> None:
    supplies = {**SUPPLIES, "other": Supply(every=HOUR, kind=kind, owner="Sở B")}
    found = count([*both(list(range(-3, 25))), row(5, value, source="other")], supplies=supplies)
    assert score(found, CLEAN).percent == pytest.approx(clean, abs=0.1)
    told = set(found.failing.loc[found.failing["why"] == "contradicted", "source"])
    assert told == ({"air", "other"} if clean < 100 else set())


def test_a_gap_within_stale_after_loses_completeness_and_not_cleanness() -> None:
    rows = [one for one in both(list(range(-3, 25))) if one["time"] != DAY + 5 * HOUR]
    found = count(rows)
    assert score(found, COMPLETE).percent == pytest.approx(100 * 46 / 48)
    assert score(found, CLEAN).percent == 100.0


# -- sống -------------------------------------------------------------------------------------------------------------


def test_fresh_is_what_the_house_knew_at_that_moment_and_not_what_came_later() -> None:
    """Six hours came together at noon: they are all there, but from 07:30 on nothing was known that was younger."""
    rows = both(list(range(-3, 25)))
    for one in rows:
        if DAY + 5 * HOUR < one["time"] <= DAY + 11 * HOUR:
            one["received_at"] = DAY + 12 * HOUR
    found = count(rows)
    assert score(found, COMPLETE).percent == 100.0
    stale_h = 12 - (5 + 2.5)  # the value of 05:00 is fresh for 2.5 periods, the next word comes at 12:00
    assert score(found, LIVE).percent == pytest.approx(100 * (24 - stale_h) / 24)
    told = found.failing[found.failing["score"] == LIVE]
    assert told["n"].tolist() == [stale_h * 60.0] * 2


def test_what_nobody_watched_was_not_late() -> None:
    """A month of history that is loaded on the first day says nothing about how fresh it was."""
    rows = both(list(range(-3, 25)))
    assert score(count(rows, watched=None), LIVE).percent is None
    half = count(rows, watched=DAY + 12 * HOUR)
    assert score(half, LIVE).n == 2 * 12 * 60


# -- days together ----------------------------------------------------------------------------------------------------


def test_two_days_together_are_what_they_are_one_by_one_and_a_gap_over_midnight_is_one_gap() -> None:
    rows = [one for one in both(list(range(-3, 49))) if not DAY + 20 * HOUR < one["time"] <= DAY + 30 * HOUR]
    due = due_series(heard(frame(rows)), SUPPLIES, KINDS, CATALOGUE)
    days, last = [], None
    for number in range(2):
        since = DAY + number * 24 * HOUR
        days.append(
            tally(frame(rows), NOTHING_ASIDE, NO_REVISIONS, due, CATALOGUE, {"air": "measurement"}, since=since,
                  until=since + 24 * HOUR, last=last, watched_since={"air": DAY})
        )  # fmt: skip
        last = days[-1].last
    counts, failing, failed = added(days)
    whole = scored(counts, lambda source, _: source)["air"]
    assert whole.scores[COMPLETE].n == 96
    assert whole.scores[COMPLETE].percent == pytest.approx(100 * (96 - 20) / 96)
    assert failing[failing["why"] == "gap"]["n"].sum() == 20
    assert failed["air", COMPLETE] == 4
    assert whole.series_days == pytest.approx(4)


def test_the_failing_rows_are_bounded_and_a_bad_source_hides_no_other() -> None:
    many = count([row(hour, 900.0, site, source="bad") for hour in range(1, 23) for site in ("air_01", "air_02")] * 1)
    some = pd.concat([many.failing.assign(source=f"source_{number % 3}") for number in range(60)], ignore_index=True)
    one = some.head(1).assign(source="quiet", n=0.5)
    kept = bounded(pd.concat([some, one], ignore_index=True))
    assert len(kept) == 2_000 or len(kept) == len(some) + 1
    assert "quiet" in set(kept["source"])
    assert kept["n"].dropna().is_monotonic_decreasing


# -- the league -------------------------------------------------------------------------------------------------------


def supplier(key: str, percent: float, days: float) -> Scored:
    return Scored(key=key, scores={name: Score(good=percent, n=100) for name in SCORES}, series_days=days)


def test_wilson_as_in_the_books() -> None:
    assert wilson(0.9, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert wilson(1.0, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0.5, 0) == (0.0, 1.0)


def test_ranks_part_only_where_the_intervals_do() -> None:
    places = league({one.key: one for one in (supplier("A", 99, 900), supplier("B", 98, 20), supplier("C", 80, 900))})
    assert [(one.scored.key, one.best_rank, one.worst_rank) for one in places] == [
        ("A", 1, 2),
        ("B", 1, 3),
        ("C", 2, 3),
    ]
    certain = league({one.key: one for one in (supplier("A", 99, 9e4), supplier("B", 98, 9e4), supplier("C", 80, 9e4))})
    assert [(one.best_rank, one.worst_rank) for one in certain] == [(1, 1), (2, 2), (3, 3)]


def test_whoever_could_not_be_judged_is_in_no_league() -> None:
    empty = Scored(key="Z", scores={name: Score() for name in SCORES})
    assert league({"Z": empty}) == ()
    assert empty.overall is None


def test_no_source_may_be_so_slow_that_a_day_is_never_closed() -> None:
    assert lateness(CATALOGUE["pm25"], timedelta(days=30)) == LATENESS_MAX
    assert lateness(CATALOGUE["pm25"]) < LATENESS_MAX


def test_a_silent_site_owes_what_most_of_its_kind_give_and_not_what_one_gives() -> None:
    sites = ("air_01", "air_02", "air_03", "air_04")
    rows = [row(hour, 20.0, site) for hour in range(5) for site in sites[:3]]
    rows += [row(hour, 40.0, "air_01", key="pm10") for hour in range(5)]
    supply = Supply(every=HOUR, kind="measurement", owner="", sites=sites)
    due = due_series(heard(frame(rows)), {"air": supply}, dict.fromkeys(sites, "air_station"), CATALOGUE)
    assert {key for source, site, key in due.index if site == "air_04"} == {"pm25"}
