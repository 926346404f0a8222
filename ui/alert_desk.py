"""The alert desk: the list, one alert in detail, and deeds by name: acknowledge, undo, shelve, unshelve, note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from alerts import deeds
from alerts.refusals import Refused
from charts import sparkline, trend
from core import formats
from core.alert import PRIORITIES, Alert
from core.snapshot import RuleWords
from ui import maps, panel, query, render
from ui.frame import Screen, strip
from ui.views import Card, View

Key = tuple[str, str]
SHELVES = {"minutes_30": timedelta(minutes=30), "hours_2": timedelta(hours=2), "hours_8": timedelta(hours=8)}
FILTERS = ("all", "unacked", "covered")
UNDO_WITHIN = timedelta(seconds=10)
JOURNAL_DAYS = 30
CHART_HOURS = 6


def desk(screen: Screen) -> None:
    """The whole page below the navigation."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view = screen.view()
        panel.panel("alert_strip", {"strip": strip(view)})
        screen.beat(view.snapshot)
        left, right = st.columns([13, 10], gap="small")
        with left, st.container(key="alert_left"):
            shown = _filters(screen, view)
            chosen = _chosen(view, shown)
            panel.panel("alert_list", {"list": _list(view, shown, chosen)}, partial(_on_deed, screen))
        with right, st.container(key="alert_right"):
            _notice(screen)
            alert = next((one for one in view.snapshot.alerts if one.key == chosen), None)
            panel.panel("alert_head", {"head": _head(view, alert)})
            if alert is not None:
                _forms(screen, view, alert)
                _pictures(screen, view, alert)
                panel.panel("alert_body", {"body": _body(view, alert)})

    region()


def _filters(screen: Screen, view: View) -> list[Alert]:
    t = screen.t
    with st.container(key="alert_filters", horizontal=True, gap="small", vertical_alignment="bottom"):
        if "actor" not in st.session_state:  # a widget's own state is forgotten when another page is opened
            st.session_state["actor"] = st.session_state.get("duty_name", "")
        name = st.text_input(t("alert.name"), key="actor", placeholder=t("alert.name_hint"), max_chars=80)
        st.session_state["duty_name"] = name
        which = st.segmented_control(
            t("alert.filter"), FILTERS, default="all", format_func=lambda name: t(f"alert.filter_{name}"), key="filter"
        )
        words = st.text_input(t("alert.search"), key="search", placeholder=t("alert.search"))
    snapshot = view.snapshot
    pool = snapshot.covered_alerts() if which == "covered" else snapshot.open_alerts()
    if which in ("all", None):
        pool = [*pool, *snapshot.covered_alerts()]
    if which == "unacked":
        pool = [alert for alert in pool if not alert.acked]
    wanted = (words or "").strip().casefold()
    return [alert for alert in pool if wanted in _searchable(view.card(alert))] if wanted else pool


def _searchable(card: Card) -> str:
    return f"{card.title} {card.place} {card.owner} {card.rule} {card.site_id}".casefold()


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
    st.query_params["alert"] = ":".join(shown[0].key)
    return shown[0].key


def _list(view: View, shown: list[Alert], chosen: Key | None) -> str:
    t = view.t
    size = 24
    groups = [
        (t("alert.open_group"), view.cards([a for a in shown if a.hidden is None and a.active], size)),
        (t("alert.returned_group"), view.cards([a for a in shown if a.hidden is None and not a.active], size)),
        (t("alert.covered_group"), view.cards([a for a in shown if a.hidden is not None], size)),
    ]
    return render.html("alert_list.html", view.snapshot, view.language, groups=groups, chosen=chosen, total=len(shown))


def _head(view: View, alert: Alert | None) -> str:
    card = None if alert is None else view.card(alert, 36)
    return render.html("alert_head.html", view.snapshot, view.language, card=card)


def _pictures(screen: Screen, view: View, alert: Alert) -> None:
    """The last hours with the limits of the rule, and the place with what stands around it."""
    words = view.snapshot.rules.get(alert.rule)
    city = view.snapshot.city
    point = None if alert.site_id == city.city_site else city.point(alert.site_id)
    left, right = st.columns([3, 2], gap="small") if point else (st.container(), None)
    if words and words.observed_property in view.snapshot.catalogue:
        with left, st.container(key="alert_chart"):
            _chart(screen, view, alert, words)
    if right is not None and point is not None:
        with right:
            svg = maps.around(view, alert, *point)
            panel.panel("alert_map", {"map": f'<section class="map-around">{svg}</section>'})


def _chart(screen: Screen, view: View, alert: Alert, words: RuleWords) -> None:
    snapshot = view.snapshot
    key = words.observed_property
    recent = snapshot.recent.get((key, alert.site_id))
    since = view.now - timedelta(hours=CHART_HOURS)
    data = pd.DataFrame({"time": [], "value": []}) if recent is None else recent[recent["time"] > pd.Timestamp(since)]
    if data.empty:
        st.caption(screen.t("trends.no_data"))
        return
    limits = [] if words.missing else [
        (screen.t(f"priority.{priority}"), value)
        for priority in words.setpoints
        if (value := view.setpoint(words, priority, alert.site_id)) is not None
    ]  # fmt: skip
    events = [] if alert.raised_at is None or alert.raised_at < since else [
        (alert.raised_at, alert.priority, words.title[view.language])
    ]  # fmt: skip
    chart = trend.trend(
        data.assign(quality="pass"),
        prop=snapshot.catalogue[key],
        zone=view.zone,
        language=view.language,
        theme=screen.look,
        band=sparkline.band_over(snapshot.band.get((key, alert.site_id)), since, view.now, view.zone),
        thresholds=limits,
        events=events,
        abnormal=alert.priority if alert.active and not words.missing else None,
        since=since,
        until=view.now,
        height=230,
    )
    st.altair_chart(chart, theme=None, width="stretch", key="alert_trend")


def _body(view: View, alert: Alert) -> str:
    words = view.snapshot.rules.get(alert.rule)
    rows = query.journal(alert.rule, alert.site_id, view.now - timedelta(days=JOURNAL_DAYS))
    journal = [
        {
            "time": formats.moment(row["happened_at"], view.now, view.zone),
            "actor": view.t("deed.engine") if row["actor"] == "engine" else row["actor"],
            "words": view.t(f"deed.{row['deed']}", priority=view.t(f"priority.{row['priority']}")),
            "reason": row["reason"],
        }
        for row in rows.head(40).to_dict("records")
    ]
    return render.html("alert_body.html", view.snapshot, view.language, words=words, journal=journal)


def _forms(screen: Screen, view: View, alert: Alert) -> None:
    """Deeds on one alert. Every widget carries the alert in its key: a second click, or a text begun for one alert,
    can never reach another.
    """
    t = screen.t
    own = ":".join(alert.key)
    with st.container(key="alert_deeds", horizontal=True, gap="small", vertical_alignment="bottom"):
        if not alert.acked and alert.hidden is None:
            word = t("alert.acknowledge") if alert.active else t("alert.close")
            acknowledge = partial(deeds.acknowledge, keys=[alert.key])
            st.button(
                word,
                type="primary",
                key=f"do_acknowledge:{own}",
                on_click=_apply,
                args=(screen, alert.key, "acknowledge", acknowledge),
            )
        if alert.hidden == "SHLVD":
            unshelve = partial(deeds.unshelve, keys=[alert.key])
            st.button(
                t("alert.unshelve"),
                key=f"do_unshelve:{own}",
                on_click=_apply,
                args=(screen, alert.key, "unshelve", unshelve),
            )
        if alert.hidden is None:
            with st.popover(t("alert.shelve"), disabled=alert.priority == PRIORITIES[-1]):
                _shelve_form(screen, alert)
        with st.popover(t("alert.comment")), st.form(f"comment_form:{own}", clear_on_submit=True, border=False):
            st.text_area(t("alert.comment"), max_chars=2000, key=f"comment_text:{own}")
            st.form_submit_button(t("alert.send"), on_click=_comment, args=(screen, alert.key))
    if alert.priority == PRIORITIES[-1]:
        st.caption(t("alert.no_shelve_critical"))


def _shelve_form(screen: Screen, alert: Alert) -> None:
    t = screen.t
    own = ":".join(alert.key)
    with st.form(f"shelve_form:{own}", border=False):
        st.text_input(t("alert.reason"), placeholder=t("alert.reason_hint"), max_chars=300, key=f"shelve_reason:{own}")
        st.segmented_control(
            t("alert.for_how_long"),
            list(SHELVES),
            default="minutes_30",
            format_func=lambda name: t(f"alert.{name}"),
            key=f"shelve_span:{own}",
        )
        st.form_submit_button(t("alert.shelve"), on_click=_shelve, args=(screen, alert.key))


def _on_deed(screen: Screen) -> None:
    """A click or key in the list: choose a row, or acknowledge it."""
    deed = getattr(st.session_state.get("alert_list"), "deed", None)
    if not isinstance(deed, dict):
        return
    key = (str(deed.get("rule", "")), str(deed.get("site", "")))
    if key not in {alert.key for alert in screen.snapshot.alerts}:
        return
    st.query_params["alert"] = f"{key[0]}:{key[1]}"
    if deed.get("deed") == "acknowledge":
        _apply(screen, key, "acknowledge", partial(deeds.acknowledge, keys=[key]))


def _shelve(screen: Screen, key: Key) -> None:
    own = ":".join(key)
    reason = str(st.session_state.get(f"shelve_reason:{own}", ""))
    until = screen.line.clock.now() + SHELVES[st.session_state.get(f"shelve_span:{own}") or "minutes_30"]
    _apply(screen, key, "shelve", partial(deeds.shelve, keys=[key], until=until, reason=reason))


def _comment(screen: Screen, key: Key) -> None:
    text = str(st.session_state.get(f"comment_text:{':'.join(key)}", ""))
    _apply(screen, key, "comment", partial(deeds.comment, key=key, text=text))


def _apply(screen: Screen, key: Key, name: str, deed: Callable[..., Any]) -> None:
    """Carry out a deed by name, and keep its outcome for the notice above the detail.

    A callback: it runs before the page is drawn anew, on the alert that the person saw when the button was pressed.
    """
    now = screen.line.clock.now()
    actor = str(st.session_state.get("actor", ""))
    words = screen.snapshot.rules.get(key[0])
    title = words.title[screen.language] if words else key[0]
    try:
        screen.line.act(lambda alerts: deed(alerts, actor=actor, now=now))
    except Refused as refusal:
        st.session_state["notice"] = ("error", refusal.words(screen.language), None, None)
    else:
        undo = (key, now) if name == "acknowledge" else None
        st.session_state["notice"] = ("done", screen.t(f"alert.done_{name}", title=title), undo, now)


def _notice(screen: Screen) -> None:
    kind, text, undo, at = st.session_state.get("notice", ("", "", None, None))
    if not kind:
        return
    with st.container(key=f"notice_{kind}", horizontal=True, gap="small", vertical_alignment="center"):
        st.text(text)
        if undo is not None and _still(at, screen):
            unacknowledge = partial(deeds.unacknowledge, key=undo[0])
            st.button(
                screen.t("alert.undo"),
                key=f"do_undo:{':'.join(undo[0])}",
                on_click=_apply,
                args=(screen, undo[0], "undo", unacknowledge),
            )
        elif kind == "done" and at is not None and screen.line.clock.now() - at > 3 * UNDO_WITHIN:
            st.session_state.pop("notice", None)


def _still(at: datetime | None, screen: Screen) -> bool:
    return at is not None and screen.line.clock.now() - at <= UNDO_WITHIN
