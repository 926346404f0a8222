"""On the drill page: the script so far, the live score, the end by one deed, and the scores of earlier shifts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from alerts.drill import GRADES
from control.drills import Beat, Drill
from core.alert import AlertEvent
from core.i18n import LANGUAGES, Translator
from core.ledger import Outcome
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.pages.conftest import FLOOD, RAIN
from tests.pages.reading import open_page, parts, problems
from ui import people

Serve = Callable[[Line], Line]
T = Translator("vi")
HA = "Nguyễn Thị Minh Hà"
SHIFT = "Ca chiều <b>2</b>"
SCRIPT = (
    Beat(at_min=0, title_vi="Mây dông kéo vào", title_en="A storm moves in"),
    Beat(at_min=25, title_vi="Rác bịt cửa thu nước", title_en="Debris blocks the drains"),
    Beat(at_min=60, title_vi="Xe dồn sang đường khác", title_en="Drivers avoid it"),
)


def event(minute: float, deed: str, key: tuple[str, str], after: str, priority: str, actor: str) -> AlertEvent:
    at = EVENING + timedelta(minutes=minute)
    return AlertEvent(
        happened_at=at, rule=key[0], site_id=key[1], state_before="NORM", state_after=after, priority=priority,
        actor=actor, deed=deed,
    )  # fmt: skip


@pytest.fixture
def line(demo_line: Line, tmp_path: Path, serve: Serve) -> Iterator[Line]:
    """Thirty minutes into a drill: one critical alert answered after 2 minutes, one missed, one high one open."""
    path = tmp_path / "drill.duckdb"
    demo_line.store.backup(path)
    city = replace(demo_line.city, store_path=tmp_path / "demo.duckdb")
    drill = Drill(
        scenario="evening_storm", shift=SHIFT, started_at=EVENING, script=SCRIPT,
        scores_path=tmp_path / "demo-drills.jsonl",
    )  # fmt: skip
    line = Line(city, DuckStore(path, zone=str(city.zone)), SetClock(EVENING + timedelta(minutes=30)), drill=drill)
    told = [
        event(3, "raise", FLOOD, "UNACK", "critical", "engine"),
        event(5, "acknowledge", FLOOD, "ACKED", "critical", HA),
        event(6, "raise", ("underpass_flood", "flood_02"), "UNACK", "critical", "engine"),
        event(10, "raise", RAIN, "UNACK", "high", "engine"),
    ]
    line.change(lambda _: Outcome((), told))
    line.run_once()
    yield serve(line)
    line.stop()


def opened(language: str = "vi") -> AppTest:
    viewer = open_page("drill", language).run()
    assert problems(viewer) == []
    return viewer


def test_the_script_shows_what_has_happened_and_not_what_will(line: Line) -> None:
    now = parts(opened())["now"]
    assert "Rác bịt cửa thu nước" in now
    assert "Xe dồn sang đường khác" not in now, "a shift must not read the next turn"
    assert "2/3" in now
    assert T("drill.passed", span="30 phút") in now
    assert "18:30" in now, "the clock of the drill"
    assert "&lt;b&gt;2&lt;/b&gt;" in now


def test_the_live_score_names_each_critical_alert(line: Line) -> None:
    now = parts(opened())["now"]
    assert T("drill.grade_failed") in now
    assert T("drill.was_missed") in now
    answered = now.split(line.city.site_name(FLOOD[1], "vi"))[1].split("</tr>")[0]
    assert HA in answered
    assert "2 phút" in answered
    assert ">1/2<" in now.replace("<b>", "").replace("</b>", ""), "one of two critical ones was missed"


def test_a_supervisor_ends_the_drill_and_the_score_is_kept(line: Line) -> None:
    viewer = opened()
    viewer.button(key="drill_end").click().run()
    assert problems(viewer) == []
    assert T("drill.ended") in [str(one.value) for one in viewer.text]
    (kept,) = line.drill_scores()
    assert (kept["shift"], kept["grade"], kept["missed"]) == (SHIFT, "failed", 1)
    earlier = parts(viewer)["earlier"]
    assert "&lt;b&gt;2&lt;/b&gt;" in earlier
    assert T("drill.grade_failed") in earlier
    assert "19/11/2026" in earlier


def test_an_operator_has_no_button_and_a_forged_deed_is_denied(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = opened()
    monkeypatch.setattr(people, "present", lambda person: replace(person, role="operator", name=HA))
    viewer.button(key="drill_end").click().run()
    assert problems(viewer) == []
    assert line.drill_scores() == []
    assert any(HA in str(one.value) for one in viewer.text), "the refusal names the person"
    assert not [one for one in opened().button if one.key == "drill_end"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_drill_the_page_tells_how_to_start_one(demo_line: Line, serve: Serve, language: str) -> None:
    serve(demo_line)
    shown = parts(opened(language))
    assert "SCENARIO=evening_storm" in shown["how"]
    assert "now" not in shown
    assert Translator(language)("drill.no_earlier") in shown["earlier"] or "<tbody>" in shown["earlier"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_grade_has_its_words(language: str) -> None:
    assert all(f"drill.grade_{grade}" in Translator(language) for grade in GRADES)
