"""Messages about alerts: what did not reach its reader, what went out, and sending again or dropping by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import streamlit as st

from alerts.deeds import Deed
from alerts.refusals import Refused
from core import formats
from core.access import Denied, may
from core.alert import SITUATION
from core.errors import InputError
from core.ledger import UNDELIVERED, Notice
from notices._contract import TROUBLES
from ui import panel, render
from ui.frame import Screen, strip
from ui.views import View

UNDER_WAY = ("queued", "sending")
DEEDS = ("resend_notice", "drop_notice")
RECENT = timedelta(hours=24)
MOST_SHOWN = 100
SEES_ADDRESSES = "supervisor"


def outbox(screen: Screen) -> None:
    """The whole page below the navigation."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view = screen.view()
        panel.panel("messages_strip", {"strip": strip(view)})
        screen.beat(view.snapshot)
        _outcome()
        panel.panel("messages_list", {"messages": _list(screen, view)}, partial(_on_deed, screen))

    region()


def masked(address: str) -> str:
    """«n…@thanhlam.example», «+84…678»: enough to know whom, too little to write to."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    digits = sum(letter.isdigit() for letter in address)
    return f"{address[:3]}…{address[-3:]}" if digits > 6 else address


def _list(screen: Screen, view: View) -> str:
    person = screen.person
    store = screen.line.store
    undelivered = [one for one in store.read_notices(UNDELIVERED) if _seen(screen, one)]
    recent = [one for one in store.read_notices(None, view.now - RECENT) if _seen(screen, one)]
    clear = person.role == SEES_ADDRESSES
    allowed = [deed for deed in DEEDS if may(person, deed) and person.areas is None]
    waiting = [one for one in recent if one.state in UNDER_WAY]
    settled = [one for one in recent if one.state not in (*UNDELIVERED, *UNDER_WAY)]
    return render.html(
        "messages.html",
        view.snapshot,
        view.language,
        undelivered=_rows(view, undelivered, clear),
        waiting=_rows(view, waiting, clear),
        settled=_rows(view, settled, clear),
        hidden=[max(len(group) - MOST_SHOWN, 0) for group in (undelivered, waiting, settled)],
        may_resend="resend_notice" in allowed,
        may_drop="drop_notice" in allowed,
    )


def _seen(screen: Screen, notice: Notice) -> bool:
    """What lies in no area of the person is not theirs; a situation belongs to the whole city."""
    areas = screen.person.areas
    if areas is None:
        return True
    area = screen.line.city.area_of(notice.site_id)
    return notice.rule != SITUATION and (not area or area in areas)


def _rows(view: View, notices: Sequence[Notice], clear: bool) -> list[dict[str, Any]]:
    return [_row(view, notice, clear) for notice in notices[:MOST_SHOWN]]


def _row(view: View, notice: Notice, clear: bool) -> dict[str, Any]:
    now, zone = view.now, view.zone
    to = notice.recipient if clear else masked(notice.recipient)
    trouble, known, words = notice.error.partition(": ")
    if notice.error and (not known or trouble not in TROUBLES):
        trouble, words = "stopped", notice.error
    if notice.recipient:
        words = words.replace(notice.recipient, to)
    return {
        "id": notice.id,
        "subject": notice.subject,
        "glyph": view.glyph(notice.priority, "UNACK", 22),
        "channel": notice.channel,
        "to": to,
        "made": formats.moment(notice.made_at, now, zone),
        "settled": formats.moment(notice.settled_at, now, zone) if notice.settled_at else "",
        "due": formats.moment(notice.due_at, now, zone) if notice.due_at and notice.due_at > now else "",
        "tries": notice.tries,
        "state": notice.state,
        "error": view.t(f"messages.error_{trouble}") if notice.error else "",
        "raw": words,
    }


def _on_deed(screen: Screen) -> None:
    """A click on «send again» or «drop»: through the gate of the line, which checks role and area."""
    clicked = getattr(st.session_state.get("messages_list"), "deed", None)
    if not isinstance(clicked, dict) or clicked.get("deed") not in DEEDS:
        return
    action = str(clicked["deed"])
    try:
        screen.line.act(screen.person, Deed(action=action, notice=str(clicked.get("notice", ""))))
    except (Denied, Refused) as error:
        st.session_state["message_outcome"] = ("error", error.words(screen.language))
    except InputError:  # somebody else was faster, or it is not there any more
        st.session_state["message_outcome"] = ("error", screen.t("messages.changed_meanwhile"))
    else:
        st.session_state["message_outcome"] = ("done", screen.t(f"messages.done_{action}"))


def _outcome() -> None:
    """What came of the last click; it gives way to the next one."""
    kind, text = st.session_state.get("message_outcome", ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}"):
            st.text(text)
