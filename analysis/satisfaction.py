"""Satisfaction of citizens from counted answers: shares with their uncertainty, and what may be shown of them.

Satisfied = 4 and 5 of 5 points, 100·(#4 + #5)/n with a 95 % Wilson interval. Fewer than ENOUGH answers are «too few»:
no verdict and no rank. Fewer than K answers are not shown at all, nor can they be computed back from totals. Who did
not answer is not known: `unanswered_bounds` says how far the truth may lie from what the answers say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.small_cells import K, Safe, suppress
from core.ratings import POINT_COLUMNS
from core.wilson import rank_ranges, wilson

ENOUGH = 30
CEILING = 0.98
LOW_RESPONSE = 0.5  # below, the screen says so in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Satisfied answers among all, and how many people were asked (None where nobody counted that)."""

    good: int
    n: int
    asked: int | None = None

    @property
    def value(self) -> float | None:
        """Fraction of 1; None without an answer."""
        return self.good / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson bounds as fractions of 1; (0, 1) without an answer."""
        return wilson(self.good, self.n) if self.n else (0.0, 1.0)

    @property
    def enough(self) -> bool:
        """True from ENOUGH answers on: below, the number is grey and has no rank."""
        return self.n >= ENOUGH

    @property
    def response(self) -> float | None:
        """Share of those asked who answered; None where the denominator is unknown or smaller than the answers."""
        return self.n / self.asked if self.asked and self.asked >= self.n else None

    @property
    def unanswered_bounds(self) -> tuple[float, float] | None:
        """The share of all who were asked, if everybody silent were unsatisfied … satisfied (Manski 1989).

        No assumption at all: what the answers alone can promise of the people who gave none.
        """
        if self.response is None or not self.asked:
            return None
        return self.good / self.asked, (self.good + self.asked - self.n) / self.asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One office or service with the ranks that its interval leaves open; None with too few answers."""

    key: str
    share: Share
    best_rank: int | None = None
    worst_rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """Three different numbers that one word, «satisfied», is too often used for."""

    processed: int | None  # results that went out
    accepted: int | None  # of them, kept by the citizen without contest
    satisfied: int  # 4 and 5 points …
    rated: int  # … of so many answers


def share_of(counts: pd.DataFrame) -> Share:
    """All rows of a frame with n1 … n5, asked (0 = nobody counted) together.

    The response rate is known only when every row with answers knows how many were asked.
    """
    points = counts[list(POINT_COLUMNS)].sum()
    answered = counts[list(POINT_COLUMNS)].sum(axis=1) > 0
    known = bool((counts.loc[answered, "asked"] > 0).all()) and len(counts) > 0
    return Share(
        good=int(points["n4"] + points["n5"]),
        n=int(points.sum()),
        asked=int(counts["asked"].sum()) if known else None,
    )


def units(counts: pd.DataFrame, by: str) -> tuple[Unit, ...]:
    """Per office or service (`by`), best share first; ranks only among those with enough answers."""
    shares = {str(key): share_of(rows) for key, rows in counts.groupby(by, sort=True)}
    ranks = rank_ranges({key: one.interval for key, one in shares.items() if one.enough})
    found = [
        Unit(key=key, share=one, best_rank=ranks[key][0], worst_rank=ranks[key][1])
        if key in ranks
        else Unit(key=key, share=one)
        for key, one in shares.items()
    ]
    return tuple(sorted(found, key=lambda one: (not one.share.enough, -(one.share.value or 0.0), one.key)))


def at_the_ceiling(found: Sequence[Unit]) -> bool:
    """True when every unit with enough answers is above CEILING: such a question no longer tells units apart."""
    known = [one.share.value for one in found if one.share.enough and one.share.value is not None]
    return len(known) > 1 and min(known) > CEILING


def safe_table(counts: pd.DataFrame) -> Safe:
    """Answers by service (rows) and office (columns) with their totals, as far as they may be shown."""
    n = counts.assign(n=counts[list(POINT_COLUMNS)].sum(axis=1))
    return suppress(n.pivot_table(index="service", columns="office", values="n", aggfunc="sum", fill_value=0), K)
