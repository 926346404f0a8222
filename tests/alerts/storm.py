"""The evening storm of the demo city, made as large as a real one: 500 alerts in 10 minutes. For tests and the bench.

The beats of config/demo/scenarios/evening_storm.toml give order and places; every sensor that they name gets
neighbours within some hundred metres, and what the beats only tell (water in the streets, citizens who call, stations
that the water silences) is spelled out. Values are judged by the house's own rules.
"""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import indicators
from alerts import lifecycle
from alerts.rules import Rule, load_rules
from alerts.situations import Places, Policy, form
from alerts.watch import in_turn
from core.alert import Alert, AlertEvent
from core.config import ROOT, City, load_city
from core.ledger import Ledger, Outcome

EVENTS = 500
MINUTES = 10
LASTS = 40  # minutes until the last sensor is dry
SCENARIO = Path(ROOT) / "config" / "demo" / "scenarios" / "evening_storm.toml"
START = datetime.fromisoformat("2026-11-19T16:30:00+07:00")
CALM = {"heavy_rain": 0.0, "underpass_flood": 0.0, "road_flood": 0.0, "congestion_segment": 1.0, "reports_surge": 1.0}


@dataclass(frozen=True)
class Signal:
    """One sensor that passes its setpoint at a minute of the storm, and comes back much later."""

    minute: int
    rule: str
    site_id: str
    value: float
    over_at: int


@dataclass(frozen=True)
class Storm:
    """The city made large, its rules, and what its sensors tell."""

    city: City
    rules: Mapping[str, Rule]
    places: Places
    signals: tuple[Signal, ...]

    def judge(self, ledger: Ledger, minute: int, now: datetime) -> Outcome:
        """What the engine writes in that minute: values, silences, and the clock."""
        alerts: dict[tuple[str, str], Alert] = {}
        events: list[AlertEvent] = []
        for signal in self.signals:
            if minute not in (signal.minute, signal.over_at):
                continue
            key, rule = (signal.rule, signal.site_id), self.rules[signal.rule]
            alert = alerts.get(key) or ledger.get(key) or Alert(rule=signal.rule, site_id=signal.site_id)
            if rule.kind == "missing":
                heard = now - timedelta(days=1) if minute == signal.minute else now
                alert, entries = lifecycle.observe_silence(alert, rule, heard, now)
            else:
                value = signal.value if minute == signal.minute else CALM[signal.rule]
                alert, entries = lifecycle.observe(alert, rule, value, now)
            alerts[key] = alert
            events += entries
        return Outcome(tuple(alerts.values()), tuple(events))

    def go_round(self, ledger: Ledger, minute: int, now: datetime, policy: Policy) -> Outcome:
        """Judge and group, as the watch does it in one transaction."""
        return in_turn(
            ledger,
            lambda known: self.judge(known, minute, now),
            lambda known: form(known, self.rules, policy, self.places, now),
        )


def make_storm(*, with_causes: bool = True, events: int = EVENTS) -> Storm:
    """A storm of exactly that many alerts; the same one every time."""
    city, chance = load_city("demo"), random.Random(20261119)
    places = Places.of(city)
    points, areas = dict(places.points), dict(places.areas)
    neighbours: dict[str, list[str]] = defaultdict(list)
    for site_id in list(points):
        for number in range(1, 60):
            clone = f"{site_id}_{number:02d}"
            x, y = points[site_id]
            points[clone] = (x + chance.uniform(-0.4, 0.4), y + chance.uniform(-0.4, 0.4))
            areas[clone] = areas[site_id]
            neighbours[site_id].append(clone)
    wanted = _told(city)
    each = -(-events // len(wanted))
    told = [(rule, site, value, neighbours[site][number]) for number in range(each) for rule, site, value in wanted]
    order = {(rule, site): place for place, (rule, site, _) in enumerate(wanted)}
    told = sorted(told[:events], key=lambda one: (order[one[0], one[1]], one[3]))
    signals = tuple(
        Signal(
            minute=1 + place * MINUTES // len(told),
            rule=rule,
            site_id=clone,
            value=value * chance.uniform(1.0, 1.3),
            over_at=LASTS // 2 + chance.randrange(LASTS // 2),
        )
        for place, (rule, _, value, clone) in enumerate(told)
    )
    loaded = load_rules(city.folder / "alerts", indicators.catalogue(), city.sites)
    rules = {rule.key: _opened(rule, neighbours) for rule in loaded}
    if not with_causes:
        rules = {key: replace(rule, consequence_of=()) for key, rule in rules.items()}
    return Storm(city, rules, Places(points=points, areas=areas), signals)


def _opened(rule: Rule, neighbours: Mapping[str, list[str]]) -> Rule:
    """The rule for the neighbours too, without delays: here every value is one that lasted."""
    limits = {
        clone: rule.limits_at(site) for site, clones in neighbours.items() for clone in clones if rule.limits_at(site)
    }
    none = timedelta(0)
    return replace(rule, only_sites=None, limits=(), site_limits=limits, on_delay=none, off_delay=none)


def _told(city: City) -> list[tuple[str, str, float]]:
    """(rule, sensor, value) in the order of the story: rain, water, jams, calls, silence."""
    beats = tomllib.loads(SCENARIO.read_text(encoding="utf-8"))["beat"]
    wet = {site: beat["rain_mm_per_hour"] for beat in beats if beat["effect"] == "rain" for site in beat["sites"]}
    avoided = [site for beat in beats if beat["effect"] == "traffic" for site in beat["sites"]]
    blocked = [site for beat in beats if beat["effect"] == "drainage" for site in beat["sites"]]
    low = [str(site) for site in city.sites.index[city.sites["kind"] == "flood_sensor"]]
    told = [("heavy_rain", site, 2.2 * rain) for site, rain in wet.items() if 2.2 * rain >= 30]
    told += [("underpass_flood", site, 40.0) for site in dict.fromkeys([*blocked, "flood_04"])]
    told += [("road_flood", site, 22.0) for site in low if site in ("flood_02", "flood_03")]
    told += [("congestion_segment", site, 2.1) for site in dict.fromkeys([*avoided, "road_04", "road_06", "road_10"])]
    drowned = {city.area_of(site) for site in [*low, *wet]}
    told += [("reports_surge", area, 3.5) for area in sorted(drowned)]
    return told + [("station_silent_flood", site, 0.0) for site in low]
