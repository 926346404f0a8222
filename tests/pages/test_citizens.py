"""The page of citizens: what it says and hides, who may ask citizens, and what a scoped person sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from analysis.satisfaction import share_of
from charts.theme import DESK
from control.studies import Study
from core.survey import Link
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems
from ui.citizens_satisfaction import build
from ui.views import View

Serve = Callable[[Line], Line]


def nobody(_share: float) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def own(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    line = copy_of(demo_line, tmp_path_factory.mktemp("citizens") / "citizens.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURVEY_SECRET", "only-for-this-test-" * 4)  # else a key would be made beside the city's own store
        yield line
    line.stop()


def opened(line: Line, language: str = "vi", **query: str) -> AppTest:
    """The page once its answers are there."""
    open_page("citizens", language, **query).run()
    line.studies._pool.submit(lambda: None).result()  # the one thread of studies has done all that was asked before
    return open_page("citizens", language, **query).run()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("view", ["hai-long", "quan-tam-su-dung"])
def test_both_views_stand_in_both_languages(own: Line, serve: Serve, view: str, language: str) -> None:
    serve(own)
    viewer = opened(own, language, view=view)
    assert problems(viewer) == []
    shown = html(viewer)
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in shown
    assert viewer.query_params["view"] in (view, [view])


def test_the_share_stands_with_interval_number_response_and_its_doubt(own: Line, serve: Serve) -> None:
    serve(own)
    shown = html(opened(own))
    report = own.citizens.report(None, nobody)
    n = f"{report.whole.n:,}".replace(",", ".")
    assert f"{n} trả lời" in shown
    assert "Chưa tới một nửa trả lời" in shown
    assert "chắc chắn thấp hơn chung" in shown
    assert "ẩn" in shown
    for word in ("Đã xử lý", "Được chấp nhận", "Hài lòng"):
        assert word in shown


def test_the_ratings_of_services_are_those_that_the_offices_send_by_the_hour(own: Line) -> None:
    until = datetime(2026, 11, 18, 17, tzinfo=UTC)  # midnight in the city
    since = until - timedelta(days=7)
    rows = own.store.read_observations(["ratings_valid", "ratings_satisfied"], since, until)
    sums = rows.groupby("observed_property")["value"].sum()
    whole = share_of(own.citizens._portal(since, until))
    assert (whole.good, whole.n) == (sums["ratings_satisfied"], sums["ratings_valid"])


def test_four_answers_at_a_ward_desk_are_not_on_the_page(own: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real city: no portal, and one desk whose code four people used yesterday."""
    monkeypatch.setattr(own.citizens, "_simulated", None)
    yesterday = datetime(2026, 11, 18, 3, tzinfo=UTC)
    link = Link(key_id="k1", service="sv_birth", office="office_01", channel="phone", issued_on=yesterday.date())
    monkeypatch.setattr(own.citizens, "_clock", SimpleNamespace(now=lambda: yesterday))
    for points in (1, 1, 2, 5):
        own.citizens.answer(link, points, "chờ quá lâu")
    monkeypatch.undo()
    monkeypatch.setattr(own.citizens, "_simulated", None)
    report = own.citizens.report(None, nobody)
    assert report.whole.n == 4
    assert report.table.total is None
    assert report.reasons == ()
    shown = build(View(own.snapshot, "vi", DESK), Study(value=report, made_at=own.clock.now()))
    assert "Dưới 5 trả lời: không hiện" in shown
    assert "chờ quá lâu" not in shown
    assert "25,0%" not in shown, "one of four"


def test_a_leader_of_one_ward_sees_its_own_office_alone(own: Line) -> None:
    report = own.citizens.report(frozenset({"90011"}), nobody)
    assert [one.key for one in report.offices] == ["office_01"]
    assert list(report.table.cells.columns) == ["office_01"]
    assert {one.office for one in report.waits} == {"office_01"}


def test_a_code_is_made_by_name_and_revoked_on_the_page(own: Line, serve: Serve) -> None:
    serve(own)
    viewer = opened(own)
    viewer.button(key="do_make_survey_link").click().run()
    assert own.citizens.links(None) == [], "nobody has said who they are"
    viewer.text_input(key="citizens_actor").input("Trần Quốc Bảo").run()
    viewer.button(key="do_make_survey_link").click().run()
    assert problems(viewer) == []
    (made,) = own.citizens.links(None)
    assert made.made_by == "Trần Quốc Bảo"
    viewer.text_input(key="survey_base").input("https://hoi.example.vn").run()
    shown = html(viewer)
    assert f"https://hoi.example.vn/y-kien/{own.citizens.token(made)}" in shown
    assert "<svg" in shown
    viewer.text_input(key="survey_base").input("javascript:alert(1)").run()
    assert "Hãy ghi địa chỉ bắt đầu bằng" in html(viewer)
    viewer.button(key="do_revoke_survey_link").click().run()
    assert own.citizens.opened(own.citizens.token(made)) is None


def test_who_may_not_ask_citizens_sees_no_way_to(own: Line, serve: Serve) -> None:
    serve(own)
    viewer = open_page("citizens")
    viewer.session_state["demo_role"] = "viewer"
    viewer.run()
    assert [one.key for one in viewer.button if one.key and "survey" in one.key] == []


def test_opening_the_page_is_counted_once_however_often_it_runs(own: Line, serve: Serve) -> None:
    serve(own)
    own.usage.turn()
    before = own.usage.used([]).total
    viewer = open_page("citizens").run()
    viewer.run()
    viewer.run()
    own.usage.turn()
    assert own.usage.used([]).total == before + 1


def test_a_city_without_services_says_what_is_missing(empty_line: Line, serve: Serve) -> None:
    serve(empty_line)
    assert "Chưa có đánh giá nào" in html(opened(empty_line))
    shown = html(opened(empty_line, view="quan-tam-su-dung"))
    assert "Chưa có nguồn nào kể" in shown
