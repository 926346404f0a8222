"""Alert rules: config/<city>/alerts/*.toml, one file = one rule, checked when loaded.

A rule without cause, consequence, action, time to act and owner loads switched off and says so (ISA-18.2
rationalisation: an alert that needs no action is no alert). Everything else that is wrong is a ConfigError.
Every kind derives a series (alerts/series.py) that one and the same life judges: docs/alerts.md, «A rule file».
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from numbers import Real
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from alerts.expression import Expression, near, parse
from core.alert import PRIORITIES
from core.calendar import VIETNAM
from core.catalogue import DOMAINS, ObservedProperty
from core.errors import ConfigError, InputError
from core.formats import number, quantity
from core.scales import scales
from core.toml_files import read_toml, shown_path, take

KINDS = ("threshold", "rate", "deviation", "missing", "expression", "count", "scale")
DIRECTIONS = ("above", "below", "outside")
SCOPES = ("site", "area", "city")
COUNTED = ("values", "events")
TEXTS = ("cause", "consequence", "action", "owner")  # with time_to_act_min: what every alert must tell the shift
SITE_PREFIX = "site:"  # setpoint = "site:alarm_1_m" reads the site's own attribute
# Their site_id is the key of a source or of a wall screen, not a site.
HOUSE_PROPERTIES = ("source_up", "source_age", "screen_silence")
HOUSE_DOMAIN = "operations"  # silence and source troubles concern the house, whatever was being measured
CLEAR_DECIMALS = 9  # 4.3 - 0.05 is meant as 4.25, not as 4.249999…
ACK_EXPIRES_MIN = 30.0
LEAST_N = 4
CHANGEABLE = ("deadband", "on_delay_min", "off_delay_min")
COMMON_KEYS = frozenset(
    {"kind", "title_vi", "title_en", "observed_property", "domain", "sites", "kinds", "priority", "stale_after_min"}
    | {"enabled", "ack_expires_min", "realarm_min", "consequence_of", "suppress_when", "suppress_scope"}
    | {"time_to_act_min", *TEXTS, *(f"{name}_en" for name in TEXTS)}
)
JUDGED_KEYS = frozenset({"setpoint", "level", "deadband", "on_delay_min", "off_delay_min", "latching"})
KIND_KEYS: Mapping[str, frozenset[str]] = {
    "threshold": JUDGED_KEYS | {"direction", "inclusive"},
    "rate": JUDGED_KEYS | {"direction", "inclusive", "over_min"},
    "deviation": JUDGED_KEYS | {"direction", "inclusive", "least_spread", "least_n"},
    "missing": frozenset(),
    "expression": JUDGED_KEYS | {"direction", "inclusive", "expression", "scope", "unit_vi", "unit_en"},
    "count": JUDGED_KEYS | {"window_min", "at_least", "at_most", "counts"},
    "scale": (JUDGED_KEYS - {"setpoint"}) | {"scale", "class"},
}

Bound = float | tuple[float, float]  # (low, high): outside of it is bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of a rule as written: a number in the unit of what is judged, or `site:<attribute>`.

    `low` is the other end of the range where the rule judges what lies outside; `named` the class of a legal scale.
    """

    priority: str
    setpoint: float | str
    low: float | None = None
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One step as judged at a site: where it begins and where it is given up (deadband)."""

    priority: str
    on_at: Bound
    off_at: Bound


@dataclass(frozen=True)
class Ground:
    """Which sites belong together: the area of each, and the site that stands for the whole city."""

    area_of: Mapping[str, str] = field(default_factory=dict)
    city_site: str = ""

    @classmethod
    def of(cls, sites: pd.DataFrame | None) -> Ground:
        """From the sites of a city (index site_id; columns kind and, where known, area)."""
        if sites is None:
            return cls()
        areas = sites["area"].tolist() if "area" in sites else [""] * len(sites)
        city = sites.index[sites["kind"] == "city"].tolist()
        return cls(dict(zip(sites.index.tolist(), areas, strict=True)), str(city[0]) if city else "")

    def within(self, site_id: str, scope: str, candidates: Iterable[str]) -> list[str]:
        """Those of the candidates that lie in the scope around a site; never the site of the whole city in it."""
        if scope == "city":
            return [one for one in candidates if one != self.city_site]
        area = self.area_of.get(site_id, "")
        if scope == "area" and area:
            return [one for one in candidates if self.area_of.get(one) == area]
        return [one for one in candidates if one == site_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule, ready to judge. Levels run from mild to severe; delays are spans of observation time.

    `only_sites` is None where every site that reports the property is judged. `limits` holds for all sites, or
    `site_limits` for each one where a setpoint is an attribute of the site. For kind `missing` the setpoint of the
    one level is the silence in minutes. Setpoints are in the unit of what is judged: `unit_of_value`.
    """

    key: str
    kind: str
    title_vi: str
    title_en: str
    observed_property: str  # of an expression: what the desk shows beside it
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
    domain: str = HOUSE_DOMAIN  # one of core.catalogue.DOMAINS
    latching: bool = False
    realarm_after: timedelta | None = None
    ack_expires_after: timedelta | None = timedelta(minutes=ACK_EXPIRES_MIN)
    consequence_of: tuple[str, ...] = ()  # keys of the rules that are its causes
    suppress_when: Expression | None = None
    suppress_scope: str = "site"
    expression: Expression | None = None
    scope: str = "site"
    stale_by_property: Mapping[str, timedelta] = field(default_factory=dict)  # of what the expressions read
    over: timedelta = timedelta(0)  # rate: the change is measured over so long
    window: timedelta = timedelta(0)  # count: within so long
    counts: str = "values"  # count: how many values reach `counted_from`, or the sum of events
    counted_from: float | None = None
    counted_below: bool = False  # count values at or below `counted_from`, not at or above
    least_spread: float = 0.0  # deviation: a sigma below it counts as this much [unit of the property]
    least_n: int = LEAST_N
    scale: str = ""
    cycle: timedelta | None = None  # how often a value is due
    unit_vi: str = ""
    unit_en: str = ""
    decimals: int = 0
    ground: Ground = field(default_factory=Ground)
    zone: ZoneInfo = VIETNAM

    @property
    def on(self) -> bool:
        """True when the rule judges."""
        return not self.off_because

    @property
    def in_unit_of_property(self) -> bool:
        """True where setpoints can be drawn into the trend of the property."""
        return self.kind in ("threshold", "scale")

    @property
    def properties(self) -> tuple[str, ...]:
        """Everything that it reads, also for being suppressed."""
        read = [self.observed_property]
        for expression in (self.expression, self.suppress_when):
            read += expression.properties if expression else ()
        return tuple(dict.fromkeys(read))

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Rules that must be judged before this one."""
        expressions = [one for one in (self.expression, self.suppress_when) if one]
        return tuple(dict.fromkeys(rule for one in expressions for rule in one.rules))

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

    def reaches(self, value: float, bound: Bound) -> bool:
        """True when the value is on the bad side of the bound; equality is bad unless `inclusive` is false."""
        if isinstance(bound, tuple):
            low, high = bound
            return value >= high or value <= low if self.inclusive else value > high or value < low
        if self.direction == "above":
            return value >= bound if self.inclusive else value > bound
        return value <= bound if self.inclusive else value < bound

    def unit_of_value(self, language: str) -> str:
        """Unit of what is judged, for people: «m», «m/giờ», «σ so với thường lệ», «lần trong 60 phút»."""
        english = language == "en"
        unit = self.unit_en if english else self.unit_vi
        match self.kind:
            case "rate":
                return f"{unit}/{'h' if english else 'giờ'}"
            case "deviation":
                return "σ from the usual" if english else "σ so với thường lệ"
            case "count":
                minutes = f"{self.window / timedelta(minutes=1):g}"
                counted = unit if self.counts == "events" and unit else "times" if english else "lần"
                return f"{counted} in {minutes} min" if english else f"{counted} trong {minutes} phút"
            case "missing":
                return "min" if english else "phút"
        return unit

    @property
    def value_decimals(self) -> int:
        """Decimals of what is judged: a count has none, a rate and a deviation at least one."""
        match self.kind:
            case "count":
                return 0
            case "deviation":
                return 1
            case "rate":
                return max(self.decimals, 1)
        return self.decimals

    def value_text(self, value: float | None, language: str, site_id: str = "") -> str:
        """What was judged as people read it: «+4,2σ so với thường lệ», «163 (Xấu)». Empty where there is no figure."""
        if value is None or self.kind == "missing" or (self.expression is not None and self.expression.condition):
            return ""
        unit = self.unit_of_value(language)
        match self.kind:
            case "rate":
                return f"{number(value, self.value_decimals, language, signed=True)} {unit}"
            case "deviation":
                return number(value, self.value_decimals, language, signed=True) + unit
            case "count":
                return f"{number(value, self.value_decimals, language)} {unit}"
            case "scale":
                reached = [limit for limit in self.limits_at(site_id) if self.reaches(value, limit.on_at)]
                named = {level.priority: level.named for level in self.levels}
                one = scales()[self.scale].of(named[reached[-1].priority]) if reached else None
                figure = quantity(value, self.decimals, unit, language)
                return f"{figure} ({one.name(language)})" if one else figure
        return quantity(value, self.decimals, unit, language)


def load_rules(
    folder: Path,
    catalogue: Mapping[str, ObservedProperty] | None,
    sites: pd.DataFrame | None,
    zone: ZoneInfo = VIETNAM,
) -> tuple[Rule, ...]:
    """All rules of a folder, by key. `sites` is indexed by site_id and has the columns kind and the attributes.

    Without a catalogue properties are not checked and nothing goes stale by default; without sites a rule that
    needs them loads switched off. `zone` is the city's, for the hours of the week. Raises ConfigError with file, key
    and remedy.
    """
    paths = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not paths:
        raise ConfigError(f"{folder.name}: no alert rule (*.toml) there; copy one from config/demo/alerts")
    ground = Ground.of(sites)
    rules = tuple(_rule(path, catalogue, sites, ground, zone) for path in paths)
    _check_references(rules, {path.stem: shown_path(path) for path in paths})
    return rules


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """Rules that others ask about by alert() before those that ask. Raises ConfigError when they ask in a circle."""
    if not any(rule.waits_for for rule in rules):
        return list(rules)
    by_key = {rule.key: rule for rule in rules}
    sorter = TopologicalSorter({rule.key: [key for key in rule.waits_for if key in by_key] for rule in rules})
    try:
        return [by_key[key] for key in sorter.static_order()]
    except CycleError as error:
        raise ConfigError(f"alert() asks in a circle: {' -> '.join(error.args[1])}; break it at one rule") from error


def altered(rule: Rule, changes: Mapping[str, float]) -> Rule:
    """The rule with other figures, for trying: deadband, on_delay_min, off_delay_min [minutes], setpoint:<priority>,
    and stale_after_min of a rule about silence.

    Raises InputError for another key or figures that a rule file could not hold either. A setpoint that is an
    attribute of the site, the class of a law or one end of a range is not changed here.
    """
    numbers: dict[str, float] = {}
    levels = list(rule.levels)
    for name, value in changes.items():
        key, _, priority = name.partition(":")
        if not math.isfinite(value) or (key in CHANGEABLE and value < 0):
            raise InputError(f"{name}: {value!r} cannot be tried; give a finite number, and 0 or more for a span")
        places = [place for place, level in enumerate(levels) if level.priority == priority]
        if name == "stale_after_min" and rule.kind == "missing" and value > 0:
            numbers[name] = value
            levels[0] = replace(levels[0], setpoint=value)
        elif rule.kind == "missing":
            raise InputError(f"{name}: a rule about silence has stale_after_min alone, and more than 0")
        elif key == "setpoint" and places and isinstance(levels[places[0]].setpoint, float) and rule.kind != "scale":
            if rule.direction == "outside":
                raise InputError(f"{name}: the setpoint of a range has two ends and is not changed here")
            levels[places[0]] = replace(levels[places[0]], setpoint=float(value))
        elif name in CHANGEABLE:
            numbers[name] = value
        else:
            raise InputError(f"{name}: cannot be tried; known are {', '.join(CHANGEABLE)} and setpoint:<priority>")
    deadband = numbers.get("deadband", rule.deadband)
    where = rule.key
    return replace(
        rule,
        levels=tuple(levels),
        limits=_limits(tuple(levels), rule.direction, deadband, where) if rule.limits else (),
        site_limits=None
        if rule.site_limits is None
        else {
            site_id: _limits(
                tuple(_as_level(limit, levels, rule.levels) for limit in limits), rule.direction, deadband, where
            )
            for site_id, limits in rule.site_limits.items()
        },
        deadband=deadband,
        stale_after=_span(numbers, "stale_after_min", rule.stale_after) if rule.stale_after else None,
        on_delay=_span(numbers, "on_delay_min", rule.on_delay),
        off_delay=_span(numbers, "off_delay_min", rule.off_delay),
    )


def _as_level(limit: Limit, levels: Sequence[Level], before: Sequence[Level]) -> Level:
    """A limit of one site as a level again; a setpoint that was changed counts, the site's own stays."""
    for new, old in zip(levels, before, strict=True):
        if new.priority == limit.priority and new is not old:
            return new
    low, high = limit.on_at if isinstance(limit.on_at, tuple) else (None, limit.on_at)
    return Level(priority=limit.priority, setpoint=high, low=low)


def _span(numbers: Mapping[str, float], name: str, default: timedelta) -> timedelta:
    return timedelta(minutes=numbers[name]) if name in numbers else default


def _rule(
    path: Path,
    catalogue: Mapping[str, ObservedProperty] | None,
    sites: pd.DataFrame | None,
    ground: Ground,
    zone: ZoneInfo,
) -> Rule:
    where = shown_path(path)
    if not path.stem.isidentifier() or path.stem != path.stem.lower():
        raise ConfigError(f"{where}: the file name is the rule's key; use small letters, digits and _ only")
    table = read_toml(path)
    kind = _one_of(table, "kind", KINDS, where, "threshold")
    _refuse_unknown(table, COMMON_KEYS | KIND_KEYS[kind], where)
    expression = _expression(table, "expression", where, catalogue) if kind == "expression" else None
    suppress_when = _suppress_when(table, where, catalogue)
    observed_property = _observed_property(table, expression, catalogue, where)
    item = None if catalogue is None else catalogue[observed_property]
    if kind == "deviation" and item is not None and not item.baseline:
        raise ConfigError(f"{where}: no usual band is kept for {observed_property}; set baseline = true in its record")
    read = [one for one in (expression, suppress_when) if one]
    stale_by_property = {
        name: catalogue[name].stale_after for one in read for name in one.properties if catalogue is not None
    }
    default = None if item is None else item.stale_after
    if expression is not None:
        default = max((stale_by_property[name] for name in expression.properties if catalogue), default=None)
    stale_after = _minutes(table, "stale_after_min", where, default)
    if stale_after is not None and not stale_after:
        raise ConfigError(f"{where}: stale_after_min must be more than 0")
    scope = _one_of(table, "scope", SCOPES, where, "site")
    if expression is not None and scope == "site" and not expression.reported and not {"sites", "kinds"} & set(table):
        raise ConfigError(
            f"{where}: the expression reads nothing at the site itself; give sites, kinds or a wider scope"
        )
    plain = expression is not None and expression.condition
    direction = _direction(table, kind, plain, where)
    levels = _levels(table, kind, direction, plain, stale_after, where)
    only_sites = _only_sites(table, observed_property, sites, scope, where)
    deadband = _number(table, "deadband", where, 0.0)
    attributes = [level.setpoint for level in levels if isinstance(level.setpoint, str)]
    site_limits = None
    if attributes and sites is not None:
        site_limits = _site_limits(levels, direction, deadband, sites, only_sites, "sites" in table, where)
    _check_named_sites(read, sites, where)
    counts, counted_from, counted_below = _counted(table, kind, where)
    needs_sites = bool(attributes or "kinds" in table or scope != "site")
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
        time_to_act=_positive(table, "time_to_act_min", where),
        texts={name: _text(table, name, where) for name in _text_keys() if name in table},
        off_because=_off_because(table, sites is None and needs_sites, where),
        domain=_domain(table, kind, observed_property, item, where),
        latching=take(table, "latching", bool, where, False),
        realarm_after=_positive(table, "realarm_min", where),
        ack_expires_after=_minutes(table, "ack_expires_min", where, timedelta(minutes=ACK_EXPIRES_MIN)) or None,
        consequence_of=tuple(_texts(table, "consequence_of", where)) if "consequence_of" in table else (),
        suppress_when=suppress_when,
        suppress_scope=_one_of(table, "suppress_scope", SCOPES, where, scope),
        expression=expression,
        scope=scope,
        stale_by_property=stale_by_property,
        over=_required_span(table, "over_min", where) if kind == "rate" else timedelta(0),
        window=_required_span(table, "window_min", where) if kind == "count" else timedelta(0),
        counts=counts,
        counted_from=counted_from,
        counted_below=counted_below,
        least_spread=_least_spread(table, where) if kind == "deviation" else 0.0,
        least_n=_least_n(table, where),
        scale=take(table, "scale", str, where, ""),
        cycle=None if item is None else item.period,
        unit_vi=take(table, "unit_vi", str, where, "" if item is None or expression else item.unit_vi),
        unit_en=take(table, "unit_en", str, where, "" if item is None or expression else item.unit_en),
        decimals=0 if item is None else item.decimals,
        ground=ground,
        zone=zone,
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


def _expression(
    table: Mapping[str, Any], key: str, where: str, catalogue: Mapping[str, ObservedProperty] | None
) -> Expression:
    return parse(take(table, key, str, where), f"{where}: {key}", catalogue)


def _suppress_when(
    table: Mapping[str, Any], where: str, catalogue: Mapping[str, ObservedProperty] | None
) -> Expression | None:
    if "suppress_when" not in table:
        if "suppress_scope" in table:
            raise ConfigError(f"{where}: suppress_scope says nothing without suppress_when")
        return None
    expression = _expression(table, "suppress_when", where, catalogue)
    if not expression.condition:
        raise ConfigError(f"{where}: suppress_when must be a condition, for example {expression.text} > 0")
    return expression


def _observed_property(
    table: Mapping[str, Any],
    expression: Expression | None,
    catalogue: Mapping[str, ObservedProperty] | None,
    where: str,
) -> str:
    """What is judged; of an expression the first one that it names, unless the file says another."""
    if expression is not None and "observed_property" not in table:
        if not expression.properties:
            raise ConfigError(f"{where}: the key observed_property is missing: what shall the desk show beside it?")
        return expression.properties[0]
    observed_property = str(take(table, "observed_property", str, where))
    if catalogue is not None and observed_property not in catalogue:
        raise ConfigError(
            f"{where}: observed_property {observed_property!r} is not in the catalogue"
            f"{near(observed_property, catalogue)}"
        )
    return observed_property


def _domain(
    table: Mapping[str, Any], kind: str, observed_property: str, item: ObservedProperty | None, where: str
) -> str:
    house = kind == "missing" or observed_property in HOUSE_PROPERTIES or item is None
    return _one_of(table, "domain", DOMAINS, where, HOUSE_DOMAIN if house or item is None else item.domain)


def _direction(table: Mapping[str, Any], kind: str, plain: bool, where: str) -> str:
    """Which side is bad. A count, a class and a condition can only be too high."""
    if plain:
        given = [key for key in ("direction", "setpoint", "level", "deadband", "inclusive") if key in table]
        if given:
            raise ConfigError(f"{where}: {given[0]} says nothing beside a condition; give priority alone")
    if kind in ("missing", "count", "scale") or plain:
        return "above"
    return _one_of(table, "direction", DIRECTIONS, where)


def _counted(table: Mapping[str, Any], kind: str, where: str) -> tuple[str, float | None, bool]:
    """What a rule of kind count counts: (values or events, the bound of a counted value, whether from below)."""
    counts = _one_of(table, "counts", COUNTED, where, "values")
    given = [key for key in ("at_least", "at_most") if key in table]
    if kind != "count":
        return "values", None, False
    if counts == "events":
        if given:
            raise ConfigError(f"{where}: {given[0]} says nothing where events are counted")
        return counts, None, False
    if len(given) != 1:
        raise ConfigError(f"{where}: give either at_least or at_most: which values shall be counted?")
    return counts, _finite(take(table, given[0], (int, float), where), given[0], where), given[0] == "at_most"


def _least_spread(table: Mapping[str, Any], where: str) -> float:
    spread = _finite(take(table, "least_spread", (int, float), where), "least_spread", where)
    if spread <= 0:
        raise ConfigError(
            f"{where}: least_spread must be more than 0: a series that stands still would ring at its own noise"
        )
    return spread


def _least_n(table: Mapping[str, Any], where: str) -> int:
    count = int(take(table, "least_n", int, where, LEAST_N))
    if count < 1:
        raise ConfigError(f"{where}: least_n must be 1 or more, not {count}")
    return count


def _levels(
    table: Mapping[str, Any], kind: str, direction: str, plain: bool, stale_after: timedelta | None, where: str
) -> tuple[Level, ...]:
    """The steps of a rule, mild to severe, with priorities that strictly rise."""
    if kind == "missing":
        if stale_after is None:
            raise ConfigError(f"{where}: the key stale_after_min is missing: how long may the series be silent?")
        minutes = stale_after / timedelta(minutes=1)
        return (Level(priority=_one_of(table, "priority", PRIORITIES, where), setpoint=minutes),)
    if plain:
        return (Level(priority=_one_of(table, "priority", PRIORITIES, where), setpoint=1.0),)
    word = "class" if kind == "scale" else "setpoint"
    if ("level" in table) == (word in table):
        raise ConfigError(f"{where}: give either {word} and priority, or [[level]] tables with {word} and priority")
    if "level" in table and "priority" in table:
        raise ConfigError(f"{where}: priority belongs into the [[level]] tables")
    tables = take(table, "level", list, where, [table])
    levels = []
    for count, entry in enumerate(tables, start=1):
        place = f"{where}: [[level]] number {count}" if "level" in table else where
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{place}: level must be written as [[level]] tables")
        if "level" in table:
            _refuse_unknown(entry, frozenset({word, "priority"}), place)
        priority = _one_of(entry, "priority", PRIORITIES, place)
        if kind == "scale":
            levels.append(_class_level(table, entry, priority, where, place))
        elif direction == "outside":
            low, high = _range(entry, place)
            levels.append(Level(priority=priority, setpoint=high, low=low))
        else:
            levels.append(Level(priority=priority, setpoint=_setpoint(entry, place)))
    ranks = [PRIORITIES.index(level.priority) for level in levels]
    if not levels or ranks != sorted(set(ranks)):
        raise ConfigError(f"{where}: priority of the [[level]] tables must rise from one to the next: {PRIORITIES}")
    return tuple(levels)


def _class_level(table: Mapping[str, Any], entry: Mapping[str, Any], priority: str, where: str, place: str) -> Level:
    """A level that names a class of a legal scale."""
    key = _one_of(table, "scale", tuple(scales()), where)
    scale = scales()[key]
    observed_property = take(table, "observed_property", str, where)
    if observed_property not in scale.properties:
        raise ConfigError(f"{where}: the scale {key} is made for {', '.join(scale.properties)} alone")
    named = _one_of(entry, "class", tuple(one.key for one in scale.classes), place)
    one = scale.of(named)
    begins = one.begins if one else math.nan
    return Level(
        priority=priority, setpoint=f"{SITE_PREFIX}{begins}" if isinstance(begins, str) else begins, named=named
    )


def _limits(levels: tuple[Level, ...], direction: str, deadband: float, where: str) -> tuple[Limit, ...]:
    """Limits of levels that are all numbers. A clear value must not lie beyond the next milder setpoint."""
    if direction == "outside":
        return _ranges(levels, deadband, where)
    towards_normal = -1.0 if direction == "above" else 1.0
    found: list[Limit] = []
    milder: float | None = None
    for level in levels:
        on_at = float(level.setpoint)
        off_at = round(on_at + towards_normal * deadband, CLEAR_DECIMALS)
        if milder is not None and (on_at - milder) * towards_normal >= 0:
            raise ConfigError(
                f"{where}: setpoint {on_at:g} ({level.priority}) is not beyond {milder:g} "
                f"({found[-1].priority}); with direction {direction} levels go from mild to severe"
            )
        if milder is not None and (off_at - milder) * towards_normal >= 0:
            raise ConfigError(
                f"{where}: deadband {deadband:g} lets {level.priority} clear at {off_at:g}, which is not beyond the "
                f"setpoint {milder:g} of {found[-1].priority}; make it smaller"
            )
        found.append(Limit(priority=level.priority, on_at=on_at, off_at=off_at))
        milder = on_at
    return tuple(found)


def _ranges(levels: tuple[Level, ...], deadband: float, where: str) -> tuple[Limit, ...]:
    """Limits of a range: each level lies around the milder one, and the deadband leaves room to clear."""
    found: list[Limit] = []
    inner: tuple[float, float] | None = None
    for level in levels:
        low, high = float(level.low if level.low is not None else math.nan), float(level.setpoint)
        off_at = (round(low + deadband, CLEAR_DECIMALS), round(high - deadband, CLEAR_DECIMALS))
        if not off_at[0] < off_at[1]:
            raise ConfigError(
                f"{where}: deadband {deadband:g} leaves nothing of the range {low:g} to {high:g}; make it smaller"
            )
        if inner is not None and not (off_at[0] < inner[0] and inner[1] < off_at[1]):
            raise ConfigError(
                f"{where}: the range {low:g} to {high:g} ({level.priority}), less the deadband {deadband:g}, must lie "
                f"around {inner[0]:g} to {inner[1]:g} ({found[-1].priority}): levels go from mild to severe"
            )
        found.append(Limit(priority=level.priority, on_at=(low, high), off_at=off_at))
        inner = (low, high)
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
    table: Mapping[str, Any], observed_property: str, sites: pd.DataFrame | None, scope: str, where: str
) -> frozenset[str] | None:
    """Sites that the rule judges, or None for all that report."""
    if "sites" in table and "kinds" in table:
        raise ConfigError(f"{where}: give sites or kinds, not both")
    if scope != "site":
        return _sites_of_scope(table, sites, scope, where)
    if "sites" in table:
        named = _texts(table, "sites", where)
        if sites is not None and observed_property not in HOUSE_PROPERTIES:
            _all_known(named, sites.index, "sites", where)
        return frozenset(named)
    if "kinds" in table:
        kinds = _texts(table, "kinds", where)
        if sites is None:
            return frozenset()
        _all_known(kinds, set(sites["kind"]), "kinds", where)
        return frozenset(str(site_id) for site_id in sites.index[sites["kind"].isin(kinds)])
    return None


def _sites_of_scope(table: Mapping[str, Any], sites: pd.DataFrame | None, scope: str, where: str) -> frozenset[str]:
    """The sites that stand for the areas, or for the city: there the alert stands."""
    if "kinds" in table or (scope == "city" and "sites" in table):
        raise ConfigError(f"{where}: scope = {scope!r} says where the alert stands; leave sites and kinds out")
    if sites is None:
        return frozenset()
    kind = "area" if scope == "area" else "city"
    there = frozenset(str(site_id) for site_id in sites.index[sites["kind"] == kind])
    if not there:
        raise ConfigError(f"{where}: scope = {scope!r} needs a site of kind {kind} in sites.toml")
    if "sites" in table:
        named = _texts(table, "sites", where)
        _all_known(named, there, "sites", where)
        return frozenset(named)
    return there


def _check_named_sites(read: Iterable[Expression], sites: pd.DataFrame | None, where: str) -> None:
    """at("site", …) must name a site; the keys of sources are known to the city alone."""
    for expression in read:
        for site_id, observed_property in expression.sites:
            if sites is not None and observed_property not in HOUSE_PROPERTIES and site_id not in sites.index:
                raise ConfigError(
                    f"{where}: at({site_id!r}, {observed_property}): no such site in sites.toml"
                    f"{near(site_id, [str(one) for one in sites.index])}"
                )


def _check_references(rules: Sequence[Rule], where: Mapping[str, str]) -> None:
    """Rules that name other rules: all of them exist, none is its own cause, alert() does not ask in a circle."""
    keys = [rule.key for rule in rules]
    for rule in rules:
        for word, named in (("consequence_of", rule.consequence_of), ("alert()", rule.waits_for)):
            for key in named:
                if key not in keys:
                    raise ConfigError(f"{where[rule.key]}: {word}: there is no rule {key!r}{near(key, keys)}")
    try:
        TopologicalSorter({rule.key: rule.consequence_of for rule in rules}).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ConfigError(f"{where[error.args[1][0]]}: consequence_of goes in a circle: {circle}") from error
    in_order(rules)


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
    return _finite(value, "setpoint", where)


def _range(table: Mapping[str, Any], where: str) -> tuple[float, float]:
    """setpoint = [low, high]: what lies outside is bad."""
    ends = take(table, "setpoint", list, where)
    numbers = [_finite(take({"setpoint": end}, "setpoint", (int, float), where), "setpoint", where) for end in ends]
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ConfigError(f"{where}: with direction outside setpoint must be [low, high], not {ends!r}")
    return numbers[0], numbers[1]


def _finite(value: float, key: str, where: str) -> float:
    if not math.isfinite(value):
        raise ConfigError(f"{where}: {key} must be a finite number, not {value!r}")
    return float(value)


def _number(table: Mapping[str, Any], key: str, where: str, default: float) -> float:
    value = float(take(table, key, (int, float), where, default))
    if not math.isfinite(value) or value < 0:
        raise ConfigError(f"{where}: {key} must be 0 or more, not {value:g}")
    return value


def _minutes(table: Mapping[str, Any], key: str, where: str, default: timedelta | None) -> timedelta | None:
    return timedelta(minutes=_number(table, key, where, 0.0)) if key in table else default


def _positive(table: Mapping[str, Any], key: str, where: str) -> timedelta | None:
    span = _minutes(table, key, where, None)
    if span is not None and not span:
        raise ConfigError(f"{where}: {key} must be more than 0")
    return span


def _required_span(table: Mapping[str, Any], key: str, where: str) -> timedelta:
    take(table, key, (int, float), where)
    return _positive(table, key, where) or timedelta(0)


def _refuse_unknown(table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}")
