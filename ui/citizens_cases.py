"""«Phản ánh và hồ sơ»: citizen reports, files that may run late with the record of that warning, and proposals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from analysis.cases import LEAST, Row, Share, Summary, Survival
from analysis.late_files import MEASURED_FROM, Effect, Score, Warnings
from charts.survival import survival
from charts.ward_shades import Shade, ward_shades
from control.casework import Spoken
from control.studies import Study
from core import formats
from core.access import Denied, may
from core.cases import FILE, REPORT
from core.errors import InputError
from core.formats import DASH
from ui import panel, render
from ui.figure import Figure, by_key, figure
from ui.frame import Screen
from ui.views import View

MOST_GROUPS = 12
DAY_H = 24.0
ALL = ""


def cases(screen: Screen) -> None:
    """The whole view."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view, areas = screen.view(), screen.person.areas
        reports = screen.line.casework.reports(areas)
        panel.panel(
            "cases_reports", {"reports": _shared(screen, "reports", reports, lambda: _reports(screen, view, reports))}
        )
        if reports.value is not None:
            _curve(screen, view, reports.value, reports.made_at)
        late = screen.line.casework.warnings(areas)
        panel.panel("cases_late", {"late": _shared(screen, "late", late, lambda: _late(screen, view, late))})
        if isinstance(late.value, Warnings):
            _remind(screen, late.value)
        panel.panel("cases_spoken", {"spoken": spoken(screen, view)})

    region()


def _shared(screen: Screen, name: str, study: Study[Any], build: Any) -> str:
    """The same picture for all who see the same areas, drawn once per answer and snapshot."""
    key = (
        "cases",
        name,
        screen.language,
        screen.person.areas,
        study.made_at,
        study.busy,
        study.problem,
        study.progress,
    )
    return render.shared(key, screen.snapshot, lambda: {name: build()})[name]


def head(view: View, study: Study[Any]) -> dict[str, Any]:
    """What every study says of itself: how old it is, whether the next one is being made, why there is none."""
    return {
        "made": "" if study.made_at is None else formats.moment(study.made_at, view.now, view.zone),
        "busy": study.busy,
        "progress": formats.percent(100.0 * study.progress, 0, view.language),
        "problem": study.problem,
    }


# -- citizen reports --------------------------------------------------------------------------------------------------


def _reports(screen: Screen, view: View, study: Study[Summary]) -> str:
    found = study.value
    values: dict[str, Any] = {"found": None}
    if found is not None:
        rows = [_row(screen, view, one) for one in found.rows]
        wards, shades = _wards(view, found)
        values = {
            "found": found,
            "all": rows[0],
            "rows": rows[1:],
            "backlog": _backlog(view, found),
            "wards": wards,
            "map": _map(screen, view, shades),
            "days": formats.number((found.until - found.since) / timedelta(days=1), 0, view.language),
            "why": by_key(_why(view, rows[0], study.made_at)),
        }
    return render.html("citizens_cases.html", view.snapshot, view.language, view=view, head=head(view, study), **values)


def _why(view: View, whole: dict[str, Any], made_at: datetime | None) -> list[Figure]:
    """The drawers of the citizen reports; `whole` is the row of all categories."""
    least = formats.number(LEAST, 0, view.language)

    def shared(kind: str, part: dict[str, Any]) -> Figure:
        sample = f"{part['good']}/{part['n']}"
        return figure(view, kind, part["value"], made_at=made_at, sample=sample, interval=part["bounds"], n=least)

    return [
        shared("reports_on_time", whole["on_time"]),
        figure(view, "first_response", whole["response"], made_at=made_at, sample=f"n = {whole['response_n']}"),
        figure(
            view,
            "resolution_median",
            whole["median"],
            made_at=made_at,
            sample=f"n = {whole['n']}",
            interval=whole["median_bounds"],
        ),
        figure(view, "reports_open", whole["open"], made_at=made_at),
        shared("reports_reopened", whole["reopened"]),
        shared("reports_satisfied", whole["satisfied"]),
        figure(view, "ward_rate", made_at=made_at, n=least),
    ]


def _row(screen: Screen, view: View, row: Row) -> dict[str, Any]:
    known, language = screen.line.casework.deadlines.get((REPORT, row.category)), view.language
    return {
        "name": name_of(screen, REPORT, row.category),
        "agency": known.text("agency", language) if known else "",
        "escalate": known.text("escalate", language) if known else "",
        "deadline": DASH if known is None else hours(view, known.hours),
        "working": known is not None and known.clock == "working",
        "n": formats.number(row.n, 0, language),
        "few": row.n < LEAST,
        "open": formats.number(row.open, 0, language),
        "overdue": row.overdue,
        "on_time": share(view, row.on_time),
        "response": hours(view, row.response_median_h),
        "response_p90": hours(view, row.response_p90_h),
        "response_n": formats.number(row.response_n, 0, language),
        **_waiting(view, row.survival),
        "closed_median": hours(view, row.closed_median_h),
        "reopened": share(view, row.reopened),
        "rated": share(view, row.rated),
        "satisfied": share(view, row.satisfied),
    }


def _waiting(view: View, found: Survival | None) -> dict[str, str]:
    if found is None:
        return {"median": DASH, "median_bounds": ""}
    ends = [DASH if one is None else hours(view, one) for one in (found.median_low, found.median_high)]
    return {"median": hours(view, found.median), "median_bounds": " – ".join(ends)}


def share(view: View, found: Share) -> dict[str, Any]:
    """A share in words: value, interval, counts, and whether there are too few for more than grey."""
    bounds = found.bounds
    return {
        "value": formats.percent(found.percent, 1, view.language),
        "bounds": ""
        if bounds is None
        else f"{formats.number(bounds[0], 1, view.language)}–{formats.percent(bounds[1], 1, view.language)}",
        "n": formats.number(found.n, 0, view.language),
        "good": formats.number(found.good, 0, view.language),
        "few": found.n < LEAST,
    }


def hours(view: View, value: float | None) -> str:
    """«32 phút», «14,7 giờ», «3,4 ngày»."""
    if value is None:
        return DASH
    if value < 1.0:
        return view.t("cases.minutes", n=formats.number(value * 60.0, 0, view.language))
    if value < 4 * DAY_H:
        return view.t("cases.hours", n=formats.number(value, 1 if value % 1 else 0, view.language))
    return view.t("cases.days", n=formats.number(value / DAY_H, 1, view.language))


def name_of(screen: Screen, kind: str, category: str) -> str:
    """The name of a category; its own word where nobody named it."""
    known = screen.line.casework.deadlines.get((kind, category))
    return known.text("name", screen.language) if known else category or DASH


def _backlog(view: View, found: Summary) -> list[dict[str, Any]]:
    most = max((n for _, _, n, _ in found.backlog), default=0) or 1
    rows = []
    for low, high, n, late in found.backlog:
        words = view.t("cases.age_over", n=formats.number(low / DAY_H, 0, view.language))
        if high != float("inf"):
            begins, ends = (formats.number(one / DAY_H, 0, view.language) for one in (low, high))
            words = view.t("cases.age_between", low=begins, high=ends)
        rows.append({"words": words, "n": formats.number(n, 0, view.language), "late": late, "width": 100.0 * n / most})
    return rows


def _wards(view: View, found: Summary) -> tuple[list[dict[str, Any]], list[Shade]]:
    """Rows in the order of the rate, and the same wards for the map with the number of their row."""
    areas, language = view.snapshot.city.areas, view.language
    by_rate = all(one.rate is not None for one in found.wards)
    ordered = sorted(found.wards, key=lambda one: -(one.rate if by_rate and one.rate is not None else one.n))
    compared = [one.rate if by_rate else float(one.n) for one in ordered if not one.few]
    values = [one for one in compared if one is not None]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    rows, shades = [], []
    for number, ward in enumerate(ordered, start=1):
        name = str(areas.at[ward.code, "name_en" if language == "en" else "name_vi"])
        value = ward.rate if by_rate else float(ward.n)
        told = view.t("cases.small") if ward.small else formats.number(ward.n, 0, language)
        rate = DASH if ward.small or ward.rate is None else formats.number(ward.rate, 1, language)
        bounds = ""
        if not ward.small and ward.low is not None and ward.high is not None:
            bounds = f"{formats.number(ward.low, 1, language)}–{formats.number(ward.high, 1, language)}"
        rows.append({"mark": number, "name": name, "n": told, "rate": rate, "bounds": bounds, "few": ward.few})
        position = None if ward.few or value is None or high <= low else (value - low) / (high - low)
        place = (float(areas["latitude"][ward.code]), float(areas["longitude"][ward.code]))
        title = f"{name}: {told}" if rate == DASH else f"{name}: {rate} ({told})"
        shades.append(
            Shade(code=ward.code, mark=str(number), title=title, share=position, latitude=place[0], longitude=place[1])
        )
    return rows, shades


def _map(screen: Screen, view: View, shades: Sequence[Shade]) -> Markup:
    svg = ward_shades(view.snapshot.geometry, shades, theme=view.look, alt=screen.t("cases.map"))
    return render.picture(svg)


def _curve(screen: Screen, view: View, found: Summary, made_at: datetime | None) -> None:
    """The curve of one category, to choose; beside it what it says."""
    keys = [one.category for one in found.rows]
    names = {key: screen.t("cases.all") if key == ALL else name_of(screen, REPORT, key) for key in keys}
    with st.container(key="cases_choice", border=True):
        chosen = str(
            st.selectbox(
                screen.t("cases.curve_of"), keys, format_func=lambda key: names.get(key, key), key="cases_category"
            )
        )
    row = found.row(chosen)
    values: dict[str, Any] = {"curve": None, "name": names[chosen]}
    if row.survival is not None:
        values["curve"] = picture(view, row.survival, names[chosen])
    said = _row(screen, view, row)
    values |= {"row": said, "n": formats.number(row.n, 0, view.language)}
    values["why"] = figure(
        view,
        "resolution_median",
        said["median"],
        own="curve",
        label=screen.t("cases.curve_title", name=names[chosen]),
        made_at=made_at,
        sample=f"n = {said['n']}",
        interval=said["median_bounds"],
    )
    values["ended"] = formats.number(row.survival.ended if row.survival else 0, 0, view.language)
    text = render.html("citizens_curve.html", view.snapshot, view.language, view=view, **values)
    panel.panel("cases_curve", {"curve": text})


def picture(view: View, found: Survival, name: str) -> Markup:
    """The curve as safe markup."""
    waiting = _waiting(view, found)
    words = {
        "axis_hours": view.t("cases.axis_hours"),
        "axis_days": view.t("cases.axis_days"),
        "at_risk": view.t("cases.at_risk"),
        "median": view.t("cases.median_of", value=waiting["median"]),
        "label": view.t("cases.curve_label", name=name, value=waiting["median"]),
    }
    return render.picture(
        survival(
            found.times,
            found.share,
            found.low,
            found.high,
            at_risk=found.at_risk,
            median=found.median,
            words=words,
            language=view.language,
            theme=view.look,
        )
    )


# -- files that may run late ------------------------------------------------------------------------------------------


def _late(screen: Screen, view: View, study: Study[Warnings | None]) -> str:
    found = study.value
    values: dict[str, Any] = {"found": found, "made_once": study.made_at is not None}
    if found is not None:
        groups = groups_of(found)
        values |= {
            "scores": [_score(view, found, one) for one in found.scores],
            "groups": [_group(screen, view, one) for one in groups[:MOST_GROUPS]],
            "more": max(len(groups) - MOST_GROUPS, 0),
            "pending": formats.number(found.pending, 0, view.language),
            "overdue": formats.number(found.overdue, 0, view.language),
            "past": formats.number(found.past, 0, view.language),
            "effect": _effect(view, found.effect),
            "least": MEASURED_FROM,
            "why": by_key(_why_late(view, found, study.made_at)),
        }
    return render.html("citizens_late.html", view.snapshot, view.language, view=view, head=head(view, study), **values)


def _why_late(view: View, found: Warnings, made_at: datetime | None) -> list[Figure]:
    warned = formats.number(int(found.files["warned"].sum()), 0, view.language)
    pending = view.t("cases.of", n=formats.number(found.pending, 0, view.language))
    effect = _effect(view, found.effect)
    least = formats.number(MEASURED_FROM, 0, view.language)
    return [
        figure(view, "late_risk", warned, made_at=made_at, sample=pending),
        figure(view, "late_hits", made_at=made_at),
        figure(
            view,
            "late_effect",
            effect["difference"] if effect else DASH,
            made_at=made_at,
            sample=f"{effect['reminded']['n']}, {effect['others']['n']}" if effect else "",
            interval=f"{effect['low']} – {effect['high']}" if effect else "",
            n=least,
        ),
    ]


def groups_of(found: Warnings) -> list[dict[str, Any]]:
    """Warned files by office and service: how many, expected late, the first deadline; the most expected first."""
    warned = found.files[found.files["warned"]]
    rows = [
        {
            "agency": str(agency),
            "category": str(category),
            "n": len(files),
            "expected": float(files["risk"].sum()),
            "first": files["due_at"].min(),
            "left": float(files["left_h"].min()),
        }
        for (agency, category), files in warned.groupby(["agency", "category"])
    ]
    return sorted(rows, key=lambda one: (-one["expected"], one["agency"], one["category"]))


def _group(screen: Screen, view: View, one: dict[str, Any]) -> dict[str, str]:
    return {
        "agency": view.snapshot.city.site_name(one["agency"], view.language),
        "service": name_of(screen, FILE, one["category"]),
        "n": formats.number(one["n"], 0, view.language),
        "expected": formats.number(one["expected"], 0, view.language),
        "share": formats.percent(100.0 * one["expected"] / one["n"], 0, view.language),
        "first": formats.moment(pd.Timestamp(one["first"]).to_pydatetime(), view.now, view.zone),
        "left": formats.number(one["left"], 0, view.language),
    }


def _score(view: View, found: Warnings, one: Score) -> dict[str, Any]:
    inside = found.files[found.files["left_h"] <= one.horizon_h]
    return {
        "horizon": one.horizon_h,
        "asked": formats.number(len(inside), 0, view.language),
        "warned": formats.number(int(inside["warned"].sum()), 0, view.language),
        "precision": share(view, one.precision),
        "recall": share(view, one.recall),
        "base": share(view, one.base),
        "mornings": one.mornings,
        "threshold": formats.percent(100.0 * one.threshold, 0, view.language),
    }


def _effect(view: View, found: Effect | None) -> dict[str, Any] | None:
    if found is None or found.difference is None:
        return None
    signed = [formats.number(one, 1, view.language, signed=True) for one in (found.difference, found.low, found.high)]
    return {
        "difference": signed[0],
        "low": signed[1],
        "high": signed[2],
        "reminded": share(view, found.reminded),
        "others": share(view, found.others),
    }


def _remind(screen: Screen, found: Warnings) -> None:
    """«Đã nhắc đơn vị»: noted by name, so that the effect of the warning can be measured."""
    said = st.session_state.pop("cases_said", "")
    if said:
        st.text(said)
    groups = groups_of(found)[:MOST_GROUPS]
    if not groups or not may(screen.person, "remind_unit"):
        return
    city = screen.line.city
    names = {
        (one["agency"], one["category"]): f"{city.site_name(one['agency'], screen.language)} · "
        f"{name_of(screen, FILE, one['category'])}"
        for one in groups
    }
    with st.container(key="cases_remind", horizontal=True, gap="small", vertical_alignment="bottom", border=True):
        chosen = st.selectbox(
            screen.t("cases.remind_whom"), list(names), format_func=lambda pair: names.get(pair, DASH), key="cases_whom"
        )
        st.button(screen.t("cases.remind"), key="do_remind_unit", on_click=_reminded, args=(screen, chosen))


def _reminded(screen: Screen, whom: tuple[str, str]) -> None:
    try:
        screen.line.casework.remind(screen.person, *whom)
    except Denied as error:
        st.session_state["cases_said"] = error.words(screen.language)
    except InputError as error:
        st.session_state["cases_said"] = str(error)
    else:
        st.session_state["cases_said"] = screen.t("cases.remind_done")


# -- you said, we did -------------------------------------------------------------------------------------------------


def spoken(screen: Screen, view: View) -> str:
    """«Bà con nói, chúng tôi làm»."""
    rows = [_said(view, one) for one in screen.line.casework.spoken()]
    why = figure(view, "proposal_support")
    return render.html("citizens_spoken.html", view.snapshot, view.language, view=view, rows=rows, why=why)


def _said(view: View, one: Spoken) -> dict[str, Any]:
    proposal, language = one.proposal, view.language
    ranks = str(one.best_rank) if one.best_rank == one.worst_rank else f"{one.best_rank}–{one.worst_rank}"
    result = (
        one.pilot.result
        if one.pilot is not None and one.verdict in ("scale", "extend", "stop", "cannot_tell")
        else None
    )
    effect = ""
    if result is not None and result.percent is not None:
        ends = [
            formats.percent(each, 1, language, signed=True)
            for each in (result.percent.value, result.percent.low, result.percent.high)
        ]
        effect = view.t("cases.effect_of", value=ends[0], low=ends[1], high=ends[2])
    return {
        "title": proposal.text("title", language),
        "asked": proposal.text("asked", language),
        "submitted": f"{proposal.submitted:%d/%m/%Y}",
        "support": share(view, one.support),
        "ranks": ranks,
        "answer": proposal.text("answer", language),
        "unit": proposal.text("unit", language),
        "answered": "" if proposal.answered_on is None else f"{proposal.answered_on:%d/%m/%Y}",
        "pilot": "" if one.pilot is None else one.pilot.pilot.text("title", language),
        "pilot_key": proposal.pilot,
        "verdict": one.verdict,
        "effect": effect,
    }
