"""What one transaction of the alert desk reads and writes: alerts and everything that is handled with them.

A change is a pure function (Ledger) -> Outcome. The store runs it inside ONE transaction, so an engine and two people
who act at the same moment come one after the other and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.alert import Alert, AlertEvent, Key

NOTICE_STATES = ("queued", "sending", "sent", "failed", "unclear", "dropped")
UNDELIVERED = ("failed", "unclear")  # did not reach their reader, or may not have: a person must look
RESULTS = ("done", "refused", "denied")  # refused: the life of the alert forbids it; denied: the role does


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Signals of several domains that meet in place and time: one item with one owner. Times are aware UTC."""

    id: str  # «VV-0042»
    opened_at: datetime
    opened_by: str = "engine"
    closed_at: datetime | None = None
    status: str = "new"  # one of core.alert.STATUSES
    lead: str = ""  # the one person who owns it (chủ trì)
    unit: str = ""
    first_out: Key | None = None  # the alert that came first (ISA-18.2 first-out)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step of a playbook, ticked for one activation of an alert. Unticking writes it anew with done_at None."""

    rule: str
    site_id: str
    began_at: datetime  # Alert.began_at: the next activation begins with an empty list
    playbook: str
    version: str
    step: int  # number in the playbook, from 1
    done_at: datetime | None
    done_by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Something that is on until a time, by name; today only «mute_wall»."""

    name: str
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A shift handover: the state as it was when the leaving shift signed, and both signatures."""

    id: str  # «BG-20261121-1400»
    shift: str  # key of the leaving shift
    made_at: datetime
    made_by: str
    content: str  # JSON: open, shelved, out_of_service, steps, situations, not_told … frozen at the first signature
    note: str = ""
    signed_out_at: datetime | None = None
    signed_out_by: str = ""
    signed_in_at: datetime | None = None
    signed_in_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message of one transition to one recipient. `id` is made from the transition, so it exists only once."""

    id: str
    made_at: datetime
    rule: str
    site_id: str
    deed: str  # of the transition that it tells
    happened_at: datetime  # of that transition
    priority: str
    channel: str  # key in notices.toml
    recipient: str  # address in that channel; empty where the channel has one receiver
    subject: str
    text: str
    payload: str = ""  # JSON of the facts, for machines
    state: str = "queued"  # one of NOTICE_STATES; «unclear»: it may have gone out, so it is never sent again unasked
    tries: int = 0
    due_at: datetime | None = None  # not before
    settled_at: datetime | None = None  # sent, failed, unclear or dropped
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit log (domain reference 9: fields of a level-3 system). The store numbers and chains it."""

    happened_at: datetime
    account: str
    account_type: str  # person | demo | wall | system | unknown
    session: str
    source_address: str
    source_port: int | None
    action: str
    object: str
    result: str  # one of RESULTS
    before: str = ""  # JSON
    after: str = ""  # JSON
    reason: str = ""


@dataclass(frozen=True)
class Ledger(Mapping[Key, Alert]):
    """What a change may read; as a mapping it is {(rule, site_id): Alert}, also of the normal ones."""

    alerts: Mapping[Key, Alert]
    situations: Mapping[str, Situation] = field(default_factory=dict)  # those that are not closed
    steps: Mapping[tuple[str, str, datetime, int], StepDone] = field(default_factory=dict)  # of present activations
    switches: Mapping[str, Switch] = field(default_factory=dict)
    handovers: tuple[Handover, ...] = ()  # newest first: those that lack a signature, and the last complete one
    next_situation: int = 1
    undelivered: tuple[Notice, ...] | None = None  # asked of the store for a handover note alone; else None

    def __getitem__(self, key: Key) -> Alert:
        return self.alerts[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.alerts)

    def __len__(self) -> int:
        return len(self.alerts)


class Outcome(NamedTuple):
    """What a change writes. A plain pair (alerts, events) is an outcome too: `Outcome(*pair)`."""

    alerts: Sequence[Alert] = ()
    events: Sequence[AlertEvent] = ()
    situations: Sequence[Situation] = ()
    steps: Sequence[StepDone] = ()
    notices: Sequence[Notice] = ()
    switches: Sequence[Switch] = ()
    handovers: Sequence[Handover] = ()
    audit: Sequence[AuditEntry] = ()


Pair = tuple[Sequence[Alert], Sequence[AlertEvent]]
Change = Callable[[Ledger], Outcome | Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to do: what the desk and the wall list. `members` are all alerts in it, the leading one first."""

    kind: str  # situation | group (one rule, several places) | single | rest (mild ones that found no room)
    id: str  # situation id, rule key, or «rule:site_id»
    priority: str  # the worst of its members
    lead: Key
    members: tuple[Key, ...]
    shown: tuple[Key, ...]  # those that must stand as lines of their own: every critical one, and the first-out
    inhibited: tuple[Key, ...] = ()  # consequences that their cause hides; counted, listed on demand
    first_out: Key | None = None
    unacked: int = 0
