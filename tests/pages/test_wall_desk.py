"""The desk of the wall: who puts what on it, until when, and which screens live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.access import Person
from core.wall import resized
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems

Serve = Callable[[Line], Line]
WALL = Person(account="wall-1", name="Màn hình 1", role="viewer", kind="wall")


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "wall.duckdb")
    yield own
    own.stop()


def test_a_named_operator_puts_a_scene_on_the_wall_and_gives_it_back(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("wall_desk").run()
    viewer.button(key="do_show_on_wall").click().run()
    assert not line.snapshot.switches, "nobody has said who they are"
    viewer.text_input(key="wall_actor").input("Trần Quốc Bảo").run()
    viewer.selectbox(key="wall_scene").select("environment").run()
    viewer.button(key="do_show_on_wall").click().run()
    assert problems(viewer) == []
    (switch,) = line.snapshot.switches.values()
    assert (switch.name, switch.by) == ("show:*:environment", "Trần Quốc Bảo")
    assert timedelta(minutes=14) < switch.until - line.clock.now() <= timedelta(minutes=15)
    assert "do Trần Quốc Bảo đưa lên" in html(viewer)
    viewer.button(key="do_release_wall").click().run()
    assert "do Trần Quốc Bảo đưa lên" not in html(viewer)


def test_the_page_says_which_screen_lives_and_which_is_frozen(line: Line, serve: Serve) -> None:
    serve(line)
    assert "Chưa mở" in html(open_page("wall_desk").run())
    first, second = (one.key for one in line.city.wall.screens[:2])
    now = datetime.now(UTC)
    line.screens.join(first, WALL, "v1", now)
    line.screens.beat(first, "v1", {"painted": line.snapshot.number, "heap_mb": 9.5, "size": "1920x1080@1"}, now)
    line.screens.join(second, WALL, "v2", now - timedelta(minutes=6))
    shown = html(open_page("wall_desk").run())
    assert "Đang chạy" in shown
    assert "9,5" in shown
    assert "Đứng hình từ" in shown


def test_a_wall_that_is_too_small_for_its_room_is_told(line: Line, serve: Serve) -> None:
    serve(line)
    assert "quá nhỏ" not in html(open_page("wall_desk").run())
    line.city = replace(line.city, wall=resized(line.city.wall, 1200, 8))
    line.run_once()
    shown = html(open_page("wall_desk").run())
    assert "người xa nhất ngồi 8,0 m: tường quá nhỏ" in shown
    assert "cỡ chữ nhỏ nhất phải là 53 mm để đọc được từ 8,0 m" in shown
