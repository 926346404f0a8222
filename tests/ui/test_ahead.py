"""The early warning on the first screens: words of a forecast, at its row, only while it can be believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from charts.theme import DESK, WALL, text_width_px
from control.forecasts import EVERY
from control.scope import scoped
from core.outlook import Ahead, Crossing
from core.snapshot import Snapshot
from tests.conftest import EVENING
from ui import ahead, overview
from ui.ahead import TEXT_U, marks
from ui.views import Row, View

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CITY = "thanh_lam"


def expected(
    key: str = "arterial_speed", site_id: str = CITY, *, limit: float = 18.0, at: datetime | None = None,
    made_at: datetime = EVENING, earliest: datetime = EVENING + HOUR, middle: bool = True,
) -> Ahead:  # fmt: skip
    moment = at or EVENING + 2.5 * HOUR
    return Ahead(
        observed_property=key, site_id=site_id, model="lagged", issued_at=made_at, made_at=made_at, times=(moment,),
        middle=(limit,), low=(limit,), high=(limit,), mae=1.0, naive_mae=2.0, coverage_pct=80.0, tests=90,
        crossing=Crossing(level="warning", limit=limit, at=moment if middle else None, earliest=earliest),
    )  # fmt: skip


def seen(snapshot: Snapshot, *outlook: Ahead, language: str = "vi", look: object = DESK) -> View:
    return View(replace(snapshot, outlook=outlook), language, look)  # type: ignore[arg-type]


def rows(view: View, **room: object) -> dict[str, Row]:
    groups = overview._groups(view, **room)  # type: ignore[arg-type]
    return {row.key: row for _, group in groups for row in group}


def test_it_stands_at_the_row_of_its_figure_and_the_present_stays(calm_hour: Snapshot) -> None:
    plain, told = rows(seen(calm_hour)), rows(seen(calm_hour, expected()))
    row = told["arterial_speed"]
    assert row.ahead == "Dự báo: có thể xuống dưới 18 km/h ~20:30 (sớm nhất 19:00)"
    assert replace(row, ahead="") == plain["arterial_speed"], "value, deviation and line are those without it"
    assert [key for key, one in told.items() if one.ahead] == ["arterial_speed"]
    english = rows(seen(calm_hour, expected(), language="en"))["arterial_speed"]
    assert english.ahead == "Forecast: may fall below 18 km/h ~20:30 (earliest 19:00)"


def test_it_is_no_alert(calm_hour: Snapshot) -> None:
    """No glyph, no priority, no card, no change of the sentence."""
    view = seen(calm_hour, expected())
    row = rows(view)["arterial_speed"]
    assert (row.mark, row.priority) == ("", "")
    assert view.sentence() == seen(calm_hour).sentence()
    assert overview.desk(view)["todo"] == overview.desk(seen(calm_hour))["todo"]


@pytest.mark.parametrize(
    "gone",
    [
        expected(made_at=EVENING - EVERY * 1.6),  # the next turn should have come round long ago
        expected(at=EVENING - MINUTE),  # the moment has passed
        expected(middle=False),  # only the interval reaches it: the page of trends says that
        expected(limit=500.0),  # the limit is reached already: the value itself says it
        expected(key="arterial_speed", site_id="road_99"),  # no such value
        replace(expected(), crossing=None),
    ],
    ids=["old", "passed", "interval", "reached", "unknown", "nothing"],
)
def test_what_cannot_be_believed_any_more_is_not_said(gone: Ahead, calm_hour: Snapshot) -> None:
    assert marks(seen(calm_hour, gone)) == []


def test_a_forecast_between_two_turns_still_counts(calm_hour: Snapshot) -> None:
    assert len(marks(seen(calm_hour, expected(made_at=EVENING - EVERY * 1.4)))) == 1


def test_a_silent_source_takes_its_forecast_along(calm_hour: Snapshot) -> None:
    key = ("arterial_speed", CITY)
    old = replace(calm_hour.readings[key], freshness="old", age=3 * HOUR)
    silent = replace(calm_hour, readings={**calm_hour.readings, key: old})
    assert marks(seen(silent, expected())) == []


def test_what_could_have_come_already_says_from_now_on(calm_hour: Snapshot) -> None:
    said = rows(seen(calm_hour, expected(earliest=EVENING - MINUTE)))["arterial_speed"].ahead
    assert said == "Dự báo: có thể xuống dưới 18 km/h ~20:30 (sớm nhất từ lúc này)"


def test_another_station_than_that_of_the_row_is_named(calm_hour: Snapshot) -> None:
    """The row shows the loudest place; the limit may be crossed at another one, and soonest there."""
    loudest = View(calm_hour, "vi", DESK).row("noise_laeq", "worst").site_id
    others = [one.site_id for one in calm_hour.of("noise_laeq") if one.site_id != loudest]
    far = expected("noise_laeq", loudest, limit=199.0, at=EVENING + 5 * HOUR)
    near = expected("noise_laeq", others[0], limit=199.0, at=EVENING + 2 * HOUR)
    said = rows(seen(calm_hour, far, near))["noise_laeq"].ahead
    name = calm_hour.city.site_name(others[0], "vi")
    assert said == f"Dự báo, {name}: có thể vượt 199,0 dBA ~20:00 (sớm nhất 19:00)"


def test_the_wall_says_the_soonest_and_its_line_fits(calm_hour: Snapshot) -> None:
    three = (
        expected(at=EVENING + 6 * HOUR),
        expected("travel_time_index", limit=9.0, at=EVENING + HOUR),
        expected("reports_60min", limit=9999.0, at=EVENING + 2 * HOUR),
    )
    view = seen(calm_hour, *three, look=WALL)
    told = {key for key, row in rows(view, ahead_most=2, ahead_u=704.0).items() if row.ahead}
    assert told == {"travel_time_index", "reports_60min"}
    narrow = rows(view, ahead_most=3, ahead_u=470.0)
    assert narrow["arterial_speed"].ahead == "Dự báo: có thể xuống dưới 18 km/h ~20/11 00:00", "another day is named"
    for row in narrow.values():
        assert text_width_px(row.ahead, TEXT_U, condensed=True) <= 470.0


def test_a_small_wall_keeps_the_row_that_may_cross_a_limit(calm_hour: Snapshot) -> None:
    plain, told = seen(calm_hour, look=WALL), seen(calm_hour, expected("satisfaction", limit=1.0), look=WALL)
    assert "satisfaction" not in rows(plain, room=4)
    assert "satisfaction" in rows(told, room=4, ahead_most=1, ahead_u=704.0)


def test_a_person_with_one_area_reads_only_forecasts_of_it(calm_hour: Snapshot) -> None:
    city = calm_hour.city
    sites = [one.site_id for one in calm_hour.of("noise_laeq") if city.area_of(one.site_id)]
    own = sites[0]
    other = next(one for one in sites if city.area_of(one) != city.area_of(own))
    outlook = (expected("noise_laeq", own, limit=199.0), expected("noise_laeq", other, limit=199.0, at=EVENING + HOUR))
    whole = replace(calm_hour, outlook=outlook)
    part = scoped(whole, frozenset({city.area_of(own)}), lambda _: ())
    assert [one.site_id for one in marks(View(whole, "vi", DESK))] == [other], "soonest of all"
    assert [one.site_id for one in marks(View(part, "vi", DESK))] == [own]


def test_a_name_from_outside_is_no_markup(calm_hour: Snapshot) -> None:
    loudest = View(calm_hour, "vi", DESK).row("noise_laeq", "worst").site_id
    other = next(one.site_id for one in calm_hour.of("noise_laeq") if one.site_id != loudest)
    sites = calm_hour.city.sites.copy()
    sites.loc[other, "name_vi"] = "<img src=x>"
    hostile = replace(calm_hour, city=replace(calm_hour.city, sites=sites))
    shown = overview.desk(seen(hostile, expected("noise_laeq", other, limit=199.0)))["rows"]
    assert "&lt;img src=x&gt;" in shown
    assert "<img" not in shown


def test_a_moment_is_told_no_finer_than_it_is_known(calm_hour: Snapshot) -> None:
    assert ahead.about(View(calm_hour, "vi", DESK), EVENING + 44 * MINUTE) == "18:40"
