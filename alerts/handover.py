"""The shift handover: a note made from the state of the desk, signed by the leaving shift and by the next one.

Until the first signature it is a draft that anybody may make anew. Signing out makes it once more from that very
moment and freezes it; signing in is another person's. After that nothing changes it. What the shift went through
(rates, times to acknowledge) is read from the journal, which nobody can change either: see analysis/alarm_health.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from alerts.playbooks import Playbook, checklist
from alerts.refusals import Refused
from alerts.roster import Roster
from alerts.rules import Rule
from alerts.texts import actor_name, plain_text
from core.alert import PRIORITIES, Alert, Key
from core.duty import DutyShift
from core.ledger import Handover, Ledger, Notice, Outcome

if TYPE_CHECKING:
    from alerts.desk import Desk

REVIEW_BEFORE_END = timedelta(hours=1)
STILL_LEAVING = timedelta(hours=2)  # so long into a shift the note of the one before may still be begun
Facts = dict[str, Any]


def draft(ledger: Ledger, desk: Desk, actor: str, now: datetime, note: str = "") -> Outcome:
    """Make the note of the leaving shift, or make it anew.

    Raises Refused without a roster, and once the leaving shift has signed.
    """
    who, said = actor_name(actor), plain_text(note)
    shift = leaving(desk.roster, ledger.handovers, now)
    if shift is None:
        raise Refused("no_roster")
    name = handover_id(shift, desk.roster.zone)
    for known in ledger.handovers:
        if known.id == name and known.signed_out_at is not None:
            raise Refused("handover_signed", who=known.signed_out_by, handover=name)
    _refuse_superseded(ledger, name)
    made = Handover(
        id=name,
        shift=shift.key,
        made_at=now,
        made_by=who,
        content=_json(content(ledger, desk, shift, now)),
        note=said,
    )
    return Outcome(handovers=[made])


def sign_out(ledger: Ledger, handover: str, actor: str, now: datetime, desk: Desk) -> Outcome:
    """The leaving shift signs: the content is made from this moment and frozen. Raises Refused.

    Where the undelivered notices are not known they stay as they were drafted.
    """
    who = actor_name(actor)
    known = _named(ledger, handover)
    if known.signed_out_at is not None:
        raise Refused("handover_signed", who=known.signed_out_by, handover=handover)
    _refuse_superseded(ledger, handover)
    facts: Facts = json.loads(known.content) | _state(ledger, desk, now)
    if ledger.undelivered is not None:
        facts |= _not_told(ledger.undelivered, desk.by_key)
    signed = replace(known, content=_json(facts), made_at=now, signed_out_at=now, signed_out_by=who)
    return Outcome(handovers=[signed])


def sign_in(ledger: Ledger, handover: str, actor: str, now: datetime) -> Outcome:
    """The next shift signs, by another person than the one who signed out. Raises Refused."""
    who = actor_name(actor)
    known = _named(ledger, handover)
    if known.signed_out_at is None:
        raise Refused("handover_not_signed_out")
    if known.signed_in_at is not None:
        raise Refused("handover_closed", handover=handover, who=known.signed_in_by)
    if who.casefold() == known.signed_out_by.casefold():
        raise Refused("handover_same_person", who=known.signed_out_by)
    return Outcome(handovers=[replace(known, signed_in_at=now, signed_in_by=who)])


def leaving(roster: Roster, handovers: Iterable[Handover], now: datetime) -> DutyShift | None:
    """The shift whose note is due: the one on duty, or for two hours the one before while its note is not complete."""
    shift = roster.shift_at(now)
    if shift is None:
        return None
    before = roster.shift_at(shift.starts_at - timedelta(microseconds=1))
    if before is None or now - shift.starts_at >= STILL_LEAVING:
        return shift
    return shift if _last_complete(handovers) >= handover_id(before, roster.zone) else before


def handover_id(shift: DutyShift, zone: ZoneInfo) -> str:
    """«BG-20261121-1400»: the city's day and time at which the shift ends, so that later ones sort behind."""
    return f"BG-{shift.ends_at.astimezone(zone):%Y%m%d-%H%M}"


def to_review(alerts: Mapping[Key, Alert], shift: DutyShift, now: datetime) -> tuple[Alert, ...]:
    """Shelved alerts to look at before the shift ends: in its last hour all of them, before that none."""
    if not shift.ends_at - REVIEW_BEFORE_END <= now < shift.ends_at:
        return ()
    return tuple(_worst_first(alert for alert in alerts.values() if alert.hidden == "SHLVD"))


def content(ledger: Ledger, desk: Desk, shift: DutyShift, now: datetime) -> Facts:
    """What a note says, ready for JSON; times are ISO 8601 in UTC, lists have the worst first.

    Keys: shift, next; open, unassigned, shelved, out_of_service, situations, suppressed (a count), steps; undelivered
    (a count of notices) and not_told (the alerts that they were to tell), both None where that is not known.
    """
    following = desk.roster.shift_at(shift.ends_at)
    return {
        "shift": _shift(shift),
        "next": None if following is None else _shift(following),
        **_state(ledger, desk, now),
        **_not_told(ledger.undelivered, desk.by_key),
    }


def _state(ledger: Ledger, desk: Desk, now: datetime) -> Facts:
    """What changes from one minute to the next."""
    rules = desk.by_key
    alive = _worst_first(alert for alert in ledger.values() if alert.truth != "NORM" or alert.hidden is not None)
    shown = [alert for alert in alive if alert.hidden is None]
    return {
        "open": [
            _alert(alert, rules) | {"value": alert.value, "raised_at": _iso(alert.raised_at)}
            | {"assignee": alert.assignee, "unit": alert.unit, "due_at": _iso(alert.due_at)}
            | {"acked_by": alert.acked_by, "situation": alert.situation}
            for alert in shown
        ],
        "unassigned": [
            _alert(alert, rules) | {"acked_by": alert.acked_by, "acked_at": _iso(alert.acked_at)}
            for alert in shown
            if alert.active and alert.acked and not alert.assignee and not alert.unit
        ],
        "shelved": [_alert(alert, rules) | _cover(alert) for alert in alive if alert.hidden == "SHLVD"],
        "out_of_service": [
            _alert(alert, rules) | _cover(alert) | {"work_order": alert.work_order}
            for alert in alive
            if alert.hidden == "OOSRV"
        ],
        "suppressed": sum(alert.hidden == "DSUPR" for alert in alive),
        "steps": _open_steps(ledger, desk.playbooks, rules, now),
        "situations": [
            {
                "id": situation.id,
                "status": situation.status,
                "lead": situation.lead,
                "unit": situation.unit,
                "note": situation.note,
                "opened_at": _iso(situation.opened_at),
                "alerts": sum(alert.situation == situation.id for alert in alive),
            }
            for situation in sorted(ledger.situations.values(), key=lambda one: one.opened_at)
        ],
    }  # fmt: skip


def _open_steps(ledger: Ledger, playbooks: Sequence[Playbook], rules: Mapping[str, Rule], now: datetime) -> list[Facts]:
    """Playbooks that are not through, one entry per alert. What is suppressed by design wants nobody's work."""
    found = []
    for alert in _worst_first(alert for alert in ledger.values() if alert.hidden != "DSUPR"):
        listed = checklist(playbooks, alert, ledger.steps, now)
        if listed is None or listed.done == len(listed.lines):
            continue
        playbook = listed.playbook
        found.append(
            _alert(alert, rules)
            | {"playbook": playbook.key, "playbook_vi": playbook.title_vi, "playbook_en": playbook.title_en}
            | {"version": playbook.version, "done": listed.done, "total": len(listed.lines)}
            | {
                "open": [
                    {
                        "step": line.step.number,
                        "action_vi": line.step.action_vi,
                        "action_en": line.step.action_en,
                        "role": line.step.role,
                        "due_at": _iso(line.due_at),
                        "overdue": line.overdue,
                    }
                    for line in listed.lines
                    if line.done is None
                ]
            }
        )
    return found


def _not_told(undelivered: Sequence[Notice] | None, rules: Mapping[str, Rule]) -> Facts:
    """The notices that reached nobody, one entry per alert with its worst priority and the channels that failed.

    No recipient: addresses of persons are forgotten with the notices, while a note is kept.
    """
    if undelivered is None:
        return {"undelivered": None, "not_told": None}
    grouped: dict[Key, list[Notice]] = {}
    ranks = {priority: -rank for rank, priority in enumerate(PRIORITIES)}  # a closed situation has no priority
    for notice in sorted(undelivered, key=lambda one: (ranks.get(one.priority, 1), one.happened_at, one.id)):
        grouped.setdefault((notice.rule, notice.site_id), []).append(notice)
    return {
        "undelivered": len(undelivered),
        "not_told": [
            _today(key, rules)
            | {"priority": notices[0].priority, "notices": len(notices)}
            | {"channels": sorted({one.channel for one in notices})}
            for key, notices in grouped.items()
        ],
    }


def _alert(alert: Alert, rules: Mapping[str, Rule]) -> Facts:
    return _today(alert.key, rules) | {"priority": alert.priority, "state": alert.truth}


def _today(key: Key, rules: Mapping[str, Rule]) -> Facts:
    """An alert by its key and by the title it has today: the rule may be gone when somebody reads this."""
    rule = rules.get(key[0])
    return {
        "rule": key[0],
        "site_id": key[1],
        "title_vi": rule.title_vi if rule else "",
        "title_en": rule.title_en if rule else "",
    }


def _cover(alert: Alert) -> Facts:
    return {"until": _iso(alert.hidden_until), "by": alert.hidden_by, "reason": alert.hidden_reason}


def _shift(shift: DutyShift) -> Facts:
    return {
        "key": shift.key,
        "name_vi": shift.name_vi,
        "name_en": shift.name_en,
        "starts_at": _iso(shift.starts_at),
        "ends_at": _iso(shift.ends_at),
        "lead": shift.lead.name,
        "deputy": shift.deputy.name if shift.deputy else "",
    }


def _worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    def urgency(alert: Alert) -> tuple[int, bool, float, Key]:
        raised = alert.raised_at.timestamp() if alert.raised_at else 0.0
        return (-PRIORITIES.index(alert.priority), alert.acked, raised, alert.key)

    return sorted(alerts, key=urgency)


def _named(ledger: Ledger, handover: str) -> Handover:
    for known in ledger.handovers:
        if known.id == handover:
            return known
    raise Refused("unknown_handover", handover=handover)


def _refuse_superseded(ledger: Ledger, handover: str) -> None:
    """The ledger knows only the last complete note: up to it nothing is written, or a signed one could be lost."""
    last = _last_complete(ledger.handovers)
    if last >= handover:
        raise Refused("handover_superseded", handover=handover, last=last)


def _last_complete(handovers: Iterable[Handover]) -> str:
    """Id of the last note that both have signed; empty where there is none."""
    return max((known.id for known in handovers if known.signed_in_at is not None), default="")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _json(facts: Facts) -> str:
    return json.dumps(facts, ensure_ascii=False)
