"""What every screen reads: one picture of the city, built once per cycle and shared by all viewers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from core.alert import PRIORITIES, Alert
from core.calendar import LEAST_DAYS, hour_class
from core.catalogue import Catalogue, ObservedProperty
from core.config import City, ConfiguredSource
from core.duty import Contact, DutyShift
from core.ledger import Handover, Item, Notice, Situation, StepDone, Switch
from core.outlook import Ahead
from core.quality import Quality

FRESH, LATE, OLD, ABSENT = "fresh", "late", "old", "absent"
ABSENT_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How one source is doing. Times are aware UTC; `error` is the source's own trouble in one sentence."""

    source: ConfiguredSource
    kind: str  # measurement | model | report | simulation
    up: bool | None  # None: not tried yet
    since: datetime | None  # since when it has been up or down
    error: str = ""
    error_kind: str = ""  # unavailable | refused | changed | input
    tried_at: datetime | None = None
    received_at: datetime | None = None  # last time that rows came
    newest_at: datetime | None = None  # newest observation time that it ever gave
    rows: int = 0  # rows of the last answer
    set_aside: int = 0  # bad rows of the last answer
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # columns of its files that nobody reads, and what to do about each
    attribution: str = ""
    licence: str = ""
    grade: str = ""  # of its connector: bronze | silver | gold | platinum; empty below bronze
    rules: tuple[tuple[str, str, str, str], ...] = ()  # of its grade: step, vi, en, and kept | lacking | exempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The newest usable value of one property at one site, and how far it may be believed."""

    site_id: str
    item: ObservedProperty
    time: datetime
    value: float
    source: str
    received_at: datetime
    age: timedelta
    freshness: str  # fresh | late | old | absent
    every: timedelta = timedelta(0)  # how often what it comes from reports, by which its freshness was judged

    @property
    def live(self) -> bool:
        """True while the value may be shown as the present and may count in verdicts, maxima and sums."""
        return self.freshness in (FRESH, LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """How often a series was corrected in the last seven days, and its newest correction. Times are aware UTC."""

    n: int
    at: datetime  # when the newest correction came
    time: datetime  # of the value that was corrected
    old: float | None  # in the unit of the property; None where nothing was known
    new: float | None  # as it stands now


ValueText = Callable[[float | None, str, str], str]


def no_figure(value: float | None, language: str, site_id: str = "") -> str:
    """The words of a rule that shows no figure."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """What a screen says about an alert rule, in both languages."""

    key: str
    title: Mapping[str, str]
    cause: Mapping[str, str]
    consequence: Mapping[str, str]
    action: Mapping[str, str]
    owner: Mapping[str, str]
    time_to_act: timedelta | None  # None only while the rule is off
    observed_property: str
    direction: str
    setpoints: Mapping[str, float | str]  # priority -> setpoint, or «site:attribute»
    missing: bool  # the rule rings for silence, its setpoint is minutes
    enabled: bool
    off_because: str
    domain: str = "operations"
    in_unit_of_property: bool = True  # False: value and setpoints are a change, a deviation or a count
    decimals: int = 0  # of what is judged and of its setpoints
    lows: Mapping[str, float] = field(default_factory=dict)  # priority -> lower end, where outside of a range is bad
    value_text: ValueText = no_figure  # what was judged as people read it: (value, language, site_id)
    condition: bool = False  # it holds or it does not: there is no figure to show
    against_usual: bool = False  # it judges how far a value lies from its usual, and is silent where there is none


class SeriesFrames(Mapping[tuple[str, str], pd.DataFrame]):
    """One frame seen as one piece per (observed_property, site_id); a piece is cut only when somebody asks for it.

    Hundreds of series in every cycle, of which a screen shows a few: cutting all of them was most of a cycle's work.
    """

    def __init__(self, rows: pd.DataFrame, columns: list[str], index: str | None = None) -> None:
        """`rows` holds observed_property, site_id and the columns; pieces keep the order of the rows."""
        ordered = rows.sort_values(["observed_property", "site_id"], kind="stable").reset_index(drop=True)
        keys = list(zip(ordered["observed_property"].tolist(), ordered["site_id"].tolist(), strict=True))
        starts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
        ends = [*starts[1:], len(keys)]
        self._pieces = {keys[start]: (start, end) for start, end in zip(starts, ends, strict=False) if start < end}
        self._rows = ordered[columns]
        self._index = index

    def __getitem__(self, key: tuple[str, str]) -> pd.DataFrame:
        start, end = self._pieces[key]
        piece = self._rows.iloc[start:end]
        return piece.set_index(self._index) if self._index else piece

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pieces)

    def __len__(self) -> int:
        return len(self._pieces)


class SeriesPart(Mapping[tuple[str, str], pd.DataFrame]):
    """Those pieces of a mapping of series whose site may be seen; nothing is cut before somebody asks for it."""

    def __init__(self, series: Mapping[tuple[str, str], pd.DataFrame], seen: Callable[[str], bool]) -> None:
        self._series = series
        self._keys = [key for key in series if seen(key[1])]
        self._known = frozenset(self._keys)

    def __getitem__(self, key: tuple[str, str]) -> pd.DataFrame:
        if key not in self._known:
            raise KeyError(key)
        return self._series[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The city at `made_at`. Frames are shared: nobody changes them."""

    number: int
    made_at: datetime
    city: City
    catalogue: Catalogue
    readings: Mapping[tuple[str, str], Reading]  # (observed_property, site_id)
    recent: Mapping[tuple[str, str], pd.DataFrame]  # last 24 h: time, value
    band: Mapping[tuple[str, str], pd.DataFrame]  # indexed by hour_of_week: low, middle, high, n
    alerts: tuple[Alert, ...]
    rules: Mapping[str, RuleWords]
    journal: pd.DataFrame  # last 24 h, newest first
    sources: tuple[SourceState, ...]
    geometry: Mapping[str, Any] | None
    speed: float = 1.0  # of the clock: above 1 while a scenario is played
    scenario: str = ""
    drill: bool = False  # a scripted exercise: DIỄN TẬP stands on every screen
    items: tuple[Item, ...] = ()  # the open alerts as things to do, worst first
    situations: Mapping[str, Situation] = field(default_factory=dict)  # those that are not closed
    steps: tuple[StepDone, ...] = ()  # playbook steps of present activations
    switches: Mapping[str, Switch] = field(default_factory=dict)
    handovers: tuple[Handover, ...] = ()  # newest first
    undelivered: tuple[Notice, ...] = ()  # messages that did not, or may not have, reached their reader
    duty: DutyShift | None = None  # None where the city has no roster
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    quality: Quality | None = None  # None until it was measured the first time
    outlook: tuple[Ahead, ...] = ()  # forecasts that beat the naive ones, the first screen's first
    revised: Mapping[tuple[str, str], Revised] = field(default_factory=dict)  # (observed_property, site_id)
    too_short: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)  # indexed by hour_of_week: days

    def reading(self, observed_property: str, site_id: str) -> Reading | None:
        """Newest usable value, or None when there never was one."""
        return self.readings.get((observed_property, site_id))

    def of(self, observed_property: str) -> list[Reading]:
        """All sites' readings of one property, in the order of their ids."""
        return [self.readings[key] for key in sorted(self.readings) if key[0] == observed_property]

    def open_alerts(self) -> list[Alert]:
        """Alerts that want a person, worst first: not normal and not covered; unacknowledged first, newest first."""
        shown = [alert for alert in self.alerts if alert.truth != "NORM" and alert.hidden is None]
        return sorted(shown, key=_urgency)

    def covered_alerts(self) -> list[Alert]:
        """Shelved and otherwise covered alerts."""
        return [alert for alert in self.alerts if alert.hidden is not None]

    def worst_priority(self, site_id: str, observed_property: str) -> str | None:
        """Priority of the worst active alert on that property and site."""
        found = [
            alert.priority
            for alert in self.alerts
            if alert.site_id == site_id
            and alert.active
            and alert.hidden is None
            and alert.rule in self.rules
            and self.rules[alert.rule].observed_property == observed_property
        ]
        return max(found, key=PRIORITIES.index, default=None)

    def usual(self, observed_property: str, site_id: str, at: datetime) -> tuple[float, float, float] | None:
        """p10, p50, p90 of that hour of the week (holidays apart), or None where history is too short."""
        band = self.band.get((observed_property, site_id))
        hour = hour_class(at, self.city.zone)
        if band is None or hour not in band.index:
            return None
        low, middle, high = band.loc[[hour], ["low", "middle", "high"]].to_numpy(dtype=float)[0].tolist()
        return low, middle, high

    def days_short(self, observed_property: str, site_id: str, at: datetime) -> int | None:
        """How many days are known of that hour class, where a usual is kept but they are too few; None elsewhere.

        Counted when the band was made last, at most a day ago: 0 … LEAST_DAYS - 1.
        """
        item = self.catalogue.get(observed_property)
        if item is None or not item.baseline or self.usual(observed_property, site_id, at) is not None:
            return None
        hour, counted = hour_class(at, self.city.zone), self.too_short.get((observed_property, site_id))
        known = 0 if counted is None or hour not in counted.index else int(counted.loc[[hour], "days"].iloc[0])
        return min(known, LEAST_DAYS - 1)


def _urgency(alert: Alert) -> tuple[int, bool, float]:
    newest = alert.raised_at.timestamp() if alert.raised_at else 0.0
    return (-PRIORITIES.index(alert.priority), alert.acked, -newest)


def freshness(age: timedelta, item: ObservedProperty, every: timedelta = timedelta(0)) -> str:
    """fresh up to one period (and a half, for the way), late up to stale_after, old past it, absent past a day.

    `every` is how often the source reports: an hourly model's rain is not silent after the half hour of a gauge.
    """
    fresh, late, old = freshness_edges(item, every)
    if age > old:
        return ABSENT
    if age > late:
        return OLD
    return LATE if age > fresh else FRESH


def freshness_edges(item: ObservedProperty, every: timedelta = timedelta(0)) -> tuple[timedelta, timedelta, timedelta]:
    """Up to which age a value is fresh, late and old."""
    stale_after = max(item.stale_after, 2.5 * every)
    return 1.5 * max(item.period, every), stale_after, max(ABSENT_AFTER, 2 * stale_after)
