"""The page of links: figures with n and interval, and no word that says one thing makes another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import indicators
from control.links import Links
from control.studies import Studies
from core.access import Person
from core.config import ROOT
from core.i18n import LANGUAGES, words
from core.links_plan import load_links
from pipeline import Line
from tests.pages.reading import html, open_page, problems
from ui import people

Serve = Callable[[Line], Line]
REASONS = {
    "vi": r"\b(gây ra|gây nên|do|vì|bởi|khiến|làm cho|dẫn đến|tác động)\b",
    "en": r"\b(cause[sd]?|causing|because|due to|leads? to|results? in|effect|affects?|drives?)\b",
}


@pytest.fixture
def line(demo_line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The demo city, with studies of its own that nobody has asked yet."""
    studies = Studies(demo_line.clock)
    monkeypatch.setattr(demo_line, "studies", studies)
    own = Links(demo_line.city, demo_line.store, demo_line.clock, demo_line.catalogue, studies)
    monkeypatch.setattr(demo_line, "links", own)
    return serve(demo_line)


def worked_out(line: Line, language: str = "vi", **query: str) -> AppTest:
    """The page once all that it asked for is known."""
    viewer = open_page("links", language, **query).run()
    assert problems(viewer) == []
    line.studies.stop()  # it ends what it has begun; an answer stands after that
    return viewer.run()


def test_while_nothing_is_known_the_page_says_that_it_works(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(line.studies._pool, "submit", lambda *given: asked.append(given))
    viewer = open_page("links").run()
    assert problems(viewer) == []
    assert "Đang tính: 0%" in html(viewer)
    assert len(asked) == 1, "a page asks once and computes nothing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_and_what_follows_with_n_interval_and_number_of_pairs(line: Line, language: str) -> None:
    shown = html(worked_out(line, language))
    known = line.studies.known(("links", None, "")).value
    assert known.found.tried > 100
    assert str(known.found.tried) in shown
    assert re.search(r"n = \d+", shown)
    assert ("khoảng 95%" if language == "vi" else "95% interval") in shown
    assert ("chưa đủ lần (n = " if language == "vi" else "not often enough (n = ") in shown
    for domain in ("health", "education"):
        assert any(line.catalogue[key].domain == domain for key in known.lanes), "they stand among the lanes"


def test_the_lanes_are_in_the_address_and_drawn_on_one_axis(line: Line) -> None:
    viewer = worked_out(line, lanes="rainfall,pupils_absent_share", hours="336")
    chart = viewer.get("vega_lite_chart")
    assert len(chart) == 1
    spec = chart[0].proto.spec
    assert json.dumps("Học sinh vắng")[1:-1] in spec
    assert viewer.query_params["lanes"] in ("rainfall,pupils_absent_share", ["rainfall,pupils_absent_share"])
    assert "<svg" in html(viewer), "paper gets a picture of its own"


def test_two_chosen_by_hand_of_one_origin_are_refused_in_words(line: Line) -> None:
    viewer = open_page("links", first="speed@", then="travel_time_index@").run()
    line.studies.stop()
    assert "cùng nguồn gốc" in html(viewer.run())


def test_a_person_of_one_ward_sees_no_other_and_asks_for_an_answer_of_their_own(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Person(account="an", name="An", role="operator", areas=frozenset(("90001",)), kind="person")
    monkeypatch.setattr(people, "who", lambda page: own)
    monkeypatch.setattr(people, "present", lambda person: own)
    viewer = worked_out(line, place="90003")
    chosen = next(one for one in viewer.selectbox if one.key == "links_place")
    assert chosen.value == "", "a ward of others is not taken from the address"
    assert not any("Hoàng Diệu" in str(option) for option in chosen.options)
    known = line.studies.known(("links", own.areas, "")).value
    assert known is not None
    assert line.studies.known(("links", None, "")).value is None
    sites = line.links._sites(own.areas, "")
    assert {line.city.area_of(site) for site in sites} <= {"", "90001"}


def test_the_city_chooses_what_is_compared_and_names_its_events(
    line: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "links.toml").write_text(
        'studied = ["rainfall", "travel_time_index", "pm25", "respiratory_visits"]\nlanes = ["pm25", "rainfall"]\n'
        '[[event]]\nkey = "any"\nobserved_property = "rain_1h"\nabove = 0.5\nname_vi = "Mưa <b>phùn</b> trên {limit}"\n'
        '[[event]]\nkey = "plain"\nobserved_property = "pm25"\nabove = 41\n',
        encoding="utf-8",
    )
    city = replace(line.city, folder=tmp_path)
    own = Links(city, line.store, line.clock, line.catalogue, line.studies)
    monkeypatch.setattr(line, "links", own)
    shown = html(worked_out(line, hours="336"))
    found = line.studies.known(("links", None, "")).value
    assert set(found.lanes) == {"rainfall", "travel_time_index", "pm25", "respiratory_visits"}
    assert {one.kind.key for one in found.follows} == {"any", "plain"}
    assert "Mưa &lt;b&gt;phùn&lt;/b&gt; trên 0,5" in shown, "the city's own name, as text"
    assert "<b>phùn</b>" not in shown
    assert "PM2.5 trên 41" in shown, "an event without a name is told by its property"


def test_what_cannot_be_compared_yet_has_its_day(line: Line) -> None:
    shown = html(worked_out(line))
    found = line.studies.known(("links", None, "")).value
    today = line.clock.now().astimezone(line.city.zone).date()
    assert found.enough_on["respiratory_visits"] > today
    hours = found.lanes["pm25"]
    assert found.enough_on["respiratory_visits"] <= today + timedelta(days=56), f"{len(hours)} hours lie there already"
    assert found.enough_on["pupils_absent_share"] > found.enough_on["respiratory_visits"], "schools close on weekends"
    assert "pm25" not in found.enough_on
    day = found.enough_on["respiratory_visits"]
    assert f"từ ngày {day:%d/%m/%Y}" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_the_page_claims_a_reason(language: str) -> None:
    said = {key: text for key, text in words(language).items() if key.startswith("links.")}
    plan = load_links(ROOT / "config" / "demo", indicators.catalogue(), date(2026, 11, 22))
    said |= {one.key: one.name(language) for one in plan.events}
    assert len(said) > 60
    assert {key: text for key, text in said.items() if re.search(REASONS[language], text, re.IGNORECASE)} == {}
