"""Words for how good the data are: four scores, who supplies them, and steps that are no news.

    correct   đúng   share of received values that are plausible, consistent and not set aside
    complete  đủ     share of due values that came
    clean     sạch   share of values that are neither corrected again and again nor contradicted nor lost in a gap
    live      sống   share of the time in which the newest value was fresh

The arithmetic is in analysis/data_quality.py and analysis/artefacts.py; these are its results, for all rooms to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

CORRECT, COMPLETE, CLEAN, LIVE = SCORES = ("correct", "complete", "clean", "live")
DAY, MONTH = SPANS = ("day", "month")  # the last 24 hours, the last 30 days
REPAIR, RESYNC, FORMULA = CAUSES = ("repair", "resync", "formula")
FAILING_COLUMNS = ("score", "source", "site_id", "observed_property", "since", "until", "value", "why", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`good` of `n`: values for correct, complete and clean, minutes for live. Without any n there is no score."""

    good: float = 0.0
    n: float = 0.0

    @property
    def percent(self) -> float | None:
        """0 to 100, or None where nothing was there to be judged."""
        return None if self.n <= 0 else 100.0 * min(max(self.good / self.n, 0.0), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The four scores of a source, a site, an area or a supplier. `series_days` carries the uncertainty."""

    key: str
    scores: Mapping[str, Score]
    series_days: float = 0.0

    @property
    def overall(self) -> float | None:
        """The mean of the four, of those that could be judged [percent]."""
        found = [one.percent for one in self.scores.values() if one.percent is not None]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A supplier in the league table: overall score with its 95 % interval [percent], and the ranks it may have."""

    scored: Scored
    low: float
    high: float
    best_rank: int
    worst_rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanQuality:
    """Everything about one span. `failing` holds FAILING_COLUMNS, worst first and bounded; `failed` counts all."""

    since: datetime
    until: datetime
    complete: bool  # False while days of the span have not been looked at since the start
    sources: Mapping[str, Scored]
    sites: Mapping[str, Scored]
    areas: Mapping[str, Scored]
    owners: Mapping[str, Scored]
    league: tuple[Place, ...]
    failing: pd.DataFrame
    failed: Mapping[tuple[str, str], int]  # (source, score) -> how many in truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A step of a series that coincides with something that happened to its data, not to the city."""

    observed_property: str
    site_id: str
    at: datetime  # the first value after the step
    cause: str  # one of CAUSES
    source: str  # whose repair or re-synchronisation it was; of a formula, the indicator
    before: float  # median before and after, in the unit of the property
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the line knows about the quality of its data; replaced as a whole."""

    made_at: datetime
    spans: Mapping[str, SpanQuality] = field(default_factory=dict)
    artefacts: tuple[Artefact, ...] = ()  # of the last 30 days, newest first

    def marks(self, observed_property: str, site_id: str) -> tuple[Artefact, ...]:
        """The steps of one series, newest first."""
        return tuple(
            one for one in self.artefacts if (one.observed_property, one.site_id) == (observed_property, site_id)
        )
