"""Alert rules: config/<city>/alerts/*.toml, one file = one rule, checked when loaded.

A rule without cause, consequence, action, time to act and owner loads switched off and says so (ISA-18.2
rationalisation: an alert that needs no action is no alert). Everything else that is wrong is a ConfigError.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from core.alert import PRIORITIES
from core.catalogue import ObservedProperty
from core.config import read_toml, shown_path, take
from core.errors import ConfigError

KINDS = ("process", "missing")
DIRECTIONS = ("above", "below")
TEXTS = ("cause", "consequence", "action", "owner")  # with time_to_act_min: what every alert must tell the shift
SITE_PREFIX = "site:"  # setpoint = "site:alarm_1_m" reads the site's own attribute
SOURCE_PROPERTIES = ("source_up", "source_age")  # their site_id is the key of a source, not a site
CLEAR_DECIMALS = 9  # 4.3 - 0.05 is meant as 4.25, not as 4.249999…
COMMON_KEYS = frozenset(
    {"kind", "title_vi", "title_en", "observed_property", "sites", "kinds", "priority", "stale_after_min", "enabled"}
    | {"time_to_act_min", *TEXTS, *(f"{name}_en" for name in TEXTS)}
)
PROCESS_KEYS = frozenset({"direction", "inclusive", "setpoint", "level", "deadband", "on_delay_min", "off_delay_min"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of a rule as written: a number in the property's unit, or `site:<attribute>`."""

    priority: str
    setpoint: float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One step as judged at a site: the value where it begins and the value where it is given up (deadband)."""

    priority: str
    on_at: float
    off_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule, ready to judge. Levels run from mild to severe; delays are spans of observation time.

    `only_sites` is None where every site that reports the property is judged. `limits` holds for all sites, or
    `site_limits` for each one where a setpoint is an attribute of the site. For kind `missing` the setpoint of the
    one level is the silence in minutes.
    """

    key: str
    kind: str
    title_vi: str
    title_en: str
    observed_property: str
    direction: str
    inclusive: bool
    levels: tuple[Level, ...]
    limits: tuple[Limit, ...]
    site_limits: Mapping[str, tuple[Limit, ...]] | None
    only_sites: frozenset[str] | None
    deadband: float
    on_delay: timedelta
    off_delay: timedelta
    stale_after: timedelta | None
    time_to_act: timedelta | None
    texts: Mapping[str, str] = field(default_factory=dict)
    off_because: str = ""

    @property
    def on(self) -> bool:
        """True when the rule judges."""
        return not self.off_because

    def title(self, language: str) -> str:
        """Name for people in `vi` or `en`."""
        return self.title_en if language == "en" else self.title_vi

    def text(self, name: str, language: str) -> str:
        """cause, consequence, action or owner in `vi` or `en` (vi where nobody translated it)."""
        vietnamese = self.texts.get(name, "")
        return self.texts.get(f"{name}_en", vietnamese) if language == "en" else vietnamese

    def limits_at(self, site_id: str) -> tuple[Limit, ...]:
        """Limits that hold at a site, mild to severe; empty where the rule does not judge the site."""
        if self.only_sites is not None and site_id not in self.only_sites:
            return ()
        return self.limits if self.site_limits is None else self.site_limits.get(site_id, ())

    def reaches(self, value: float, bound: float) -> bool:
        """True when the value is on the bad side of the bound; equality is bad unless `inclusive` is false."""
        if self.direction == "above":
            return value >= bound if self.inclusive else value > bound
        return value <= bound if self.inclusive else value < bound


def load_rules(
    folder: Path, catalogue: Mapping[str, ObservedProperty] | None, sites: pd.DataFrame | None
) -> tuple[Rule, ...]:
    """All rules of a folder, by key. `sites` is indexed by site_id and has the columns kind and the attributes.

    Without a catalogue properties are not checked and nothing goes stale by default; without sites a rule that
    needs them loads switched off. Raises ConfigError with file, key and remedy.
    """
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not paths:
        raise ConfigError(f"{folder.name}: no alert rule (*.toml) there; copy one from config/demo/alerts")
    return tuple(_rule(path, catalogue, sites) for path in paths)


def _rule(path: Path, catalogue: Mapping[str, ObservedProperty] | None, sites: pd.DataFrame | None) -> Rule:
    where = shown_path(path)
    if not path.stem.isidentifier() or path.stem != path.stem.lower():
        raise ConfigError(f"{where}: the file name is the rule's key; use small letters, digits and _ only")
    table = read_toml(path)
    kind = _one_of(table, "kind", KINDS, where, "process")
    _refuse_unknown(table, COMMON_KEYS | (PROCESS_KEYS if kind == "process" else frozenset()), where)
    observed_property = take(table, "observed_property", str, where)
    if catalogue is not None and observed_property not in catalogue:
        raise ConfigError(f"{where}: observed_property {observed_property!r} is not in the catalogue")
    default = None if catalogue is None else catalogue[observed_property].stale_after
    stale_after = _minutes(table, "stale_after_min", where, default)
    if stale_after is not None and not stale_after:
        raise ConfigError(f"{where}: stale_after_min must be more than 0")
    direction = _one_of(table, "direction", DIRECTIONS, where) if kind == "process" else "above"
    levels = _levels(table, kind, direction, stale_after, where)
    only_sites = _only_sites(table, observed_property, sites, where)
    deadband = _number(table, "deadband", where, 0.0)
    attributes = [level.setpoint for level in levels if isinstance(level.setpoint, str)]
    site_limits = None
    if attributes and sites is not None:
        site_limits = _site_limits(levels, direction, deadband, sites, only_sites, "sites" in table, where)
    return Rule(
        key=path.stem,
        kind=kind,
        title_vi=_text(table, "title_vi", where),
        title_en=_text(table, "title_en", where),
        observed_property=observed_property,
        direction=direction,
        inclusive=take(table, "inclusive", bool, where, True),
        levels=levels,
        limits=() if attributes else _limits(levels, direction, deadband, where),
        site_limits=site_limits,
        only_sites=only_sites,
        deadband=deadband,
        on_delay=_minutes(table, "on_delay_min", where, timedelta(0)) or timedelta(0),
        off_delay=_minutes(table, "off_delay_min", where, timedelta(0)) or timedelta(0),
        stale_after=stale_after,
        time_to_act=_time_to_act(table, where),
        texts={name: _text(table, name, where) for name in _text_keys() if name in table},
        off_because=_off_because(table, sites is None and bool(attributes or "kinds" in table), where),
    )


def _text_keys() -> tuple[str, ...]:
    return (*TEXTS, *(f"{name}_en" for name in TEXTS))


def _off_because(table: Mapping[str, Any], lacks_sites: bool, where: str) -> str:
    """Why the rule may not judge; empty when it may."""
    reasons = []
    if not take(table, "enabled", bool, where, True):
        reasons.append("enabled = false")
    lacking = [name for name in TEXTS if not str(table.get(name, "")).strip()]
    lacking += [] if "time_to_act_min" in table else ["time_to_act_min"]
    if lacking:
        reasons.append(f"it does not say {', '.join(lacking)}")
    if lacks_sites:
        reasons.append("it needs the sites of a city")
    return "; ".join(reasons)


def _levels(
    table: Mapping[str, Any], kind: str, direction: str, stale_after: timedelta | None, where: str
) -> tuple[Level, ...]:
    """The steps of a rule, mild to severe, with priorities that strictly rise."""
    if kind == "missing":
        if stale_after is None:
            raise ConfigError(f"{where}: the key stale_after_min is missing: how long may the series be silent?")
        minutes = stale_after / timedelta(minutes=1)
        return (Level(priority=_one_of(table, "priority", PRIORITIES, where), setpoint=minutes),)
    if ("level" in table) == ("setpoint" in table):
        raise ConfigError(f"{where}: give either setpoint and priority, or [[level]] tables with setpoint and priority")
    if "level" in table and "priority" in table:
        raise ConfigError(f"{where}: priority belongs into the [[level]] tables")
    tables = take(table, "level", list, where, [table])
    levels = []
    for number, entry in enumerate(tables, start=1):
        place = f"{where}: [[level]] number {number}" if "level" in table else where
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{place}: level must be written as [[level]] tables")
        if "level" in table:
            _refuse_unknown(entry, frozenset({"setpoint", "priority"}), place)
        levels.append(Level(priority=_one_of(entry, "priority", PRIORITIES, place), setpoint=_setpoint(entry, place)))
    ranks = [PRIORITIES.index(level.priority) for level in levels]
    if not levels or ranks != sorted(set(ranks)):
        raise ConfigError(f"{where}: priority of the [[level]] tables must rise from one to the next: {PRIORITIES}")
    return tuple(levels)


def _limits(levels: tuple[Level, ...], direction: str, deadband: float, where: str) -> tuple[Limit, ...]:
    """Limits of levels that are all numbers. A clear value must not lie beyond the next milder setpoint."""
    towards_normal = -1.0 if direction == "above" else 1.0
    found: list[Limit] = []
    for level in levels:
        on_at = float(level.setpoint)
        off_at = round(on_at + towards_normal * deadband, CLEAR_DECIMALS)
        if found and (on_at - found[-1].on_at) * towards_normal >= 0:
            raise ConfigError(
                f"{where}: setpoint {on_at:g} ({level.priority}) is not beyond {found[-1].on_at:g} "
                f"({found[-1].priority}); with direction {direction} levels go from mild to severe"
            )
        if found and (off_at - found[-1].on_at) * towards_normal >= 0:
            raise ConfigError(
                f"{where}: deadband {deadband:g} lets {level.priority} clear at {off_at:g}, which is not beyond the "
                f"setpoint {found[-1].on_at:g} of {found[-1].priority}; make it smaller"
            )
        found.append(Limit(priority=level.priority, on_at=on_at, off_at=off_at))
    return tuple(found)


def _site_limits(
    levels: tuple[Level, ...],
    direction: str,
    deadband: float,
    sites: pd.DataFrame,
    only_sites: frozenset[str] | None,
    named: bool,
    where: str,
) -> dict[str, tuple[Limit, ...]]:
    """Limits per site. A site without the attribute has no such level; a site that the rule names must have it."""
    for level in levels:
        if isinstance(level.setpoint, str) and level.setpoint.removeprefix(SITE_PREFIX) not in sites.columns:
            raise ConfigError(f"{where}: setpoint {level.setpoint!r}: no site in sites.toml has that attribute")
    found = {}
    for site_id in sites.index if only_sites is None else sorted(only_sites):
        known = []
        for level in levels:
            value: Any = level.setpoint
            if isinstance(value, str):
                value = sites.at[site_id, value.removeprefix(SITE_PREFIX)]
                if isinstance(value, bool) or not isinstance(value, Real):
                    raise ConfigError(f"{where}: setpoint {level.setpoint!r}: site {site_id} has {value!r}, no number")
                if not math.isfinite(value):
                    if named:
                        raise ConfigError(f"{where}: setpoint {level.setpoint!r}: site {site_id} does not have it")
                    continue
            known.append(Level(priority=level.priority, setpoint=float(value)))
        if known:
            found[str(site_id)] = _limits(tuple(known), direction, deadband, f"{where}: site {site_id}")
    return found


def _only_sites(
    table: Mapping[str, Any], observed_property: str, sites: pd.DataFrame | None, where: str
) -> frozenset[str] | None:
    """Sites that the rule judges, or None for all that report."""
    if "sites" in table and "kinds" in table:
        raise ConfigError(f"{where}: give sites or kinds, not both")
    if "sites" in table:
        named = _texts(table, "sites", where)
        if sites is not None and observed_property not in SOURCE_PROPERTIES:
            _all_known(named, sites.index, "sites", where)
        return frozenset(named)
    if "kinds" in table:
        kinds = _texts(table, "kinds", where)
        if sites is None:
            return frozenset()
        _all_known(kinds, set(sites["kind"]), "kinds", where)
        return frozenset(str(site_id) for site_id in sites.index[sites["kind"].isin(kinds)])
    return None


def _all_known(named: list[str], known: Collection[str], key: str, where: str) -> None:
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise ConfigError(f"{where}: {key}: {unknown[0]!r} does not occur in sites.toml")


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    values = take(table, key, list, where)
    if not values or not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{where}: {key} must be a list of texts with at least one entry")
    return list(values)


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    text = str(take(table, key, str, where)).strip()
    if not text and key.startswith("title"):
        raise ConfigError(f"{where}: {key} is empty")
    return text


def _one_of(table: Mapping[str, Any], key: str, words: tuple[str, ...], where: str, default: Any = ...) -> str:
    word = str(take(table, key, str, where, default))
    if word not in words:
        raise ConfigError(f"{where}: {key} {word!r} is not one of {', '.join(words)}")
    return word


def _setpoint(table: Mapping[str, Any], where: str) -> float | str:
    value = take(table, "setpoint", (int, float, str), where)
    if isinstance(value, str):
        if not value.startswith(SITE_PREFIX) or not value.removeprefix(SITE_PREFIX):
            raise ConfigError(f'{where}: setpoint {value!r} must be a number or "site:<attribute>"')
        return value
    if not math.isfinite(value):
        raise ConfigError(f"{where}: setpoint must be a finite number, not {value!r}")
    return float(value)


def _number(table: Mapping[str, Any], key: str, where: str, default: float) -> float:
    value = float(take(table, key, (int, float), where, default))
    if not math.isfinite(value) or value < 0:
        raise ConfigError(f"{where}: {key} must be 0 or more, not {value:g}")
    return value


def _minutes(table: Mapping[str, Any], key: str, where: str, default: timedelta | None) -> timedelta | None:
    return timedelta(minutes=_number(table, key, where, 0.0)) if key in table else default


def _time_to_act(table: Mapping[str, Any], where: str) -> timedelta | None:
    span = _minutes(table, "time_to_act_min", where, None)
    if span is not None and not span:
        raise ConfigError(f"{where}: time_to_act_min must be more than 0")
    return span


def _refuse_unknown(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}")
