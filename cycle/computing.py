"""What follows from new rows: every indicator whose needs changed, computed again from the earliest change on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

import indicators
from core import observations as obs
from core.catalogue import Indicator
from core.clock import Clock, floor
from core.config import City
from core.window import Window
from cycle.feeds import BACKFILL
from store.base import Store

LOG = logging.getLogger("line")
RECHECK = timedelta(hours=24)  # on a start, results of that long are computed again: unchanged ones cost no write


class Computing:
    """The indicators of a city and how far each has been computed."""

    def __init__(self, city: City, store: Store, clock: Clock) -> None:
        self._city = city
        self._store = store
        self._clock = clock
        self.indicators = indicators.ordered()
        self._source_period_min = {one.key: one.every.total_seconds() / 60 for one in city.sources if one.enabled}
        self._uncomputed: dict[str, datetime] = {}  # earliest time per property, not yet in indicators
        self._computed_until: dict[str, datetime] = {}  # per indicator
        self._defective: set[str] = set()
        self._fresh = True

    def changed(self, earliest: Mapping[str, datetime]) -> None:
        """Rows of these properties came or changed, from these moments on."""
        for key, moment in earliest.items():
            self._uncomputed[key] = min(moment, self._uncomputed.get(key, moment))

    def compute(self) -> None:
        """Every indicator whose needs changed, from the earliest change to now; what it gives may be needed next.

        A result carries the end of its period, which may come after the last row: also then it is computed.
        """
        now = self._clock.now()
        unfinished = self._unfinished() if self._fresh else {}
        newest = self._store.latest().groupby("observed_property")["time"].max()
        waiting: list[pd.DataFrame] = []  # written together, but before somebody needs them
        promised: set[str] = set()

        def write() -> None:
            if waiting:
                written = self._store.write_observations(pd.concat(waiting, ignore_index=True), now)
                self.changed(written.earliest)
            waiting.clear()
            promised.clear()

        for module in self.indicators:
            indicator: Indicator = module.INDICATOR
            if promised.intersection(indicator.needs):
                write()
            changes = [self._uncomputed[need] for need in indicator.needs if need in self._uncomputed]
            if indicator.key in unfinished:
                changes.append(unfinished[indicator.key])
            until = self._computed_until.get(indicator.key, now)
            if changes or self._ended(indicator, until, newest, now):
                waiting.append(self._results(module, min([*changes, until]) - timedelta(microseconds=1), now))
                promised.update((indicator.key, *(part.key for part in indicator.companions)))
        write()
        self._uncomputed = {}
        self._fresh = False

    def _ended(self, indicator: Indicator, until: datetime, newest: pd.Series[Any], now: datetime) -> bool:
        """True when a period ended since the last computation and its own readings are there, or late by now.

        Without them a result from five of six readings would be shown, ring or not ring, and be revised in minutes.
        """
        mark = floor(now, indicator.period)
        if mark <= until:
            return False
        read = any(need in newest.index and newest[need] > mark - indicator.period for need in indicator.needs)
        return read or floor(now - (indicator.stale_after - indicator.period), indicator.period) > until

    def _results(self, module: indicators.IndicatorModule, since: datetime, now: datetime) -> pd.DataFrame:
        """What one indicator says for since < time <= now; no row where it has a defect."""
        indicator = module.INDICATOR
        rows = self._store.read_observations(indicator.needs, since - indicator.window, now)
        window = self.window(rows, since, now)
        try:
            results = module.compute(window)
        except Exception:  # a defect of one indicator must not blind the others, nor the alerts
            if indicator.key not in self._defective:
                LOG.exception("%s: the indicator failed; the others go on", indicator.key)
            self._defective.add(indicator.key)
            return obs.empty()
        self._defective.discard(indicator.key)
        self._computed_until[indicator.key] = now
        return results

    def window(self, rows: pd.DataFrame, since: datetime, until: datetime) -> Window:
        """What an indicator is asked with: rows of its needs and what it must know about the city."""
        return Window(
            observations=rows,
            sites=self._city.sites,
            since=since,
            until=until,
            city_site=self._city.city_site,
            zone=self._city.zone,
            source_period_min=self._source_period_min,
        )

    def _unfinished(self) -> dict[str, datetime]:
        """Per indicator, from when on rows may lack their results, because the house stopped between two writes.

        A day before the newest result: the rows of the last write may have come late.
        """
        ends = self._store.latest().groupby("observed_property")["time"].max()
        first = self._clock.now() - BACKFILL
        return {
            module.INDICATOR.key: max(ends[module.INDICATOR.key].to_pydatetime() - RECHECK, first)
            if module.INDICATOR.key in ends.index
            else first
            for module in self.indicators
            if any(need in ends.index for need in module.INDICATOR.needs)
        }
