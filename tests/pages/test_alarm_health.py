"""On the health page: a stormy evening is told as it was, for each position and each rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from alerts.trial import Cure, Trial
from core.access import Person
from core.alert import Alert, AlertEvent
from core.i18n import Translator
from core.ledger import Outcome
from pipeline import Line
from tests.conftest import EVENING
from tests.pages.conftest import FLOOD, RAIN, copy_of
from tests.pages.reading import open_page, parts, problems
from ui import people

Serve = Callable[[Line], Line]
T = Translator("vi")
HA = "Nguyễn Thị Minh Hà"
JAMS = 14


def event(minutes_ago: float, deed: str, key: tuple[str, str], after: str = "UNACK", **more: Any) -> AlertEvent:
    given = {"priority": "medium", "state_before": "NORM", "actor": "engine"} | more
    at = EVENING - timedelta(minutes=minutes_ago)
    return AlertEvent(happened_at=at, rule=key[0], site_id=key[1], state_after=after, deed=deed, **given)


@pytest.fixture(scope="module")
def stormy_line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """An evening with a flood of fourteen jams within seven minutes, one acknowledged alert, and one shelved."""
    line = copy_of(demo_line, tmp_path_factory.mktemp("storm") / "storm.duckdb")
    jams = [event(120 - place / 2, "raise", ("congestion_segment", f"road_{place:02}")) for place in range(JAMS)]
    rain = [event(60, "raise", RAIN, priority="high"), event(52, "acknowledge", RAIN, "ACKED", actor=HA)]
    water = Alert(rule=FLOOD[0], site_id=FLOOD[1], active=True, hidden="SHLVD", priority="high", raised_at=EVENING)
    line.change(lambda _: Outcome([water], [*jams, *rain]))
    line.clock.advance(timedelta(minutes=6))
    line.run_once()
    yield line
    line.stop()


@pytest.fixture
def line(stormy_line: Line, serve: Serve) -> Line:
    return serve(stormy_line)


def opened(language: str = "vi", **query: str) -> AppTest:
    viewer = open_page("alarm_health", language, **query).run()
    assert problems(viewer) == []
    return viewer


def row(viewer: AppTest, figure: str) -> str:
    """The line of one figure in the table."""
    return parts(viewer)["figures"].split(f'data-figure="{figure}"')[1].split("</tr>")[0]


def test_the_figures_stand_beside_their_targets_and_sources(line: Line) -> None:
    viewer = opened()
    assert "EEMUA 191" in row(viewer, "rate")
    assert T("alarm_health.target_peak") in row(viewer, "peak")
    assert T("alarm_health.verdict_over") in row(viewer, "peak"), "fourteen in ten minutes"
    assert ">14<" in row(viewer, "peak")
    assert "p90" in row(viewer, "ack")
    assert T("alarm_health.still_open", n="14") in row(viewer, "ack"), "nobody has answered the jams"
    assert ">1<" in row(viewer, "shelved")


def test_the_worst_are_named_and_the_flood_has_a_first_out(line: Line) -> None:
    worst = parts(opened())["worst"]
    assert line.snapshot.rules["congestion_segment"].title["vi"] in worst
    assert worst.split(T("alarm_health.floods"))[1].count("<tr><td>") >= 1
    assert T("alarm_health.no_floods") not in worst


def test_a_position_shows_its_own_load(line: Line) -> None:
    month = line.alarm_health()
    assert month is not None
    seats = [one.key for one in month.positions if one.key]
    assert seats, "the demo city has positions"
    quiet = next(one.key for one in month.positions if one.key and not one.figure("rate").n)
    shown = parts(opened(position=quiet))["worst"]
    assert T("alarm_health.no_floods") in shown
    assert T("alarm_health.quiet") in shown
    viewer = opened()
    names = viewer.selectbox(key="alarm_position").options
    assert line.desk.roster.positions[0].name_vi in names, "a position has a name, not a key"


def test_the_address_restores_the_choice_and_survives_nonsense(line: Line) -> None:
    viewer = opened(span="month", rule="heavy_rain")
    assert viewer.selectbox(key="alarm_rule_choice").value == "heavy_rain"
    assert viewer.segmented_control(key="alarm_span").value == "month"
    assert "10 phút đông nhất" in "\n".join(str(one.value) for one in viewer.markdown)
    opened(span="century", position="nobody", rule="gone")


def test_one_rule_tells_how_long_and_how_soon(line: Line) -> None:
    history = parts(opened(rule="heavy_rain"))["history"]
    assert T("alarm_health.after", span="8 phút") in history
    assert T("alarm_health.ongoing") in history
    assert T("priority.high") in history


class Job:
    """A trial that is where the test wants it."""

    def __init__(self, *, done: bool = True, result: Trial | None = None, cure: Cure | None = None) -> None:
        self.done, self.progress, self.result, self.cure, self.error = done, 0.4, result, cure, ""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The questions that pages put to the line; every answer is still being computed."""
    questions: list[tuple[str, int]] = []

    def trial(self: Line, rule_key: str, days: int, changes: Any = None) -> Job:
        questions.append((rule_key, days))
        return Job(done=False)

    monkeypatch.setattr(Line, "trial", trial)
    return questions


def test_a_cure_is_computed_only_when_somebody_asks(line: Line, asked: list[tuple[str, int]]) -> None:
    viewer = opened(rule="heavy_rain")
    assert asked == []
    viewer.button(key="ask_cure:heavy_rain").click().run()
    assert problems(viewer) == []
    assert set(asked) == {("heavy_rain", 30)}


def test_a_person_who_may_not_try_rules_is_not_asked_to(
    line: Line, asked: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "present", lambda person: replace(person, role="viewer"))
    viewer = opened(rule="heavy_rain")
    assert not [one for one in viewer.button if str(one.key).startswith("ask_cure")]


def test_places_of_other_areas_are_counted_but_not_named(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    home = line.city.area_of(RAIN[1])
    scoped = Person(account="x", name=HA, role="operator", areas=frozenset({home}))
    monkeypatch.setattr(people, "present", lambda _: scoped)
    viewer = opened(rule="heavy_rain")
    worst = parts(viewer)["worst"]
    assert T("alarm_health.elsewhere") in worst
    assert T("alarm_health.scoped") in parts(viewer)["figures"]
    foreign = [site for site in line.city.sites.index if line.city.area_of(site) not in ("", home)]
    assert foreign
    assert [name for site in foreign if (name := line.city.site_name(site, "vi")) in worst] == []
    assert line.city.site_name(RAIN[1], "vi") in parts(viewer)["history"]


def test_before_the_first_cycle_there_are_no_figures(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "alarm_health", lambda self: None)
    viewer = opened()
    assert T("alarm_health.not_yet") in [str(one.value) for one in viewer.info]
