"""What every store promises: frames in, frames out, and no word of SQL outside this room.

DuckDB keeps these promises today; PostgreSQL can follow without touching another room.
All times are aware UTC datetimes; frames carry datetime64[us, UTC].
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pandas as pd

from core.alert import Alert
from core.catalogue import Catalogue
from core.config import City
from core.forms import Delivery
from core.ledger import AuditEntry, Change, Handover, Ledger, Notice, Outcome, Situation, StepDone
from core.maturity import Given
from core.open_figures import Publication
from core.plans import Decision, OwnNumber, Task
from core.ratings import RatingCount, RatingFile
from core.survey import Answer, IssuedLink
from core.usage import UsageDay
from store.audit import KEEP, Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one write did. `earliest` holds, per observed property, the oldest time that is new or changed."""

    new: int
    revised: int
    unchanged: int
    earliest: Mapping[str, datetime]


class Store(Protocol):
    """The shared memory of the house. Safe to use from several threads of its one process."""

    def write_dimensions(self, city: City, catalogue: Catalogue) -> None:
        """Sites, areas, sources and properties, so that a person with SQL can join them; replaces what was there."""

    def write_observations(self, observations: pd.DataFrame, received_at: datetime) -> Written:
        """Add rows of the one frame, in ONE transaction with the serve tables.

        Idempotent on (time, site_id, observed_property, source). An equal row changes nothing; a changed value or
        quality moves the old row to the revisions with `superseded_at` and is never overwritten.
        """

    def write_delivery(
        self, delivery: Delivery, body: bytes, observations: pd.DataFrame, audit: Sequence[AuditEntry]
    ) -> Written:
        """A delivered file with its values and its audit entry in ONE transaction: all of it is there, or nothing.

        Raises InputError when `version` is not the next one of its form, unit and period, or the hash does not fit.
        """

    def read_deliveries(
        self, since: datetime, forms: Collection[str] | None = None, units: Collection[str] | None = None
    ) -> list[Delivery]:
        """Every version of the periods that end after `since`, newest period first, newest version first."""

    def delivered_body(self, form: str, unit: str, period_end: datetime, version: int) -> bytes:
        """The file of one version, byte for byte. Raises InputError when there is none."""

    def revised_since(self, since: datetime) -> pd.DataFrame:
        """One row per series that was corrected after `since`: observed_property, site_id, source, n (corrections),
        superseded_at and time of the newest one, old and new value (NaN: missing).
        """

    def write_task(self, task: Task) -> None:
        """Add a version of a task. Raises InputError when it is not the next one."""

    def write_decision(self, decision: Decision, task: Task | None = None) -> None:
        """Add a decision, with the task that follows from it, in ONE transaction. Raises InputError for a taken id."""

    def write_plan_number(self, number: OwnNumber) -> None:
        """Add a number of a target that no source brings."""

    def read_tasks(self) -> list[Task]:
        """Every version of every task, in the order of task and version."""

    def read_decisions(self) -> list[Decision]:
        """All decisions, the newest first."""

    def read_plan_numbers(self) -> list[OwnNumber]:
        """Every entry, in the order of target, day and entry; the last of a day holds."""

    def write_answer(self, answer: Given) -> None:
        """Add a version of a criterion's answer. Raises InputError when it is not the next one."""

    def read_answers(self) -> list[Given]:
        """Every version of every answer, in the order of criterion and version."""

    def write_publication(self, publication: Publication) -> None:
        """Keep the open figures of a closed period. Raises InputError when it overlaps one that was published."""

    def newest_publication(self) -> Publication | None:
        """The last published period; None before the first one."""

    def write_cases(self, cases: pd.DataFrame, received_at: datetime) -> int:
        """Add or renew cases (core.cases.frame); returns how many are new or changed. Idempotent on (source, case_id).

        The number of a case is stored as a keyed pseudonym and cannot be read back.
        """

    def read_cases(self, kind: str, since: datetime) -> pd.DataFrame:
        """The frame of core.cases, oldest first: cases of a kind received after `since`, and all that are open."""

    def sources_of_cases(self) -> set[str]:
        """The sources of which any case is stored."""

    def remind_unit(self, agency: str, category: str, at: datetime, account: str) -> None:
        """Note that a person reminded a unit of its pending files of one service."""

    def read_reminders(self, since: datetime) -> pd.DataFrame:
        """agency, category, reminded_at of the reminders after `since`."""

    def write_survey_link(self, link: IssuedLink) -> None:
        """Write a link of the one-question survey into the list of links."""

    def revoke_survey_link(self, key_id: str, now: datetime, by: str) -> bool:
        """From now on nobody answers by this link; False when there is none, or it is revoked already."""

    def read_survey_links(self) -> list[IssuedLink]:
        """All links, the newest first."""

    def write_survey_answer(self, answer: Answer) -> None:
        """Keep one answer; it holds nothing of who gave it."""

    def write_ratings(self, counts: Sequence[RatingCount], file: RatingFile) -> None:
        """Keep the ratings of a file in one transaction; earlier files stay, the newest of a period counts."""

    def read_survey_answers(self, since: datetime, until: datetime) -> pd.DataFrame:
        """time (the hour), service, office, n1 … n5, asked (0: unknown) of since <= time < until."""

    def read_survey_reasons(self, since: datetime, until: datetime) -> pd.DataFrame:
        """time, service, office, points, reason where one was given, newest first."""

    def read_ratings(self, since: datetime, until: datetime) -> pd.DataFrame:
        """time (END of the period), service, office, n1 … n5, asked of since < time <= until, newest imports."""

    def write_usage(self, days: Sequence[UsageDay]) -> None:
        """Add to the counts of use of these days."""

    def read_usage(self, since: date) -> pd.DataFrame:
        """day, kind, name, role, n, sessions, seconds from that day on."""

    def set_aside(self, rows: pd.DataFrame, received_at: datetime) -> int:
        """Keep bad rows (the one frame + `reason`) in quarantine; returns how many were new."""

    def read_set_aside(self, since: datetime, limit: int = 1000) -> pd.DataFrame:
        """Quarantined rows received since then: the one frame + reason + received_at, newest first."""

    def read_observations(
        self,
        properties: Collection[str],
        since: datetime,
        until: datetime,
        site_ids: Collection[str] | None = None,
        as_known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """The one frame + `received_at` for since < time <= until, sorted by property, site, time.

        With `as_known_at`: the values that the house knew at that moment, before later rows and revisions came.
        """

    def latest(self, properties: Collection[str] | None = None) -> pd.DataFrame:
        """Newest usable row per (site, property, source): the one frame + received_at. Flat as history grows.

        Rows of quality fail or missing do not replace an older usable one.
        """

    def read_revisions(
        self,
        since: datetime,
        until: datetime,
        properties: Collection[str] | None = None,
        site_ids: Collection[str] | None = None,
    ) -> pd.DataFrame:
        """What was corrected: the one frame as it was before, received_at, superseded_at, for since < time <= until.

        `properties` and `site_ids`: only of these; None: of all.
        """

    def formula_changes(self) -> pd.DataFrame:
        """observed_property, changed_at, formula: when an indicator began to be computed differently."""

    def area_hourly(self, observed_property: str, since: datetime, until: datetime) -> pd.DataFrame:
        """Per area and hour: area, hour (END), mean, low, high, n. From a serve table."""

    def usual_band(self, properties: Collection[str], site_ids: Collection[str] | None = None) -> pd.DataFrame:
        """site_id, observed_property, hour_of_week, low, middle, high, n.

        p10, p50, p90 of the values whose time falls in that hour, over the last eight weeks. 0 = Monday 00:00-00:59
        city time … 167; 168 … 191 are the hours of holidays, which count to no weekday. An hour class with values of
        fewer than core.calendar.LEAST_DAYS different days has no row.
        """

    def rebuild_usual_band(
        self, properties: Collection[str], now: datetime, own_holidays: Collection[date] = ()
    ) -> int:
        """Compute the band anew from history; returns the number of rows. `own_holidays`: the city's own days off."""

    def short_of_usual(
        self, properties: Collection[str], now: datetime, own_holidays: Collection[date] = ()
    ) -> pd.DataFrame:
        """site_id, observed_property, hour_of_week, days: hour classes with values of too few days for a band.

        Of the same eight weeks as the band; what has no value at all is not listed.
        """

    def read_alerts(self) -> list[Alert]:
        """Every known alert, also the normal ones (they carry seen_at)."""

    def read_ledger(self) -> Ledger:
        """The alert desk as a change would find it, without changing anything: for the picture of a cycle."""

    def change_alerts(self, change: Change) -> Outcome:
        """Read, change and write the alert desk in ONE transaction; the only way to change an alert.

        `change` gets a core.ledger.Ledger (as a mapping {(rule, site_id): Alert}) and returns an Outcome or a plain
        pair (alerts, events). An engine and an operator that act at the same time come one after the other; nothing
        is lost. Returns what was really written: records that changed, notices whose id is new, all events and audit.
        """

    def read_journal(
        self, since: datetime, rule: str | None = None, site_id: str | None = None, limit: int = 1000
    ) -> pd.DataFrame:
        """Events, newest first: entry (number), happened_at, rule, site_id, state_before, state_after, priority,
        value, actor, deed, reason, detail.
        """

    def read_situations(self, since: datetime) -> list[Situation]:
        """Those that are open, or were closed since then; newest first."""

    def read_steps(self, rule: str, site_id: str) -> list[StepDone]:
        """Playbook steps of one alert in all its activations, the newest activation first, then by number."""

    def read_handovers(self, limit: int = 20) -> list[Handover]:
        """The newest shift handovers, newest first."""

    def claim_notices(self, now: datetime, limit: int = 20, *, channels: Collection[str] | None = None) -> list[Notice]:
        """The queued ones (of these channels) that are due, most urgent and oldest first.

        They are `sending` and count one try more before this returns.

        What is still `sending` when the store is opened the next time becomes `unclear`.
        """

    def settle_notice(
        self,
        id: str,
        *,
        state: str,
        now: datetime,
        error: str = "",
        due_at: datetime | None = None,
        only_from: Collection[str] = (),
    ) -> None:
        """How it went, or what a person decided: sending -> sent | failed | unclear | queued (again at `due_at`);
        failed or unclear -> queued | dropped; queued -> dropped. `sent` and `dropped` are final.

        A person gives `only_from`: the states that the screen showed. Raises InputError for any other way, so two
        people who send anew at the same time send once.
        """

    def read_notices(
        self, states: Collection[str] | None = None, since: datetime | None = None, limit: int = 500
    ) -> list[Notice]:
        """Newest first; only those states, only those made since then."""

    def together(self) -> AbstractContextManager[None]:
        """All that the calling thread writes inside is one transaction: everything happens, or nothing.

        Others wait with their writing meanwhile. An error must leave the block: nothing inside may be tried again.
        """

    def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the audit log what is no change of the alert desk: refused and denied deeds, logins, exports."""

    def read_audit(self, since: datetime, until: datetime | None = None, limit: int | None = 1000) -> pd.DataFrame:
        """since <= happened_at < until, newest first: store.audit.AUDIT_COLUMNS; source_port is Int64. None: all."""

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest entry (0 and zeros before the first): to be noted outside of this machine."""

    def verify_audit(self, noted: Head | None = None) -> list[str]:
        """Findings in the audit log: changed, missing, inserted or reordered entries, a cut end, another head."""

    def prune_audit(self, before: datetime, keep_at_least: timedelta = KEEP, now: datetime | None = None) -> int:
        """Forget entries older than `before`; returns how many. The rest can still be proved, and an entry tells it.

        Raises InputError when `before` is younger than `keep_at_least` ago, or when what is to go is not whole.
        """

    def stats(self) -> dict[str, float | int | str]:
        """Rows, series, oldest and newest time, file size, schema version."""

    def backup(self, target: Path) -> None:
        """A consistent copy that can be opened as a store; written beside and renamed, never half."""

    def verify(self, audit_head: Head | None = None) -> list[str]:
        """Findings, in words; empty when serve tables agree with the observations, no row is orphaned and the audit
        log is whole. `audit_head`: a head that was noted outside.
        """

    def prune(self, before: datetime) -> int:
        """Forget observations, quarantine and settled notices older than that; returns rows removed.

        The alert desk, the journal and the audit log stay.
        """

    def close(self) -> None:
        """Write everything down and give the file free."""
