"""The page «Nguồn dữ liệu»: four scores, who supplies them, and the rows that failed one click away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from charts.theme import DESK
from core import formats
from core.i18n import LANGUAGES, Translator
from core.quality import COMPLETE, DAY, REPAIR, SCORES, Artefact
from core.safe_csv import safe_csv
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import open_page, parts, problems
from tests.pages.test_why_drawers import Asked, Drawers
from ui import data_quality, figure
from ui.views import View

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city with its quality measured, and a step that a repair explains."""
    own = copy_of(demo_line, tmp_path_factory.mktemp("quality") / "quality.duckdb")
    if own.quality.running is not None:
        own.quality.running.result(60)
    quality = own.quality.measure(own.clock.now())
    site = own.city.sites.index[own.city.sites["kind"] == "air_station"][0]
    mark = Artefact(
        observed_property="pm25", site_id=site, at=own.clock.now() - timedelta(hours=2), cause=REPAIR,
        source="air_monitoring", before=20.0, after=61.5,
    )  # fmt: skip
    own.quality.newest = replace(quality, artefacts=(mark,))
    own._publish()
    yield own
    own.stop()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_four_scores_the_league_and_the_step_are_told(
    line: Line, serve: Callable[[Line], Line], language: str
) -> None:
    serve(line)
    page = open_page("source_health", language).run()
    assert problems(page) == []
    shown, t = parts(page)["scores"], Translator(language)
    span = line.snapshot.quality.spans[DAY]
    for name in SCORES:
        assert t(f"quality.{name}") in shown
    for source in span.sources:
        assert line.city.site_name(source, language) in shown
    worst = min(one.scores[COMPLETE].percent or 100 for one in span.sources.values())
    assert formats.percent(worst, 1, language) in shown
    for place in span.league:
        assert place.scored.key in shown
    assert formats.quantity(61.5, 1, "µg/m³", language) in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_score_and_the_league_say_why(line: Line, serve: Callable[[Line], Line], language: str) -> None:
    serve(line)
    shown = parts(open_page("source_health", language).run())["scores"]
    told, asked = Drawers(shown), Asked(shown)
    assert set(told.said) == {*(f"quality_{name}" for name in SCORES), "quality_league", "data_step"}
    assert all(set(figure.PARTS) <= one for one in told.said.values())
    assert asked.opens == set(told.said)
    assert asked.bare == []


def test_the_rows_that_failed_are_one_click_away_and_the_file_says_that_they_are_simulated(
    line: Line, serve: Callable[[Line], Line]
) -> None:
    serve(line)
    page = open_page("source_health", "vi").run()
    chosen = page.selectbox(key="quality_source")
    failed = line.snapshot.quality.spans[DAY].failed
    assert {source for source, _ in failed} == {
        one.key for one in line.city.sources if line.city.site_name(one.key, "vi") in chosen.options
    }
    assert "<table" in parts(page)["rows"]
    assert page.query_params["source"] in (chosen.value, [chosen.value])
    view = View(line.snapshot, "vi", DESK)
    told = safe_csv(data_quality._export(view, line.snapshot.quality.spans[DAY].failing.head(3)))
    assert told.count("DỮ LIỆU MÔ PHỎNG: ") == 3


def test_a_connector_shows_its_grade(line: Line, serve: Callable[[Line], Line]) -> None:
    serve(line)
    page = open_page("source_health", "vi").run()
    assert "kết nối demo: hạng " in parts(page)["body"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_of_the_scale_and_how_the_connector_stands_to_it_is_on_the_page(
    line: Line, serve: Callable[[Line], Line], language: str
) -> None:
    serve(line)
    shown, t = parts(open_page("source_health", language).run())["body"], Translator(language)
    table = shown.partition(t("source.scale"))[2]
    rules = line.snapshot.sources[0].rules
    assert {state for *_, state in rules} == {"kept", "lacking", "exempt"}
    for step, vietnamese, english, state in rules:
        row = table.partition(f"<td>{escape(english if language == 'en' else vietnamese)}</td>")
        assert row[1], english
        assert row[0].endswith(f"<td>{t(f'source.grade_{step}')}</td>")
        assert row[2].startswith(f"<td>{t(f'source.rule_{state}')}</td>")


def test_before_the_first_measurement_the_page_says_so(
    demo_line: Line, serve: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_line, "snapshot", replace(demo_line.snapshot, quality=None))
    serve(demo_line)
    page = open_page("source_health", "vi").run()
    assert problems(page) == []
    assert Translator("vi")("quality.not_yet") in [one.value for one in page.info]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_fault_of_a_row_is_told_in_words(language: str) -> None:
    """A code such as «gap» on the screen or in the file of an office is no reason that anybody can act on."""
    source = (ROOT / "analysis" / "data_quality.py").read_text(encoding="utf-8")
    faults = set(re.findall(r'why="(\w+)"', source)) | {"out_of_range", "fail", "sum", "part", "falling"}
    assert {"gap", "long_gap", "revised", "contradicted", "stale"} <= faults
    view: Any = SimpleNamespace(t=Translator(language), language=language)
    for fault in faults:
        words = data_quality._why(view, fault, 3.0)
        assert words != fault
        assert "{" not in words
    assert "3" in data_quality._why(view, "gap", 3.0)


@pytest.mark.parametrize(
    ("language", "head", "mute"),
    [("vi", "Cột có trong tệp mà không được đọc", "Im lặng ở"), ("en", "Columns of its files", "Silent at")],
)
def test_columns_that_nobody_reads_and_rules_that_cannot_speak_are_told(
    line: Line, serve: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch, language: str, head: str, mute: str
) -> None:
    serve(line)
    assert head not in "".join(parts(open_page("source_health", language).run()).values())
    told = "tệp <b>a.csv</b>: cột “Nhiệt đọ” không có trong danh mục"
    sources = (replace(line.snapshot.sources[0], left_out=(told,)), *line.snapshot.sources[1:])
    young = replace(line.snapshot, number=10**6, sources=sources, band={})
    monkeypatch.setattr(line, "snapshot", young)
    shown = "".join(parts(open_page("source_health", language).run()).values())
    assert head in shown
    assert escape(told) in shown, "what stands in a file is text and no markup"
    assert mute in shown
