"""Keeps the figures of data quality up to date beside the cycle: today at every turn, past days one after another.

A tally of a day is kept until its turn comes again, so a month costs two days per turn and not thirty; what is
delivered late is seen when the turn comes round. Everything stays in memory: after a restart the days are counted anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis import artefacts, data_quality
from analysis.artefacts import Event
from analysis.data_quality import LATENESS_MAX, SERIES, Supply, Tally
from core import observations
from core.calendar import hour_class
from core.catalogue import Catalogue
from core.clock import floor
from core.config import City, ConfiguredSource
from core.forms import Form
from core.observations import USABLE
from core.quality import DAY, MONTH, Artefact, Quality, SpanQuality
from core.snapshot import SeriesFrames
from store.base import Store

ONE_DAY = timedelta(days=1)
DAYS = 30
DAYS_PER_TURN = 2
EVERY = timedelta(minutes=15)
MOST_ASIDE = 100_000
STEP_BEFORE = timedelta(days=3)
STEP_AFTER = timedelta(hours=14)
SETTLED = timedelta(days=1)  # events older than this have had all the values by which they are judged


class QualityKeeper:
    """One per line; `turn` runs in one thread at a time."""

    def __init__(
        self, store: Store, city: City, catalogue: Catalogue, kinds: Mapping[str, str], forms: Sequence[Form]
    ) -> None:
        """`kinds`: source -> measurement, model, report or simulation, of the sources that are switched on."""
        self._store, self._city, self._catalogue = store, city, catalogue
        self._measured = data_quality.measured(catalogue)
        self._kinds = dict(kinds)
        self._supplies = {one.key: _supply(one, kinds[one.key]) for one in city.sources if one.key in kinds}
        self._forms = frozenset(form.source for form in forms)
        for form in forms:
            self._kinds[form.source] = "report"
            self._supplies[form.source] = Supply(
                every=form.every, kind="report", owner=form.owner or form.source, sites=form.units
            )
        self._known = data_quality.heard(observations.empty())
        self._tallies: dict[datetime, Tally] = {}  # by the beginning of the day
        self._order: list[datetime] = []
        self._marks: tuple[Artefact, ...] = ()
        self._looked = False

    @property
    def catching_up(self) -> bool:
        """True until every day of the month has been looked at once."""
        return len(self._tallies) < DAYS - 1

    def turn(self, now: datetime, band: SeriesFrames) -> Quality:
        """The last 24 hours, today, and DAYS_PER_TURN past days; then everything together."""
        today = floor(now, ONE_DAY)
        days = [today - ONE_DAY * back for back in range(DAYS - 1, 0, -1)]
        self._tallies = {day: one for day, one in self._tallies.items() if day in days}
        self._order = [day for day in self._order if day in days] + [day for day in days if day not in self._order]
        for day in self._order[:DAYS_PER_TURN]:
            self._tallies[day] = self._tally(day, day + ONE_DAY, self._tallies.get(day - ONE_DAY))
        self._order = self._order[DAYS_PER_TURN:] + self._order[:DAYS_PER_TURN]
        yesterday = self._tallies.get(today - ONE_DAY)
        month = [*self._tallies.values(), self._tally(today, now, yesterday)]
        spans = {
            DAY: self._span([self._tally(now - ONE_DAY, now, self._tallies.get(today - 2 * ONE_DAY))], complete=True),
            MONTH: self._span(month, complete=not self.catching_up),
        }
        self._marks = self._steps(now, band)
        return Quality(made_at=now, spans=spans, artefacts=self._marks)

    def past(self, since: datetime, until: datetime) -> SpanQuality:
        """The scores of days that are over, from what the store holds of them; later corrections count as such.

        Days from before the house asked a source have no value that was due: they score nothing. Takes some tenths of
        a second per day. Of a keeper that does nothing else.
        """
        tallies: list[Tally] = []
        begin = since
        while begin < until:
            end = min(begin + ONE_DAY, until)
            tallies.append(self._tally(begin, end, tallies[-1] if tallies else None))
            begin = end
        return self._span(tallies, complete=True)

    # -- scores -----------------------------------------------------------------------------------------------------

    def _tally(self, since: datetime, until: datetime, before: Tally | None) -> Tally:
        store = self._store
        rows = store.read_observations(self._measured, since - LATENESS_MAX, until)
        rows = rows[rows["source"].isin(list(self._supplies))]
        self._know(data_quality.heard(rows))
        kinds = dict(zip(self._city.sites.index, self._city.sites["kind"], strict=True))
        aside = store.read_set_aside(since, limit=MOST_ASIDE)
        return data_quality.tally(
            rows,
            aside[aside["source"].isin(list(self._supplies))],
            store.read_revisions(since - LATENESS_MAX, until),
            data_quality.due_series(self._known, self._supplies, kinds, self._catalogue),
            self._catalogue,
            self._kinds,
            since=since,
            until=until,
            last=before.last if before else None,
            watched_since=self._watched_since(until),
        )

    def _watched_since(self, until: datetime) -> dict[str, datetime]:
        """Since when the house has asked each source; of a form, since its first period."""
        asked = self._store.read_observations(["source_up"], until - ONE_DAY * DAYS, until)
        begun = {str(key): _moment(at) for key, at in asked.groupby("site_id")["received_at"].min().items()}
        for source, first in self._known.groupby(level="source")["first"].min().items():
            if str(source) not in begun and str(source) in self._forms:
                begun[str(source)] = _moment(first)
        return begun

    def _know(self, found: pd.DataFrame) -> None:
        """Add what a day says about its series; of the spacings that of the day with most values stands."""
        both = pd.concat([one for one in (self._known, found) if len(one)] or [found])
        if both.empty:
            return
        ordered = both.sort_values("n")
        groups = ordered.groupby(level=list(range(len(SERIES))))
        known = groups.agg({"first": "min", "last": "max", "n": "max", "spacing_s": "last"})
        known.index.names = SERIES
        self._known = known

    def _span(self, tallies: Sequence[Tally], *, complete: bool) -> SpanQuality:
        counts, failing, failed = data_quality.added(tallies)
        owners = data_quality.scored(counts, lambda source, _: self._owner(source))
        return SpanQuality(
            since=min(one.since for one in tallies),
            until=max(one.until for one in tallies),
            complete=complete,
            sources=data_quality.scored(counts, lambda source, _: source),
            sites=data_quality.scored(counts, lambda _, site_id: site_id),
            areas=data_quality.scored(counts, lambda _, site_id: self._city.area_of(site_id)),
            owners=owners,
            league=data_quality.league(owners),
            failing=failing,
            failed=failed,
        )

    def _owner(self, source: str) -> str:
        supply = self._supplies.get(source)
        return supply.owner if supply else source

    # -- artefacts --------------------------------------------------------------------------------------------------

    def _steps(self, now: datetime, band: SeriesFrames) -> tuple[Artefact, ...]:
        """Marks of the last month: settled ones are kept, those of the last day are judged anew."""
        since = now - (SETTLED if self._looked else ONE_DAY * DAYS)
        self._looked = True
        store = self._store
        events = [
            *artefacts.repairs(store.read_observations(["source_up"], since - ONE_DAY, now)),
            *artefacts.resyncs(store.read_revisions(now - ONE_DAY * DAYS, now).query("superseded_at > @since")),
            *artefacts.formula_events(store.formula_changes(), self._catalogue),
        ]
        given: dict[str, set[str]] = {}
        for source, _, key in self._known.index:
            given.setdefault(str(source), set()).add(str(key))
        usual = _Usual(band, self._city.zone)
        found = [
            mark
            for event in events
            if since < event.ends <= now
            for mark in artefacts.steps(self._around(event, given, now), event, self._catalogue, usual)
        ]
        kept = [one for one in self._marks if now - ONE_DAY * DAYS < one.at <= since]
        return artefacts.once([*found, *kept])

    def _around(self, event: Event, given: Mapping[str, set[str]], now: datetime) -> pd.DataFrame:
        keys = artefacts.touched(event, given, self._catalogue)
        rows = self._store.read_observations(keys, event.begins - STEP_BEFORE, min(event.ends + STEP_AFTER, now))
        own = (rows["source"] == event.source) | ~rows["observed_property"].isin(self._measured)
        return rows[rows["quality"].isin(USABLE) & rows["value"].notna() & own]


class _Usual:
    """The middle of the usual band of a series at a moment, or None where history is too short."""

    def __init__(self, band: SeriesFrames, zone: Any) -> None:
        self._band, self._zone = band, zone
        self._middles: dict[tuple[str, str], dict[int, float]] = {}

    def __call__(self, key: str, site_id: str, at: datetime) -> float | None:
        place = (key, site_id)
        if place not in self._middles:
            weekly = self._band.get(place)
            hours = [] if weekly is None else [int(hour) for hour in weekly.index.tolist()]
            middles = [] if weekly is None else weekly["middle"].tolist()
            self._middles[place] = dict(zip(hours, middles, strict=True))
        return self._middles[place].get(hour_class(at, self._zone))


def _moment(stamp: Any) -> datetime:
    moment: datetime = pd.Timestamp(stamp).to_pydatetime()
    return moment


def _supply(source: ConfiguredSource, kind: str) -> Supply:
    told = source.options.get("sites", ())
    sites = told.values() if isinstance(told, Mapping) else told if isinstance(told, list | tuple) else ()
    return Supply(
        every=source.every,
        kind=kind,
        owner=source.owner or source.key,
        sites=tuple(dict.fromkeys(str(one) for one in sites)),
    )
