"""The present of every alert, told by the journal alone: what a restart, an audit or a doubt can be held against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from alerts.lifecycle import OUT_OF_SERVICE, SHELVED, SUPPRESSED
from core.alert import SITUATION, Alert, AlertEvent, Key

UNCOVERED: Mapping[str, Any] = {"hidden": None, "hidden_until": None, "hidden_by": "", "work_order": ""}
UNACKED: Mapping[str, Any] = {"acked": False, "acked_by": "", "acked_at": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the journal tells of one alert; names and meaning as in core.alert.Alert, which starts the same."""

    active: bool = False
    acked: bool = True
    latched: bool = False
    hidden: str | None = None
    hidden_until: datetime | None = None
    hidden_by: str = ""
    work_order: str = ""
    priority: str = "low"
    began_at: datetime | None = None
    raised_at: datetime | None = None
    heard_at: datetime | None = None
    acked_by: str = ""
    acked_at: datetime | None = None
    assignee: str = ""
    unit: str = ""
    due_at: datetime | None = None
    situation: str = ""
    stale: bool = False

    @property
    def normal(self) -> bool:
        """True when nothing but a cover is left of it."""
        return self.acked and not self.active and not self.latched


def facts_of(alert: Alert) -> Facts:
    """The same facts of a living alert, to compare."""
    return Facts(**{one.name: getattr(alert, one.name) for one in fields(Facts)})


def replay(events: Iterable[AlertEvent]) -> dict[Key, Facts]:
    """The facts of every alert that the journal names. `events` in the order in which they were written."""
    known: dict[Key, Facts] = {}
    for event in events:
        if event.rule == SITUATION:
            continue
        key = (event.rule, event.site_id)
        before = known.get(key, Facts())
        told = TELLS.get(event.deed)
        changes = {} if told is None else told(event, before, json.loads(event.detail) if event.detail else {})
        known[key] = replace(before, priority=event.priority, **changes)
    return known


Told = Mapping[str, Any]
Tells = Callable[[AlertEvent, Facts, Mapping[str, Any]], Told]


def _raised(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    """A new activation; work that was assigned goes on only while the alert had not been normal in between."""
    late = event.measured_at != event.happened_at
    began = {
        **_rung(event, before, detail),
        "active": True,
        "latched": False,
        "began_at": event.measured_at,
        "heard_at": event.happened_at if late else None,
    }
    return began | {"assignee": "", "unit": "", "due_at": None} if before.normal else began


def _rung(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    return {**UNACKED, "raised_at": event.happened_at}


def _ended(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    return {"active": False, "latched": event.deed == "latch"}


def _acknowledged(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    return {"acked": True, "acked_by": event.actor, "acked_at": event.happened_at}


def _covered(cover: str) -> Tells:
    def told(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
        return {
            "hidden": cover,
            "hidden_until": _moment(detail.get("until")),
            "hidden_by": "" if cover == SUPPRESSED else event.actor,
            "work_order": detail.get("work_order", ""),
        }

    return told


def _released(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    """What is active rings anew; `raised_at` of the rest stays."""
    return {**UNCOVERED, **(_rung(event, before, detail) if before.active else {})}


def _assigned(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    return {"assignee": detail["assignee"], "unit": detail["unit"], "due_at": _moment(detail["due_at"])}


def _joined(event: AlertEvent, before: Facts, detail: Mapping[str, Any]) -> Told:
    return {"situation": detail["situation"]}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


TELLS: Mapping[str, Tells] = {  # deeds that are not here change nothing but the priority that every line carries
    "raise": _raised,
    "raise_priority": _rung,
    "realarm": _rung,
    "ack_expired": _rung,
    "clear": _ended,
    "latch": _ended,
    "acknowledge": _acknowledged,
    "unacknowledge": lambda event, before, detail: UNACKED,
    "reset": lambda event, before, detail: {"latched": False},
    "shelve": _covered(SHELVED),
    "take_out_of_service": _covered(OUT_OF_SERVICE),
    "suppress": _covered(SUPPRESSED),
    "unshelve": lambda event, before, detail: UNCOVERED,
    "shelf_expired": lambda event, before, detail: UNCOVERED,
    "return_to_service": lambda event, before, detail: UNCOVERED,
    "release": _released,
    "stale": lambda event, before, detail: {"stale": True},
    "live": lambda event, before, detail: {"stale": False},
    "assign": _assigned,
    "join": _joined,
    "split": lambda event, before, detail: {"situation": ""},
}
