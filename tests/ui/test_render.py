"""Views are built once per snapshot for all viewers, are not kept for ever, and escape what they are given."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import jinja2
import pytest
from markupsafe import Markup

from pipeline import Line
from ui import render


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> dict[object, object]:
    kept: dict[object, object] = {}
    monkeypatch.setattr(render, "_KEPT", kept)
    return kept


def test_eight_viewers_at_once_build_a_view_once(demo_line: Line) -> None:
    built = []
    together = threading.Barrier(8, timeout=30)

    def ask(_: int) -> dict[str, str]:
        together.wait()
        return render.shared(("overview", "vi"), demo_line.snapshot, lambda: built.append(1) or {"rows": "<p>1</p>"})

    with ThreadPoolExecutor(max_workers=8) as viewers:
        answers = list(viewers.map(ask, range(8)))
    assert len(built) == 1
    assert all(answer is answers[0] for answer in answers), "viewers share one picture, so the browser sees no change"


def test_a_new_snapshot_is_built_anew_and_a_language_apart(demo_line: Line) -> None:
    snapshot = demo_line.snapshot
    newer = replace(snapshot, number=snapshot.number + 1)
    built: list[str] = []

    def parts(name: str) -> dict[str, str]:
        built.append(name)
        return {"rows": name}

    assert render.shared(("overview", "vi"), snapshot, lambda: parts("old"))["rows"] == "old"
    assert render.shared(("overview", "en"), snapshot, lambda: parts("english"))["rows"] == "english"
    assert render.shared(("overview", "vi"), newer, lambda: parts("new"))["rows"] == "new"
    assert render.shared(("overview", "vi"), newer, lambda: parts("never"))["rows"] == "new"
    assert built == ["old", "english", "new"]


def test_months_of_running_do_not_grow(demo_line: Line, nothing_kept: dict[object, object]) -> None:
    for choice in range(300):
        render.shared(("traffic", choice), demo_line.snapshot, lambda: {"body": ""})
    assert len(nothing_kept) == 64
    assert ("traffic", 299) in nothing_kept, "the oldest goes first"


def test_a_view_that_fails_is_not_remembered(demo_line: Line) -> None:
    def broken() -> dict[str, str]:
        raise ValueError("no such row")

    with pytest.raises(ValueError, match="no such row"):
        render.shared("overview", demo_line.snapshot, broken)
    assert render.shared("overview", demo_line.snapshot, lambda: {"rows": "1"}) == {"rows": "1"}


def test_text_is_escaped_and_pictures_of_ours_are_not(demo_line: Line) -> None:
    written = render.html(
        "trend_numbers.html",
        demo_line.snapshot,
        "vi",
        name="<b>a & b</b>",
        place='"><img src=x>',
        now="",
        notes=[],
        why=[],
        why_key="<i>",
        why_site="",
    )
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in written
    assert "<img" not in written
    drawn = render.html("overview_map.html", demo_line.snapshot, "vi", picture=render.picture("<svg></svg>"))
    assert "<svg></svg>" in drawn
    plain = render.html("overview_map.html", demo_line.snapshot, "vi", picture="<svg></svg>")
    assert "&lt;svg&gt;" in plain, "only what charts/ gave is a picture"
    assert isinstance(render.picture("<svg/>"), Markup)


def test_a_forgotten_value_is_an_error_and_not_an_empty_place(demo_line: Line) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render.html("overview_map.html", demo_line.snapshot, "vi")
