"""Who is told what, and which way: config/<city>/notices.toml -> Routes. Without the file nobody is told anything.

    base_url = "https://ioc.example.vn"    a link to the alert in every message (optional)
    [[channel]] key, kind, enabled, [channel.options]
    [[route]]   priorities, rules, deeds, channels, to

Unknown keys are refused. Secrets are names of environment variables, read once when the server starts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.alert import PRIORITIES
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take
from notices import _options, alertmanager, email, gateway, webhook
from notices._contract import Channel
from notices._words import DEEDS

KINDS = {module.KIND: module for module in (email, webhook, alertmanager, gateway)}
DUTY = "duty"  # whoever leads the present shift
RINGS = ("raise", "raise_priority", "realarm", "ack_expired")
LIFTS = ("unshelve", "shelf_expired", "release", "return_to_service")  # told where an alert stands underneath
DEFAULT_DEEDS = (*RINGS, *LIFTS, "escalate")
DEFAULT_PRIORITIES = ("high", "critical")
CHANNEL_KEYS = frozenset({"key", "kind", "enabled", "options"})
ROUTE_KEYS = frozenset({"priorities", "rules", "deeds", "channels", "to"})
PHONE = re.compile(r"\+?[0-9]{6,15}")
CONTACT = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One [[route]]: transitions of these priorities, rules and deeds go these ways to these people."""

    priorities: frozenset[str]
    rules: frozenset[str] | None  # None: every rule, and situations
    deeds: frozenset[str]
    channels: tuple[str, ...]
    to: tuple[str, ...]

    def fits(self, rule: str, priority: str) -> bool:
        """True when alerts of that rule and priority go this way."""
        return priority in self.priorities and (self.rules is None or rule in self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """notices.toml, checked. `channels` holds the enabled ones by key, `known` all of them as (key, kind, enabled)."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    known: tuple[tuple[str, str, bool], ...] = ()
    base_url: str = ""

    def contacts(self) -> frozenset[str]:
        """Keys of contacts that routes name: the roster must know them."""
        return frozenset(one for route in self.routes for one in route.to if one != DUTY and not is_literal(one))

    def check_contacts(self, contacts: Collection[str], where: str) -> None:
        """Raises ConfigError when a route names a contact that the roster does not have."""
        if missing := sorted(self.contacts() - set(contacts)):
            raise ConfigError(f"{where}: [[route]] to: no such contact in the roster: {', '.join(missing)}")


def load_routes(path: Path, environ: Mapping[str, str], archive: Path | None = None) -> Routes:
    """Read notices.toml; no channel where the file is absent. Raises ConfigError with file, entry and remedy.

    `archive` is the folder of the files that e-mail may attach.
    """
    if not path.is_file():
        return Routes()
    table, where = read_toml(path), shown_path(path)
    _options.refuse_unknown(table, ("base_url", "channel", "route"), where)
    channels: dict[str, Channel] = {}
    known: dict[str, tuple[str, str, bool]] = {}
    for number, entry in enumerate(take(table, "channel", list, where, []), start=1):
        channel = _channel(entry, f"{where}: [[channel]] number {number}", environ)
        key = take(entry, "key", str, where)
        if key in known:
            raise ConfigError(f"{where}: the channel {key!r} is given twice")
        known[key] = (key, entry["kind"], channel is not None)
        if channel is not None:
            channels[key] = replace(channel, archive=archive) if isinstance(channel, email.Email) else channel
    routes = tuple(
        _route(entry, f"{where}: [[route]] number {number}", known)
        for number, entry in enumerate(take(table, "route", list, where, []), start=1)
    )
    for key in channels:
        if not any(key in route.channels for route in routes):
            raise ConfigError(f"{where}: no [[route]] leads to the channel {key!r}: add one, or set enabled = false")
    return Routes(channels=channels, routes=routes, known=tuple(known.values()), base_url=_base_url(table, where))


def is_literal(to: str) -> bool:
    """True for an address itself, false for «duty» and keys of contacts."""
    return "@" in to or PHONE.fullmatch(to) is not None


def fits_channel(to: str, address: str) -> bool:
    """True when a literal address can be used by a channel that needs that kind of address."""
    return email.is_address(to) if address == "email" else address == "phone" and PHONE.fullmatch(to) is not None


def _channel(entry: Any, where: str, environ: Mapping[str, str]) -> Channel | None:
    """The channel, or None where it is switched off: its options are looked at when it is switched on."""
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: write it as [[channel]] with key, kind and options")
    _options.refuse_unknown(entry, CHANNEL_KEYS, where)
    key, kind = take(entry, "key", str, where), take(entry, "kind", str, where)
    if not CONTACT.fullmatch(key):
        raise ConfigError(f"{where}: key {key!r}: use small letters, digits and _ only")
    if kind not in KINDS:
        raise ConfigError(f"{where}: kind {kind!r} is not one of {', '.join(sorted(KINDS))}")
    where = f"{where}: {key}"
    options = take(entry, "options", dict, where, {})
    _options.refuse_unknown(options, KINDS[kind].OPTIONS, f"{where}: options")
    if not take(entry, "enabled", bool, where, True):
        return None
    channel: Channel = KINDS[kind].build(key, options, environ, f"{where}: options")
    return channel


def _route(entry: Any, where: str, known: Mapping[str, tuple[str, str, bool]]) -> Route:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: write it as [[route]] with channels and to")
    _options.refuse_unknown(entry, ROUTE_KEYS, where)
    channels = _words(entry, "channels", where, None, known)
    kinds = {known[key][1] for key in channels}
    addresses = {_address(kind) for kind in kinds} - {""}
    to = tuple(_words(entry, "to", where, (DUTY,), None)) if addresses else ()
    for one in to:
        if is_literal(one):
            if not any(fits_channel(one, address) for address in addresses):
                raise ConfigError(f"{where}: to: {one!r} is no address for {', '.join(sorted(kinds))}")
        elif not CONTACT.fullmatch(one):
            raise ConfigError(f"{where}: to: {one!r} is neither «duty», an address, nor the key of a contact")
    rules = entry.get("rules")
    return Route(
        priorities=frozenset(_words(entry, "priorities", where, DEFAULT_PRIORITIES, PRIORITIES)),
        rules=None if rules is None else frozenset(_words(entry, "rules", where, None, None)),
        deeds=frozenset(_words(entry, "deeds", where, DEFAULT_DEEDS, DEEDS)),
        channels=tuple(channels),
        to=to,
    )


def _address(kind: str) -> str:
    return {email.KIND: "email", gateway.KIND: "phone"}.get(kind, "")


def _words(
    entry: Mapping[str, Any], name: str, where: str, default: tuple[str, ...] | None, known: Collection[str] | None
) -> list[str]:
    """A list of words that is not empty, each one of `known`."""
    words = take(entry, name, list, where, *([list(default)] if default is not None else []))
    if not words or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"{where}: {name} must be a list of words, not {words!r}")
    for word in words:
        if known is not None and word not in known:
            raise ConfigError(f"{where}: {name}: {word!r} is not one of {', '.join(known)}")
    return list(dict.fromkeys(words))


def _base_url(table: Mapping[str, Any], where: str) -> str:
    url = take(table, "base_url", str, where, "").rstrip("/")
    if url and (urlsplit(url).scheme not in ("http", "https") or not url.isprintable() or " " in url):
        raise ConfigError(f"{where}: base_url {url!r} is not an address of the form https://host")
    return str(url)
