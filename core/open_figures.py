"""What was published on citizen reports, once for each closed period, and which period may be published next.

Published spans never overlap: figures of two spans that share reports could be subtracted from each other, and the
difference may be one person. So the next span begins where the last one ended, or later, also after the city changed
from weeks to months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK, MONTH = PERIODS = ("week", "month")
SETTLE = timedelta(days=7)  # after the end: deadlines pass and ratings come in before the figures are fixed for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One period as it was published. `body`: JSON of analysis.open_tables, only what everybody may read."""

    since: datetime
    until: datetime  # the first instant that is not counted
    made_at: datetime
    body: str


def next_span(
    now: datetime, zone: ZoneInfo, period: str, published_until: datetime | None
) -> tuple[datetime, datetime] | None:
    """The newest whole week (Monday to Sunday) or month that ended at least SETTLE ago; UTC-aware, [since, until).

    None when it is published already, or begins before the last published span ended.
    """
    settled = (now - SETTLE).astimezone(zone).date()
    if period == MONTH:
        ends = settled.replace(day=1)
        begins = (ends - timedelta(days=1)).replace(day=1)
    else:
        ends = settled - timedelta(days=settled.weekday())
        begins = ends - timedelta(days=7)
    since, until = _midnight(begins, zone), _midnight(ends, zone)
    return None if published_until is not None and since < published_until else (since, until)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
