"""What citizen reports say together: deadlines kept, first response, time to the end, backlog, reopening, rating.

The time to the end is a Kaplan-Meier estimate: a report that is still open has already waited so long and is censored
now, where a plain median of the closed ones forgets exactly the slow ones. Bands and the interval of the median are
log-minus-log (Kalbfleisch & Prentice 1980), 95 %. Shares carry Wilson intervals, rates exact Poisson ones (Garwood
1936). Counts under k are for nobody's eyes outside the office; `wards` says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, norm
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from analysis.small_cells import K

Floats = npt.NDArray[np.float64]
ALPHA = 0.05
LEAST = 30  # answers or cases below which a share is told in grey and nothing is ranked
AGES_H = (24.0, 72.0, 168.0, 720.0)  # bounds of the backlog's ages [h]
AT_RISK_MARKS = 5
ALL = ""


@dataclass(frozen=True, slots=True)
class Share:
    """`good` of `n` with its 95 % Wilson interval [percent]; None where nothing could be counted."""

    good: int
    n: int

    @property
    def percent(self) -> float | None:
        """0 to 100."""
        return 100.0 * self.good / self.n if self.n else None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lower and upper end [percent]."""
        if not self.n:
            return None
        low, high = proportion_confint(self.good, self.n, alpha=ALPHA, method="wilson")
        return 100.0 * float(low), 100.0 * float(high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """How long cases take: S(t) as steps with a pointwise 95 % band, times in hours. `median` None: not reached."""

    times: Floats
    share: Floats  # still open after so long, 1 … 0
    low: Floats
    high: Floats
    at_risk: tuple[tuple[float, int], ...]  # (hours, cases that were still watched)
    n: int
    ended: int
    median: float | None
    median_low: float | None
    median_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One category (or ALL together)."""

    category: str
    n: int  # received in the span
    open: int
    overdue: int  # open, and the deadline has passed
    on_time: Share  # of those whose deadline has passed
    response_n: int
    response_median_h: float | None
    response_p90_h: float | None
    survival: Survival | None
    closed_median_h: float | None  # of the closed ones alone, to show how it flatters
    reopened: Share
    rated: Share
    satisfied: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """Reports of one ward in the span; the rate per 1,000 inhabitants where they are known."""

    code: str
    n: int
    rate: float | None
    low: float | None
    high: float | None
    small: bool  # 0 < n < k: the number is not said
    few: bool  # n < LEAST: shown in grey, not compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything of one span of days."""

    since: datetime
    until: datetime
    rows: tuple[Row, ...]  # ALL first, then categories by size
    backlog: tuple[tuple[float, float, int, int], ...]  # from [h], below [h], open, of them overdue
    wards: tuple[Ward, ...]
    unplaced: int  # reports that name no ward
    left_out: int  # ended before they began

    def row(self, category: str = ALL) -> Row:
        """The row of a category."""
        return next(one for one in self.rows if one.category == category)


def summarise(
    cases: pd.DataFrame, *, since: datetime, now: datetime, population: Mapping[str, float] | None = None
) -> Summary:
    """core.cases.frame -> Summary of what was received in (since, now]; open ones of before count to the backlog.

    `population`: ward -> inhabitants; its keys are the wards that are told of.
    """
    known = _ended(cases[cases["received_at"] <= now], now)
    wrong = known["ended_at"] < known["received_at"]
    known = known[~wrong]
    inside = known[known["received_at"] > since]
    groups = [(ALL, inside), *inside.groupby("category")]
    rows = [_row(str(name), group, now) for name, group in groups]
    people = dict(population or {})
    counted = inside["ward"].value_counts()
    return Summary(
        since=since,
        until=now,
        rows=(rows[0], *sorted(rows[1:], key=lambda one: (-one.n, one.category))),
        backlog=_backlog(known, now),
        wards=tuple(_ward(code, int(counted.get(code, 0)), people.get(code)) for code in people),
        unplaced=int((~inside["ward"].isin(list(people))).sum()),
        left_out=int(wrong.sum()),
    )


def _ended(cases: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """With `ended_at` (resolved, else closed; NaT while open), `ended` and `hours` of waiting until the end or now."""
    ended_at = cases["resolved_at"].fillna(cases["closed_at"])
    ended_at = ended_at.where(ended_at <= now)
    hours = (ended_at.fillna(pd.Timestamp(now)) - cases["received_at"]).dt.total_seconds() / 3600.0
    return cases.assign(ended_at=ended_at, ended=ended_at.notna(), hours=hours)


def _row(category: str, group: pd.DataFrame, now: datetime) -> Row:
    due = group[group["due_at"] <= now]
    answered = (group["acknowledged_at"] - group["received_at"]).dt.total_seconds() / 3600.0
    answered = answered[(answered >= 0) & (group["acknowledged_at"] <= now)]
    ended = group[group["ended"]]
    rated = ended[ended["rating"].notna()]
    return Row(
        category=category,
        n=len(group),
        open=int((~group["ended"]).sum()),
        overdue=int((~due["ended"]).sum()),
        on_time=Share(int((due["ended_at"] <= due["due_at"]).sum()), len(due)),
        response_n=len(answered),
        response_median_h=float(answered.median()) if len(answered) else None,
        response_p90_h=float(answered.quantile(0.9)) if len(answered) else None,
        survival=survival(group["hours"].to_numpy(np.float64), group["ended"].to_numpy(np.bool_)),
        closed_median_h=float(ended["hours"].median()) if len(ended) else None,
        reopened=Share(int((ended["reopened_count"] > 0).sum()), len(ended)),
        rated=Share(len(rated), len(ended)),
        satisfied=Share(int((rated["rating"] >= 4).sum()), len(rated)),
    )


def survival(hours: Floats, ended: npt.NDArray[np.bool_]) -> Survival | None:
    """Kaplan-Meier of waiting times [h]; None when no case ended."""
    if not len(hours) or not ended.any():
        return None
    found = SurvfuncRight(np.maximum(hours, 0.0), ended.astype(np.int64))
    times, share = np.asarray(found.surv_times), np.asarray(found.surv_prob)
    low, high = _band(share, np.asarray(found.surv_prob_se))
    median = float(found.quantile(0.5))
    longest = float(np.max(hours))
    marks = np.linspace(0.0, longest, AT_RISK_MARKS)
    return Survival(
        times=times,
        share=share,
        low=low,
        high=high,
        at_risk=tuple((float(mark), int((hours >= mark).sum())) for mark in marks),
        n=len(hours),
        ended=int(ended.sum()),
        median=_finite(median),
        median_low=_half(times, low),
        median_high=_half(times, high),
    )


def _band(share: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Pointwise log-minus-log bounds of S(t); where S is 0 or 1 there is no width to speak of."""
    inner = (share > 0.0) & (share < 1.0)
    safe = np.where(inner, share, 0.5)
    width = norm.ppf(1.0 - ALPHA / 2.0) * error / (safe * np.abs(np.log(safe)))
    low, high = safe ** np.exp(width), safe ** np.exp(-width)
    return np.where(inner, low, share), np.where(inner, high, share)


def _half(times: Floats, share: Floats) -> float | None:
    """When a curve first falls to one half: of the band's edges, the ends of the median's interval."""
    there = np.flatnonzero(share <= 0.5)
    return float(times[there[0]]) if len(there) else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _backlog(known: pd.DataFrame, now: datetime) -> tuple[tuple[float, float, int, int], ...]:
    waiting = known[~known["ended"]]
    edges = (0.0, *AGES_H, np.inf)
    late = (waiting["due_at"] <= now).to_numpy()
    hours = waiting["hours"].to_numpy(np.float64)
    found = []
    for low, high in pairwise(edges):
        inside = (hours >= low) & (hours < high)
        found.append((low, high, int(inside.sum()), int((inside & late).sum())))
    return tuple(found)


def _ward(code: str, n: int, people: float | None) -> Ward:
    if people is None or not np.isfinite(people) or people <= 0:
        return Ward(code=code, n=n, rate=None, low=None, high=None, small=0 < n < K, few=n < LEAST)
    low = chi2.ppf(ALPHA / 2.0, 2 * n) / 2.0 if n else 0.0
    high = chi2.ppf(1.0 - ALPHA / 2.0, 2 * (n + 1)) / 2.0
    rate, bottom, top = (1000.0 * float(one) / people for one in (n, low, high))
    return Ward(code=code, n=n, rate=rate, low=bottom, high=top, small=0 < n < K, few=n < LEAST)
