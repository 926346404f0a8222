"""Forecasts of the city: made once an hour in a thread of their own, and of any other series when a page asks.

The turn begins with what stands on the first screen, then goes through the public indicators; it works at most half of
the time, with the lowest priority, so that no page waits for it. No cycle waits for it either.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from analysis import decompose
from analysis import forecast as figures
from analysis.decompose import Moved
from analysis.forecast import Forecast
from analysis.forecast_models import DAILY, HOURLY, Rhythm
from control import happened
from control.happened import Happened
from control.studies import Studies, Study, Tell
from core.catalogue import Catalogue, Indicator, ObservedProperty
from core.clock import Clock
from core.config import City
from core.observations import USABLE
from core.outlook import Ahead, Forecasting, Withheld
from core.snapshot import Snapshot
from store.base import Store

LOG = logging.getLogger("line")
EVERY = timedelta(hours=1)
KEPT = EVERY * 1.5  # an answer counts so long: the next turn takes its time to come round to a series
HOURS_BACK = timedelta(days=100)  # of an hourly series: training and tests
DAYS_BACK = timedelta(days=740)
LONG_RANGE = timedelta(days=400)
FIRST_LOOK_S = 2.0
BETWEEN_TURNS_S = 60.0  # of real time, however fast the clock runs
REST_FIRST = 1.0  # seconds of rest per second of work: for the first screen,
REST = 5.0  # and for all others
MOST_SERIES = 400  # of a turn
DAY = timedelta(days=1)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How the last whole turn went."""

    series: int
    shown: int
    worked_s: float
    began_at: datetime
    ended_at: datetime


def rhythm_of(item: ObservedProperty) -> Rhythm:
    """In days for what is told once a day, else in hours."""
    return DAILY if item.period >= DAY else HOURLY


def as_ahead(key: str, site_id: str, found: Forecast, made_at: datetime) -> Ahead | None:
    """What screens and reports may show of a forecast; None where it did not beat the naive ones."""
    best, naive = found.score(found.model), found.score(found.baseline)
    if not found.model or best is None or naive is None or found.issued_at is None:
        return None
    return Ahead(
        observed_property=key,
        site_id=site_id,
        model=found.model,
        issued_at=found.issued_at,
        made_at=made_at,
        times=found.times,
        middle=found.middle,
        low=found.low,
        high=found.high,
        mae=best.mae,
        naive_mae=naive.mae,
        coverage_pct=best.coverage_pct,
        tests=best.origins,
        crossing=found.crossing,
    )


class Forecasts:
    """The forecasts of one city. Thread-safe."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        catalogue: Catalogue,
        studies: Studies,
        picture: Callable[[], Snapshot],
    ) -> None:
        self._city = city
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._studies = studies
        self._picture = picture
        self._lock = threading.Lock()
        self._known: dict[Key, tuple[datetime, Forecast]] = {}
        self._outlook: tuple[Ahead, ...] = ()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.turned: Turn | None = None
        self._going = Forecasting(done=0, of=0, ended_at=None)

    # -- what screens ask ---------------------------------------------------------------------------------------------

    def outlook(self) -> tuple[Ahead, ...]:
        """All forecasts of the last turn that may be shown; the first screen's first."""
        return self._outlook

    def going(self) -> Forecasting:
        """How far the first turn is, or how the last whole one ended: why there may be no forecast."""
        return self._going

    def ask(self, key: str, site_id: str) -> Study[Forecast]:
        """The forecast of one series: that of the turn, or one made for whoever asks."""
        with self._lock:
            known = self._known.get((key, site_id))
        if known is not None and self._clock.now() - known[0] < KEPT:
            return Study(value=known[1], made_at=known[0], progress=1.0)
        return self._studies.ask(("forecast", key, site_id), lambda tell: self.make(key, site_id, tell), EVERY)

    def moved(self, key: str, since: datetime, until: datetime, against: str) -> Study[Moved]:
        """What moved an indicator of the whole city between an earlier span and this one: before | usual."""
        question = ("moved", key, since, until, against)
        return self._studies.ask(question, lambda _: self._moved(key, since, until, against), EVERY)

    def days(self, key: str, site_ids: tuple[str, ...], until: datetime, back: timedelta) -> Study[pd.DataFrame]:
        """Means of city days, as the one frame; for spans too long to draw every value. `until`: a whole hour."""
        question = ("days", key, site_ids, until, back)
        return self._studies.ask(question, lambda tell: self._days(key, site_ids, until, back, tell), EVERY)

    def happened(self, key: str, site_id: str, back: timedelta) -> Study[Happened]:
        """What happened at a place over the last `back`: alerts of the indicator, repairs, closed roads, holidays."""
        question = ("happened", key, site_id, back)
        return self._studies.ask(question, lambda _: self._happened(key, site_id, back), EVERY)

    # -- the work -----------------------------------------------------------------------------------------------------

    def make(self, key: str, site_id: str, tell: Tell | None = None) -> Forecast:
        """The forecast of one series now, with its back-tests. Takes about half a second."""
        now, item = self._clock.now(), self._catalogue[key]
        rhythm = rhythm_of(item)
        since = now - (DAYS_BACK if rhythm is DAILY else HOURS_BACK)
        rows = self._store.read_observations([key], since, now, [site_id])
        rows = rows[rows["quality"].isin(USABLE)]
        before = self._store.read_revisions(since, now, [key], [site_id])
        quality = self._picture().quality
        breaks = [one.at for one in quality.marks(key, site_id)] if quality else []
        made = figures.history(rows, rhythm, self._city.zone, until=now, revisions=before, breaks=breaks)
        return figures.forecast(
            made,
            now=now,
            limits=item.thresholds if isinstance(item, Indicator) else (),
            direction=item.direction,
            bounds=(item.low, item.high),
            tell=tell,
        )

    def series(self) -> list[Key]:
        """What a turn goes through: the first screen's rows, first-screen indicators, then the public ones."""
        readings = self._picture().readings
        rows = [key for _, group in self._city.overview for key, _ in group]
        public = [one for one in self._catalogue.indicators() if one.public and one.domain != "operations"]
        wanted = [*rows, *(one.key for one in public if one.first_screen), *(one.key for one in public)]
        sites: dict[str, list[str]] = {}
        for key, site_id in sorted(readings):
            sites.setdefault(key, []).append(site_id)
        found = [(key, site_id) for key in dict.fromkeys(wanted) for site_id in sites.get(key, ())]
        return found[:MOST_SERIES]

    def turn(self, rest: tuple[float, float] = (0.0, 0.0)) -> Turn:
        """All series once. `rest`: seconds to wait per second of work, for the first screen and for all others."""
        first = {key for _, group in self._city.overview for key, _ in group}
        began, worked = self._clock.now(), 0.0
        todo = self.series()
        shown: dict[Key, Ahead] = {}
        withheld: Counter[str] = Counter()
        for place, (key, site_id) in enumerate(todo):
            if self._going.ended_at is None:
                self._going = Forecasting(done=place, of=len(todo), ended_at=None)
            start = time.monotonic()
            try:
                found = self.make(key, site_id)
            except Exception:  # one odd series must not take the forecasts of all others
                LOG.exception("forecast of %s at %s failed", key, site_id)
                withheld["failed"] += 1
                continue
            took = time.monotonic() - start
            worked += took
            with self._lock:
                made_at = self._clock.now()
                self._known[(key, site_id)] = (made_at, found)
                ahead = as_ahead(key, site_id, found, made_at)
                if ahead is not None:
                    shown[(key, site_id)] = ahead
                    self._outlook = (*(one for one in self._outlook if _key(one) != (key, site_id)), ahead)
                else:
                    withheld[found.why_not or figures.NO_SKILL] += 1
                    self._outlook = tuple(one for one in self._outlook if _key(one) != (key, site_id))
            if self._stop.wait(rest[0 if key in first else 1] * took):
                break
        with self._lock:
            self._outlook = tuple(shown[key] for key in todo if key in shown)
            self._known = {key: one for key, one in self._known.items() if key in set(todo)}
        turned = Turn(series=len(todo), shown=len(shown), worked_s=worked, began_at=began, ended_at=self._clock.now())
        self.turned = turned
        if not self._stop.is_set():
            self._going = Forecasting(
                done=len(todo),
                of=len(todo),
                ended_at=turned.ended_at,
                withheld=tuple(Withheld(why=why, n=n) for why, n in withheld.most_common()),
            )
        LOG.info("forecasts: %d of %d series beat the naive ones, %.1f s of work", len(shown), len(todo), worked)
        return turned

    def _moved(self, key: str, since: datetime, until: datetime, against: str) -> Moved:
        item = self._catalogue[key]
        parts = item.parts if isinstance(item, Indicator) else ()
        spans = decompose.spans(since, until, against)
        rows = self._store.read_observations(parts or [key], min(one[0] for one in spans), until)
        rows = rows[rows["quality"].isin(USABLE) & rows["value"].notna() & (rows["site_id"] != self._city.city_site)]
        return decompose.moved(item, rows, spans)

    def _happened(self, key: str, site_id: str, back: timedelta) -> Happened:
        now = self._clock.now()
        rules = [one.key for one in self._picture().rules.values() if one.observed_property == key]
        roads = self._catalogue[key].domain == "traffic"
        return happened.happened(self._store, rules, site_id, now - back, now, self._city.zone, roads=roads)

    def _days(self, key: str, site_ids: tuple[str, ...], until: datetime, back: timedelta, tell: Tell) -> pd.DataFrame:
        frames = []
        for place, site_id in enumerate(site_ids):
            rows = self._store.read_observations([key], until - back, until, [site_id])
            rows = rows[rows["quality"].isin(USABLE) & rows["value"].notna()]
            frames.append(_daily(rows, self._city))
            tell((place + 1) / len(site_ids))
        return pd.concat(frames, ignore_index=True)

    # -- the thread ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go round once an hour of the city's clock, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="forecast", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the series that is being worked on: the store may be closed once this returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        with suppress(AttributeError, OSError):  # only Linux gives a thread a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        began: datetime | None = None
        while not self._stop.is_set():
            now = self._clock.now()
            if self._picture().number > 0 and (began is None or now - began >= EVERY):
                began = now
                self.turn((REST_FIRST, REST))
                self._stop.wait(BETWEEN_TURNS_S)
            self._stop.wait(FIRST_LOOK_S)


def _key(one: Ahead) -> Key:
    return one.observed_property, one.site_id


def _daily(rows: pd.DataFrame, city: City) -> pd.DataFrame:
    if rows.empty:
        return rows
    local = rows["time"].dt.tz_convert(city.zone).dt.tz_localize(None).dt.ceil("D")
    by = rows.assign(time=local.dt.tz_localize(city.zone).dt.tz_convert("UTC"))
    columns = ["time", "site_id", "observed_property", "source"]
    found: pd.DataFrame = by.groupby(columns)["value"].mean().reset_index().assign(quality="not_evaluated")
    return found.sort_values("time", kind="stable")


def within(found: Iterable[Ahead], seen: Callable[[str], bool]) -> tuple[Ahead, ...]:
    """Those at sites that may be seen."""
    return tuple(one for one in found if seen(one.site_id))
