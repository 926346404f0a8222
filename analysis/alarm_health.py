"""How healthy the alarm system itself is: rates, floods, bad actors and answering times, read from the journal.

Figures and targets after ISA-18.2 and EEMUA 191 (docs/alarm-health.md has every definition). Three words:
    annunciation  a moment that calls an operator: raise, raise_priority, realarm, ack_expired that no cover hides, and
                  a cover that lifts from a condition nobody has acknowledged (ISA-18.2: shelved -> unacknowledged)
    activation    the condition from its raise to its clear or latch, annunciated or not
    alarm         one rule at one site (ISA-18.2 «alarm», our «alert»)
Windows are half-open, (t - 10 min, t]: eleven alarms at the minutes 0, 1 … 10 are no flood, for the window that ends
at minute 10 no longer holds minute 0. Times are aware UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from core.alert import COVERS, PRIORITIES, SITUATION, Alert, Key, measured_at
from core.snapshot import RuleWords

RINGS = ("raise", "raise_priority", "realarm", "ack_expired")
LIFTS = ("unshelve", "shelf_expired", "release", "return_to_service")
COVERING = ("shelve", "suppress", "take_out_of_service")
ENGINE = "engine"
WINDOW = timedelta(minutes=10)
FLOOD_STARTS_ABOVE = 10  # annunciations in a window
FLOOD_ENDS_BELOW = 5
TOP = 10
CHATTER_TIMES = 3  # activations …
CHATTER_CYCLES = 10  # … within so many cycles of the rule's data; ISA's one minute is shorter than any city's cycle
FLEETING_SHARE = 0.5  # of the time to act: nobody could have been there
STALE_AFTER = timedelta(hours=24)
DAY = timedelta(days=1)
READING_AT_MOST_MIN = 10.0  # minutes of attention that one unanswered annunciation takes at most
HANDLING_MIN = 2.0  # minutes of attention for each deed of a person
DEFAULT_CYCLE_MIN = 5.0
FEW = 10  # durations below it have no median worth a verdict
FEW_SHARES = 30  # the same for percentages and a p90
LENGTHS_MIN = (5.0, 15.0, 60.0, 240.0, 1440.0)  # classes of how long an activation lasted
WHOLE = ""  # key of the whole desk, all positions together
UNPLACED = "unplaced"  # position of a rule that no position names
VERDICTS = ("on_target", "acceptable", "over", "few", "no_target", "unknown")
FIGURES = (
    "rate", "peak", "flood_share", "top_share", "chattering", "fleeting", "stale", "split_critical", "split_high",
    "split_rest", "ack_median", "ack_p90", "resolve_median", "resolve_p90", "ack_expired", "shelved", "denied",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the page. Rates are per 10 minutes, shares in %, times in minutes, the others counts."""

    key: str  # one of FIGURES
    value: float | None  # None: nothing to compute it from, or more than half of the cases are still open
    n: int  # how many cases it rests on
    verdict: str  # one of VERDICTS
    target: float | None = None
    source: str = ""  # standard that the target comes from
    open: int = 0  # cases still open at the end, counted as censored


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """From the moment of more than ten annunciations in ten minutes to the moment of fewer than five."""

    started_at: datetime
    ended_at: datetime  # the end of the span where it still goes on
    peak: int
    first: Key  # the annunciation that opened the first window: where to look for the cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributor:
    """One alarm and its part of the load."""

    key: Key
    annunciations: int
    share: float  # % of all annunciations of the position
    chattering: bool
    fleeting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The condition of one alarm from raise to clear. `ended_at` None: still there, or not known to have ended."""

    key: Key
    began_at: datetime
    priority: str  # the worst that it reached
    covered: bool  # it began under a cover: nobody was called
    ended_at: datetime | None = None
    acked_at: datetime | None = None
    heard_at: datetime | None = None  # when its values came, where they came late: nobody could answer before

    @property
    def known_since(self) -> datetime:
        """From when on an answer could come."""
        return self.heard_at or self.began_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From an annunciation to its acknowledgement. Without `acked`: cut off by a cover, or open at `ended_at`."""

    key: Key
    began_at: datetime
    ended_at: datetime
    acked: bool
    priority: str

    @property
    def minutes(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended_at - self.began_at) / timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHealth:
    """How one rule behaves over the span, all its sites together."""

    rule: str
    position: str
    annunciations: int
    share: float  # % of all annunciations of the desk
    activations: int
    chattering: int  # alarms (sites) that chattered
    fleeting: int
    stale: int  # alarms that stand longer than a day now
    ack_expired: int
    ack_median: float | None  # minutes
    attention_min: float
    by_priority: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionHealth:
    """The figures of one operator position, or of the whole desk."""

    key: str
    figures: tuple[Figure, ...]
    floods: tuple[Flood, ...]
    peak_at: datetime | None
    histogram: tuple[tuple[int, int], ...]  # (annunciations in ten minutes, how many ten-minute slots), quiet ones too
    contributors: tuple[Contributor, ...]

    def figure(self, key: str) -> Figure:
        """The figure of that key. Raises KeyError."""
        found = {figure.key: figure for figure in self.figures}
        return found[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page shows for one span."""

    since: datetime
    until: datetime
    journal_from: datetime | None  # first line that was there to read; later than `since` in a young house
    positions: tuple[PositionHealth, ...]  # the whole desk first
    rules: tuple[RuleHealth, ...]  # most annunciations first
    annunciations: pd.DataFrame = field(repr=False)  # happened_at, rule, site_id, priority, position
    activations: tuple[Activation, ...] = field(repr=False)  # that began in the span, or stand at its end
    day: Report | None = field(default=None, repr=False)  # the last 24 hours of a longer span

    def position(self, key: str = WHOLE) -> PositionHealth:
        """The figures of a position. Raises KeyError."""
        return {one.key: one for one in self.positions}[key]


# -- what the journal tells -------------------------------------------------------------------------------------------


@dataclass
class _Life:
    """What is open for one alarm while the journal is read from old to new."""

    activation: Activation | None = None
    wait: Wait | None = None
    answered: Wait | None = None  # the wait that the last acknowledgement ended: an undo opens it again


@dataclass(frozen=True)
class _Told:
    activations: list[Activation]
    waits: list[Wait]


def in_order(journal: pd.DataFrame) -> pd.DataFrame:
    """Journal lines of alarms, oldest first; those of situations are about no alarm."""
    lines = journal[journal["rule"] != SITUATION]
    return lines.sort_values(["happened_at", "entry"], kind="stable").reset_index(drop=True)


def annunciated(journal: pd.DataFrame) -> pd.DataFrame:
    """Lines of the journal that called an operator (see the head of this file), in the order given."""
    after = journal["state_after"]
    rings = journal["deed"].isin(RINGS) & ~after.isin(COVERS)
    lifts = journal["deed"].isin(LIFTS) & journal["state_before"].isin(COVERS) & (after == "UNACK")
    return journal[rings | lifts]


def _tell(lines: pd.DataFrame, alerts: Iterable[Alert], until: datetime) -> _Told:
    """Activations and waits of all alarms, from ordered lines up to `until`; `alerts` add what began before them."""
    lives: defaultdict[Key, _Life] = defaultdict(_Life)
    told = _Told([], [])
    calls = set(annunciated(lines).index)
    columns = ("happened_at", "rule", "site_id", "state_after", "priority", "deed", "detail")
    rows = zip(lines.index, *(lines[name] for name in columns), strict=True)
    for line, at, rule, site_id, after, priority, deed, detail in rows:
        moment, key = at.to_pydatetime(), (str(rule), str(site_id))
        life = lives[key]
        _tell_activation(life, told, key, deed, moment, priority, after in COVERS, measured_at(moment, str(detail)))
        if line in calls and life.wait is None:
            life.wait = Wait(key=key, began_at=moment, ended_at=moment, acked=False, priority=priority)
        elif line in calls and life.wait is not None:
            worst = max(life.wait.priority, priority, key=PRIORITIES.index)
            life.wait = replace(life.wait, priority=worst)
        elif deed == "acknowledge" and life.wait is not None:
            life.answered, life.wait = replace(life.wait, ended_at=moment, acked=True), None
            told.waits.append(life.answered)
        elif deed == "unacknowledge" and life.answered is not None:
            told.waits.remove(life.answered)
            life.wait, life.answered = replace(life.answered, acked=False), None
        elif deed in COVERING and life.wait is not None:
            told.waits.append(replace(life.wait, ended_at=moment))
            life.wait = None
    known = {key for key, life in lives.items() if life.activation is not None}
    told.activations.extend(life.activation for life in lives.values() if life.activation is not None)
    told.waits.extend(replace(life.wait, ended_at=until) for life in lives.values() if life.wait is not None)
    for alert in alerts:
        began = alert.began_at or alert.raised_at
        if alert.active and alert.key not in known and began is not None:
            told.activations.append(
                Activation(
                    key=alert.key,
                    began_at=began,
                    priority=alert.priority,
                    covered=False,
                    acked_at=alert.acked_at,
                    heard_at=alert.heard_at,
                )
            )
    return told


def _tell_activation(
    life: _Life, told: _Told, key: Key, deed: str, moment: datetime, priority: str, covered: bool, measured: datetime
) -> None:
    """`measured`: the time of the value, from which to which a condition lasts; `moment`: when a line was written."""
    if deed == "raise":
        if life.activation is not None:  # a raise without its clear: the lines between are lost
            told.activations.append(life.activation)
        heard_at = moment if measured != moment else None
        life.activation = Activation(key=key, began_at=measured, priority=priority, covered=covered, heard_at=heard_at)
    elif life.activation is None:
        return
    elif deed in ("clear", "latch"):
        told.activations.append(replace(life.activation, ended_at=measured))
        life.activation = None
    elif deed == "raise_priority":
        worst = max(life.activation.priority, priority, key=PRIORITIES.index)
        life.activation = replace(life.activation, priority=worst)
    elif deed == "acknowledge" and life.activation.acked_at is None:
        life.activation = replace(life.activation, acked_at=moment)
    elif deed == "unacknowledge":
        life.activation = replace(life.activation, acked_at=None)


# -- rates and floods -------------------------------------------------------------------------------------------------


def loads(moments: Sequence[datetime]) -> list[tuple[datetime, int]]:
    """(t, how many of the ordered moments lie in (t - 10 min, t]) at every t where that number may change."""
    turns = sorted({*moments, *(moment + WINDOW for moment in moments)})
    found: list[tuple[datetime, int]] = []
    come = gone = 0
    for turn in turns:
        while come < len(moments) and moments[come] <= turn:
            come += 1
        while gone < len(moments) and moments[gone] <= turn - WINDOW:
            gone += 1
        found.append((turn, come - gone))
    return found


def floods(lines: pd.DataFrame, since: datetime, until: datetime) -> tuple[Flood, ...]:
    """Floods in (since, until] of ordered annunciations; lines before `since` tell whether it began in one."""
    moments = [moment.to_pydatetime() for moment in lines["happened_at"]]
    found: list[Flood] = []
    started: datetime | None = None
    peak, first = 0, 0
    for moment, load in loads(moments):
        if started is None and load > FLOOD_STARTS_ABOVE:
            started, peak = moment, load
            first = next(place for place, one in enumerate(moments) if one > moment - WINDOW)
        elif started is not None and load < FLOOD_ENDS_BELOW:
            found.append(Flood(started_at=started, ended_at=moment, peak=peak, first=_key(lines, first)))
            started = None
        peak = max(peak, load)
    if started is not None:
        found.append(Flood(started_at=started, ended_at=until, peak=peak, first=_key(lines, first)))
    cut = [
        replace(one, started_at=max(one.started_at, since), ended_at=min(one.ended_at, until))
        for one in found
        if one.ended_at > since and one.started_at <= until
    ]
    return tuple(cut)


def _key(lines: pd.DataFrame, place: int) -> Key:
    row = lines.iloc[place]
    return (str(row["rule"]), str(row["site_id"]))


def slots(moments: Iterable[datetime], since: datetime, until: datetime, step: timedelta = WINDOW) -> list[int]:
    """Annunciations per slot (since + k·step, since + (k + 1)·step], the last one cut at `until`."""
    count = max(-(-(until - since) // step), 1)
    found = [0] * count
    for moment in moments:
        if since < moment <= until:
            found[-(-(moment - since) // step) - 1] += 1
    return found


def busiest(counts: Sequence[int], together: int) -> list[int]:
    """The highest of each `together` slots, so that a month fits in a picture and no flood is averaged away."""
    return [max(counts[start : start + together]) for start in range(0, len(counts), together)]


def per_day(moments: Iterable[datetime], since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[date, int]]:
    """Annunciations of (since, until] per day of city time, the days without one too."""
    counted = Counter(moment.astimezone(zone).date() for moment in moments if since < moment <= until)
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    return [(day, counted[day]) for day in (first + DAY * back for back in range((last - first).days + 1))]


def by_length(minutes: Iterable[float]) -> list[int]:
    """How many activations lasted so long: one count for each of LENGTHS_MIN, and the last one for the longer ones."""
    found = [0] * (len(LENGTHS_MIN) + 1)
    for one in minutes:
        found[bisect_right(LENGTHS_MIN, one)] += 1
    return found


# -- bad actors and times ---------------------------------------------------------------------------------------------


def chattering(activations: Iterable[Activation], span: Mapping[str, timedelta]) -> set[Key]:
    """Alarms that began three times in (t - span, t], the span of their rule: ten cycles of its data."""
    began: defaultdict[Key, list[datetime]] = defaultdict(list)
    for one in activations:
        if not one.covered:
            began[one.key].append(one.began_at)
    return {
        key
        for key, moments in began.items()
        for first, third in zip(sorted(moments), sorted(moments)[CHATTER_TIMES - 1 :], strict=False)
        if third - first < span[key[0]]
    }


def fleeting(activation: Activation, words: RuleWords | None) -> bool:
    """Over before it could be acted on: unacknowledged, and gone within half of its rule's time to act."""
    if activation.covered or activation.ended_at is None or activation.acked_at is not None:
        return False
    if words is None or words.time_to_act is None:
        return False
    return activation.ended_at - activation.began_at < FLEETING_SHARE * words.time_to_act


def quantile(durations: Iterable[tuple[float, bool]], share: float) -> float | None:
    """The time by which `share` of the cases were over, from (minutes, over); Kaplan-Meier, so open cases count.

    An open case says «longer than this»: leaving it out would praise a desk for what it has not answered. None where
    too many are open to know. Without open ones it is the smallest value that `share` of the cases do not exceed.
    """
    left = 1.0
    waiting = sorted(durations, key=lambda one: (one[0], not one[1]))
    for place, (minutes, over) in enumerate(waiting):
        if over:
            left *= 1 - 1 / (len(waiting) - place)
            if left <= 1 - share + 1e-9:
                return minutes
    return None


def attention(waits: Iterable[Wait], deeds: int) -> float:
    """Minutes of attention: min(time until acknowledged, 10 min) for each annunciation + 2 min for each deed."""
    return sum(min(wait.minutes, READING_AT_MOST_MIN) for wait in waits) + HANDLING_MIN * deeds


# -- the report -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Desk:
    """What one report reads, cut for nobody yet."""

    since: datetime
    until: datetime
    lines: pd.DataFrame
    calls: pd.DataFrame  # also before `since`
    told: _Told
    alerts: Sequence[Alert]
    rules: Mapping[str, RuleWords]
    chatter_spans: Mapping[str, timedelta]
    audit: pd.DataFrame | None  # of the whole desk; a position has none of its own

    def of(self, rules: set[str]) -> _Desk:
        """The part of some rules."""
        return replace(
            self,
            lines=self.lines[self.lines["rule"].isin(rules)],
            calls=self.calls[self.calls["rule"].isin(rules)],
            told=_Told(
                [one for one in self.told.activations if one.key[0] in rules],
                [one for one in self.told.waits if one.key[0] in rules],
            ),
            alerts=[alert for alert in self.alerts if alert.rule in rules],
            audit=None,
        )

    @property
    def denied(self) -> int | None:
        """Deeds of the span that the gate denied; None where no audit tells."""
        return None if self.audit is None else _denied(self.audit, self.since, self.until)

    @property
    def present_calls(self) -> pd.DataFrame:
        """Annunciations of the span."""
        return self.calls[self.calls["happened_at"] > pd.Timestamp(self.since)]

    @property
    def activations(self) -> list[Activation]:
        """Those that began in the span."""
        return [one for one in self.told.activations if self.since < one.began_at <= self.until]

    @property
    def waits(self) -> list[Wait]:
        """Those that began in the span."""
        return [one for one in self.told.waits if self.since < one.began_at <= self.until]


def report(
    journal: pd.DataFrame,
    *,
    since: datetime,
    until: datetime,
    rules: Mapping[str, RuleWords],
    positions: Mapping[str, str],
    alerts: Iterable[Alert],
    cycles_min: Mapping[str, float],
    audit: pd.DataFrame | None = None,
) -> Report:
    """The health of the alarm system over (since, until].

    `journal` has the columns of store.read_journal in any order; give it from a day before `since` on, so that floods
    and standing alarms at the beginning are known. `positions` says which operator position handles a rule (none: the
    desk has only one), `alerts` are the present ones, `cycles_min` the period of a rule's data in minutes (5 where not
    given), `audit` the columns happened_at and result of store.read_audit, None where nobody keeps one.
    """
    lines = in_order(journal)
    lines = lines[lines["happened_at"] <= pd.Timestamp(until)]
    present = list(alerts)
    names = {*rules, *lines["rule"].astype(str), *(alert.rule for alert in present)}
    desk = _Desk(
        since=since,
        until=until,
        lines=lines,
        calls=annunciated(lines),
        told=_tell(lines, present, until),
        alerts=present,
        rules=rules,
        chatter_spans={
            name: timedelta(minutes=CHATTER_CYCLES * cycles_min.get(name, DEFAULT_CYCLE_MIN)) for name in names
        },
        audit=audit,
    )
    placed = {name: positions.get(name, UNPLACED) for name in names} if positions else {}
    day = _report(replace(desk, since=until - DAY), placed) if until - since > DAY else None
    return replace(_report(desk, placed), day=day)


def _report(desk: _Desk, placed: Mapping[str, str]) -> Report:
    keys = sorted(set(placed.values()), key=lambda key: (key == UNPLACED, key))
    parts = [_position(desk, WHOLE)]
    parts += [_position(desk.of({name for name in placed if placed[name] == key}), key) for key in keys]
    calls = desk.present_calls[["happened_at", "rule", "site_id", "priority"]]
    calls = calls.assign(position=[placed.get(str(rule), WHOLE) for rule in calls["rule"]]).reset_index(drop=True)
    shown = [
        one for one in desk.told.activations if one.began_at <= desk.until and (one.ended_at or desk.until) > desk.since
    ]
    return Report(
        since=desk.since,
        until=desk.until,
        journal_from=desk.lines["happened_at"].iloc[0].to_pydatetime() if len(desk.lines) else None,
        positions=tuple(parts),
        rules=tuple(_rules(desk, placed)),
        annunciations=calls,
        activations=tuple(sorted(shown, key=lambda one: one.began_at)),
    )


def _denied(audit: pd.DataFrame, since: datetime, until: datetime) -> int:
    times = audit["happened_at"]
    within = (times > pd.Timestamp(since)) & (times <= pd.Timestamp(until))
    return int((within & (audit["result"] == "denied")).sum())


def _position(desk: _Desk, key: str) -> PositionHealth:
    calls = desk.present_calls
    moments = [moment.to_pydatetime() for moment in calls["happened_at"]]
    surges = floods(desk.calls, desk.since, desk.until)
    turns = loads([moment.to_pydatetime() for moment in desk.calls["happened_at"]])
    within = [turn for turn in turns if desk.since < turn[0] <= desk.until and turn[1]]
    peak_at, peak = max(within, key=lambda turn: turn[1], default=(None, 0))
    chatterers = chattering(desk.activations, desk.chatter_spans)
    brief = Counter(one.key for one in desk.activations if fleeting(one, desk.rules.get(one.key[0])))
    by_alarm = Counter(zip(calls["rule"].astype(str), calls["site_id"].astype(str), strict=True))
    worst = sorted(by_alarm.items(), key=lambda one: (-one[1], one[0]))[:TOP]
    return PositionHealth(
        key=key,
        figures=(
            *_load_figures(desk, len(moments), peak, surges),
            *_nuisance_figures(desk, len(moments), worst, len(by_alarm), chatterers, brief),
            *_split_figures(calls["priority"].tolist()),
            *_time_figures(desk),
            *_count_figures(desk),
        ),
        floods=surges,
        peak_at=peak_at,
        histogram=tuple(sorted(Counter(slots(moments, desk.since, desk.until)).items())),
        contributors=tuple(
            Contributor(
                key=alarm,
                annunciations=count,
                share=100 * count / len(moments),
                chattering=alarm in chatterers,
                fleeting=brief[alarm],
            )
            for alarm, count in worst
        ),
    )


def _load_figures(desk: _Desk, n: int, peak: int, surges: Sequence[Flood]) -> Iterable[Figure]:
    span = desk.until - desk.since
    rate = n / (span / WINDOW)
    verdict = "on_target" if rate <= 1 else "acceptable" if rate <= 300 / 144 else "over"  # 300 a day can be managed
    yield Figure(key="rate", value=rate, n=n, target=1, source="EEMUA 191", verdict=verdict)
    verdict = "on_target" if peak <= FLOOD_STARTS_ABOVE else "over"
    yield Figure(key="peak", value=peak, n=n, target=10, source="EEMUA 191", verdict=verdict)
    flooded = sum((one.ended_at - one.started_at for one in surges), timedelta(0))
    share = 100 * (flooded / span)
    verdict = "on_target" if share < 1 else "over"
    yield Figure(key="flood_share", value=share, n=len(surges), target=1, source="ISA-18.2, EEMUA 191", verdict=verdict)


def _nuisance_figures(
    desk: _Desk, n: int, worst: Sequence[tuple[Key, int]], alarms: int, chatterers: set[Key], brief: Counter[Key]
) -> Iterable[Figure]:
    top = 100 * sum(count for _, count in worst) / n if n else None
    verdict = "unknown" if top is None else "few" if n < FEW_SHARES or alarms <= TOP else _at_most(top, 1, 5)
    yield Figure(key="top_share", value=top, n=n, target=5, source="ISA-18.2", verdict=verdict)
    for name, count, cases in (
        ("chattering", len(chatterers), alarms),
        ("fleeting", brief.total(), len(desk.activations)),
    ):
        verdict = "on_target" if not count else "over"
        yield Figure(key=name, value=count, n=cases, target=0, source="ISA-18.2", verdict=verdict)
    days = max(round((desk.until - desk.since) / DAY), 1)
    standing = [len(_stale_at(desk, desk.until - DAY * back)) for back in range(days)]
    value = sum(standing) / days
    yield Figure(
        key="stale", value=value, n=days, target=5, source="ISA-18.2", verdict="on_target" if value < 5 else "over"
    )


def _at_most(value: float, good: float, most: float) -> str:
    return "on_target" if value <= good else "acceptable" if value <= most else "over"


def _stale_at(desk: _Desk, moment: datetime) -> list[Key]:
    """Alarms whose condition had stood for more than a day at that moment, and that no cover hid."""
    standing = {
        one.key
        for one in desk.told.activations
        if one.began_at < moment - STALE_AFTER and (one.ended_at is None or one.ended_at > moment)
    }
    if moment == desk.until:
        hidden = {alert.key for alert in desk.alerts if alert.hidden is not None}
    else:
        before = desk.lines[desk.lines["happened_at"] <= pd.Timestamp(moment)]
        last = before.drop_duplicates(["rule", "site_id"], keep="last")
        covered = last[last["state_after"].isin(COVERS)]
        hidden = set(zip(covered["rule"].astype(str), covered["site_id"].astype(str), strict=True))
    return sorted(standing - hidden)


def _split_figures(priorities: Sequence[str]) -> Iterable[Figure]:
    """EEMUA's 5 / 15 / 80 %. Over: critical or high more than twice their part, the rest under 60 %."""
    n = len(priorities)
    counted = Counter(priorities)
    parts = {"split_critical": counted["critical"], "split_high": counted["high"]}
    parts["split_rest"] = n - sum(parts.values())
    for key, target in (("split_critical", 5), ("split_high", 15), ("split_rest", 80)):
        if not n:
            yield Figure(key=key, value=None, n=0, target=target, source="EEMUA 191", verdict="unknown")
            continue
        share = 100 * parts[key] / n
        if key == "split_rest":
            verdict = "on_target" if share >= target else "acceptable" if share >= 60 else "over"
        else:
            verdict = _at_most(share, target, 2 * target)
        verdict = "few" if n < FEW_SHARES else verdict
        yield Figure(key=key, value=share, n=n, target=target, source="EEMUA 191", verdict=verdict)


def _time_figures(desk: _Desk) -> Iterable[Figure]:
    answered = [(wait.minutes, wait.acked) for wait in desk.waits]
    resolved = [
        (((one.ended_at or desk.until) - one.began_at) / timedelta(minutes=1), one.ended_at is not None)
        for one in desk.activations
        if not one.covered
    ]
    for name, cases in (("ack", answered), ("resolve", resolved)):
        still = sum(not over for _, over in cases)
        for part, share, enough in (("median", 0.5, FEW), ("p90", 0.9, FEW_SHARES)):
            value = quantile(cases, share)
            verdict = "unknown" if value is None else "few" if len(cases) < enough else "no_target"
            yield Figure(key=f"{name}_{part}", value=value, n=len(cases), open=still, verdict=verdict)


def _count_figures(desk: _Desk) -> Iterable[Figure]:
    calls = desk.present_calls
    expired = int((calls["deed"] == "ack_expired").sum())
    verdict = "on_target" if not expired else "over"
    yield Figure(key="ack_expired", value=expired, n=len(calls), target=0, verdict=verdict)
    shelved = sum(alert.hidden == "SHLVD" for alert in desk.alerts)
    yield Figure(
        key="shelved", value=shelved, n=sum(alert.truth != "NORM" for alert in desk.alerts), verdict="no_target"
    )
    verdict = "unknown" if desk.denied is None else "over" if desk.denied else "on_target"
    yield Figure(key="denied", value=desk.denied, n=desk.denied or 0, target=0, source="ISA-18.2", verdict=verdict)


def _rules(desk: _Desk, placed: Mapping[str, str]) -> list[RuleHealth]:
    """One line for every rule that rang or that somebody worked on, most annunciations first."""
    since = pd.Timestamp(desk.since)
    calls = desk.present_calls
    people = desk.lines[(desk.lines["happened_at"] > since) & (desk.lines["actor"] != ENGINE)]
    deeds = Counter(people["rule"].astype(str))
    rang = Counter(calls["rule"].astype(str))
    priorities = Counter(zip(calls["rule"].astype(str), calls["priority"], strict=True))
    expired = Counter(calls.loc[calls["deed"] == "ack_expired", "rule"].astype(str))
    chatterers = Counter(rule for rule, _ in chattering(desk.activations, desk.chatter_spans))
    began = Counter(one.key[0] for one in desk.activations)
    brief = Counter(one.key[0] for one in desk.activations if fleeting(one, desk.rules.get(one.key[0])))
    stale = Counter(rule for rule, _ in _stale_at(desk, desk.until))
    waits: defaultdict[str, list[Wait]] = defaultdict(list)
    for wait in desk.waits:
        waits[wait.key[0]].append(wait)
    found = [
        RuleHealth(
            rule=rule,
            position=placed.get(rule, WHOLE),
            annunciations=rang[rule],
            share=100 * rang[rule] / len(calls) if len(calls) else 0.0,
            activations=began[rule],
            chattering=chatterers[rule],
            fleeting=brief[rule],
            stale=stale[rule],
            ack_expired=expired[rule],
            ack_median=quantile([(wait.minutes, wait.acked) for wait in waits[rule]], 0.5),
            attention_min=attention(waits[rule], deeds[rule]),
            by_priority={name: priorities[rule, name] for name in PRIORITIES if priorities[rule, name]},
        )
        for rule in {*rang, *deeds, *began, *stale}
    ]
    return sorted(found, key=lambda one: (-one.annunciations, -one.attention_min, one.rule))
