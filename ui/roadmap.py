"""The page «Lộ trình»: one view at a time, chosen in the address; below it what came of the last deed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import plan_deeds, roadmap_decisions, roadmap_maturity, roadmap_priorities, roadmap_targets, roadmap_tasks
from ui.frame import Screen

VIEWS: dict[str, Callable[[Screen], None]] = {
    "muc-tieu": roadmap_targets.show,
    "nhiem-vu": roadmap_tasks.show,
    "uu-tien": roadmap_priorities.show,
    "quyet-dinh": roadmap_decisions.show,
    "truong-thanh": roadmap_maturity.show,
}


def page(screen: Screen) -> None:
    """The whole page below the strip."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        names = list(VIEWS)
        asked = str(st.query_params.get("view", ""))
        start = asked if asked in VIEWS else names[0]
        with st.container(key="roadmap_views"):
            chosen = st.segmented_control(
                screen.t("roadmap.view"),
                names,
                default=start,
                format_func=lambda one: screen.t(f"roadmap.view_{one.replace('-', '_')}"),
                key="roadmap_view",
                label_visibility="collapsed",
            )
        st.query_params["view"] = chosen or start
        plan_deeds.answer()
        VIEWS[chosen or start](screen)

    region()
