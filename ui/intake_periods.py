"""Who has delivered what: the list of what is late, and the periods of one form by unit. Every entry can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from core import formats, forms
from core.forms import LATE, WAITING, Form, Period
from ui import panel, render
from ui.frame import Screen
from ui.intake_choice import Cell, Choice, cells, pick
from ui.views import View

LATE_SHOWN = 12
PANEL = "intake_state"


def overview(screen: Screen, known: Sequence[Form], choice: Choice) -> None:
    """Both panels; a click or Enter on an entry chooses its form, unit and period."""
    view = screen.view()
    found = cells(screen, choice.form)
    panel.panel(PANEL, {"late": _late(screen, view, known), "matrix": _matrix(view, choice, found)}, _picked)


def _picked() -> None:
    deed = getattr(st.session_state.get(PANEL), "deed", None)
    if isinstance(deed, dict) and deed.get("deed") == "pick":
        pick(*(str(deed.get(name, "")) for name in ("form", "unit", "period")))


def _late(screen: Screen, view: View, known: Sequence[Form]) -> str:
    waiting = [
        (forms.due_at(form, cell.unit, cell.period, view.zone), form, cell)
        for form in known
        for row in cells(screen, form)
        for cell in row
        if cell.state == LATE
    ]
    rows = [
        {
            "unit": view.snapshot.city.site_name(cell.unit, view.language),
            "form": form.title(view.language),
            "form_key": form.key,
            "code": cell.unit,
            "period": cell.period.label,
            "day": cell.period.first.isoformat(),
            "span": formats.duration(view.now - due, view.language),
        }
        for due, form, cell in sorted(waiting, key=lambda one: (one[0], one[1].key, one[2].unit))
    ]
    return render.html(
        "intake_late.html",
        view.snapshot,
        view.language,
        glyph=view.glyph("medium", "UNACK", 18),
        rows=rows[:LATE_SHOWN],
        count=len(rows),
        hidden=max(len(rows) - LATE_SHOWN, 0),
    )


def _matrix(view: View, choice: Choice, found: Sequence[Sequence[Cell]]) -> str:
    form = choice.form
    rows = [
        {
            "unit": view.snapshot.city.site_name(row[0].unit, view.language),
            "code": row[0].unit,
            "cells": [_cell(view, choice, cell) for cell in row],
        }
        for row in found
    ]
    return render.html(
        "intake_matrix.html",
        view.snapshot,
        view.language,
        title=form.title(view.language),
        form=form.key,
        owner=form.owner,
        periods=[_short(cell.period) for cell in found[0]],
        rows=rows,
        glyph=view.glyph("medium", "UNACK", 18),
    )


def _cell(view: View, choice: Choice, cell: Cell) -> dict[str, Any]:
    due = forms.due_at(choice.form, cell.unit, cell.period, view.zone)
    newest = cell.versions[0] if cell.versions else None
    if newest is not None:
        nothing = newest.missing == newest.row_count
        more = f"v{newest.version} · {view.t('intake.no_value') if nothing else _day(newest.delivered_at, view)}"
        said = view.t("intake.by", who=newest.delivered_by)
    elif cell.state in (LATE, WAITING):
        more = view.t("intake.due", at=f"{due.astimezone(view.zone):%d/%m %H:%M}")
        said = ""
    else:
        more = said = ""
    return {
        "state": cell.state,
        "word": view.t(f"intake.state_{cell.state}"),
        "more": more,
        "who": said,
        "day": cell.period.first.isoformat(),
        "label": cell.period.label,
        "chosen": (cell.unit, cell.period) == (choice.unit, choice.period),
    }


def _short(period: Period) -> str:
    return f"{period.first:%m/%Y}" if period.is_month else f"{period.first:%d/%m}"


def _day(moment: datetime, view: View) -> str:
    return f"{moment.astimezone(view.zone):%d/%m}"
