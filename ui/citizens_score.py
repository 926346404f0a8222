"""«Điểm QĐ 766»: recomputed beside published, what costs points and how many files lack, and jumps that are no news."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from analysis.qd766 import FORMULAS_AS_OF, PARTS, SAME, Group, Mark, Points, Unit
from control.casework import ScoreBoard
from control.studies import Study
from core import formats
from core.formats import DASH
from ui import panel, render
from ui.citizens_cases import head
from ui.figure import figure
from ui.frame import Screen
from ui.views import View

MAX_POINTS = 100.0


def score(screen: Screen) -> None:
    """The whole view."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view, areas = screen.view(), screen.person.areas
        study = screen.line.casework.scores(areas)
        key = ("score766", screen.language, areas, study.made_at, study.busy, study.problem)
        parts = render.shared(key, screen.snapshot, lambda: {"board": _board(view, study)})
        panel.panel("score_board", parts)
        board = study.value
        if board is None or not board.units:
            return
        names = {one.unit: view.snapshot.city.site_name(one.unit, view.language) for one in board.units}
        with st.container(key="score_choice", border=True):
            chosen = st.selectbox(
                screen.t("score766.choose"), list(names), format_func=lambda key: names.get(key, key), key="score_unit"
            )
        unit = next(one for one in board.units if one.unit == chosen)
        panel.panel("score_unit_panel", {"unit": _unit(view, board, unit, names[unit.unit], study.made_at)})

    region()


def _board(view: View, study: Study[ScoreBoard]) -> str:
    board, values = study.value, {}
    if board is not None:
        values = {
            "period": period(board.period_end, view),
            "rows": [_row(view, board, unit) for unit in board.units],
            "groups": [
                {"key": group.key, "max": formats.number(_whole(group.key), 0, view.language)}
                for group in board.units[0].groups
            ]
            if board.units
            else [],
            "marks": [mark_words(view, board, mark) for mark in board.marks],
            "counts_from": board.counts_from,
            "as_of": f"{FORMULAS_AS_OF:%d/%m/%Y}",
            "why": figure(
                view, "score766", made_at=study.made_at, file=board.counts_from, as_of=f"{FORMULAS_AS_OF:%d/%m/%Y}"
            ),
        }
    return render.html(
        "citizens_score.html", view.snapshot, view.language, view=view, head=head(view, study), board=board, **values
    )


def _whole(group: str) -> float:
    return sum(part.max for part in PARTS if part.group == group) or MAX_POINTS


def period(end: datetime, view: View) -> str:
    """«10/2026»: the month whose last day that midnight ends."""
    return (end.astimezone(view.zone) - timedelta(seconds=1)).strftime("%m/%Y")


def _row(view: View, board: ScoreBoard, unit: Unit) -> dict[str, Any]:
    rank = next((place for place, one in board.ranks if one.unit == unit.unit), None)
    marked = any(one.unit == unit.unit and one.at == board.period_end for one in board.marks)
    return {
        "name": view.snapshot.city.site_name(unit.unit, view.language),
        "rank": "" if rank is None else f"{rank}/{board.ranked}",
        "marked": marked,
        "groups": [_group(view, one) for one in unit.groups],
    }


def _group(view: View, group: Group) -> dict[str, Any]:
    difference = group.difference
    return {
        "key": group.key,
        "published": formats.number(group.published, 2, view.language),
        "points": formats.number(group.points, 2, view.language)
        if group.points is not None
        else view.t("score766.at_least", n=formats.number(group.known, 2, view.language)),
        "difference": "" if difference is None else formats.number(difference, 2, view.language, signed=True),
        "odd": difference is not None and abs(difference) > SAME + 1e-9,
        "why": view.t(f"score766.why_{group.why}", n=group.unknown),
        "same": group.why == "same",
    }


def mark_words(view: View, board: ScoreBoard, mark: Mark) -> dict[str, str]:
    """A jump in words: who, from where to where, and what happened to the data then."""
    day = mark.happened_at.astimezone(view.zone).date()
    told = board.repairs.get((mark.unit, day)) or view.t(f"score766.cause_{mark.cause}")
    return {
        "name": view.snapshot.city.site_name(mark.unit, view.language),
        "before": formats.number(mark.before, 2, view.language),
        "after": formats.number(mark.after, 2, view.language),
        "period": period(mark.at, view),
        "on": f"{day:%d/%m/%Y}",
        "told": told,
    }


def _unit(view: View, board: ScoreBoard, unit: Unit, name: str, made_at: datetime | None) -> str:
    lost = formats.number(sum(one.lost for one in unit.losses), 2, view.language)
    history = board.history[board.history["unit"] == unit.unit].sort_values("time")
    return render.html(
        "citizens_losses.html",
        view.snapshot,
        view.language,
        view=view,
        name=name,
        period=period(board.period_end, view),
        losses=[_loss(view, one) for one in unit.losses],
        others=[_special(view, one) for one in unit.parts if one.status != "counted"],
        lost=lost,
        history=[
            {
                "period": period(row["time"].to_pydatetime(), view),
                "value": formats.number(row["value"], 2, view.language),
            }
            for row in history.to_dict("records")
        ],
        marks=[mark_words(view, board, one) for one in board.marks if one.unit == unit.unit],
        why=figure(view, "score766_lost", lost, made_at=made_at, file=board.counts_from),
    )


def _loss(view: View, one: Points) -> dict[str, Any]:
    counts = [formats.number(each, 0, view.language) for each in (one.numerator, one.denominator)]
    ratio = 100.0 * one.numerator / one.denominator if one.denominator and one.numerator is not None else None
    return {
        "part": view.t(f"score766.part_{one.part.key}"),
        "group": view.t(f"score766.group_{one.part.group}"),
        "lost": formats.number(one.lost, 2, view.language),
        "points": formats.number(one.points, 2, view.language),
        "max": formats.number(one.part.max, 0, view.language),
        "width": 100.0 * one.lost / one.part.max,
        "counts": f"{counts[0]} / {counts[1]}",
        "ratio": formats.percent(ratio, 1, view.language),
        "full": formats.percent(100.0 * one.part.full, 0, view.language),
        "cause": view.t("score766.no_rating_cause")
        if one.status == "no_rating"
        else view.t(
            "score766.short",
            n=formats.number(one.short, 0, view.language),
            what=view.t(f"score766.of_{one.part.counts}"),
        ),
    }


def _special(view: View, one: Points) -> dict[str, str]:
    return {
        "part": view.t(f"score766.part_{one.part.key}"),
        "words": view.t(f"score766.status_{one.status}"),
        "points": DASH if one.points is None else formats.number(one.points, 2, view.language),
    }
