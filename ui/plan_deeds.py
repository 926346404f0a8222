"""Deeds on plans from a screen: through the gate, who signs them, and what the person reads afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import streamlit as st

from alerts.refusals import Refused
from control.studies import Study
from core import formats
from core.access import Denied
from core.errors import InputError
from core.plans import PlanRefused
from ui.frame import Screen

ANSWER = "roadmap_answer"
ANSWERS_S = 30.0
DOUBLE_CLICK_S = 3.0  # a slow server takes its time between the two


def sign(screen: Screen, key: str) -> None:
    """Whoever works without a login says who they are; the name is kept for the next page."""
    if screen.person.kind != "demo":
        return
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get("duty_name", "")
    st.session_state["duty_name"] = st.text_input(
        screen.t("alert.name"), key=key, placeholder=screen.t("alert.name_hint"), max_chars=80
    )


def do(screen: Screen, work: Callable[[], object], done: str) -> bool:
    """Do it, and keep what came of it for `answer`. True when it was done."""
    try:
        work()
    except (PlanRefused, Refused, Denied) as error:
        _tell("error", error.words(screen.language))
    except InputError as error:
        _tell("error", str(error))
    else:
        _tell("done", done)
        return True
    return False


def _tell(kind: str, text: str) -> None:
    st.session_state[ANSWER] = (kind, text, time.monotonic())


def just_done() -> bool:
    """True right after a deed: an empty form that is sent then is the second click of a double click."""
    kind, _, told = st.session_state.get(ANSWER, ("", "", 0.0))
    return bool(kind == "done" and time.monotonic() - told < DOUBLE_CLICK_S)


def answer() -> None:
    """What came of the last deed, as long as a person needs to find and read it, however often the page is drawn."""
    kind, text, told = st.session_state.get(ANSWER, ("", "", 0.0))
    if kind and time.monotonic() - told < ANSWERS_S:
        with st.container(key=f"notice_{kind}_roadmap"):
            st.text(text)


def day(one: date | None, language: str) -> str:
    """«31/12/2026», or «31 Dec 2026»; a dash where there is none."""
    if one is None:
        return formats.DASH
    return f"{one.day} {formats.MONTHS_EN[one.month - 1]} {one.year}" if language == "en" else one.strftime("%d/%m/%Y")


def age(screen: Screen, study: Study[Any]) -> str:
    """When a study was computed, or that it is being computed, or why it could not be."""
    t = screen.t
    if study.problem:
        return t("roadmap.problem", why=study.problem)
    if study.made_at is None:
        return t("roadmap.computing", share=formats.percent(100 * study.progress, 0, screen.language))
    return t("roadmap.computed", at=_moment(screen, study.made_at))


def _moment(screen: Screen, at: datetime) -> str:
    return formats.moment(at, screen.line.clock.now(), screen.line.city.zone)
