"""CAP messages of the alerts of a store: each follows the ones that the audit log says were exported before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.cap import cap_xml, is_reference, reference, ring_of
from alerts.refusals import Refused
from core.alert import Alert, Key
from core.config import City
from core.errors import ConfigError, InputError
from core.snapshot import RuleWords
from store.base import Store

EXPORT = "export_cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, ready to be handed over, and the name under which a later one refers to it."""

    key: Key
    xml: bytes
    reference: str

    @property
    def file_name(self) -> str:
        """«underpass_flood-flood_01.cap.xml»."""
        return f"{'-'.join(self.key)}.cap.xml"


def message(
    store: Store,
    city: City,
    words: Mapping[str, RuleWords],
    key: Key,
    *,
    now: datetime,
    exercise: bool,
    geometry: Mapping[str, Any] | None = None,
) -> Message:
    """What other authorities are to be told of an alert now: Alert, then Update, and Cancel once it is over.

    Reads only; whoever hands it over writes it into the audit log under `EXPORT`, with the reference as reason: so
    the next one follows it. Raises ConfigError where the city has no cap_sender, Refused for an alert that is unknown
    or was never told and is over.
    """
    if not city.cap_sender:
        raise ConfigError(f"config/{city.key}/city.toml: cap_sender is missing: under which name do receivers know us?")
    alert, rule = store.read_ledger().get(key), words.get(key[0])
    if alert is None or rule is None:
        raise Refused("unknown_alert", rule=key[0], site_id=key[1])
    told = reference(alert, city, city.cap_sender, now)
    xml = cap_xml(
        alert,
        rule,
        city,
        now=now,
        sender=city.cap_sender,
        exercise=exercise,
        references=[one for one in earlier(store, alert) if one != told],
        polygon=ring_of(geometry, _ward(city, alert)),
    )
    return Message(key=key, xml=xml, reference=told)


def earlier(store: Store, alert: Alert) -> list[str]:
    """References of the messages that were exported of this activation, oldest first."""
    begun = alert.began_at or alert.raised_at
    if begun is None:
        return []
    rows = store.read_audit(begun, limit=None)
    ours = rows[(rows["action"] == EXPORT) & (rows["result"] == "done") & (rows["object"] == ":".join(alert.key))]
    return list(dict.fromkeys(text for text in ours["reason"].tolist()[::-1] if is_reference(text)))


def open_members(store: Store, situation: str) -> list[Key]:
    """The active alerts of a situation, in the order in which they began. Raises InputError where there is none."""
    members = [one for one in store.read_ledger().values() if one.situation == situation and one.active]
    if not situation or not members:
        raise InputError(f"situation {situation!r}: no active alert belongs to it; the alert desk lists the open ones")
    return [one.key for one in sorted(members, key=lambda one: (one.began_at is None, one.began_at, one.key))]


def _ward(city: City, alert: Alert) -> str:
    """The area that an alert speaks for as a whole; empty for a sensor, which speaks for the spot around it."""
    at_an_area = alert.site_id in city.sites.index and city.sites.at[alert.site_id, "kind"] == "area"
    return city.area_of(alert.site_id) if at_an_area else ""
