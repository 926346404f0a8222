"""The leader's brief as facts: what one page, one PDF, one DOCX, one workbook and one archive file all say alike.

Numbers without words: the sentences are made from them by rule (analysis/brief.py), so every shape says the same in
both languages. The JSON of the facts is what the archive keeps; a later programme reads it by its version.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from core.errors import InputError
from core.outlook import Forecasting

VERSION = 1
DAY, WEEK, MONTH = PERIODS = ("day", "week", "month")
MOST_SCORE = 10.0  # beyond it «more than ten times» says enough


@dataclass(frozen=True, slots=True)
class Said:
    """A name or a text in both languages."""

    vi: str
    en: str

    def text(self, language: str) -> str:
        """The words in `vi` or `en`."""
        return self.en if language == "en" else self.vi


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line; `at` is the END of its hour or day, aware UTC."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One indicator of the period at the place where it was farthest from its usual. Values in `unit`."""

    key: str
    domain: str
    name: Said
    unit: Said
    decimals: int
    direction: str  # which way is better: lower | higher | neutral
    site_id: str
    place: Said
    area: str  # code of the area of the place; empty for the whole city
    at: datetime  # END of the hour farthest from its usual
    value: float  # mean of that hour
    low: float | None  # p10, p50, p90 of that hour of the week; None: history too short
    middle: float | None
    high: float | None
    score: float | None  # signed multiples of the half width of the usual band, at most MOST_SCORE
    hours_out: int  # hours of the period outside of the band, of
    hours: int  # hours that had a value and a band
    places: int  # sites that were looked at
    places_out: int  # of these outside of the band at some hour
    latest: float | None = None  # the newest value of the period, and when
    latest_at: datetime | None = None
    live: bool = True  # False: too old at the end of the period to be called the present
    mean: float | None = None  # of the period at that place, and how many values
    mean_n: int = 0
    before: float | None = None  # of the period before it, of the same length
    before_n: int = 0
    sample: int | None = None  # answers or files behind a share, where the indicator has a sample
    sample_low: float | None = None  # its 95 % interval
    sample_high: float | None = None
    source: Said = Said("", "")
    kind: str = ""  # measurement | model | report | simulation | computed
    priority: str = ""  # worst alert on it in the period
    trail: tuple[Point, ...] = ()  # hours of a day, days of a week or month

    @property
    def outside(self) -> bool:
        """True where the hour farthest from its usual lies outside of the band."""
        return self.score is not None and abs(self.score) > 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One alert of a chain."""

    at: datetime
    title: Said
    place: Said
    value: Said
    priority: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Alerts that met in place and time, in the order in which they began. Order is no proof of a cause."""

    id: str  # of the situation; empty for a single alert
    priority: str
    opened_at: datetime
    closed_at: datetime | None
    lead: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What waits for a decision or deed of a named unit."""

    kind: str  # task | decision | pilot | target | alert
    key: str
    text: Said
    detail: Said
    owner: str
    due_at: datetime | None  # a moment, or
    due: date | None  # a local day
    overdue: bool
    page: str
    priority: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One forecast of the next hours with its 80 % interval and its record of back-tests."""

    key: str
    name: Said
    place: Said
    area: str
    unit: Said
    decimals: int
    model: str
    issued_at: datetime
    middle: tuple[Point, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    mae: float
    naive_mae: float
    coverage_pct: float
    tests: int
    past: tuple[Point, ...] = ()
    level: str = ""  # of the limit that may be crossed
    limit: float | None = None
    crosses_at: datetime | None = None
    earliest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One pilot in one line."""

    key: str
    title: Said
    indicator: Said
    state: str  # planned | running | finished
    verdict: str  # scale | extend | stop | cannot_tell; empty before its end
    lock: str
    effect: float | None  # in `unit`, with its 95 % interval (None: open)
    low: float | None
    high: float | None
    unit: Said
    decimals: int
    treated: int
    controls: int
    periods_before: int
    periods_after: int
    ends: date
    owner: Said
    source: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A source that does not answer."""

    name: Said
    kind: str  # unavailable | refused | changed | input
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLine:
    """One score of the data, over all sources: percent of n values (of minutes for `live`)."""

    key: str  # correct | complete | clean | live
    percent: float
    n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far the figures may be believed. The state of sources is known for the present alone: None for the past."""

    up: int | None
    sources: int
    silent: tuple[Silent, ...]
    scores: tuple[QualityLine, ...]
    shown: int  # figures with a value that may count, of
    figures: int  # the figures of the first screen
    hidden: tuple[Said, ...]  # those not shown, by name
    frozen: int  # alerts whose state is kept because their data are late
    loaded_at: datetime | None = None  # set where the period's rows came into the store only after its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The alerts of the period. The median is of those acknowledged, in minutes."""

    raised: int
    ended: int
    open: int
    unacked: int
    ack_median_min: float | None
    ack_n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something planned that the next days bring."""

    day: date
    text: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything one brief says."""

    version: int
    period: str  # day | week | month
    first: date
    last: date
    until: datetime  # as of this moment: the end of the period, or now while it runs
    made_at: datetime
    running: bool  # the period has not ended
    late: bool  # made long after its time, because the server was down
    city_key: str
    city: Said
    centre: Said
    zone: str
    simulated: bool
    drill: bool
    areas: tuple[str, ...] | None  # codes that the figures are limited to; None: the whole city
    figures: tuple[Figure, ...]  # the farthest from its usual first
    chains: tuple[Chain, ...]
    asks: tuple[Ask, ...]
    outlooks: tuple[Outlook, ...]
    events: tuple[Event, ...]
    trials: tuple[Trial, ...]
    trust: Trust
    counts: Counts
    forecasting: Forecasting | None = None  # why there is no outlook; None: nobody could tell

    @property
    def tz(self) -> ZoneInfo:
        """The city's zone."""
        return ZoneInfo(self.zone)


def span(period: str, day: date, zone: ZoneInfo) -> tuple[date, date, datetime, datetime]:
    """First and last local day of the day, ISO week or month that holds `day`, and its bounds as aware UTC.

    Raises InputError for another period.
    """
    if period == DAY:
        first = last = day
    elif period == WEEK:
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=6)
    elif period == MONTH:
        first = day.replace(day=1)
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    else:
        raise InputError(f"{period!r} is no period: day, week or month")
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    return first, last, start, datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)


def dumps(facts: Facts) -> str:
    """The facts as JSON: times in ISO 8601 with zone, the same text for the same facts."""
    return json.dumps(_plain(facts), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"


def loads(text: str) -> Facts:
    """Facts from their JSON. Raises InputError where the text is none, or of another version."""
    try:
        table = json.loads(text)
        if not isinstance(table, dict) or table.get("version") != VERSION:
            raise InputError(f"this is no brief of version {VERSION}")
        return _built(Facts, table)  # type: ignore[no-any-return]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"this is no brief: {error}") from error


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _built(kind: Any, value: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        if value is None:
            return None
        return _built(next(one for one in get_args(kind) if one is not type(None)), value)
    if get_origin(kind) is tuple:
        return tuple(_built(get_args(kind)[0], one) for one in value)
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise TypeError(f"{value!r} is no table")
        hints = get_type_hints(kind)
        given = {
            one.name: _built(hints[one.name], value[one.name])
            for one in fields(kind)
            if one.name in value or one.default is MISSING
        }
        return kind(**given)  # type: ignore[operator]
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is float:
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
