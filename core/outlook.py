"""What is expected of one indicator at one site in the next hours: a forecast with its interval and its record.

Made by control (analysis/forecast does the arithmetic), read by screens and reports. A forecast is only handed on
where rolling back-tests showed it to be better than the naive one (the same hour of the last like day).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A limit that may be crossed: when the middle does, and between when the 80 % interval may."""

    level: str  # watch | warning | critical
    limit: float  # unit of the indicator
    at: datetime | None  # the middle crosses; None where only the interval reaches the limit
    earliest: datetime  # the bad end of the 80 % interval crosses


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One forecast. The tuples belong together: END of each step in UTC, middle, and the 80 % interval."""

    observed_property: str
    site_id: str
    model: str  # key of the model that won the league table
    issued_at: datetime  # end of the last known step
    made_at: datetime  # when it was computed, by the city's clock
    times: tuple[datetime, ...]
    middle: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mae: float  # of back-tests, unit of the indicator
    naive_mae: float
    coverage_pct: float  # of the 80 % interval in back-tests
    tests: int  # origins of the back-tests
    crossing: Crossing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why so many series have no forecast."""

    why: str  # short | gaps | silent | broken | no_skill | still | failed
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasting:
    """How far the first turn of the forecasts is, or how the last whole one ended."""

    done: int
    of: int  # series of the turn; 0: none has begun
    ended_at: datetime | None  # None: the first turn still runs
    withheld: tuple[Withheld, ...] = ()  # of the last whole turn, the commonest reason first
