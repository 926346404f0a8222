"""What an alert is: two facts, a latch, a cover, and a journal line. Our «alert» is the «alarm» of ISA-18.2.

The facts (`active`, `acked`, `latched`) live on under a cover (`hidden`), so lifting the cover shows the truth.
States after ISA-18.2 and IEC 62682: NORM, UNACK, ACKED, RTNUN, the latched LATUN and LATAC; covers SHLVD, DSUPR, OOSRV.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

PRIORITIES = ("low", "medium", "high", "critical")  # by name, never by digit
STATES = ("NORM", "UNACK", "ACKED", "RTNUN", "LATUN", "LATAC")
COVERS = ("SHLVD", "DSUPR", "OOSRV")
DEEDS = (
    # what the engine does
    "raise", "clear", "latch", "raise_priority", "lower_priority", "realarm", "stale", "live", "shelf_expired",
    "suppress", "release", "service_reminder", "ack_expired", "escalate",
    # what people do
    "acknowledge", "unacknowledge", "reset", "shelve", "unshelve", "take_out_of_service", "return_to_service",
    "assign", "comment", "tick_step", "untick_step",
    # what happens to a situation (rule = SITUATION, site_id = its id), by the engine or by hand
    "open_situation", "join", "split", "lead", "status", "close_situation",
)  # fmt: skip
MEASURED_AT = "measured_at"  # in the detail of a journal line: the time of a value that came late
SITUATION = "situation"  # stands in the column `rule` of journal lines about a situation
STATUSES = ("new", "handling", "waiting", "handled", "closed")  # Mới, Đang xử lý, Chờ đơn vị, Đã xử lý, Đóng

Key = tuple[str, str]  # rule, site_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The one live instance for (rule, site_id). All times are aware UTC; `value` is in the property's unit."""

    rule: str
    site_id: str
    active: bool = False
    acked: bool = True
    latched: bool = False  # cleared, but the rule latches: it stays until somebody resets it
    hidden: str | None = None  # one of COVERS
    hidden_until: datetime | None = None  # end of the shelf, planned end of the maintenance
    hidden_reason: str = ""
    hidden_by: str = ""  # who shelved it or took it out of service; empty for suppression by design
    hidden_at: datetime | None = None
    work_order: str = ""  # while out of service
    reminded_at: datetime | None = None  # last daily reminder while out of service
    priority: str = "low"
    value: float | None = None
    seen_at: datetime | None = None  # observation time of the newest value that was judged
    turning_since: datetime | None = None  # since when the condition has differed from `active`
    began_at: datetime | None = None  # when this activation began; a raised priority does not move it
    raised_at: datetime | None = None  # the annunciation that stands: raise, raise_priority, realarm, ack_expired
    heard_at: datetime | None = None  # when the house learned of an activation that was told late; None: as it began
    cleared_at: datetime | None = None
    acked_at: datetime | None = None
    acked_by: str = ""
    handled_at: datetime | None = None  # last time that a person did something about it; feeds the expiry of an ack
    assignee: str = ""  # person
    unit: str = ""  # organisation
    due_at: datetime | None = None  # when the assigned work must be done
    escalated: int = 0  # steps of the ladder taken since `raised_at`
    situation: str = ""  # id of the situation it belongs to
    placed_by: str = ""  # who put it there, or took it out, by hand; empty: the engine may move it
    stale: bool = False  # the state is frozen because the data are late

    @property
    def known_since(self) -> datetime | None:
        """From when on somebody could do something about this activation: deadlines of people count from here."""
        return self.heard_at or self.began_at

    @property
    def key(self) -> Key:
        """Identity: one live instance per rule and site."""
        return (self.rule, self.site_id)

    @property
    def truth(self) -> str:
        """State without the cover."""
        if self.active:
            return "ACKED" if self.acked else "UNACK"
        if self.latched:
            return "LATAC" if self.acked else "LATUN"
        return "NORM" if self.acked else "RTNUN"

    @property
    def state(self) -> str:
        """State as listed: the cover where there is one, else the truth."""
        return self.hidden or self.truth


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One line of the journal: who changed what, when and why. The journal alone gives the present state back."""

    happened_at: datetime
    rule: str
    site_id: str
    state_before: str
    state_after: str
    priority: str
    value: float | None = None
    actor: str = "engine"
    deed: str = ""  # one of DEEDS
    reason: str = ""
    detail: str = ""  # JSON object: what else the deed set (until, work_order, assignee, unit, due_at, step, to …)

    @property
    def measured_at(self) -> datetime:
        """The time of the value that the engine judged: earlier than `happened_at` where it came late."""
        return measured_at(self.happened_at, self.detail)


def measured_at(happened_at: datetime, detail: str) -> datetime:
    """The time of the value behind a journal line, from its two columns; without one the line's own time."""
    told = json.loads(detail).get(MEASURED_AT) if MEASURED_AT in detail else None
    return happened_at if told is None else datetime.fromisoformat(told)
