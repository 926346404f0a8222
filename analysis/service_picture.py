"""Interest in a service, satisfaction with it and its use, side by side, and which service to mend first.

The rule of «mend first» is short enough to be said on the screen: a service is WANTED when its interest (views +
searches + questions) is at least the median of all services; it is SURELY WORSE when the upper 95 % bound of its
satisfaction, or of its completion, lies below the city's own. Both: mend first. Only worse: mend. The order within is
the number of people known to be lost: online files begun and not submitted, and answers of 1 to 3 points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from analysis.satisfaction import ENOUGH, Share, share_of
from core.wilson import wilson

VIEWS, SEARCHES, QUESTIONS, REPORTS = "service_views", "service_searches", "service_questions", "service_reports"
STARTED, COMPLETED = "service_started", "service_completed"
FILES, ONLINE = "service_files", "service_files_online"
VISITS, AGAIN = "service_visits", "service_visits_again"
MEASURES = (VIEWS, SEARCHES, QUESTIONS, REPORTS, STARTED, COMPLETED, FILES, ONLINE, VISITS, AGAIN)
WAIT = "counter_wait"
FIRST, MEND, FINE, UNKNOWN = "first", "mend", "fine", "unknown"
_ORDER = (FIRST, MEND, FINE, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """So many of so many, and the 95 % Wilson interval; None as `value` where there were none."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """Fraction of 1."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds as fractions of 1; (0, 1) without a case."""
        return wilson(self.part, self.whole) if self.whole else (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service over the period. Counts that no source brings are None, never 0."""

    key: str
    satisfaction: Share
    views: int | None
    searches: int | None
    questions: int | None
    reports: int | None
    online: Part
    completed: Part
    again: Part
    wanted: bool = False
    worse_liked: bool = False
    worse_finished: bool = False

    @property
    def interest(self) -> int | None:
        """Views, searches and questions together; None where none of them is counted."""
        known = [one for one in (self.views, self.searches, self.questions) if one is not None]
        return sum(known) if known else None

    @property
    def dropped(self) -> int:
        """Online files that were begun and not submitted."""
        return self.completed.whole - self.completed.part

    @property
    def unhappy(self) -> int:
        """Answers of 1 to 3 points."""
        return self.satisfaction.n - self.satisfaction.good

    @property
    def lost(self) -> int:
        """People of whom it is known that the service failed them."""
        return self.dropped + self.unhappy

    @property
    def verdict(self) -> str:
        """first | mend | fine | unknown."""
        if not self.satisfaction.enough and self.completed.whole < ENOUGH:
            return UNKNOWN
        if not (self.worse_liked or self.worse_finished):
            return FINE
        return FIRST if self.wanted else MEND


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long people wait at an office [min]; bounds of the 90th percentile, None where the sample gives none."""

    office: str
    n: int
    median: float
    p90: float
    low: float | None
    high: float | None


def services(
    totals: Mapping[tuple[str, str], float], ratings: pd.DataFrame, keys: tuple[str, ...]
) -> tuple[Service, ...]:
    """The services `keys` from sums by (site_id, property) and ratings (service, n1 … n5, asked): mend first on top."""
    found = [_service(key, totals, ratings[ratings["service"] == key]) for key in keys]
    interests = [one.interest for one in found if one.interest is not None]
    middle = float(np.median(interests)) if interests else float("inf")
    liked = share_of(ratings).value
    finished = Part(
        part=sum(one.completed.part for one in found), whole=sum(one.completed.whole for one in found)
    ).value
    judged = [
        Service(
            key=one.key,
            satisfaction=one.satisfaction,
            views=one.views,
            searches=one.searches,
            questions=one.questions,
            reports=one.reports,
            online=one.online,
            completed=one.completed,
            again=one.again,
            wanted=one.interest is not None and one.interest >= middle,
            worse_liked=liked is not None and one.satisfaction.enough and one.satisfaction.interval[1] < liked,
            worse_finished=finished is not None
            and one.completed.whole >= ENOUGH
            and one.completed.interval[1] < finished,
        )
        for one in found
    ]
    return tuple(sorted(judged, key=lambda one: (_ORDER.index(one.verdict), -one.lost, one.key)))


def _service(key: str, totals: Mapping[tuple[str, str], float], ratings: pd.DataFrame) -> Service:
    def count(name: str) -> int | None:
        value = totals.get((key, name))
        return None if value is None else round(value)

    def part(part_name: str, whole_name: str) -> Part:
        whole = count(whole_name) or 0
        return Part(part=min(count(part_name) or 0, whole), whole=whole)

    return Service(
        key=key,
        satisfaction=share_of(ratings),
        views=count(VIEWS),
        searches=count(SEARCHES),
        questions=count(QUESTIONS),
        reports=count(REPORTS),
        online=part(ONLINE, FILES),
        completed=part(COMPLETED, STARTED),
        again=part(AGAIN, VISITS),
    )


def waits(rows: pd.DataFrame) -> tuple[Wait, ...]:
    """Per office from single waits (site_id, value [min]), the longest 90th percentile first.

    The bounds are order statistics: the number of waits below the true 90th percentile is binomial (n, 0.9), whatever
    the waits are distributed like.
    """
    found = []
    for office, own in rows.groupby("site_id", sort=True):
        values = np.sort(own["value"].to_numpy(dtype=np.float64))
        low = high = None
        if len(values) >= ENOUGH:
            below, above = (int(binom.ppf(one, len(values), 0.9)) for one in (0.025, 0.975))
            low, high = float(values[max(below - 1, 0)]), float(values[above]) if above < len(values) else None
        found.append(
            Wait(
                office=str(office),
                n=len(values),
                median=float(np.median(values)),
                p90=float(np.quantile(values, 0.9)),
                low=low,
                high=high,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.p90, one.office)))
