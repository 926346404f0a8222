"""The brief scene for who leads the city: what changed since this morning, what waits for a decision, what is unknown.

Every line follows from the snapshot by a rule that stands here; nothing is written freely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from markupsafe import Markup

from core import formats
from core.alert import PRIORITIES, SITUATION, Alert
from core.ledger import Item
from core.snapshot import Reading
from ui import alert_items
from ui.scenes._figures import live
from ui.scenes._fit import fitting, lines
from ui.scenes._stage import Stage
from ui.scenes.alerts import deadline, name_of
from ui.views import AS_USUAL_RELATIVE, Row, View

MORNING_HOUR, EVENING_HOUR = 6, 18  # before seven in the morning «this morning» says nothing yet: the evening before
SETTLED = timedelta(hours=1)
NEAR_MORNING = timedelta(hours=1)  # a value that old still stands for the morning
MOST_CHANGES = (5, 4, 3)
MOST_DECISIONS = 3
REASON_LINES = 3
DECISIONS_ROOM_U = (415.0, 218.0, 150.0)  # of the list at the least room of each density
REASONS_WIDTH_U = (590.0, 470.0, 380.0)
TITLE_U, TITLE_LINE_U, REASONS_TEXT_U, LINE_U, DECISION_U = 28.0, 38.0, 25.0, 34.0, 116.0
NOTE_U = 37.0
MOST_DOWN = (3, 0, 0)  # smaller walls give the count alone: the head names them
SERIOUS = ("high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure now, in the morning, and against its usual."""

    row: Row
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A thing to do that goes on without anybody, beyond its time, or past the room."""

    glyph: Markup
    priority: str
    title: str
    place: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How much of what is shown may be believed."""

    up: int
    sources: int
    down: Sequence[str]
    live: int
    figures: int
    frozen: int  # alerts whose state is kept because their data are late


def scene(stage: Stage) -> dict[str, str]:
    """Left what changed, right what waits for a decision and how sure all this is."""
    view = stage.view
    morning = since_morning(view.now, view)
    waiting = decisions(view, stage.room(3, 3, 2))
    width_u, sure = stage.room(*REASONS_WIDTH_U), reliability(view)
    most_down, notes = stage.room(*MOST_DOWN), stage.density != "huge"
    told = min(len(sure.down), most_down) + (len(sure.down) > most_down > 0) + bool(sure.frozen and notes)
    shown = fitting(
        waiting[:MOST_DECISIONS],
        lambda one: (
            DECISION_U
            + TITLE_LINE_U * (lines(one.title, TITLE_U, width_u) - 1)
            + LINE_U * (lines(" · ".join(one.reasons), REASONS_TEXT_U, width_u, REASON_LINES) - 1)
        ),
        stage.room(*DECISIONS_ROOM_U) - NOTE_U * told,
    )
    return {
        "left": stage.html(
            "scene_brief_left.html",
            morning=formats.moment(morning, view.now, view.zone),
            changes=changes(view, morning)[: stage.room(*MOST_CHANGES)],
            story=story(view, morning),
            apart=stage.density == "full",
        ),
        "right": stage.html(
            "scene_brief_right.html",
            decisions=shown,
            count=len(waiting),
            more=len(waiting) - len(shown),
            sure=sure,
            down=most_down,
            notes=notes,
        ),
    }


def since_morning(now: datetime, view: View) -> datetime:
    """Six o'clock of today in city time; until seven, six o'clock of the evening before."""
    local = now.astimezone(view.zone)
    morning = local.replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)
    if local - morning >= SETTLED:
        return morning
    return (local - timedelta(days=1)).replace(hour=EVENING_HOUR, minute=0, second=0, microsecond=0)


def changes(view: View, morning: datetime) -> list[Change]:
    """The figures of the overview that may count, those furthest from their usual first."""
    found = []
    for _, group in view.snapshot.city.overview:
        for key, pick in group:
            row = view.row(key, pick)
            if live(row):
                found.append((_unusual(view, row, pick), Change(row=row, before=_before(view, row, pick, morning))))
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _unusual(view: View, row: Row, pick: str) -> tuple[int, float]:
    """How much a figure asks to be named: its alert first, then how many usual spreads it is off."""
    rank = PRIORITIES.index(row.priority) if row.priority else -1
    reading = view.snapshot.reading(row.key, row.site_id)
    usual = view.snapshot.usual(row.key, row.site_id, reading.time) if reading is not None and pick != "sum" else None
    if reading is None or usual is None or row.note in (view.t("state.as_usual"), view.t("state.no_rain"), ""):
        return rank, 0.0
    low, middle, high = usual
    spread = max(high - low, AS_USUAL_RELATIVE * abs(middle), 10.0**-reading.item.decimals)
    return rank, abs(reading.value - middle) / spread


def _before(view: View, row: Row, pick: str, morning: datetime) -> str:
    """The same figure in the morning, in words; a dash where it is not known."""
    item = view.snapshot.catalogue[row.key]
    if pick == "sum":
        values = [_value_at(view, one, morning) for one in view.snapshot.of(row.key) if one.live]
    else:
        reading = view.snapshot.reading(row.key, row.site_id)
        values = [_value_at(view, reading, morning)] if reading is not None else [None]
    known = [value for value in values if value is not None]
    total = sum(known) if known and len(known) == len(values) else None
    return formats.quantity(total, item.decimals, item.unit_label(view.language), view.language)


def _value_at(view: View, reading: Reading, at: datetime) -> float | None:
    """The newest value up to that time, if it is near enough to stand for it."""
    recent = view.snapshot.recent.get((reading.item.key, reading.site_id))
    if recent is None:
        return None
    found = recent[(recent["time"] <= pd.Timestamp(at)) & (recent["time"] > pd.Timestamp(at - NEAR_MORNING))]
    return None if found.empty else float(found["value"].iloc[-1])


def story(view: View, morning: datetime) -> tuple[int, int, int]:
    """How many alerts rang for the first time since then, how many ended, how many stand open now."""
    journal = view.snapshot.journal
    lines = journal[(journal["happened_at"] >= pd.Timestamp(morning)) & (journal["rule"] != SITUATION)]
    raised = int((lines["deed"] == "raise").sum())
    ended = int(lines["deed"].isin(["clear", "latch"]).sum())
    return raised, ended, sum(alert.active for alert in view.snapshot.open_alerts())


def decisions(view: View, most_reasons: int) -> list[Decision]:
    """Things to do that stay undone, worst first, each with the first reasons why it is named."""
    by_key = {alert.key: alert for alert in view.snapshot.alerts}
    found = []
    for item in view.snapshot.items:
        members = [by_key[key] for key in item.members if key in by_key]
        reasons = _reasons(view, item, members)[:most_reasons]
        if reasons and members:
            card = view.card(by_key.get(item.lead, members[0]), 36)
            many = item.kind != "single"
            found.append(
                Decision(
                    glyph=view.glyph(item.priority, card.state, 36),
                    priority=item.priority,
                    title=name_of(view, item, card),
                    place=f"{item.id} · {alert_items.count(view, item)}" if item.kind == "situation"
                    else alert_items.count(view, item) if many else card.place,
                    reasons=reasons,
                )
            )  # fmt: skip
    return found


def _reasons(view: View, item: Item, members: Sequence[Alert]) -> list[str]:
    """Why somebody above the shift should look: not taken up in time, late, told further up, led by nobody."""
    t, reasons = view.t, []
    serious = [alert for alert in members if alert.priority in SERIOUS]
    late = [
        (due, alert)
        for alert in serious
        if (due := deadline(view, alert)) is not None
        and due <= view.now - timedelta(minutes=1)
        and (not alert.acked or alert.due_at is not None)
    ]
    if late:
        due, alert = min(late, key=lambda one: one[0])
        span = formats.duration(view.now - due, view.language)
        who = alert.assignee or alert.unit
        reasons.append(
            t("scene_brief.work_late", who=who, span=span) if alert.due_at is not None and who
            else t("scene_brief.unanswered", span=span)
        )  # fmt: skip
    steps = max((alert.escalated for alert in serious), default=0)
    if steps:
        reasons.append(t("scene_brief.escalated", n=steps))
    situation = view.snapshot.situations.get(item.id)
    if situation is not None and item.priority in SERIOUS and not (situation.lead or situation.unit):
        reasons.append(t("item.nobody_leads"))
    return reasons


def reliability(view: View) -> Reliability:
    """Sources that answer, figures of the overview that count, alerts that wait for data."""
    sources = view.snapshot.sources
    rows = [view.row(key, pick) for _, group in view.snapshot.city.overview for key, pick in group]
    return Reliability(
        up=sum(state.up is True for state in sources),
        sources=len(sources),
        down=[
            f"{state.source.name(view.language)}: "
            + view.t(f"source.{state.error_kind or 'unavailable'}").lower()
            + (f" {view.t('source.since', at=formats.moment(state.since, view.now, view.zone))}" if state.since else "")
            for state in sources
            if state.up is False
        ],
        live=sum(live(row) for row in rows),
        figures=len(rows),
        frozen=sum(alert.stale and alert.active for alert in view.snapshot.alerts),
    )
