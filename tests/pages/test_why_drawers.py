"""Wherever a page shows a value, a drawer answers «vì sao con số này?» with all its parts."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from pipeline import Line
from tests.pages.reading import html, open_page, parts, problems
from ui import why

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
