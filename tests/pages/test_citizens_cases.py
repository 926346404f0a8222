"""The two views of files, reports and scores: they compute nothing, tell what is known, and take reminders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline import Line
from tests.control.test_casework import answer
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems

Serve = Callable[[Line], Line]


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "cases.duckdb")
    yield own
    own.stop()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_reports_late_files_and_proposals_are_on_one_view(demo_line: Line, serve: Serve, language: str) -> None:
    serve(demo_line)
    answer(lambda: demo_line.casework.reports(None))
    answer(lambda: demo_line.casework.warnings(None))
    viewer = open_page("citizens", language, view="phan-anh").run()
    assert problems(viewer) == []
    text = html(viewer)
    for word in ("cases-map", "cases-curve", "Kaplan–Meier", "n = ", "cases-scores", "cases-spoken"):
        assert word in text, word


def test_the_score_tells_the_jump_that_is_no_news(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    answer(lambda: demo_line.casework.scores(None))
    viewer = open_page("citizens", view="766").run()
    assert problems(viewer) == []
    text = html(viewer)
    assert "Không phải tin của thành phố" in text
    assert "71,20" in text
    assert "91,59" in text
    viewer.selectbox(key="score_unit").select("office_06").run()
    assert problems(viewer) == []
    assert "không có phản ánh trong kỳ" in html(viewer)


def test_an_operator_notes_that_a_unit_was_reminded(line: Line, serve: Serve) -> None:
    serve(line)
    answer(lambda: line.casework.reports(None))
    answer(lambda: line.casework.warnings(None))
    viewer = open_page("citizens", view="phan-anh").run()
    viewer.button(key="do_remind_unit").click().run()
    assert problems(viewer) == []
    (row,) = line.store.read_reminders(line.clock.now() - timedelta(days=1)).to_dict("records")
    assert row["agency"].startswith("office_")
    assert "remind_unit" in set(line.audit_rows(line.clock.now() - timedelta(days=1))["action"])
