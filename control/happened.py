"""What happened at one place over a long span, as it is stored: alerts, repairs, closed roads, public holidays.

For the chart of trends, whose snapshot remembers a day. Of each kind only so many are handed on: the worst alerts and
the newest of the others; how many there were besides is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from core.alert import PRIORITIES, measured_at
from core.calendar import holidays_of
from core.observations import USABLE
from store.base import Store

ALERT, REPAIR, CLOSED, HOLIDAY = "alert", "repair", "closed", "holiday"
KINDS = (ALERT, REPAIR, CLOSED, HOLIDAY)
MOST_OF_KIND = 40
MOST_LINES = 20_000  # of the journal of one rule at one place
CLOSURE = "road_closed"
SILENCE = timedelta(hours=6)  # a road of which nothing is heard so long is not said to be closed any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event. Times are aware UTC; `until` is None for a moment, and for what has not ended."""

    kind: str  # one of KINDS
    at: datetime
    until: datetime | None = None
    open: bool = False  # a span whose end is not known yet
    rule: str = ""  # of alerts and repairs
    priority: str = ""  # of alerts
    reason: str = ""  # of repairs, as a person wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """The events of a span, oldest first, and how many of each kind there were besides."""

    events: tuple[Happening, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()  # (kind, how many in all), kinds without any left out

    @property
    def total(self) -> int:
        """How many there were, shown or not."""
        return sum(n for _, n in self.counts)


def happened(
    store: Store, rules: Collection[str], site_id: str, since: datetime, until: datetime, zone: ZoneInfo, *, roads: bool
) -> Happened:
    """Everything stored about a place in (since, until]. `rules`: those on the indicator; `roads`: closures matter."""
    found: list[Happening] = []
    for rule in sorted(rules):
        journal = store.read_journal(since, rule=rule, site_id=site_id, limit=MOST_LINES)
        journal = journal[journal["happened_at"] <= until].sort_values("entry", kind="stable")
        found += _alerts(journal, rule)
        found += _repairs(journal, rule, since)
    if roads:
        rows = store.read_observations([CLOSURE], since, until, [site_id])
        found += _closures(rows[rows["quality"].isin(USABLE) & rows["value"].notna()])
    found += holidays(since, until, zone)
    kinds = {kind: [one for one in found if one.kind == kind] for kind in KINDS}
    kept = [one for kind in KINDS for one in _worst(kinds[kind])]
    return Happened(
        events=tuple(sorted(kept, key=lambda one: (one.at, one.kind, one.rule))),
        counts=tuple((kind, len(one)) for kind, one in kinds.items() if one),
    )


def _worst(events: Sequence[Happening]) -> Sequence[Happening]:
    def rank(one: Happening) -> tuple[int, datetime]:
        return (PRIORITIES.index(one.priority) if one.priority in PRIORITIES else 0, one.at)

    return sorted(events, key=rank, reverse=True)[:MOST_OF_KIND]


def _alerts(journal: pd.DataFrame, rule: str) -> list[Happening]:
    rows = journal[journal["deed"] == "raise"]
    return [
        Happening(
            kind=ALERT,
            at=measured_at(row["happened_at"].to_pydatetime(), str(row["detail"] or "")),
            rule=rule,
            priority=str(row["priority"]),
        )
        for row in rows.to_dict("records")
    ]


def _repairs(journal: pd.DataFrame, rule: str, since: datetime) -> list[Happening]:
    """From «out of service» to «returned»; one that began before the span begins with it."""
    found: list[Happening] = []
    began: tuple[datetime, str] | None = None
    deeds = journal[journal["deed"].isin(["take_out_of_service", "return_to_service"])]
    for row in deeds.to_dict("records"):
        at = row["happened_at"].to_pydatetime()
        if row["deed"] == "take_out_of_service":
            began = (at, str(row["reason"] or ""))
            continue
        start, reason = began or (since, "")
        found.append(Happening(kind=REPAIR, at=start, until=at, rule=rule, reason=reason))
        began = None
    if began is not None:
        found.append(Happening(kind=REPAIR, at=began[0], open=True, rule=rule, reason=began[1]))
    return found


def _closures(rows: pd.DataFrame) -> list[Happening]:
    """Spans in which a road was told to be closed, by whatever source."""
    states = rows.groupby("time")["value"].max().sort_index() if len(rows) else pd.Series(dtype="float64")
    found: list[Happening] = []
    start = last = None
    for at, value in zip(pd.DatetimeIndex(states.index).to_pydatetime(), states, strict=True):
        if start is not None and last is not None and at - last > SILENCE:
            found.append(Happening(kind=CLOSED, at=start, until=last))
            start = None
        if value >= 1:
            start = start or at
        elif start is not None:
            found.append(Happening(kind=CLOSED, at=start, until=at))
            start = None
        last = at
    if start is not None:
        found.append(Happening(kind=CLOSED, at=start, open=True))
    return found


def holidays(since: datetime, until: datetime, zone: ZoneInfo) -> list[Happening]:
    """Public holidays of the span, days in a row as one; from the first midnight of the city to the last."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    days = [one for year in range(first.year, last.year + 1) for one in sorted(holidays_of(year))]
    found: list[Happening] = []
    for day in (one for one in days if first <= one <= last):
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        end = start + timedelta(days=1)
        if found and found[-1].until == start:
            found[-1] = Happening(kind=HOLIDAY, at=found[-1].at, until=end)
        else:
            found.append(Happening(kind=HOLIDAY, at=start, until=end))
    return found
