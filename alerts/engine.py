"""Rules meet observations: (rules, observations, alerts) -> (alerts to write, events). Fit for `store.change_alerts`:
`store.change_alerts(functools.partial(evaluate, rules, observations, now=now, latest=latest))`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import numpy as np
import pandas as pd

from alerts.lifecycle import Changed, learned, observe_series, observe_silence, release, suppress, tick, withdraw
from alerts.rules import Rule, in_order
from alerts.series import (
    Band,
    Readings,
    Series,
    derive,
    evaluate_expression,
    microseconds,
    moment_of,
    series_of,
    suppressed,
    times_of_news,
)
from core.alert import Alert, AlertEvent, Key
from core.observations import USABLE

ACTIVITY = {"raise": True, "clear": False, "latch": False}  # deeds that begin and end the condition
LONGEST_LOOKBACK = timedelta(hours=24)


def properties(rules: Iterable[Rule]) -> list[str]:
    """Everything that the rules read: what `observations` and `latest` must hold."""
    return sorted({name for rule in rules for name in rule.properties})


def lookback(rules: Iterable[Rule]) -> timedelta:
    """How far before the newest judged value `observations` must reach: the longest span that a rule looks over."""
    spans = [timedelta(0)]
    for rule in rules:
        gap = rule.stale_after or timedelta(0)
        if rule.kind in ("rate", "count"):
            spans.append(rule.over + rule.window + gap)
        if rule.kind == "expression":
            spans.append(min(gap, LONGEST_LOOKBACK))
    return max(spans)


def evaluate(
    rules: Sequence[Rule],
    observations: pd.DataFrame,
    alerts: Mapping[Key, Alert],
    *,
    now: datetime,
    latest: pd.DataFrame | None = None,
    band: Band | None = None,
    in_time: bool = False,
) -> tuple[list[Alert], list[AlertEvent]]:
    """Judge the one frame (any order, any number of series) and return only what changed, events by time.

    Rows that an alert has seen are skipped, so overlapping windows are safe, and windows must overlap by
    `lookback(rules)`. `latest` (store.latest) tells which series exist and what expressions know besides: old values
    in it never ring. `band` is the usual band by (property, site), without it no deviation is judged. At a first start
    the caller passes a few hours, not the history. `in_time`: a history is judged at once, as if each of its values
    had come at its own time; otherwise what is old was not known before `now`. A live alert whose rule is gone or off
    is ended, its acknowledgement stays due.
    """
    judging = in_order([rule for rule in rules if rule.on])
    readings = Readings(observations, properties(judging))
    reading_more = [rule for rule in judging if rule.expression or rule.suppress_when]
    known = readings
    if latest is not None and reading_more:
        known = Readings(_together(observations, latest), properties(reading_more))
    newest = _newest(observations if latest is None else _together(observations, latest), judging)
    waited_for = {key for rule in judging for key in rule.waits_for}
    standing: dict[str, dict[str, Series]] = defaultdict(dict)
    sites_with_alert: dict[str, list[str]] = defaultdict(list)
    for rule_key, site_id in alerts:
        sites_with_alert[rule_key].append(site_id)
    now_us = np.array([microseconds(now)], dtype=np.int64)
    changed: list[Alert] = []
    events: list[tuple[datetime, AlertEvent]] = []

    def note(before: Alert | None, after: Alert, entries: list[AlertEvent]) -> None:
        at = None  # the entries of one alert keep their order, also where the clock was ahead of an observation
        for entry in entries:
            at = entry.happened_at if at is None else max(at, entry.happened_at)
            events.append((at, entry))
        if after is not before and after != (before or Alert(rule=after.rule, site_id=after.site_id)):
            changed.append(after)

    for rule in judging:
        heard = newest.get(rule.observed_property, {})
        for site_id in dict.fromkeys([*sites_with_alert[rule.key], *_candidates(rule, readings, heard)]):
            if not rule.limits_at(site_id):
                continue
            before = alerts.get((rule.key, site_id))
            alert = before or Alert(rule=rule.key, site_id=site_id)
            (covered,) = suppressed(rule, site_id, now_us, known, standing)
            entries: list[AlertEvent] = []
            if covered:
                alert, entries = _suppress(alert, rule, now)
            if rule.kind == "missing":
                alert, judged = observe_silence(alert, rule, heard.get(site_id), now)
            else:
                samples = _samples(rule, alert, readings, known, standing, band, now)
                found = observe_series(alert, rule, samples)
                alert, judged = found if in_time else learned(alert, found, now)
            alert, late_entries = tick(alert, rule, now)
            entries += judged + late_entries
            if covered is not None:  # a shelf may have ended just now; unknown leaves the cover as it is
                alert, cover_entries = _suppress(alert, rule, now) if covered else release(alert, now)
                entries += cover_entries
            note(before, alert, entries)
            if rule.key in waited_for:
                moves = [(e.measured_at, ACTIVITY[e.deed]) for e in judged if e.deed in ACTIVITY]
                standing[rule.key][site_id] = series_of(moves, bool(before and before.active))

    by_key = {rule.key: rule for rule in judging}
    for (rule_key, site_id), before in alerts.items():
        if rule_key not in by_key or not by_key[rule_key].limits_at(site_id):
            alert, entries = withdraw(before, now)
            note(before, alert, entries)
    return changed, [entry for _, entry in sorted(events, key=lambda event: event[0])]


def _suppress(alert: Alert, rule: Rule, now: datetime) -> Changed:
    return suppress(alert, now, rule.suppress_when.text if rule.suppress_when else "")


def _candidates(rule: Rule, readings: Readings, heard: Mapping[str, datetime]) -> Iterable[str]:
    """Sites where the rule may have something to judge, besides those that have an alert."""
    if rule.kind == "missing":
        return heard
    if rule.expression is None:
        return readings.sites(rule.observed_property)
    if rule.only_sites is not None:
        return sorted(rule.only_sites)
    return dict.fromkeys(site_id for name in rule.expression.reported for site_id in readings.sites(name))


def _samples(
    rule: Rule,
    alert: Alert,
    readings: Readings,
    known: Readings,
    standing: Mapping[str, Mapping[str, Series]],
    band: Band | None,
    now: datetime,
) -> list[tuple[datetime, float]]:
    """What the alert has not seen yet."""
    after_us = -1 if alert.seen_at is None else microseconds(alert.seen_at)
    if rule.expression is not None:
        times = times_of_news(rule, alert.site_id, readings, standing, now, after_us)
        times, values = evaluate_expression(rule, alert.site_id, times, known, standing)
    elif after_us >= readings.newest(rule, alert.site_id):
        return []
    else:
        times, values = derive(rule, alert.site_id, readings, band)
    begin = int(np.searchsorted(times, after_us, side="right"))
    return [(moment_of(at), value) for at, value in zip(times[begin:].tolist(), values[begin:].tolist(), strict=True)]


def _together(observations: pd.DataFrame, latest: pd.DataFrame) -> pd.DataFrame:
    columns = ["time", "site_id", "observed_property", "value", "quality"]
    return pd.concat([observations[columns], latest[columns]], ignore_index=True)


def _newest(observations: pd.DataFrame, rules: Sequence[Rule]) -> dict[str, dict[str, datetime]]:
    """Time of the newest usable value per property and site, of any source, for the `missing` rules."""
    wanted = {rule.observed_property for rule in rules if rule.kind == "missing"}
    data = observations[["time", "site_id", "observed_property", "value", "quality"]]
    data = data[data["observed_property"].isin(list(wanted)) & data["quality"].isin(USABLE) & data["value"].notna()]
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    for key, moment in data.groupby(["observed_property", "site_id"])["time"].max().items():
        observed_property, site_id = cast("tuple[str, str]", key)
        found[observed_property][site_id] = moment.to_pydatetime()
    return found
