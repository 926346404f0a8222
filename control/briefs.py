"""The briefs of one city: asked for by screens, made on schedule, kept in an archive, queued for e-mail.

A scheduled report is rendered, its messages are queued, and its facts are written last: they are the sign that it is
done. Whatever dies in between is made again on the next start; ids of messages are made from city, period and
recipient, so nobody gets a second one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from analysis.brief_words import tell
from control.brief import Material, gather
from control.studies import Studies, Study
from core.brief import DAY, PERIODS, Facts, dumps, loads, span
from core.clock import Clock
from core.duty import Contact, DutyShift
from core.errors import ConfigError, HouseError, InputError
from core.i18n import Translator
from core.ledger import Change, Notice, Outcome
from core.report_plan import FORMATS, LATE_AFTER, Report, load_reports
from notices.routes import DUTY, Routes, fits_channel, is_literal
from reports import file_name, render

LOG = logging.getLogger("line")
EVERY = timedelta(minutes=5)  # how old the brief of a running period may be
LOOK_S = 20.0  # how often the schedule is looked at
MOST_FILES = 24  # rendered reports kept in memory
ID_LENGTH = 32
RULE = "report"  # stands in the column `rule` of messages that carry one


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One archived report."""

    period: str
    first: date
    formats: tuple[str, ...]


class Archive:
    """Reports of one city in a folder: <period>/<first day>.json, and the rendered files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, facts: Facts, files: Mapping[str, bytes]) -> None:
        """The rendered files; `settle` writes the facts behind them."""
        for shape, body in files.items():
            _write(self.path(facts.period, facts.first, shape), body)

    def settle(self, facts: Facts) -> None:
        """Write the facts: from now on the report is done."""
        _write(self.path(facts.period, facts.first, "json"), dumps(facts).encode())

    def read(self, period: str, first: date) -> Facts:
        """The facts of one report. Raises InputError where there is none."""
        path = self.path(period, first, "json")
        try:
            return loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{period} {first.isoformat()}: no such report in the archive") from error

    def has(self, period: str, first: date) -> bool:
        """True when that report is done."""
        return self.path(period, first, "json").is_file()

    def kept(self) -> tuple[Kept, ...]:
        """All reports that are done, the newest first; what is no report of ours is passed over."""
        found = []
        for period in PERIODS:
            for path in (self.folder / period).glob("*.json"):
                try:
                    first = date.fromisoformat(path.stem)
                except ValueError:
                    continue
                shapes = tuple(one for one in FORMATS if path.with_suffix(f".{one}").is_file())
                found.append(Kept(period=period, first=first, formats=shapes))
        return tuple(sorted(found, key=lambda one: (one.first, one.period), reverse=True))

    def prune(self, period: str, before: date) -> int:
        """Forget reports of periods that began before that day; returns how many."""
        gone = [one for one in self.kept() if one.period == period and one.first < before]
        for one in gone:
            for ending in ("json", *FORMATS):  # the sign that it is done goes first
                self.path(period, one.first, ending).unlink(missing_ok=True)
        return len(gone)

    def path(self, period: str, first: date, ending: str) -> Path:
        """Where one file of a report lies."""
        return self.folder / period / f"{first.isoformat()}.{ending}"


class Briefs:
    """See the module. Thread-safe."""

    def __init__(
        self,
        material: Material,
        clock: Clock,
        routes: Routes,
        *,
        change: Callable[[Change], Outcome],
        contacts: Mapping[str, Contact],
        shift_at: Callable[[datetime], DutyShift | None],
        folder: Path,
        wake: Callable[[], None],
        scheduled: bool = True,
    ) -> None:
        """`scheduled` False: nothing is made by itself (a scenario has a clock of its own). Raises ConfigError."""
        self._material = material
        self._clock = clock
        self._change = change
        self._contacts = contacts
        self._shift_at = shift_at
        self._wake = wake
        self.archive = Archive(folder)
        where = material.city.folder / "reports.toml"
        self.plan: tuple[Report, ...] = load_reports(where) if scheduled else ()
        for one in self.plan:
            _check(one, routes, contacts, f"config/{material.city.key}/reports.toml: {one.period}")
        self._routes = routes
        self._studies = Studies(clock)
        self._files: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # -- for screens --------------------------------------------------------------------------------------------------

    def ask(self, period: str, day: date, areas: Collection[str] | None = None) -> Study[Facts]:
        """The brief of the period that holds the day, no older than five minutes while it runs."""
        first, _, _, _ = span(period, day, self._material.city.zone)
        kept = areas if areas is None else tuple(sorted(areas))
        return self._studies.ask(
            ("brief", period, first, kept),
            lambda _: gather(self._material, period, first, self._clock.now(), areas=kept),
            EVERY,
        )

    def file(self, facts: Facts, shape: str, language: str) -> bytes:
        """The report as a file; rendered once for all who ask for the same."""
        key = (hashlib.sha256(dumps(facts).encode()).hexdigest(), shape, language)
        with self._lock:
            found = self._files.get(key)
        if found is None:
            found = render(facts, shape, language)
            with self._lock:
                self._files[key] = found
                while len(self._files) > MOST_FILES:
                    self._files.popitem(last=False)
        return found

    # -- on schedule --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look at the schedule, and keep the brief of today warm, in a thread until `stop`."""
        self._thread = threading.Thread(target=self._run, name="briefs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a report under way is finished first, for the store closes next."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._studies.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                now = self._clock.now()
                snapshot = self._material.snapshot()
                if snapshot is not None and snapshot.number:  # the first brief waits for the first cycle
                    self.ask(DAY, now.astimezone(self._material.city.zone).date())
                    self.turn(now)
            except Exception:  # a defect here must not end the schedule; the next look tries again
                LOG.exception("a scheduled report could not be made")
            self._stop.wait(LOOK_S)

    def turn(self, now: datetime) -> list[Facts]:
        """Make every report that is due and not in the archive: of each period the last one only. What was made."""
        made = []
        for one in self.plan:
            due, day = one.due(now, self._material.city.zone)
            first, _, _, end = span(one.period, day, self._material.city.zone)
            if self.archive.has(one.period, first) or end > now:
                continue
            known = any(kept.period == one.period for kept in self.archive.kept())
            facts = gather(self._material, one.period, day, now, late=known and now - due > LATE_AFTER)
            if not known and not facts.figures:
                continue  # a city on its first day has nothing to tell of the day before
            files = {shape: render(facts, shape, one.language) for shape in one.formats}
            self.archive.write(facts, files)
            if known:  # a new house begins its archive in silence: nobody waited for what came before it
                self._send(one, facts, now)
            self.archive.settle(facts)
            self.archive.prune(one.period, (now - timedelta(days=31 * one.keep_months)).date())
            LOG.info("report %s %s made%s", one.period, facts.first, ", late" if facts.late else "")
            made.append(facts)
        return made

    def _send(self, plan: Report, facts: Facts, now: datetime) -> None:
        """Queue the messages, each with its files by their place in the archive."""
        if plan.channel not in self._routes.channels:
            return
        notices = [_notice(plan, facts, recipient, trouble, now) for recipient, trouble in self._recipients(plan, now)]
        if notices:
            self._change(lambda _: Outcome(notices=notices))
            self._wake()

    def _recipients(self, plan: Report, now: datetime) -> list[tuple[str, str]]:
        found: dict[tuple[str, str], None] = {}
        for name in plan.to:
            contact = self._contacts.get(name)
            if name == DUTY:
                shift = self._shift_at(now)
                contact = shift.lead if shift else None
            address = name if is_literal(name) else (contact.email.strip() if contact else "")
            fits = fits_channel(address, "email")
            found[(address, "") if fits else (name, f"no_address: {contact.name if contact else name}")] = None
        return list(found)


def _notice(plan: Report, facts: Facts, recipient: str, trouble: str, now: datetime) -> Notice:
    told, t = tell(facts, plan.language), Translator(plan.language)
    names = [file_name(facts, shape) for shape in plan.formats]
    marks = " ".join(f"[{one}]" for one in told.marks)
    subject = t("reports.mail_subject", title=told.title, first=told.subtitle.split(" · ")[0], headline=told.headline)
    lines = "\n".join(f"- {one}" for one in told.reasons)
    text = t("reports.mail_text", headline=told.headline, reasons=lines, files=", ".join(names))
    if facts.late:
        text = f"{t('reports.mail_late')}\n\n{text}"
    id = hashlib.sha256(
        json.dumps([RULE, facts.city_key, facts.period, facts.first.isoformat(), plan.channel, recipient]).encode()
    ).hexdigest()[:ID_LENGTH]
    attached = [
        {"path": f"{facts.period}/{facts.first.isoformat()}.{shape}", "name": name}
        for shape, name in zip(plan.formats, names, strict=True)
    ]
    return Notice(
        id=id,
        made_at=now,
        rule=RULE,
        site_id="",
        deed=RULE,
        happened_at=facts.until,
        priority="low",
        channel=plan.channel,
        recipient=recipient,
        subject=f"{marks} {subject}".strip(),
        text=f"{marks}\n{text}".strip(),
        payload=json.dumps({"id": id, "attachments": attached}, ensure_ascii=False),
        state="failed" if trouble else "queued",
        settled_at=now if trouble else None,
        error=trouble,
    )


def _check(report: Report, routes: Routes, contacts: Mapping[str, Contact], where: str) -> None:
    """Recipients and channel must be known before the first morning. Raises ConfigError."""
    for one in report.to:
        if one != DUTY and one not in contacts and not fits_channel(one, "email"):
            raise ConfigError(f"{where}: to: {one!r} is neither «duty», a contact of roster.toml, nor an address")
    if not report.to:
        return
    kinds = {key: kind for key, kind, _ in routes.known}
    if kinds.get(report.channel) != "email":
        raise ConfigError(f"{where}: channel {report.channel!r} is no e-mail channel of notices.toml")


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all: written beside, flushed to the disk, renamed. Raises HouseError where the disk refuses."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        raise HouseError(f"{path.name} cannot be kept in the archive of reports: {error.strerror}") from error
