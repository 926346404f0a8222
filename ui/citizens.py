"""The page of citizens and services: four views behind one choice, which lives in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from control import citizens as voice
from control.citizens import Report
from control.studies import Study
from ui import citizens_cases, citizens_satisfaction, citizens_score, citizens_use
from ui.frame import Screen

SATISFACTION, USE, CASES, SCORE = "hai-long", "quan-tam-su-dung", "phan-anh", "766"


def page(screen: Screen) -> None:
    """The whole page below the strip."""
    known = views()
    asked = str(st.query_params.get("view", ""))
    start = asked if asked in known else SATISFACTION
    with st.container(key="citizens_choice"):
        chosen = st.segmented_control(
            screen.t("citizens.view"),
            list(known),
            default=start,
            format_func=lambda one: screen.t(f"citizens.view_{one}"),
            key="citizens_view",
            label_visibility="collapsed",
        )
    view = chosen or start
    st.query_params["view"] = view
    known[view](screen)


def views() -> Mapping[str, Callable[[Screen], None]]:
    """The views in their order."""
    return {SATISFACTION: satisfaction, USE: use, CASES: citizens_cases.cases, SCORE: citizens_score.score}


def satisfaction(screen: Screen) -> None:
    """Are they satisfied, and how sure is that? Below it the links of the survey, for those who may make them."""
    citizens_satisfaction.view(screen, lambda: ask(screen))


def use(screen: Screen) -> None:
    """What do people look for, use, give up? And who uses this dashboard?"""
    citizens_use.view(screen, lambda: ask(screen))


def ask(screen: Screen) -> Study[Report]:
    """The newest report of the person's areas, the same for all who may see them."""
    areas, line = screen.person.areas, screen.line
    return line.studies.ask(
        ("citizens", line.city.key, areas), lambda tell: line.citizens.report(areas, tell), voice.EVERY
    )
