"""«Ghi quyết định»: one entry that every page may call, so that a decision keeps the picture it was taken before."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import streamlit as st

from control.plans import RECORD, Draft, Seen
from core.access import may
from core.plans import PlanRefused
from ui.frame import Screen
from ui.plan_deeds import answer, do, just_done, sign
from ui.server import HOME

NOTHING = ""


def decide(screen: Screen, *, seen: str, indicator: str = NOTHING, site_id: str = "", answered: bool = True) -> None:
    """A button for whoever may decide; behind it the form. `seen` says in one line what the screen shows.

    `indicator` and `site_id` are the first choice of what will be looked at after 30, 60 and 90 days. A page that shows
    answers to deeds itself gives `answered=False`.
    """
    if not may(screen.person, RECORD):
        return
    t, mark = screen.t, _mark(screen)
    if answered:
        answer()
    with st.container(key=f"decide_{screen.key}"), st.popover(t("decide.button"), key=f"{mark}_form"):
        st.text(t("decide.seen", page=t(f"page.{screen.key}"), number=screen.snapshot.number, seen=seen))
        sign(screen, f"{mark}_name")
        st.text_area(t("decide.text"), max_chars=1000, height=90, key=f"{mark}_text")
        _measure(screen, mark, indicator, site_id)
        scope, areas = screen.person.areas, screen.line.city.areas.index.tolist()
        own = ["", *areas] if scope is None else [code for code in areas if code in scope]
        st.selectbox(t("roadmap.task_area"), own, format_func=lambda code: _area(screen, code), key=f"{mark}_area")
        st.text_input(t("decide.task"), placeholder=t("decide.no_task"), max_chars=200, key=f"{mark}_task")
        st.text_input(t("roadmap.task_unit"), max_chars=80, key=f"{mark}_unit")
        st.date_input(t("roadmap.task_due"), value=None, format="DD/MM/YYYY", key=f"{mark}_due")
        st.button(
            t("decide.do"),
            type="primary",
            key=f"do_record_decision_{screen.key}",
            on_click=_record,
            args=(screen, mark, seen),
        )


def _turn(screen: Screen) -> str:
    return f"decide_{screen.key}_turn"


def _mark(screen: Screen) -> str:
    """What the keys of the form begin with. After each decision it is another form, closed and empty: one that stays
    open with its words looks as if nothing had been written, and is sent a second time."""
    turn = st.session_state.get(_turn(screen), 0)
    return f"decide_{screen.key}:{turn}" if turn else f"decide_{screen.key}"


def before(screen: Screen, *shown: tuple[str, str]) -> None:
    """`decide` for a page of rows: what is seen are these (property, pick) as they stand now."""
    if not may(screen.person, RECORD):
        return
    view = screen.view()
    rows = [view.row(key, pick) for key, pick in shown]
    seen = "; ".join(f"{row.label} {row.value} {row.unit}".strip() for row in rows)
    decide(screen, seen=seen, indicator=rows[0].key, site_id=rows[0].site_id)


def _measure(screen: Screen, mark: str, indicator: str, site_id: str) -> None:
    """Which indicator at which place shall tell later what followed."""
    t, snapshot, language = screen.t, screen.snapshot, screen.language
    keys = sorted({key for key, _ in snapshot.readings}, key=lambda key: snapshot.catalogue[key].name(language))
    options = [NOTHING, *keys]
    chosen = st.selectbox(
        t("decide.indicator"),
        options,
        index=options.index(indicator) if indicator in options else 0,
        format_func=lambda key: snapshot.catalogue[key].name(language) if key else t("decide.no_indicator"),
        key=f"{mark}_indicator",
    )
    if chosen:
        sites = sorted(site for key, site in snapshot.readings if key == chosen)
        sites.sort(key=lambda site: site != snapshot.city.city_site)
        st.selectbox(
            t("decide.site"),
            sites,
            index=sites.index(site_id) if site_id in sites else 0,
            format_func=lambda one: snapshot.city.site_name(one, language),
            key=f"{mark}_site_{chosen}",
        )


def _area(screen: Screen, code: str) -> str:
    areas = screen.line.city.areas
    column = "name_en" if screen.language == "en" else "name_vi"
    return str(areas.at[code, column]) if code in areas.index else screen.t("roadmap.whole_city")


def _record(screen: Screen, mark: str, seen: str) -> None:
    """What stands in the form when the button is pressed, with the picture of that moment."""
    state, snapshot = st.session_state, screen.snapshot
    indicator = str(state.get(f"{mark}_indicator", "") or "")
    title, due = str(state.get(f"{mark}_task", "")).strip(), state.get(f"{mark}_due")
    unit = str(state.get(f"{mark}_unit", "")).strip()
    if just_done() and not str(state.get(f"{mark}_text", "")).strip():
        return
    path = "" if screen.key == HOME else screen.key
    query = urlencode({key: value for key, value in st.query_params.to_dict().items() if key != "lang"})

    def record() -> None:
        if title and not unit:
            raise PlanRefused("Hãy ghi đơn vị làm nhiệm vụ.", "Say which unit does the task.")
        task = Draft(title=title, unit=unit, due=due if isinstance(due, date) else None) if title else None
        screen.line.plans.decide(
            screen.person,
            Seen(
                page=screen.key,
                link=f"/{path}?{query}" if query else f"/{path}",
                snapshot=snapshot.number,
                at=snapshot.made_at,
                words=seen,
            ),
            str(state.get(f"{mark}_text", "")),
            indicator=indicator,
            site_id=str(state.get(f"{mark}_site_{indicator}", "") or ""),
            area=str(state.get(f"{mark}_area", "") or ""),
            task=task,
            snapshot=snapshot,
        )

    if do(screen, record, screen.t("decide.done")):
        state[_turn(screen)] = state.get(_turn(screen), 0) + 1
