"""The page of the brief: read, choose another period, take it away as a file, and who may see the archive."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Person
from core.brief import DAY, Facts, Said
from core.report_plan import FORMATS
from pipeline import Line
from tests.facts_of_a_day import asked, facts
from tests.pages.reading import html, open_page, problems
from ui import brief, people

Serve = Callable[[Line], Line]
WAIT_S = 120


def answered(line: Line, viewer: AppTest, period: str = DAY) -> AppTest:
    """The page after the thread of briefs has done what it was asked: its pool answers in the order of asking."""
    done = threading.Event()
    line.briefs._studies._pool.submit(done.set)
    assert done.wait(WAIT_S)
    return viewer.run()


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", ("Cần lãnh đạo quyết định", "Nhân rộng", "n = ")), ("en", ("For you to decide", "Scale", "n = "))],
)
def test_a_leader_reads_what_is_asked_what_is_tried_and_how_sure_it_is(
    demo_line: Line, serve: Serve, language: str, words: tuple[str, ...]
) -> None:
    line = serve(demo_line)
    viewer = answered(line, open_page("brief", language).run())
    assert problems(viewer) == []
    shown = html(viewer)
    for one in words:
        assert one in shown
    assert 'data-period="day"' in shown
    assert "kerb_watch.csv" in shown
    assert shown.count("brief-stick ") >= 8
    assert [one.label for one in viewer.get("download_button")] == [one.upper() for one in FORMATS]


def test_another_period_and_day_are_in_the_address(demo_line: Line, serve: Serve) -> None:
    line = serve(demo_line)
    day = line.clock.now().astimezone(line.city.zone).date() - timedelta(days=9)
    viewer = answered(line, open_page("brief", period="week", day=day.isoformat()).run())
    assert problems(viewer) == []
    first = day - timedelta(days=day.weekday())
    assert f'data-period="week" data-first="{first.isoformat()}"' in html(viewer)
    assert "kỳ đã qua không kèm dự báo" in html(viewer)
    for day_asked in ("soon", "1987-01-01", "0001-01-01", "9999-12-31"):
        strange = open_page("brief", period="century", day=day_asked).run()
        assert problems(strange) == [], "an old bookmark opens the nearest day there is"


def test_a_file_is_written_down_as_handed_over(demo_line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    line = serve(demo_line)
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(line, "audit", lambda person, action, thing, result, reason="": told.append((action, thing)))

    class Open:
        person = Person(account="a", name="A", role="viewer")
        language = "vi"

    Open.line = line  # type: ignore[attr-defined]
    body = brief._take(Open, facts(), "pdf")  # type: ignore[arg-type]
    assert body.startswith(b"%PDF")
    assert told == [("download_brief", "demo-day-2026-09-15.pdf")]


@pytest.fixture
def kept(demo_line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Facts]:
    """One hostile report in the archive of the demo city."""
    evil = "<img src=x onerror=alert(1)> **đậm** [x](http://x)"
    found = facts(asks=(asked("task", evil, owner=evil),), city=Said(evil, evil))
    monkeypatch.setattr(demo_line.briefs.archive, "folder", tmp_path)
    demo_line.briefs.archive.settle(found)
    return found


def test_an_earlier_brief_is_read_from_the_archive_and_its_text_stays_text(
    demo_line: Line, serve: Serve, kept: Facts
) -> None:
    line = serve(demo_line)
    viewer = answered(line, open_page("brief").run())
    viewer.selectbox(key="brief_kept_day").select(kept.first.isoformat()).run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert 'data-first="2026-09-15"' in shown
    assert "Ngập hầm chui" in shown
    assert re.search(r'<b style="top:[0-9.]+%">ngưỡng [0-9,]+</b>', shown), "the limit that may be crossed has its name"
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_who_has_some_areas_sees_their_own_brief_and_no_archive(
    demo_line: Line, serve: Serve, kept: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = serve(demo_line)
    code = str(line.city.areas.index[1])
    own = Person(account="w", name="Phường", role="viewer", areas=frozenset({code}))
    monkeypatch.setattr(people, "who", lambda key: own)
    monkeypatch.setattr(people, "present", lambda person: own)
    viewer = answered(line, open_page("brief").run())
    assert problems(viewer) == []
    assert "MỘT PHẦN ĐỊA BÀN" in html(viewer)
    assert "brief_kept_day" not in [one.key for one in viewer.selectbox], "no archive to choose from"
