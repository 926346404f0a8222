"""Rules meet observations: (rules, observations, alerts) -> (alerts to write, events). Fit for `store.change_alerts`:
`store.change_alerts(functools.partial(evaluate, rules, observations, now=now, latest=latest))`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import numpy as np
import pandas as pd

from alerts.lifecycle import expire_shelf, observe_series, observe_silence, tick, withdraw
from alerts.rules import Rule
from core.alert import Alert, AlertEvent
from core.observations import USABLE

Samples = list[tuple[datetime, float]]
Series = dict[str, dict[str, Samples]]  # observed property -> site -> samples in order of time


def evaluate(
    rules: Sequence[Rule],
    observations: pd.DataFrame,
    alerts: Mapping[tuple[str, str], Alert],
    *,
    now: datetime,
    latest: pd.DataFrame | None = None,
) -> tuple[list[Alert], list[AlertEvent]]:
    """Judge the one frame (any order, any number of series) and return only what changed, events by time.

    Rows that an alert has seen are skipped, so overlapping windows are safe; several sources of one site are read as
    one series, the worse value first where two have the same time. `latest` (store.latest) only tells `missing` rules
    which series exist: old values in it never ring. At a first start the caller passes a few hours, not the history.
    A live alert whose rule is gone or off is ended, its acknowledgement stays due.
    """
    judging = [rule for rule in rules if rule.on]
    directions = {rule.direction for rule in judging}
    series = {direction: _series(observations, judging, direction) for direction in directions}
    newest = _newest(observations if latest is None else pd.concat([observations, latest]), judging)
    sites_with_alert: dict[str, set[str]] = defaultdict(set)
    for rule_key, site_id in alerts:
        sites_with_alert[rule_key].add(site_id)
    changed: list[Alert] = []
    events: list[AlertEvent] = []

    def note(before: Alert | None, after: Alert, entries: list[AlertEvent]) -> None:
        events.extend(entries)
        if after is not before and after != (before or Alert(rule=after.rule, site_id=after.site_id)):
            changed.append(after)

    for rule in judging:
        samples_by_site = series[rule.direction].get(rule.observed_property, {})
        heard = newest.get(rule.observed_property, {})
        reporting = samples_by_site if rule.kind == "process" else heard
        for site_id in sites_with_alert[rule.key].union(reporting):
            before = alerts.get((rule.key, site_id))
            alert = before or Alert(rule=rule.key, site_id=site_id)
            if not rule.limits_at(site_id):
                continue
            if rule.kind == "missing":
                alert, entries = observe_silence(alert, rule, heard.get(site_id), now)
            else:
                alert, entries = observe_series(alert, rule, samples_by_site.get(site_id, ()))
            alert, late_entries = tick(alert, rule, now)
            note(before, alert, entries + late_entries)

    by_key = {rule.key: rule for rule in judging}
    for (rule_key, site_id), before in alerts.items():
        if rule_key not in by_key or not by_key[rule_key].limits_at(site_id):
            alert, entries = withdraw(before, now)
            alert, late_entries = expire_shelf(alert, now)
            note(before, alert, entries + late_entries)
    return changed, sorted(events, key=lambda event: event.happened_at)


def _series(observations: pd.DataFrame, rules: Sequence[Rule], direction: str) -> Series:
    """Usable samples of the properties that rules of this direction watch; one per time, the worse of two."""
    wanted = {rule.observed_property for rule in rules if rule.kind == "process" and rule.direction == direction}
    data = _usable(observations, wanted)
    if data.empty:
        return {}
    value = data["value"].to_numpy(dtype="float64")
    time = data["time"].to_numpy(dtype="datetime64[us]").astype("int64")
    names, properties = np.unique(data["observed_property"].to_numpy(dtype=object), return_inverse=True)
    sites, places = np.unique(data["site_id"].to_numpy(dtype=object), return_inverse=True)
    order = np.lexsort((-value if direction == "above" else value, time, places, properties))
    group = (properties * len(sites) + places)[order]
    moments = list(data["time"].dt.to_pydatetime())
    values = value.tolist()
    ends = [*(np.flatnonzero(np.diff(group)) + 1).tolist(), len(group)]
    found: Series = defaultdict(dict)
    start = 0
    for end in ends:
        rows = order[start:end].tolist()
        samples = [(moments[row], values[row]) for row in rows]
        found[str(names[properties[rows[0]]])][str(sites[places[rows[0]]])] = samples
        start = end
    return found


def _newest(observations: pd.DataFrame, rules: Sequence[Rule]) -> dict[str, dict[str, datetime]]:
    """Time of the newest usable value per property and site, of any source, for the `missing` rules."""
    data = _usable(observations, {rule.observed_property for rule in rules if rule.kind == "missing"})
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    for key, moment in data.groupby(["observed_property", "site_id"])["time"].max().items():
        observed_property, site_id = cast("tuple[str, str]", key)
        found[observed_property][site_id] = moment.to_pydatetime()
    return found


def _usable(observations: pd.DataFrame, wanted: set[str]) -> pd.DataFrame:
    data = observations[["time", "site_id", "observed_property", "value", "quality"]]
    keep = data["observed_property"].isin(list(wanted)) & data["quality"].isin(USABLE) & data["value"].notna()
    return data[keep]
