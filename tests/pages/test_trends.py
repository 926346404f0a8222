"""The page of trends: what may be crossed stands first, several indicators and places, and rows that are expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.decompose import Moved, Part
from analysis.forecast import NO_SKILL, Forecast, Record, Score
from charts.theme import DESK
from control.happened import ALERT, HOLIDAY, REPAIR, Happened, Happening
from control.studies import Study
from core.i18n import Translator
from core.outlook import Crossing
from pipeline import Line
from tests.conftest import EVENING
from tests.pages.reading import html, open_page, problems
from ui import trend_words, trends
from ui.views import View

Serve = Callable[[Line], Line]
HOUR = timedelta(hours=1)
t = Translator("vi")


def score(model: str, mae: float, *, naive: bool) -> Score:
    return Score(
        model=model, naive=naive, mae=mae, pinball=mae / 2, coverage_pct=81.0, origins=120,
        skill=0.4, skill_low=0.1, skill_high=0.6, wins=not naive,
    )  # fmt: skip


AHEAD = Forecast(
    model="lagged", baseline="week", issued_at=EVENING, first_origin=EVENING - 400 * HOUR, last_value=97.0,
    times=tuple(EVENING + HOUR * one for one in range(1, 25)), middle=(96.0,) * 24, low=(94.0,) * 24, high=(98.0,) * 24,
    league=(score("lagged", 1.0, naive=False), score("week", 2.0, naive=True)), origins=120, steps=700,
    crossing=Crossing(level="warning", limit=95.0, at=EVENING + 2.5 * HOUR, earliest=EVENING + HOUR),
    record=Record(level="warning", limit=95.0, by="middle", origins=99, warned=68, hits=64, happened=80, days=12),
)  # fmt: skip
MOVED = Moved(
    kind="ratio", before=97.1, after=95.9, n_before=400, n_after=420, numerator=-1.0, denominator=-0.2,
    parts=(
        Part(unit="office_01", before=97.0, after=94.0, n_before=200, n_after=210, own=-1.5, mix=0.1),
        Part(unit="office_02", before=97.2, after=97.6, n_before=200, n_after=210, own=0.2, mix=0.0),
    ),
    spans=((EVENING - 48 * HOUR, EVENING - 24 * HOUR), (EVENING - 24 * HOUR, EVENING)),
)  # fmt: skip

DAY = timedelta(days=1)
HAPPENED = Happened(
    events=(
        Happening(kind=HOLIDAY, at=EVENING - 20 * DAY, until=EVENING - 19 * DAY),
        Happening(kind=ALERT, at=EVENING - 12 * DAY, rule="services_on_time_low", priority="high"),
        Happening(kind=REPAIR, at=EVENING - 9 * DAY, until=EVENING - 8 * DAY, rule="x", reason="thay <b>máy đếm</b>"),
    ),
    counts=((ALERT, 44), (REPAIR, 1), (HOLIDAY, 1)),
)


@pytest.fixture
def known(demo_line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The demo city, with a forecast that is there already."""
    line = serve(demo_line)
    monkeypatch.setattr(line.forecasts, "ask", lambda key, site_id: Study(value=AHEAD, made_at=EVENING, progress=1.0))
    monkeypatch.setattr(line.forecasts, "happened", lambda *_: Study(value=HAPPENED, made_at=EVENING, progress=1.0))
    monkeypatch.setattr(line.forecasts, "moved", lambda *_: Study(value=MOVED, made_at=EVENING, progress=1.0))
    return line


def test_the_early_warning_stands_first_with_its_record(known: Line) -> None:
    viewer = open_page("trends", indicator="on_time_rate", site="thanh_lam").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert "có thể xuống dưới ngưỡng cảnh báo 95,0% vào khoảng 20:30, sớm nhất khoảng 19:00" in shown
    assert "báo 68 lần, đúng 64, báo nhầm 6%" in shown
    assert "báo trước được 80%" in shown
    assert t("forecast.no_alert") in shown
    assert shown.index("trends-outlook") < shown.index("trends-moved")


def test_what_moved_it_adds_up_and_the_league_is_folded(known: Line) -> None:
    shown = html(open_page("trends", indicator="on_time_rate", site="thanh_lam").run())
    assert "97,10% → 95,90%" in shown
    assert "−1,40 điểm %" in shown
    assert '<details class="box trends-fold">' in shown
    assert t("forecast.model_lagged") in shown
    speed = html(open_page("trends", indicator="arterial_speed").run())
    assert t("forecast.neither") in speed


def test_several_indicators_and_places_come_from_the_address(known: Line) -> None:
    viewer = open_page(
        "trends", indicator="on_time_rate,satisfaction", site="office_01,office_02", hours="168", compare="before"
    ).run()
    assert problems(viewer) == []
    assert viewer.multiselect(key="trend_indicators").value == ["on_time_rate", "satisfaction"]
    assert viewer.multiselect(key="trend_sites_on_time_rate").value == ["office_01", "office_02"]
    assert viewer.query_params["hours"] == "168"
    assert viewer.query_params["compare"] == "before"
    assert len(viewer.get("vega_lite_chart")) == 3, "one chart each, and the other places"


def test_a_year_is_asked_for_and_the_page_does_not_wait(known: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known.forecasts, "days", lambda *_: Study(busy=True, progress=0.4))
    viewer = open_page("trends", indicator="on_time_rate", site="thanh_lam", hours="8760").run()
    assert problems(viewer) == []
    assert [str(one.value) for one in viewer.info] == [t("forecast.working", percent="40%")]


def test_events_reach_over_the_whole_span_and_say_how_many_are_left_out(known: Line) -> None:
    """Thirty days: an alert of twelve days ago stands on the chart, and the list owns up to the rest."""
    viewer = open_page("trends", indicator="on_time_rate", site="thanh_lam", hours="720").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert f"{t('forecast.events', span=t('word.days', n=30))}: 44 cảnh báo, 1 lần sửa chữa thiết bị" in shown
    assert t("forecast.events_more", n="43") in shown
    assert "thay &lt;b&gt;máy đếm&lt;/b&gt;" in shown, "what people wrote is no markup"
    assert shown.index("thay &lt;b&gt;") < shown.rindex(t("forecast.event_holiday")), "newest first"


def test_each_alert_stands_on_the_chart_once_stored_or_just_raised(demo_line: Line) -> None:
    """What was raised minutes ago is in the snapshot alone; what both know is one flag."""
    now = demo_line.snapshot
    rule = next(one for one in now.rules.values() if one.observed_property == "on_time_rate")
    twice, fresh = EVENING - 2 * HOUR, EVENING - timedelta(minutes=4)
    journal = pd.DataFrame(
        [
            {
                "deed": "raise",
                "site_id": "thanh_lam",
                "rule": rule.key,
                "happened_at": pd.Timestamp(at),
                "priority": "high",
                "detail": "",
            }
            for at in (twice, fresh)
        ]
    )
    stored = Happened(
        events=tuple(Happening(kind=ALERT, at=at, rule=rule.key, priority="high") for at in (EVENING - 12 * DAY, twice))
    )
    screen = SimpleNamespace(snapshot=replace(now, journal=journal), language="vi")
    flags = trends._flags(screen, "on_time_rate", "thanh_lam", stored)
    assert [at for at, _, _ in flags] == [EVENING - 12 * DAY, twice, fresh]


def view(line: Line) -> View:
    return View(line.snapshot, "vi", DESK)


def test_rows_that_are_expected_are_marked_in_the_file(demo_line: Line) -> None:
    data = demo_line.store.read_observations(["on_time_rate"], EVENING - 3 * HOUR, EVENING, ["thanh_lam"])
    rows = trend_words.table(view(demo_line), data, "thanh_lam", AHEAD)
    assert list(rows["kind"].unique()) == [t("forecast.kind_expected"), t("forecast.kind_observed")], "newest first"
    expected = rows[rows["kind"] == t("forecast.kind_expected")]
    assert len(expected) == 24
    assert set(expected["source"]) == {f"{t('mark.simulated')}: forecast:lagged"}
    assert (expected["low80"] <= expected["value"]).all()
    assert rows["source"].str.startswith(t("mark.simulated")).all()
    plain = trend_words.table(view(demo_line), data, "thanh_lam", replace(AHEAD, model="", why_not=NO_SKILL))
    assert len(plain) == len(data)


def test_without_a_forecast_the_reason_is_said(demo_line: Line) -> None:
    item = demo_line.catalogue["on_time_rate"]
    for why, words in (("no_skill", "không có mô hình nào hơn"), ("gaps", "71%"), ("short", "21 ngày")):
        found = replace(AHEAD, model="", crossing=None, why_not=why, complete_pct=71.0)
        row = trend_words.outlook(view(demo_line), item, "thanh_lam", Study(value=found))
        assert words in row["sentence"]
    busy = trend_words.outlook(view(demo_line), item, "thanh_lam", Study(busy=True, progress=0.25))
    assert "25%" in busy["sentence"]
    broken = trend_words.outlook(view(demo_line), item, "thanh_lam", Study(problem="Phép tính bị lỗi"))
    assert broken["sentence"] == "Phép tính bị lỗi"


def test_places_of_other_areas_have_no_name_in_the_split(demo_line: Line) -> None:
    """The sum stays whole: what lies elsewhere stands together in one line."""
    city = demo_line.city
    own = view(demo_line)
    seen = own.snapshot.city.sites.drop(index="office_02")
    scoped = View(replace(own.snapshot, city=replace(city, sites=seen)), "vi", DESK)
    shown = trend_words.moved(
        scoped, demo_line.catalogue["on_time_rate"], Study(value=MOVED, made_at=EVENING), {"x"}, "before"
    )
    assert city.site_name("office_01", "vi") in shown
    assert city.site_name("office_02", "vi") not in shown
    assert f"{t('forecast.elsewhere')} (1)" in shown


def test_limits_are_told_with_their_dates(demo_line: Line) -> None:
    shown = trend_words.limits(view(demo_line), demo_line.catalogue["pm25_24h"])
    assert "01/01/2026" in shown
    assert "31/12/2025" in shown
    assert t("forecast.not_now") in shown


def test_days_are_means_of_city_days(demo_line: Line) -> None:
    rows = demo_line.forecasts._days("on_time_rate", ("thanh_lam",), EVENING, timedelta(days=5), lambda _: None)
    raw = demo_line.store.read_observations(["on_time_rate"], EVENING - timedelta(days=5), EVENING, ["thanh_lam"])
    local = raw["time"].dt.tz_convert(demo_line.city.zone)
    day = pd.Timestamp("2026-11-18 00:00", tz=demo_line.city.zone)
    own = raw[(local > day) & (local <= day + timedelta(days=1))]
    found = rows[rows["time"] == (day + timedelta(days=1))]
    assert len(own) == 24
    assert found["value"].iloc[0] == pytest.approx(own["value"].mean())
