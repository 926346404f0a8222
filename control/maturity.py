"""Where a city stands against the texts: answers of people, and live figures for what the house can tell itself.

The configured answer is the starting value. What a person answers on the page passes the gate and is a version of its
own after it; putting an earlier one back is a version too, so nothing is ever lost. «Yes» or «partly» without evidence
is kept as it was said, but counts as unanswered, as the configuration refuses it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from alerts.deeds import Deed
from alerts.texts import one_line, plain_text
from control.gate import Gate
from control.studies import Studies, Study, Tell
from core.access import Person, load_people
from core.clock import Clock
from core.config import City
from core.maturity import (
    NO,
    PARTLY,
    UNANSWERED,
    YES,
    Answer,
    Criterion,
    Given,
    checked_link,
    load_answers,
    load_documents,
)
from core.plans import PlanRefused
from core.quality import DAY, SCORES
from core.snapshot import Snapshot
from store.base import Store

EVERY = timedelta(minutes=15)
CHAIN_EVERY = timedelta(hours=6)  # proving the whole audit log reads all of it
BACKUPS = "CITY_BACKUPS"  # folder of the copies that deploy/backup.sh writes
ANSWER, RESTORE = "answer_criterion", "restore_answer"
CONFIGURED = 0  # the version before the first answer on the page
MOST_DOCUMENT = 200
MOST_NOTE = 1000
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
    answer: str  # yes | partly | no | unanswered: what counts
    given: Answer | None  # the configured answer
    figure: Figure | None
    history: tuple[Given, ...] = ()  # answers of the page, oldest first

    @property
    def own(self) -> Given | None:
        """The answer of the page that holds; None where the configured one does."""
        newest = self.history[-1] if self.history else None
        return None if newest is None or newest.restores == CONFIGURED else newest

    @property
    def version(self) -> int:
        """Of the answer as it stands."""
        return self.history[-1].version if self.history else CONFIGURED

    @property
    def told(self) -> str:
        """What was answered, whether it is proven or not."""
        return self.own.answer if self.own else self.answer

    @property
    def unproven(self) -> bool:
        """True when evidence is lacking for what was answered."""
        return self.own is not None and self.own.answer in (YES, PARTLY) and not self.own.proven


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person gives for one criterion."""

    criterion: str
    version: int  # of the answer as the person saw it
    answer: str  # yes | partly | no
    document: str
    link: str
    note: str
    day: date | None


class Maturity:
    """The self-assessment of one city."""

    def __init__(
        self, city: City, store: Store, clock: Clock, studies: Studies, snapshot: Callable[[], Snapshot], gate: Gate
    ) -> None:
        """Reads texts and answers. Raises ConfigError."""
        self._gate, self._lock = gate, threading.Lock()  # held from reading the newest version to writing the next
        self._city, self._store, self._clock, self._studies, self._snapshot = city, store, clock, studies, snapshot
        self._proved: tuple[datetime, Figure] | None = None
        self.documents = load_documents()
        self._answers = load_answers(city, self.documents)

    def stands(self) -> Study[Mapping[str, tuple[Stand, ...]]]:
        """Per document, each criterion with its answer; the live figures as of the last computing."""
        study = self._studies.ask(_QUESTION, self._figures, EVERY)
        figures: Mapping[str, Figure] = study.value or {}
        histories = self._histories()
        found = {one.key: tuple(self._stand(c, figures, histories) for c in one.criteria) for one in self.documents}
        return Study(
            value=found, made_at=study.made_at, busy=study.busy, progress=study.progress, problem=study.problem
        )

    # -- deeds --------------------------------------------------------------------------------------------------------

    def answer(self, person: Person, reply: Reply) -> None:
        """Answer a criterion. Raises Denied, PlanRefused. The same answer given twice is one answer."""
        with self._lock:
            history = self._histories().get(reply.criterion, ())
            if history and _again(history[-1], reply, one_line(person.name)):
                return

            def write() -> str:
                self._may_be_answered(reply.criterion, history, reply.version)
                if reply.answer not in (YES, PARTLY, NO):
                    raise PlanRefused("Hãy chọn: đạt, một phần hoặc chưa đạt.", "Choose: met, partly met or not met.")
                if reply.day is None or reply.day > self._today():
                    raise PlanRefused(
                        "Hãy chọn ngày của câu trả lời; ngày ấy không ở sau hôm nay.",
                        "Choose the day of the answer; it cannot lie after today.",
                    )
                return self._write(
                    history,
                    Given(
                        criterion=reply.criterion,
                        version=reply.version + 1,
                        answer=reply.answer,
                        document=plain_text(reply.document, MOST_DOCUMENT),
                        link=checked_link(reply.link),
                        note=plain_text(reply.note, MOST_NOTE),
                        day=reply.day,
                        restores=None,
                        deed=ANSWER,
                        changed_at=self._clock.now(),
                        changed_by=_signed(person),
                    ),
                )

            self._gate.pass_by(person, Deed(action=ANSWER, thing=reply.criterion), write)

    def restore(self, person: Person, criterion: str, version: int, back_to: int) -> None:
        """Put an earlier answer back; `back_to` 0 is the configured one. Raises Denied, PlanRefused."""
        with self._lock:
            history = self._histories().get(criterion, ())

            def write() -> str:
                self._may_be_answered(criterion, history, version)
                earlier = next((one for one in history if one.version == back_to), None)
                if not 0 <= back_to < version or (back_to and earlier is None):
                    raise PlanRefused(
                        "Không có câu trả lời trước ấy; hãy chọn lại.", "There is no such earlier answer; choose again."
                    )
                configured = self._answers.get(criterion)
                now, by = self._clock.now(), _signed(person)
                return self._write(
                    history,
                    Given(
                        criterion=criterion,
                        version=version + 1,
                        answer=earlier.answer if earlier else configured.answer if configured else UNANSWERED,
                        document=earlier.document if earlier else "",
                        link=earlier.link if earlier else "",
                        note=earlier.note if earlier else "",
                        day=earlier.day if earlier else configured.on if configured else self._today(),
                        restores=earlier.restores if earlier and earlier.restores is not None else back_to,
                        deed=RESTORE,
                        changed_at=now,
                        changed_by=by,
                    ),
                )

            self._gate.pass_by(person, Deed(action=RESTORE, thing=criterion), write)

    def _write(self, history: Sequence[Given], given: Given) -> str:
        self._store.write_answer(given)
        before = history[-1].answer if history else ""
        rests = given.document or given.link or "-"
        back = f" (v{given.restores})" if given.restores is not None else ""
        return f"v{given.version} {before or '-'} -> {given.answer}{back}: {rests}, {given.day}"

    def _may_be_answered(self, key: str, history: Sequence[Given], version: int) -> None:
        criterion = next((c for one in self.documents for c in one.criteria if c.key == key), None)
        if criterion is None:
            raise PlanRefused(f"Không có yêu cầu {key}.", f"There is no criterion {key}.")
        if criterion.check:
            raise PlanRefused(
                "Yêu cầu này do hệ thống tự đo, không trả lời tay.", "The house measures this one; nobody answers it."
            )
        if version != (history[-1].version if history else CONFIGURED):
            raise PlanRefused(
                "Trong lúc đó đã có người khác trả lời yêu cầu này; hãy xem lại rồi làm lại.",
                "Somebody else answered this one meanwhile; look again, then do it again.",
            )

    def _histories(self) -> dict[str, tuple[Given, ...]]:
        found: dict[str, tuple[Given, ...]] = {}
        for one in self._store.read_answers():
            found[one.criterion] = (*found.get(one.criterion, ()), one)
        return found

    def _today(self) -> date:
        return self._clock.now().astimezone(self._city.zone).date()

    # -- what stands --------------------------------------------------------------------------------------------------

    def _stand(
        self, criterion: Criterion, figures: Mapping[str, Figure], histories: Mapping[str, tuple[Given, ...]]
    ) -> Stand:
        if not criterion.check:
            given, history = self._answers.get(criterion.key), histories.get(criterion.key, ())
            stand = Stand(
                criterion=criterion,
                answer=given.answer if given else UNANSWERED,
                given=given,
                figure=None,
                history=history,
            )
            return replace(stand, answer=UNANSWERED if stand.unproven else stand.told)
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


def _again(newest: Given, reply: Reply, by: str) -> bool:
    """True for a second click: the newest answer word for word, by the same person."""
    given = (reply.answer, reply.document.strip(), reply.link.strip(), reply.note.strip(), reply.day, by)
    return newest.deed == ANSWER and given == (
        newest.answer, newest.document, newest.link, newest.note, newest.day, newest.changed_by
    )  # fmt: skip


def _signed(person: Person) -> str:
    name = one_line(person.name)
    if not name:
        raise PlanRefused("Hãy ghi tên người làm.", "Give your name first.")
    return name


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
