"""Which projects first: a weighted sum, how far its order hangs on the weights and scores, and what a budget can carry.

Scores are 0 … 10 as given, 10 is good; they are not stretched to the list's own lowest and highest, because then adding
a poor project would change the order of the others. Weights are divided by their sum. The order is tried on 10,000
weightings drawn evenly from all there are (Dirichlet with every parameter 1), so nobody can have chosen them, and on as
many near the city's own (Dirichlet with mean w and concentration 50: a weight of 0,25 moves by about 0,06). In a third
round scores are drawn too, from triangles between low and high. The portfolio is the exact best sum of scores whose
public money fits the budget, dependencies carried along (mixed integer programme, HiGHS); scattered projects stay out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]
from scipy.stats import rankdata  # type: ignore[import-untyped]

from core.errors import InputError
from core.plans import check_circle
from core.projects import DRAWS, Project, ProjectList

NEAR = 50.0  # concentration of the weightings near the city's own
RANGE_PCT = (5.0, 95.0)  # of ranks, over weightings and scores
PORTFOLIO_DRAWS = 200  # an exact portfolio each: enough for a share to about ±7 points
CHEAPER = 1e-7  # per million VND: of two portfolios with one sum the cheaper one
Floats = npt.NDArray[np.float64]
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One project in the order. Shares are 0 … 1 of the drawn weightings."""

    project: Project
    score: float  # 0 … 10
    rank: int  # 1 is first; equal scores share the better one
    holds: float  # keeps this rank in so many of all weightings, scores as given
    holds_near: float  # the same near the city's own weights
    holds_unsure: float  # weightings and scores drawn
    best: int  # 5 % and 95 % of its ranks, weightings and scores drawn
    worst: int
    beats: Mapping[str, float]  # key of another: in how many draws of weightings and scores it lies before it
    beaten_by: tuple[str, ...]  # at least as good by every criterion, better by one: no weighting helps
    chosen: bool  # in the portfolio
    chosen_share: float | None  # in so many portfolios of drawn weightings; None without a budget
    scattered: bool
    rank_in_term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The whole list, best first."""

    rows: tuple[Ranked, ...]
    weights: Mapping[str, float]  # divided by their sum
    draws: int
    seed: int
    budget: float | None
    spent: float  # public money of the portfolio
    total: float  # its money from everywhere
    portfolio_draws: int


def rank(found: ProjectList, *, draws: int = DRAWS, tell: Tell = lambda _: None) -> Ranking:
    """Order, sensitivity and portfolio; the same for the same list and seed. Raises InputError for a circle."""
    projects = found.projects
    check_circle({one.key: one.needs for one in projects})
    if not projects:
        return Ranking(
            rows=(), weights={}, draws=draws, seed=found.seed, budget=None, spent=0, total=0, portfolio_draws=0
        )
    weights = np.array([one.weight for one in found.criteria])
    weights = weights / weights.sum()
    given, low, high = (_scores(found, name) for name in ("value", "low", "high"))
    score = given @ weights
    ranks = _ranks(score[None, :])[0]
    rng = np.random.default_rng(found.seed)
    even = rng.dirichlet(np.ones(len(weights)), draws)
    near = rng.dirichlet(np.maximum(NEAR * weights, 1e-3), draws)
    tell(0.1)
    holds = (_ranks(even @ given.T) == ranks).mean(axis=0)
    holds_near = (_ranks(near @ given.T) == ranks).mean(axis=0)
    tell(0.3)
    unsure = np.einsum("dpc,dc->dp", _drawn(rng, low, given, high, draws), even)
    drawn = _ranks(unsure)
    edges = np.percentile(drawn, RANGE_PCT, axis=0, method="nearest").astype(int)
    beats = np.stack([(unsure > unsure[:, [place]]).mean(axis=0) for place in range(len(projects))], axis=1)
    tell(0.5)
    chosen = _portfolio(found, score)
    shares, tries = None, min(PORTFOLIO_DRAWS, draws)
    if found.budget_million_vnd is not None:
        times = np.zeros(len(projects))
        for place in range(tries):
            times += _portfolio(found, unsure[place])
            tell(0.5 + 0.5 * place / tries)
        shares = times / tries
    rows = [
        Ranked(
            project=one,
            score=float(score[place]),
            rank=int(ranks[place]),
            holds=float(holds[place]),
            holds_near=float(holds_near[place]),
            holds_unsure=float((drawn[:, place] == ranks[place]).mean()),
            best=int(edges[0, place]),
            worst=int(edges[1, place]),
            beats={other.key: float(beats[place, to]) for to, other in enumerate(projects) if to != place},
            beaten_by=tuple(
                other.key
                for to, other in enumerate(projects)
                if (given[to] >= given[place]).all() and (given[to] > given[place]).any()
            ),
            chosen=bool(chosen[place]),
            chosen_share=None if shares is None else float(shares[place]),
            scattered=one.scattered,
            rank_in_term=1
            + sum(score[to] > score[place] + 1e-12 for to, other in enumerate(projects) if other.term == one.term),
        )
        for place, one in enumerate(projects)
    ]
    taken = [one for one, is_in in zip(projects, chosen, strict=True) if is_in]
    return Ranking(
        rows=tuple(sorted(rows, key=lambda row: (row.rank, row.project.public_million_vnd, row.project.key))),
        weights={one.key: float(weight) for one, weight in zip(found.criteria, weights, strict=True)},
        draws=draws,
        seed=found.seed,
        budget=found.budget_million_vnd,
        spent=sum(one.public_million_vnd for one in taken),
        total=sum(one.cost_million_vnd for one in taken),
        portfolio_draws=0 if shares is None else tries,
    )


def _scores(found: ProjectList, name: str) -> Floats:
    return np.array(
        [[getattr(one.scores[criterion.key], name) for criterion in found.criteria] for one in found.projects],
        dtype=np.float64,
    )


def _ranks(scores: Floats) -> npt.NDArray[np.int_]:
    """1 is best; equal ones (to 1e-9, which is rounding) share the better rank. One row per draw."""
    return np.asarray(rankdata(-np.round(scores, 9), method="min", axis=1), dtype=int)


def _drawn(rng: np.random.Generator, low: Floats, middle: Floats, high: Floats, draws: int) -> Floats:
    """Scores from triangles; where low and high are one, the score itself."""
    sure = high <= low
    top = np.where(sure, low + 1.0, high)
    found = rng.triangular(low, np.minimum(middle, top), top, size=(draws, *low.shape))
    return np.asarray(np.where(sure, middle, found), dtype=np.float64)


def _portfolio(found: ProjectList, score: Floats) -> npt.NDArray[np.bool_]:
    """Which projects to take: greatest sum of scores within the budget, each only with what it needs."""
    projects, budget = found.projects, found.budget_million_vnd
    if budget is None:
        return np.zeros(len(projects), dtype=bool)
    cost = np.array([one.public_million_vnd for one in projects])
    place = {one.key: number for number, one in enumerate(projects)}
    rows, limits = [cost], [budget + 1e-6]
    for one in projects:
        for need in one.needs:
            row = np.zeros(len(projects))
            row[place[one.key]], row[place[need]] = 1.0, -1.0
            rows.append(row)
            limits.append(0.0)
    most = np.array([0.0 if one.scattered else 1.0 for one in projects])
    solved = milp(
        c=-(score - CHEAPER * cost),
        constraints=LinearConstraint(np.array(rows), ub=np.array(limits)),
        bounds=Bounds(0, most),
        integrality=np.ones(len(projects)),
    )
    if solved.x is None:
        raise InputError(f"the portfolio could not be solved: {solved.message}")
    return np.asarray(solved.x > 0.5)


def as_json(found: Ranking) -> dict[str, Any]:
    """The ranking as plain data: shares 0 … 1, money in million VND."""
    return {
        "draws": found.draws,
        "seed": found.seed,
        "weights": dict(found.weights),
        "portfolio": {
            "budget_million_vnd": found.budget,
            "public_million_vnd": round(found.spent, 6),
            "total_million_vnd": round(found.total, 6),
            "projects": [row.project.key for row in found.rows if row.chosen],
            "draws": found.portfolio_draws,
        },
        "projects": [
            {
                "key": row.project.key,
                "rank": row.rank,
                "score": round(row.score, 4),
                "term": row.project.term,
                "holds_rank": {
                    "all_weightings": row.holds,
                    "near_weights": row.holds_near,
                    "weightings_and_scores": row.holds_unsure,
                },
                "rank_range_90": [row.best, row.worst],
                "before": dict(row.beats),
                "never_before": list(row.beaten_by),
                "scattered": row.scattered,
                "needs": list(row.project.needs),
                "cost_million_vnd": row.project.cost_million_vnd,
                "private_share_pct": row.project.private_share_pct,
                "chosen": row.chosen,
                "chosen_share": row.chosen_share,
            }
            for row in found.rows
        ],
    }  # fmt: skip
