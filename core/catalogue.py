"""The catalogue: what is observed and what is computed, with unit, meaning and limits.

Observed properties come from data/catalogue/*.toml, indicators from the files in indicators/ (each carries its own
record). Units are UCUM codes; labels for people stand beside them. Fields after `../domain` catalogue schema 4.3.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path

from core.errors import ConfigError

DOMAINS = ("traffic", "environment", "weather", "services", "reports", "health", "education", "operations")
DIRECTIONS = ("lower", "higher", "neutral")  # which way is better
LEVELS = ("watch", "warning", "critical")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One limit of one level, with where it comes from and when it holds."""

    level: str  # watch | warning | critical
    value: float  # unit of the property
    basis: str = "ours"  # law | standard | ours
    reference: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    inclusive: bool = True  # False where the text says «must not exceed»: equality still complies

    def holds_on(self, day: date) -> bool:
        """True when the limit is in force on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)

    def crossed(self, value: float, direction: str) -> bool:
        """True when the value is on the bad side; direction `lower` means that lower is better."""
        if direction == "higher":
            return value <= self.value if self.inclusive else value < self.value
        return value >= self.value if self.inclusive else value > self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedProperty:
    """Something that a source reports. `low` and `high` bound what is physically plausible, in `unit`."""

    key: str
    domain: str
    name_vi: str
    name_en: str
    unit: str  # UCUM
    unit_vi: str = ""  # label on screens, e.g. «lần»
    unit_en: str = ""
    direction: str = "lower"
    period: timedelta = timedelta(minutes=5)  # how often a fresh value is due
    stale_after: timedelta = timedelta(minutes=15)  # past it a screen may not show the value as live
    low: float = float("-inf")
    high: float = float("inf")
    decimals: int = 0
    aggregation: str = "mean"  # how sites combine to an area: mean | sum | max | min | last
    rising: bool = False  # a counter that can only grow: a fall is a fault of the data
    baseline: bool = False  # keep a usual band (p10-p90 by hour of week) for it
    studied: bool = False  # compared with other domains where a city names nothing of its own (core/links_plan.py)

    def name(self, language: str) -> str:
        """Name for people in `vi` or `en`."""
        return self.name_en if language == "en" else self.name_vi

    def unit_label(self, language: str) -> str:
        """Unit for people in `vi` or `en`; empty for pure numbers."""
        return self.unit_en if language == "en" else self.unit_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator(ObservedProperty):
    """Something that this house computes: an observed property with its formula, needs and limits."""

    code: str  # e.g. «GT-01»
    formula: str
    reference: str  # law, standard or paper
    needs: tuple[str, ...]  # properties that compute() reads
    parts: tuple[str, ...] = ()  # one property: their sum over the units; two: 100 x sum of the first / of the second
    levels: bool = False  # the parts are levels (files pending now), averaged over time; else counts, added up
    window: timedelta  # how far back compute() must see before the first result
    thresholds: tuple[Threshold, ...] = ()
    companions: tuple[ObservedProperty, ...] = ()  # sample size, bounds: written beside the main value
    owner: str = ""
    deadband: float = 0.0
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    min_n: int = 0
    personal_data: bool = False
    public: bool = True
    first_screen: bool = False
    version: int = 1

    def level(self, value: float, day: date) -> str | None:
        """The worst level that the value reaches on that day, or None when it is normal."""
        worst: str | None = None
        for name in LEVELS:
            if any(t.crossed(value, self.direction) for t in self.thresholds if t.level == name and t.holds_on(day)):
                worst = name
        return worst


class Catalogue(Mapping[str, ObservedProperty]):
    """All properties and indicators by key. Raises ConfigError when a key appears twice or a need is unknown."""

    def __init__(self, items: Iterable[ObservedProperty]) -> None:
        self._items: dict[str, ObservedProperty] = {}
        for item in items:
            for one in (item, *(item.companions if isinstance(item, Indicator) else ())):
                if one.key in self._items:
                    raise ConfigError(f"catalogue: the key {one.key} is given twice")
                if one.domain not in DOMAINS:
                    raise ConfigError(f"catalogue: {one.key}: domain {one.domain} is not one of {', '.join(DOMAINS)}")
                if one.direction not in DIRECTIONS:
                    raise ConfigError(f"catalogue: {one.key}: direction {one.direction} is not one of {DIRECTIONS}")
                self._items[one.key] = one
        for indicator in self.indicators():
            unknown = [need for need in indicator.needs if need not in self._items]
            if unknown:
                raise ConfigError(f"catalogue: {indicator.key} needs {', '.join(unknown)}, which nobody provides")
            if len(indicator.parts) > 2 or not set(indicator.parts) <= set(self._items):
                raise ConfigError(f"catalogue: {indicator.key}: parts must name one or two known properties")

    def __getitem__(self, key: str) -> ObservedProperty:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def indicators(self) -> tuple[Indicator, ...]:
        """The computed ones, in the order of their codes."""
        found = [item for item in self._items.values() if isinstance(item, Indicator)]
        return tuple(sorted(found, key=lambda item: item.code))

    def indicator_of(self, key: str) -> Indicator | None:
        """The indicator that gives this property, itself or as a companion; None for what a source gives."""
        item = self._items.get(key)
        if item is None or isinstance(item, Indicator):
            return item
        return next((one for one in self.indicators() if any(part.key == key for part in one.companions)), None)


def load_properties(folder: Path = ROOT / "data" / "catalogue") -> tuple[ObservedProperty, ...]:
    """Observed properties from TOML files: one table per key; `period_min` and `stale_after_min` are minutes."""
    known = {item.name for item in fields(ObservedProperty)} | {"period_min", "stale_after_min"}
    found: list[ObservedProperty] = []
    for path in sorted(folder.glob("*.toml")):
        with path.open("rb") as stream:
            tables = tomllib.load(stream)
        for key, table in tables.items():
            wrong = set(table) - known
            if wrong:
                raise ConfigError(f"{path.name}: [{key}]: unknown key {', '.join(sorted(wrong))}")
            record = {"key": key, **table}
            for name in ("period", "stale_after"):
                if f"{name}_min" in record:
                    record[name] = timedelta(minutes=record.pop(f"{name}_min"))
            try:
                found.append(ObservedProperty(**record))
            except TypeError as error:
                raise ConfigError(f"{path.name}: [{key}]: {error}") from error
    if not found:
        raise ConfigError(f"catalogue: no property found in {folder}")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source protocol, as its connector describes it."""

    key: str
    name: str
    kind: str = "measurement"  # measurement | model | report | simulation
    homepage: str = ""
    licence: str = ""
    every: timedelta = timedelta(minutes=10)
    secret: str | None = None  # name of the secret, never its value; a source may name one of its own
    hosts: tuple[str, ...] = ()  # where it asks when the options name no address
    attribution: str = ""
    static: bool = False  # files that stay what they are: an unchanged one is not read again
    traps: tuple[str, ...] = field(default=())
