"""From many signals to few things to do: situations, inhibition, and the list of at most ten items. Pure.

A situation is what several domains tell of one place at one time (rain, a flooded underpass, a jam, citizens' reports);
it has one owner. `form` opens, fills, merges and closes situations in the transaction that judged the alerts; people
join and split by hand, and what a hand placed the engine leaves alone. `items` decides what the desk lists.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from json import dumps
from pathlib import Path

from alerts.lifecycle import journal
from alerts.refusals import Refused
from alerts.rules import Rule
from alerts.texts import ENGINE, actor_name
from core.alert import PRIORITIES, SITUATION, STATUSES, Alert, AlertEvent, Key
from core.config import City
from core.errors import ConfigError
from core.ledger import Item, Ledger, Outcome, Situation
from core.toml_files import read_toml, shown_path, take

APART = frozenset({"operations"})  # trouble of the data system is no signal of the city: it neither opens nor joins
CITY_WIDE_KINDS = ("city", "hotline", "bus_line")  # what they tell is not of the point where they stand on the map
KM_PER_DEGREE = 111.195  # of latitude, on a sphere of 6371 km
REST = "rest"
CRITICAL = "critical"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # of an alert from before beginnings were written down
Box = tuple[float, float, float, float]  # km: west, south, east, north


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When signals belong together. Distances in km."""

    radius_km: float = 1.5  # so near two signals tell of one place; two in one area always do
    extent_km: float = 5.0  # no situation grows wider than this (diagonal): a storm is not one thing to do
    window: timedelta = timedelta(minutes=60)  # so close together two signals must have begun
    least_domains: int = 2
    most_items: int = 10
    close_after: timedelta = timedelta(minutes=30)
    group_from: int = 3  # places at which one rule stands before it becomes one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where sites lie: `points` in km east and north of the equator's origin, `areas` by code. Others are city-wide."""

    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, city: City) -> Places:
        """The sites of a city. A hotline stands in a street, but its calls come from everywhere: it has no place."""
        local = [str(site) for site in city.sites.index if city.sites.at[site, "kind"] not in CITY_WIDE_KINDS]
        shrink = math.cos(math.radians(city.latitude))
        found = {site: city.point(site) for site in local}
        return cls(
            points={
                site: (point[1] * KM_PER_DEGREE * shrink, point[0] * KM_PER_DEGREE)
                for site, point in found.items()
                if point is not None
            },
            areas={site: str(city.sites.at[site, "area"]) for site in local if city.sites.at[site, "area"]},
        )

    def known(self, site_id: str) -> bool:
        """False for what concerns the whole city, and for sources."""
        return site_id in self.points or site_id in self.areas

    def distance_km(self, one: str, other: str) -> float:
        """Straight distance; infinite where one of the two has no point."""
        if one == other:
            return 0.0
        if one not in self.points or other not in self.points:
            return math.inf
        return math.dist(self.points[one], self.points[other])

    def near(self, one: str, other: str, radius_km: float) -> bool:
        """True for two sites of one area, or within the radius of each other."""
        area = self.areas.get(one, "")
        return (area != "" and area == self.areas.get(other)) or self.distance_km(one, other) <= radius_km


def load_policy(path: Path) -> Policy:
    """config/<city>/situations.toml; the defaults where there is no such file. Raises ConfigError."""
    if not path.is_file():
        return Policy()
    table, where, usual = read_toml(path), shown_path(path), Policy()
    known = ("radius_km", "extent_km", "window_min", "least_domains", "most_items", "close_after_min", "group_from")
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")

    def number(name: str, default: float) -> float:
        value = float(take(table, name, (int, float), where, default))
        if not math.isfinite(value) or value <= 0:
            raise ConfigError(f"{where}: {name} must be more than 0, not {value:g}")
        return value

    def count(name: str, default: int, least: int) -> int:
        value = int(take(table, name, int, where, default))
        if value < least:
            raise ConfigError(f"{where}: {name} must be {least} or more, not {value}")
        return value

    minute = timedelta(minutes=1)
    return Policy(
        radius_km=number("radius_km", usual.radius_km),
        extent_km=number("extent_km", usual.extent_km),
        window=number("window_min", usual.window / minute) * minute,
        least_domains=count("least_domains", usual.least_domains, 2),
        most_items=count("most_items", usual.most_items, 2),
        close_after=number("close_after_min", usual.close_after / minute) * minute,
        group_from=count("group_from", usual.group_from, 2),
    )


# The engine -------------------------------------------------------------------------------------------------------


def form(ledger: Ledger, rules: Mapping[str, Rule], policy: Policy, places: Places, now: datetime) -> Outcome:
    """Open, fill, merge and close situations. Doing it twice at one moment changes nothing the second time.

    Two signals meet when both are active and in the list, near in place, begun within the window, and of different
    domains (or cause and consequence, or the same thing told twice). Links are tied from the nearest on; nothing ties
    across `extent_km`. A group of `least_domains` domains opens a situation. A signal that begins beside an active
    member joins it however old that member is. What concerns the whole city joins only as cause or consequence.
    What a person placed stays; a situation that a person touched is never merged into another one.
    """
    desk = _Desk(ledger, rules, policy, places, now)
    for alert in ledger.values():
        if alert.placed_by and alert.state == "NORM":
            desk.alerts[alert.key] = replace(alert, placed_by="")  # the next activation is a matter of its own
    while desk.tie():
        pass
    desk.close()
    return desk.outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    """What the ties need to know of one alert."""

    key: Key
    site_id: str
    situation: str
    domain: str
    tells: tuple[str, ...]  # equal for two rules that tell the same thing
    causes: tuple[str, ...]
    began_at: datetime


class _Desk:
    """The ledger while `form` works on it: what changed is kept apart from what was."""

    def __init__(
        self, ledger: Ledger, rules: Mapping[str, Rule], policy: Policy, places: Places, now: datetime
    ) -> None:
        self.rules, self.policy, self.places, self.now = rules, policy, places, now
        self.before = ledger
        self.alerts: dict[Key, Alert] = dict(ledger.alerts)
        self.situations: dict[str, Situation] = dict(ledger.situations)
        self.events: list[AlertEvent] = []
        self.next_number = ledger.next_situation

    def outcome(self) -> Outcome:
        """What differs from the ledger."""
        return Outcome(
            alerts=tuple(alert for key, alert in self.alerts.items() if alert is not self.before.alerts[key]),
            events=tuple(self.events),
            situations=tuple(
                situation
                for key, situation in self.situations.items()
                if situation is not self.before.situations.get(key)
            ),
        )

    def open(self, situation: str) -> bool:
        """True for a situation that is known and not closed."""
        return situation in self.situations and self.situations[situation].closed_at is None

    def members(self) -> dict[str, list[Alert]]:
        """Alerts of every open situation, also the normal and the covered ones."""
        found: dict[str, list[Alert]] = {key: [] for key in self.situations if self.open(key)}
        for alert in self.alerts.values():
            if alert.situation in found:
                found[alert.situation].append(alert)
        return found

    def signals(self) -> Iterator[tuple[Alert, _Signal]]:
        """Active alerts in the list that tell something of the city."""
        for alert in self.alerts.values():
            rule = self.rules.get(alert.rule)
            began_at = _began(alert)
            if not alert.active or alert.hidden or rule is None or rule.domain in APART or began_at is None:
                continue
            situation = alert.situation if self.open(alert.situation) else ""
            if alert.placed_by and not situation:
                continue  # a person took it out: it stays alone
            yield (
                alert,
                _Signal(
                    key=alert.key,
                    site_id=alert.site_id,
                    situation=situation,
                    domain=rule.domain,
                    tells=_tells(alert, rule),
                    causes=rule.consequence_of,
                    began_at=began_at,
                ),
            )

    def tie(self) -> bool:
        """One round of ties; True when something joined, opened or merged."""
        free: list[_Signal] = []  # placed by the engine, or not at all
        fixed: list[_Signal] = []  # placed by a person: others may join them, they move nowhere
        wide: list[_Signal] = []
        for alert, signal in self.signals():
            if alert.placed_by:
                fixed.append(signal)
            elif self.places.known(alert.site_id):
                free.append(signal)
            elif not signal.situation:
                wide.append(signal)
        touched = {key for key, situation in self.situations.items() if situation.lead or situation.status != "new"}
        touched |= {alert.situation for alert in self.alerts.values() if alert.placed_by}
        clusters = _Clusters(free, self.places, self.policy.extent_km, self._age, touched)
        for one, other in self._links(free):
            clusters.unite(one, other)
        changed = False
        for cluster in clusters.all():
            changed |= self._settle(cluster, fixed)
        joined = [other for _, other in self.signals() if other.situation] if wide else []
        for signal in wide:
            homes = [
                other.situation for other in joined if _causal(signal, other) and self._meets_in_time(signal, other)
            ]
            if homes:
                self._join([signal.key], min(homes, key=self._age))
                changed = True
        return changed

    def _age(self, situation: str) -> tuple[datetime, str]:
        return (self.situations[situation].opened_at, situation)

    def _links(self, signals: Sequence[_Signal]) -> list[tuple[_Signal, _Signal]]:
        """Pairs that tell of one place, time and matter, the nearest first."""
        by_site: dict[str, list[_Signal]] = defaultdict(list)
        for signal in sorted(signals, key=lambda one: one.key):
            by_site[signal.site_id].append(signal)
        found: list[tuple[float, Key, Key, _Signal, _Signal]] = []

        def look(one: _Signal, other: _Signal, distance: float) -> None:
            settled = one.situation != "" and one.situation == other.situation
            if not settled and self._meet(one, other):
                found.append((distance, one.key, other.key, one, other))

        for site_id, here in by_site.items():
            for one, other in combinations(here, 2):
                look(one, other, 0.0)
            for other_id, there in by_site.items():
                if site_id < other_id and self.places.near(site_id, other_id, self.policy.radius_km):
                    distance = self.places.distance_km(site_id, other_id)
                    for one in here:
                        for other in there:
                            look(one, other, distance)
        return [(one, other) for *_, one, other in sorted(found, key=lambda link: link[:3])]

    def _meet(self, one: _Signal, other: _Signal) -> bool:
        """Same time, and two domains or one matter."""
        related = one.domain != other.domain or one.tells == other.tells or _causal(one, other)
        return related and self._meets_in_time(one, other)

    def _meets_in_time(self, one: _Signal, other: _Signal) -> bool:
        """Begun within the window, or one begins beside a standing member of a situation."""
        if abs(one.began_at - other.began_at) <= self.policy.window:
            return True
        early, late = sorted((one, other), key=lambda signal: signal.began_at)
        return early.situation != "" and late.situation == ""

    def _settle(self, cluster: Sequence[_Signal], fixed: Sequence[_Signal]) -> bool:
        """Give the signals of a cluster their situation, where they have earned one."""
        homes = {signal.situation for signal in cluster if signal.situation}
        lone = [signal for signal in cluster if not signal.situation]
        if homes:
            home = min(homes, key=self._age)
        else:
            hosts = [
                host.situation
                for host in fixed
                for signal in lone
                if self.places.near(host.site_id, signal.site_id, self.policy.radius_km) and self._meet(host, signal)
            ]
            if not hosts and len({signal.domain for signal in lone}) < self.policy.least_domains:
                return False
            home = min(hosts, key=self._age) if hosts else self._open([signal.key for signal in lone])
        self._join([signal.key for signal in lone], home)
        for other in sorted(homes - {home}):
            self._merge(other, home)
        return bool(lone or homes - {home})

    def _open(self, keys: Sequence[Key]) -> str:
        """A new situation, still without members."""
        situation = Situation(id=situation_id(self.next_number), opened_at=self.now)
        self.next_number += 1
        self.situations[situation.id] = situation
        worst = max((self.alerts[key].priority for key in keys), key=PRIORITIES.index)
        self.events.append(situation_line(situation, None, "open_situation", self.now, priority=worst))
        return situation.id

    def _join(self, keys: Sequence[Key], home: str) -> None:
        """Put alerts into a situation and keep its first-out right."""
        for key in sorted(keys, key=lambda one: _began_order(self.alerts[one])):
            before = self.alerts[key]
            after = replace(before, situation=home)
            self.alerts[key] = after
            self.events.append(journal(before, after, "join", self.now, value=after.value, situation=home))
            self.situations[home] = with_first_out(self.situations[home], after, self.alerts)

    def _merge(self, gone: str, home: str) -> None:
        """Move everything from a younger situation into an older one and close the younger."""
        self._join([alert.key for alert in self.alerts.values() if alert.situation == gone], home)
        self._shut(gone, "low", merged_into=home)

    def close(self) -> None:
        """Close what has been normal long enough, and what has no member left."""
        for key, members in self.members().items():
            situation = self.situations[key]
            if any(alert.truth != "NORM" for alert in members):
                continue
            since = max((_quiet_since(alert) or situation.opened_at for alert in members), default=None)
            if since is None or self.now - since >= self.policy.close_after:
                freed, events = _freed(members, ENGINE, self.now)
                self.alerts |= {alert.key: alert for alert in freed}
                self.events += events
                self._shut(key, _worst(members))

    def _shut(self, key: str, priority: str, **detail: str) -> None:
        before = self.situations[key]
        after = replace(before, status="closed", closed_at=self.now)
        self.situations[key] = after
        self.events.append(situation_line(after, before, "close_situation", self.now, priority=priority, **detail))


class _Clusters:
    """Signals tied together, none wider than the extent, none that would merge away what a person touched."""

    def __init__(
        self,
        signals: Sequence[_Signal],
        places: Places,
        extent_km: float,
        age: Callable[[str], tuple[datetime, str]],
        touched: Collection[str],
    ) -> None:
        self._extent_km, self._age, self._touched = extent_km, age, touched
        self._parent = {signal.key: signal.key for signal in signals}
        self._signals = {signal.key: [signal] for signal in signals}
        self._homes = {signal.key: {signal.situation} - {""} for signal in signals}
        self._boxes: dict[Key, Box | None] = {}
        for signal in signals:
            point = places.points.get(signal.site_id)
            self._boxes[signal.key] = None if point is None else (*point, *point)
        leaders: dict[str, Key] = {}
        for signal in signals:  # members of one situation are together already, however wide it became
            if signal.situation:
                self._tie(leaders.setdefault(signal.situation, signal.key), signal.key)

    def all(self) -> list[list[_Signal]]:
        """Clusters by their first signal to begin."""
        found = [sorted(self._signals[key], key=_signal_order) for key, parent in self._parent.items() if key == parent]
        return sorted(found, key=lambda cluster: _signal_order(cluster[0]))

    def unite(self, one: _Signal, other: _Signal) -> None:
        """Tie the clusters of two signals, where that is allowed."""
        left, right = self._root(one.key), self._root(other.key)
        if left == right:
            return
        homes = self._homes[left] | self._homes[right]
        merged_away = homes - ({min(homes, key=self._age)} if homes else set())
        if merged_away & set(self._touched):
            return
        box = _hull(self._boxes[left], self._boxes[right])
        if box is None or math.hypot(box[2] - box[0], box[3] - box[1]) <= self._extent_km:
            self._tie(left, right)

    def _root(self, key: Key) -> Key:
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def _tie(self, one: Key, other: Key) -> None:
        left, right = self._root(one), self._root(other)
        if left == right:
            return
        self._parent[right] = left
        self._signals[left] += self._signals.pop(right)
        self._homes[left] |= self._homes.pop(right)
        self._boxes[left] = _hull(self._boxes[left], self._boxes.pop(right))


def _hull(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


# By hand ----------------------------------------------------------------------------------------------------------
# Names of owners and notes arrive as alerts.deeds has cleaned them.


def join(ledger: Ledger, keys: Collection[Key], situation: str, actor: str, now: datetime) -> Outcome:
    """Put alerts into an open situation, or into a new one («»). The engine moves them no more until they are normal.

    Raises Refused: nothing chosen, an alert that is unknown or normal, a situation that is not open, all there already.
    """
    who, chosen = actor_name(actor), _chosen(ledger, keys)
    if situation and situation not in ledger.situations:
        raise Refused("unknown_situation", situation=situation)
    if any(alert.state == "NORM" for alert in chosen):
        raise Refused("nothing_to_join")
    moving = [alert for alert in chosen if not situation or alert.situation != situation]
    if not moving:
        raise Refused("already_joined", situation=situation)
    events: list[AlertEvent] = []
    changed: dict[str, Situation] = {}
    if situation:
        home = ledger.situations[situation]
    else:
        home = Situation(id=situation_id(ledger.next_situation), opened_at=now, opened_by=who)
        events.append(situation_line(home, None, "open_situation", now, actor=who, priority=_worst(moving)))
    alerts = dict(ledger.alerts)
    for alert in sorted(moving, key=_began_order):
        after = replace(alert, situation=home.id, placed_by=who)
        alerts[alert.key] = after
        events.append(journal(alert, after, "join", now, actor=who, value=alert.value, situation=home.id))
        home = with_first_out(home, after, alerts)
    changed[home.id] = home
    _left(ledger, moving, alerts, changed)
    return Outcome(
        alerts=[alerts[alert.key] for alert in moving],
        events=events,
        situations=[one for one in changed.values() if one is not ledger.situations.get(one.id)],
    )


def split(ledger: Ledger, keys: Collection[Key], actor: str, now: datetime) -> Outcome:
    """Take alerts out of their situations; the engine leaves them alone until they are normal. Raises Refused."""
    who, chosen = actor_name(actor), _chosen(ledger, keys)
    if any(not alert.situation for alert in chosen):
        raise Refused("not_in_situation")
    alerts = dict(ledger.alerts)
    events: list[AlertEvent] = []
    for alert in chosen:
        after = replace(alert, situation="", placed_by=who)
        alerts[alert.key] = after
        events.append(journal(alert, after, "split", now, actor=who, value=alert.value, situation=""))
    changed: dict[str, Situation] = {}
    _left(ledger, chosen, alerts, changed)
    return Outcome([alerts[alert.key] for alert in chosen], events, tuple(changed.values()))


def lead(ledger: Ledger, situation: str, name: str, unit: str, actor: str, now: datetime) -> Outcome:
    """Make somebody the one owner (chủ trì) of a situation. Raises Refused."""
    who, before = actor_name(actor), _situation(ledger, situation)
    if not name and not unit:
        raise Refused("lead_missing")
    after = replace(before, lead=name, unit=unit)
    if after == before:
        return Outcome()
    worst = _worst(_members(ledger, situation))
    line = situation_line(after, before, "lead", now, actor=who, priority=worst, lead=name, unit=unit)
    return Outcome(events=(line,), situations=(after,))


def set_status(ledger: Ledger, situation: str, status: str, actor: str, now: datetime, note: str = "") -> Outcome:
    """Say how far the work on a situation is; one of STATUSES. Closing lets its members go, and is refused while one
    of them is active. Raises Refused.
    """
    who, before = actor_name(actor), _situation(ledger, situation)
    if status not in STATUSES:
        raise Refused("unknown_status", status=status)
    if status == before.status and not note:
        return Outcome()
    members = _members(ledger, situation)
    active = sum(alert.active for alert in members)
    if status == "closed" and active:
        raise Refused("members_active", count=active)
    after = replace(
        before, status=status, note=note or before.note, closed_at=now if status == "closed" else before.closed_at
    )
    deed = "close_situation" if status == "closed" else "status"
    line = situation_line(after, before, deed, now, actor=who, priority=_worst(members), reason=note, status=status)
    freed, events = _freed(members, who, now) if status == "closed" else ([], [])
    return Outcome(freed, [*events, line], (after,))


def _chosen(ledger: Ledger, keys: Collection[Key]) -> list[Alert]:
    if not keys:
        raise Refused("no_alert_chosen")
    for rule, site_id in keys:
        if (rule, site_id) not in ledger:
            raise Refused("unknown_alert", rule=rule, site_id=site_id)
    return [ledger[key] for key in dict.fromkeys(keys)]


def _situation(ledger: Ledger, situation: str) -> Situation:
    if situation not in ledger.situations:
        raise Refused("unknown_situation", situation=situation)
    return ledger.situations[situation]


def _members(ledger: Ledger, situation: str) -> list[Alert]:
    return [alert for alert in ledger.values() if alert.situation == situation]


def _freed(members: Iterable[Alert], actor: str, now: datetime) -> tuple[list[Alert], list[AlertEvent]]:
    """The members of a situation that closes; the engine may place them again."""
    before = list(members)
    after = [replace(alert, situation="", placed_by="") for alert in before]
    events = [
        journal(old, new, "split", now, actor=actor, value=new.value, situation="")
        for old, new in zip(before, after, strict=True)
    ]
    return after, events


def _left(ledger: Ledger, moved: Iterable[Alert], alerts: Mapping[Key, Alert], changed: dict[str, Situation]) -> None:
    """A situation that lost its first-out names the earliest of those that remain."""
    for alert in moved:
        old = ledger.situations.get(alert.situation)
        if old is None or old.first_out != alert.key:
            continue
        remaining = sorted((one for one in alerts.values() if one.situation == old.id), key=_began_order)
        changed[old.id] = replace(old, first_out=remaining[0].key if remaining else None)


# The list ---------------------------------------------------------------------------------------------------------


def items(
    alerts: Iterable[Alert],
    situations: Mapping[str, Situation],
    rules: Mapping[str, Rule],
    policy: Policy,
    places: Places,
    *,
    most: int | None = None,
) -> tuple[Item, ...]:
    """What the desk lists: at most `most` things to do (default: of the policy), each listed alert in exactly one.

    Rules that tell the same of one place are one line; a rule at `group_from` places is one group; consequences of a
    standing cause are counted with it (`inhibited`). What finds no room folds into one last item, the mildest first.
    Every critical alert is in `shown` of its item, always. Only when situations with a critical alert alone fill the
    list does it grow longer than `most`. Order: unacknowledged first, then priority, then the longest standing.
    """
    listed = sorted((alert for alert in alerts if alert.hidden is None and alert.truth != "NORM"), key=_lead_order)
    hidden = inhibitions(listed, situations, rules, policy, places)
    visible = [alert for alert in listed if alert.key not in hidden]
    gathered: dict[str, list[Alert]] = defaultdict(list)
    lines: dict[tuple[str, ...], list[Alert]] = defaultdict(list)
    for alert in visible:
        if alert.situation in situations:
            gathered[alert.situation].append(alert)
        else:
            lines[_tells(alert, rules.get(alert.rule))].append(alert)
    drafts = [_Draft("situation", key, members) for key, members in gathered.items()]
    drafts += _grouped_by_rule([_single(line) for line in lines.values()], policy.group_from)
    fitted = _fit(drafts, policy.most_items if most is None else most, places)
    by_cause: dict[Key, list[Key]] = defaultdict(list)
    for consequence, cause in hidden.items():
        by_cause[cause].append(consequence)
    found = [(draft.order(), draft.item(situations, by_cause)) for draft in fitted]
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))


def inhibitions(
    listed: Sequence[Alert],
    situations: Mapping[str, Situation],
    rules: Mapping[str, Rule],
    policy: Policy,
    places: Places,
) -> dict[Key, Key]:
    """Which listed alerts stand behind which visible cause: {consequence: cause}. `listed` is worst first.

    A cause hides a consequence of equal or lower priority near it, as long as it is active and its data are not late.
    A cause without a place (a source, the whole city) reaches everywhere; a place does not hide the whole city. Never
    hidden: a critical alert, the first-out of a situation, a member of another situation than the cause's. Of rules
    that call each other the cause, the worst and earliest alert stays in sight.
    """
    by_rule: dict[str, list[Alert]] = defaultdict(list)
    for alert in listed:
        if alert.active and not alert.stale:
            by_rule[alert.rule].append(alert)
    consequences: dict[Key, list[Key]] = defaultdict(list)
    caused: set[Key] = set()
    for alert in listed:
        home = situations.get(alert.situation)
        if alert.priority == CRITICAL or alert.rule not in rules or (home is not None and home.first_out == alert.key):
            continue
        for name in rules[alert.rule].consequence_of:
            for cause in by_rule.get(name, ()):
                if (
                    cause.key != alert.key
                    and _rank(cause) >= _rank(alert)
                    and (home is None or cause.situation == alert.situation)
                    and _reaches(cause.site_id, alert.site_id, policy, places)
                ):
                    consequences[cause.key].append(alert.key)
                    caused.add(alert.key)
    found: dict[Key, Key] = {}
    roots = [alert.key for alert in listed if alert.key not in caused]
    circles = [alert.key for alert in listed if alert.key in caused]
    for root in [*roots, *circles]:
        if root in found:
            continue
        found[root] = root
        reached = [root]
        for key in reached:
            for consequence in consequences[key]:
                if consequence not in found:
                    found[consequence] = root
                    reached.append(consequence)
    return {key: root for key, root in found.items() if key != root}


def _reaches(cause: str, consequence: str, policy: Policy, places: Places) -> bool:
    return not places.known(cause) or places.near(cause, consequence, policy.radius_km)


@dataclass(frozen=True, slots=True)
class _Draft:
    """An item while the list is made. `members` are worst first."""

    kind: str
    id: str
    members: list[Alert]

    @property
    def critical(self) -> bool:
        return self.members[0].priority == CRITICAL

    @property
    def first_out(self) -> Alert:
        return min(self.members, key=_began_order)

    def order(self) -> tuple[bool, bool, int, datetime, str]:
        """Place in the list; what found no room comes last unless it had to take a critical alert."""
        mild_rest = self.kind == REST and not self.critical
        quiet = all(alert.acked for alert in self.members)
        return (mild_rest, quiet, -_rank(self.members[0]), _began_order(self.first_out)[0], self.id)

    def keeping(self) -> tuple[int, int, bool, datetime, str]:
        """Who keeps a line of its own when there is no room for all: priority, then what holds many signals."""
        _, quiet, rank, began_at, _ = self.order()
        return (rank, ("situation", "group", "single").index(self.kind), quiet, began_at, self.id)

    def item(self, situations: Mapping[str, Situation], by_cause: Mapping[Key, Sequence[Key]]) -> Item:
        """The finished item. A situation remembers its first-out even when that one is over."""
        remembered = situations[self.id].first_out if self.kind == "situation" else None
        first_out = remembered or self.first_out.key
        return Item(
            kind=self.kind,
            id=self.id,
            priority=self.members[0].priority,
            lead=self.members[0].key,
            members=tuple(alert.key for alert in self.members),
            shown=tuple(a.key for a in self.members if a.priority == CRITICAL or a.key == first_out),
            inhibited=tuple(sorted(key for alert in self.members for key in by_cause.get(alert.key, ()))),
            first_out=first_out,
            unacked=sum(not alert.acked for alert in self.members),
        )


def _single(line: Sequence[Alert]) -> _Draft:
    return _Draft("single", f"{line[0].rule}:{line[0].site_id}", list(line))


def _united(kind: str, name: str, drafts: Iterable[_Draft]) -> _Draft:
    return _Draft(kind, name, sorted((alert for draft in drafts for alert in draft.members), key=_lead_order))


def _grouped(drafts: Iterable[_Draft], names: Callable[[_Draft], str], least: int) -> list[_Draft]:
    """Drafts of one name become one group where there are enough of them."""
    by_name: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        by_name[names(draft)].append(draft)
    found: list[_Draft] = []
    for name, same in by_name.items():
        found += [_united("group", name, same)] if len(same) >= least else same
    return found


def _grouped_by_rule(drafts: Iterable[_Draft], least: int) -> list[_Draft]:
    return _grouped(drafts, lambda draft: draft.members[0].rule, least)


def _fit(drafts: Sequence[_Draft], most: int, places: Places) -> list[_Draft]:
    """No more drafts than `most`: critical ones are grouped harder and harder, mild ones fold, the mildest first."""
    if len(drafts) <= most:
        return list(drafts)
    situations = [draft for draft in drafts if draft.critical and draft.kind == "situation"]
    loose = [draft for draft in drafts if draft.critical and draft.kind != "situation"]
    mild = sorted((draft for draft in drafts if not draft.critical), key=_Draft.keeping)

    def area(draft: _Draft) -> str:
        return f"area:{places.areas.get(draft.members[0].site_id, '')}"

    for grouped in (
        loose,
        _grouped_by_rule(loose, 2),
        _grouped(loose, area, 2),
        _grouped(loose, lambda _: CRITICAL, 2),
    ):
        severe = [*situations, *grouped]
        room = most - len(severe)
        if room >= len(mild):
            return [*severe, *mild]
        if room >= 1:
            return [*severe, *mild[: room - 1], _united(REST, REST, mild[room - 1 :])]
    return [*situations, _united(REST, REST, [*loose, *mild])] if loose or mild else situations


# Small words ------------------------------------------------------------------------------------------------------


def situation_id(number: int) -> str:
    """«VV-0042»."""
    return f"VV-{number:04d}"


def situation_line(
    after: Situation,
    before: Situation | None,
    deed: str,
    at: datetime,
    *,
    actor: str = ENGINE,
    priority: str,
    reason: str = "",
    **detail: str,
) -> AlertEvent:
    """Journal line of a situation: its states are its statuses, its priority is the worst of its members."""
    return AlertEvent(
        happened_at=at,
        rule=SITUATION,
        site_id=after.id,
        state_before=before.status if before else "",
        state_after=after.status,
        priority=priority,
        actor=actor,
        deed=deed,
        reason=reason,
        detail=dumps(detail, ensure_ascii=False) if detail else "",
    )


def with_first_out(situation: Situation, alert: Alert, alerts: Mapping[Key, Alert]) -> Situation:
    """The situation with `alert` as first-out where it began earlier than the one that is known.

    Once the first-out has come and gone and come again, its first beginning is only in the journal: it stays.
    """
    known = alerts.get(situation.first_out) if situation.first_out else None
    if known is None:
        return replace(situation, first_out=alert.key)
    began_at = _began(known)
    again = began_at is None or began_at > situation.opened_at
    return situation if again or _began_order(alert) >= _began_order(known) else replace(situation, first_out=alert.key)


def _tells(alert: Alert, rule: Rule | None) -> tuple[str, ...]:
    """Equal for alerts that say the same of one place. Silence and expressions speak for themselves."""
    if rule is None or rule.kind in ("missing", "expression"):
        return (alert.site_id, "", alert.rule)
    return (alert.site_id, rule.observed_property)


def _causal(one: _Signal, other: _Signal) -> bool:
    return other.key[0] in one.causes or one.key[0] in other.causes


def _began(alert: Alert) -> datetime | None:
    return alert.began_at or alert.raised_at


def _quiet_since(alert: Alert) -> datetime | None:
    """Last time that something about a normal alert changed: it cleared, was acknowledged, was reset."""
    return max((at for at in (alert.cleared_at, alert.acked_at, alert.handled_at) if at is not None), default=None)


def _began_order(alert: Alert) -> tuple[datetime, Key]:
    return (_began(alert) or LONG_AGO, alert.key)


def _signal_order(signal: _Signal) -> tuple[datetime, Key]:
    return (signal.began_at, signal.key)


def _rank(alert: Alert) -> int:
    return PRIORITIES.index(alert.priority)


def _lead_order(alert: Alert) -> tuple[int, bool, datetime, Key]:
    return (-_rank(alert), alert.acked, *_began_order(alert))


def _worst(alerts: Iterable[Alert]) -> str:
    return max((alert.priority for alert in alerts), key=PRIORITIES.index, default="low")
