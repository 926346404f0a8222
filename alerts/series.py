"""From observations to what a rule judges: per site a series of (time, figure), derived by the kind of the rule.

    threshold, scale   the value itself
    rate               its change per hour, over `over`
    deviation          how many robust sigmas it lies from the usual of that hour class (p10, p50, p90)
    count              how many values reach a bound, or the sum of events, within `window`
    expression         1, 0 or a number, at every time at which something that it reads is new

Where data are missing there is no figure, and no figure neither raises nor clears. Times are whole microseconds UTC
inside this file: arrays of them are quick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from alerts.expression import Floats, Member, Span, unknown
from alerts.rules import Rule
from core.calendar import HOUR_CLASSES, hour_classes
from core.observations import USABLE

Times = npt.NDArray[np.int64]
Series = tuple[Times, Floats]
Band = Mapping[tuple[str, str], pd.DataFrame]  # (property, site) -> indexed by hour class: low, middle, high, n
Standing = Mapping[str, Mapping[str, Series]]  # rule -> site -> (since when, 1 active or 0)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
BAND_WIDTH_SIGMAS = 2.5631  # p90 - p10 of a normal distribution
LEAST_COVERED = 0.75  # of a window, for counting in it
ABSENT_AFTER = timedelta(hours=24)  # a site that has been silent so long no longer belongs to its ward or city
EXACT_DECIMALS = 9  # 2.2 m after 2.5 m is -0.3 m and reaches it, not -0.2999…
BEGINNING = np.iinfo(np.int64).min
NOTHING: Series = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(time_us: int) -> datetime:
    """The aware UTC moment of whole microseconds."""
    return EPOCH + timedelta(microseconds=time_us)


class Usual(NamedTuple):
    """The usual band of one series by hour class; n is 0 where there is none."""

    middle: Floats
    sigma: Floats
    n: Floats

    @classmethod
    def of(cls, band: pd.DataFrame) -> Usual:
        """From the rows of the store: index hour class; low, middle, high, n."""
        low, middle, high, n = np.full((4, HOUR_CLASSES), np.nan)
        hours = band.index.to_numpy(dtype=np.int64)
        low[hours], middle[hours], high[hours], n[hours] = (
            band[["low", "middle", "high", "n"]].to_numpy(dtype=np.float64).T
        )
        return cls(middle, (high - low) / BAND_WIDTH_SIGMAS, np.nan_to_num(n))


class Readings:
    """Usable values of some properties as arrays per (property, site), in order of time, one value per time.

    Several sources of one site are one series; of two values at the same time the worse for the asker counts.
    """

    def __init__(self, observations: pd.DataFrame, properties: Collection[str]) -> None:
        """`observations` is the one frame in any order, perhaps with more columns."""
        data = observations[["time", "site_id", "observed_property", "value", "quality"]]
        wanted = data["observed_property"].isin(list(properties)) & data["quality"].isin(USABLE)
        data = data[wanted & data["value"].notna()]
        self._rows: dict[tuple[str, str], Series] = {}
        self._by_property: dict[str, list[str]] = {}
        self._deduped: dict[tuple[str, str, bool], Series] = {}
        self._feeds: dict[str, Times] = {}
        self._usual: dict[tuple[str, str], Usual | None] = {}
        self._classes: dict[str, tuple[Times, npt.NDArray[np.int64]]] = {}
        if data.empty:
            return
        times = data["time"].to_numpy(dtype="datetime64[us]").astype(np.int64)
        values = data["value"].to_numpy(dtype=np.float64)
        property_places, names = pd.factorize(data["observed_property"])
        site_places, sites = pd.factorize(data["site_id"])
        groups = property_places.astype(np.int64) * len(sites) + site_places
        order = np.lexsort((values, times, groups))
        times, values, groups = times[order], values[order], groups[order]
        starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(groups)], strict=True):
            place, site = divmod(int(groups[start]), len(sites))
            name, site_id = str(names[place]), str(sites[site])
            self._rows[name, site_id] = (times[start:end], values[start:end])
            self._by_property.setdefault(name, []).append(site_id)

    def sites(self, observed_property: str) -> list[str]:
        """Sites that report the property."""
        return self._by_property.get(observed_property, [])

    def of(self, observed_property: str, site_id: str, highest: bool = True) -> Series:
        """One series; of two values at the same time the highest, or the lowest."""
        key = (observed_property, site_id, highest)
        if key not in self._deduped:
            times, values = self._rows.get((observed_property, site_id), NOTHING)
            differs = times[1:] != times[:-1]
            keep = np.r_[differs, True] if highest else np.r_[True, differs]
            self._deduped[key] = (times, values) if differs.all() else (times[keep], values[keep])
        return self._deduped[key]

    def newest(self, rule: Rule, site_id: str) -> int:
        """The newest time that a rule without an expression can judge at a site."""
        if rule.counts == "events":
            times = self.feed(rule.observed_property)
        else:
            times, _ = self._rows.get((rule.observed_property, site_id), NOTHING)
        return int(times[-1]) if len(times) else BEGINNING

    def feed(self, observed_property: str) -> Times:
        """All times at which any site reported the property: then its feed was alive."""
        if observed_property not in self._feeds:
            parts = [self._rows[observed_property, site_id][0] for site_id in self.sites(observed_property)]
            self._feeds[observed_property] = np.unique(np.concatenate(parts)) if parts else NOTHING[0]
        return self._feeds[observed_property]

    def usual(self, observed_property: str, site_id: str, band: Band | None) -> Usual | None:
        """The usual band of a series, or None where there is none; read once for all rules."""
        key = (observed_property, site_id)
        if key not in self._usual:
            rows = None if band is None else band.get(key)
            self._usual[key] = None if rows is None else Usual.of(rows)
        return self._usual[key]

    def classes(self, observed_property: str, times: Times, zone: ZoneInfo) -> npt.NDArray[np.int64]:
        """Hour class of each time, which must be one of the property's own; computed once for all sites."""
        if observed_property not in self._classes:
            known = self.feed(observed_property)
            stamps = pd.to_datetime(known, unit="us", utc=True)
            self._classes[observed_property] = (known, hour_classes(pd.DatetimeIndex(stamps), zone))
        known, classes = self._classes[observed_property]
        return np.asarray(classes[np.searchsorted(known, times)])


def derive(rule: Rule, site_id: str, readings: Readings, band: Band | None) -> Series:
    """What a rule of any kind but missing and expression judges at a site."""
    series = readings.of(rule.observed_property, site_id, highest=rule.direction != "below")
    match rule.kind:
        case "rate":
            return rate(*series, over=rule.over, longest_gap=rule.stale_after or rule.over)
        case "deviation":
            usual = readings.usual(rule.observed_property, site_id, band)
            if usual is None or not len(series[0]):
                return NOTHING
            return deviation(*series, readings.classes(rule.observed_property, series[0], rule.zone), usual, rule)
        case "count":
            clock = series[0] if rule.counts == "values" else readings.feed(rule.observed_property)
            return count(*series, clock=clock, rule=rule)
    return series


def rate(times: Times, values: Floats, *, over: timedelta, longest_gap: timedelta) -> Series:
    """Change per hour [unit/h] since the newest value that is at least `over` old; none across a longer gap."""
    if not len(times):
        return NOTHING
    before = np.searchsorted(times, times - over // MICROSECOND, side="right") - 1
    gaps = np.r_[False, np.diff(times) > longest_gap // MICROSECOND]
    unbroken_since = np.maximum.accumulate(np.where(gaps, np.arange(len(times)), 0))
    usable = (before >= 0) & (before >= unbroken_since)
    now, then = np.flatnonzero(usable), before[usable]
    change = (values[now] - values[then]) / ((times[now] - times[then]) / HOUR_US)
    return times[now], np.asarray(np.round(change, EXACT_DECIMALS), dtype=np.float64)


def deviation(times: Times, values: Floats, classes: npt.NDArray[np.int64], usual: Usual, rule: Rule) -> Series:
    """(value - p50) / sigma of the hour class, sigma = (p90 - p10) / 2.5631 but at least `least_spread`.

    Hours with fewer than `least_n` values in the band are not judged.
    """
    sigma = np.maximum(usual.sigma[classes], rule.least_spread)
    score = np.where(usual.n[classes] >= rule.least_n, (values - usual.middle[classes]) / sigma, np.nan)
    judged = np.isfinite(score)
    return times[judged], np.asarray(np.round(score[judged], EXACT_DECIMALS), dtype=np.float64)


def count(times: Times, values: Floats, *, clock: Times, rule: Rule) -> Series:
    """At each time of the clock: how many values of (t - window, t] reach the bound, or the sum of them as events.

    A time of the clock vouches for the span since the one before, but not across a gap longer than stale-after; a
    window of which less than three quarters are vouched for is not judged.
    """
    if len(clock) < 2:
        return NOTHING
    window = rule.window // MICROSECOND
    longest_gap = (rule.stale_after or rule.window) // MICROSECOND
    steps = np.diff(clock)
    vouched = np.r_[0, np.cumsum(np.where(steps <= longest_gap, steps, 0))]
    covered = vouched - np.interp(clock - window, clock, vouched)
    if rule.counts == "events":
        counted = values
    else:
        bound = rule.counted_from if rule.counted_from is not None else np.nan
        counted = (values <= bound if rule.counted_below else values >= bound).astype(np.float64)
    total = np.r_[0.0, np.cumsum(counted)]
    upto = np.searchsorted(times, clock, side="right")
    after = np.searchsorted(times, clock - window, side="right")
    judged = covered >= LEAST_COVERED * window
    return clock[judged], (total[upto] - total[after])[judged]


def usual_of(observations: pd.DataFrame, properties: Collection[str], zone: ZoneInfo) -> Band:
    """The usual band of a file: p10, p50, p90 and n per hour class, as the store keeps it over eight weeks.

    A file that is judged by its own band is judged by what came after, too: good for a try, not for a verdict.
    """
    data = observations[observations["observed_property"].isin(list(properties))]
    data = data[data["quality"].isin(USABLE) & data["value"].notna()]
    if data.empty:
        return {}
    hours = hour_classes(data["time"], zone)
    found = {}
    for key, piece in data.assign(hour_of_week=hours).groupby(["observed_property", "site_id"], sort=False):
        by_hour = piece.groupby("hour_of_week")["value"]
        levels = by_hour.quantile(np.array([0.1, 0.5, 0.9])).unstack()
        levels.columns = pd.Index(["low", "middle", "high"])
        found[str(key[0]), str(key[1])] = levels.assign(n=by_hour.size())
    return found


@dataclass(frozen=True)
class Scene:
    """What an expression sees from a site at some times (`expression.Known`). `readings` may reach back and be old."""

    readings: Readings
    site_id: str
    times: Times
    rule: Rule
    scope: str
    standing: Standing

    @property
    def length(self) -> int:
        """How many times are asked for."""
        return len(self.times)

    def value(self, observed_property: str) -> Span:
        """The newest value at the own site, unknown once it is older than the property's stale-after."""
        return self.value_at(self.site_id, observed_property)

    def value_at(self, site_id: str, observed_property: str) -> Span:
        """The same at a named site or source."""
        times, values = self.readings.of(observed_property, site_id)
        place = np.searchsorted(times, self.times, side="right") - 1
        stale_after = self.rule.stale_by_property.get(observed_property)
        fresh = place >= 0
        if stale_after is not None and len(times):
            fresh &= self.times - times[place] <= stale_after // MICROSECOND
        if not fresh.any():
            return unknown(self.length)
        found = values[place]
        return Span(np.where(fresh, found, -np.inf), np.where(fresh, found, np.inf))

    def age(self, observed_property: str) -> Span:
        """Minutes since the newest value at the own site."""
        times, _ = self.readings.of(observed_property, self.site_id)
        place = np.searchsorted(times, self.times, side="right") - 1
        if not len(times):
            return unknown(self.length)
        minutes = (self.times - times[place]) / MINUTE_US
        return Span(np.where(place >= 0, minutes, -np.inf), np.where(place >= 0, minutes, np.inf))

    def stands(self, rule: str) -> Span:
        """1 where an alert of that rule is active in the scope; an alert of a source counts in the whole city."""
        by_site = self.standing.get(rule, {})
        near = by_site if self.scope == "city" else self.rule.ground.within(self.site_id, self.scope, by_site)
        active = np.zeros(self.length)
        for site_id in near:
            since, states = by_site[site_id]
            active = np.maximum(active, states[np.searchsorted(since, self.times, side="right") - 1])
        return Span(active, active)

    def members(self, properties: Collection[str]) -> list[Member]:
        """The sites of the scope that report one of the properties, each for as long as it is not silent for a day."""
        reporting = dict.fromkeys(site_id for name in sorted(properties) for site_id in self.readings.sites(name))
        found = []
        for site_id in self.rule.ground.within(self.site_id, self.scope, reporting):
            there = np.zeros(self.length, dtype=np.bool_)
            for name in properties:
                there |= self._not_absent(name, site_id)
            found.append(Member(Scene(self.readings, site_id, self.times, self.rule, "site", self.standing), there))
        return found

    def _not_absent(self, observed_property: str, site_id: str) -> npt.NDArray[np.bool_]:
        times, _ = self.readings.of(observed_property, site_id)
        if not len(times):
            return np.zeros(self.length, dtype=np.bool_)
        place = np.searchsorted(times, self.times, side="right") - 1
        stale_after = self.rule.stale_by_property.get(observed_property, timedelta(0))
        longest = max(ABSENT_AFTER, 2 * stale_after) // MICROSECOND
        return np.asarray((place >= 0) & (self.times - times[place] <= longest))


def times_of_news(
    rule: Rule, site_id: str, readings: Readings, standing: Standing, now: datetime, after_us: int
) -> Times:
    """When something that an expression reads became new, later than `after_us`, and now.

    Now counts because rows come late and ages grow: what arrived since the last round is judged in this one.
    """
    expression = rule.expression
    if expression is None:
        return NOTHING[0]
    series = [(name, site_id) for name in expression.own]
    for name in expression.reported:
        series += [(name, one) for one in rule.ground.within(site_id, rule.scope, readings.sites(name))]
    series += [(name, site) for site, name in expression.sites]
    parts: list[Times] = [readings.of(name, site)[0] for name, site in dict.fromkeys(series)]
    parts += [since[1:] for key in expression.rules for since, _ in standing.get(key, {}).values()]
    parts.append(np.array([microseconds(now)], dtype=np.int64))
    times = np.unique(np.concatenate(parts))
    return np.asarray(times[times > after_us])


def evaluate_expression(rule: Rule, site_id: str, times: Times, readings: Readings, standing: Standing) -> Series:
    """What the rule's expression says at those times; where it is unknown there is no sample."""
    if rule.expression is None or not len(times):
        return NOTHING
    span = rule.expression.evaluate(Scene(readings, site_id, times, rule, rule.scope, standing))
    return times[span.known], span.low[span.known]


def suppressed(rule: Rule, site_id: str, times: Times, readings: Readings, standing: Standing) -> list[bool | None]:
    """At each time: whether the rule's suppress_when holds at a site; None where that is unknown."""
    if rule.suppress_when is None:
        return [False] * len(times)
    span = rule.suppress_when.evaluate(Scene(readings, site_id, times, rule, rule.suppress_scope, standing))
    return [bool(low) if known else None for low, known in zip(span.low.tolist(), span.known.tolist(), strict=True)]


def series_of(changes: Iterable[tuple[datetime, bool]], active_before: bool) -> Series:
    """Since when an alert has been active or not, from its activity before and what changed it."""
    ordered = [(BEGINNING, active_before), *((microseconds(at), active) for at, active in changes)]
    times = np.maximum.accumulate(np.array([at for at, _ in ordered], dtype=np.int64))
    return times, np.array([float(active) for _, active in ordered])
