"""The score of public service after Decision 766, computed again from counts, to explain the published one.

QĐ 766/QĐ-TTg of 23/06/2022 (in operation from 01/08/2022): 100 points; the national portal shows them in six groups of
18 + 20 + 12 + 10 + 22 + 18. Parts, maxima and levels of full points as the portal computes them, state of 2026: the
decision itself names the groups, the division into parts was read off the portal's replies and is ours to keep true.
A part is max × min(1, (numerator/denominator)/full). THE PUBLISHED SCORE IS THE OFFICIAL ONE: this one only explains.

    no citizen report (PAKN) in the period   -> full 6 points for each of the two parts about them
    no rating of the service at all          -> 0 of 6, not «unknown»
    part that does not hold for a commune    -> left out, and the total is «at most»
    count that nobody gave                   -> unknown, never 0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, isnan
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError

CITATION = "QĐ 766/QĐ-TTg ngày 23/06/2022"
VALID_FROM = date(2022, 8, 1)
FORMULAS_AS_OF = date(2026, 10, 3)  # the day whose replies of the portal the parts were read off
COUNTED, NO_REPORTS, NO_RATING, NOT_APPLICABLE, UNKNOWN = STATUSES = (
    "counted", "no_reports", "no_rating", "not_applicable", "unknown",
)  # fmt: skip
TOTAL = "total"
SAME = 0.05  # points; six groups rounded to 0.01 each cannot differ by more
LEAST_STEP = 2.0  # points between two periods that are worth a question
STEP_NOISES = 4.0  # … and so many times the usual step of all units
NEAR = timedelta(days=5)  # a portal shows what was repaired with the next period


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a group: `max` points at the share `full` of numerator in denominator."""

    key: str
    group: str
    max: float
    full: float = 1.0
    counts: str = "files"  # what stands in the denominator: files | procedures | contents | copies | reports | ratings
    of_reports: bool = False  # without any report the points are given
    of_ratings: bool = False  # without any rating they are not


PARTS: tuple[Part, ...] = (
    Part(key="published_in_time", group="transparency", max=6, counts="procedures"),
    Part(key="updated_in_time", group="transparency", max=4, counts="procedures"),
    Part(key="complete_content", group="transparency", max=2, counts="contents"),
    Part(key="synchronised", group="transparency", max=6),
    Part(key="on_time", group="timeliness", max=20),
    Part(key="services_online", group="online", max=2, counts="procedures", full=0.8),
    Part(key="services_used_online", group="online", max=4, counts="procedures"),
    Part(key="files_online", group="online", max=6, full=0.5),
    Part(key="services_with_payment", group="payment", max=6, counts="procedures"),
    Part(key="services_paid_online", group="payment", max=2, counts="procedures", full=0.8),
    Part(key="files_paid_online", group="payment", max=2, full=0.8),
    Part(key="electronic_results", group="digitisation", max=6),
    Part(key="digitised_components", group="digitisation", max=4),
    Part(key="certified_copies", group="digitisation", max=2, counts="copies"),
    Part(key="data_reused", group="digitisation", max=2, full=0.8),
    Part(key="shared_store", group="digitisation", max=4),
    Part(key="population_checked", group="digitisation", max=2),
    Part(key="population_reused", group="digitisation", max=2),
    Part(key="reports_on_time", group="satisfaction", max=6, counts="reports", of_reports=True),
    Part(key="reports_satisfied", group="satisfaction", max=6, counts="reports", of_reports=True),
    Part(key="service_satisfied", group="satisfaction", max=6, counts="ratings", full=0.9, of_ratings=True),
)
BY_KEY: Mapping[str, Part] = {part.key: part for part in PARTS}
GROUPS: Mapping[str, float] = {
    group: sum(part.max for part in PARTS if part.group == group) for group in dict.fromkeys(one.group for one in PARTS)
}
COLUMNS = ("unit", "part", "numerator", "denominator", "applicable")
Rows = Mapping[tuple[str, str], Mapping[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """One part of one unit. `short`: how many more of the denominator would give full points."""

    part: Part
    numerator: float | None
    denominator: float | None
    status: str
    points: float | None  # None: unknown or not applicable

    @property
    def lost(self) -> float:
        """Points that this part costs; 0 where it is unknown or does not hold."""
        return 0.0 if self.points is None else max(self.part.max - self.points, 0.0)

    @property
    def short(self) -> int:
        """Whole files, services or answers that lack for full points."""
        if self.numerator is None or not self.denominator:
            return 0
        return max(ceil(self.part.full * self.denominator - self.numerator - 1e-9), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One of the six groups (or TOTAL): recomputed beside published [points]."""

    key: str
    max: float  # of the parts that hold for this unit
    points: float | None  # None when any part of it is unknown
    known: float  # what the known parts give
    published: float | None
    unknown: int
    left_out: int

    @property
    def difference(self) -> float | None:
        """Published minus recomputed; None where either is not known."""
        return None if self.points is None or self.published is None else self.published - self.points

    @property
    def why(self) -> str:
        """same | unpublished | parts_unknown | parts_left_out | counts_differ."""
        if self.published is None:
            return "unpublished"
        if self.unknown:
            return "parts_unknown"
        if self.difference is not None and abs(self.difference) <= SAME + 1e-9:
            return "same"
        return "parts_left_out" if self.left_out else "counts_differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The score of one unit for one period."""

    unit: str
    parts: tuple[Points, ...]
    groups: tuple[Group, ...]  # the six, then TOTAL

    @property
    def total(self) -> Group:
        """All groups together."""
        return self.groups[-1]

    @property
    def losses(self) -> tuple[Points, ...]:
        """Parts that cost points, the dearest first."""
        return tuple(sorted((one for one in self.parts if one.lost > 1e-9), key=lambda one: -one.lost))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A step of a published score that coincides with something that happened to the data, not to the service."""

    unit: str
    at: datetime  # END of the period after the step
    before: float
    after: float
    cause: str  # repair | resync | formula
    happened_at: datetime


def points(part: Part, numerator: float | None, denominator: float | None, *, applicable: bool = True) -> Points:
    """The points of one part. Raises InputError for counts that cannot be: below 0, or more than there are."""
    given = (_count(numerator), _count(denominator))
    if not applicable:
        return Points(part=part, numerator=None, denominator=None, status=NOT_APPLICABLE, points=None)
    top, bottom = given
    if bottom is not None and bottom == 0 and not top:
        if part.of_reports:
            return Points(part=part, numerator=0, denominator=0, status=NO_REPORTS, points=part.max)
        if part.of_ratings:
            return Points(part=part, numerator=0, denominator=0, status=NO_RATING, points=0.0)
    if top is None or bottom is None or bottom == 0:
        return Points(part=part, numerator=top, denominator=bottom, status=UNKNOWN, points=None)
    if top > bottom:
        raise InputError(f"QĐ 766: {part.key}: {top:g} of {bottom:g} cannot be")
    gained = part.max * min(1.0, top / bottom / part.full)
    return Points(part=part, numerator=top, denominator=bottom, status=COUNTED, points=gained)


def _count(value: float | None) -> float | None:
    if value is None or isnan(value):
        return None
    if value < 0 or not np.isfinite(value):
        raise InputError(f"QĐ 766: {value:g} is no count")
    return float(value)


def recompute(counts: pd.DataFrame, published: Mapping[tuple[str, str], float]) -> tuple[Unit, ...]:
    """Counts (COLUMNS, one row per unit and part) and published points {(unit, group or «total»): points} -> units.

    A part without a row is unknown. Raises InputError for a part that does not exist or is given twice.
    """
    lacking = [name for name in COLUMNS if name not in counts]
    if lacking:
        raise InputError(f"QĐ 766: the counts lack the column {', '.join(lacking)}")
    unknown = sorted(set(counts["part"]) - set(BY_KEY))
    if unknown:
        raise InputError(f"QĐ 766: there is no part {', '.join(unknown)}")
    if counts.duplicated(["unit", "part"]).any():
        raise InputError("QĐ 766: a part of a unit is given twice")
    rows: Rows = {(str(row["unit"]), str(row["part"])): dict(row) for row in counts.to_dict("records")}
    units = sorted({*counts["unit"], *(unit for unit, _ in published)})
    return tuple(_unit(unit, rows, published) for unit in units)


def _unit(unit: str, rows: Rows, published: Mapping[tuple[str, str], float]) -> Unit:
    parts = []
    for part in PARTS:
        row = rows.get((unit, part.key))
        if row is None:
            parts.append(points(part, None, None))
            continue
        given: list[float | None] = [
            None if pd.isna(row[name]) else float(row[name]) for name in ("numerator", "denominator")
        ]
        parts.append(points(part, given[0], given[1], applicable=bool(row["applicable"])))
    groups = [
        _group(group, [one for one in parts if one.part.group == group], published.get((unit, group)))
        for group in GROUPS
    ]
    return Unit(unit=unit, parts=tuple(parts), groups=(*groups, _group(TOTAL, parts, published.get((unit, TOTAL)))))


def _group(key: str, parts: Iterable[Points], published: float | None) -> Group:
    own = list(parts)
    held = [one for one in own if one.status != NOT_APPLICABLE]
    unknown = sum(one.points is None for one in held)
    known = sum(one.points for one in held if one.points is not None)
    return Group(
        key=key,
        max=sum(one.part.max for one in held),
        points=None if unknown or not held else known,
        known=known,
        published=None if published is None or isnan(published) else published,
        unknown=unknown,
        left_out=len(own) - len(held),
    )


def guard(history: pd.DataFrame, events: pd.DataFrame) -> tuple[Mark, ...]:
    """Steps of published totals that are «no news of the city», newest first.

    `history`: unit, time (END of period), value. `events`: unit («» = all units), at, cause of what happened to data.
    A step counts when it is at least LEAST_STEP points and STEP_NOISES times the usual one of all units (median of
    the absolute steps), and something happened between the end of the period before and NEAR after its own end.
    """
    steps = history.sort_values("time").copy()
    steps["before"] = steps.groupby("unit")["value"].shift()
    steps["since"] = steps.groupby("unit")["time"].shift()
    steps = steps[steps["before"].notna()]
    if steps.empty:
        return ()
    size = (steps["value"] - steps["before"]).abs()
    wide = steps[(size >= LEAST_STEP) & (size > STEP_NOISES * float(size.median()))]
    found = []
    for row in wide.to_dict("records"):
        near = events[
            events["unit"].isin(["", row["unit"]])
            & (events["at"] > row["since"])
            & (events["at"] <= row["time"] + NEAR)
        ]
        if len(near):
            event = near.sort_values("at").iloc[-1]
            found.append(
                Mark(
                    unit=str(row["unit"]),
                    at=row["time"].to_pydatetime(),
                    before=float(row["before"]),
                    after=float(row["value"]),
                    cause=str(event["cause"]),
                    happened_at=event["at"].to_pydatetime(),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.at.timestamp(), one.unit)))


def ranked(units: Iterable[Unit], marks: Iterable[Mark], period_end: datetime) -> tuple[tuple[int, Unit], ...]:
    """Units with a published total, best first, with ranks (equal points share one). Marked ones of this period and
    those that nobody published have none and are left out."""
    out = {mark.unit for mark in marks if mark.at == period_end}
    able = [one for one in units if one.total.published is not None and one.unit not in out]
    totals = sorted((round(one.total.published or 0.0, 2) for one in able), reverse=True)
    placed = [(totals.index(round(one.total.published or 0.0, 2)) + 1, one) for one in able]
    return tuple(sorted(placed, key=lambda pair: (pair[0], pair[1].unit)))
