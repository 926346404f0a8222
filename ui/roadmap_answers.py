"""Answering a criterion on the page: level, evidence, note, day; and putting an earlier answer back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from control.maturity import ANSWER, CONFIGURED, RESTORE, Reply, Stand
from core import formats
from core.access import may
from core.maturity import MOST_LINK, NO, PARTLY, YES, Given
from ui.frame import Screen
from ui.plan_deeds import day, do, sign

KEY = "roadmap_answer_key"
LEVELS = (YES, PARTLY, NO)


def may_answer(screen: Screen) -> bool:
    """The assessment is that of the whole city: whoever has only some areas reads it."""
    return may(screen.person, ANSWER) and screen.person.areas is None


def form(screen: Screen, stands: Sequence[tuple[str, Stand]]) -> None:
    """The fields of one criterion. `stands`: (short name of the text, criterion) of those that people answer."""
    t, by_key = screen.t, {one.criterion.key: (code, one) for code, one in stands}
    if not by_key:
        return
    if st.session_state.get(KEY) not in by_key:
        gaps = [key for key, (_, one) in by_key.items() if one.answer != YES]
        st.session_state[KEY] = gaps[0] if gaps else next(iter(by_key))
    with st.container(key="roadmap_answer_deeds", border=True):
        with st.container(key="roadmap_answer_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
            sign(screen, "roadmap_answer_name")
            st.selectbox(
                t("roadmap.answer_which"),
                list(by_key),
                format_func=lambda key: _label(screen, *by_key[key]) if key in by_key else str(key),
                key=KEY,
            )
        _, stand = by_key[str(st.session_state[KEY])]
        _fields(screen, stand)
        st.button(
            t("roadmap.do_answer"), key="do_answer_criterion", type="primary", on_click=_answer, args=(screen, stand)
        )
        if stand.history:
            with st.container(key="roadmap_answer_buttons", horizontal=True, gap="small", vertical_alignment="bottom"):
                _earlier(screen, stand)


def _label(screen: Screen, code: str, stand: Stand) -> str:
    """Never with the answer in it: a choice whose words change is another choice to the browser, and gets lost."""
    return f"{stand.criterion.text(screen.language)} ({code})"


def _mark(stand: Stand) -> str:
    """Every version has its own fields, so that what somebody else answered is shown and not lost."""
    return f":{stand.criterion.key}:{stand.version}"


def _fields(screen: Screen, stand: Stand) -> None:
    t, mark, own = screen.t, _mark(stand), stand.own
    document, note = (own.document, own.note) if own else _configured(screen, stand)
    with st.container(key="roadmap_answer_fields", horizontal=True, gap="small", vertical_alignment="bottom"):
        st.segmented_control(
            t("roadmap.answer"),
            LEVELS,
            default=stand.told if stand.told in LEVELS else None,
            format_func=lambda level: t(f"roadmap.answer_{level}"),
            key=f"roadmap_answer_level{mark}",
        )
        st.date_input(
            t("roadmap.answer_day"),
            value=own.day if own else screen.line.plans.today,
            format="DD/MM/YYYY",
            key=f"roadmap_answer_day{mark}",
        )
    with st.container(key="roadmap_answer_evidence", horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input(
            t("roadmap.answer_document"),
            value=document,
            max_chars=200,
            key=f"roadmap_answer_document{mark}",
        )
        st.text_input(
            t("roadmap.answer_link"),
            value=own.link if own else "",
            max_chars=MOST_LINK,
            placeholder="https://",
            key=f"roadmap_answer_link{mark}",
        )
    st.text_input(t("roadmap.answer_note"), value=note, max_chars=1000, key=f"roadmap_answer_note{mark}")
    st.caption(t("roadmap.answer_rule"))


def _configured(screen: Screen, stand: Stand) -> tuple[str, str]:
    """What the configured answer rests on, and its note: whoever changes the level alone keeps both."""
    given = stand.given
    if given is None:
        return "", ""
    names = [screen.t(f"page.{one.screen}") if one.screen else one.document for one in given.evidence]
    return "; ".join(names), given.note["en" if screen.language == "en" else "vi"]


def _earlier(screen: Screen, stand: Stand) -> None:
    t, mark = screen.t, _mark(stand)
    choices = {one.version: said(screen, one) for one in reversed(stand.history[:-1])}
    configured = stand.given
    choices[CONFIGURED] = (
        f"{t(f'roadmap.answer_{configured.answer}')}, {configured.by}, {day(configured.on, screen.language)}"
        if configured
        else t("roadmap.nobody")
    )
    st.selectbox(
        t("roadmap.answer_earlier"),
        list(choices),
        format_func=lambda version: choices.get(version, formats.DASH),
        key=f"roadmap_answer_back{mark}",
    )
    st.button(t("roadmap.do_restore"), key="do_restore_answer", on_click=_restore, args=(screen, stand))


def said(screen: Screen, one: Given) -> str:
    """«đạt, Lê Thị Hạnh, 12/11/2026»."""
    return f"{screen.t(f'roadmap.answer_{one.answer}')}, {one.changed_by}, {day(one.day, screen.language)}"


def _answer(screen: Screen, stand: Stand) -> None:
    """What stands in the fields when the button is pressed."""
    state, mark = st.session_state, _mark(stand)
    given = state.get(f"roadmap_answer_day{mark}")
    reply = Reply(
        criterion=stand.criterion.key,
        version=stand.version,
        answer=str(state.get(f"roadmap_answer_level{mark}") or ""),
        document=str(state.get(f"roadmap_answer_document{mark}", "")),
        link=str(state.get(f"roadmap_answer_link{mark}", "")),
        note=str(state.get(f"roadmap_answer_note{mark}", "")),
        day=given if isinstance(given, date) else None,
    )
    do(screen, lambda: screen.line.maturity.answer(screen.person, reply), screen.t(f"roadmap.done_{ANSWER}"))


def _restore(screen: Screen, stand: Stand) -> None:
    back = st.session_state.get(f"roadmap_answer_back{_mark(stand)}")
    do(
        screen,
        lambda: screen.line.maturity.restore(
            screen.person, stand.criterion.key, stand.version, CONFIGURED if back is None else int(back)
        ),
        screen.t(f"roadmap.done_{RESTORE}"),
    )
