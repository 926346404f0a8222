"""Forecasts beside the line: the first screen first, only what won, one broken series spoils no other, areas apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.forecast import NO_SKILL, Forecast, Score
from control import forecasts as room
from control.forecasts import Forecasts, as_ahead, rhythm_of
from control.studies import Studies
from core.outlook import Ahead
from pipeline import Line
from tests.clockwork import SetClock
from tests.conftest import EVENING

HOUR = timedelta(hours=1)


def score(model: str, mae: float, *, naive: bool) -> Score:
    return Score(
        model=model, naive=naive, mae=mae, pinball=mae / 2, coverage_pct=80.0, origins=100,
        skill=0.5, skill_low=0.2, skill_high=0.7, wins=not naive,
    )  # fmt: skip


WON = Forecast(
    model="lagged", baseline="week", issued_at=EVENING, times=(EVENING + HOUR,), middle=(2.0,), low=(1.0,), high=(3.0,),
    league=(score("lagged", 1.0, naive=False), score("week", 2.0, naive=True)),
)  # fmt: skip
LOST = Forecast(why_not=NO_SKILL, league=WON.league, baseline="week")


@pytest.fixture
def forecasts(demo_line: Line) -> Iterator[Forecasts]:
    clock = SetClock(EVENING)
    studies = Studies(clock)
    made = Forecasts(demo_line.city, demo_line.store, clock, demo_line.catalogue, studies, lambda: demo_line.snapshot)
    made.clock = clock  # type: ignore[attr-defined]
    yield made
    made.stop()
    studies.stop()


def test_a_turn_begins_with_the_first_screen_and_goes_to_every_public_indicator(forecasts: Forecasts) -> None:
    found = forecasts.series()
    keys = list(dict.fromkeys(key for key, _ in found))
    assert keys[:2] == ["travel_time_index", "arterial_speed"]
    assert ("reports_60min", "thanh_lam") in found, "a row of the first screen may be no indicator of its own"
    assert "overdue_share" in keys
    assert "data_completeness" not in keys, "the house does not forecast itself"
    assert len(found) == len(set(found))


def test_only_what_beat_the_naive_ones_is_handed_on(forecasts: Forecasts, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"a": WON, "b": LOST, "d": WON}

    seen: list[tuple[int, int, object]] = []

    def make(key: str, site_id: str, tell: object = None) -> Forecast:
        going = forecasts.going()
        seen.append((going.done, going.of, going.ended_at))
        if key == "c":
            raise ValueError("an odd series")
        return answers[key]

    monkeypatch.setattr(forecasts, "series", lambda: [(key, "x") for key in "abcd"])
    monkeypatch.setattr(forecasts, "make", make)
    assert (forecasts.going().of, forecasts.going().ended_at) == (0, None), "none has begun"
    turned = forecasts.turn()
    assert [one.observed_property for one in forecasts.outlook()] == ["a", "d"], "the order of the first screen stays"
    assert (turned.series, turned.shown) == (4, 2)
    assert seen[0] == (0, 4, None), "while the first turn runs, it tells how far it is"
    assert seen[-1] == (3, 4, None)
    going = forecasts.going()
    assert (going.done, going.of, going.ended_at) == (4, 4, turned.ended_at)
    assert [(one.why, one.n) for one in going.withheld] == [("no_skill", 1), ("failed", 1)]
    (first, _) = forecasts.outlook()
    assert (first.mae, first.naive_mae, first.tests) == (1.0, 2.0, 100)
    answers["a"] = LOST
    forecasts.turn()
    assert [one.observed_property for one in forecasts.outlook()] == ["d"], "a model that lost its skill is taken back"


def test_a_page_gets_the_answer_of_the_turn_until_it_is_old(
    forecasts: Forecasts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(forecasts, "series", lambda: [("a", "x")])
    monkeypatch.setattr(forecasts, "make", lambda key, site_id, tell=None: (asked.append(key), WON)[1])
    forecasts.turn()
    assert forecasts.ask("a", "x").value is WON
    assert asked == ["a"]
    done = threading.Event()
    forecasts.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    assert forecasts.ask("a", "x").busy
    forecasts._studies.ask("rest", lambda _: done.set(), HOUR)
    assert done.wait(30)
    assert forecasts.ask("a", "x").value is WON
    assert asked == ["a", "a"]


def test_the_thread_makes_a_turn_by_itself(forecasts: Forecasts, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = threading.Event()
    monkeypatch.setattr(room, "FIRST_LOOK_S", 0.01)
    monkeypatch.setattr(forecasts, "turn", lambda rest: turned.set())
    forecasts.start()
    assert turned.wait(30)


def test_a_real_series_of_the_demo_city_is_judged(forecasts: Forecasts) -> None:
    """Thirty days of one office: the league table is there, whoever won."""
    found = forecasts.make("overdue_share", "office_01")
    assert len(found.league) == 7
    assert found.origins >= 80
    assert found.complete_pct > 95
    assert (as_ahead("overdue_share", "office_01", found, EVENING) is not None) == bool(found.model)


def test_a_daily_figure_is_looked_at_in_days(forecasts: Forecasts, demo_line: Line) -> None:
    assert rhythm_of(demo_line.catalogue["vn_aqi_daily"]).key == "daily"
    assert rhythm_of(demo_line.catalogue["vn_aqi"]).key == "hourly"
    assert forecasts.make("vn_aqi_daily", "air_01").why_not == "short", "a month is too short for days"


def test_whoever_has_one_area_sees_the_forecasts_of_that_area(demo_line: Line) -> None:
    def ahead(site_id: str) -> Ahead:
        found = as_ahead("rain_1h", site_id, WON, EVENING)
        assert found is not None
        return found

    city = demo_line.city
    own = next(site for site in city.sites.index if city.area_of(site))
    other = next(site for site in city.sites.index if city.area_of(site) not in ("", city.area_of(own)))
    picture = replace(demo_line.snapshot, outlook=(ahead(own), ahead(other), ahead(city.city_site)))
    demo_line_scope = room_of(picture, city.area_of(own))
    assert [one.site_id for one in demo_line_scope] == [own, city.city_site]


def room_of(picture, area: str):  # type: ignore[no-untyped-def]
    from control.scope import scoped

    return scoped(picture, frozenset({area}), lambda _: ()).outlook
