"""What an alert is: two facts, a cover, and a journal line. Our «alert» is the «alarm» of ISA-18.2.

The facts (`active`, `acked`) live on under a cover (`hidden`), so lifting the cover shows the truth.
State names after ISA-18.2: NORM, UNACK, ACKED, RTNUN; covers SHLVD, DSUPR, OOSRV.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PRIORITIES = ("low", "medium", "high", "critical")  # by name, never by digit
DEEDS = (
    "raise", "clear", "raise_priority", "lower_priority", "acknowledge", "unacknowledge", "shelve", "unshelve",
    "shelf_expired", "stale", "live", "comment",
)  # fmt: skip
COVERS = ("SHLVD", "DSUPR", "OOSRV")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The one live instance for (rule, site_id). All times are aware UTC; `value` is in the property's unit."""

    rule: str
    site_id: str
    active: bool = False
    acked: bool = True
    hidden: str | None = None
    hidden_until: datetime | None = None
    hidden_reason: str = ""
    priority: str = "low"
    value: float | None = None
    seen_at: datetime | None = None  # observation time of the newest value that was judged
    turning_since: datetime | None = None  # since when the condition has differed from `active`
    raised_at: datetime | None = None
    cleared_at: datetime | None = None
    acked_at: datetime | None = None
    acked_by: str = ""
    stale: bool = False  # the state is frozen because the data are late

    @property
    def key(self) -> tuple[str, str]:
        """Identity: one live instance per rule and site."""
        return (self.rule, self.site_id)

    @property
    def truth(self) -> str:
        """State without the cover."""
        if self.active:
            return "ACKED" if self.acked else "UNACK"
        return "NORM" if self.acked else "RTNUN"

    @property
    def state(self) -> str:
        """State as listed: the cover where there is one, else the truth."""
        return self.hidden or self.truth


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One line of the journal: who changed what, when and why."""

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
