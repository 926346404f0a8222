"""The roadmap as a person sees it: targets with their basis, tasks through the gate, ranks, decisions, maturity."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Person
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems
from ui import people, plan_deeds

Serve = Callable[[Line], Line]


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "roadmap.duckdb")
    yield own
    own.stop()


def computed(line: Line) -> None:
    """Everything that the page asked of the studies has its answer."""
    done = threading.Event()
    line.short_studies.ask(("test", id(done)), lambda _: done.set(), timedelta(0))
    assert done.wait(60)


def opened(line: Line, view: str, language: str = "vi") -> AppTest:
    """The view, with its figures computed."""
    open_page("roadmap", language, view=view).run()
    computed(line)
    return open_page("roadmap", language, view=view).run()


def test_each_view_is_in_the_address_and_stands_in_both_languages(line: Line, serve: Serve) -> None:
    serve(line)
    words = {
        "muc-tieu": ("Mục tiêu theo chương trình", "Targets of programmes"),
        "nhiem-vu": ("nhiệm vụ đang mở", "open tasks"),
        "uu-tien": ("của 10.000 cách cân", "of 10,000 weightings"),
        "quyet-dinh": ("không chứng minh", "no proof"),
        "truong-thanh": ("phụ lục chưa có", "annex not held"),
    }
    for view, said in words.items():
        for language, text in zip(("vi", "en"), said, strict=True):
            viewer = opened(line, view, language)
            assert problems(viewer) == []
            assert text in html(viewer), view
            assert viewer.query_params["view"] == view


def test_a_target_carries_interval_sample_source_and_the_state_of_its_text(line: Line, serve: Serve) -> None:
    serve(line)
    shown = html(opened(line, "muc-tieu"))
    assert "khoảng 95%:" in shown
    assert "n = " in shown
    assert "nguồn: " in shown
    assert "mất đối tượng" in shown
    assert "Không còn theo đuổi" in shown
    assert "áp dụng thử" in shown
    assert "Chậm so với kế hoạch" in shown


def test_a_supervisor_gives_finishes_and_reopens_a_task(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = opened(line, "nhiem-vu")
    viewer.button(key="do_plan_task").click().run()
    assert line.store.read_tasks() == [], "nobody has said who they are"
    viewer.text_input(key="roadmap_task_name").input("Lê Thị Hạnh").run()
    viewer.text_input(key="roadmap_task_title:new").input("Dọn cống <b>Trần Phú</b>").run()
    viewer.text_input(key="roadmap_task_unit:new").input("Đội thoát nước").run()
    viewer.button(key="do_plan_task").click().run()
    assert problems(viewer) == []
    assert "Đã giao nhiệm vụ." in [one.value for one in viewer.text]
    assert "Dọn cống &lt;b&gt;Trần Phú&lt;/b&gt;" in html(viewer)
    (made,) = line.store.read_tasks()
    assert (made.changed_by, made.unit) == ("Lê Thị Hạnh", "Đội thoát nước")
    viewer.selectbox(key="roadmap_task_key").select(made.task).run()
    viewer.button(key="do_finish_task").click().run()
    viewer.button(key="do_reopen_task").click().run()
    assert [one.state for one in line.store.read_tasks()] == ["open", "done", "open"]


def test_a_refusal_is_told_and_changes_nothing(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = opened(line, "nhiem-vu", "en")
    viewer.text_input(key="roadmap_task_name").input("Lê Thị Hạnh").run()
    viewer.selectbox(key="roadmap_task_key").select("NV-0002").run()
    viewer.button(key="do_finish_task").click().run()
    assert any(str(one.value).startswith("It cannot be done before") for one in viewer.text)
    assert line.store.read_tasks() == []


def test_a_decision_is_written_with_the_screen_it_was_taken_before(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = opened(line, "quyet-dinh")
    viewer.text_input(key="decide_roadmap_name").input("Lê Thị Hạnh").run()
    viewer.text_area(key="decide_roadmap_text").input("Giữ nhịp rà soát hằng tuần").run()
    viewer.selectbox(key="decide_roadmap_indicator").select("online_share").run()
    viewer.button(key="do_record_decision_roadmap").click().run()
    assert problems(viewer) == []
    (made,) = line.store.read_decisions()
    assert (made.page, made.link, made.snapshot) == ("roadmap", "/roadmap?view=quyet-dinh", line.snapshot.number)
    assert (made.indicator, made.site_id) == ("online_share", "thanh_lam")
    assert made.value is not None
    assert [str(one.value or "") for one in viewer.text_area] == [""], "a second click finds nothing to write"
    told = [str(one.value) for one in viewer.text]
    assert any("QD-0001" in one or "ghi" in one.casefold() for one in told)
    viewer.run()
    assert [str(one.value) for one in viewer.text if "ghi" in str(one.value).casefold()], "still there a moment later"
    viewer.session_state[plan_deeds.ANSWER] = ("done", "Đã ghi quyết định.", time.monotonic())
    viewer.button(key="do_record_decision_roadmap").click().run()
    assert len(line.store.read_decisions()) == 1
    assert not any("Hãy ghi nội dung" in str(one.value) for one in viewer.text), "no reproach for a double click"
    computed(line)
    shown = html(open_page("roadmap", view="quyet-dinh").run())
    assert "Giữ nhịp rà soát hằng tuần" in shown
    assert "xem lại ngày" in shown
    assert 'href="/roadmap?view=quyet-dinh"' in shown


def test_a_scattered_project_is_marked_and_never_in_the_budget(line: Line, serve: Serve) -> None:
    serve(line)
    shown = html(opened(line, "uu-tien"))
    row = shown.split('data-project="kiosk_lobby"')[1].split("</tr>")[0]
    assert "Dàn trải:" in row
    assert "để lại" in row
    assert shown.count("Dàn trải:") == 1


def test_a_ward_sees_its_own_tasks_and_gives_none_for_the_city(
    line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(line)
    ward = Person(account="w", name="Phạm Thu", role="viewer", areas=frozenset({"90013"}))
    monkeypatch.setattr(people, "who", lambda _: ward)
    monkeypatch.setattr(people, "present", lambda _: ward)
    viewer = opened(line, "nhiem-vu")
    shown = html(viewer)
    assert "NV-0003" in shown
    assert "NV-0001" not in shown
    assert [one.key for one in viewer.button if one.key == "do_plan_task"] == []
    targets = html(opened(line, "muc-tieu"))
    assert "data-target=" not in targets, "targets of the whole city are not the ward's"


def test_live_figures_answer_for_themselves(line: Line, serve: Serve) -> None:
    serve(line)
    line.quality.measure(line.clock.now())
    line.change(lambda _: ((), ()))
    shown = html(opened(line, "truong-thanh"))
    assert "số đo của hệ thống" in shown
    assert "chưa khai thư mục sao lưu" in shown
    assert "cần từ 98%" in shown
    assert 'href="/pilots"' in shown


LEVEL = "1_nd269.security_level"
HOSTILE = "QĐ 12 <img src=x onerror=alert(1)>"


def test_a_supervisor_answers_a_criterion_and_score_and_gaps_follow_at_once(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = opened(line, "truong-thanh")
    before = html(viewer)
    gap = "<b>chưa đạt</b> Có hồ sơ cấp độ an toàn được phê duyệt"
    assert gap in before
    viewer.text_input(key="roadmap_answer_name").input("Lê Thị Hạnh").run()
    viewer.selectbox(key="roadmap_answer_key").select(LEVEL).run()
    mark = f":{LEVEL}:0"
    viewer.button_group(key=f"roadmap_answer_level{mark}").set_value("yes").run()
    viewer.button(key="do_answer_criterion").click().run()
    assert problems(viewer) == []
    assert viewer.selectbox(key="roadmap_answer_key").value == LEVEL, "the next words go to the same criterion"
    shown = html(viewer)
    assert "chưa có bằng chứng, tính như chưa trả lời" in shown
    assert "<b>thiếu bằng chứng</b> Có hồ sơ cấp độ an toàn được phê duyệt" in shown
    assert met(shown) == met(before), "without evidence nothing is gained"
    mark = f":{LEVEL}:1"
    viewer.text_input(key=f"roadmap_answer_document{mark}").input(HOSTILE).run()
    viewer.text_input(key=f"roadmap_answer_link{mark}").input("https://vanban.example.vn/12?a=1&b=2").run()
    viewer.button(key="do_answer_criterion").click().run()
    shown = html(viewer)
    assert "Đã ghi câu trả lời." in [one.value for one in viewer.text]
    assert met(shown) == met(before) + 1
    assert "Có hồ sơ cấp độ an toàn được phê duyệt<small>" not in shown, "no gap any more"
    assert "<img" not in shown
    link = 'href="https://vanban.example.vn/12?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"'
    assert link in shown
    assert "<small>vanban.example.vn</small>" in shown, "where it leads stands beside the name"
    assert "Các lần trả lời (2)" in shown
    viewer.selectbox(key=f"roadmap_answer_back:{LEVEL}:2").select(0).run()
    viewer.button(key="do_restore_answer").click().run()
    assert "Đã đặt lại câu trả lời trước." in [one.value for one in viewer.text]
    assert gap in html(viewer)
    assert met(html(viewer)) == met(before)
    assert [one.answer for one in line.store.read_answers()] == ["yes", "yes", "no"]


def met(shown: str) -> int:
    found = re.search(r"(\d+) trong \d+ yêu cầu có bằng chứng đạt", shown)
    assert found is not None
    return int(found[1])


def test_a_link_that_runs_something_is_refused_in_the_language_of_the_page(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = opened(line, "truong-thanh", "en")
    viewer.text_input(key="roadmap_answer_name").input("Lê Thị Hạnh").run()
    viewer.selectbox(key="roadmap_answer_key").select(LEVEL).run()
    viewer.text_input(key=f"roadmap_answer_link:{LEVEL}:0").input("javascript:alert(1)").run()
    viewer.button(key="do_answer_criterion").click().run()
    assert any(str(one.value).startswith("A link begins with https://") for one in viewer.text)
    assert line.store.read_answers() == []
    assert "javascript:" not in html(viewer)


@pytest.mark.parametrize(("role", "areas"), [("operator", None), ("supervisor", frozenset({"90013"}))])
def test_who_may_not_answer_reads_the_assessment_without_a_form(
    line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch, role: str, areas: frozenset[str] | None
) -> None:
    serve(line)
    reader = Person(account="r", name="Phạm Thu", role=role, areas=areas)
    monkeypatch.setattr(people, "who", lambda _: reader)
    monkeypatch.setattr(people, "present", lambda _: reader)
    viewer = opened(line, "truong-thanh")
    assert problems(viewer) == []
    assert "Tự đánh giá theo văn bản" in html(viewer)
    assert [one.key for one in viewer.button if one.key == "do_answer_criterion"] == []
