"""Every version that a unit delivered for a period: who, when, why; each can be taken out, and delivered again."""

from __future__ import annotations

from functools import partial

import streamlit as st

from control.intake import DELIVER, READ, words_of
from core import formats
from core.access import may
from core.errors import InputError
from core.forms import Delivery
from ui import panel, render
from ui.frame import Screen
from ui.intake_choice import Choice, forget, tell


def history(screen: Screen, choice: Choice) -> None:
    """Every version of the chosen unit and period: who, when, why; each can be taken out, and delivered again."""
    view, t, line = screen.view(), screen.t, screen.line
    end = choice.period.end_at(line.city.zone)
    found = [one for one in line.intake.history(choice.form, [choice.unit]) if one.period_end == end]
    rows = [
        {
            "version": one.version,
            "at": formats.moment(one.delivered_at, view.now, view.zone),
            "who": one.delivered_by,
            "name": one.file_name,
            "count": one.row_count,
            "missing": one.missing,
            "reason": one.reason,
            "sha256": one.sha256[:12],
        }
        for one in found
    ]
    html = render.html("intake_history.html", view.snapshot, view.language, rows=rows, period=choice.period.label)
    panel.panel("intake_history", {"history": html})
    if not found or not may(screen.person, READ):
        return
    by_version = {one.version: one for one in found}
    with st.container(key="intake_versions", horizontal=True, gap="small", vertical_alignment="bottom"):
        version = st.selectbox(
            t("intake.version"),
            list(by_version),
            format_func=lambda n: t("intake.version_n", n=n),
            key=f"intake_version:{choice.key}",
        )
        chosen = by_version[int(version)]
        st.download_button(
            t("intake.download"),
            partial(line.intake.file_of, screen.person, chosen),
            file_name=chosen.file_name,
            key=f"intake_download:{choice.key}:{version}",
            on_click="ignore",
        )
        if not may(screen.person, DELIVER):
            return
        if chosen is not found[0]:
            st.button(t("intake.again"), key="intake_do_again", on_click=_again, args=(screen, choice, chosen))
        if found[0].missing < found[0].row_count:
            st.button(
                t("intake.withdraw"),
                key="intake_do_withdraw",
                help=t("intake.withdraw_how"),
                on_click=_withdraw,
                args=(screen, choice, found[0].version),
            )


def _again(screen: Screen, choice: Choice, chosen: Delivery) -> None:
    """Take an older version out as if it had been dropped here: it is examined and signed like any other."""
    forget()
    try:
        body = screen.line.intake.file_of(screen.person, chosen)
    except InputError as error:
        tell("error", words_of(error, screen.language))
        return
    st.session_state["intake_again"] = (choice.key, chosen.file_name, body, "intake.again_shown")


def _withdraw(screen: Screen, choice: Choice, version: int) -> None:
    """A first delivery that was wrong has no older version to go back to: a file that says «KPS» everywhere does it."""
    forget()
    body = screen.line.sheets.withdrawal(choice.form, choice.unit, choice.period)
    st.session_state["intake_again"] = (choice.key, f"rut_ban_{version}.xlsx", body, "intake.withdraw_shown")
