"""How the dashboard itself is used: counts by day, thing and role. Nobody is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PAGE, WALL, INDICATOR = "page", "wall", "indicator"
SESSION_S = 30.0  # a look of at least this long is a viewing session (VH-06)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """What one day of the city saw of one page, wall screen or indicator, by one role."""

    day: date
    kind: str  # page | wall | indicator
    name: str
    role: str
    n: int  # times opened
    sessions: int = 0  # of at least SESSION_S
    seconds: float = 0.0
