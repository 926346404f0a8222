"""One alert in detail: what it is, what to do, deeds, playbook, pictures, journal, and what can be taken away."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial

import pandas as pd
import streamlit as st

from alerts.deeds import Deed
from alerts.playbooks import Checklist, checklist
from alerts.texts import ENGINE
from charts import sparkline, trend
from core import formats
from core.alert import MEASURED_AT, PRIORITIES, STATUSES, Alert, Key
from core.snapshot import RuleWords
from core.wall import EVERY_SCREEN, INCIDENT
from ui import maps, panel, query, render
from ui.alert_deeds import allowed, do
from ui.alert_facts import measured_at
from ui.frame import Screen
from ui.views import View
from ui.why import Fact

SHELVES = {"minutes_30": timedelta(minutes=30), "hours_2": timedelta(hours=2), "hours_8": timedelta(hours=8)}
SERVICE_DAYS = (1, 3, 7, 30)
JOURNAL_DAYS = 30
JOURNAL_LINES = 60
CHART_HOURS = 6
ON_WALL = timedelta(minutes=15)


def detail(screen: Screen, view: View, alert: Alert | None) -> None:
    """Everything on the right side."""
    panel.panel("alert_head", {"head": _head(view, alert)})
    if alert is None:
        return
    _deeds(screen, view, alert)
    _situation(screen, view, alert)
    _pictures(screen, view, alert)
    _playbook(screen, view, alert)
    panel.panel("alert_body", {"body": _body(view, alert)})
    _take_away(screen, view, alert)


def _head(view: View, alert: Alert | None) -> str:
    card = None if alert is None else view.card(alert, 36)
    words = None if alert is None else view.snapshot.rules.get(alert.rule)
    site_id = measured_at(view, alert) if alert is not None and words is not None else ""
    why: tuple[Fact, ...] = ()
    if card is not None and words is not None and words.observed_property in view.snapshot.catalogue:
        judged = " · ".join(one for one in (card.value, card.limit, card.raised, card.measured) if one)
        rang = Fact("rang", view.t("figure.rang"), f"{card.title}: {judged}")
        why = (rang, *view.why(words.observed_property, site_id or card.site_id))
    return render.html(
        "alert_head.html",
        view.snapshot,
        view.language,
        card=card,
        why=why,
        why_key=words.observed_property if words else "",
        why_site=site_id or (card.site_id if card else ""),
    )


# -- deeds ------------------------------------------------------------------------------------------------------------


def _deeds(screen: Screen, view: View, alert: Alert) -> None:
    """Deeds on one alert. Every widget carries the alert in its key: a second click, or a text begun for one alert,
    can never reach another.
    """
    t, own = screen.t, ":".join(alert.key)
    with st.container(key="alert_deeds", horizontal=True, gap="small", vertical_alignment="bottom"):
        if not alert.acked and alert.hidden is None:
            word = t("alert.close") if alert.truth == "RTNUN" else t("alert.acknowledge")
            _button(screen, alert, "acknowledge", word, primary=True)
        if alert.truth == "LATAC" and alert.hidden is None:
            _button(screen, alert, "reset", t("alert.reset"), primary=True)
        if alert.hidden == "SHLVD":
            _button(screen, alert, "unshelve", t("alert.unshelve"))
        if alert.hidden == "OOSRV":
            _button(screen, alert, "return_to_service", t("alert.return_to_service"))
        if allowed(screen, "assign") and alert.truth != "NORM":
            with st.popover(t("alert.assign"), key=f"open_assign:{own}"):
                assign_form(screen, (alert.key,), own)
        if allowed(screen, "shelve") and alert.hidden is None and alert.truth != "NORM":
            with st.popover(t("alert.shelve"), key=f"open_shelve:{own}", disabled=alert.priority == PRIORITIES[-1]):
                _shelve_form(screen, alert)
        if allowed(screen, "comment"):
            with (
                st.popover(t("alert.comment"), key=f"open_comment:{own}"),
                st.form(f"comment_form:{own}", clear_on_submit=True, border=False),
            ):
                st.text_area(t("alert.comment"), max_chars=1000, key=f"comment_text:{own}")
                st.form_submit_button(t("alert.send"), on_click=partial(_comment, screen, alert.key))
        if allowed(screen, "take_out_of_service") and alert.hidden != "OOSRV":
            with st.popover(t("alert.take_out_of_service"), key=f"open_service:{own}"):
                _service_form(screen, alert)
    if alert.priority == PRIORITIES[-1] and allowed(screen, "shelve"):
        st.caption(t("alert.no_shelve_critical"))


def _button(screen: Screen, alert: Alert, action: str, label: str, *, primary: bool = False) -> None:
    if allowed(screen, action):
        st.button(
            label,
            type="primary" if primary else "secondary",
            key=f"do_{action}:{':'.join(alert.key)}",
            on_click=do,
            args=(screen, Deed(action=action, keys=(alert.key,))),
        )


def assign_form(screen: Screen, keys: tuple[Key, ...], own: str) -> None:
    """Who does it, and until when; without a deadline each alert gets the one of its priority."""
    t = screen.t
    contacts = screen.snapshot.contacts
    with st.form(f"assign_form:{own}", border=False):
        st.selectbox(
            t("alert.assign_to"),
            ["", *contacts],
            format_func=lambda key: f"{contacts[key].name} · {contacts[key].unit}" if key else t("alert.assign_other"),
            key=f"assign_contact:{own}",
        )
        st.text_input(t("alert.assign_name"), max_chars=120, key=f"assign_name:{own}")
        st.number_input(
            t("alert.assign_within"), min_value=0, max_value=2880, step=10, value=0, key=f"assign_min:{own}"
        )
        st.form_submit_button(t("alert.assign"), on_click=partial(_assign, screen, keys, own))


def _assign(screen: Screen, keys: tuple[Key, ...], own: str) -> None:
    contact = screen.snapshot.contacts.get(str(st.session_state.get(f"assign_contact:{own}", "")))
    minutes = int(st.session_state.get(f"assign_min:{own}") or 0)
    due_at = screen.line.clock.now() + timedelta(minutes=minutes) if minutes else None
    name = str(st.session_state.get(f"assign_name:{own}", "")).strip()
    do(
        screen,
        Deed(
            action="assign",
            keys=keys,
            assignee=name or (contact.name if contact else ""),
            unit=contact.unit if contact else "",
            due_at=due_at,
        ),
    )


def _shelve_form(screen: Screen, alert: Alert) -> None:
    t, own = screen.t, ":".join(alert.key)
    with st.form(f"shelve_form:{own}", border=False):
        st.text_input(t("alert.reason"), placeholder=t("alert.reason_hint"), max_chars=300, key=f"shelve_reason:{own}")
        st.segmented_control(
            t("alert.for_how_long"),
            list(SHELVES),
            default="minutes_30",
            format_func=lambda name: t(f"alert.{name}"),
            key=f"shelve_span:{own}",
        )
        st.form_submit_button(t("alert.shelve"), on_click=partial(_shelve, screen, alert.key))


def _shelve(screen: Screen, key: Key) -> None:
    own = ":".join(key)
    reason = str(st.session_state.get(f"shelve_reason:{own}", ""))
    until = screen.line.clock.now() + SHELVES[st.session_state.get(f"shelve_span:{own}") or "minutes_30"]
    do(screen, Deed(action="shelve", keys=(key,), until=until, text=reason))


def _comment(screen: Screen, key: Key) -> None:
    do(screen, Deed(action="comment", keys=(key,), text=str(st.session_state.get(f"comment_text:{':'.join(key)}", ""))))


def _service_form(screen: Screen, alert: Alert) -> None:
    t, own = screen.t, ":".join(alert.key)
    with st.form(f"service_form:{own}", border=False):
        st.caption(t("alert.service_means"))
        st.text_input(t("alert.work_order"), max_chars=80, key=f"service_order:{own}")
        st.text_input(t("alert.service_reason"), max_chars=300, key=f"service_reason:{own}")
        st.selectbox(
            t("alert.service_until"),
            SERVICE_DAYS,
            format_func=lambda days: t("alert.service_days", n=days),
            key=f"service_days:{own}",
        )
        st.form_submit_button(t("alert.take_out_of_service"), on_click=partial(_take_out, screen, alert.key))


def _take_out(screen: Screen, key: Key) -> None:
    own = ":".join(key)
    do(
        screen,
        Deed(
            action="take_out_of_service",
            keys=(key,),
            work_order=str(st.session_state.get(f"service_order:{own}", "")),
            text=str(st.session_state.get(f"service_reason:{own}", "")),
            until=screen.line.clock.now() + timedelta(days=int(st.session_state.get(f"service_days:{own}") or 1)),
        ),
    )


# -- situation --------------------------------------------------------------------------------------------------------


def _situation(screen: Screen, view: View, alert: Alert) -> None:
    """The situation that the alert belongs to, who leads it, and the way in and out by hand."""
    t, own = screen.t, ":".join(alert.key)
    open_ones = view.snapshot.situations
    if not allowed(screen, "join", "split", "lead", "status") or (not alert.situation and not open_ones):
        return
    situation = open_ones.get(alert.situation)
    with st.container(key="alert_situation", horizontal=True, gap="small", vertical_alignment="center"):
        if situation is None:
            with st.popover(t("situation.join"), key=f"open_join:{own}"):
                for name in open_ones:
                    st.button(
                        name,
                        key=f"do_join:{own}:{name}",
                        on_click=do,
                        args=(screen, Deed(action="join", keys=(alert.key,), situation=name)),
                    )
            return
        lead = situation.lead or situation.unit
        st.text(
            f"{situation.id} · "
            + (t("item.led_by", name=lead) if lead else t("item.nobody_leads"))
            + f" · {t(f'situation.status_{situation.status}')}"
        )
        with (
            st.popover(t("situation.lead"), key=f"open_lead:{situation.id}"),
            st.form(f"lead_form:{situation.id}", border=False),
        ):
            st.text_input(t("situation.lead_name"), max_chars=80, key=f"lead_name:{situation.id}")
            st.form_submit_button(t("situation.lead"), on_click=partial(_lead, screen, situation.id))
        with st.popover(t("situation.status"), key=f"open_status:{situation.id}"):
            for status in STATUSES[1:]:
                st.button(
                    t(f"situation.status_{status}"),
                    key=f"do_status:{situation.id}:{status}",
                    on_click=do,
                    args=(screen, Deed(action="status", situation=situation.id, status=status)),
                )
        _button(screen, alert, "split", t("situation.split"))


def _lead(screen: Screen, situation: str) -> None:
    name = str(st.session_state.get(f"lead_name:{situation}", ""))
    do(screen, Deed(action="lead", situation=situation, assignee=name))


# -- playbook ---------------------------------------------------------------------------------------------------------


def _playbook(screen: Screen, view: View, alert: Alert) -> None:
    """The steps of this activation, ticked one by one: who, until when, and what is overdue."""
    steps = {(step.rule, step.site_id, step.began_at, step.step): step for step in view.snapshot.steps}
    found = checklist(screen.line.desk.playbooks, alert, steps, view.now)
    if found is None:
        return
    t, own = screen.t, ":".join(alert.key)
    with st.container(key="alert_playbook", gap="small"):
        panel.panel("alert_playbook_head", {"head": _playbook_head(view, found)})
        for line in found.lines:
            number = line.step.number
            done = line.done is not None
            due = "" if line.due_at is None else formats.clock(line.due_at, view.zone)
            if line.done is not None and line.done.done_at is not None:
                side = f"{_by(view, line.done.done_by)} {formats.clock(line.done.done_at, view.zone)}"
            elif line.overdue:
                side = t("playbook.overdue", at=due)
            else:
                side = t("playbook.before", at=due) if due else ""
            label = " · ".join(part for part in (line.step.action(view.language), line.step.role, side) if part)
            st.checkbox(
                _unformatted(label),
                value=done,
                key=f"step:{own}:{found.began_at.timestamp()}:{number}:{done}",
                disabled=not allowed(screen, "tick_step"),
                on_change=do,
                args=(
                    screen,
                    Deed(action="untick_step" if done else "tick_step", keys=(alert.key,), step=number),
                ),
            )


def _playbook_head(view: View, found: Checklist) -> str:
    return render.html("alert_playbook.html", view.snapshot, view.language, found=found, zone=view.zone)


def _unformatted(text: str) -> str:
    """A label that markdown must not read: what an operator wrote into a playbook stays text."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>~:$&@" else letter for letter in text)


# -- pictures ---------------------------------------------------------------------------------------------------------


def _pictures(screen: Screen, view: View, alert: Alert) -> None:
    """The last hours with the limits of the rule, and the place with what stands around it."""
    words = view.snapshot.rules.get(alert.rule)
    city = view.snapshot.city
    point = None if alert.site_id == city.city_site else city.point(alert.site_id)
    site_id = measured_at(view, alert)
    both = point is not None and words is not None and site_id
    left, right = st.columns([3, 2], gap="small") if both else (st.container(), st.container())
    if words and site_id:
        with left, st.container(key="alert_chart"):
            if site_id != alert.site_id:
                st.caption(city.site_name(site_id, view.language))
            _chart(screen, view, alert, words, site_id)
    if point is not None:
        with right:
            svg = maps.around(view, alert, *point)
            panel.panel("alert_map", {"map": f'<section class="map-around">{svg}</section>'})


def _chart(screen: Screen, view: View, alert: Alert, words: RuleWords, site_id: str) -> None:
    snapshot = view.snapshot
    key = words.observed_property
    recent = snapshot.recent.get((key, site_id))
    since = view.now - timedelta(hours=CHART_HOURS)
    data = pd.DataFrame({"time": [], "value": []}) if recent is None else recent[recent["time"] > pd.Timestamp(since)]
    if data.empty:
        st.caption(screen.t("trends.no_data"))
        return
    limits = [] if words.missing or not words.in_unit_of_property else [
        (screen.t(f"priority.{priority}"), value)
        for priority in words.setpoints
        if (value := view.setpoint(words, priority, site_id)) is not None
    ] + [(screen.t(f"priority.{priority}"), low) for priority, low in words.lows.items()]  # fmt: skip
    flagged_at = alert.began_at if alert.heard_at else alert.raised_at  # late news stands where its value stands
    events = [] if flagged_at is None or flagged_at < since else [
        (flagged_at, alert.priority, words.title[view.language])
    ]  # fmt: skip
    chart = trend.trend(
        data.assign(quality="pass"),
        prop=snapshot.catalogue[key],
        zone=view.zone,
        language=view.language,
        theme=screen.look,
        band=sparkline.band_over(snapshot.band.get((key, site_id)), since, view.now, view.zone),
        thresholds=limits,
        events=events,
        artefacts=[(mark.at, view.artefact_words(mark)) for mark in view.artefacts(key, site_id, CHART_HOURS)],
        abnormal=alert.priority if alert.active and not words.missing else None,
        since=since,
        until=view.now,
        height=230,
    )
    st.altair_chart(chart, theme=None, width="stretch", key="alert_trend")


# -- words ------------------------------------------------------------------------------------------------------------


def _body(view: View, alert: Alert) -> str:
    words = view.snapshot.rules.get(alert.rule)
    rows = query.journal(alert.rule, alert.site_id, view.now - timedelta(days=JOURNAL_DAYS))
    journal = [
        {
            "time": formats.moment(row["happened_at"], view.now, view.zone),
            "actor": _by(view, row["actor"]),
            "words": view.t(f"deed.{row['deed']}", priority=view.t(f"priority.{row['priority']}")),
            "reason": " ".join(
                part for part in (_measured(view, row["detail"]), _named(row["detail"]), row["reason"]) if part
            ),
        }
        for row in rows.head(JOURNAL_LINES).to_dict("records")
    ]
    return render.html("alert_body.html", view.snapshot, view.language, words=words, journal=journal, alert=alert)


def _by(view: View, actor: str) -> str:
    """Who did it; the engine has a name for people."""
    return view.t("deed.engine") if actor == ENGINE else actor


def _measured(view: View, detail: str) -> str:
    """«số liệu lúc 23:00, 21/11» of a line about values that came late; «» of any other."""
    told = json.loads(detail).get(MEASURED_AT) if detail else None
    if told is None:
        return ""
    return view.t("alert.measured", at=formats.moment(datetime.fromisoformat(told), view.now, view.zone))


def _named(detail: str) -> str:
    """To whom, which step, which situation: the part of a journal line's detail that a person wants to read."""
    facts = json.loads(detail) if detail else {}
    told = [facts.get(name) for name in ("assignee", "unit", "situation", "work_order")]
    to = facts.get("to")
    return " · ".join([*(str(one) for one in told if one), *(to if isinstance(to, list) else [])])


def _take_away(screen: Screen, view: View, alert: Alert) -> None:
    """Ways on: trend, map, a trial of the rule, a short report as text, and the CAP message."""
    t = screen.t
    words = view.snapshot.rules.get(alert.rule)
    if words is None:
        return
    with st.container(key="alert_links", horizontal=True, gap="small", vertical_alignment="center"):
        keep = {} if view.language == "vi" else {"lang": view.language}
        st.page_link(
            "pages/trends.py",
            label=t("alert.to_trend"),
            query_params={**keep, "indicator": words.observed_property, "site": alert.site_id},
        )
        st.page_link("pages/map.py", label=t("alert.to_map"), query_params={**keep, "ward": _ward(view, alert)})
        if allowed(screen, "try_rule"):
            st.page_link("pages/rule_trial.py", label=t("alert.to_trial"), query_params={**keep, "rule": alert.rule})
        if allowed(screen, "show_on_wall") and alert.state != "NORM":
            until = screen.line.clock.now() + ON_WALL
            scene = f"{INCIDENT}:{alert.rule}:{alert.site_id}"
            deed = Deed(action="show_on_wall", keys=(alert.key,), screen=EVERY_SCREEN, scene=scene, until=until)
            key = f"do_show_on_wall:{alert.rule}:{alert.site_id}"
            st.button(t("wall.show"), key=key, on_click=do, args=(screen, deed))
        with st.popover(t("alert.report")):
            st.code(_report(view, alert), language=None, wrap_lines=True)
        if allowed(screen, "export_cap") and view.snapshot.city.cap_sender and alert.truth != "NORM":
            st.download_button(
                t("alert.cap"),
                data=partial(screen.line.export_cap, screen.person, alert.key),
                file_name=f"{alert.rule}-{alert.site_id}.cap.xml",
                mime="application/cap+xml",
                key=f"cap:{alert.rule}:{alert.site_id}",
            )


def _ward(view: View, alert: Alert) -> str:
    return view.snapshot.city.area_of(alert.site_id)


def _report(view: View, alert: Alert) -> str:
    """The alert as plain text, for a chat or a telephone."""
    card, words = view.card(alert), view.snapshot.rules.get(alert.rule)
    marks = [view.t("people.drill")] if view.snapshot.drill else []
    marks += [view.t("mark.simulated")] if view.snapshot.city.simulated else []
    lines = [
        " ".join(f"[{mark}]" for mark in marks),
        f"{card.priority_word}: {card.title}",
        card.place,
        " · ".join(part for part in (card.value, card.limit, card.raised, card.measured) if part),
        f"{card.state_word}{f': {alert.acked_by}' if alert.acked_by else ''}",
        words.action[view.language] if words else "",
        f"{view.t('alert.owner')}: {card.owner}",
    ]
    return "\n".join(line for line in lines if line)
