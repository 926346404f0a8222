"""Every page, in both languages, over a full, an empty and a stale store: it stands, and it says what is not known."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from core.access import ROLES, SEE
from core.i18n import LANGUAGES, Translator, words
from core.snapshot import LATE
from pipeline import Line
from tests.pages.reading import HOME, ROOT, html, open_page, parts, problems, screens

EVERY_SCREEN = screens()
WITH_ROWS = ("overview", "wall", "traffic", "environment", "services")
Serve = Callable[[Line], Line]


class Texts(HTMLParser):
    """What a person can read in some HTML, and the names that a screen reader says."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._foreign = False  # inside of a word that says of itself that it is Vietnamese, as in the glossary
        self.feed(markup)

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._foreign:
            self.found.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._foreign = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._foreign = ("lang", "vi") in attrs
        self.found += [value for name, value in attrs if name in ("aria-label", "title", "placeholder") and value]


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles that pages gave their browser tab."""
    given: list[str] = []
    real = streamlit.set_page_config

    def noted(**settings: Any) -> None:
        given.append(str(settings["page_title"]))
        real(**settings)

    monkeypatch.setattr(streamlit, "set_page_config", noted)
    return given


def said(viewer: AppTest) -> str:
    """Panels and Streamlit's own texts together."""
    own = [str(one.value) for one in (*viewer.markdown, *viewer.caption, *viewer.info, *viewer.text)]
    return "\n".join([html(viewer), *own])


def test_the_walk_finds_the_screens() -> None:
    assert len(EVERY_SCREEN) >= 9
    assert {HOME, "wall", "alert_desk", "source_health"} <= set(EVERY_SCREEN)
    assert {f"page.{name}" for name in EVERY_SCREEN} <= set(words("vi")), "a screen's name is its locale key"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERY_SCREEN)
def test_a_full_store(name: str, language: str, demo_line: Line, serve: Serve, titles: list[str]) -> None:
    line, t = serve(demo_line), Translator(language)
    viewer = open_page(name, language).run()
    assert problems(viewer) == []
    assert set(titles) == {f"{t(f'page.{name}')} · {line.city.name(language)}"}
    assert t("mark.simulated") in html(viewer), "simulated data are marked on every screen"
    if name != "wall":
        labels = [link.proto.label for link in viewer.page_link]
        open_to_the_demo = {t(f"page.{one}") for one in EVERY_SCREEN if "supervisor" in SEE.get(one, ROLES)}
        assert open_to_the_demo - set(labels) == set()
        ours = {t("word.other_language"), t("guide.help")}
        assert set(labels) - open_to_the_demo == ours, "no link to what would be refused"
        assert t("word.other_language") in labels
    if name in WITH_ROWS:
        assert f">{t('state.no_signal')}<" not in html(viewer), "nothing is silent in a full store"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERY_SCREEN)
def test_an_empty_store_says_which_source_does_not_answer(
    name: str, language: str, empty_line: Line, serve: Serve
) -> None:
    line, t = serve(empty_line), Translator(language)
    assert line.snapshot.sources, "the pilot has sources"
    assert {one.item.domain for one in line.snapshot.readings.values()} <= {"operations"}, "no row about the city yet"
    viewer = open_page(name, language).run()
    assert problems(viewer) == []
    shown = html(viewer)
    for state in line.snapshot.sources:
        assert state.up is False, state.source.key
        assert t("source.unavailable_since", name=state.source.name(language), at="18:00") in shown
    assert t("mark.simulated") not in shown, "a real city never carries the simulated mark"
    if "banner" in parts(viewer):
        assert t("situation.no_data") in parts(viewer)["banner"]
        assert t("situation.normal") not in parts(viewer)["banner"], "nothing known is not normal"
    assert t("state.as_usual") not in shown
    assert "s-fresh" not in shown
    assert "s-late" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERY_SCREEN)
def test_a_stale_store_shows_no_old_number_as_live(name: str, language: str, stale_line: Line, serve: Serve) -> None:
    line, t = serve(stale_line), Translator(language)
    viewer = open_page(name, language).run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert t("mark.simulated") in shown
    rows = re.findall(r'class="row s-(\w+)[^"]*" data-key="([^":]+):([^"]*)"', shown)
    if name in WITH_ROWS:
        assert rows, "the walk must find rows"
        assert t("state.no_signal") in shown
    for state, key, site_id in rows:
        reading = line.snapshot.reading(key, site_id)
        if state in ("fresh", LATE):
            assert reading is not None
            assert reading.age <= reading.item.stale_after, f"{key} at {site_id} is shown as live"
    if "strip" in parts(viewer):
        assert t("strip.data_until", at="18:00") in parts(viewer)["strip"], "the picture's time is not the data's"
    if "banner" in parts(viewer):
        assert t("situation.normal") not in parts(viewer)["banner"], "a city without fresh figures is not normal"
    if name == "traffic":
        assert rows
        assert {state for state, _, _ in rows} & {"fresh", LATE} == set(), "traffic is old after minutes"
        assert t("state.as_usual") not in shown
    if name == "environment":
        assert 'class="box advice"' not in shown, "no health advice from air of three hours ago"
    if name == "trends":
        assert t("state.no_signal") in said(viewer)
        assert f"{t('trends.now_value')}:" not in said(viewer)
    if name == "source_health":
        assert t("source.late") in shown


@pytest.mark.parametrize("name", EVERY_SCREEN)
def test_english_pages_have_no_vietnamese_words_of_ours(
    name: str, demo_line: Line, empty_line: Line, serve: Serve
) -> None:
    vietnamese, english = words("vi"), words("en")
    ours = {text for key, text in vietnamese.items() if text != english[key]} - set(english.values())
    for line in (demo_line, empty_line):
        serve(line)
        viewer = open_page(name, "en").run()
        seen = set(Texts(html(viewer)).found)
        seen |= {str(one.label) for one in (*viewer.text_input, *viewer.selectbox, *viewer.button, *viewer.radio)}
        seen |= {str(one.value) for one in (*viewer.caption, *viewer.info, *viewer.markdown)}
        assert seen, "a page says something"
        assert seen & ours == set()


@pytest.mark.parametrize("language", ["", "fr", "<script>"])
def test_an_unknown_language_is_vietnamese(language: str, demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    viewer = open_page(HOME, language).run()
    assert problems(viewer) == []
    assert Translator("vi")("mark.simulated") in html(viewer)


def test_an_address_from_a_bookmark_may_be_wrong(demo_line: Line, serve: Serve) -> None:
    """Old links name alerts, wards and indicators that are gone: the page opens with its own choice."""
    serve(demo_line)
    for name, query in (
        ("alert_desk", {"alert": "gone:nowhere"}),
        ("map", {"ward": "00000"}),
        ("trends", {"indicator": "gone", "site": "nowhere", "hours": "-1"}),
    ):
        assert problems(open_page(name, **query).run()) == [], name


@pytest.mark.parametrize("able", ["webgl", "none", ""])
def test_the_map_is_drawn_in_any_browser(able: str, demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    viewer = open_page("map")
    viewer.session_state["canvas_known"] = able
    viewer.run()
    assert problems(viewer) == []
    assert bool(viewer.get("deck_gl_json_chart")) == (able == "webgl")
    assert ("map" in parts(viewer)) == (able != "webgl"), "without WebGL, and before we know, there is a still picture"
    told = Translator("vi")("map.no_webgl") in [str(one.value) for one in viewer.caption]
    assert told == (able == "none")


def test_pages_are_found_by_the_navigation_itself() -> None:
    from ui.frame import pages

    assert set(pages()) == set(EVERY_SCREEN)
    assert (ROOT / "dashboard.py").is_file()
