"""On the trial page: a rule is tried on the city's own history, other figures beside it, and nothing is written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from alerts.trial import verdict
from control.trials import TrialJob
from core.i18n import Translator
from pipeline import Line
from tests.pages.conftest import copy_of
from tests.pages.reading import open_page, parts, problems
from ui import people, rule_trial

Serve = Callable[[Line], Line]
T = Translator("vi")
RULE = "congestion_segment"
DAYS = 7
LOUD = {"setpoint:medium": 1.3}  # an ordinary rush hour is above it


@pytest.fixture(scope="module")
def own_line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    line = copy_of(demo_line, tmp_path_factory.mktemp("trial") / "trial.duckdb")
    yield line
    line.stop()


@pytest.fixture
def line(own_line: Line, serve: Serve) -> Line:
    return serve(own_line)


def answered(line: Line, changes: dict[str, float] | None = None) -> TrialJob:
    """The job, when it is done: trials run one after the other, so an empty one behind it is a gate."""
    job = line.trial(RULE, DAYS, changes)
    line._trials._pool.submit(int).result(timeout=120)
    assert job.done
    assert job.error == ""
    return job


def opened(language: str = "vi", **query: str) -> AppTest:
    viewer = open_page("rule_trial", language, **({"rule": RULE, "days": str(DAYS)} | query)).run()
    assert problems(viewer) == []
    return viewer


def tried(viewer: AppTest, changes: dict[str, float]) -> AppTest:
    """Type other figures and send them, as a person does."""
    for name, value in changes.items():
        viewer.number_input(key=f"trial_{name}:{RULE}").set_value(value)
    (send,) = [one for one in viewer.button if one.label == T("rule_trial.try")]
    send.click().run()
    assert problems(viewer) == []
    return viewer


def test_while_history_is_replayed_the_page_waits_in_words(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "trial", lambda *_: TrialJob(rule=RULE, days=DAYS, progress=0.4))
    viewer = opened()
    assert "verdict" not in parts(viewer)
    (bar,) = viewer.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, T("rule_trial.running"))


def test_the_verdict_is_one_sentence_with_the_figures_under_it(line: Line) -> None:
    result = answered(line).result
    assert result is not None
    shown = parts(opened())["verdict"]
    words = verdict(result.rings, DAYS, result.floods, result.chattering, "vi")
    assert words[1:] in shown
    assert words[0].upper() + words[1:4] in shown
    assert T("rule_trial.tried") not in shown, "nothing to compare yet"
    assert T("mark.simulated") in shown


def test_the_picture_has_a_flag_for_every_ring_of_its_place(line: Line) -> None:
    answered(line)
    result = answered(line, LOUD).result
    assert result is not None
    assert len(result.by_site) > 1
    viewer = tried(opened(), LOUD)
    site_id = viewer.selectbox(key=f"trial_site:{RULE}").value
    assert result.by_site[site_id] == max(result.by_site.values()), "the loudest place stands first"
    charts = viewer.get("arrow_vega_lite_chart") or viewer.get("vega_lite_chart")
    assert len(charts) == 2


def test_other_figures_stand_beside_the_rule_and_can_be_copied(line: Line) -> None:
    before, after = answered(line).result, answered(line, LOUD).result
    assert before is not None
    assert after is not None
    assert after.rings > before.rings, "a lower setpoint rings more often"
    viewer = tried(opened(), LOUD)
    shown = parts(viewer)["verdict"]
    assert T("rule_trial.tried") in shown
    assert f'<td class="num">{before.rings}</td><td class="num">{after.rings}</td>' in shown
    assert verdict(after.rings, DAYS, after.floods, after.chattering, "vi")[1:] in shown, "what was tried is told"
    assert "setpoint = 1.3" in "\n".join(str(one.value) for one in viewer.code)
    other = opened()
    assert T("rule_trial.tried") not in parts(other)["verdict"], "a try belongs to the person who made it"


def test_figures_that_a_rule_could_not_hold_are_refused_in_words(line: Line) -> None:
    viewer = tried(opened(), {"deadband": 9999.0})
    line._trials._pool.submit(int).result(timeout=120)
    viewer.run()
    assert problems(viewer) == []
    assert [one for one in viewer.text if str(one.value).startswith(T("rule_trial.failed", why=""))]


def test_a_span_longer_than_history_says_since_when_there_are_data(line: Line) -> None:
    result = line.trial(RULE, 90)
    line._trials._pool.submit(int).result(timeout=120)
    assert result.result is not None
    first = result.result.judged["time"].min().tz_convert(line.city.zone)
    assert f"{first:%d/%m %H:%M}" in parts(opened(days="90"))["verdict"]


def test_who_may_not_try_rules_is_told_so(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Line, "trial", lambda self, key, *_: asked.append(key))
    monkeypatch.setattr(people, "present", lambda person: replace(person, role="auditor"))
    viewer = opened()
    assert T("rule_trial.not_allowed") in [str(one.value) for one in viewer.info]
    assert asked == []


def test_a_rule_about_silence_has_no_figure_to_change(line: Line) -> None:
    missing = next(rule for rule in line.desk.rules if rule.kind == "missing")
    assert rule_trial.stands(missing) == {}
    viewer = opened(rule=missing.key)
    assert T("rule_trial.nothing_to_change") in [str(one.value) for one in viewer.caption]


def test_an_old_link_opens_another_rule(line: Line) -> None:
    opened(rule="gone", days="-1")


# -- what is copied ---------------------------------------------------------------------------------------------------


def test_changed_figures_are_lines_of_a_rule_file(demo_line: Line) -> None:
    rule = next(one for one in demo_line.desk.rules if len(one.levels) == 1 and one.kind == "threshold")
    (level,) = rule.levels
    text = rule_trial.as_toml(rule, {f"setpoint:{level.priority}": 42.5, "off_delay_min": 15})
    assert tomllib.loads(text) == {"setpoint": 42.5, "off_delay_min": 15}


def test_one_changed_level_brings_its_sisters_along(demo_line: Line) -> None:
    """In a rule file the levels stand together: one of them alone would drop the others."""
    rule = next(one for one in demo_line.desk.rules if len(one.levels) > 1 and one.kind == "threshold")
    changed = rule.levels[-1].priority
    read = tomllib.loads(rule_trial.as_toml(rule, {f"setpoint:{changed}": 77, "deadband": 1}))
    assert read["deadband"] == 1
    assert [level["priority"] for level in read["level"]] == [level.priority for level in rule.levels]
    assert [level["setpoint"] for level in read["level"]] == [*(one.setpoint for one in rule.levels[:-1]), 77]


def test_the_page_opens_no_file_for_writing() -> None:
    source = Path(rule_trial.__file__).read_text(encoding="utf-8")
    assert "open(" not in source
    assert "write_" not in source
