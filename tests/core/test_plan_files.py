"""Plans as files: the curve, working days, circles, and what is refused with its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import indicators
from core.config import City, load_city
from core.errors import ConfigError, InputError
from core.maturity import load_answers, load_documents
from core.plans import (
    Target,
    Task,
    blocked_by,
    check_circle,
    load_targets,
    planned,
    reached_on,
    seen_in,
    working_days_late,
    working_days_left,
)
from core.projects import load_projects, read_projects

CATALOGUE = indicators.catalogue()


def city_with(tmp_path: Path, name: str, text: str) -> City:
    """The demo city with one file of plans of its own."""
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / name).write_text(text, encoding="utf-8")
    return replace(load_city("demo"), folder=tmp_path)


def online_share() -> Target:
    """74 % at the end of 2025, 83 % a year later, 90 % at the end of 2027."""
    return next(one for one in load_targets(load_city("demo"), CATALOGUE).targets if one.key == "online_share_2027")


def test_the_plan_goes_straight_between_its_points_and_stays_at_the_target() -> None:
    target = online_share()
    assert planned(target, date(2025, 12, 30)) is None, "before the baseline nothing was planned"
    assert planned(target, date(2025, 12, 31)) == 74.0
    assert planned(target, date(2026, 7, 1)) == pytest.approx(74 + 9 * 182 / 365)
    assert planned(target, date(2026, 12, 31)) == 83.0
    assert planned(target, date(2029, 1, 1)) == 90.0


def test_the_day_on_which_the_plan_has_a_value() -> None:
    target = online_share()
    assert reached_on(target, 83.0) == date(2026, 12, 31)
    assert reached_on(target, 86.5) == date(2027, 7, 1), "half of the second stretch: 182 of 365 days"
    assert reached_on(target, 70.0) is None, "worse than where it began"
    assert reached_on(target, 95.0) == date(2027, 12, 31)


def test_a_falling_target_is_read_downwards() -> None:
    pm25 = next(one for one in load_targets(load_city("demo"), CATALOGUE).targets if one.key == "pm25_25")
    assert pm25.better == "down"
    assert reached_on(pm25, 40.0) is None
    assert reached_on(pm25, 29.0) == date(2027, 7, 2)


def test_days_over_tet_are_not_working_days() -> None:
    """Tet 2027 is 6 February; the holidays of 2027 reach from Friday 5 to Tuesday 9 or longer with substitute days."""
    assert working_days_late(date(2027, 2, 4), date(2027, 2, 8)) == 0
    assert working_days_late(date(2026, 11, 13), date(2026, 11, 22)) == 5, "Friday to Sunday of the next week"
    assert working_days_late(date(2026, 11, 20), date(2026, 11, 20)) == 0
    assert working_days_left(date(2026, 11, 27), date(2026, 11, 20)) == 4, "24 November is a holiday since 2026"


def test_a_circle_is_told_by_its_names() -> None:
    with pytest.raises(InputError, match="b → c → d → b"):
        check_circle({"a": ("b",), "b": ("c",), "c": ("d",), "d": ("b",)})
    with pytest.raises(InputError, match="a needs z"):
        check_circle({"a": ("z",)})
    check_circle({"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()})


def test_a_task_waits_until_what_it_needs_is_done_and_not_only_dropped() -> None:
    first = Task(task="a", version=1, title="A", unit="U", due=None, state="dropped")
    second = Task(task="b", version=1, title="B", unit="U", due=None, state="open", needs=("a",))
    assert blocked_by(second, {"a": first, "b": second}) == ("a",)
    assert blocked_by(second, {"a": replace(first, state="done"), "b": second}) == ()


def test_a_person_of_a_ward_sees_what_touches_the_ward_and_not_the_whole_city() -> None:
    assert seen_in((), None)
    assert not seen_in((), frozenset({"90001"}))
    assert seen_in(("90001", "90002"), frozenset({"90001"}))
    assert not seen_in(("90002",), frozenset({"90001"}))


TARGET = """
[[target]]
key = "a"
title_vi = "A"
title_en = "A"
indicator = "vn_aqi"
site = "air_01"
baseline = 100
baseline_day = 2026-01-01
value = 50
due = 2027-01-01
legal_ref = "Kế hoạch"
legal_status = "own"
owner_vi = "X"
owner_en = "X"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"vn_aqi"', '"happiness"', "indicator 'happiness' is not in the catalogue"),
        ('"air_01"', '"air_99"', "site 'air_99'"),
        ('"own"', '"valid"', "legal_status 'valid'"),
        ("due = 2027-01-01", "due = 2025-01-01", "must follow one another"),
        ("baseline = 100\n", "", "go together"),
        ('owner_vi = "X"', 'owner_vi = "X"\nower_en = "Y"', "unknown key ower_en"),
        ('site = "air_01"', 'site = "*"', "give over_days"),
    ],
)
def test_a_wrong_target_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    city = city_with(tmp_path, "targets.toml", TARGET.replace(old, new))
    with pytest.raises(ConfigError, match=said) as refused:
        load_targets(city, CATALOGUE)
    assert "[[target]] number 1" in str(refused.value)


def test_tasks_in_a_circle_stop_the_start(tmp_path: Path) -> None:
    task = '[[task]]\nkey = "{a}"\ntitle = "T"\nunit = "U"\nneeds = ["{b}"]\n'
    city = city_with(tmp_path, "targets.toml", task.format(a="x", b="y") + task.format(a="y", b="x"))
    with pytest.raises(ConfigError, match="x → y → x"):
        load_targets(city, CATALOGUE)


@pytest.mark.parametrize("key", ["demo", "bac_giang"])
def test_the_shipped_plans_can_be_read_in_both_languages(key: str) -> None:
    city = load_city(key)
    plan, projects = load_targets(city, CATALOGUE), load_projects(city, CATALOGUE)
    assert len(plan.targets) >= 6
    for one in plan.targets:
        assert all([one.text("title", "vi"), one.text("title", "en"), one.legal_ref])
    gone = [one for one in plan.targets if one.legal_status == "object_gone"]
    assert gone
    assert all(one.lapsed and "01/07/2025" in one.text("legal_note", "vi") for one in gone)
    assert bool(projects.projects) == (key == "demo"), "no project is made up for a real city"


def test_a_score_without_reason_or_source_is_refused(tmp_path: Path) -> None:
    text = (load_city("demo").folder / "plans" / "projects.toml").read_text(encoding="utf-8")
    path = tmp_path / "projects.toml"
    first = next(line for line in text.splitlines() if line.startswith("impact = {"))
    path.write_text(text.replace(first, 'impact = { value = 7, reason = " ", source = "x" }', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="a score needs its reason and its source"):
        read_projects(path)
    path.write_text(text.replace(first, 'impact = { value = 11, reason = "r", source = "x" }', 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="between 0 and 10"):
        read_projects(path)


def test_texts_without_their_annex_list_no_criterion() -> None:
    documents = load_documents()
    assert len(documents) >= 5
    missing = [one for one in documents if one.annex == "missing"]
    assert {"6862/BXD-PTĐT"} <= {one.code for one in missing}
    assert all(not one.criteria and "chưa có" in one.text("note", "vi") for one in missing)


def test_an_answer_yes_needs_evidence_on_a_screen_that_exists(tmp_path: Path) -> None:
    answer = '[[answer]]\ncriterion = "1_nd269.encryption"\nanswer = "yes"\nby = "A"\non = 2026-11-01\n'
    city = city_with(tmp_path, "maturity.toml", answer)
    with pytest.raises(ConfigError, match="needs evidence"):
        load_answers(city, load_documents())
    proof = 'evidence = [{ text_vi = "x", text_en = "x", screen = "castle" }]\n'
    (tmp_path / "plans" / "maturity.toml").write_text(answer + proof, encoding="utf-8")
    with pytest.raises(ConfigError, match="no screen 'castle'"):
        load_answers(city, load_documents())
    (tmp_path / "plans" / "maturity.toml").write_text(answer.replace("encryption", "backup") + proof, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"castle|answered by the house"):
        load_answers(city, load_documents())
