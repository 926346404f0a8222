"""What moved it: the change of a sum or of a ratio between two spans, split into parts that add up to the change.

    sum     Δ = Σ over units of (their mean after - their mean before)
    ratio   R = ΣN/ΣD. By numerator and denominator:  ΔN·mean(1/D) + Δ(1/D)·mean(N)
            By unit (Kitagawa 1955), with the share w = D of the unit / ΣD and its own ratio r:
                own     (r after - r before) · mean(w)          the unit did better or worse
                mix     (w after - w before) · (mean(r) - mean(R))   it had more or less of the work
            A unit that is there in one span only has no own change: all of its part is mix.

All three are exact: the parts add up to the change to the last digit. They tell what moved the figure, never why.
Which indicator is a sum or a ratio stands in its own record (`Indicator.parts`): one property is summed over the units,
two are numerator and denominator. All others cannot be split so, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from core.catalogue import Indicator, ObservedProperty
from core.errors import InputError

SUM, RATIO, NEITHER = "sum", "ratio", "neither"
BEFORE, USUAL = "before", "usual"
WEEK = timedelta(days=7)
USUAL_WEEKS = 4
PER = 100.0  # ratios are percentages here
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One unit's share of the change. A value that was not there is None."""

    unit: str
    before: float | None
    after: float | None
    n_before: float  # rows of a sum; denominator of a ratio
    n_after: float
    own: float
    mix: float = 0.0

    @property
    def total(self) -> float:
        """Own and mix."""
        return self.own + self.mix


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A change and its parts, largest first. Values in the unit of the indicator."""

    kind: str  # sum | ratio | neither
    before: float | None = None
    after: float | None = None
    n_before: float = 0.0
    n_after: float = 0.0
    numerator: float = 0.0  # effect of the numerator alone
    denominator: float = 0.0
    parts: tuple[Part, ...] = ()
    spans: tuple[Span, ...] = ()  # the earlier ones, then this one

    @property
    def change(self) -> float | None:
        """After less before."""
        return None if self.before is None or self.after is None else self.after - self.before


def spans(since: datetime, until: datetime, against: str) -> tuple[Span, ...]:
    """The spans to compare, the present one last. `before`: the span of the same length just before (of whole weeks,
    so that weekdays agree, where it is shorter than a week); `usual`: the same span of the four weeks before.

    Raises InputError for any other word.
    """
    length = until - since
    weeks = max(-(-length // WEEK), 1)
    if against == BEFORE:
        shift = WEEK if length < WEEK else length
        return ((since - shift, until - shift), (since, until))
    if against == USUAL:
        return (
            *((since - WEEK * weeks * one, until - WEEK * weeks * one) for one in range(USUAL_WEEKS, 0, -1)),
            (since, until),
        )
    raise InputError(f"comparison {against!r}: give {BEFORE} or {USUAL}")


def kind_of(item: ObservedProperty) -> str:
    """sum | ratio | neither."""
    parts = item.parts if isinstance(item, Indicator) else ()
    return {1: SUM, 2: RATIO}.get(len(parts), NEITHER)


def moved(item: ObservedProperty, rows: pd.DataFrame, compared: Sequence[Span]) -> Moved:
    """The change of an indicator. `rows`: the one frame of its parts, without the city's own rows."""
    kind = kind_of(item)
    if kind == NEITHER or not isinstance(item, Indicator):
        return Moved(kind=NEITHER, spans=tuple(compared))
    earlier = pd.concat([_within(rows, span) for span in compared[:-1]])
    present = _within(rows, compared[-1])
    if kind == SUM:
        found = of_sum(_means(earlier), _means(present))
    else:
        found = of_ratio(_totals(earlier, item, len(compared) - 1), _totals(present, item, 1))
    return replace(found, spans=tuple(compared))


def _within(rows: pd.DataFrame, span: Span) -> pd.DataFrame:
    return rows[(rows["time"] > span[0]) & (rows["time"] <= span[1])]


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    by_unit = rows.groupby("site_id")["value"]
    return pd.DataFrame({"value": by_unit.mean(), "n": by_unit.count().astype("float64")})


def _totals(rows: pd.DataFrame, item: Indicator, times: int) -> pd.DataFrame:
    """Per unit numerator and denominator of one span: levels as their mean, counts as their sum."""
    by_unit = rows.groupby(["site_id", "observed_property"])["value"]
    table = (by_unit.mean() if item.levels else by_unit.sum()).unstack()
    table = table.reindex(columns=list(item.parts)).fillna(0.0) / (1 if item.levels else times)
    table.columns = pd.Index(["part", "whole"])
    return table[table["whole"] > 0]


def of_sum(before: pd.DataFrame, after: pd.DataFrame) -> Moved:
    """Contributions of units to the change of their sum. Frames by unit: value, n."""
    if before.empty or after.empty:
        return Moved(kind=SUM)
    units = before.index.union(after.index)
    then, now = before.reindex(units), after.reindex(units)
    was, is_ = (one["value"].to_numpy(dtype=np.float64) for one in (then, now))
    n_was, n_is = (one["n"].fillna(0.0).to_numpy(dtype=np.float64) for one in (then, now))
    parts = [
        Part(
            unit=str(unit),
            before=None if np.isnan(was[place]) else float(was[place]),
            after=None if np.isnan(is_[place]) else float(is_[place]),
            n_before=float(n_was[place]),
            n_after=float(n_is[place]),
            own=float(np.nan_to_num(is_[place]) - np.nan_to_num(was[place])),
        )
        for place, unit in enumerate(units)
    ]
    return Moved(
        kind=SUM, before=float(before["value"].sum()), after=float(after["value"].sum()),
        n_before=float(before["n"].sum()), n_after=float(after["n"].sum()), parts=_largest_first(parts),
    )  # fmt: skip


def of_ratio(before: pd.DataFrame, after: pd.DataFrame) -> Moved:
    """Effects on a percentage of sums. Frames by unit: part, whole (above 0)."""
    if before.empty or after.empty:
        return Moved(kind=RATIO)
    units = before.index.union(after.index)
    then, now = (frame.reindex(units).fillna(0.0) for frame in (before, after))
    tops, bases = [float(one["part"].sum()) for one in (then, now)], [float(one["whole"].sum()) for one in (then, now)]
    ratios = [PER * top / base for top, base in zip(tops, bases, strict=True)]
    share = [one["whole"].to_numpy(dtype=np.float64) / base for one, base in zip((then, now), bases, strict=True)]
    own = []
    for one in (then, now):
        whole = one["whole"].to_numpy(dtype=np.float64)
        own.append(
            PER
            * np.divide(one["part"].to_numpy(dtype=np.float64), whole, out=np.full(len(units), np.nan), where=whole > 0)
        )
    was = np.where(np.isnan(own[0]), own[1], own[0])
    is_ = np.where(np.isnan(own[1]), own[0], own[1])
    better = (is_ - was) * (share[0] + share[1]) / 2
    mix = (share[1] - share[0]) * ((was + is_) / 2 - sum(ratios) / 2)
    parts = [
        Part(
            unit=str(unit),
            before=None if np.isnan(own[0][place]) else float(own[0][place]),
            after=None if np.isnan(own[1][place]) else float(own[1][place]),
            n_before=float(then["whole"].iloc[place]),
            n_after=float(now["whole"].iloc[place]),
            own=float(better[place]),
            mix=float(mix[place]),
        )
        for place, unit in enumerate(units)
    ]
    return Moved(
        kind=RATIO, before=ratios[0], after=ratios[1], n_before=bases[0], n_after=bases[1],
        numerator=PER * (tops[1] - tops[0]) * (1 / bases[0] + 1 / bases[1]) / 2,
        denominator=PER * (1 / bases[1] - 1 / bases[0]) * (tops[0] + tops[1]) / 2,
        parts=_largest_first(parts),
    )  # fmt: skip


def _largest_first(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda one: (-abs(one.total), one.unit)))
