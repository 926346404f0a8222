"""The page «Hướng dẫn»: «?» opens the right part, the search filters, the reader's own role comes first."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from core.access import ROLES
from core.i18n import LANGUAGES, Translator
from pipeline import Line
from tests.pages.reading import open_page, parts, problems, screens

OPEN = re.compile(r'id="screen-(\w+)" data-key="[^"]*" open>')
Serve = Callable[[Line], Line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_mark_opens_the_part_of_the_screen(language: str, demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    for name in ("alert_desk", "roadmap"):
        viewer = open_page("guide", language, screen=name).run()
        assert problems(viewer) == []
        shown = parts(viewer)["guide"]
        assert OPEN.findall(shown) == [name]
        assert shown.index(f'id="screen-{name}"') == min(shown.index(f'id="screen-{one}"') for one in screens())


def test_every_page_of_the_desk_has_the_question_mark(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    t = Translator("vi")
    for name in ("overview", "services"):
        viewer = open_page(name).run()
        (link,) = [one for one in viewer.page_link if one.proto.label == t("guide.help")]
        assert "guide" in link.proto.page
        assert f"screen={name}" in str(link.proto)


def test_a_search_without_marks_leaves_what_fits(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    viewer = open_page("guide").run()
    everything = parts(viewer)["guide"]
    viewer.text_input(key="guide_search").set_value("tam gac").run()
    assert problems(viewer) == []
    found = parts(viewer)["guide"]
    assert "tạm gác" in found
    assert "quan trắc" not in found
    assert len(found) < len(everything) / 2
    viewer.text_input(key="guide_search").set_value("zzz <b>đậm</b>").run()
    nothing = parts(viewer)["guide"]
    assert "zzz &lt;b&gt;đậm&lt;/b&gt;" in nothing
    assert "<b>đậm</b>" not in nothing


def test_the_first_five_minutes_begin_with_the_readers_own_role(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    t = Translator("vi")
    shown = parts(open_page("guide").run())["guide"]
    places = {role: shown.index(f'data-key="way:{role}"') for role in ROLES}
    assert min(places, key=lambda role: places[role]) == "supervisor", "the demo's own role"
    assert t("guide.your_role") in shown
    assert 'data-go="drill"' in shown, "the exercises are linked"
    assert 'data-query="tour=1"' in shown, "the tour can be started again"
    assert 'data-go="audit"' not in shown, "no way to what this role may not see"
