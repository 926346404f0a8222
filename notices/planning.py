"""Who must be told of an outcome: (outcome, ledger, routes) -> notices, in the same transaction as the alerts. Pure.

One transition gives one notice per channel and recipient, whatever calls this how often: the id of the notice is
made from the transition. Three rules keep a storm from becoming 500 messages to a person, and none of them ever
holds a critical alert back: what its cause hides is not told (`quiet`); in a situation a member is told only when no
earlier one of the same or higher priority stands there; and while more than ten alerts rang in ten minutes (the
flood of EEMUA 191) the rest of a cycle comes as one collected message. Machines get every transition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.alert import COVERS, PRIORITIES, SITUATION, Alert, AlertEvent, Key
from core.catalogue import ObservedProperty
from core.config import City
from core.duty import Contact
from core.ledger import Ledger, Notice, Outcome, Situation
from core.snapshot import RuleWords
from notices._contract import Channel
from notices.compose import Message, Style, Telling, digest, message
from notices.routes import DUTY, LIFTS, Route, Routes, fits_channel, is_literal

FLOOD_ALERTS, FLOOD_SPAN = 10, timedelta(minutes=10)  # EEMUA 191: more than ten in ten minutes
CRITICAL = PRIORITIES[-1]
ID_LENGTH = 32  # hex digits

Recipient = tuple[str, str]  # address (or the key of whom has none), trouble («» when it can be used)


def plan(
    outcome: Outcome,
    ledger: Ledger,
    routes: Routes,
    *,
    words: Mapping[str, RuleWords],
    city: City,
    duty: tuple[Contact, ...],
    contacts: Mapping[str, Contact],
    drill: bool,
    now: datetime,
    catalogue: Mapping[str, ObservedProperty] | None = None,
    quiet: Collection[Key] = (),
) -> list[Notice]:
    """Notices of the events of `outcome`; `ledger` is what was before it. Each id comes once.

    `quiet` are alerts that their cause hides at present. Whoever has no address for a channel gets a notice that has
    failed already, so that the shift sees who was not told.
    """
    if not routes.channels or not outcome.events:
        return []
    after = {**ledger.alerts, **{alert.key: alert for alert in outcome.alerts}}
    situations = {**ledger.situations, **{one.id: one for one in outcome.situations}}
    style = Style(city=city, catalogue=catalogue or {}, drill=drill, base_url=routes.base_url)
    storm = _in_flood(after.values(), now)
    members = _members(after.values())
    notices: dict[str, Notice] = {}
    collected: dict[tuple[str, Recipient], dict[str, Telling]] = {}
    written: dict[int, Message] = {}
    for number, telling in enumerate(_tellings(outcome, ledger, after, situations, members, words)):
        for route in routes.routes:
            for channel in _channels(route, routes, telling):
                to_person = channel.address != ""
                if to_person and _held_back(telling, route, members, quiet):
                    continue
                for recipient in _recipients(telling, route, channel, duty, contacts):
                    if to_person and storm and telling.event.priority != CRITICAL:
                        id = _id(telling.event, channel.key, recipient[0])
                        collected.setdefault((channel.key, recipient), {})[id] = telling
                        continue
                    said = written.get(number) or written.setdefault(number, message(telling, style))
                    notice = _notice(telling.event, said, channel, recipient, now)
                    notices.setdefault(notice.id, notice)
    for (key, recipient), by_id in collected.items():
        tellings = list(by_id.values())
        said = message(tellings[0], style) if len(tellings) == 1 else digest(tellings, style)
        notice = _notice(_worst(tellings).event, said, routes.channels[key], recipient, now)
        if len(tellings) > 1:
            notice = replace(notice, id=_hash(sorted(by_id)))
        notices.setdefault(notice.id, notice)
    return list(notices.values())


def _tellings(
    outcome: Outcome,
    ledger: Ledger,
    after: Mapping[Key, Alert],
    situations: Mapping[str, Situation],
    members: Mapping[str, Sequence[Alert]],
    words: Mapping[str, RuleWords],
) -> Iterator[Telling]:
    """The events in their order, each with the priority that its alert had before it."""
    standing = {key: alert.priority if alert.truth != "NORM" else "" for key, alert in ledger.alerts.items()}
    for event in outcome.events:
        key = (event.rule, event.site_id)
        alert = after.get(key)
        own = event.site_id if event.rule == SITUATION else alert.situation if alert else ""
        yield Telling(
            event=event,
            alert=alert,
            words=words.get(event.rule),
            situation=situations.get(own),
            members=len(members.get(own, ())),
            priority_before=standing.get(key, ""),
        )
        standing[key] = event.priority if event.state_after != "NORM" else ""


def _channels(route: Route, routes: Routes, telling: Telling) -> Iterator[Channel]:
    """The enabled channels of a route that this transition goes to."""
    event = telling.event
    if event.deed not in route.deeds or not route.fits(event.rule, event.priority):
        return
    for key in route.channels:
        channel = routes.channels.get(key)
        if channel is not None and _shown(event, channel):
            yield channel


def _shown(event: AlertEvent, channel: Channel) -> bool:
    """What a cover hides is told to nobody; only the reminder that it still hides goes to people.

    A machine hears that a cover has begun, for otherwise the alert would stand there until the end of time. A cover
    that is lifted is news for people where an alert rings underneath.
    """
    if event.state_after in COVERS:
        if channel.address == "":
            return event.state_before not in COVERS
        return event.deed == "service_reminder"
    return channel.address == "" or event.deed not in LIFTS or event.state_after == "UNACK"


def _held_back(telling: Telling, route: Route, members: Mapping[str, Sequence[Alert]], quiet: Collection[Key]) -> bool:
    """True where another message speaks for this one: its cause, or an earlier member of the same situation."""
    alert = telling.alert
    if alert is None or telling.event.priority == CRITICAL:
        return False
    if alert.key in quiet:
        return True
    rank = PRIORITIES.index(telling.event.priority)
    return bool(alert.situation) and any(
        _order(other) < _order(alert)
        and other.active
        and other.hidden is None
        and PRIORITIES.index(other.priority) >= rank
        and route.fits(other.rule, other.priority)
        for other in members[alert.situation]
    )


def _order(alert: Alert) -> tuple[float, Key]:
    began_at = alert.began_at or alert.raised_at
    return (began_at.timestamp() if began_at else float("inf"), alert.key)


def _members(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.situation:
            found.setdefault(alert.situation, []).append(alert)
    return found


def _in_flood(alerts: Iterable[Alert], now: datetime) -> bool:
    """More than ten alerts that rang in the ten minutes (now - 10 min, now]."""
    since = now - FLOOD_SPAN
    rang = sum(alert.raised_at is not None and since < alert.raised_at <= now for alert in alerts)
    return rang > FLOOD_ALERTS


def _recipients(
    telling: Telling, route: Route, channel: Channel, duty: Sequence[Contact], contacts: Mapping[str, Contact]
) -> list[Recipient]:
    """Addresses in that channel, each once. An escalation goes to the people that its ladder names."""
    if channel.address == "":
        return [("", "")]
    names = _ladder(telling.event) if telling.event.deed == "escalate" else route.to
    found: dict[Recipient, None] = {}
    for name in names:
        if name == DUTY:
            people = [_reached(one.key, one, channel) for one in duty] or [(DUTY, "no_duty: ")]
        elif is_literal(name):
            people = [(name, "")] if fits_channel(name, channel.address) else []
        else:
            people = [_reached(name, contacts.get(name), channel)]
        found.update(dict.fromkeys(people))
    return list(found)


def _reached(key: str, contact: Contact | None, channel: Channel) -> Recipient:
    address = "" if contact is None else contact.email if channel.address == "email" else contact.phone
    address = address.strip() if channel.address == "email" else "".join(c for c in address if c not in " .-()")
    if not fits_channel(address, channel.address):
        return (key, f"no_address: {contact.name if contact else key}")
    return (address, "")


def _ladder(event: AlertEvent) -> list[str]:
    """Keys of contacts in the detail of an escalation."""
    detail = json.loads(event.detail or "{}")
    return [str(key) for key in detail.get("to", ())]


def _notice(event: AlertEvent, said: Message, channel: Channel, recipient: Recipient, now: datetime) -> Notice:
    to, trouble = recipient
    id = _id(event, channel.key, to)
    return Notice(
        id=id,
        made_at=now,
        rule=event.rule,
        site_id=event.site_id,
        deed=event.deed,
        happened_at=event.happened_at,
        priority=event.priority,
        channel=channel.key,
        recipient=to,
        subject=said.subject,
        text=said.short if channel.address == "phone" else said.text,
        payload=json.dumps({"id": id, **said.facts}, ensure_ascii=False),
        state="failed" if trouble else "queued",
        settled_at=now if trouble else None,
        error=trouble,
    )


def _worst(tellings: Sequence[Telling]) -> Telling:
    return max(tellings, key=lambda one: PRIORITIES.index(one.event.priority))


def _id(event: AlertEvent, channel: str, recipient: str) -> str:
    happened_at = event.happened_at.astimezone(UTC).isoformat()
    return _hash([event.rule, event.site_id, happened_at, event.deed, channel, recipient])


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:ID_LENGTH]
