"""Where a city stands against the texts: answers of people, and live figures for what the house can tell itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from control.studies import Studies, Study, Tell
from core.access import load_people
from core.clock import Clock
from core.config import City
from core.maturity import NO, UNANSWERED, YES, Answer, Criterion, Document, load_answers, load_documents
from core.quality import DAY, SCORES
from core.snapshot import Snapshot
from store.base import Store

EVERY = timedelta(minutes=15)
CHAIN_EVERY = timedelta(hours=6)  # proving the whole audit log reads all of it
BACKUPS = "CITY_BACKUPS"  # folder of the copies that deploy/backup.sh writes
_QUESTION = ("maturity", "figures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A live figure of one check; `value` None: cannot be told, and `why` says it."""

    value: float | None
    n: int | None = None
    why: str = ""  # not_measured | no_folder | no_copy | computing


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One criterion with its answer."""

    criterion: Criterion
    answer: str  # yes | partly | no | unanswered
    given: Answer | None
    figure: Figure | None


class Maturity:
    """The self-assessment of one city."""

    def __init__(
        self, city: City, store: Store, clock: Clock, studies: Studies, snapshot: Callable[[], Snapshot]
    ) -> None:
        """Reads texts and answers. Raises ConfigError."""
        self._city, self._store, self._clock, self._studies, self._snapshot = city, store, clock, studies, snapshot
        self._proved: tuple[datetime, Figure] | None = None
        self.documents = load_documents()
        self._answers = load_answers(city, self.documents)

    def stands(self) -> Study[Mapping[str, tuple[Stand, ...]]]:
        """Per document, each criterion with its answer; the live figures as of the last computing."""
        study = self._studies.ask(_QUESTION, self._figures, EVERY)
        figures: Mapping[str, Figure] = study.value or {}
        found = {one.key: tuple(self._stand(one, c, figures) for c in one.criteria) for one in self.documents}
        return Study(
            value=found, made_at=study.made_at, busy=study.busy, progress=study.progress, problem=study.problem
        )

    def _stand(self, document: Document, criterion: Criterion, figures: Mapping[str, Figure]) -> Stand:
        if not criterion.check:
            given = self._answers.get(criterion.key)
            return Stand(criterion=criterion, answer=given.answer if given else UNANSWERED, given=given, figure=None)
        figure = figures.get(criterion.check, Figure(value=None, why="computing"))
        return Stand(criterion=criterion, answer=judged(criterion, figure), given=None, figure=figure)

    def _figures(self, tell: Tell) -> Mapping[str, Figure]:
        snapshot, site = self._snapshot(), self._city.city_site
        found: dict[str, Figure] = {}
        for check, key in (("freshness", "data_freshness"), ("completeness", "data_completeness")):
            reading = snapshot.reading(key, site)
            live = reading is not None and reading.live
            found[check] = Figure(value=reading.value) if reading and live else Figure(value=None, why="not_measured")
        span = snapshot.quality.spans.get(DAY) if snapshot.quality else None
        for score in SCORES:
            parts = [one.scores[score] for one in span.sources.values()] if span else []
            n = sum(one.n for one in parts)
            good = sum(one.good for one in parts)
            found[score] = Figure(value=100 * good / n, n=int(n)) if n else Figure(value=None, why="not_measured")
        tell(0.3)
        found["audit_chain"] = self._chain()
        found["backup_age_h"] = backup_age(os.environ.get(BACKUPS, ""), datetime.now(UTC))
        sources = [one for one in self._city.sources if one.enabled]
        owned = sum(bool(one.owner and one.contact) for one in sources)
        found["sources_owned"] = (
            Figure(value=100 * owned / len(sources), n=len(sources))
            if sources
            else Figure(value=None, why="not_measured")
        )
        sites = self._city.sites
        placed = int((sites["latitude"].notna() & sites["longitude"].notna()).sum())
        found["sites_placed"] = Figure(value=100 * placed / len(sites), n=len(sites))
        people = load_people(self._city.folder / "people.toml", os.environ)
        roles = {one.role for one in people.grants}
        found["roles"] = Figure(value=float(len(roles)), n=len(people.grants))
        return found

    def _chain(self) -> Figure:
        """Faults of the audit log, proved anew when the last proof is old; only the thread of studies comes here."""
        now = self._clock.now()
        if self._proved is None or now - self._proved[0] >= CHAIN_EVERY:
            entries, _ = self._store.audit_head()
            self._proved = (now, Figure(value=float(len(self._store.verify_audit())), n=entries))
        return self._proved[1]


def judged(criterion: Criterion, figure: Figure) -> str:
    """yes or no by the limit of the criterion; a figure that cannot be told answers nothing."""
    if figure.value is None:
        return UNANSWERED
    if criterion.least is not None:
        return YES if figure.value >= criterion.least else NO
    return YES if criterion.most is not None and figure.value <= criterion.most else NO


def backup_age(folder: str, now: datetime) -> Figure:
    """Hours since the newest copy in the folder; the machine's clock, because files carry that one."""
    if not folder:
        return Figure(value=None, why="no_folder")
    try:
        times = [path.stat().st_mtime for path in Path(folder).glob("*.duckdb")]
    except OSError:
        times = []
    if not times:
        return Figure(value=None, why="no_copy")
    return Figure(value=max(now.timestamp() - max(times), 0.0) / 3600, n=len(times))
