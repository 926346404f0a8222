"""One alert over the whole screen: what it is, where, how it moves, who does what, and what it touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from markupsafe import Markup

from alerts.playbooks import Checklist, StepState, checklist
from alerts.texts import ENGINE
from charts.theme import text_width_px
from charts.wall_line import Limit, wall_line
from core import formats
from core.alert import PRIORITIES, Alert
from core.ledger import Item
from ui import alert_facts, maps
from ui.render import picture
from ui.scenes._fit import fitting, lines
from ui.scenes._stage import Stage
from ui.scenes.head import bell
from ui.views import Card, View, joined_name

AROUND_KM = 3.5  # how wide the map is
HOURS = 3
TITLE_U, LONG_TITLE_U = 60.0, 42.0  # a long title takes two lines
TEXT_PX = 24.0
# The least room that each density leaves, in u: pictures are drawn for it and only ever enlarged.
TITLE_ROOM = (1000, 700, 520)
MAP_SIZE = ((960, 720), (785, 555), (650, 435))
MAP_WITH_MEMBERS = ((960, 600), (785, 450), (650, 440))
LINE_SIZE = ((620, 285), (505, 160), (415, 130))
LARGE_LINE = ((960, 550), (785, 432), (650, 435))
MOST_STEPS = 5
STEPS_ROOM_U = (330.0, 215.0, 130.0)
STEP_TEXT_U, STEP_U, STEP_LINE_U = 26.0, 71.0, 35.0
STEP_WIDTH_U = (570.0, 455.0, 365.0)
STEP_LINES = 3
LONGEST_UNIT = 6  # characters that stand beside the figure
MOST_MEMBERS = (3, 2, 0)
FOOT_ROOM_U = (1600.0, 1300.0, 1080.0)
FOOT_FIGURE_U, FOOT_U, FOOT_CLOSING_U, FOOT_GAP_U = 44.0, 26.0, 24.0, 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The figure of the alert, large, and the words that belong to it."""

    figure: str
    unit: str
    counted: str  # a longer unit: «tin trong 30 phút», or the whole value where it is no figure
    what: str
    where: str  # where it was measured, when that is not the alert's own place
    against: str  # limit and change
    age: str  # how old, where the figure no longer counts as the present


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step of the playbook: done | now | open, whose, until when."""

    state: str
    action: str
    role: str
    side: str
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The playbook as far as it fits."""

    title: str
    progress: str
    lines: Sequence[Line]
    more: int


def scene(stage: Stage) -> dict[str, str]:
    """Head, left, right, foot of its own: an incident takes the whole wall."""
    view = stage.view
    alert = next((one for one in view.snapshot.alerts if one.key == stage.shown.alert), None)
    if alert is None or alert.truth == "NORM":
        return {
            "head": stage.html("scene_incident_head.html", card=None, **bell(view)),
            "left": stage.html("scene_incident_over.html", alert=alert),
            "right": "",
            "foot": "",
        }
    card = view.card(alert, 88)
    item = alert_facts.item_of(view, alert.key)
    point = None if alert.site_id == view.snapshot.city.city_site else view.snapshot.city.point(alert.site_id)
    members = _members(view, alert, item)
    value = value_of(view, alert, card)
    line = _line(stage, alert, large=point is None)
    shown_members = members[: stage.room(*MOST_MEMBERS)]
    closing = _closing(stage, alert)
    return {
        "head": _head(stage, alert, card),
        "left": stage.html(
            "scene_incident_left.html",
            picture=_map(stage, alert, card, point, bool(shown_members)) if point else line,
            mapped=point is not None,
            words=view.snapshot.rules.get(alert.rule),
            item=item,
            members=shown_members,
            more=len(members) - len(shown_members),
        ),
        "right": stage.html(
            "scene_incident_right.html",
            card=card,
            value=value,
            picture=line if point else "",
            steps=steps_of(view, stage, alert),
            words=view.snapshot.rules.get(alert.rule),
            told=("cause", "consequence") if stage.density == "full" and (point or line) else (),
        ),
        "foot": stage.html(
            "scene_incident_foot.html",
            touched=_beside(touched(view, alert, item), closing, stage.room(*FOOT_ROOM_U)),
            mapped=point is not None,
            closing=closing,
        ),
    }


def _head(stage: Stage, alert: Alert, card: Card) -> str:
    view = stage.view
    title = joined_name(card.title, view.snapshot.city.site_name(alert.site_id, view.language))
    since = (alert.cleared_at if not alert.active else alert.raised_at) or alert.raised_at or view.now
    return stage.html(
        "scene_incident_head.html",
        card=card,
        title=title,
        long=text_width_px(title, TITLE_U) > stage.room(*TITLE_ROOM),
        place=view.snapshot.city.area_name(alert.site_id, view.language) or card.place,
        state=view.t(f"scene_incident.state_{alert.truth}"),
        waiting=formats.duration(view.now - since, view.language),
        ringing=alert.truth in ("UNACK", "LATUN") and alert.hidden is None,
        calm=stage.shown.why == "chosen",
        **bell(view),
    )


def _closing(stage: Stage, alert: Alert) -> str:
    """When the wall goes on to other scenes."""
    view, shown = stage.view, stage.shown
    if shown.why == "chosen":
        return view.t("wall.chosen", who=shown.by, at=formats.clock(shown.ends_at, view.zone))
    return view.t("scene_incident.until_acked" if not alert.acked else "scene_incident.soon")


# -- the figure -------------------------------------------------------------------------------------------------------


def value_of(view: View, alert: Alert, card: Card) -> Value:
    """What the rule judged, large; with limit and the change of the last ten minutes where both are the same series."""
    words, reading = view.snapshot.rules.get(alert.rule), alert_facts.measured(view, alert)
    figure, _, unit = card.value.partition(" ")
    if not any(letter.isdigit() for letter in figure):
        figure, unit = "", card.value
    beside = bool(figure) and len(unit) <= LONGEST_UNIT
    told = [card.limit]
    if words is not None and words.in_unit_of_property and not words.missing and reading is not None:
        told = [f"{card.limit} {unit}".strip() if card.limit else "", changed(view, alert)]
    late = reading is not None and not reading.live
    name = reading.item.name(view.language) if reading is not None else ""
    elsewhere = reading is not None and reading.site_id != alert.site_id
    return Value(
        figure=figure,
        unit=unit if beside else "",
        counted="" if beside else unit,
        what=name,
        where=view.snapshot.city.site_name(reading.site_id, view.language) if reading is not None and elsewhere else "",
        against=", ".join(part for part in told if part),
        age=view.t("scene_incident.old", span=formats.duration(reading.age, view.language))
        if reading is not None and (late or alert.stale)
        else view.t("alert.stale")
        if alert.stale
        else "",
    )


def changed(view: View, alert: Alert) -> str:
    """«tăng 12 cm trong 10 phút»; empty where it is not known."""
    reading = alert_facts.measured(view, alert)
    found = alert_facts.change(view, reading) if reading is not None else None
    if reading is None or found is None:
        return ""
    span, item = formats.duration(found.over, view.language), reading.item
    amount = formats.quantity(abs(found.amount), item.decimals, item.unit_label(view.language), view.language)
    if formats.number(found.amount, item.decimals, "en") in ("0", f"0.{'0' * item.decimals}"):
        return view.t("scene_incident.steady", span=span)
    return view.t("scene_incident.rises" if found.amount > 0 else "scene_incident.falls", amount=amount, span=span)


def _line(stage: Stage, alert: Alert, *, large: bool) -> Markup:
    """The last three hours of the measured value with the limits of the rule; nothing where there is no series."""
    view = stage.view
    words, site_id = view.snapshot.rules.get(alert.rule), alert_facts.measured_at(view, alert)
    if words is None or not site_id or words.observed_property == "source_up":
        return Markup("")  # «does not answer» is no figure that moves
    item = view.snapshot.catalogue[words.observed_property]
    recent = view.snapshot.recent[(item.key, site_id)]
    reading = view.snapshot.reading(item.key, site_id)
    width, height = stage.room(*(LARGE_LINE if large else LINE_SIZE))
    judged = words.in_unit_of_property and not words.missing
    svg = wall_line(
        recent["time"] if len(recent) else pd.Series([], dtype="datetime64[us, UTC]"),
        recent["value"] if len(recent) else pd.Series([], dtype="float64"),
        since=view.now - timedelta(hours=HOURS),
        until=view.now,
        period=item.period,
        zone=view.zone,
        theme=view.look,
        size=(width, height),
        text_px=TEXT_PX,
        limits=_limits(view, alert, site_id) if judged else (),
        priority=alert.priority if alert.active and judged else None,
        stale=reading is None or not reading.live,
        artefacts=[mark.at for mark in view.artefacts(item.key, site_id, HOURS)],
        language=view.language,
        message=view.t("trends.no_data"),
        alt=f"{item.name(view.language)}: {view.t('word.hours', n=HOURS)}",
    )
    return picture(svg)


def _limits(view: View, alert: Alert, site_id: str) -> list[Limit]:
    """The limit that the alert stands for first, then the next worse one: how far it still is."""
    words = view.snapshot.rules[alert.rule]
    rank = PRIORITIES.index(alert.priority)
    found = []
    for priority in PRIORITIES[rank : rank + 2]:
        setpoint = view.setpoint(words, priority, site_id)
        if setpoint is not None:
            figure = formats.number(setpoint, words.decimals, view.language)
            name = view.t("word.limit") if priority == alert.priority else view.t(f"priority.{priority}")
            found.append(Limit(label=f"{name} {figure}", value=setpoint, below=words.direction == "below"))
    return found


# -- the place --------------------------------------------------------------------------------------------------------


def _map(stage: Stage, alert: Alert, card: Card, point: tuple[float, float], with_members: bool) -> Markup:
    width, height = stage.room(*(MAP_WITH_MEMBERS if with_members else MAP_SIZE))
    name = stage.view.snapshot.city.site_name(alert.site_id, stage.view.language).partition(": ")[0]
    label = f"{name} {card.value}".strip() if len(name) <= 24 else card.value or name[:24]
    return maps.around(
        stage.view, alert, *point, size=(width, height), text_px=TEXT_PX, width_km=AROUND_KM, label=label
    )


def _members(view: View, alert: Alert, item: Item | None) -> list[Card]:
    """The other alerts of its situation or group, worst first."""
    if item is None or item.kind == "rest":
        return []
    keys = {*item.members, *item.inhibited} - {alert.key}
    return view.cards([one for one in view.snapshot.open_alerts() if one.key in keys], 34)


def touched(view: View, alert: Alert, item: Item | None) -> list[tuple[str, str]]:
    """How many things stand around it: (figure, words). Only what is counted, and nothing that is zero."""
    others = alert_facts.near(view, alert, AROUND_KM / 2)
    sites = view.snapshot.city.sites
    roads = {one.site_id for one in others if sites.at[one.site_id, "kind"] == "road_segment"}
    counts = [(len(others), "others"), (len(roads), "roads")]
    if item is not None:
        counts.append((len(item.inhibited), "inhibited"))
    found = [(count, view.t(f"scene_incident.{name}")) for count, name in counts if count]
    reports = _reports(view, alert)
    if reports:
        area = view.snapshot.city.area_name(alert.site_id, view.language)
        words = view.t("scene_incident.reports_in", area=area) if area else view.t("scene_incident.reports")
        found.insert(1, (reports, words))
    return [(formats.number(count, 0, view.language), words) for count, words in found]


def _beside(found: list[tuple[str, str]], closing: str, room_u: float) -> Sequence[tuple[str, str]]:
    """As many counts as stand beside the closing words."""
    left_u = room_u - text_width_px(closing, FOOT_CLOSING_U)
    return fitting(
        found,
        lambda one: text_width_px(one[0], FOOT_FIGURE_U) + text_width_px(one[1], FOOT_U) + FOOT_GAP_U,
        left_u,
    )


def _reports(view: View, alert: Alert) -> int:
    """Citizen reports of the last hour in its area, or in the whole city where it has none."""
    city = view.snapshot.city
    reading = view.snapshot.reading("reports_60min", city.area_of(alert.site_id) or city.city_site)
    return int(reading.value) if reading is not None and reading.live else 0


# -- what is to be done -----------------------------------------------------------------------------------------------


def steps_of(view: View, stage: Stage, alert: Alert) -> Steps | None:
    """The steps of its playbook from the last one that is done, as many as fit; None where no playbook holds."""
    ticks = {(step.rule, step.site_id, step.began_at, step.step): step for step in view.snapshot.steps}
    found = checklist(stage.playbooks, alert, ticks, view.now)
    if found is None:
        return None
    width_u, room_u = stage.room(*STEP_WIDTH_U), stage.room(*STEPS_ROOM_U)

    def height_u(line: StepState) -> float:
        words = line.step.action(view.language)
        return STEP_U + STEP_LINE_U * (lines(words, STEP_TEXT_U, width_u, STEP_LINES) - 1)

    first_open = next((place for place, line in enumerate(found.lines) if line.done is None), len(found.lines))
    done_before = stage.room(1, 1, 0)  # what was done last stands above what is to be done next
    begin = max(0, min(first_open - done_before, len(found.lines) - 1))
    shown = fitting(found.lines[begin : begin + MOST_STEPS], height_u, room_u)
    return Steps(
        title=found.playbook.title(view.language),
        progress=view.t("playbook.progress", done=found.done, total=len(found.lines)),
        lines=[_step(view, found, line) for line in shown],
        more=sum(line.done is None for line in found.lines) - sum(line.done is None for line in shown),
    )


def _step(view: View, found: Checklist, line: StepState) -> Line:
    next_open = next((one for one in found.lines if one.done is None), None)
    state = "done" if line.done is not None else "now" if line is next_open else "open"
    role = line.step.role
    if line.done is not None and line.done.done_at is not None:
        side = formats.clock(line.done.done_at, view.zone)
        role = view.t("deed.engine") if line.done.done_by == ENGINE else line.done.done_by
    elif line.due_at is None:
        side = ""
    else:
        side = view.t(
            "playbook.overdue" if line.overdue else "playbook.before", at=formats.clock(line.due_at, view.zone)
        )
    return Line(state=state, action=line.step.action(view.language), role=role, side=side, overdue=line.overdue)
