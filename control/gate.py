"""The one gate through which people change anything: role and area, the deed, its messages and its audit entry.

A deed, the messages that follow from it and its audit entry are ONE transaction. What is refused or denied changes
nothing and is audited too. A screen may hide a button; that is courtesy, this is the lock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from alerts import situations
from alerts.deeds import Deed, perform
from alerts.desk import Desk
from alerts.refusals import Refused
from alerts.watch import after
from core import access
from core.access import Denied, Person
from core.alert import Key
from core.catalogue import ObservedProperty
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.forms import Delivery
from core.ledger import UNDELIVERED, AuditEntry, Change, Item, Ledger, Outcome
from core.snapshot import RuleWords
from notices import plan
from notices.routes import Routes
from store.base import Store, Written

WHOLE_CITY = ""
TELLS_OF_NOTICES = {"draft_handover", "sign_out"}
MOST_NOTICES = 10_000
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A delivered file on its way into the store: its version, its bytes, its rows, and what the audit log says."""

    delivery: Delivery
    body: bytes
    rows: pd.DataFrame
    thing: str  # «scores_766 office_01 2026-10-31 v2»
    before: str  # JSON
    after: str


class Gate:
    """Deeds of people on one city's ledger. Thread-safe: the store takes one change at a time."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        desk: Desk,
        routes: Routes,
        words: Mapping[str, RuleWords],
        *,
        drill: bool,
        catalogue: Mapping[str, ObservedProperty],
    ) -> None:
        self._catalogue = catalogue
        self._city = city
        self._store = store
        self._clock = clock
        self._desk = desk
        self._routes = routes
        self._words = words
        self._drill = drill

    def change(self, change: Change) -> Outcome:
        """A change of the house itself (a round of the watch), with the messages that follow from it."""
        return self._store.change_alerts(lambda ledger: self._announced(ledger, Outcome(*change(ledger))))

    def act(self, person: Person, deed: Deed) -> Outcome:
        """A person's deed on the ledger. Raises Denied (role or area) or Refused (the life of the alert forbids it)."""

        def carry_out(ledger: Ledger, now: datetime) -> Outcome:
            access.check(person, deed.action, self._areas(ledger, deed))
            if deed.action in TELLS_OF_NOTICES:
                stuck = self._store.read_notices(UNDELIVERED, limit=MOST_NOTICES)
                ledger = replace(ledger, undelivered=tuple(stuck))
            return perform(deed, ledger, self._desk, actor=person.name, now=now)

        return self._guarded(person, deed, carry_out)

    def pass_by(self, person: Person, deed: Deed, work: Callable[[], str | None]) -> None:
        """The same lock for deeds that are not on the ledger (send a message again, end a drill, export an alert).

        What `work` writes into the store and the audit entry are one transaction. What it returns is the reason in the
        audit log, where the deed gives none.
        """
        try:
            with self._store.together():
                access.check(person, deed.action, self._areas(self._store.read_ledger(), deed))
                told = work()
                self.audit(person, deed.action, _object(deed), "done", reason=deed.text or told or "")
        except InputError as error:
            self.audit(person, deed.action, _object(deed), _result(error), reason=str(error))
            raise

    def deliver(self, person: Person, deed: Deed, make: Callable[[datetime], Parcel]) -> Written:
        """Take in a delivered file: the file, its values and its audit entry are one transaction of the store.

        `make` gets the time and gives what is to be written. Raises Denied, or InputError for what `make` or the store
        refuses; nothing is changed then, and the audit log knows of it.
        """
        now = self._clock.now()
        try:
            access.check(person, deed.action, self._areas(self._store.read_ledger(), deed))
            parcel = make(now)
            entry = self._entry(
                person,
                deed.action,
                parcel.thing,
                "done",
                now,
                before=parcel.before,
                after=parcel.after,
                reason=deed.text,
            )
            return self._store.write_delivery(parcel.delivery, parcel.body, parcel.rows, [entry])
        except InputError as error:
            self.audit(person, deed.action, _object(deed), _result(error), reason=str(error))
            raise

    def audit(self, person: Person, action: str, thing: str, result: str, reason: str = "") -> None:
        """Put one line into the audit log: a sign-in, an export, a page that was denied."""
        self._store.write_audit([self._entry(person, action, thing, result, self._clock.now(), reason=reason)])

    def _guarded(self, person: Person, deed: Deed, carry_out: Callable[[Ledger, datetime], Outcome]) -> Outcome:
        def change(ledger: Ledger) -> Outcome:
            now = self._clock.now()
            outcome = self._announced(ledger, carry_out(ledger, now))
            entry = self._entry(
                person,
                deed.action,
                _object(deed),
                "done",
                now,
                before=_state(ledger, outcome),
                after=_state(after(ledger, outcome), outcome),
                reason=deed.text,
            )
            return outcome._replace(audit=[*outcome.audit, entry])

        try:
            return self._store.change_alerts(change)
        except (Denied, Refused) as error:
            self.audit(person, deed.action, _object(deed), _result(error), reason=str(error))
            raise

    def _announced(self, ledger: Ledger, outcome: Outcome) -> Outcome:
        if not self._routes.channels or not outcome.events:
            return outcome
        now = self._clock.now()
        known = after(ledger, outcome)
        shift = self._desk.roster.shift_at(now)
        messages = plan(
            outcome,
            ledger,
            self._routes,
            words=self._words,
            city=self._city,
            duty=() if shift is None else (shift.lead,),
            contacts=self._desk.roster.contacts,
            drill=self._drill,
            now=now,
            catalogue=self._catalogue,
            quiet={key for item in self._items(known) for key in item.inhibited},
        )
        return outcome._replace(notices=[*outcome.notices, *messages]) if messages else outcome

    def _items(self, ledger: Ledger) -> tuple[Item, ...]:
        desk = self._desk
        return situations.items(ledger.values(), ledger.situations, desk.by_key, desk.policy, desk.places)

    def _areas(self, ledger: Ledger, deed: Deed) -> Iterable[str]:
        """The areas that a deed touches; a deed on no place touches the whole city."""
        keys = list(deed.keys)
        if deed.situation:
            keys += [alert.key for alert in ledger.values() if alert.situation == deed.situation]
        return {self._city.area_of(site_id) for _, site_id in keys} or {WHOLE_CITY}

    def _entry(
        self,
        person: Person,
        action: str,
        thing: str,
        result: str,
        now: datetime,
        *,
        before: str = "",
        after: str = "",
        reason: str = "",
    ) -> AuditEntry:
        return AuditEntry(
            happened_at=now,
            account=person.account,
            account_type=person.kind,
            session=person.session,
            source_address=person.source_address,
            source_port=person.source_port,
            action=action,
            object=thing,
            result=result,
            before=before,
            after=after,
            reason=reason,
        )


def _result(error: InputError) -> str:
    return "denied" if isinstance(error, Denied) else "refused"


def _object(deed: Deed) -> str:
    """What a deed was done to, readable: alerts as rule:site, else the id of the thing."""
    alerts = " ".join(":".join(key) for key in deed.keys)
    return " ".join(
        part for part in (alerts, deed.situation, deed.handover, deed.notice, deed.layer, deed.thing) if part
    )


def _state(ledger: Ledger, outcome: Outcome) -> str:
    """The alerts and situations that a deed changed, as JSON; only what says something."""
    alerts: Iterable[Key] = (alert.key for alert in outcome.alerts)
    found: dict[str, Facts] = {
        ":".join(key): _facts(asdict(ledger[key]) | {"state": ledger[key].state}) for key in alerts if key in ledger
    }
    found |= {
        situation.id: _facts(asdict(ledger.situations[situation.id]))
        for situation in outcome.situations
        if situation.id in ledger.situations
    }
    return json.dumps(found, ensure_ascii=False, default=str, sort_keys=True) if found else ""


def _facts(record: Facts) -> Facts:
    return {name: value for name, value in record.items() if value not in ("", None)}
