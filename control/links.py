"""Links between domains, asked for by screens: which series are compared, at which places, and what is kept of it.

The arithmetic is in analysis/links*.py; what is looked at is the city's own choice (core/links_plan.py, read at the
start). An answer is made once a day for all who may see the same places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.links import LEAST, Found, find
from analysis.links_after import Event, Follow, after, events
from analysis.links_series import DAY, HOUR, Track, level, step_of
from control.studies import Studies, Study
from core.catalogue import Catalogue
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.links_plan import EventKind, LinksPlan, load_links, origins
from store.base import Store

HISTORY = timedelta(days=120)
EVERY = timedelta(hours=24)
LANES = timedelta(days=14)  # what the lanes show at most
AMOUNTS = ("rainfall",)  # an amount of its interval, though places do not add up
PART_OF_WORK = 0.4  # of a study: reading; the rest is comparing


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One line of «what usually follows»."""

    kind: EventKind
    observed_property: str
    found: Follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The answer for one choice of places. Keys of tracks are `property@place`; place: a site or an area."""

    plan: LinksPlan
    place: str
    since: datetime
    until: datetime
    found: Found
    follows: tuple[Followed, ...]
    events: Mapping[str, tuple[Event, ...]]  # by EventKind.key
    lanes: Mapping[str, pd.Series[float]]  # by property, the last LANES
    enough_on: Mapping[str, date]  # by property: day on which it can be compared, of those that cannot be yet


class Links:
    """Answers for the page of links. Thread-safe: everything is worked out in the thread of studies.

    Raises ConfigError for a broken links.toml.
    """

    def __init__(self, city: City, store: Store, clock: Clock, catalogue: Catalogue, studies: Studies) -> None:
        self._city = city
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._studies = studies
        self.plan = load_links(city.folder, catalogue, clock.now().astimezone(city.zone).date())

    def overview(self, areas: frozenset[str] | None, place: str = "") -> Study[Overview]:
        """Everything about the whole city, or about one area (`place`: its code), of what these areas may see."""
        return self._studies.ask(("links", areas, place), lambda tell: self._overview(areas, place, tell), EVERY)

    def pair(self, areas: frozenset[str] | None, first: tuple[str, str], then: tuple[str, str]) -> Study[Found]:
        """Any two: (property, "" or area). Found.tried is 1, or 0 where they are one thing seen twice or too short."""
        question = ("links pair", areas, *sorted((first, then)))
        return self._studies.ask(question, lambda tell: self._pair(areas, sorted((first, then)), tell), EVERY)

    def known(self, areas: frozenset[str] | None) -> list[str]:
        """Properties that may be chosen for a pair, in the order of the catalogue's domains: those with values."""
        newest = self._store.latest()
        own = newest[newest["site_id"].isin(self._sites(areas, ""))]
        keys = [str(key) for key in own["observed_property"].unique() if key in self._catalogue]
        return [key for key in keys if self._catalogue[key].domain != "operations"]

    def _overview(self, areas: frozenset[str] | None, place: str, tell: Callable[[float], None]) -> Overview:
        now = self._clock.now()
        since = now - HISTORY
        wanted, kinds = self.plan.studied, self.plan.events
        tracks: list[Track] = []
        for number, key in enumerate(wanted):
            track = self._track(key, areas, place, since, now)
            if track is not None:
                tracks.append(track)
            tell(PART_OF_WORK * (number + 1) / len(wanted))
        happened = {kind.key: tuple(self._events(kind, areas, place, since, now)) for kind in kinds}
        by_property = {one.key.partition("@")[0]: one for one in tracks}
        follows = tuple(
            Followed(
                kind=kind,
                observed_property=key,
                found=after(happened[kind.key], by_property[key].values, zone=self._city.zone),
            )
            for kind in kinds
            for key in kind.follows
            if key in by_property
        )
        found = find(
            tracks,
            zone=self._city.zone,
            tell=lambda share: tell(PART_OF_WORK + (1 - PART_OF_WORK) * share),
        )
        lanes = {key: one.values[one.values.index > pd.Timestamp(now - LANES)] for key, one in by_property.items()}
        first = min((one.values.index[0] for one in tracks), default=pd.Timestamp(now)).to_pydatetime()
        return Overview(
            plan=self.plan,
            place=place,
            since=first,
            until=now,
            found=found,
            follows=follows,
            events=happened,
            lanes=lanes,
            enough_on=_enough_on(tracks, self._city.zone),
        )

    def _pair(self, areas: frozenset[str] | None, both: list[tuple[str, str]], tell: Callable[[float], None]) -> Found:
        now = self._clock.now()
        tracks = []
        for number, (key, place) in enumerate(both):
            if key not in self._catalogue:
                raise InputError(f"Không có chỉ số {key} trong danh mục.")
            track = self._track(key, areas, place, now - HISTORY, now, only_here=True)
            if track is None:
                raise InputError("Chưa có số liệu dùng được ở nơi này.")
            group = f"{number}"  # a pair that a person chose may lie in one domain
            tracks.append(
                Track(key=track.key, group=group, origins=track.origins, step=track.step, values=track.values)
            )
        return find(tracks, zone=self._city.zone, tell=tell)

    def _track(
        self,
        key: str,
        areas: frozenset[str] | None,
        place: str,
        since: datetime,
        until: datetime,
        *,
        only_here: bool = False,
    ) -> Track | None:
        """The series of a property in an area; of all places where that area has none (rain falls on all)."""
        item = self._catalogue[key]
        rows = pd.DataFrame()
        for where in (place, "") if place and not only_here else (place,):
            rows = self._rows(key, areas, where, since, until)
            if len(rows):
                place = where
                break
        if rows.empty:
            return None
        step, zone = step_of(item.period), self._city.zone
        counted = key in AMOUNTS or (item.aggregation == "sum" and item.period >= HOUR)
        how = "mean" if item.aggregation == "max" else item.aggregation  # the worst place would hide the others
        values = level(rows, step=step, zone=zone, how=how, within="sum" if counted else "mean")
        if values.empty:
            return None
        site = place or self._city.city_site
        return Track(
            key=f"{key}@{site}",
            group=item.domain,
            origins=frozenset({key}) | origins(self._catalogue, key),
            step=step,
            values=values,
        )

    def _rows(
        self, key: str, areas: frozenset[str] | None, place: str, since: datetime, until: datetime
    ) -> pd.DataFrame:
        rows = self._store.read_observations([key], since, until, self._sites(areas, place))
        apart = rows[rows["site_id"] != self._city.city_site]
        return apart if len(apart) else rows  # the city's own row is made of the others

    def _sites(self, areas: frozenset[str] | None, place: str) -> list[str]:
        """Sites of an area, or all of them; never those of an area that the person does not see."""
        found = [(str(one), self._city.area_of(str(one))) for one in self._city.sites.index]
        seen = [(one, area) for one, area in found if areas is None or not area or area in areas]
        return [one for one, area in seen if not place or area == place]

    def _events(
        self, kind: EventKind, areas: frozenset[str] | None, place: str, since: datetime, until: datetime
    ) -> list[Event]:
        rows = self._rows(kind.observed_property, areas, place, since, until)
        if rows.empty and place:
            rows = self._rows(kind.observed_property, areas, "", since, until)
        if rows.empty:
            return []
        return events(level(rows, step=HOUR, zone=self._city.zone, how="max", within="max"), kind.above)


def _enough_on(tracks: Sequence[Track], zone: ZoneInfo) -> dict[str, date]:
    """Per property that is still too short for some comparison: the local day on which it will be long enough.

    A daily one is compared with hours too, so it waits until eight weeks of its own days lie in the hours that are
    there. A gap stays as frequent as it has been (schools are closed on two days of seven).
    """
    hours = [one.values.index[0] for one in tracks if one.step == HOUR]
    found = {}
    for one in tracks:
        first, last = one.values.index[0], one.values.index[-1]
        if one.step == DAY and hours:
            first = max(first, min(hours))
        own = one.values[one.values.index >= first]
        known = int(own.notna().sum())
        share = known / max(len(own), 1)
        if known < LEAST[one.step] and share > 0.0:
            enough = last + math.ceil((LEAST[one.step] - known) / share) * pd.Timedelta(one.step)
            found[one.key.partition("@")[0]] = enough.tz_convert(zone).date()
    return found


__all__ = ["DAY", "EVERY", "HISTORY", "Followed", "Links", "Overview"]
