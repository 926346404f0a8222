"""Wherever a page shows a value, a drawer answers «vì sao con số này?» with all its parts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from streamlit.testing.v1 import AppTest

from charts.theme import DESK
from pipeline import Line
from tests.pages.reading import html, open_page, parts, problems
from ui import citizens_satisfaction, figure, why
from ui.views import View

PAGES: list[tuple[str, dict[str, str]]] = [
    ("overview", {}),
    ("traffic", {}),
    ("environment", {}),
    ("services", {}),
    ("map", {"ward": "90001"}),
    ("trends", {}),
]
OURS = {"map": "ward", "trends": "numbers"}  # of these pages the part that shows values; the rest are tables of choice
VALUES = ("row-value", "side", "num")  # the classes of elements that show a value
VOID = {"br", "hr", "img", "input", "meta", "link"}


class Drawers(HTMLParser):
    """The drawers of some HTML with the parts that they say, and the values that have none beside them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.said: dict[str, set[str]] = {}
        self.shown: list[str] = []  # «key:site» of every value, or what stands where a value should name it
        self._open: list[tuple[str, str, str]] = []  # tag, key of details, key of drawer
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        details = given.get("data-key", "") if tag == "details" else self._above(1)
        drawer = given.get("data-of", "") or self._above(2)
        if "data-why" in given:
            self.said.setdefault(drawer, set()).add(given["data-why"])
        heading = tag == "th"
        if set(classes) & set(VALUES) and not heading:
            self.shown.append(given.get("data-value") or details or f"<{tag} {given.get('class')}>")
        elif "data-value" in given:
            self.shown.append(given["data-value"])
        if tag not in VOID:
            self._open.append((tag, details, drawer))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def _above(self, place: int) -> str:
        return self._open[-1][place] if self._open else ""


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("name", "query"), PAGES, ids=[name for name, _ in PAGES])
def test_every_value_has_its_drawer_with_all_parts(
    name: str, query: dict[str, str], language: str, demo_line: Line, serve: Callable[[Line], Line]
) -> None:
    serve(demo_line)
    viewer = open_page(name, language, **query).run()
    assert problems(viewer) == []
    read = Drawers(parts(viewer)[OURS[name]] if name in OURS else html(viewer))
    assert read.said, "the walk must find drawers"
    if name not in OURS:
        assert len(read.shown) >= 5, "the walk must find values"
    for key in read.shown:
        assert set(why.PARTS) <= read.said.get(key, set()), f"{key} on {name}"
    for key, told in read.said.items():
        assert set(why.PARTS) <= told, key


def test_a_drawer_leads_on_and_can_be_copied(demo_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(demo_line)
    shown = html(open_page("overview").run())
    assert 'data-go="trends" data-query="indicator=' in shown
    assert 'data-go="links"' in shown
    assert "data-copy" in shown
    assert "<a " not in shown, "a panel holds no links of its own"


def test_the_wall_is_not_burdened(demo_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(demo_line)
    assert "data-why" not in html(open_page("wall").run())


# -- numbers of analyses ----------------------------------------------------------------------------------------------

ANSWER_S = 300
ANALYSES: list[tuple[str, dict[str, str], set[str]]] = [
    ("citizens", {"view": "hai-long"}, {"satisfied_share", "response_rate", "unanswered_bounds", "registers"}),
    ("citizens", {"view": "quan-tam-su-dung"}, {"interest", "finished", "mend_first", "counter_wait"}),
    ("citizens", {"view": "phan-anh"}, {"reports_on_time", "resolution_median", "late_hits", "late_effect"}),
    ("citizens", {"view": "766"}, {"score766", "score766_lost"}),
    ("pilots", {"pilot": "kerb_watch"}, {"pilot_plan", "pilot_effect", "pilot_verdict", "pilot_power"}),
    ("links", {}, {"link_strength", "link_delay", "link_follows"}),
    ("roadmap", {"view": "muc-tieu"}, {"target_progress:satisfaction_95"}),
    ("roadmap", {"view": "uu-tien"}, {"project_score", "project_holds"}),
    ("roadmap", {"view": "truong-thanh"}, {"maturity_answer"}),
    ("brief", {}, {"brief_trust"}),
    ("source_health", {}, {"source_state", "set_aside"}),
]


class Asked(HTMLParser):
    """Of some HTML: which marks open which drawer, and the columns of numbers that have no mark.

    A mark in the title of a section holds for all of it, and rows with a mark of their own need none above.
    """

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.opens: set[str] = set()
        self.bare: list[str] = []  # heads of columns of numbers without a mark
        self._section_asks = False
        self._column: str | None = None
        self._heading = False
        self._body = False  # inside the rows of a table
        self._here: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "section":
            self._section_asks = False
        self._heading = tag == "h2" or (self._heading and tag in ("span", "button"))
        if tag == "th" and "num" in given.get("class", "").split():
            self._column = ""
        self._body = (self._body or tag == "tbody") and tag != "table"
        if "data-opens" in given and self._body:
            self._here = []
        if "data-opens" in given:
            self.opens.add(given["data-opens"])
            self._section_asks |= self._heading
            self._column = None

    def handle_data(self, data: str) -> None:
        if self._column is not None:
            self._column += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "th" and self._column is not None:
            if not self._section_asks:
                self._here.append(self._column)
            self._column = None
        if tag == "table":
            self.bare += self._here
            self._here, self._body = [], False


def answered(line: Line, name: str, language: str, query: dict[str, str]) -> AppTest:
    """The page once all that it asked of the threads of studies is known."""
    open_page(name, language, **query).run()
    for studies in (line.studies, line.short_studies, line.briefs._studies):
        done = threading.Event()
        studies.ask(("test", id(done)), lambda _, done=done: done.set(), timedelta(0))
        assert done.wait(ANSWER_S), "the studies end what was asked"
    return open_page(name, language, **query).run()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("name", "query", "least"),
    ANALYSES,
    ids=[f"{name}-{next(iter(query.values()), '')}" for name, query, _ in ANALYSES],
)
def test_every_number_of_an_analysis_has_its_drawer_with_all_parts(
    name: str,
    query: dict[str, str],
    least: set[str],
    language: str,
    demo_line: Line,
    serve: Callable[[Line], Line],
) -> None:
    serve(demo_line)
    viewer = answered(demo_line, name, language, query)
    assert problems(viewer) == []
    told, asked = Drawers(html(viewer)), Asked(html(viewer))
    assert least <= set(told.said), "the drawers of this page"
    for key in least:
        assert set(figure.PARTS) <= told.said[key], f"{key} on {name}"
    assert asked.opens <= set(told.said), "a mark that opens nothing"
    assert [words for words in asked.bare if words.strip()] == [], f"columns of numbers without a mark on {name}"


def test_the_reading_that_rang_says_why_with_what_it_was_then(alert_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(alert_line)
    shown = parts(open_page("alert_desk", alert="underpass_flood:flood_01").run())["head"]
    told = Drawers(shown).said
    assert set(told) == {"flood_depth:flood_01"}
    assert {*why.PARTS, "rang"} <= told["flood_depth:flood_01"]
    assert "38" in shown, "the value at which it rang"


def test_a_number_hidden_on_the_page_is_hidden_in_its_drawer(demo_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(demo_line)
    view = View(demo_line.snapshot, "vi", DESK)
    report = demo_line.citizens.report(None, lambda _: None)
    hidden = replace(report, table=replace(report.table, total=None))
    told = citizens_satisfaction.satisfied(view, report, None)
    kept = citizens_satisfaction.satisfied(view, hidden, None)
    said = {part: " ".join(one.words for one in kept.facts if one.part == part) for part in figure.PARTS}
    assert told.value not in ("", "—")
    assert kept.value == said["value"] == "—"
    for one in told.facts:
        if one.part in ("value", "sample", "interval"):
            assert one.words not in said.values(), f"{one.part} gives it away"
