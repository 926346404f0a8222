"""A deed from a screen: through the gate of the line, and what the person reads afterwards, with the undo beside it."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from alerts.deeds import Deed
from alerts.refusals import Refused
from core.access import Denied, may
from core.alert import SITUATION, Key
from ui.frame import Screen

KEEP_NOTICE = 3  # times as long as the undo stands beside it


def do(screen: Screen, deed: Deed) -> None:
    """Carry out a deed, and keep its outcome for the notice above the detail.

    A callback: it runs before the page is drawn anew, on what the person saw when the button was pressed.
    """
    now = screen.line.clock.now()
    try:
        screen.line.act(screen.person, deed)
    except (Refused, Denied) as error:
        st.session_state["notice"] = ("error", error.words(screen.language), None, None)
        return
    undo = (deed.keys, now) if deed.action == "acknowledge" else None
    text = screen.t(f"alert.done_{deed.action}", title=_titles(screen, deed))
    st.session_state["notice"] = ("done", text, undo, now)


def allowed(screen: Screen, *actions: str) -> bool:
    """True when the role may do one of these: a courtesy of the screen, the lock is at the gate."""
    person = screen.person
    return any(may(person, action) for action in actions)


def notice(screen: Screen) -> None:
    """What came of the last deed; ten seconds long with its undo."""
    kind, text, undo, at = st.session_state.get("notice", ("", "", None, None))
    if not kind:
        return
    now, undo_within = screen.line.clock.now(), screen.line.desk.undo_within
    with st.container(key=f"notice_{kind}", horizontal=True, gap="small", vertical_alignment="center"):
        st.text(text)
        if undo is not None and _within(at, now, undo_within):
            st.button(
                screen.t("alert.undo"),
                key=f"do_undo:{'|'.join(':'.join(key) for key in undo[0])}",
                on_click=do,
                args=(screen, Deed(action="unacknowledge", keys=undo[0])),
            )
        elif kind == "done" and not _within(at, now, KEEP_NOTICE * undo_within):
            st.session_state.pop("notice", None)


def _within(at: datetime | None, now: datetime, span: timedelta) -> bool:
    return at is not None and now - at <= span


def _titles(screen: Screen, deed: Deed) -> str:
    """What the deed was about, short: the title of one alert, or how many."""
    if len(deed.keys) == 1:
        return title_of(screen, deed.keys[0])
    if deed.keys:
        return screen.t("alert.several", n=len(deed.keys))
    return deed.situation or deed.handover


def title_of(screen: Screen, key: Key) -> str:
    """The title of an alert in the language of the screen."""
    if key[0] == SITUATION:
        return key[1]
    words = screen.snapshot.rules.get(key[0])
    return words.title[screen.language] if words else key[0]
