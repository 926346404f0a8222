"""Targets as cards: where the plan wants to be today, where the city is, on which text that rests and in what state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import streamlit as st

from analysis.progress import BEHIND, MISSED, Measured, Progress
from charts import roadmap as pictures
from control.plans import ENTER
from core import formats
from core.access import may
from core.plans import PlanRefused, Target, seen_in
from ui import panel, render
from ui.figure import Figure, figure
from ui.frame import Screen
from ui.plan_deeds import age, day, do, sign
from ui.render import picture
from ui.views import View

COMPUTED_HERE = "indicators"  # the source of what this house computes
ABNORMAL = (BEHIND, MISSED)
BAD_LAW = ("draft", "replaced", "object_gone", "unchecked")


def show(screen: Screen) -> None:
    """Cards of all targets of the person's areas, and the form for those that are entered by hand."""
    view, study = screen.view(), screen.line.plans.progress()
    own = [one for one in screen.line.plans.targets if seen_in(one.areas, screen.person.areas)]
    known: Mapping[str, Progress] = study.value or {}
    cards = [_card(view, one, known.get(one.key), study.made_at) for one in own]
    told = [known[one.key].verdict for one in own if one.key in known]
    panel.panel(
        "roadmap_targets",
        {
            "targets": render.html(
                "roadmap_targets.html",
                view.snapshot,
                view.language,
                view=view,
                cards=cards,
                behind=sum(one in ABNORMAL for one in told),
                judged=sum(one != "unknown" for one in told),
                age=age(screen, study),
            )
        },
    )
    by_hand = [one for one in own if not one.indicator and not one.lapsed]
    if by_hand and may(screen.person, ENTER):
        _enter(screen, by_hand)


def _card(view: View, target: Target, known: Progress | None, made_at: datetime | None) -> dict[str, Any]:
    language, unit = view.language, target.text("unit", view.language)

    def said(value: float | None) -> str:
        return formats.quantity(value, target.decimals, unit, language)

    measured = known.measured if known else None
    verdict = known.verdict if known else "computing"
    return {
        "key": target.key,
        "title": target.text("title", language),
        "owner": target.text("owner", language),
        "verdict": verdict,
        "why": known.why if known else "",
        "wrong": verdict in ABNORMAL,
        "gap": _gap(view, target, known),
        "value": said(measured.value) if measured else "",
        "measured": _measured(view, target, measured),
        "planned": said(known.planned) if known and known.planned is not None else "",
        "target": said(target.value),
        "due": day(target.due, language),
        "baseline": said(target.baseline) if target.baseline is not None else "",
        "baseline_day": day(target.baseline_day, language),
        "baseline_source": target.text("baseline_source", language),
        "indicator": _indicator(view, target),
        "legal_ref": target.legal_ref,
        "legal_status": target.legal_status,
        "legal_bad": target.legal_status in BAD_LAW,
        "legal_note": target.text("legal_note", language),
        "picture": _picture(view, target, measured, said) if target.curve and not target.lapsed else "",
        "why_it": _why(view, target, known, said, made_at),
    }


def _why(view: View, target: Target, known: Progress | None, said: Any, made_at: datetime | None) -> Figure:
    """The drawer of a target: the indicator with its formula, the plan, and the text with its state."""
    t, language = view.t, view.language
    measured = known.measured if known else None
    bounded = measured is not None and measured.low is not None and measured.high is not None
    ends = [said(one) for one in (measured.low, measured.high)] if measured and bounded else []
    n = formats.number(measured.n, 0, language) if measured and measured.n is not None else ""
    legal = f"{target.legal_ref} ({t(f'roadmap.legal_{target.legal_status}')})"
    return figure(
        view,
        "target_progress",
        said(measured.value) if measured else formats.DASH,
        own=target.key,
        label=target.text("title", language),
        made_at=made_at,
        sample=(t("roadmap.n_days", n=n) if measured and measured.counts == "days" else n) or t("roadmap.no_n"),
        interval=" – ".join(ends) or t("figure.none"),
        owner=target.text("owner", language),
        basis="; ".join(one for one in (legal, target.text("legal_note", language)) if one),
        indicator=target.indicator,
        more=[
            (t("roadmap.now"), _measured(view, target, measured)),
            (t("roadmap.planned"), said(known.planned) if known and known.planned is not None else ""),
            (t("roadmap.aim"), t("roadmap.by", value=said(target.value), day=day(target.due, language))),
        ],
    )


def _gap(view: View, target: Target, known: Progress | None) -> str:
    """«0,8 điểm, 102 ngày»: in the unit of the target and in days of its curve."""
    if known is None or known.points is None:
        return ""
    t, language = view.t, view.language
    points = formats.number(abs(known.points), max(target.decimals, 1), language)
    unit = t("roadmap.points") if target.text("unit", "vi").startswith("%") else target.text("unit", language)
    parts = [f"{points} {unit}".strip()]
    if known.days is not None and known.verdict in ("ahead", "behind"):
        word = "roadmap.days_least" if known.beyond else "roadmap.days"
        parts.append(t(word, n=formats.number(abs(known.days), 0, language)))
    return " · ".join(parts)


def _measured(view: View, target: Target, measured: Measured | None) -> str:
    """Interval, n, how it was made, from where and as of when, in one line."""
    if measured is None:
        return ""
    t, language = view.t, view.language
    parts = []
    if measured.low is not None and measured.high is not None:
        ends = [formats.number(one, target.decimals, language) for one in (measured.low, measured.high)]
        parts.append(t("roadmap.interval", low=ends[0], high=ends[1]))
    if measured.n is not None:
        n = formats.number(measured.n, 0, language)
        parts.append(t("roadmap.n_days", n=n) if measured.counts == "days" else t("roadmap.n", n=n))
    elif measured.counts != "days":
        parts.append(t("roadmap.no_n"))
    parts.append(t(f"roadmap.method_{measured.method}"))
    if measured.source == COMPUTED_HERE:
        parts.append(t("roadmap.computed_here"))
    elif measured.source:
        parts.append(t("roadmap.source", name=view.snapshot.city.site_name(measured.source, language)))
    at = formats.moment(measured.as_of, view.now, view.zone) if measured.method != "entered" and measured.as_of else ""
    parts.append(t("roadmap.as_of", at=at or day(measured.day, language)))
    return " · ".join(parts)


def _indicator(view: View, target: Target) -> str:
    item = view.snapshot.catalogue.get(target.indicator)
    if item is None:
        return view.t("roadmap.by_hand")
    return f"{getattr(item, 'code', '')} {item.name(view.language)}".strip()


def _picture(view: View, target: Target, measured: Measured | None, said: Any) -> Any:
    first, last = target.curve[0], target.curve[-1]
    label = view.t("roadmap.picture", start=said(first[1]), target=said(last[1]), due=day(last[0], view.language))
    return picture(
        pictures.path(
            target.curve,
            measured=(measured.day, measured.value, measured.low, measured.high) if measured else None,
            start_word=f"{said(first[1])} · {_month(first[0])}",
            end_word=f"{said(last[1])} · {_month(last[0])}",
            label=label,
            theme=view.look,
        )
    )


def _month(one: date) -> str:
    return f"{one.month:02d}/{one.year}"


def _enter(screen: Screen, targets: list[Target]) -> None:
    t = screen.t
    with st.container(key="roadmap_enter", border=True):
        st.markdown(f"**{t('roadmap.enter')}**")
        with st.container(key="roadmap_enter_row", horizontal=True, gap="small", vertical_alignment="bottom"):
            sign(screen, "roadmap_enter_name")
            titles = {one.key: one.text("title", screen.language) for one in targets}
            st.selectbox(
                t("roadmap.target"), list(titles), format_func=lambda one: titles[one], key="roadmap_enter_key"
            )
            st.date_input(
                t("roadmap.enter_day"), value=screen.line.plans.today, format="DD/MM/YYYY", key="roadmap_enter_day"
            )
            st.number_input(t("roadmap.enter_value"), value=None, key="roadmap_enter_value")
            st.number_input(t("roadmap.enter_n"), value=None, min_value=1, step=1, key="roadmap_enter_n")
            st.text_input(t("roadmap.enter_source"), max_chars=200, key="roadmap_enter_source")
            st.button(t("roadmap.enter_do"), key="do_enter_number", on_click=_entered, args=(screen,))


def _entered(screen: Screen) -> None:
    """What stands in the fields when the button is pressed."""
    given = {name: st.session_state.get(f"roadmap_enter_{name}") for name in ("key", "day", "value", "n", "source")}

    def enter() -> None:
        if not isinstance(given["day"], date) or given["value"] is None:
            raise PlanRefused("Hãy ghi ngày và giá trị.", "Give the day and the value.")
        n = None if given["n"] is None else int(given["n"])
        plans, source = screen.line.plans, str(given["source"] or "")
        plans.enter_number(screen.person, str(given["key"]), given["day"], float(given["value"]), n, source)

    if do(screen, enter, screen.t("roadmap.entered")):
        st.session_state.update({"roadmap_enter_value": None, "roadmap_enter_n": None})  # not twice by a second click
