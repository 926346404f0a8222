"""The spreadsheet desk: who has delivered what, and a file on its way from the template to its signature.

Left: what is late, and the periods of the chosen form. Right: template, file, problems by cell, differences, dry run,
sign-off, and every version ever delivered. Nothing counts before somebody has signed, and no version is overwritten.
"""

from __future__ import annotations

import streamlit as st

from control.intake import DELIVER
from core.access import may
from ui import intake_file, intake_history
from ui.frame import Screen
from ui.intake_choice import Choice, answer, choose, follow, usable
from ui.intake_periods import overview


def page(screen: Screen) -> None:
    """The whole page below the strip."""
    known = usable(screen)
    if not known:
        st.info(screen.t("intake.no_forms"))
        return
    left, right = st.columns((9, 11), gap="small")
    with right:
        choice = choose(screen, known)

        @st.fragment
        def desk() -> None:
            follow()
            _desk(screen, choice)

        desk()
    with left:

        @st.fragment(run_every=screen.refresh_s)
        def state() -> None:
            follow()
            overview(screen, known, choice)

        state()


def _desk(screen: Screen, choice: Choice) -> None:
    answer()
    if may(screen.person, DELIVER):
        intake_file.deliver(screen, choice)
    else:
        st.caption(screen.t("intake.only_reads"))
    intake_history.history(screen, choice)
