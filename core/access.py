"""Who may do what: roles, deeds, pages and areas. The one table, asked in one place (control/gate.py).

Least privilege with the administration kept apart from the audit (domain reference 9): an administrator neither
handles alerts nor reads the audit log, an auditor reads everything and changes nothing. Who has which role stands in
config/<city>/people.toml; a person whom it does not name has none.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

from core.errors import ConfigError, InputError
from core.toml_files import read_toml, shown_path, take

ROLES = ("viewer", "operator", "supervisor", "admin", "auditor")
NO_ROLE = ""  # signed in, but people.toml names them nowhere
KINDS = ("person", "demo", "wall", "system", "unknown")
DESK = frozenset({"operator", "supervisor"})
SUPERVISOR = frozenset({"supervisor"})
AUDITOR = frozenset({"auditor"})
MAY: dict[str, frozenset[str]] = {
    "acknowledge": DESK,
    "unacknowledge": DESK,
    "reset": DESK,
    "shelve": DESK,
    "unshelve": DESK,
    "take_out_of_service": SUPERVISOR,
    "return_to_service": SUPERVISOR,
    "assign": DESK,
    "comment": DESK,
    "tick_step": DESK,
    "untick_step": DESK,
    "join": DESK,
    "split": DESK,
    "lead": DESK,
    "status": DESK,
    "mute_wall": DESK,
    "unmute_wall": DESK,
    "show_on_wall": DESK,
    "release_wall": DESK,
    "draft_handover": DESK,
    "sign_out": DESK,
    "sign_in": DESK,
    "resend_notice": frozenset({"supervisor", "admin"}),
    "drop_notice": SUPERVISOR,
    "end_drill": SUPERVISOR,
    "try_rule": frozenset({"operator", "supervisor", "admin"}),
    "export_cap": DESK,
    "deliver_file": DESK,
    "read_delivery": DESK,
    "remind_unit": DESK,
    "import_layer": frozenset({"admin"}),
    "remove_layer": frozenset({"admin"}),
    "lock_pilot": SUPERVISOR,
    **dict.fromkeys(
        (
            "plan_task",
            "change_task",
            "start_task",
            "finish_task",
            "reopen_task",
            "drop_task",
            "undo_task",
            "record_decision",
            "enter_number",
            "answer_criterion",
            "restore_answer",
        ),
        SUPERVISOR,
    ),
    "export_decisions": SUPERVISOR,
    "make_survey_link": frozenset({"supervisor", "admin"}),
    "revoke_survey_link": frozenset({"supervisor", "admin"}),
    "import_ratings": frozenset({"supervisor", "admin"}),
    "read_audit": AUDITOR,
    "export_audit": AUDITOR,
}
SEE: dict[str, frozenset[str]] = {  # a page that is not named here is open to every role
    "audit": AUDITOR,
    "handover": DESK | AUDITOR,
    "drill": DESK | AUDITOR,
    "rule_trial": DESK | AUDITOR | {"admin"},
    "messages": DESK | AUDITOR | {"admin"},  # addresses of people stand there
}
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
HASH_LENGTH = 64  # hex digits of SHA-256
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody (or a wall screen) before the city's screens. `areas` None means the whole city."""

    account: str  # stable: the subject of the identity provider, «demo», or the key of a wall
    name: str  # as it stands in journal and handover
    role: str  # one of ROLES, or NO_ROLE
    kind: str = "person"  # one of KINDS
    areas: frozenset[str] | None = None
    pages: frozenset[str] | None = None  # only these pages; None means all that the role may see
    session: str = ""
    source_address: str = ""
    source_port: int | None = None


class Denied(InputError):
    """The person's role or area does not allow this."""

    def __init__(self, vietnamese: str, english: str) -> None:
        self._words = {"vi": vietnamese, "en": english}
        super().__init__(vietnamese)

    def words(self, language: str) -> str:
        """The sentence for the person in `vi` or `en`."""
        return self._words["en" if language == "en" else "vi"]


def may(person: Person, action: str) -> bool:
    """True when the role allows the action; unknown actions are allowed to nobody."""
    return person.kind != "wall" and person.role in MAY.get(action, frozenset())


def may_see(person: Person, page: str) -> bool:
    """True when the role may open the page. A wall screen sees the pages of its entry and nothing else."""
    if person.role not in ROLES:
        return False
    return person.role in SEE.get(page, frozenset(ROLES)) and (person.pages is None or page in person.pages)


def check(person: Person, action: str, areas: Iterable[str] = ()) -> None:
    """Raises Denied when the role does not allow the action, or one of `areas` («» = the whole city) is not theirs."""
    if not may(person, action):
        raise Denied(
            f"Vai trò của {person.name or person.account} không được phép làm việc này.",
            f"The role of {person.name or person.account} does not allow this.",
        )
    if person.areas is not None and not set(areas) <= person.areas:
        raise Denied(
            f"Địa bàn này nằm ngoài phạm vi của {person.name or person.account}.",
            f"This area is outside the scope of {person.name or person.account}.",
        )


# -- config/<city>/people.toml ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One [[role]]: whoever carries that claim with that value has this role. The first that fits counts."""

    claim: str
    value: str
    role: str
    areas: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One [[wall]]: a screen that reads some pages, known by a token of which only the hash is kept."""

    key: str
    name: str
    token_hash: str  # SHA-256 of the token, hex; the token is long and random, so no salt is needed
    pages: frozenset[str]
    areas: frozenset[str] | None = None
    networks: tuple[Network, ...] = ()  # where it may come from; empty: from anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What people.toml says. Without the file nobody has a role and there are no walls."""

    grants: tuple[Grant, ...] = ()
    walls: tuple[Wall, ...] = ()
    idle: timedelta = IDLE  # without a deed or a change of page
    longest: timedelta = LONGEST  # since the sign-in, whatever happens
    proxies: tuple[Network, ...] = ()  # whose X-Forwarded-For is believed
    name_claims: tuple[str, ...] = field(default=("name", "preferred_username", "email"))

    def person(self, claims: Mapping[str, Any], *, session: str, address: str, port: int | None) -> Person:
        """The person of an ID token. Only `sub` is certain: names and e-mail addresses may be missing."""
        account = str(claims.get("sub", ""))
        names = [str(claims[name]).strip() for name in self.name_claims if isinstance(claims.get(name), str)]
        grant = next((one for one in self.grants if account and _carries(claims, one)), None)
        return Person(
            account=account,
            name=next((name for name in names if name), account),
            role=grant.role if grant else NO_ROLE,
            areas=grant.areas if grant else frozenset(),
            session=session,
            source_address=address,
            source_port=port,
        )

    def wall(self, token: str, address: str) -> Wall | None:
        """The wall of a token, or None. Every stored hash is compared in full, so the time tells nothing."""
        given = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = [wall for wall in self.walls if hmac.compare_digest(wall.token_hash, given)]
        return found[0] if found and (not found[0].networks or inside(address, found[0].networks)) else None


def _carries(claims: Mapping[str, Any], grant: Grant) -> bool:
    if grant.claim == "email" and claims.get("email_verified") is False:
        return False  # anybody may write anybody's address into an account of their own
    given = claims.get(grant.claim)
    if grant.claim == "email":
        return isinstance(given, str) and given.casefold() == grant.value.casefold()
    return grant.value in given if isinstance(given, list) else given == grant.value


def inside(address: str, networks: Iterable[Network]) -> bool:
    """True when an IP address lies in one of the networks; what is no address lies in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


def load_people(
    path: Path,
    environ: Mapping[str, str],
    *,
    areas: Collection[str] | None = None,
    pages: Collection[str] | None = None,
) -> People:
    """Read config/<city>/people.toml. `areas` and `pages` are those that exist. Raises ConfigError.

    token_hash = "env:NAME" is read from the environment, so that not even the hash lies in the folder.
    """
    if not path.is_file():
        return People()
    where = shown_path(path)
    table = _known(read_toml(path), ("session", "proxies", "name_claims", "role", "wall"), where)
    session = _known(take(table, "session", dict, where, {}), ("idle_min", "longest_h"), f"{where}: [session]")
    grants = [
        _grant(one, f"{where}: [[role]] number {number}", areas)
        for number, one in enumerate(take(table, "role", list, where, []), start=1)
    ]
    walls = [
        _wall(one, f"{where}: [[wall]] number {number}", environ, areas, pages)
        for number, one in enumerate(take(table, "wall", list, where, []), start=1)
    ]
    for name, given in (("key", [one.key for one in walls]), ("token_hash", [one.token_hash for one in walls])):
        if len(set(given)) < len(given):
            raise ConfigError(f"{where}: two [[wall]] have the same {name}: every screen has its own")
    return People(
        grants=tuple(grants),
        walls=tuple(walls),
        idle=timedelta(minutes=_positive(session, "idle_min", f"{where}: [session]", IDLE.total_seconds() / 60)),
        longest=timedelta(hours=_positive(session, "longest_h", f"{where}: [session]", LONGEST.total_seconds() / 3600)),
        proxies=_networks(table, "proxies", where),
        name_claims=_texts(table, "name_claims", where) or People().name_claims,
    )


def _grant(table: Mapping[str, Any], where: str, areas: Collection[str] | None) -> Grant:
    _known(table, ("role", "areas", "account", "email", "claim", "value"), where)
    role = take(table, "role", str, where)
    if role not in ROLES:
        raise ConfigError(f"{where}: role {role!r} is not one of {', '.join(ROLES)}")
    given = [name for name in ("account", "email", "claim") if name in table]
    if len(given) != 1 or ("value" in table) != (given == ["claim"]):
        raise ConfigError(f"{where}: say who: account, or email, or claim together with value")
    value = "value" if given == ["claim"] else given[0]
    claim = {"account": "sub", "email": "email"}.get(given[0]) or take(table, "claim", str, where)
    wanted = take(table, value, str, where)
    if not wanted or not claim:
        raise ConfigError(f"{where}: {value} is empty: it would fit nobody, or everybody")
    return Grant(claim=claim, value=wanted, role=role, areas=_areas(table, where, areas))


def _wall(
    table: Mapping[str, Any],
    where: str,
    environ: Mapping[str, str],
    areas: Collection[str] | None,
    pages: Collection[str] | None,
) -> Wall:
    _known(table, ("key", "name", "token_hash", "pages", "areas", "networks"), where)
    digest = take(table, "token_hash", str, where)
    if digest.startswith("env:"):
        name = digest.removeprefix("env:")
        if name not in environ:
            raise ConfigError(f"{where}: token_hash: the environment has no {name}")
        digest = environ[name].strip()
    if len(digest) != HASH_LENGTH or set(digest) - set("0123456789abcdef"):
        raise ConfigError(f"{where}: token_hash must be a SHA-256 in 64 small hex digits; docs/people.md tells how")
    shown = _texts(table, "pages", where) or ("wall",)
    unknown = sorted(set(shown) - set(pages)) if pages is not None else []
    if unknown:
        raise ConfigError(f"{where}: there is no page {', '.join(unknown)}")
    closed = sorted(page for page in shown if "viewer" not in SEE.get(page, frozenset(ROLES)))
    if closed:
        raise ConfigError(f"{where}: a wall only reads: {', '.join(closed)} is not for it")
    return Wall(
        key=take(table, "key", str, where),
        name=take(table, "name", str, where),
        token_hash=digest,
        pages=frozenset(shown),
        areas=_areas(table, where, areas),
        networks=_networks(table, "networks", where),
    )


def _known(table: Any, names: tuple[str, ...], where: str) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(names)}")
    return table


def _texts(table: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    given = take(table, name, list, where, [])
    if not all(isinstance(one, str) and one for one in given):
        raise ConfigError(f"{where}: {name} must be a list of words, not {given!r}")
    return tuple(given)


def _areas(table: Mapping[str, Any], where: str, known: Collection[str] | None) -> frozenset[str] | None:
    """The codes of areas.toml; without the key, the whole city."""
    if "areas" not in table:
        return None
    codes = frozenset(_texts(table, "areas", where))
    unknown = sorted(codes - set(known)) if known is not None else []
    if unknown:
        raise ConfigError(f"{where}: area {', '.join(unknown)} is not in areas.toml")
    if not codes:
        raise ConfigError(f"{where}: areas is empty: leave the key out for the whole city")
    return codes


def _networks(table: Mapping[str, Any], name: str, where: str) -> tuple[Network, ...]:
    found = []
    for text in _texts(table, name, where):
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise ConfigError(f"{where}: {name}: {text!r} is no address or network, for example 10.1.2.0/24") from error
    return tuple(found)


def _positive(table: Mapping[str, Any], name: str, where: str, default: float) -> float:
    number = float(take(table, name, (int, float), where, default))
    if not 0 < number <= 10_000:
        raise ConfigError(f"{where}: {name} must be more than 0, not {number:g}")
    return number
