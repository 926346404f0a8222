"""Projects in their order, how firmly they hold it, short beside long term, and what the budget can carry."""

from __future__ import annotations

from typing import Any

from analysis.priorities import Ranked, Ranking
from charts import roadmap as pictures
from core import formats
from core.plans import seen_in
from core.projects import TERMS, Project, ProjectList
from ui import panel, render
from ui.figure import by_key, figure
from ui.frame import Screen
from ui.plan_deeds import age
from ui.render import picture
from ui.views import View


def show(screen: Screen) -> None:
    """The whole view; it is read only: projects and scores are configured, reviewed and kept under versions."""
    view, plans = screen.view(), screen.line.plans
    study, found = plans.ranking(), plans.projects
    ranking = study.value
    rows = [row for row in ranking.rows if seen_in(row.project.areas, screen.person.areas)] if ranking else []
    shown = [_row(view, found, row, len(ranking.rows)) for row in rows] if ranking else []
    panel.panel(
        "roadmap_priorities",
        {
            "priorities": render.html(
                "roadmap_priorities.html",
                view.snapshot,
                view.language,
                view=view,
                rows=shown,
                terms=[
                    (term, sorted((r for r in shown if r["term"] == term), key=lambda r: r["rank_in_term"]))
                    for term in TERMS
                ],
                listed=len(found.projects),
                first=shown[0] if shown else None,
                draws=formats.number(ranking.draws, 0, view.language) if ranking else "",
                seed=ranking.seed if ranking else 0,
                weights=_weights(view, found, ranking) if ranking else [],
                budget=_budget(view, found, ranking) if ranking else None,
                age=age(screen, study),
                why=by_key(
                    [
                        figure(view, "project_score", made_at=study.made_at),
                        figure(
                            view,
                            "project_holds",
                            made_at=study.made_at,
                            draws=formats.number(ranking.draws, 0, view.language),
                            seed=str(ranking.seed),
                        ),
                    ]
                )
                if ranking
                else {},
            )
        },
    )


def _weights(view: View, found: ProjectList, ranking: Ranking) -> list[dict[str, str]]:
    return [
        {
            "name": one.text("name", view.language),
            "about": one.text("about", view.language),
            "weight": formats.percent(100 * ranking.weights[one.key], 0, view.language),
        }
        for one in found.criteria
    ]


def _budget(view: View, found: ProjectList, ranking: Ranking) -> dict[str, Any] | None:
    if ranking.budget is None:
        return None
    language, note = view.language, found.budget_note or {}
    return {
        "budget": formats.number(ranking.budget, 0, language),
        "spent": formats.number(ranking.spent, 0, language),
        "total": formats.number(ranking.total, 0, language),
        "n": sum(row.chosen for row in ranking.rows),
        "draws": ranking.portfolio_draws,
        "note": note.get("en" if language == "en" else "vi", ""),
    }


def _row(view: View, found: ProjectList, row: Ranked, of: int) -> dict[str, Any]:
    project, language = row.project, view.language
    titles = {one.key: one.text("title", language) for one in found.projects}
    item = view.snapshot.catalogue.get(project.indicator)
    span = view.t("roadmap.rank_range", best=row.best, worst=row.worst)
    return {
        "key": project.key,
        "title": project.text("title", language),
        "problem": project.text("problem", language),
        "indicator": item.name(language) if item else "",
        "owner": project.text("owner", language),
        "areas": ", ".join(_area(view, code) for code in project.areas),
        "term": project.term,
        "rank": row.rank,
        "rank_in_term": row.rank_in_term,
        "score": formats.number(row.score, 2, language),
        "holds": _share(view, row.holds),
        "holds_near": _share(view, row.holds_near),
        "holds_unsure": _share(view, row.holds_unsure),
        "range": span,
        "picture": picture(pictures.ranks(row.rank, row.best, row.worst, of, label=span, theme=view.look)),
        "cost": formats.number(project.cost_million_vnd, 0, language),
        "public": formats.number(project.public_million_vnd, 0, language),
        "private": formats.percent(project.private_share_pct, 0, language),
        "money": project.text("money", language),
        "needs": ", ".join(titles[need] for need in project.needs),
        "scattered": row.scattered,
        "no_problem": not project.text("problem", "vi").strip(),
        "no_indicator": not project.indicator,
        "beaten_by": ", ".join(titles[key] for key in row.beaten_by),
        "chosen": row.chosen,
        "chosen_share": "" if row.chosen_share is None else _share(view, row.chosen_share),
        "scores": _scores(view, found, project),
        "beats": [
            (titles[key], _share(view, share)) for key, share in sorted(row.beats.items(), key=lambda pair: -pair[1])
        ],
    }


def _scores(view: View, found: ProjectList, project: Project) -> list[dict[str, str]]:
    language, rows = view.language, []
    for criterion in found.criteria:
        one = project.scores[criterion.key]
        rows.append(
            {
                "name": criterion.text("name", language),
                "value": formats.number(one.value, 1, language),
                "range": f"{formats.number(one.low, 1, language)}–{formats.number(one.high, 1, language)}",
                "reason": one.reason,
                "source": one.source,
            }
        )
    return rows


def _area(view: View, code: str) -> str:
    return str(view.snapshot.city.areas.at[code, "name_en" if view.language == "en" else "name_vi"])


def _share(view: View, share: float) -> str:
    """Whole per cent, never rounded up to «always» or down to «never»."""
    if 0 < share < 0.005:
        return f"< {formats.percent(1, 0, view.language)}"
    if 0.995 <= share < 1:
        return f"> {formats.percent(99, 0, view.language)}"
    return formats.percent(100 * share, 0, view.language)
