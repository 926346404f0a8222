"""The alerts scene: what is to be done, since when, by whom, until when; who is on duty and what is put aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
from markupsafe import Markup

from analysis.alarm_health import FLOOD_STARTS_ABOVE, WINDOW, annunciated
from charts.timeline import alert_spans
from core import formats
from core.alert import PRIORITIES, SITUATION, Alert
from core.ledger import Item
from ui import alert_items
from ui.scenes._fit import fitting, lines, short_value
from ui.scenes._stage import Stage
from ui.views import Card, View, joined_name

SPAN = timedelta(hours=12)
LINE_EVERY_HOURS = 2
LABEL_EVERY_HOURS = (4, 6, 6)
LABELS_WITHIN = ((12, 60), (18, 47), (0, 0))  # per cent of the span that leave room for a label and for «now»
LEAST_SHARE = 0.8  # of the span in %: a short alert is still seen
MOST_LANES = 9
LANES_ROOM_U = (505.0, 342.0, 305.0)  # of the lanes at the least room of each density
TITLE_ROOM_U = (440.0, 322.0, 360.0)
TITLE_U, LANE_U, LINE_U, PLACE_U = 26.0, 64.0, 35.0, 20.0
MOST_COVERED = (3, 1, 1)
LESS_COVERED = (2, 0, 0)  # beside a line about messages that did not arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """When an alert stood, in per cent of the span; grey when it is over."""

    left: float
    width: float
    priority: str  # «» when it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One thing to do."""

    glyph: Markup
    priority: str
    title: str
    place: str
    bars: Sequence[Bar]
    due: str
    overdue: bool
    owner: str
    waiting: bool  # nobody has acknowledged
    stale: bool
    member: bool = False  # one alert of the thing to do above it


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """An alert that is put aside, and until when."""

    card: Card
    word: str
    until: str


def scene(stage: Stage) -> dict[str, str]:
    """Left the things to do as lanes, right the shift, the load and what is put aside."""
    view = stage.view
    items = view.snapshot.items
    title_u, room_u = stage.room(*TITLE_ROOM_U), stage.room(*LANES_ROOM_U)

    def height_u(one: Lane) -> float:
        return LANE_U + LINE_U * (lines(one.title, TITLE_U, title_u) - 1)

    shown = fitting([lane(view, item) for item in items[:MOST_LANES]], height_u, room_u)
    lanes = with_members(view, items[: len(shown)], shown, height_u, room_u)
    aside = covered(view)
    most = stage.room(*(LESS_COVERED if view.snapshot.undelivered else MOST_COVERED))
    rang = rate(view)
    return {
        "left": stage.html(
            "scene_alerts_left.html",
            lanes=[said(view, one, title_u) for one in lanes],
            count=len(items),
            more=len(items) - len(shown),
            rest=[(name, sum(one.priority == name for one in items[len(shown) :])) for name in reversed(PRIORITIES)],
            closed=last_closed(view),
            hours=stage.room(hours(view, stage), hours(view, stage), []),
        ),
        "right": stage.html(
            "scene_alerts_right.html",
            duty=view.snapshot.duty,
            handover=_until(view, view.snapshot.duty.ends_at) if view.snapshot.duty else "",
            rang=rang,
            flood=rang > FLOOD_STARTS_ABOVE,
            most=FLOOD_STARTS_ABOVE,
            aside=aside[:most],
            count=len(aside),
            more=max(len(aside) - most, 0),
            suppressed=sum(alert.hidden == "DSUPR" for alert in view.snapshot.alerts),
            undelivered=len(view.snapshot.undelivered),
        ),
    }


def lane(view: View, item: Item) -> Lane:
    """The line of a thing to do: named by its leading alert, due when the first of its work is due."""
    by_key = {alert.key: alert for alert in view.snapshot.alerts}
    members = [by_key[key] for key in item.members if key in by_key]
    lead = by_key.get(item.lead, members[0] if members else None)
    if lead is None:
        return Lane(
            glyph=view.glyph(item.priority, "UNACK", 36), priority=item.priority, title=item.id, place="", bars=(),
            due="", overdue=False, owner="", waiting=item.unacked > 0, stale=False,
        )  # fmt: skip
    card = view.card(lead, 36)
    first = first_due(view, lead, members)
    overdue = first is not None and first <= view.now
    word = "word.over" if overdue else "word.left"
    many = item.kind != "single"
    return Lane(
        glyph=view.glyph(item.priority, card.state, 36),
        priority=item.priority,
        title=name_of(view, item, card),
        place=" · ".join(part for part in (_number(item), alert_items.count(view, item)) if part)
        if many
        else card.place,
        bars=bars(view, members),
        due=view.t(word, span=formats.duration(first - view.now, view.language)) if first is not None else "",
        overdue=overdue,
        owner=owner(view, item, lead),
        waiting=item.unacked > 0,
        stale=lead.stale,
    )


def name_of(view: View, item: Item, card: Card) -> str:
    """«Ngập hầm chui Đông Kiều» of a situation, «Cảm biến im lặng × 12» of a group; the title of a single alert."""
    if item.kind in ("group", "rest"):
        return alert_items.title(view, item)
    site = view.snapshot.city.site_name(card.site_id, view.language)
    return joined_name(card.title, site) if item.kind == "situation" else card.title


def said(view: View, one: Lane, width_u: float) -> Lane:
    """The lane with «số liệu chậm» before its place where its data are; instead of it where both have no room."""
    if not one.stale:
        return one
    late = view.t("scene_map.late")
    both = f"{late} · {one.place}"
    return replace(one, place=both if lines(both, PLACE_U, width_u, condensed=True) == 1 else late)


def with_members(
    view: View, items: Sequence[Item], shown: Sequence[Lane], height_u: Callable[[Lane], float], room_u: float
) -> list[Lane]:
    """Where room is left, the alerts of situations and groups under their lane: the worst of each, then the next."""
    left_u, count = room_u - sum(height_u(one) for one in shown), len(shown)
    below: list[list[Lane]] = [[] for _ in shown]
    waiting = [_members(view, item) for item in items]
    for turn in range(max((len(one) for one in waiting), default=0)):
        for place, members in enumerate(waiting):
            if turn < len(members) and count < MOST_LANES and height_u(members[turn]) <= left_u:
                below[place].append(members[turn])
                left_u, count = left_u - height_u(members[turn]), count + 1
    return [line for head, members in zip(shown, below, strict=True) for line in (head, *members)]


def _members(view: View, item: Item) -> list[Lane]:
    """The alerts of a situation or group but its leading one, worst first."""
    if item.kind not in ("situation", "group"):
        return []
    found = []
    for alert in view.snapshot.open_alerts():
        if alert.key in item.members and alert.key != item.lead:
            card = view.card(alert, 28)
            found.append(
                Lane(
                    glyph=card.glyph, priority=card.priority, title=card.title, place=card.place,
                    bars=bars(view, [alert]), due=short_value(card.value), overdue=False,
                    owner=view.t("scene_alerts.acked_by", who=alert.acked_by) if alert.acked_by
                    else view.t(f"scene_incident.state_{alert.truth}"),
                    waiting=not alert.acked, stale=alert.stale, member=True,
                )
            )  # fmt: skip
    return found


def _number(item: Item) -> str:
    return item.id if item.kind == "situation" else ""


def owner(view: View, item: Item, lead: Alert) -> str:
    """Who has it: the lead of the situation, the assignee, else who acknowledged; in words when it is nobody."""
    situation = view.snapshot.situations.get(item.id)
    led = (situation.lead or situation.unit) if situation is not None else ""
    who = led or lead.assignee or lead.unit
    if who:
        return who
    if lead.acked_by:
        return view.t("scene_alerts.acked_by", who=lead.acked_by)
    return view.t("scene_alerts.nobody")


def first_due(view: View, lead: Alert, members: Sequence[Alert]) -> datetime | None:
    """The deadline of assigned work; while nobody has it, the first one of what nobody has acknowledged."""
    if lead.due_at is not None:
        return lead.due_at
    waiting = [alert for alert in members if not alert.acked and alert.hidden is None] or [lead]
    return min((due for due in (deadline(view, alert) for alert in waiting) if due is not None), default=None)


def deadline(view: View, alert: Alert) -> datetime | None:
    """When the work is due: as assigned, else within the time to act of its rule."""
    words = view.snapshot.rules.get(alert.rule)
    if alert.due_at is not None:
        return alert.due_at
    if alert.raised_at is None or words is None or words.time_to_act is None:
        return None
    return alert.raised_at + words.time_to_act


def bars(view: View, members: Sequence[Alert]) -> list[Bar]:
    """When the alerts of an item stood within the last twelve hours; what is over first, the worst on top."""
    since = view.now - SPAN
    journal, keys = view.snapshot.journal, {alert.key for alert in members}
    own = [(rule, site) in keys for rule, site in zip(journal["rule"], journal["site_id"], strict=True)]
    told = journal[pd.Series(own, index=journal.index, dtype=bool)]
    spans = alert_spans(told, members, since, view.now)
    found = []
    for start, end, priority, is_open in spans.itertuples(index=False):
        width = max(100 * (end - start) / SPAN, LEAST_SHARE)
        left = min(100 * (start - since) / SPAN, 100 - width)
        found.append(Bar(left=left, width=width, priority=priority if is_open else ""))
    return sorted(found, key=lambda bar: PRIORITIES.index(bar.priority) if bar.priority else -1)


def hours(view: View, stage: Stage) -> list[tuple[float, str]]:
    """Full hours of city time along the lanes: (per cent of the span, «15:00» or nothing where it has no room)."""
    since = view.now - SPAN
    every, (first, last) = stage.room(*LABEL_EVERY_HOURS), stage.room(*LABELS_WITHIN)
    hour = since.astimezone(view.zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = []
    while hour < view.now:
        share = 100 * (hour - since) / SPAN
        if hour.hour % LINE_EVERY_HOURS == 0:
            named = hour.hour % every == 0 and first <= share <= last
            found.append((share, formats.clock(hour, view.zone) if named else ""))
        hour += timedelta(hours=1)
    return found


def last_closed(view: View) -> str:
    """When the last alert was over, within the last day; empty when none was."""
    journal = view.snapshot.journal
    over = journal[journal["deed"].isin(["clear", "latch"]) & (journal["rule"] != SITUATION)]["happened_at"]
    return _until(view, over.max().to_pydatetime()) if len(over) else ""


def rate(view: View) -> int:
    """How often somebody was called in the last ten minutes."""
    rang = annunciated(view.snapshot.journal)["happened_at"]
    return int(((rang > view.now - WINDOW) & (rang <= view.now)).sum())


def covered(view: View) -> list[Covered]:
    """Shelved alerts and those out of service, what ends first on top. What is suppressed by design is only counted."""
    found = [alert for alert in view.snapshot.covered_alerts() if alert.hidden in ("SHLVD", "OOSRV")]
    found.sort(key=lambda alert: (alert.hidden_until or view.now, alert.key))
    return [
        Covered(
            card=view.card(alert, 34),
            word=view.t(f"alert_state.{alert.hidden}"),
            until=_until(view, alert.hidden_until) if alert.hidden_until else "",
        )
        for alert in found
    ]


def _until(view: View, at: datetime) -> str:
    return formats.moment(at, view.now, view.zone)
