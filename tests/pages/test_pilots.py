"""The page of pilots: the register with its locks, the verdict in words with n, interval and source."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from charts import pilot
from control.pilots import Pilots
from core.access import Denied, Person
from core.i18n import Translator
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems
from ui import people

Serve = Callable[[Line], Line]


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Line:
    """The demo city, with a copy of its plans and panels that a test may change before the page opens."""
    shutil.copytree(demo_line.city.folder / "pilots", tmp_path / "config" / "demo" / "pilots")
    shutil.copytree(demo_line.city.data_folder / "pilots", tmp_path / "data" / "pilots")
    return demo_line


def registered(line: Line, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(line.city, folder=folder / "config" / "demo", data_folder=folder / "data")
    monkeypatch.setattr(line, "_pilots", Pilots(own))


def test_a_leader_reads_verdict_effect_interval_n_and_source(demo_line: Line, serve: Serve) -> None:
    line = serve(demo_line)
    assert line.clock.now().date().isoformat() > "2026-10-30", "the demo pilot is over on the demo evening"
    viewer = open_page("pilots", pilot="kerb_watch").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert 'data-verdict="scale"' in shown
    assert "Có tác dụng và đáng tiền: nên nhân rộng." in shown
    assert "Thay đổi nhờ thí điểm: −11,7%, khoảng 95% từ −12,0% đến −11,4%." in shown
    assert "5 nơi làm và 9 nơi so sánh, " in shown
    assert "Nguồn: kerb_watch.csv." in shown
    assert "Đã khóa 20/05/2026" in shown
    assert "Ngân sách phường 60%, doanh nghiệp viễn thông tài trợ 40% · tư nhân 40%" in shown
    assert shown.count("data-check=") == 5
    assert len(viewer.get("vega_lite_chart")) == 2


def test_a_pilot_that_has_not_begun_shows_what_it_could_see_and_no_result(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    viewer = open_page("pilots", "en", pilot="mobile_desk").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert "No result yet" in shown
    assert "Smallest change seen (80 times of 100)" in shown
    assert "Enough: the worthwhile change is seen at least 80 times of 100." in shown
    assert "data-check=" not in shown
    assert not viewer.get("vega_lite_chart")


def test_choosing_another_pilot_shows_it_and_its_address(demo_line: Line, serve: Serve) -> None:
    serve(demo_line)
    viewer = open_page("pilots").run()
    assert 'data-verdict="cannot_tell"' in html(viewer), "the first that has a result"
    viewer.selectbox(key="pilot_chosen").select("mobile_desk").run()
    assert 'data-verdict=""' in html(viewer)
    assert viewer.query_params["pilot"] in ("mobile_desk", ["mobile_desk"])
    assert problems(open_page("pilots", pilot="gone").run()) == []


def test_a_plan_that_was_changed_after_the_lock_is_shown_as_changed(
    line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "config" / "demo" / "pilots" / "signal_timing.toml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("worthwhile_pct = 3", "worthwhile_pct = 1"), encoding="utf-8")
    registered(serve(line), tmp_path, monkeypatch)
    shown = html(open_page("pilots").run())
    assert "Đã sửa sau khi khóa" in shown
    assert "nội dung khác với bản đã khóa 28/09/2026" in shown


def test_words_of_a_plan_never_become_markup_and_wrong_figures_are_told(
    line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "config" / "demo" / "pilots" / "signal_timing.toml"
    text = plan.read_text(encoding="utf-8").replace("Chỉnh chu kỳ đèn", "<img src=x onerror=alert(1)>")
    plan.write_text(text, encoding="utf-8")
    panel = tmp_path / "data" / "pilots" / "signal_timing.csv"
    panel.write_text(panel.read_text(encoding="utf-8").replace("road_14", "<b>road"), encoding="utf-8")
    registered(serve(line), tmp_path, monkeypatch)
    viewer = open_page("pilots", pilot="signal_timing").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert "Chưa dùng được số liệu của thí điểm này." in shown
    assert "signal_timing.csv, cột unit: nơi so sánh khác với kế hoạch ở «&lt;b&gt;road" in shown
    assert "differ from the plan" not in shown, "no English on the Vietnamese page"
    english = html(open_page("pilots", "en", pilot="signal_timing").run())
    assert "signal_timing.csv: controls differ from the plan at &lt;b&gt;road" in english
    assert "khác với kế hoạch" not in english
    assert 'data-verdict=""' in shown
    assert shown.count(f"<b>{Translator('vi')('pilots.verdict_scale')}</b>") == 1, "the kerb watch's alone"


def test_a_city_without_pilots_says_so(
    demo_line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(serve(demo_line), tmp_path, monkeypatch)
    viewer = open_page("pilots").run()
    assert problems(viewer) == []
    assert "Chưa có thí điểm nào được đăng ký." in html(viewer)


def test_a_person_of_one_ward_sees_the_pilots_of_that_ward_and_no_foreign_control_by_name(
    demo_line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(demo_line)
    drawn: list[str] = []
    real = pilot.among_placebos

    def noted(placebos: list[tuple[str, float]], **settings: Any) -> Any:
        drawn[:] = [name for name, _ in placebos]
        return real(placebos, **settings)

    monkeypatch.setattr(pilot, "among_placebos", noted)

    def looking(ward: str) -> AppTest:
        person = Person(account="x", name="Trần Quốc Bảo", role="operator", areas=frozenset({ward}))
        monkeypatch.setattr(people, "present", lambda _: person)
        return open_page("pilots").run()

    shown = html(looking("90004"))
    assert 'data-pilot="mobile_desk"' in shown
    assert 'data-pilot="signal_timing"' not in shown
    viewer = looking("90005")
    viewer.selectbox(key="pilot_chosen").select("signal_timing").run()
    assert 'data-pilot="signal_timing"' in html(viewer)
    assert len(viewer.get("vega_lite_chart")) == 2
    assert drawn == [Translator("vi")("alarm_health.elsewhere")] * 10


def test_a_supervisor_seals_an_open_plan_on_the_page_and_the_audit_knows_it(
    demo_line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = serve(copy_of(demo_line, tmp_path / "own.duckdb"))
    own = replace(line.city, store_path=tmp_path / "own.duckdb")
    monkeypatch.setattr(line, "_pilots", Pilots(own))
    viewer = open_page("pilots", pilot="mobile_desk").run()
    viewer.button(key="do_lock_pilot:mobile_desk").click().run()
    assert problems(viewer) == []
    assert "Đã khóa kế hoạch." in [one.value for one in viewer.text]
    assert "do_lock_pilot:mobile_desk" not in [one.key for one in viewer.button]
    told = line.audit_rows(line.clock.now() - timedelta(minutes=1))
    row = told[told["action"] == "lock_pilot"].iloc[0]
    digest = next(one.pilot.digest for one in line.pilots() if one.pilot.key == "mobile_desk")
    assert (row["object"], row["result"], row["reason"]) == ("mobile_desk", "done", f"sha256 {digest}")
    line.stop()


@pytest.mark.parametrize(("language", "said"), [("vi", ", dòng "), ("en", "not valid TOML")])
def test_a_plan_that_was_spoilt_before_its_seal_is_told_on_the_page_in_its_language(
    line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    own = replace(line.city, folder=tmp_path / "config" / "demo", store_path=tmp_path / "city.duckdb")
    monkeypatch.setattr(serve(line), "_pilots", Pilots(own))
    viewer = open_page("pilots", language, pilot="mobile_desk").run()
    plan = own.folder / "pilots" / "mobile_desk.toml"
    plan.write_text(plan.read_text(encoding="utf-8") + "seed = \n", encoding="utf-8")
    with monkeypatch.context() as deaf:
        deaf.setattr(line.gate, "audit", lambda *_, **__: None)  # the shared line's log is not written into
        viewer.button(key="do_lock_pilot:mobile_desk").click().run()
    assert problems(viewer) == []
    told = [str(one.value) for one in viewer.text if "mobile_desk.toml" in str(one.value)]
    assert len(told) == 1
    assert said in told[0]
    assert ("hãy sửa chỗ ấy" in told[0]) is (language == "vi")
    assert not own.pilot_locks.exists()


def test_who_may_not_seal_sees_no_button_and_the_gate_refuses(
    demo_line: Line, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = serve(copy_of(demo_line, tmp_path / "own.duckdb"))  # what the gate refuses is in the audit log
    person = Person(account="x", name="Trần Quốc Bảo", role="operator")
    monkeypatch.setattr(people, "present", lambda _: person)
    viewer = open_page("pilots", pilot="mobile_desk").run()
    assert [one.key for one in viewer.button if one.key and "lock_pilot" in one.key] == []
    with pytest.raises(Denied):
        line.lock_pilot(person, "mobile_desk")
    with pytest.raises(Denied):
        line.lock_pilot(replace(person, role="supervisor", areas=frozenset({"90004"})), "mobile_desk")
    told = line.audit_rows(line.clock.now() - timedelta(minutes=1))
    assert [*told["account"], *told["result"]] == ["x", "x", "denied", "denied"]
    assert not line.city.pilot_locks.exists()
    line.stop()
