"""Gathers the facts of a brief from the store and the newest picture, as they were known at the end of the period.

What the store cannot know of the past (what was forecast) is left out for the past, never taken from the present. The
scores of the data of a past period are counted anew from its rows. Rows that came in only after the period (a first
start loads a month) are used and told.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from alerts.lifecycle import OUT_OF_SERVICE
from alerts.replay import Facts as AlertFacts
from alerts.replay import replay
from analysis import brief as rules
from control.pilots import Known
from control.quality import QualityKeeper
from core.alert import PRIORITIES, SITUATION, AlertEvent, Key
from core.asked import Asked
from core.brief import (
    DAY,
    VERSION,
    Ask,
    Chain,
    Counts,
    Event,
    Facts,
    Figure,
    Link,
    Outlook,
    Point,
    QualityLine,
    Said,
    Silent,
    Trial,
    Trust,
    span,
)
from core.calendar import holidays_of
from core.catalogue import Catalogue, ObservedProperty
from core.config import City
from core.forms import load_forms
from core.observations import USABLE
from core.outlook import Ahead, Forecasting
from core.pilots import FINISHED
from core.plans import LIVE, Task, load_targets, seen_in
from core.quality import DAY as LAST_DAY
from core.quality import MONTH as LAST_MONTH
from core.quality import SCORES, SpanQuality
from core.snapshot import RuleWords, Snapshot, SourceState, freshness
from store.base import Store

SERIOUS = ("high", "critical")
TELLS = ("medium", *SERIOUS)  # priorities that are worth a line of a brief
BESIDES = ("files_overdue", "online_share", "flood_depth")  # figures beside those of the first screens
SAMPLES = {  # share -> its sample, and the ends of its 95 % interval where it has one
    "satisfaction": ("satisfaction_n", "satisfaction_low", "satisfaction_high"),
    "on_time_rate": ("on_time_n", "", ""),
    "online_share": ("online_n", "", ""),
    "reports_on_time": ("reports_on_time_n", "", ""),
}
RELATED = {
    "river_level": ("river_level", "river_stage", "river_alarm_level"),
    "reports_60min": ("reports_60min", "reports_vs_baseline"),
    "satisfaction": ("satisfaction", "satisfaction_low"),
    "noise_laeq": ("noise_laeq", "noise_over_limit"),
    "files_overdue": ("files_overdue", "overdue_share"),
    "travel_time_index": ("travel_time_index", "relative_speed", "speed"),
}
HISTORY = timedelta(days=28)  # for the usual range of what the store keeps no band of
JOURNAL_BEFORE = timedelta(days=31)  # alerts that stood at the beginning of the period are known
WHOLE_JOURNAL = 1_000_000
MOST_CHAINS, MOST_ASKS, MOST_OUTLOOKS = 6, 12, 3
EVENTS_AHEAD = timedelta(days=7)
HOURS_AHEAD = timedelta(hours=12)  # of a forecast: what the heading of the brief promises
MOST_EVENTS = 8
_Series = tuple[str, str]  # observed_property, site_id
HOUSE = Said("Hệ thống này tính", "Computed by this system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Where the facts come from. The functions are asked anew for every brief."""

    city: City
    catalogue: Catalogue
    store: Store
    words: Mapping[str, RuleWords]
    pilots: Callable[[date], Sequence[Known]]
    asked: Callable[[date, frozenset[str] | None], Sequence[Asked]]
    ahead: Callable[[], Sequence[Ahead]]
    snapshot: Callable[[], Snapshot | None]  # the newest picture; None where no line runs
    drill: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)  # source -> kind, where no picture tells it
    forecasting: Callable[[], Forecasting | None] = lambda: None  # how far the forecasts are


@dataclass(frozen=True, slots=True)
class _When:
    first: date
    last: date
    start: datetime
    end: datetime
    until: datetime

    @property
    def running(self) -> bool:
        return self.until < self.end


def gather(
    material: Material,
    period: str,
    day: date,
    now: datetime,
    *,
    areas: Collection[str] | None = None,
    late: bool = False,
) -> Facts:
    """The facts of the day, week or month that holds `day`, as of its end, or as of `now` while it runs.

    `areas`: codes that the reader may see; places without an area belong to the whole city and stay.
    """
    city = material.city
    first, last, start, end = span(period, day, city.zone)
    when = _When(first, last, start, end, min(now, end))
    snapshot = material.snapshot() if when.running else None
    journal = _journal(material.store, when, city, areas)
    figures, loaded_at = _figures(material, period, when, areas, _worst(journal, when, material.words))
    today = when.until.astimezone(city.zone).date()
    known = [one for one in material.pilots(today) if _pilot_seen(one, city, areas)]
    alerts = replay(journal)
    asks = [
        *_alert_asks(material, alerts, when),
        *[_ask(one) for one in material.asked(today, None if areas is None else frozenset(areas))],
        *_pilot_asks(known, today, _decided(material) if when.running else None),
    ]
    return Facts(
        version=VERSION,
        period=period,
        first=first,
        last=last,
        until=when.until,
        made_at=now,
        running=when.running,
        late=late,
        city_key=city.key,
        city=Said(city.name_vi, city.name_en),
        centre=Said(city.centre_vi, city.centre_en),
        zone=city.zone.key,
        simulated=city.simulated,
        drill=material.drill,
        areas=None if areas is None else tuple(sorted(areas)),
        figures=rules.ranked(figures, PRIORITIES),
        chains=_chains(material, journal, when),
        asks=tuple(sorted({(one.kind, one.key): one for one in asks}.values(), key=_urgency)[:MOST_ASKS]),
        outlooks=_outlooks(material, when, areas) if when.running else (),
        events=_events(material, when, known, alerts, areas),
        trials=tuple(_trial(material, one) for one in known),
        trust=_trust(material, when, figures, alerts, snapshot, loaded_at),
        counts=_counts(journal, alerts, when),
        forecasting=material.forecasting() if when.running else None,
    )


# -- figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store knew of the period, by series."""

    hours: dict[_Series, pd.DataFrame]  # of the period
    before: dict[_Series, pd.DataFrame]  # hours of the period before
    past: dict[_Series, pd.DataFrame]  # hours of 28 days before, of what has no band
    bands: dict[_Series, pd.DataFrame]
    latest: dict[_Series, Any]  # newest row of the period
    loaded_at: datetime | None  # since when the rows are known, where that was only after the period


def _figures(
    material: Material, period: str, when: _When, areas: Collection[str] | None, worst: Mapping[str, str]
) -> tuple[list[Figure], datetime | None]:
    """The figures of the brief, and since when its rows are known where that was only after the period."""
    keys = _keys(material)
    read = _read(material, keys, when, areas)
    found = [_figure(material, material.catalogue[key], period, when, read, worst.get(key, "")) for key in keys]
    return [one for one in found if one is not None], read.loaded_at


def _read(material: Material, keys: Sequence[str], when: _When, areas: Collection[str] | None) -> _Read:
    city, store = material.city, material.store
    wanted = [*keys, *(name for key in keys for name in SAMPLES.get(key, ()) if name)]
    bounds = (when.start - (when.end - when.start), when.until)
    rows = _usable(store.read_observations(wanted, *bounds, as_known_at=None if when.running else when.until))
    loaded_at = None
    if not when.running and not (rows["time"] > when.start).any():
        rows = _usable(store.read_observations(wanted, *bounds))
        own = rows[rows["time"] > when.start]
        loaded_at = own["received_at"].min().to_pydatetime() if len(own) else None
    if areas is not None:
        rows = rows[rows["site_id"].map(lambda site_id: _seen(city, str(site_id), areas)).astype(bool)]
    hours = rules.hourly(rows[rows["observed_property"].isin(keys)])
    bands = _by_series(store.usual_band(keys))
    without = [key for key in keys if not material.catalogue[key].baseline]  # the others wait for their weeks
    history = rules.hourly(_usable(store.read_observations(without, when.start - HISTORY, when.start)))
    latest: dict[_Series, Any] = {}
    for row in rows[rows["time"] > when.start].itertuples(index=False):  # sorted by time within a series
        latest[(str(row.observed_property), str(row.site_id))] = row
    return _Read(
        hours=_by_series(hours[hours["hour"] > when.start]),
        before=_by_series(hours[hours["hour"] <= when.start]),
        past=_by_series(history),
        bands={series: piece.set_index("hour_of_week") for series, piece in bands.items()},
        latest=latest,
        loaded_at=loaded_at,
    )


def _by_series(rows: pd.DataFrame) -> dict[_Series, pd.DataFrame]:
    groups: Any = rows.groupby(["observed_property", "site_id"], sort=False)
    return {(str(key), str(site_id)): piece for (key, site_id), piece in groups}


def _figure(
    material: Material, item: ObservedProperty, period: str, when: _When, read: _Read, priority: str
) -> Figure | None:
    """The indicator at the place where it was farthest from its usual; None where the period has no value of it."""
    city, key = material.city, item.key
    limit = rules.first_limit(item, when.until, city.zone)
    judged = {}
    for series, piece in read.hours.items():
        if series[0] != key:
            continue
        band = read.bands.get(series)
        if band is None and series in read.past:
            band = rules.own_band(read.past[series], city.zone)
        one = rules.farthest(piece, band, item, city.zone, limit)
        if one is not None:
            judged[series[1]] = one
    chosen, places, out = rules.spread_of_places(judged)
    if chosen is None:
        return None
    series = (key, chosen.site_id)
    own, last, earlier = read.hours[series], read.latest[series], read.before.get(series)
    return Figure(
        key=key,
        domain=item.domain,
        name=Said(item.name_vi, item.name_en),
        unit=Said(item.unit_vi, item.unit_en),
        decimals=item.decimals,
        direction=item.direction,
        site_id=chosen.site_id,
        place=_place(city, chosen.site_id),
        area=city.area_of(chosen.site_id),
        at=min(chosen.at, when.until),  # an hour that is not over yet counts as far as it is known
        value=chosen.value,
        low=chosen.low,
        middle=chosen.middle,
        high=chosen.high,
        score=chosen.score,
        hours_out=chosen.hours_out,
        hours=chosen.hours,
        places=places,
        places_out=out,
        latest=float(last.value),
        latest_at=last.time.to_pydatetime(),
        live=_live(material, item, last, when.until),
        mean=float(own["value"].mean()),
        mean_n=int(own["n"].sum()),
        before=None if earlier is None else float(earlier["value"].mean()),
        before_n=0 if earlier is None else len(earlier),
        **_sample(read.latest, key, chosen.site_id),
        **_origin(material, str(last.source)),
        priority=priority,
        trail=rules.trail(own, period, city.zone),
    )


def _keys(material: Material) -> list[str]:
    overview = [key for _, group in material.city.overview for key, _ in group]
    first = [one.key for one in material.catalogue.indicators() if one.first_screen and one.domain != "operations"]
    named = [*overview, *first, *BESIDES]
    # what stands beside the same thing under another name would be told twice
    doubles = {two for one in named for two in RELATED.get(one, ()) if two != one}
    return [key for key in dict.fromkeys(named) if key in material.catalogue and key not in doubles]


def _usable(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["quality"].isin(USABLE) & rows["value"].notna()]


def _live(material: Material, item: ObservedProperty, last: Any, until: datetime) -> bool:
    every = next((one.every for one in material.city.sources if one.key == last.source), timedelta(0))
    return freshness(max(until - last.time.to_pydatetime(), timedelta(0)), item, every) in ("fresh", "late")


def _sample(latest: Mapping[tuple[str, str], Any], key: str, site_id: str) -> dict[str, Any]:
    names = SAMPLES.get(key)
    if names is None:
        return {}
    n, low, high = (latest.get((name, site_id)) for name in names)
    return {
        "sample": None if n is None else int(n.value),
        "sample_low": None if low is None else float(low.value),
        "sample_high": None if high is None else float(high.value),
    }


def _origin(material: Material, source: str) -> dict[str, Any]:
    configured = next((one for one in material.city.sources if one.key == source), None)
    if configured is None:
        return {"source": HOUSE, "kind": "computed"}
    return {"source": Said(configured.name_vi, configured.name_en), "kind": "source"}


def _place(city: City, site_id: str) -> Said:
    if site_id == city.city_site:
        return Said("toàn địa bàn", "whole area")
    return Said(city.site_name(site_id, "vi"), city.site_name(site_id, "en"))


def _seen(city: City, site_id: str, areas: Collection[str] | None) -> bool:
    area = city.area_of(site_id)
    return areas is None or not area or area in areas


# -- alerts -----------------------------------------------------------------------------------------------------------


def _journal(store: Store, when: _When, city: City, areas: Collection[str] | None) -> list[AlertEvent]:
    """The lines up to the end of the period, oldest first."""
    rows = store.read_journal(when.start - JOURNAL_BEFORE, limit=WHOLE_JOURNAL)
    rows = rows[rows["happened_at"] <= pd.Timestamp(when.until)].sort_values("entry")
    names = [name for name in rows.columns if name != "entry"]
    records: list[dict[str, Any]] = rows[names].to_dict("records")  # type: ignore[assignment]
    return [
        AlertEvent(**{**row, "happened_at": row["happened_at"].to_pydatetime(), "value": _number(row["value"])})
        for row in records
        if row["rule"] == SITUATION or _seen(city, str(row["site_id"]), areas)
    ]


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


@dataclass(slots=True)
class _Stood:
    """One alert as it stood in the period: since when, how bad at worst, in which situation."""

    key: Key
    at: datetime
    priority: str
    value: float | None
    situation: str
    active: bool


def _stood(journal: Sequence[AlertEvent], when: _When) -> list[_Stood]:
    """The alerts that rang in the period or still stood at its end, each once, by when they began."""
    state = replay(journal)
    found: dict[Key, _Stood] = {}
    for event in journal:
        if event.rule == SITUATION:
            continue
        key = (event.rule, event.site_id)
        if event.deed == "raise":
            known = found.get(key)
            if known is None or known.at <= when.start:
                found[key] = _Stood(key, event.happened_at, event.priority, event.value, "", True)
        known = found.get(key)
        if known is None:
            continue
        if PRIORITIES.index(event.priority) > PRIORITIES.index(known.priority):
            known.priority, known.value = event.priority, event.value
        if event.deed == "join":
            known.situation = state[key].situation or known.situation
    for key, one in found.items():
        one.active = state[key].active
        one.situation = state[key].situation or one.situation
    kept = [one for one in found.values() if one.at > when.start or one.active]
    return sorted(kept, key=lambda one: (one.at, one.key))


def _worst(journal: Sequence[AlertEvent], when: _When, words: Mapping[str, RuleWords]) -> dict[str, str]:
    """Worst priority per figure of the period."""
    found: dict[str, str] = {}
    of_figure = {two: one for one, others in RELATED.items() for two in others}
    for one in _stood(journal, when):
        rule = words.get(one.key[0])
        if rule is None:
            continue
        key = of_figure.get(rule.observed_property, rule.observed_property)
        if key not in found or PRIORITIES.index(one.priority) > PRIORITIES.index(found[key]):
            found[key] = one.priority
    return found


def _chains(material: Material, journal: Sequence[AlertEvent], when: _When) -> tuple[Chain, ...]:
    """Situations of the period with their alerts in order, then single alerts; only what is worth a line."""
    groups: dict[str, list[_Stood]] = {}
    for one in _stood(journal, when):
        if one.key[0] in material.words:
            groups.setdefault(one.situation or ":".join(one.key), []).append(one)
    known = {one.id: one for one in material.store.read_situations(when.start)}
    chains = []
    for name, members in groups.items():
        priority = max((one.priority for one in members), key=PRIORITIES.index)
        if priority not in TELLS:
            continue
        situation = known.get(name)
        closed = situation.closed_at if situation else None
        chains.append(
            Chain(
                id=name if situation else "",
                priority=priority,
                opened_at=members[0].at,
                closed_at=closed if closed is not None and closed <= when.until else None,
                lead=(situation.lead or situation.unit) if situation else "",
                links=tuple(_link(material, one) for one in members),
            )
        )
    chains.sort(key=lambda one: (-PRIORITIES.index(one.priority), -len(one.links), one.opened_at))
    return tuple(chains[:MOST_CHAINS])


def _link(material: Material, one: _Stood) -> Link:
    rule, (_, site_id) = material.words[one.key[0]], one.key
    return Link(
        at=one.at,
        title=Said(rule.title["vi"], rule.title["en"]),
        place=_place(material.city, site_id),
        value=Said(rule.value_text(one.value, "vi", site_id), rule.value_text(one.value, "en", site_id)),
        priority=one.priority,
        active=one.active,
    )


def _counts(journal: Sequence[AlertEvent], alerts: Mapping[Key, AlertFacts], when: _When) -> Counts:
    rang: dict[Key, datetime] = {}
    waits = []
    raised = ended = 0
    for event in journal:
        key, own = (event.rule, event.site_id), event.happened_at > when.start
        if event.rule == SITUATION:
            continue
        if event.deed == "raise":
            rang[key] = event.happened_at
            raised += own
        elif event.deed in ("clear", "latch"):
            ended += own
        elif event.deed == "acknowledge" and key in rang and own:
            waits.append((event.happened_at - rang.pop(key)).total_seconds() / 60)
    standing = [one for one in alerts.values() if not one.normal and one.hidden is None]
    return Counts(
        raised=raised,
        ended=ended,
        open=len(standing),
        unacked=sum(not one.acked for one in standing),
        ack_median_min=statistics.median(waits) if waits else None,
        ack_n=len(waits),
    )


# -- what is asked ----------------------------------------------------------------------------------------------------


def _urgency(one: Ask) -> tuple[bool, int, float, str]:
    """Overdue first, then the worse alert, then the earlier."""
    due = one.due_at or (datetime(one.due.year, one.due.month, one.due.day, tzinfo=UTC) if one.due else None)
    rank = PRIORITIES.index(one.priority) if one.priority else -1
    return (not one.overdue, -rank, due.timestamp() if due else float("inf"), one.key)


def _alert_asks(material: Material, alerts: Mapping[Key, AlertFacts], when: _When) -> list[Ask]:
    """Serious alerts that nobody owns, or whose work is late."""
    asks = []
    for (name, site_id), one in alerts.items():
        rule = material.words.get(name)
        owned = bool(one.assignee or one.unit) or one.acked
        late = one.due_at is not None and one.due_at <= when.until
        if rule is None or not one.active or one.hidden or one.priority not in SERIOUS or (owned and not late):
            continue
        due = one.due_at
        if due is None and one.raised_at is not None and rule.time_to_act is not None:
            due = one.raised_at + rule.time_to_act
        place = _place(material.city, site_id)
        asks.append(
            Ask(
                kind="alert",
                key=f"{name}:{site_id}",
                text=Said(f"{rule.title['vi']} – {place.vi}", f"{rule.title['en']} – {place.en}"),
                detail=Said(rule.action["vi"], rule.action["en"]),
                owner=one.assignee or one.unit or rule.owner["vi"],
                due_at=due,
                due=None,
                overdue=due is not None and due <= when.until,
                page="alert_desk",
                priority=one.priority,
                area=material.city.area_of(site_id),
            )
        )
    return asks


def _ask(one: Asked) -> Ask:
    return Ask(
        kind=one.kind,
        key=one.key,
        text=Said(one.text_vi, one.text_en),
        detail=Said("", ""),
        owner=one.owner,
        due_at=None,
        due=one.due,
        overdue=one.overdue,
        page=one.page,
    )


def _pilot_asks(known: Iterable[Known], today: date, decided: Mapping[str, date] | None) -> list[Ask]:
    """Pilots that have ended wait for the decision that their gate names, until one is written down before their own
    screen. Only in a brief of the present: `decided` is None in any other.
    """
    asks = []
    for one in known:
        if decided is None or one.state != FINISHED or one.result is None:
            continue
        if decided.get(one.pilot.key, one.pilot.ends) > one.pilot.ends:
            continue
        verdict = VERDICTS.get(one.result.verdict, VERDICTS["cannot_tell"])
        titles = [one.pilot.text("title", language) for language in ("vi", "en")]
        asks.append(
            Ask(
                kind="pilot",
                key=one.pilot.key,
                text=Said(f"{verdict.vi}: {titles[0]}", f"{verdict.en}: {titles[1]}"),
                detail=Said(one.pilot.text("gate", "vi"), one.pilot.text("gate", "en")),
                owner=one.pilot.text("owner", "vi"),
                due_at=None,
                due=one.pilot.decide_by,
                overdue=one.pilot.decide_by is not None and one.pilot.decide_by < today,
                page="pilots",
            )
        )
    return asks


def _decided(material: Material) -> dict[str, date]:
    """Per pilot the last local day on which a decision was written down before its screen."""
    found: dict[str, date] = {}
    for one in reversed(material.store.read_decisions()):  # the newest comes last and stays
        if one.page == "pilots":
            day = one.made_at.astimezone(material.city.zone).date()
            found.update(dict.fromkeys(parse_qs(urlsplit(one.link).query).get("pilot", ()), day))
    return found


VERDICTS = {
    "scale": Said("Quyết định nhân rộng thí điểm", "Decide on scaling the pilot"),
    "extend": Said("Quyết định kéo dài thí điểm", "Decide on extending the pilot"),
    "stop": Said("Quyết định dừng thí điểm", "Decide on stopping the pilot"),
    "cannot_tell": Said("Chọn bước tiếp cho thí điểm chưa kết luận được", "Choose what follows the open pilot"),
}


# -- what comes -------------------------------------------------------------------------------------------------------


def _outlooks(material: Material, when: _When, areas: Collection[str] | None) -> tuple[Outlook, ...]:
    """The forecasts of the next hours, those that may cross a limit first."""
    seen = [one for one in material.ahead() if _seen(material.city, one.site_id, areas)]
    ahead = [short for short in (_next_hours(one, when.until) for one in seen) if short.times]
    never = when.until + timedelta(days=365)
    ahead.sort(key=lambda one: (one.crossing.earliest if one.crossing else never, one.observed_property, one.site_id))
    return tuple(_outlook(material, one, when) for one in ahead[:MOST_OUTLOOKS])


def _next_hours(one: Ahead, until: datetime) -> Ahead:
    """The part of a forecast that ends within twelve hours, with the crossing that may happen in it."""
    end = until + HOURS_AHEAD
    n = sum(at <= end for at in one.times)
    cross = one.crossing
    if cross is not None and cross.earliest > end:
        cross = None
    elif cross is not None and cross.at is not None and cross.at > end:
        cross = replace(cross, at=None)
    return replace(one, times=one.times[:n], middle=one.middle[:n], low=one.low[:n], high=one.high[:n], crossing=cross)


def _outlook(material: Material, one: Ahead, when: _When) -> Outlook:
    item, cross = material.catalogue[one.observed_property], one.crossing
    since = when.until - timedelta(hours=12)
    rows = _usable(material.store.read_observations([item.key], since, when.until, [one.site_id]))
    past = rules.hourly(rows)
    return Outlook(
        key=item.key,
        name=Said(item.name_vi, item.name_en),
        place=_place(material.city, one.site_id),
        area=material.city.area_of(one.site_id),
        unit=Said(item.unit_vi, item.unit_en),
        decimals=item.decimals,
        model=one.model,
        issued_at=one.issued_at,
        middle=tuple(Point(at, value) for at, value in zip(one.times, one.middle, strict=True)),
        low=one.low,
        high=one.high,
        mae=one.mae,
        naive_mae=one.naive_mae,
        coverage_pct=one.coverage_pct,
        tests=one.tests,
        past=rules.trail(past, DAY, material.city.zone),
        level=cross.level if cross else "",
        limit=cross.limit if cross else None,
        crosses_at=cross.at if cross else None,
        earliest=cross.earliest if cross else None,
    )


def _events(
    material: Material,
    when: _When,
    known: Iterable[Known],
    alerts: Mapping[Key, AlertFacts],
    areas: Collection[str] | None,
) -> tuple[Event, ...]:
    """The week after the period: holidays, pilots that begin or end, tasks due, and the planned end of maintenance."""
    zone = material.city.zone
    first = when.until.astimezone(zone).date()
    last = first + EVENTS_AHEAD
    days = [first + timedelta(days=number) for number in range(EVENTS_AHEAD.days + 1)]
    found = [
        Event(day=one, text=Said("Ngày nghỉ lễ", "Public holiday")) for one in days if one in holidays_of(one.year)
    ]
    for one in known:
        titles = [one.pilot.text("title", language) for language in ("vi", "en")]
        for day, vi, en in (
            (one.pilot.starts, "Bắt đầu thí điểm", "Pilot starts"),
            (one.pilot.ends, "Hết thí điểm", "Pilot ends"),
        ):
            if first <= day <= last:
                found.append(Event(day=day, text=Said(f"{vi}: {titles[0]}", f"{en}: {titles[1]}")))
    seen = None if areas is None else frozenset(areas)
    for task in _tasks(material, when):
        if task.due is None or not first <= task.due <= last or task.state not in LIVE:
            continue
        if seen_in((task.area,) if task.area else (), seen):
            found.append(Event(day=task.due, text=Said(f"Hạn nhiệm vụ: {task.title}", f"Task due: {task.title}")))
    for (name, site_id), alert in alerts.items():
        rule, until = material.words.get(name), alert.hidden_until
        if alert.hidden != OUT_OF_SERVICE or rule is None or until is None or not _seen(material.city, site_id, areas):
            continue
        day, place = until.astimezone(zone).date(), _place(material.city, site_id)
        if first <= day <= last:
            vi = f"Dự kiến xong bảo trì: {rule.title['vi']} – {place.vi}"
            found.append(Event(day=day, text=Said(vi, f"Maintenance planned to end: {rule.title['en']} – {place.en}")))
    return tuple(sorted(found, key=lambda one: (one.day, one.text.vi))[:MOST_EVENTS])


def _tasks(material: Material, when: _When) -> list[Task]:
    """Every task as it stood at the end of the period: the configured ones, and what people made of them."""
    newest = {one.task: one for one in load_targets(material.city, material.catalogue).tasks}
    for one in material.store.read_tasks():
        if one.changed_at is None or one.changed_at <= when.until:
            newest[one.task] = one
    return list(newest.values())


def _pilot_seen(known: Known, city: City, areas: Collection[str] | None) -> bool:
    """A pilot of other areas is nobody's here; one that touches the person's areas is shown whole."""
    return areas is None or any(_seen(city, site_id, areas) for site_id in known.pilot.treated)


def _trial(material: Material, known: Known) -> Trial:
    pilot, result = known.pilot, known.result
    item = material.catalogue.get(pilot.indicator)
    effect = None
    if result is not None:
        effect = result.percent or result.effect
    percent = result is not None and result.percent is not None
    unit = Said("%", "%") if percent else Said(item.unit_vi, item.unit_en) if item else Said("", "")
    shown = result.panel if result else None
    return Trial(
        key=pilot.key,
        title=Said(pilot.text("title", "vi"), pilot.text("title", "en")),
        indicator=Said(item.name_vi, item.name_en) if item else Said(pilot.indicator, pilot.indicator),
        state=known.state,
        verdict=result.verdict if result else "",
        lock=pilot.lock,
        effect=effect.value if effect else None,
        low=effect.low if effect and effect.bounded else None,
        high=effect.high if effect and effect.bounded else None,
        unit=unit,
        decimals=1 if percent else (item.decimals if item else 1) + 1,
        treated=len(pilot.treated),
        controls=len(pilot.controls),
        periods_before=int((~shown.after).sum()) if shown else 0,
        periods_after=int(shown.after.sum()) if shown else 0,
        ends=pilot.ends,
        owner=Said(pilot.text("owner", "vi"), pilot.text("owner", "en")),
        source=pilot.panel.name if pilot.panel else "",
        problem=known.problem.words("vi") if known.problem else "",
    )


# -- how far to believe it --------------------------------------------------------------------------------------------


def _trust(
    material: Material,
    when: _When,
    figures: Sequence[Figure],
    alerts: Mapping[Key, AlertFacts],
    snapshot: Snapshot | None,
    loaded_at: datetime | None,
) -> Trust:
    city, catalogue = material.city, material.catalogue
    first_screen = list(dict.fromkeys(key for _, group in city.overview for key, _ in group))
    shown = {one.key for one in figures if one.live}
    hidden = [catalogue[key] for key in first_screen if key not in shown]
    configured = [one for one in city.sources if one.enabled]
    up: int | None = None
    silent: list[Silent] = []
    if snapshot is not None and snapshot.number:
        up = sum(state.up is True for state in snapshot.sources)
        silent = [_silent(state) for state in snapshot.sources if state.up is False]
    else:
        rows = material.store.read_observations(["source_up"], when.start, when.until)
        newest = rows.groupby("site_id").tail(1)
        if len(newest):
            up = int((newest["value"] > 0).sum())
            named = {one.key: one for one in configured}
            silent = [
                Silent(name=Said(named[key].name_vi, named[key].name_en), kind="unavailable", since=None)
                for key in newest.loc[newest["value"] <= 0, "site_id"]
                if key in named
            ]
    return Trust(
        up=up,
        sources=len(configured),
        silent=tuple(silent),
        scores=_scores(material, snapshot, when),
        shown=len(first_screen) - len(hidden),
        figures=len(first_screen),
        hidden=tuple(Said(one.name_vi, one.name_en) for one in hidden),
        frozen=sum(one.stale and one.active for one in alerts.values()),
        loaded_at=loaded_at,
    )


def _silent(state: SourceState) -> Silent:
    return Silent(
        name=Said(state.source.name_vi, state.source.name_en),
        kind=state.error_kind or "unavailable",
        since=state.since,
    )


def _scores(material: Material, snapshot: Snapshot | None, when: _When) -> tuple[QualityLine, ...]:
    """The four scores over all sources: of the newest count while the period runs, else counted from its rows."""
    measured = _past_quality(material, when) if not when.running else None
    if snapshot is not None and snapshot.quality is not None:
        wanted = LAST_DAY if when.end - when.start <= timedelta(days=1) else LAST_MONTH
        measured = snapshot.quality.spans.get(wanted)
    if measured is None:
        return ()
    found = []
    for key in SCORES:
        scores = [one.scores[key] for one in measured.sources.values() if key in one.scores]
        n = sum(one.n for one in scores)
        if n > 0:
            good = sum(min(one.good, one.n) for one in scores)
            found.append(QualityLine(key=key, percent=100.0 * good / n, n=n))
    return tuple(found)


def _past_quality(material: Material, when: _When) -> SpanQuality | None:
    """The scores of a period that is over; None where the kinds of the sources are not known."""
    city, picture = material.city, material.snapshot()
    kinds = dict(material.kinds)
    if picture is not None:
        kinds |= {one.source.key: one.kind for one in picture.sources}
    if not kinds:
        return None
    forms = load_forms(city.folder / "forms.toml", city, material.catalogue)
    return QualityKeeper(material.store, city, material.catalogue, kinds, forms).past(when.start, when.end)
