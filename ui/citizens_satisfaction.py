"""The view «Hài lòng»: the share with its interval, three registers, offices and services, small cells, reasons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from analysis.satisfaction import ENOUGH, LOW_RESPONSE, Share, Unit
from analysis.small_cells import K
from charts import service_picture as pictures
from charts.service_picture import Lane
from control.citizens import Report
from control.studies import Study
from core import formats
from core.formats import DASH
from ui import citizens_links, panel, render
from ui.figure import Figure, by_key, figure
from ui.frame import Screen
from ui.views import View

SCALE_FROM = 0.5  # of the pictures: nobody reads 92 % from 95 % on a scale that begins at nothing
WAITING_S = 2


def view(screen: Screen, ask: Callable[[], Study[Report]]) -> None:
    """The whole view."""
    waiting = bool(st.session_state.get("citizens_waiting"))

    @st.fragment(run_every=WAITING_S if waiting else screen.redraw_s)
    def region() -> None:
        screen.leave_waiting()
        study = ask()
        panel.panel("citizens_satisfaction", {"satisfaction": build(screen.view(), study)})
        follow(study, waiting)

    region()
    citizens_links.desk(screen)


def follow(study: Study[Report], waiting: bool) -> None:
    """Look more often while the first answer is being computed: a fragment's rhythm is set by the page around it."""
    now_waiting = study.value is None and study.busy
    st.session_state["citizens_waiting"] = now_waiting
    if now_waiting != waiting:
        st.rerun()


def state(view: View, study: Study[Report]) -> dict[str, Any]:
    """Of how old and how whole what is shown is, for `citizens_state.html`."""
    return {
        "problem": study.problem,
        "busy": study.busy,
        "progress": formats.percent(100 * study.progress, 0, view.language),
        "made_at": study.made_at,
    }


def period(view: View, report: Report) -> tuple[str, str]:
    """First and last day of a report."""
    last = report.until - pd.Timedelta(microseconds=1)
    return formats.day(report.since, view.zone, view.language), formats.day(last, view.zone, view.language)


def build(view: View, study: Study[Report]) -> str:
    """The HTML of the view."""
    report = study.value
    found: dict[str, Any] = {"state": state(view, study), "report": report, "k": K, "enough": ENOUGH}
    if report is not None:
        since, until = period(view, report)
        table = report.table
        found |= {
            "first": since,
            "last": until,
            "whole": share(view, report.whole, shown=table.total is not None),
            "low_response": report.whole.response is not None and report.whole.response < LOW_RESPONSE,
            "offices": [_row(view, one, report, _said(table.columns, one.key)) for one in report.offices],
            "services": [_row(view, one, report, _said(table.rows, one.key)) for one in report.services],
            "table": _table(report),
            "reasons": report.reasons,
            "sources": _sources(report),
            "why": by_key(_why(view, report, study.made_at)),
        }
    return render.html("citizens_satisfaction.html", view.snapshot, view.language, view=view, **found)


def share(view: View, one: Share, *, shown: bool = True) -> dict[str, Any]:
    """One share in words; what may not be shown leaves dashes."""
    language = view.language
    low, high = one.interval
    bounds = one.unanswered_bounds
    return {
        "shown": shown and one.n > 0,
        "enough": one.enough,
        "value": _percent(one.value, language) if shown else DASH,
        "low": _percent(low, language),
        "high": _percent(high, language),
        "n": formats.number(one.n, 0, language),
        "asked": formats.number(one.asked, 0, language),
        "response": _percent(one.response, language),
        "worst": _percent(bounds[0], language) if bounds else "",
        "best": _percent(bounds[1], language) if bounds else "",
    }


def satisfied(view: View, report: Report, made_at: datetime | None) -> Figure:
    """The drawer of the share that is satisfied."""
    whole = share(view, report.whole, shown=report.table.total is not None)
    n, enough, k = (formats.number(one, 0, view.language) for one in (report.whole.n, ENOUGH, K))
    hidden = view.t("citizens.under_k", k=k)
    return figure(
        view,
        "satisfied_share",
        whole["value"],
        made_at=made_at,
        sample=view.t("figure.answers", n=n) if whole["shown"] else hidden,
        interval=f"{whole['low']} – {whole['high']}" if whole["shown"] else hidden,
        n=enough,
        k=k,
    )


def _why(view: View, report: Report, made_at: datetime | None) -> list[Figure]:
    """The drawers of this view; a number that is hidden is hidden in its drawer too."""
    t = view.t
    whole = share(view, report.whole, shown=report.table.total is not None)
    said = whole["shown"]
    n, enough, k = (formats.number(one, 0, view.language) for one in (report.whole.n, ENOUGH, K))
    low = formats.percent(100 * LOW_RESPONSE, 0, view.language)
    bounds = f"{whole['worst']} – {whole['best']}" if said and whole["worst"] else ""
    asked = t("citizens.answered_of", n=whole["n"], asked=whole["asked"])
    known = said and report.whole.response is not None
    return [
        satisfied(view, report, made_at),
        figure(
            view,
            "response_rate",
            whole["response"] if said else DASH,
            made_at=made_at,
            sample=asked if known else t("citizens.asked_unknown"),
            low=low,
        ),
        figure(
            view,
            "unanswered_bounds",
            bounds or DASH,
            made_at=made_at,
            sample=asked if known else t("citizens.asked_unknown"),
            interval=t("figure.certain"),
        ),
        figure(view, "registers", made_at=made_at),
        figure(view, "satisfaction_rank", made_at=made_at, n=enough),
        figure(view, "hidden_cells", n if said else DASH, made_at=made_at, k=k),
    ]


def _percent(fraction: float | None, language: str) -> str:
    return formats.percent(None if fraction is None else 100 * fraction, 1, language)


def _said(totals: pd.Series[Any], key: str) -> bool:
    return key in totals.index and not pd.isna(totals[key])


def _row(view: View, unit: Unit, report: Report, shown: bool) -> dict[str, Any]:
    one, city = unit.share, report.whole.value
    shown = shown and one.n > 0
    low, high = one.interval
    below = shown and one.enough and city is not None and high < city
    name = view.snapshot.city.site_name(unit.key, view.language)
    words = share(view, one, shown=shown)
    lane = Lane(
        said=view.t("citizens.said", name=name, share=words["value"], low=words["low"], high=words["high"]),
        value=one.value if shown and one.enough else None,
        low=low,
        high=high,
        city=city if report.table.total is not None else None,
        below=below,
    )
    return {
        **words,
        "name": name,
        "below": below,
        "picture": render.picture(pictures.share(lane, view.look, start=SCALE_FROM)) if shown and one.enough else "",
        "ranks": (unit.best_rank, unit.worst_rank) if shown and unit.best_rank else None,
        "ranked": sum(other.best_rank is not None for other in report.offices),
    }


def _table(report: Report) -> dict[str, Any]:
    """Answers by service and office; None where a number is not said."""

    def said(value: Any) -> int | None:
        return None if pd.isna(value) else int(value)

    cells = report.table.cells
    return {
        "offices": [str(one) for one in cells.columns],
        "rows": [
            (str(service), [said(value) for value in cells.loc[service]], said(report.table.rows[service]))
            for service in cells.index
        ],
        "totals": [said(value) for value in report.table.columns],
        "total": report.table.total,
        "hidden": report.table.hidden,
    }


def _sources(report: Report) -> tuple[int, int] | None:
    """Answers by where they came from; None where one of the two is too small to be said."""
    parts = (report.portal_n, report.survey_n)
    return parts if all(one == 0 or one >= K for one in parts) and report.table.total is not None else None
