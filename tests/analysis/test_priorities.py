"""The order of projects: worked sums, known shares, dominance, and a portfolio checked against every subset."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.priorities import rank
from core.config import load_city
from core.errors import InputError
from core.projects import Criterion, Project, ProjectList, Score

DEMO = load_city("demo").folder / "plans" / "projects.toml"


def project(
    key: str, *scores: float, cost: float = 10.0, needs: tuple[str, ...] = (), spread: float = 0.0, **more: str
) -> Project:
    """A project with one score per criterion, sure or off by `spread`."""
    words = {"title_vi": key, "problem_vi": more.get("problem", "vấn đề")}
    made = {
        f"c{place}": Score(value=one, low=max(one - spread, 0), high=min(one + spread, 10), reason="r", source="s")
        for place, one in enumerate(scores)
    }
    return Project(
        key=key, words=words, indicator=more.get("indicator", "vn_aqi"), term=more.get("term", "short"),
        cost_million_vnd=cost, private_share_pct=0.0, needs=needs, areas=(), scores=made,
    )  # fmt: skip


def listed(*projects: Project, weights: tuple[float, ...] = (1.0, 1.0), budget: float | None = None) -> ProjectList:
    criteria = tuple(Criterion(key=f"c{place}", words={}, weight=one) for place, one in enumerate(weights))
    return ProjectList(criteria=criteria, projects=projects, budget_million_vnd=budget, seed=7)


def test_the_weighted_sum_by_hand() -> None:
    found = rank(listed(project("a", 8, 2), project("b", 4, 10), weights=(3, 1)), draws=200)
    assert [(row.project.key, row.rank, row.score) for row in found.rows] == [("a", 1, 6.5), ("b", 2, 5.5)]
    assert found.weights == {"c0": 0.75, "c1": 0.25}


def test_a_poor_newcomer_does_not_change_the_order_of_the_others() -> None:
    two = [project("a", 8, 2), project("b", 4, 7)]
    before = [row.project.key for row in rank(listed(*two), draws=200).rows]
    after = [
        row.project.key for row in rank(listed(*two, project("c", 0, 0)), draws=200).rows if row.project.key != "c"
    ]
    assert before == after


def test_the_share_of_weightings_is_the_known_one() -> None:
    """a leads while w > 1/3 of 8w + 2(1-w) against 4w + 4(1-w); w is even on 0 … 1, so in two of three weightings."""
    found = rank(listed(project("a", 8, 2), project("b", 4, 4)))
    first = found.rows[0]
    assert first.project.key == "a"
    assert first.holds == pytest.approx(2 / 3, abs=0.02)
    assert first.beats["b"] == pytest.approx(2 / 3, abs=0.02)
    assert first.holds_near > first.holds, "near the chosen weights it is firmer"


def test_who_is_better_by_every_criterion_is_before_whatever_the_weights() -> None:
    found = rank(listed(project("a", 8, 7), project("b", 8, 5)))
    assert found.rows[0].holds == 1.0
    assert found.rows[1].beaten_by == ("a",)
    assert found.rows[0].beaten_by == ()


def test_unsure_scores_widen_the_ranks() -> None:
    sure = rank(listed(project("a", 6, 6), project("b", 5, 5), project("c", 4, 4)))
    unsure = rank(listed(*(project(key, value, value, spread=3) for key, value in (("a", 6), ("b", 5), ("c", 4)))))
    assert (sure.rows[1].best, sure.rows[1].worst) == (2, 2)
    assert (unsure.rows[1].best, unsure.rows[1].worst) == (1, 3)
    assert unsure.rows[0].holds == 1.0
    assert unsure.rows[0].holds_unsure < 0.95


def test_equal_scores_share_the_better_rank() -> None:
    found = rank(listed(project("a", 5, 5), project("b", 5, 5), project("c", 1, 1)), draws=200)
    assert [row.rank for row in found.rows] == [1, 1, 3]


def test_the_same_list_gives_the_same_shares() -> None:
    made = listed(project("a", 8, 2), project("b", 4, 5), budget=10)
    assert rank(made) == rank(made)
    assert rank(made).rows[0].holds != rank(replace(made, seed=8)).rows[0].holds


def best_by_trying(found: ProjectList, score: dict[str, float]) -> float:
    """The greatest sum of scores of any allowed subset."""
    best = 0.0
    for size in range(len(found.projects) + 1):
        for subset in combinations(found.projects, size):
            keys = {one.key for one in subset}
            paid = sum(one.public_million_vnd for one in subset) <= (found.budget_million_vnd or 0)
            if paid and all(set(one.needs) <= keys and not one.scattered for one in subset):
                best = max(best, sum(score[key] for key in keys))
    return best


def test_the_portfolio_is_the_best_of_all_subsets() -> None:
    rng = np.random.default_rng(3)
    for turn in range(12):
        made = [
            project(
                f"p{place}",
                *rng.integers(1, 10, 2).tolist(),
                cost=float(rng.integers(1, 20)),
                needs=(f"p{place - 1}",) if place and rng.random() < 0.4 else (),
                problem="" if rng.random() < 0.15 else "vấn đề",
            )
            for place in range(8)
        ]
        found = listed(*made, budget=float(rng.integers(10, 60)))
        ranking = rank(found, draws=100)
        score = {row.project.key: row.score for row in ranking.rows}
        chosen = [row for row in ranking.rows if row.chosen]
        assert sum(row.score for row in chosen) == pytest.approx(best_by_trying(found, score)), turn
        assert ranking.spent <= (found.budget_million_vnd or 0)


def test_private_money_does_not_use_up_the_budget() -> None:
    half = replace(project("a", 5, 5, cost=20), private_share_pct=50.0)
    found = rank(listed(half, budget=10), draws=100)
    assert found.rows[0].chosen
    assert (found.spent, found.total) == (10.0, 20.0)


def test_a_project_without_problem_or_indicator_is_scattered_and_never_chosen() -> None:
    found = rank(
        listed(project("a", 9, 9, problem=" "), project("b", 8, 8, indicator=""), project("c", 1, 1), budget=100),
        draws=100,
    )
    told = {row.project.key: (row.scattered, row.chosen, row.chosen_share) for row in found.rows}
    assert told == {"a": (True, False, 0.0), "b": (True, False, 0.0), "c": (False, True, 1.0)}


def test_without_a_budget_there_is_no_portfolio() -> None:
    found = rank(listed(project("a", 5, 5)), draws=100)
    assert (found.rows[0].chosen, found.rows[0].chosen_share, found.portfolio_draws) == (False, None, 0)


def test_a_circle_is_refused_by_its_names() -> None:
    with pytest.raises(InputError, match="a → b → a"):
        rank(listed(project("a", 5, 5, needs=("b",)), project("b", 5, 5, needs=("a",))))


def test_short_and_long_term_are_ranked_side_by_side() -> None:
    found = rank(
        listed(
            project("a", 9, 9), project("b", 5, 5, term="long"), project("c", 7, 7), project("d", 3, 3, term="long")
        ),
        draws=100,
    )
    assert {row.project.key: row.rank_in_term for row in found.rows} == {"a": 1, "c": 2, "b": 1, "d": 2}


def test_the_door_gives_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["priorities", "--input", str(DEMO)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["draws"] == 10_000
    first = found["projects"][0]
    assert 0 < first["holds_rank"]["all_weightings"] <= 1
    assert [one["key"] for one in found["projects"] if one["scattered"]] == ["kiosk_lobby"]
    assert found["portfolio"]["public_million_vnd"] <= found["portfolio"]["budget_million_vnd"]


def test_the_door_tells_a_wrong_file_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = DEMO.read_text(encoding="utf-8")
    path = tmp_path / "projects.toml"
    path.write_text(
        text.replace('key = "data_platform"', 'key = "data_platform"\nneeds = ["paperless"]', 1), encoding="utf-8"
    )
    assert main(["priorities", "--input", str(path)]) == 2
    assert "data_platform → paperless → data_platform" in capsys.readouterr().err
    assert main(["priorities", "--input", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
