"""How far a target is against its planned curve, and what an indicator did after a decision. Pure; rows in, facts out.

A mean over days is a mean of daily means, so a day with many readings counts no more than another. Its 95 % interval
is Student's t on those days with the effective number of days n(1 - r)/(1 + r), r the correlation of neighbouring days
(at least 0): days that resemble each other tell less than so many independent ones (Bartlett 1935). A newest share with
its sample size has Wilson's interval, or the bounds that the indicator writes itself. Behind or ahead is said only when
the plan lies outside of the interval. A value that moved after a decision is no proof that the decision moved it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy import stats  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from core.plans import ALL_SITES, Decision, OwnNumber, Target, planned, reached_on

ALPHA = 0.05
LEAST_DAYS = 5  # below it a mean of days has no interval worth showing
LEAST_SHARE = 0.6  # of the days of a span must have a value
WEEK = timedelta(days=7)
AFTER_DAYS = (30, 60, 90)
AHEAD, ON_PLAN, BEHIND, REACHED, MISSED, UNKNOWN = (
    "ahead", "on_plan", "behind", "reached", "missed", "unknown",
)  # fmt: skip
VERDICTS = (AHEAD, ON_PLAN, BEHIND, REACHED, MISSED, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is known of a value: with its interval, what n counts, and how it was made."""

    value: float
    low: float | None
    high: float | None
    n: float | None
    counts: str  # days | answers | entered
    as_of: datetime | None  # end of the newest row
    day: date
    method: str  # mean_of_days | wilson | own_bounds | newest | entered
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One target on a day. `points` and `days` are positive where reality is ahead of the plan."""

    target: Target
    measured: Measured | None
    planned: float | None
    points: float | None
    days: int | None
    beyond: bool  # the plan never had such a value: the days are «at least»
    verdict: str  # one of VERDICTS
    why: str = ""  # of unknown: no_rows | few_days | no_curve | not_begun | lapsed | no_number


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The week before one anniversary of a decision."""

    days: int
    due: date
    value: float | None  # mean of the seven days up to it; None: not yet, or too few values
    n: int  # days with a value
    change: float | None
    come: bool  # the day has come
    unusual: bool | None  # outside of what was usual when it was decided; None: unknown


def mean_of_days(rows: pd.DataFrame, zone: ZoneInfo, until: datetime, days: int) -> Measured | None:
    """The mean of daily means over all sites of `rows` (time, site_id, value; usable rows only), or None.

    A day is 24 hours counted back from `until`. Where several sites report, each counts once a day. Fewer than
    LEAST_SHARE of the days: None.
    """
    since = until - timedelta(days=days)
    own = rows[(rows["time"] > since) & (rows["time"] <= until)]
    if own.empty:
        return None
    back = (pd.Timestamp(until) - own["time"]).dt.total_seconds() // 86_400  # whole days, none of them cut
    by_site = own.groupby([-back, own["site_id"]])["value"].mean()
    daily = by_site.groupby(level=0).mean().sort_index()
    values = daily.to_numpy(dtype=np.float64)
    if len(values) < LEAST_SHARE * days:
        return None
    middle = float(values.mean())
    low, high = _interval(values, middle)
    last = own["time"].max().to_pydatetime()
    day = (last - timedelta(microseconds=1)).astimezone(zone).date()
    return Measured(
        value=middle, low=low, high=high, n=len(values), counts="days", as_of=last, day=day,
        method="mean_of_days", source=_sources(own),
    )  # fmt: skip


def _interval(values: np.ndarray, middle: float) -> tuple[float | None, float | None]:
    n = len(values)
    if n < LEAST_DAYS:
        return None, None
    spread = float(values.std(ddof=1))
    if spread == 0.0:
        return middle, middle
    near = (
        float(np.corrcoef(values[:-1], values[1:])[0, 1]) if n > 2 and values[:-1].std() and values[1:].std() else 0.0
    )
    near = min(max(near, 0.0), 0.95)
    effective = max(n * (1 - near) / (1 + near), 2.0)
    half = float(stats.t.ppf(1 - ALPHA / 2, effective - 1)) * spread / effective**0.5
    return middle - half, middle + half


def newest_of(rows: pd.DataFrame, zone: ZoneInfo, companions: pd.DataFrame | None = None) -> Measured | None:
    """The newest value of one site. `companions`: observed_property (…_low, …_high, …_n), time, value of that site.

    With its own bounds they count; with n alone and a share in % Wilson's; else the value stands without an interval.
    """
    if rows.empty:
        return None
    last = rows.sort_values("time").iloc[-1]
    at = last["time"].to_pydatetime()
    beside = {} if companions is None else _beside(companions, last["time"])
    value, low, high, n, method = float(last["value"]), beside.get("low"), beside.get("high"), beside.get("n"), "newest"
    if low is not None and high is not None:
        method = "own_bounds"
    elif n is not None and n >= 1 and 0 <= value <= 100:
        bounds = proportion_confint(value / 100 * n, n, alpha=ALPHA, method="wilson")
        low, high, method = 100 * float(bounds[0]), 100 * float(bounds[1]), "wilson"
    day = (at - timedelta(microseconds=1)).astimezone(zone).date()
    return Measured(
        value=value, low=low, high=high, n=n, counts="answers", as_of=at, day=day, method=method, source=_sources(rows),
    )  # fmt: skip


def _beside(companions: pd.DataFrame, at: pd.Timestamp) -> dict[str, float]:
    same = companions[companions["time"] == at]
    return {
        str(key).rpartition("_")[2]: float(value)
        for key, value in zip(same["observed_property"], same["value"], strict=True)
    }


def entered(numbers: Sequence[OwnNumber], today: date) -> Measured | None:
    """The newest number that somebody entered for a day up to today; of two for one day the later entry."""
    found = [one for one in numbers if one.day <= today]
    if not found:
        return None
    last = max(enumerate(found), key=lambda pair: (pair[1].day, pair[0]))[1]
    return Measured(
        value=last.value, low=None, high=None, n=last.n, counts="entered", as_of=last.entered_at, day=last.day,
        method="entered", source=last.source,
    )  # fmt: skip


def _sources(rows: pd.DataFrame) -> str:
    return ", ".join(sorted(set(rows["source"]))) if "source" in rows else ""


def judge(target: Target, measured: Measured | None, today: date, why: str = "no_rows") -> Progress:
    """Where a target stands on the day of its value, by its planned curve."""

    def told(verdict: str, reason: str = "", **known: float | int | bool | None) -> Progress:
        facts: dict[str, float | int | bool | None] = {"planned": None, "points": None, "days": None, "beyond": False}
        facts |= known
        return Progress(target=target, measured=measured, verdict=verdict, why=reason, **facts)  # type: ignore[arg-type]

    if target.lapsed:
        return told(UNKNOWN, "lapsed")
    if measured is None:
        return told(UNKNOWN, why)
    sign = 1.0 if target.better == "up" else -1.0
    there = sign * measured.value >= sign * target.value
    if today > target.due:
        return told(REACHED if there else MISSED, points=sign * (measured.value - target.value), planned=target.value)
    plan = planned(target, measured.day)
    if plan is None:
        return told(REACHED if there else UNKNOWN, "" if there else "no_curve" if not target.curve else "not_begun")
    points = sign * (measured.value - plan)
    day, beyond = reached_on(target, measured.value), False
    if day is None:  # worse than where it began
        day, beyond = target.curve[0][0], True
    days = (min(day, target.due) - measured.day).days
    sure = measured.low is None or measured.high is None or not measured.low <= plan <= measured.high
    verdict = REACHED if there else ON_PLAN if not sure or points == 0 else AHEAD if points > 0 else BEHIND
    return told(verdict, planned=plan, points=points, days=days, beyond=beyond)


def followed(
    decision: Decision, rows: pd.DataFrame, zone: ZoneInfo, now: datetime, before: float | None
) -> tuple[After, ...]:
    """What the indicator was 30, 60 and 90 days after a decision: means of the week up to that day.

    `rows`: time, site_id, value of its indicator and site. `before`: the mean of the week before the decision.
    """
    found = []
    for days in AFTER_DAYS:
        at = decision.made_at + timedelta(days=days)
        come = at <= now
        seen = mean_of_days(rows, zone, at, WEEK.days) if come else None
        value = seen.value if seen else None
        change = None if value is None or before is None else value - before
        known = decision.usual_low is not None and decision.usual_high is not None and value is not None
        unusual = not decision.usual_low <= value <= decision.usual_high if known else None  # type: ignore[operator]
        n = int(seen.n or 0) if seen else 0
        found.append(
            After(
                days=days, due=at.astimezone(zone).date(), value=value, n=n, change=change, come=come, unusual=unusual
            )
        )
    return tuple(found)


def of_site(rows: pd.DataFrame, site: str) -> pd.DataFrame:
    """The rows of a site, or all of them for ALL_SITES."""
    return rows if site == ALL_SITES else rows[rows["site_id"] == site]
