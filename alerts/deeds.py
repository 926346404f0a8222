"""What an operator may do at the alert desk: (alerts, …) -> (alerts to write, events), fit for `store.change_alerts`:
`store.change_alerts(functools.partial(acknowledge, keys=[key], actor=name, now=now))`.

Every deed needs a name. What is not allowed raises lifecycle.Refused (an InputError) and changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from alerts import lifecycle
from alerts.lifecycle import ENGINE, Changed
from alerts.refusals import Refused
from core.alert import Alert, AlertEvent

Key = tuple[str, str]  # rule, site_id
Alerts = Mapping[Key, Alert]
Outcome = tuple[list[Alert], list[AlertEvent]]

ACTOR_LIMIT_CHARACTERS = 80
TEXT_LIMIT_CHARACTERS = 1000
ALLOWED_CONTROLS = "\n\t"  # a comment may have paragraphs


def acknowledge(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime) -> Outcome:
    """Acknowledge the listed alerts and no other. Those that somebody else acknowledged meanwhile are passed over;
    when none is left, Refused tells who was first.
    """
    who = actor_name(actor)
    written: Outcome = ([], [])
    refused: Refused | None = None
    for alert in _chosen(alerts, keys):
        try:
            after, events = lifecycle.acknowledge(alert, who, now)
        except Refused as refusal:
            if refusal.code != "already_acknowledged":
                raise
            refused = refusal
            continue
        written[0].append(after)
        written[1].extend(events)
    if refused is not None and not written[0]:
        raise refused
    return written


def unacknowledge(alerts: Alerts, key: Key, actor: str, now: datetime) -> Outcome:
    """Undo one's own acknowledgement within 10 s; the journal keeps both."""
    who = actor_name(actor)
    return _each(alerts, [key], lambda alert: lifecycle.unacknowledge(alert, who, now))


def shelve(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, until: datetime, reason: str) -> Outcome:
    """Shelve all of the listed alerts until then, or none."""
    who, why = actor_name(actor), _text(reason)
    return _each(alerts, keys, lambda alert: lifecycle.shelve(alert, until, who, now, why))


def unshelve(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime) -> Outcome:
    """Lift the shelf of all of the listed alerts, or of none."""
    who = actor_name(actor)
    return _each(alerts, keys, lambda alert: lifecycle.unshelve(alert, who, now))


def comment(alerts: Alerts, key: Key, actor: str, now: datetime, text: str) -> Outcome:
    """Add a sentence to the journal; the alert stays as it is."""
    who, said = actor_name(actor), _text(text)
    if not said:
        raise Refused("reason_missing")
    (alert,) = _chosen(alerts, [key])
    return [], [lifecycle.journal(alert, alert, "comment", now, actor=who, value=alert.value, reason=said)]


def actor_name(actor: str) -> str:
    """The name as the journal keeps it: trimmed NFC, at most 80 characters, nothing unseen, not the engine's."""
    name = " ".join(_text(actor, ACTOR_LIMIT_CHARACTERS, allowed="").split())
    if not name:
        raise Refused("actor_missing")
    if name.casefold() == ENGINE:
        raise Refused("actor_reserved", who=name)
    return name


def _text(text: str, limit: int = TEXT_LIMIT_CHARACTERS, allowed: str = ALLOWED_CONTROLS) -> str:
    """Trimmed NFC text. Categories C* hold control, bidi and private characters: they can forge a journal line."""
    trimmed = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(character).startswith("C") and character not in allowed for character in trimmed):
        raise Refused("control_characters")
    if len(trimmed) > limit:
        raise Refused("text_too_long", limit=limit)
    return trimmed


def _chosen(alerts: Alerts, keys: Collection[Key]) -> list[Alert]:
    """The alerts of the keys, each once."""
    if not keys:
        raise Refused("no_alert_chosen")
    for rule, site_id in keys:
        if (rule, site_id) not in alerts:
            raise Refused("unknown_alert", rule=rule, site_id=site_id)
    return [alerts[key] for key in dict.fromkeys(keys)]


def _each(alerts: Alerts, keys: Collection[Key], deed: Callable[[Alert], Changed]) -> Outcome:
    written: Outcome = ([], [])
    for alert in _chosen(alerts, keys):
        after, events = deed(alert)
        written[0].append(after)
        written[1].extend(events)
    return written
