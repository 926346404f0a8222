"""What the page of links looks at in one city: config/<city>/links.toml -> LinksPlan.

    studied   properties compared between domains: one per thing that a city can do something about
    lanes     those that stand on the page before anybody chooses
    [[event]] a property above a limit, and what is looked at in the hours after it

Without the file the catalogue decides: the properties that it marks as `studied`, first-screen indicators of what no
mark speaks for, and as events the first-screen indicators at their lowest limit in force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.catalogue import LEVELS, Catalogue, Indicator, ObservedProperty
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take

FILE = "links.toml"
KEYS = ("studied", "lanes", "event")
EVENT_KEYS = ("key", "observed_property", "above", "name_vi", "name_en", "follows")
HOUR = timedelta(hours=1)
MOST_STUDIED = 60  # 1,770 pairs: more of them only make the false discovery rate harder to keep
MOST_LANES = 10
MOST_EVENTS = 8  # letters A to H in the lanes
MOST_FOLLOWS = 12
EVENT_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
LIMIT = "{limit}"  # stands in a name for the limit with its unit
LONGEST_NAME = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event. `above` is in the unit of the property; empty names: that of the property with its limit."""

    key: str
    observed_property: str
    above: float
    follows: tuple[str, ...]
    name_vi: str = ""
    name_en: str = ""

    def name(self, language: str) -> str:
        """As the city wrote it, with LIMIT for the limit; empty where it wrote nothing."""
        return self.name_en if language == "en" else self.name_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPlan:
    """What is compared, shown first and waited for. `own`: False where the catalogue decided."""

    studied: tuple[str, ...]
    lanes: tuple[str, ...]
    events: tuple[EventKind, ...]
    own: bool


def load_links(folder: Path, catalogue: Catalogue, on: date) -> LinksPlan:
    """The plan of a city; by default limits count as in force on that day. Raises ConfigError with file and key."""
    path = folder / FILE
    if not path.is_file():
        return _by_catalogue(catalogue, on)
    where, table = shown_path(path), read_toml(path)
    _refuse_unknown(table, KEYS, where)
    usual = _by_catalogue(catalogue, on)
    studied = usual.studied
    if "studied" in table:
        studied = _keys(table, "studied", where, catalogue, MOST_STUDIED)
        if len({catalogue[key].domain for key in studied}) < 2:
            raise ConfigError(f"{where}: studied names one domain only; links are looked for between two or more")
    lanes = _first_of_domains(studied, catalogue)
    if "lanes" in table:
        lanes = _keys(table, "lanes", where, catalogue, MOST_LANES)
        for key in lanes:
            if key not in studied:
                raise ConfigError(f"{where}: lanes: {key!r} is not among studied; add it there or take it out")
    tables = take(table, "event", list, where, None)
    events = usual.events if tables is None else _events(tables, where, studied, catalogue)
    if len(events) > MOST_EVENTS:
        raise ConfigError(f"{where}: {len(events)} [[event]] are given, the lanes have letters for {MOST_EVENTS}")
    return LinksPlan(studied=studied, lanes=lanes, events=events, own=True)


def origins(catalogue: Catalogue, key: str) -> frozenset[str]:
    """What a property is computed from, and the indicator that writes it beside its own value. Without itself."""
    found: set[str] = set()
    open_keys: Collection[str] = {key}
    while open_keys:
        new: set[str] = set()
        for one in open_keys:
            item = catalogue[one]
            if isinstance(item, Indicator):
                new |= set(item.needs)
            for maker in catalogue.indicators():
                if any(part.key == one for part in maker.companions):
                    new |= {maker.key, *maker.needs}
        open_keys = new - found
        found |= new
    return frozenset(found)


# -- the file ---------------------------------------------------------------------------------------------------------


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise ConfigError(f"{where}: unknown key {name}; known are {', '.join(known)}")


def _keys(table: Mapping[str, Any], name: str, where: str, catalogue: Catalogue, most: int) -> tuple[str, ...]:
    given = take(table, name, list, where)
    if not given or len(given) > most:
        raise ConfigError(f"{where}: {name} holds {len(given)} properties; give 1 to {most}")
    for key in given:
        _known(key, f"{where}: {name}", catalogue)
    twice = sorted({key for key in given if given.count(key) > 1})
    if twice:
        raise ConfigError(f"{where}: {name}: {', '.join(twice)} is given twice; take one out")
    return tuple(given)


def _known(key: Any, where: str, catalogue: Catalogue) -> ObservedProperty:
    """The property, one of the city: that of the data system tells nothing about it."""
    item = catalogue.get(key) if isinstance(key, str) else None
    if item is None:
        near = get_close_matches(str(key), list(catalogue), 1)
        advice = f"did you mean {near[0]!r}?" if near else "its keys stand in data/catalogue/ and indicators/"
        raise ConfigError(f"{where}: {key!r} is not in the catalogue; {advice}")
    if item.domain == "operations":
        raise ConfigError(f"{where}: {key} tells of the data system and not of the city; take it out")
    return item


def _hourly(key: Any, where: str, catalogue: Catalogue) -> str:
    item = _known(key, where, catalogue)
    if item.period > HOUR:
        raise ConfigError(f"{where}: {key} comes by the day; events are followed by the hour: name an hourly property")
    return item.key


def _events(tables: Sequence[Any], where: str, studied: Sequence[str], catalogue: Catalogue) -> tuple[EventKind, ...]:
    found: list[EventKind] = []
    for number, table in enumerate(tables, start=1):
        here = f"{where}: [[event]] number {number}"
        if not isinstance(table, dict):
            raise ConfigError(f"{here}: write [[event]] and its keys below it")
        _refuse_unknown(table, EVENT_KEYS, here)
        key = take(table, "key", str, here)
        if not EVENT_KEY.fullmatch(key):
            raise ConfigError(f"{here}: key {key!r}: small letters without marks, digits and _, at most 40")
        if any(one.key == key for one in found):
            raise ConfigError(f"{here}: key {key} is given twice; every event has a key of its own")
        observed = _hourly(take(table, "observed_property", str, here), f"{here}: observed_property", catalogue)
        above = float(take(table, "above", (int, float), here))
        item = catalogue[observed]
        if not math.isfinite(above) or not item.low <= above < item.high:
            raise ConfigError(
                f"{here}: above = {above:g} can never be passed: {observed} lies between {item.low:g} and "
                f"{item.high:g} {item.unit}"
            )
        follows = _after(observed, studied, catalogue)
        if "follows" in table:
            follows = _keys(table, "follows", here, catalogue, MOST_FOLLOWS)
            for one in follows:
                _hourly(one, f"{here}: follows", catalogue)
                if one not in studied:
                    raise ConfigError(
                        f"{here}: follows: {one!r} is not among studied; add it there or take it out here"
                    )
        name_vi = _name(table, "name_vi", here)
        found.append(
            EventKind(
                key=key,
                observed_property=observed,
                above=above,
                follows=follows,
                name_vi=name_vi,
                name_en=_name(table, "name_en", here) or name_vi,
            )
        )
    return tuple(found)


def _name(table: Mapping[str, Any], name: str, where: str) -> str:
    text = str(take(table, name, str, where, "")).strip()
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise ConfigError(f"{where}: {name}: one line of at most {LONGEST_NAME} letters, {LIMIT} for the limit")
    return text


# -- without the file -------------------------------------------------------------------------------------------------


def _by_catalogue(catalogue: Catalogue, on: date) -> LinksPlan:
    city = [item for item in catalogue.values() if item.domain != "operations"]
    first = [item for item in city if isinstance(item, Indicator) and item.first_screen]
    kept = [item.key for item in city if item.studied]
    for item in first:
        things = {part for key in kept for part in (key, *origins(catalogue, key))}
        if not things & {item.key, *origins(catalogue, item.key)}:  # else it is one of them, seen twice
            kept.append(item.key)
    studied = tuple(kept[:MOST_STUDIED])
    events = [
        EventKind(key=item.key, observed_property=item.key, above=limit, follows=_after(item.key, studied, catalogue))
        for item in first
        if item.period <= HOUR and item.direction == "lower" and (limit := _lowest_limit(item, on)) is not None
    ]
    return LinksPlan(
        studied=studied,
        lanes=_first_of_domains(studied, catalogue),
        events=tuple(events[:MOST_EVENTS]),
        own=False,
    )


def _lowest_limit(item: Indicator, on: date) -> float | None:
    """Value of the mildest level that is in force."""
    for level in LEVELS:
        values = [one.value for one in item.thresholds if one.level == level and one.holds_on(on)]
        if values:
            return min(values)
    return None


def _after(observed: str, studied: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Hourly properties of other domains, and of the same one where they are another thing."""
    own = {observed, *origins(catalogue, observed)}
    found = [key for key in studied if catalogue[key].period <= HOUR and not own & {key, *origins(catalogue, key)}]
    domain = catalogue[observed].domain
    return tuple(sorted(found, key=lambda key: catalogue[key].domain == domain)[:MOST_FOLLOWS])


def _first_of_domains(studied: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    domains: dict[str, str] = {}
    for key in studied:
        domains.setdefault(catalogue[key].domain, key)
    return tuple(domains.values())[:MOST_LANES]
