"""The decision log: screen seen, decision, task, and what the indicator was 30, 60 and 90 days later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from analysis.progress import After
from control.plans import EXPORT, RECORD, KnownDecision
from core import formats
from core.access import may
from core.safe_csv import safe_csv
from ui import panel, render
from ui.decide import decide
from ui.figure import figure
from ui.frame import Screen
from ui.plan_deeds import age, day
from ui.views import View

ALL = ""


def show(screen: Screen) -> None:
    """Filters, the log, its export, and the entry for whoever may decide."""
    view, t = screen.view(), screen.t
    study = screen.line.plans.decisions(screen.person.areas)
    log: Sequence[KnownDecision] = study.value or []
    with st.container(key="roadmap_decision_bar", horizontal=True, gap="small", vertical_alignment="bottom"):
        pages = sorted({one.decision.page for one in log})
        page = st.selectbox(
            t("decide.filter_page"),
            [ALL, *pages],
            format_func=lambda key: _page(view, key) if key else t("decide.all"),
            key="roadmap_decision_page",
        )
        words = st.text_input(t("decide.filter_text"), max_chars=80, key="roadmap_decision_text")
        if may(screen.person, RECORD):
            decide(screen, seen=t("decide.seen_log", n=len(log)), answered=False)
        shown = [one for one in log if _fits(one, str(page or ALL), words)]
        if shown and may(screen.person, EXPORT):
            st.download_button(
                t("word.download"),
                safe_csv(_export(view, shown)),
                file_name=f"{view.snapshot.city.key}-decisions.csv",
                mime="text/csv",
                key="roadmap_decision_csv",
                on_click=screen.line.audit,
                args=(screen.person, EXPORT, "decisions", "done", f"{len(shown)}"),
            )
    panel.panel(
        "roadmap_decisions",
        {
            "decisions": render.html(
                "roadmap_decisions.html",
                view.snapshot,
                view.language,
                view=view,
                rows=[_row(view, one) for one in shown],
                total=len(log),
                age=age(screen, study),
                why=figure(view, "decision_after", made_at=study.made_at),
            )
        },
    )


def _page(view: View, key: str) -> str:
    return view.t(f"page.{key}") if f"page.{key}" in view.t else key


def _fits(one: KnownDecision, page: str, words: str) -> bool:
    text = f"{one.decision.id} {one.decision.text} {one.decision.seen} {one.decision.made_by}".casefold()
    return (not page or one.decision.page == page) and words.strip().casefold() in text


def _row(view: View, one: KnownDecision) -> dict[str, Any]:
    made, language = one.decision, view.language
    item = view.snapshot.catalogue.get(made.indicator)

    def said(value: float | None, *, signed: bool = False) -> str:
        if item is None or value is None:
            return formats.DASH
        unit = item.unit_label(language)
        text = formats.number(value, item.decimals + 1, language, signed=signed)
        return f"{text}%" if unit == "%" else f"{text} {unit}".strip()

    return {
        "id": made.id,
        "at": f"{formats.day(made.made_at, view.zone, language)} {formats.clock(made.made_at, view.zone)}",
        "by": made.made_by,
        "text": made.text,
        "page": _page(view, made.page),
        "link": made.link if made.link.startswith("/") and not made.link.startswith("//") else "",
        "number": made.snapshot,
        "seen_at": formats.moment(made.seen_at, view.now, view.zone),
        "seen": made.seen,
        "task": one.task.task.title if one.task else "",
        "task_key": made.task,
        "task_state": one.task.task.state if one.task else "",
        "task_late": formats.number(one.task.late, 0, language) if one.task and one.task.late else "",
        "indicator": item.name(language) if item else "",
        "site": view.snapshot.city.site_name(made.site_id, language) if made.site_id else "",
        "value": said(made.value),
        "usual": view.t("decide.usual", low=said(made.usual_low), high=said(made.usual_high))
        if made.usual_low is not None
        else view.t("decide.no_usual"),
        "after": [_after(view, after, said) for after in one.after],
    }


def _after(view: View, after: After, said: Any) -> dict[str, Any]:
    state = "waits" if not after.come else "lacking" if after.value is None else "there"
    usual = "" if after.unusual is None else "unusual" if after.unusual else "as_usual"
    return {
        "days": after.days,
        "due": day(after.due, view.language),
        "state": state,
        "value": said(after.value),
        "change": said(after.change, signed=True) if after.change is not None else "",
        "n": after.n,
        "usual": usual,
    }


def _export(view: View, shown: Sequence[KnownDecision]) -> pd.DataFrame:
    """One row per decision; the note that a change is no proof goes with it, and that data are simulated."""
    note = view.t("decide.no_proof")
    if view.snapshot.city.simulated:
        note = f"{view.t('mark.simulated')}. {note}"
    rows = []
    for one in shown:
        made = one.decision
        row: dict[str, Any] = {
            "id": made.id,
            "made_at": made.made_at.isoformat(),
            "made_by": made.made_by,
            "page": made.page,
            "link": made.link,
            "snapshot": made.snapshot,
            "seen_at": made.seen_at.isoformat(),
            "seen": made.seen,
            "decision": made.text,
            "task": made.task,
            "task_state": one.task.task.state if one.task else "",
            "indicator": made.indicator,
            "site_id": made.site_id,
            "value_then": made.value,
            "usual_low_then": made.usual_low,
            "usual_high_then": made.usual_high,
        }
        for days in (30, 60, 90):
            after = next((known for known in one.after if known.days == days), None)
            row[f"value_{days}d"] = after.value if after else None
            row[f"days_with_values_{days}d"] = after.n if after else None
        rows.append(row | {"note": note})
    return pd.DataFrame(rows)
