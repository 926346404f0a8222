"""The view «Quan tâm và sử dụng»: one picture per service, what to mend first, waits, and the use of this dashboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import streamlit as st

from analysis.service_picture import Part, Service
from analysis.small_cells import K
from charts import service_picture as pictures
from charts.service_picture import Lane
from control.citizens import Report
from control.studies import Study
from control.usage import Used
from core import formats
from ui import citizens_satisfaction, panel, render
from ui.figure import Figure, by_key, figure
from ui.frame import Screen
from ui.views import View

USED_EVERY = timedelta(minutes=1)


def view(screen: Screen, ask: Callable[[], Study[Report]]) -> None:
    """The whole view."""
    waiting = bool(st.session_state.get("citizens_waiting"))

    @st.fragment(run_every=citizens_satisfaction.WAITING_S if waiting else screen.redraw_s)
    def region() -> None:
        screen.leave_waiting()
        study = ask()
        panel.panel("citizens_use", {"use": build(screen.view(), study)})
        panel.panel("citizens_usage", {"usage": usage(screen.view(), _used(screen))})
        citizens_satisfaction.follow(study, waiting)

    region()


def _used(screen: Screen) -> Study[Used]:
    line = screen.line
    keys = [one.key for one in line.catalogue.indicators() if one.domain != "operations"]
    return line.studies.ask(("usage", line.city.key), lambda _: line.usage.used(keys), USED_EVERY)


def build(view: View, study: Study[Report]) -> str:
    """The HTML of the pictures and the waits."""
    report = study.value
    found: dict[str, Any] = {"state": citizens_satisfaction.state(view, study), "report": report}
    if report is not None:
        first, last = citizens_satisfaction.period(view, report)
        found |= {
            "first": first,
            "last": last,
            "services": _services(view, report) if report.measured_until is not None else [],
            "waits": [
                {
                    "name": view.snapshot.city.site_name(one.office, view.language),
                    "n": one.n,
                    "median": one.median,
                    "p90": one.p90,
                    "low": one.low,
                    "high": one.high,
                }
                for one in report.waits
            ],
            "why": by_key(
                [
                    figure(view, "interest", made_at=study.made_at),
                    citizens_satisfaction.satisfied(view, report, study.made_at),
                    figure(view, "finished", made_at=study.made_at),
                    figure(view, "mend_first", made_at=study.made_at),
                    figure(view, "counter_wait", made_at=study.made_at),
                ]
            ),
        }
    return render.html("citizens_use.html", view.snapshot, view.language, view=view, **found)


def _services(view: View, report: Report) -> list[dict[str, Any]]:
    shown = report.pictures
    interests = sorted(one.interest or 0 for one in shown)
    most, count = max([*interests, 1]), len(interests)
    middle = (interests[(count - 1) // 2] + interests[count // 2]) / 2 if count else 0.0
    finished = Part(part=sum(one.completed.part for one in shown), whole=sum(one.completed.whole for one in shown))
    return [_service(view, one, report, most, middle / most, finished) for one in shown]


def _service(view: View, one: Service, report: Report, most: int, middle: float, finished: Part) -> dict[str, Any]:
    t, language = view.t, view.language
    name = view.snapshot.city.site_name(one.key, language)
    liked = citizens_satisfaction.share(view, one.satisfaction)
    few = not one.satisfaction.enough
    low, high = one.satisfaction.interval
    bounds = one.completed.interval
    picture = pictures.picture(
        Lane(
            said=t("citizens.interest_said", n=formats.number(one.interest, 0, language)),
            value=None if one.interest is None else one.interest / most,
            city=middle,
        ),
        [
            Lane(
                said=t("citizens.said", name=name, share=liked["value"], low=liked["low"], high=liked["high"]),
                value=None if few else one.satisfaction.value,
                low=low,
                high=high,
                city=report.city_satisfaction.value,
                below=one.worse_liked,
            ),
            Lane(
                said=t("citizens.lane_finished") + " " + _percent(one.completed.value, language),
                value=one.completed.value,
                low=bounds[0],
                high=bounds[1],
                city=finished.value,
                below=one.worse_finished,
            ),
        ],
        view.look,
    )
    reasons = [
        t(f"citizens.why_{word}")
        for word, holds in (("wanted", one.wanted), ("liked", one.worse_liked), ("finished", one.worse_finished))
        if holds
    ]
    return {
        "name": name,
        "verdict": one.verdict,
        "reasons": reasons if one.verdict in ("first", "mend") else [],
        "picture": render.picture(picture),
        "liked": liked,
        "few": few,
        "hidden": one.satisfaction.n < K,
        "one": one,
        "finished": _percent(one.completed.value, language),
        "finished_low": _percent(bounds[0], language),
        "finished_high": _percent(bounds[1], language),
        "online": _percent(one.online.value, language),
        "again": _percent(one.again.value, language),
    }


def _percent(fraction: float | None, language: str) -> str:
    return formats.percent(None if fraction is None else 100 * fraction, 1, language)


def _why_usage(view: View, study: Study[Used]) -> list[Figure]:
    used, number = study.value, formats.number
    if used is None:
        return []
    total, unopened = number(used.total, 0, view.language), number(len(used.unopened), 0, view.language)
    days = view.t("figure.days_counted", n=number(used.days, 0, view.language))
    return [
        figure(view, "dashboard_use", total, made_at=study.made_at),
        figure(view, "unopened_indicators", unopened, made_at=study.made_at, sample=days),
    ]


def usage(view: View, study: Study[Used]) -> str:
    """The HTML of how this dashboard is used."""
    used, catalogue = study.value, view.snapshot.catalogue
    since = used.since if used else None
    day = "" if since is None else since.strftime("%d/%m/%Y")
    return render.html(
        "citizens_usage.html",
        view.snapshot,
        view.language,
        view=view,
        used=used,
        problem=study.problem,
        day=day,
        why=by_key(_why_usage(view, study)),
        unopened=[catalogue[key].name(view.language) for key in used.unopened] if used else [],
        role=lambda one: view.t(f"people.role_{one}") if f"people.role_{one}" in view.t else one,
        page=lambda one: view.t(f"page.{one}") if f"page.{one}" in view.t else one,
    )
