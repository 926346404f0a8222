"""A rule tried on history before it is switched on: how often it would have rung, and what would calm it.

    «would have rung 41 times in 90 days, 3 floods, 12 chattering»

The same series and the same life as in the live engine; nobody answers, so acknowledgements do not expire and nothing
rings again for being ignored. Figures after ISA-18.2 / EEMUA 191 as far as one rule can show them.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from statistics import median

import numpy as np
import pandas as pd

from alerts.lifecycle import observe_series, observe_silence
from alerts.rules import Rule, altered, in_order
from alerts.series import (
    Band,
    Readings,
    Series,
    Times,
    derive,
    evaluate_expression,
    microseconds,
    moment_of,
    series_of,
    suppressed,
    times_of_news,
)
from core.alert import PRIORITIES, Alert, AlertEvent
from core.errors import ConfigError, InputError
from core.formats import duration, number

RINGING = ("raise", "raise_priority")
FLOOD_WINDOW = timedelta(minutes=10)
FLOOD_BEGINS_ABOVE = 10  # in (t - 10 min, t], EEMUA 191
FLOOD_ENDS_BELOW = 5
CHATTER_ACTIVATIONS = 3
CHATTER_CYCLES = 10  # ISA says «in one minute»; a city reports every 5 or 60, so it is counted in cycles
FLEETING_SHARE = 0.5  # gone within half of the time to act: nobody could have been there
DEFAULT_CYCLE = timedelta(minutes=5)
CALMER_SHARE = 0.8  # of the fleeting ones that a cure must remove
CYCLES_TRIED = (1, 2, 3, 6, 12)
DEADBANDS_TRIED = (0.05, 0.1, 0.2)  # of the mildest setpoint; 5 % is the common start for levels and flows

Progress = Callable[[float], None]
Prepared = dict[str, Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One time that the alert was active at a site. `ended_at` is None where it still was at the end of the trial."""

    site_id: str
    began_at: datetime
    ended_at: datetime | None
    priority: str  # the worst that it reached

    def lasted(self, until: datetime) -> timedelta:
        """How long, or so far."""
        return (self.ended_at or until) - self.began_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule would have done in since < time <= until."""

    rule: Rule
    since: datetime
    until: datetime
    rings: int  # annunciations: raised, or raised in priority, and not under a suppression by design
    suppressed: int  # annunciations that suppress_when would have covered
    floods: int  # spells with more than 10 rings in 10 minutes, over all sites of this one rule
    chattering: int  # activations that stand among 3 or more at one site within 10 cycles
    fleeting: int  # activations that ended within half of the time to act
    by_site: Mapping[str, int]  # rings, most first
    rung_at: tuple[datetime, ...]
    activations: tuple[Activation, ...]  # in order of time
    events: tuple[AlertEvent, ...]
    longest: timedelta | None
    median: timedelta | None
    judged: pd.DataFrame  # time, site_id, value: what was judged, in the unit of the rule

    @property
    def days(self) -> float:
        """How many days were tried."""
        return (self.until - self.since) / timedelta(days=1)

    def words(self, language: str) -> str:
        """The verdict in one sentence, in `vi` or `en`."""
        return verdict(self.rings, self.days, self.floods, self.chattering, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """The smallest change that calms a rule without losing what lasted. `changes` fits `alerts.rules.altered`."""

    outcome: str  # not_needed | found | not_found
    changes: Mapping[str, float]
    before: Trial
    after: Trial | None
    lasting: int  # activations that lasted at least the time to act
    kept: int  # of these, how many would still have rung
    later: timedelta | None  # median of how much later they would have rung

    def words(self, language: str) -> str:
        """What to tell the person who owns the rule."""
        english = language == "en"
        if self.outcome == "not_needed":
            return "No cure needed." if english else "Không cần hiệu chỉnh."
        if self.outcome == "not_found" or self.after is None:
            return (
                "No cure found: every delay and deadband that was tried loses alerts that lasted, or does not calm it."
                if english
                else "Không tìm được cách hiệu chỉnh: mọi độ trễ và dải trễ đã thử đều làm mất cảnh báo kéo dài "
                "hoặc không đủ làm dịu."
            )
        figures = ", ".join(f"{key} = {value:g}" for key, value in self.changes.items())
        late = duration(self.later or timedelta(0), language) if self.later else "0"
        if english:
            kept = f"all {self.kept} lasting ones are kept, {late} later" if self.lasting else "none of them lasted"
            return f"{figures}: rings {self.after.rings} times instead of {self.before.rings}; {kept}."
        kept = f"giữ đủ {self.kept} lần kéo dài, muộn hơn {late}" if self.lasting else "không lần nào kéo dài"
        return f"{figures}: reo {self.after.rings} lần thay vì {self.before.rings}; {kept}."


def verdict(rings: int, days: float, floods: int, chattering: int, language: str) -> str:
    """«would have rung 41 times in 90 days, 3 floods, 12 chattering», or the same in Vietnamese."""
    span = number(days, 0 if days >= 1 else 1, language)
    if language == "en":
        return f"would have rung {rings} times in {span} days, {floods} floods, {chattering} chattering"
    return f"sẽ reo {rings} lần trong {span} ngày, {floods} trận dồn dập, {chattering} lần chập chờn"


def try_rule(
    rule: Rule,
    observations: pd.DataFrame,
    *,
    since: datetime,
    until: datetime,
    latest: pd.DataFrame | None = None,
    band: Band | None = None,
    others: Sequence[Rule] = (),
    progress: Progress | None = None,
) -> Trial:
    """What the rule would have done in since < time <= until, whether it is switched on or not.

    `observations` should reach back further by `alerts.engine.lookback([rule])`; `latest` adds the newest values of
    slow series. `others` are the rules that it may ask about by alert(). Raises InputError for an empty span.
    """
    if until <= since:
        raise InputError(f"the trial ends at {until:%Y-%m-%d %H:%M} before it begins; give a later end")
    prepared, covers = _prepare(rule, observations, since, until, latest, band, others)
    return _run(rule, prepared, since, until, covers, progress)


def suggest_cure(
    rule: Rule,
    observations: pd.DataFrame,
    *,
    since: datetime,
    until: datetime,
    latest: pd.DataFrame | None = None,
    band: Band | None = None,
    others: Sequence[Rule] = (),
    progress: Progress | None = None,
) -> Cure:
    """The smallest on-delay, off-delay or deadband that ends chattering and 80 % of the fleeting activations.

    Off-delay and deadband come first, for they do not make the rule later; no delay grows by more than half of the
    time to act: a longer one would ring too late, or make one long alert of things that had nothing to do with each
    other. Every activation that lasted at least the time to act must still ring.
    """
    if until <= since:
        raise InputError(f"the trial ends at {until:%Y-%m-%d %H:%M} before it begins; give a later end")
    prepared, covers = _prepare(rule, observations, since, until, latest, band, others)
    before = _run(rule, prepared, since, until, covers)
    lasting = _lasting(before)
    if not before.chattering and before.fleeting <= (1 - CALMER_SHARE) * len(before.activations):
        return _cure("not_needed", {}, before, None, lasting)
    tried = _changes(rule)
    for place, changes in enumerate(tried):
        if progress is not None:
            progress(place / len(tried))
        try:
            variant = altered(rule, changes)
        except ConfigError:  # a deadband that reaches the next milder level is no candidate
            continue
        after = _run(variant, prepared, since, until, covers)
        if _calms(before, after) and len(_kept(lasting, after)) == len(lasting):
            return _cure("found", changes, before, after, lasting)
    return _cure("not_found", {}, before, None, lasting)


def asked_about(rule: Rule, others: Sequence[Rule]) -> list[Rule]:
    """The rules that a rule's alert() asks about, and those that they ask about, in order: their history is wanted."""
    by_key = {one.key: one for one in others}
    wanted, found = list(rule.waits_for), set()
    while wanted:
        key = wanted.pop()
        if key in by_key and key not in found:
            found.add(key)
            wanted += by_key[key].waits_for
    return in_order([by_key[key] for key in sorted(found)])


def count_floods(rung_at: Iterable[datetime]) -> int:
    """Spells that begin with more than 10 rings in (t - 10 min, t] and end when fewer than 5 are left."""
    window: deque[datetime] = deque()
    floods, flooded = 0, False
    for at in sorted(rung_at):
        while window and window[0] <= at - FLOOD_WINDOW:
            window.popleft()
        if len(window) < FLOOD_ENDS_BELOW:  # what was left just before this ring
            flooded = False
        window.append(at)
        if len(window) > FLOOD_BEGINS_ABOVE and not flooded:
            floods, flooded = floods + 1, True
    return floods


def count_chattering(activations: Iterable[Activation], span: timedelta) -> int:
    """Activations, in order of time, that stand among 3 or more of their own site in (t - span, t]."""
    by_site: dict[str, list[datetime]] = defaultdict(list)
    for one in activations:
        by_site[one.site_id].append(one.began_at)
    return sum(_among_many(began_at, span) for began_at in by_site.values())


def _among_many(began_at: Sequence[datetime], span: timedelta) -> int:
    member = [False] * len(began_at)
    first = 0
    for place, at in enumerate(began_at):
        while began_at[first] <= at - span:
            first += 1
        if place - first + 1 >= CHATTER_ACTIVATIONS:
            member[first : place + 1] = [True] * (place - first + 1)
    return sum(member)


def activations_of(events: Iterable[AlertEvent]) -> list[Activation]:
    """From raise to clear (or latch), per site, in order of time; the last ones may be open."""
    standing: dict[tuple[str, str], Activation] = {}
    found: list[Activation] = []
    for event in events:
        key = (event.rule, event.site_id)
        if event.deed == "raise":
            standing[key] = Activation(
                site_id=event.site_id, began_at=event.happened_at, ended_at=None, priority=event.priority
            )
        elif event.deed == "raise_priority" and key in standing:
            one = standing[key]
            worst = max(one.priority, event.priority, key=PRIORITIES.index)
            standing[key] = Activation(site_id=one.site_id, began_at=one.began_at, ended_at=None, priority=worst)
        elif event.deed in ("clear", "latch") and key in standing:
            one = standing.pop(key)
            found.append(
                Activation(
                    site_id=one.site_id, began_at=one.began_at, ended_at=event.happened_at, priority=one.priority
                )
            )
    return sorted([*found, *standing.values()], key=lambda one: (one.began_at, one.site_id))


# -- the run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Covers:
    """Asks whether suppress_when would have hidden a ring."""

    readings: Readings
    standing: Mapping[str, Mapping[str, Series]]

    def hide(self, rule: Rule, event: AlertEvent) -> bool:
        times = np.array([microseconds(event.happened_at)], dtype=np.int64)
        return suppressed(rule, event.site_id, times, self.readings, self.standing)[0] is True


def _prepare(
    rule: Rule,
    observations: pd.DataFrame,
    since: datetime,
    until: datetime,
    latest: pd.DataFrame | None,
    band: Band | None,
    others: Sequence[Rule],
) -> tuple[Prepared, _Covers]:
    """What the rule judges per site, and what is needed to ask about suppression. Delays and deadbands play no part."""
    asked = asked_about(rule, others)
    names = {name for one in (rule, *asked) for name in one.properties}
    readings = Readings(observations, names)
    columns = ["time", "site_id", "observed_property", "value", "quality"]
    known = readings
    if latest is not None:
        known = Readings(pd.concat([observations[columns], latest[columns]], ignore_index=True), names)
    standing: dict[str, dict[str, Series]] = defaultdict(dict)
    for one in asked:
        for site_id, series in _series(one, readings, known, standing, since, until, band).items():
            events = _live(one, site_id, series, until)
            moves = [(e.happened_at, e.deed == "raise") for e in events if e.deed in ("raise", "clear", "latch")]
            standing[one.key][site_id] = series_of(moves, False)
    return _series(rule, readings, known, standing, since, until, band), _Covers(known, standing)


def _series(
    rule: Rule,
    readings: Readings,
    known: Readings,
    standing: Mapping[str, Mapping[str, Series]],
    since: datetime,
    until: datetime,
    band: Band | None,
) -> Prepared:
    """Per site what is judged in since < time <= until."""
    first, last = microseconds(since), microseconds(until)
    if rule.expression is None:
        sites: Iterable[str] = readings.sites(rule.observed_property)
    elif rule.only_sites is not None:
        sites = sorted(rule.only_sites)
    else:
        sites = dict.fromkeys(site_id for name in rule.expression.reported for site_id in readings.sites(name))
    prepared: Prepared = {}
    for site_id in sites:
        if not rule.limits_at(site_id):
            continue
        if rule.expression is None:
            times, values = derive(rule, site_id, readings, band)
        else:
            news = times_of_news(rule, site_id, readings, standing, until, first)
            times, values = evaluate_expression(rule, site_id, news, known, standing)
        inside = (times > first) & (times <= last)
        prepared[site_id] = (times[inside], values[inside])
    return prepared


def _live(rule: Rule, site_id: str, series: Series, until: datetime) -> list[AlertEvent]:
    """The life that a series causes at one site."""
    alert = Alert(rule=rule.key, site_id=site_id)
    samples = [(moment_of(at), value) for at, value in zip(series[0].tolist(), series[1].tolist(), strict=True)]
    if rule.kind != "missing" or rule.stale_after is None:
        return observe_series(alert, rule, samples)[1]
    events: list[AlertEvent] = []
    moments = [at for at, _ in samples]
    for at, following in zip(moments, [*moments[1:], until], strict=True):
        alert, entries = observe_silence(alert, rule, at, at)
        events += entries
        rings_at = at + rule.stale_after + timedelta(microseconds=1)
        if rings_at < following:
            alert, entries = observe_silence(alert, rule, at, rings_at)
            events += entries
    return events


def _run(
    rule: Rule,
    prepared: Prepared,
    since: datetime,
    until: datetime,
    covers: _Covers,
    progress: Progress | None = None,
) -> Trial:
    events: list[AlertEvent] = []
    for place, (site_id, series) in enumerate(prepared.items(), start=1):
        events += _live(rule, site_id, series, until)
        if progress is not None:
            progress(place / len(prepared))
    events.sort(key=lambda event: event.happened_at)
    ringing = [event for event in events if event.deed in RINGING]
    rung = [event for event in ringing if rule.suppress_when is None or not covers.hide(rule, event)]
    activations = activations_of(events)
    spans = [one.lasted(until) for one in activations]
    return Trial(
        rule=rule,
        since=since,
        until=until,
        rings=len(rung),
        suppressed=len(ringing) - len(rung),
        floods=count_floods(event.happened_at for event in rung),
        chattering=count_chattering(
            activations, CHATTER_CYCLES * cycle_of(rule, [times for times, _ in prepared.values()])
        ),
        fleeting=len(_fleeting(rule, activations)),
        by_site=dict(Counter(event.site_id for event in rung).most_common()),
        rung_at=tuple(event.happened_at for event in rung),
        activations=tuple(activations),
        events=tuple(events),
        longest=max(spans, default=None),
        median=timedelta(seconds=median(span.total_seconds() for span in spans)) if spans else None,
        judged=_frame(prepared),
    )


def cycle_of(rule: Rule, times_per_site: Iterable[Times]) -> timedelta:
    """How often a value is due: from the catalogue, else as the series came."""
    if rule.cycle is not None:
        return rule.cycle
    parts = [np.diff(times) for times in times_per_site]
    steps = np.concatenate(parts) if parts else np.empty(0)
    return timedelta(microseconds=float(np.median(steps))) if len(steps) else DEFAULT_CYCLE


def _fleeting(rule: Rule, activations: Iterable[Activation], longer_by: timedelta = timedelta(0)) -> list[Activation]:
    """Those that ended within half of the time to act; `longer_by` is what other delays add to each of them."""
    if rule.time_to_act is None:
        return []
    limit = FLEETING_SHARE * rule.time_to_act + longer_by
    return [one for one in activations if one.ended_at is not None and one.ended_at - one.began_at < limit]


def _frame(prepared: Prepared) -> pd.DataFrame:
    """time, site_id, value of everything that was judged."""
    parts = [
        pd.DataFrame({"time": pd.to_datetime(times, unit="us", utc=True), "site_id": site_id, "value": values})
        for site_id, (times, values) in prepared.items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"time": [], "site_id": [], "value": []})


# -- the cure ---------------------------------------------------------------------------------------------------------


def _changes(rule: Rule) -> list[dict[str, float]]:
    """What may be tried, the smallest and the least delaying first. A rule about silence has one figure only."""
    cycle = (rule.cycle or DEFAULT_CYCLE) / timedelta(minutes=1)
    if rule.kind == "missing":
        most_min = FLEETING_SHARE * (rule.time_to_act or timedelta(0)) / timedelta(minutes=1)
        silent_min = (rule.stale_after or timedelta(0)) / timedelta(minutes=1)
        longer = [steps * cycle for steps in CYCLES_TRIED if steps * cycle <= most_min]
        return [{"stale_after_min": silent_min + more} for more in longer]
    on_min, off_min = (span / timedelta(minutes=1) for span in (rule.on_delay, rule.off_delay))
    most = FLEETING_SHARE * (rule.time_to_act or timedelta(0)) / timedelta(minutes=1)
    offs = [off_min + steps * cycle for steps in CYCLES_TRIED if steps * cycle <= most]
    ons = [on_min + steps * cycle for steps in CYCLES_TRIED if on_min + steps * cycle <= most]
    bands: list[float] = []
    setpoints = [limit.on_at for limit in rule.limits[:1] if isinstance(limit.on_at, float)]
    if rule.expression is None or not rule.expression.condition:
        bands = [rule.deadband + share * abs(setpoint) for setpoint in setpoints for share in DEADBANDS_TRIED]
    bands = [round(band, 6) for band in bands if band > rule.deadband]
    single = [
        *({"off_delay_min": off} for off in offs[:2]),
        *({"deadband": band} for band in bands),
        *({"off_delay_min": off} for off in offs[2:]),
        *({"on_delay_min": on} for on in ons),
    ]
    double = sorted(product(ons, offs), key=lambda pair: (pair[0] - on_min) + (pair[1] - off_min))
    return [*single, *({"on_delay_min": on, "off_delay_min": off} for on, off in double)]


def _calms(before: Trial, after: Trial) -> bool:
    """No chattering and at most a fifth of the fleeting ones left.

    How long the condition itself lasted is compared: a longer off-delay makes nothing last, a later ring nothing short.
    """
    longer_by = after.rule.off_delay - before.rule.off_delay - (after.rule.on_delay - before.rule.on_delay)
    if after.rule.kind == "missing" and after.rule.stale_after and before.rule.stale_after:
        longer_by -= after.rule.stale_after - before.rule.stale_after
    left = _fleeting(after.rule, after.activations, longer_by)
    return not after.chattering and len(left) <= (1 - CALMER_SHARE) * before.fleeting


def _lasting(trial: Trial) -> list[Activation]:
    least = trial.rule.time_to_act
    return [one for one in trial.activations if least is not None and one.lasted(trial.until) >= least]


def _kept(lasting: Sequence[Activation], after: Trial) -> list[timedelta]:
    """For each lasting activation that still rings, and as severely: how much later."""
    delays = []
    for one in lasting:
        end = one.ended_at or after.until
        same = [
            other
            for other in after.activations
            if other.site_id == one.site_id
            and other.began_at <= end
            and (other.ended_at or after.until) >= one.began_at
            and PRIORITIES.index(other.priority) >= PRIORITIES.index(one.priority)
        ]
        if same:
            delays.append(max(same[0].began_at - one.began_at, timedelta(0)))
    return delays


def _cure(
    outcome: str, changes: Mapping[str, float], before: Trial, after: Trial | None, lasting: Sequence[Activation]
) -> Cure:
    delays = [] if after is None else _kept(lasting, after)
    return Cure(
        outcome=outcome,
        changes=changes,
        before=before,
        after=after,
        lasting=len(lasting),
        kept=len(delays),
        later=timedelta(seconds=median(delay.total_seconds() for delay in delays)) if delays else None,
    )
