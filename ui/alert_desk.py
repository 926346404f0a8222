"""The alert desk: the list of things to do on the left, one alert with all deeds on the right."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from alerts.deeds import MUTE_WALL, Deed
from core.alert import Alert, Key
from core.catalogue import DOMAINS
from ui import alert_detail, alert_items, panel, render
from ui.alert_deeds import allowed, do, notice, title_of
from ui.frame import Screen, strip
from ui.views import View

FILTERS = ("all", "unacked", "mine", "covered")
FLOOD_WINDOW = timedelta(minutes=10)  # EEMUA 191
FLOOD_STARTS = 10  # more than so many annunciations in the window
RINGING = ("raise", "raise_priority", "realarm", "ack_expired")


def desk(screen: Screen) -> None:
    """The whole page below the navigation."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view = screen.view()
        panel.panel("alert_strip", {"strip": strip(view)})
        with st.container(key="alert_load", horizontal=True, gap="small", vertical_alignment="center"):
            panel.panel("alert_load_panel", {"load": _load(screen, view)})
            _sound(screen, view)
        screen.beat(view.snapshot)
        left, right = st.columns([13, 10], gap="small")
        with left, st.container(key="alert_left"):
            shown = _filters(screen, view)
            chosen = _chosen(view, shown)
            ticked = _ticked(view)
            _together(screen, view, ticked)
            panel.panel("alert_list", {"list": _list(screen, view, shown, chosen, ticked)}, lambda: _on_deed(screen))
        with right, st.container(key="alert_right"):
            notice(screen)
            alert = next((one for one in view.snapshot.alerts if one.key == chosen), None)
            alert_detail.detail(screen, view, alert)

    region()


def _load(screen: Screen, view: View) -> str:
    """How many alerts rang in the last ten minutes, who is on duty, what could not be delivered, the wall's sound."""
    journal = view.snapshot.journal
    rang = journal[journal["deed"].isin(RINGING) & (journal["state_after"] == "UNACK")]["happened_at"]
    minutes = [
        int(((rang > view.now - timedelta(minutes=back + 1)) & (rang <= view.now - timedelta(minutes=back))).sum())
        for back in reversed(range(int(FLOOD_WINDOW / timedelta(minutes=1))))
    ]
    muted = view.snapshot.switches.get(MUTE_WALL)
    return render.html(
        "alert_load.html",
        view.snapshot,
        view.language,
        minutes=minutes,
        highest=max(*minutes, 1),
        flood=sum(minutes) > FLOOD_STARTS,
        limit=FLOOD_STARTS,
        items=len(view.snapshot.items),
        muted=muted if muted and muted.until > view.now else None,
    )


def _filters(screen: Screen, view: View) -> list[Alert]:
    t = screen.t
    with st.container(key="alert_filters", horizontal=True, gap="small", vertical_alignment="bottom"):
        if screen.person.kind == "demo":
            if "actor" not in st.session_state:  # a widget's own state is forgotten when another page is opened
                st.session_state["actor"] = st.session_state.get("duty_name", "")
            st.session_state["duty_name"] = st.text_input(
                t("alert.name"),
                key="actor",
                placeholder=t("alert.name"),
                max_chars=80,
                label_visibility="collapsed",
            )
        which = st.segmented_control(
            t("alert.filter"),
            FILTERS,
            default="all",
            format_func=lambda name: t(f"alert.filter_{name}"),
            key="filter",
            label_visibility="collapsed",
        )
        domains = [name for name in DOMAINS if any(words.domain == name for words in view.snapshot.rules.values())]
        domain = st.selectbox(
            t("alert.domain"),
            ["", *domains],
            format_func=lambda name: t(f"domain.{name}") if name else t("alert.every_domain"),
            key="domain",
            label_visibility="collapsed",
        )
        words = st.text_input(
            t("alert.search"), key="search", placeholder=t("alert.search_short"), label_visibility="collapsed"
        )
    snapshot = view.snapshot
    pool = {
        "covered": snapshot.covered_alerts(),
        "unacked": [alert for alert in snapshot.open_alerts() if not alert.acked],
        "mine": [alert for alert in snapshot.open_alerts() if screen.person.name in (alert.assignee, alert.acked_by)],
    }.get(which or "all", [*snapshot.open_alerts(), *snapshot.covered_alerts()])
    if domain:
        pool = [alert for alert in pool if _domain(view, alert) == domain]
    wanted = (words or "").strip().casefold()
    return [alert for alert in pool if wanted in _searchable(view, alert)] if wanted else pool


def _sound(screen: Screen, view: View) -> None:
    """The wall's sound off for ten minutes, by name, and on again."""
    muted = view.snapshot.switches.get(MUTE_WALL)
    off = muted is not None and muted.until > view.now
    action = "unmute_wall" if off else "mute_wall"
    if allowed(screen, action):
        label = screen.t("alert.unmute_wall" if off else "alert.mute_wall")
        st.button(label, key=f"do_{action}", on_click=do, args=(screen, Deed(action=action)))


def _domain(view: View, alert: Alert) -> str:
    words = view.snapshot.rules.get(alert.rule)
    return words.domain if words else ""


def _searchable(view: View, alert: Alert) -> str:
    card = view.card(alert)
    return f"{card.title} {card.place} {card.owner} {card.rule} {card.site_id} {alert.situation}".casefold()


def _chosen(view: View, shown: list[Alert]) -> Key | None:
    """The alert in the address (?alert=rule:site), so that a link or a reload restores it; else the first shown.

    The choice is written into the address at once: what a person reads must not give way to a newer alert.
    """
    rule, _, site_id = str(st.query_params.get("alert", "")).partition(":")
    known = {alert.key for alert in view.snapshot.alerts}
    if (rule, site_id) in known:
        return (rule, site_id)
    if not shown:
        return None
    open_first = next((item.lead for item in view.snapshot.items if item.lead in {one.key for one in shown}), None)
    chosen = open_first or shown[0].key
    st.query_params["alert"] = ":".join(chosen)
    return chosen


def _ticked(view: View) -> tuple[Key, ...]:
    """Rows that this person ticked and that are still there."""
    known = {alert.key for alert in view.snapshot.alerts if alert.truth != "NORM" or alert.hidden}
    kept = tuple(key for key in st.session_state.get("ticked", ()) if key in known)
    st.session_state["ticked"] = kept
    return kept


def _together(screen: Screen, view: View, ticked: tuple[Key, ...]) -> None:
    """Deeds on the ticked rows: exactly those, named, and no other."""
    if not ticked:
        return
    t = screen.t
    alerts = {alert.key: alert for alert in view.snapshot.alerts}
    waiting = tuple(key for key in ticked if not alerts[key].acked and alerts[key].hidden is None)
    own = "|".join(":".join(key) for key in ticked)
    with st.container(key="alert_together", horizontal=True, gap="small", vertical_alignment="center"):
        st.text(t("item.ticked", n=len(ticked)))
        if waiting and allowed(screen, "acknowledge"):
            st.button(
                t("item.acknowledge_ticked", n=len(waiting)),
                key=f"do_together:{own}",
                type="primary",
                help="\n\n".join(f"{title_of(screen, key)}, {_place(view, key)}" for key in waiting),
                on_click=do,
                args=(screen, Deed(action="acknowledge", keys=waiting)),
            )
        if allowed(screen, "join"):
            st.button(
                t("situation.new"),
                key=f"do_join:{own}",
                on_click=do,
                args=(screen, Deed(action="join", keys=ticked)),
            )
        if allowed(screen, "assign"):
            with st.popover(t("alert.assign")):
                alert_detail.assign_form(screen, ticked, own)
        st.button(t("item.untick"), key="do_untick", on_click=_untick)


def _untick() -> None:
    st.session_state["ticked"] = ()


def _place(view: View, key: Key) -> str:
    return view.snapshot.city.site_name(key[1], view.language)


def _list(screen: Screen, view: View, shown: list[Alert], chosen: Key | None, ticked: tuple[Key, ...]) -> str:
    closed = [alert.cleared_at for alert in view.snapshot.alerts if alert.cleared_at and alert.truth == "NORM"]
    return render.html(
        "alert_list.html",
        view.snapshot,
        view.language,
        groups=alert_items.groups(view, shown, ticked),
        chosen=chosen,
        total=len(shown),
        last_closed=max(closed, default=None),
        may_acknowledge=allowed(screen, "acknowledge"),
    )


def _on_deed(screen: Screen) -> None:
    """A click or key in the list: choose a row, tick it, or acknowledge it."""
    deed = getattr(st.session_state.get("alert_list"), "deed", None)
    if not isinstance(deed, dict):
        return
    key = (str(deed.get("rule", "")), str(deed.get("site", "")))
    if key not in {alert.key for alert in screen.snapshot.alerts}:
        return
    if deed.get("deed") == "tick":
        ticked = tuple(st.session_state.get("ticked", ()))
        st.session_state["ticked"] = tuple(one for one in ticked if one != key) if key in ticked else (*ticked, key)
        return
    st.query_params["alert"] = f"{key[0]}:{key[1]}"
    if deed.get("deed") == "acknowledge":
        do(screen, Deed(action="acknowledge", keys=(key,)))
