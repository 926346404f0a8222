"""What goes on, in the order of cause and effect: rain -> flooding -> traffic -> air -> reports -> services.

The founding text asks that a city's problems are not read one by one. This finds the alert that leads and the chain
of the others that belong to the same thing to do (`alerts.situations`: they meet in place and time); it orders them, it
does not claim that one made the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.alert import PRIORITIES, Alert
from core.ledger import Item
from core.snapshot import Snapshot

CAUSAL_ORDER = (
    ("rainfall", "rain_1h", "rain_24h"),
    ("river_level", "river_stage", "river_alarm_level"),
    ("flood_depth",),
    ("open_incidents",),
    ("travel_time_index", "relative_speed", "arterial_speed", "congested_length", "speed"),
    ("pm25", "vn_aqi", "pm25_24h", "vn_aqi_daily"),
    ("reports_received", "reports_vs_baseline", "reports_60min"),
    ("files_overdue", "overdue_share", "on_time_rate"),
)
TELLS_FROM = "medium"  # below it an alert is a notice, and does not own the sentence
LONGEST_CHAIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The leading alert, the chain it stands in (with it, in causal order), and whether anything is known at all."""

    lead: Alert | None
    chain: tuple[Alert, ...]
    known: bool


def situate(snapshot: Snapshot) -> Situation:
    """The situation of a snapshot. A city of which no value is live is not «normal», it is unknown."""
    known = any(reading.live for reading in snapshot.readings.values() if reading.item.domain != "operations")
    told = [
        alert
        for alert in snapshot.open_alerts()
        if alert.active
        and PRIORITIES.index(alert.priority) >= PRIORITIES.index(TELLS_FROM)
        and alert.rule in snapshot.rules
    ]
    if not told:
        return Situation(lead=None, chain=(), known=known)
    told = _of_the_first_item(snapshot.items, told)
    links: list[Alert] = []
    for step in CAUSAL_ORDER:
        of_step = [alert for alert in told if snapshot.rules[alert.rule].observed_property in step]
        if of_step:
            links.append(of_step[0])  # open_alerts() is sorted: the worst of this step
    lead = next((alert for alert in links if alert.priority == told[0].priority), told[0])  # among equals, the cause
    if len(links) < 2 or lead not in links:
        return Situation(lead=lead, chain=(), known=known)
    kept = sorted(links, key=lambda alert: (alert is not lead, told.index(alert)))[:LONGEST_CHAIN]
    # a long chain loses its mildest links, never the lead
    return Situation(lead=lead, chain=tuple(alert for alert in links if alert in kept), known=known)


def _of_the_first_item(items: Sequence[Item], told: list[Alert]) -> list[Alert]:
    """Those of them that the first thing to do is about: what stands elsewhere is another story."""
    for item in items:
        of_it = [alert for alert in told if alert.key in item.members]
        if of_it:
            return of_it
    return told
