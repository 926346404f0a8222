"""Tasks with unit, due day and state; late ones first. Whoever may writes, changes, finishes and reopens them here."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from control.plans import CHANGE, DROP, FINISH, PLAN, REOPEN, START, UNDO, Draft, KnownTask
from core import formats
from core.access import may
from core.plans import DONE, DROPPED, LIVE, OPEN
from ui import panel, render
from ui.frame import Screen
from ui.plan_deeds import day, do, just_done, sign
from ui.views import View

NEW = ""
NEW_TURN = "roadmap_task_turn"
MOVES = (START, FINISH, DROP, REOPEN)


def show(screen: Screen) -> None:
    """The list, and below it the deeds for whoever may."""
    view = screen.view()
    found = screen.line.plans.tasks(screen.person.areas)
    live = [one for one in found if one.task.state in LIVE]
    panel.panel(
        "roadmap_tasks",
        {
            "tasks": render.html(
                "roadmap_tasks.html",
                view.snapshot,
                view.language,
                view=view,
                rows=[_row(screen, view, one) for one in found],
                live=len(live),
                late=sum(one.late > 0 for one in live),
                blocked=sum(bool(one.blocked) for one in live),
            )
        },
    )
    if may(screen.person, PLAN):
        _deeds(screen, found)


def _row(screen: Screen, view: View, one: KnownTask) -> dict[str, Any]:
    task, language = one.task, view.language
    about = next(
        (target.text("title", language) for target in screen.line.plans.targets if target.key == task.about), ""
    )
    project = next(
        (one.text("title", language) for one in screen.line.plans.projects.projects if one.key == task.about), ""
    )
    return {
        "key": task.task,
        "title": task.title,
        "unit": task.unit,
        "about": about or project,
        "decision": task.decision,
        "area": _area(screen, task.area),
        "due": day(task.due, language),
        "left": "" if one.left is None else formats.number(one.left, 0, language),
        "late": formats.number(one.late, 0, language) if one.late else "",
        "state": task.state,
        "blocked": ", ".join(one.blocked),
        "reason": task.reason,
        "changed": formats.moment(task.changed_at, view.now, view.zone) if task.changed_at else "",
        "by": task.changed_by,
        "changes": one.changes,
    }


def _area(screen: Screen, code: str) -> str:
    areas = screen.line.city.areas
    column = "name_en" if screen.language == "en" else "name_vi"
    return str(areas.at[code, column]) if code in areas.index else screen.t("roadmap.whole_city")


def _deeds(screen: Screen, found: tuple[KnownTask, ...]) -> None:
    t, by_key = screen.t, {one.task.task: one for one in found}
    with st.container(key="roadmap_task_deeds", border=True):
        with st.container(key="roadmap_task_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
            sign(screen, "roadmap_task_name")
            chosen = st.selectbox(
                t("roadmap.task_which"),
                [NEW, *by_key],
                format_func=lambda key: f"{key} {by_key[key].task.title}" if key in by_key else t("roadmap.task_new"),
                key="roadmap_task_key",
            )
        known = by_key.get(str(chosen or NEW))
        _fields(screen, known, by_key)
        with st.container(key="roadmap_task_buttons", horizontal=True, gap="small", vertical_alignment="bottom"):
            word = t("roadmap.task_change") if known else t("roadmap.task_plan")
            st.button(word, key="do_plan_task", type="primary", on_click=_plan, args=(screen, known))
            if known is not None:
                _moves(screen, known)


def _fields(screen: Screen, known: KnownTask | None, by_key: dict[str, KnownTask]) -> None:
    """The fields of one task; every version has its own, so what somebody else changed is shown and not lost."""
    t, task = screen.t, known.task if known else None
    mark = _mark(known)
    plans, language = screen.line.plans, screen.language
    abouts = {one.key: one.text("title", language) for one in plans.targets}
    abouts |= {one.key: one.text("title", language) for one in plans.projects.projects}
    scope, areas = screen.person.areas, screen.line.city.areas.index.tolist()
    own = ["", *areas] if scope is None else [code for code in areas if code in scope]
    needs = [key for key, one in by_key.items() if one.task.state != DROPPED and (task is None or key != task.task)]
    st.text_input(
        t("roadmap.task_title"), value=task.title if task else "", max_chars=200, key=f"roadmap_task_title{mark}"
    )
    with st.container(key="roadmap_task_fields", horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input(
            t("roadmap.task_unit"), value=task.unit if task else "", max_chars=80, key=f"roadmap_task_unit{mark}"
        )
        st.date_input(
            t("roadmap.task_due"), value=task.due if task else None, format="DD/MM/YYYY", key=f"roadmap_task_due{mark}"
        )
        about = ["", *abouts]
        st.selectbox(
            t("roadmap.task_about"),
            about,
            index=about.index(task.about) if task and task.about in about else 0,
            format_func=lambda key: abouts.get(key, formats.DASH),
            key=f"roadmap_task_about{mark}",
        )
        st.selectbox(
            t("roadmap.task_area"),
            own,
            index=own.index(task.area) if task and task.area in own else 0,
            format_func=lambda code: _area(screen, code),
            key=f"roadmap_task_area{mark}",
        )
    st.multiselect(
        t("roadmap.task_needs"),
        needs,
        default=[key for key in task.needs if key in needs] if task else [],
        format_func=lambda key: f"{key} {by_key[key].task.title}",
        placeholder=t("roadmap.task_no_needs"),
        key=f"roadmap_task_needs{mark}",
    )


def _mark(known: KnownTask | None) -> str:
    if known:
        return f":{known.task.task}:{known.task.version}"
    turn = st.session_state.get(NEW_TURN, 0)
    return f":new:{turn}" if turn else ":new"


def _moves(screen: Screen, known: KnownTask) -> None:
    t, state = screen.t, known.task.state
    st.text_input(t("roadmap.task_reason"), max_chars=300, key=f"roadmap_task_reason{_mark(known)}")
    allowed = {START: (OPEN,), FINISH: LIVE, DROP: LIVE, REOPEN: (DONE, DROPPED)}
    for action in MOVES:
        if state in allowed[action]:
            st.button(t(f"roadmap.do_{action}"), key=f"do_{action}", on_click=_move, args=(screen, action, known))
    if known.own_undo:
        st.button(t("roadmap.do_undo_task"), key="do_undo_task", on_click=_move, args=(screen, UNDO, known))


def _plan(screen: Screen, known: KnownTask | None) -> None:
    """What stands in the fields when the button is pressed."""
    state, mark = st.session_state, _mark(known)
    if known is None and just_done() and not str(state.get(f"roadmap_task_title{mark}", "")).strip():
        return
    due = state.get(f"roadmap_task_due{mark}")
    draft = Draft(
        task=known.task.task if known else "",
        version=known.task.version if known else 0,
        title=str(state.get(f"roadmap_task_title{mark}", "")),
        unit=str(state.get(f"roadmap_task_unit{mark}", "")),
        due=due if isinstance(due, date) else None,
        needs=tuple(state.get(f"roadmap_task_needs{mark}", ())),
        about=str(state.get(f"roadmap_task_about{mark}", "") or ""),
        area=str(state.get(f"roadmap_task_area{mark}", "") or ""),
    )
    said = screen.t(f"roadmap.done_{CHANGE if known else PLAN}")
    if do(screen, lambda: screen.line.plans.plan_task(screen.person, draft), said) and known is None:
        state[NEW_TURN] = state.get(NEW_TURN, 0) + 1  # another, empty form: a second click writes no second task


def _move(screen: Screen, action: str, known: KnownTask) -> None:
    task, reason = known.task, str(st.session_state.get(f"roadmap_task_reason{_mark(known)}", ""))
    do(
        screen,
        lambda: screen.line.plans.move_task(screen.person, action, task.task, task.version, reason),
        screen.t(f"roadmap.done_{action}"),
    )
