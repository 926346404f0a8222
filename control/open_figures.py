"""The figures that everybody may read: of one closed period, made once, kept as they were published.

A picture that is made again, after a restart or because a rating came late, could be subtracted from the one before.
So the store keeps what was said, and refuses a period that shares a moment with a published one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from analysis import open_tables
from analysis.cases import Share
from analysis.open_tables import OpenTables
from control.studies import Studies, Study
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.open_figures import SETTLE, Publication, next_span
from core.proposals import Proposal
from store.base import Store

RETRY = timedelta(minutes=15)  # how soon a picture that could not be made is tried again
WATCHED = timedelta(days=31)  # some report this long before the period must be known: else the house came later


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPicture:
    """One published period. `until` is the first instant that is not counted."""

    since: datetime
    until: datetime
    made_at: datetime
    tables: OpenTables

    def support(self, proposal: Proposal) -> Share:
        """The votes that were told; of nobody where none may be told."""
        return Share(*self.tables.votes.get(proposal.key, (0, 0)))


class OpenFigures:
    """What one city publishes. Thread-safe."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        studies: Studies,
        *,
        reports: Callable[[datetime], pd.DataFrame],
        proposals: tuple[Proposal, ...],
    ) -> None:
        """`reports` gives core.cases.frame with due_at of what was received after a moment."""
        self._city, self._store, self._clock, self._studies = city, store, clock, studies
        self._reports, self._proposals = reports, proposals
        self._lock = threading.Lock()
        self._newest: PublicPicture | None = None

    def shown(self) -> Study[PublicPicture]:
        """The newest published period, the same for everybody; when one is due it is made beside, once for ever."""
        with self._lock:
            if self._newest is None and (kept := self._store.newest_publication()) is not None:
                self._newest = _picture(kept)
            newest = self._newest
            until = newest.until if newest else None
            span = next_span(self._clock.now(), self._city.zone, self._city.public_period, until)
            if span is None:
                return Study(value=newest, made_at=newest.made_at if newest else None)
            study = self._studies.ask(("public", *span), lambda _: self._publish(*span), RETRY)
            if study.value is not None:
                self._newest = study.value
                return replace(study, busy=False)
            return study if newest is None else replace(study, value=newest, made_at=newest.made_at)

    def _publish(self, since: datetime, until: datetime) -> PublicPicture:
        """In the thread of studies. Raises InputError for a period that the house has not watched from its start."""
        reports = self._reports(since - WATCHED)
        if not (reports["received_at"] < since).any():
            raise InputError("Chưa có kỳ nào được theo dõi trọn vẹn để công khai.")
        before = self._store.newest_publication()
        told = open_tables.from_text(before.body).votes if before else {}
        counted = {one.key: (one.votes, one.voters) for one in self._proposals}
        made = open_tables.tables(
            reports,
            since,
            until,
            as_of=until + SETTLE,
            wards=[str(code) for code in self._city.areas.index],
            votes=open_tables.told_votes(told, counted),
        )
        kept = Publication(since=since, until=until, made_at=self._clock.now(), body=open_tables.as_text(made))
        self._store.write_publication(kept)
        return _picture(kept)


def _picture(kept: Publication) -> PublicPicture:
    return PublicPicture(
        since=kept.since, until=kept.until, made_at=kept.made_at, tables=open_tables.from_text(kept.body)
    )
