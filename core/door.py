"""What stands at the door between people and screens: how long a sign-in lasts, how fast a guesser may guess.

Everything here lives in the memory of one server process, takes its clock as an argument and may be asked from any
thread. Nothing sleeps: whoever must wait is told how long, so nobody else waits with them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from core.access import Network, People, Person, inside
from core.clock import Clock

SOURCE_HEADER = "x-city-source"  # written by the front door alone: «address port visit»
WALL_COOKIE = "city_wall"
FREE_TRIES = 3  # a mistyped or outdated token is no attack
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
FORGIVEN_AFTER = timedelta(minutes=30)  # without a further failure
MOST_ADDRESSES = 10_000
NEW, KNOWN, ENDED = "new", "known", "ended"
Audit = Callable[[Person, str, str, str, str], None]  # person, action, object, result, reason


@dataclass
class _Failures:
    count: int
    at: datetime


class Attempts:
    """Failed sign-ins per source address: after a few, each further one doubles the wait, up to five minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def failed(self, address: str) -> int:
        """Count one failure; returns how many there were in a row."""
        now = self._clock.now()
        key = neighbourhood(address)
        with self._lock:
            known = self._failures.pop(key, None)
            count = known.count + 1 if known and now - known.at < FORGIVEN_AFTER else 1
            while len(self._failures) >= MOST_ADDRESSES:
                self._failures.popitem(last=False)
            self._failures[key] = _Failures(count, now)
            return count

    def wait_s(self, address: str) -> float:
        """Seconds [s] until this address may try again; 0 when it may now."""
        with self._lock:
            known = self._failures.get(neighbourhood(address))
        if known is None or known.count < FREE_TRIES:
            return 0.0
        # The exponent is bounded: a guesser who stays for weeks must not end in an overflow.
        span = min(FIRST_WAIT_S * 2.0 ** min(known.count - FREE_TRIES, 20), LONGEST_WAIT_S)
        return max(span - (self._clock.now() - known.at).total_seconds(), 0.0)


def neighbourhood(address: str) -> str:
    """Whom a failure is counted for: an IPv4 address, or the /64 of an IPv6 one, of which one machine has billions."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)


@dataclass
class _SignIn:
    signed_in_at: datetime
    deed_at: datetime
    ended: bool = False


class Sessions:
    """How long sign-ins last. The provider's cookie lives for weeks in the browser, so it is not believed.

    A sign-in ends `idle` after its last deed or change of page, and `longest` after it began. One that this process
    does not know (it was restarted) is as old as its ID token says.
    """

    def __init__(self, clock: Clock, idle: timedelta, longest: timedelta) -> None:
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self._lock = threading.Lock()
        self._known: dict[str, _SignIn] = {}
        self._visits: dict[str, str] = {}  # open connection -> sign-in
        self.on_leave: list[Callable[[str], None]] = []  # who else wants to hear that a connection was closed

    def arrive(self, session: str, visit: str, signed_in_at: datetime) -> str:
        """Somebody opens a page: new, known, or ended. Opening a page counts as a deed."""
        now = self._clock.now()
        with self._lock:
            known = self._known.get(session)
            state = NEW if known is None else KNOWN
            if known is None:
                self._forget(now)
                began = min(signed_in_at, now)
                known = self._known[session] = _SignIn(began, began)
            if self._over(known, now):
                return ENDED
            known.deed_at = now
            self._visits[visit] = session
            return state

    def deed(self, visit: str) -> None:
        """Something that a person did came over this connection; a screen that refreshes itself is no deed."""
        now = self._clock.now()
        with self._lock:
            known = self._known.get(self._visits.get(visit, ""))
            if known is not None and not self._over(known, now):
                known.deed_at = now

    def leave(self, visit: str) -> None:
        """The connection is closed; the sign-in lives on until it ends by itself."""
        with self._lock:
            self._visits.pop(visit, None)
        for heard in self.on_leave:
            heard(visit)

    def alive(self, session: str) -> bool:
        """False once the sign-in has ended, in every window at once."""
        with self._lock:
            known = self._known.get(session)
            return known is not None and not self._over(known, self._clock.now())

    def end(self, session: str) -> None:
        """Signed out: whoever still holds the cookie must sign in anew."""
        with self._lock:
            if session in self._known:
                self._known[session].ended = True

    def _over(self, known: _SignIn, now: datetime) -> bool:
        if now - known.deed_at >= self._idle or now - known.signed_in_at >= self._longest:
            known.ended = True  # for good: a clock that is set back brings nobody back
        return known.ended

    def _forget(self, now: datetime) -> None:
        """What is older than the longest sign-in ends by its own age and need not be remembered."""
        for session in [key for key, one in self._known.items() if now - one.signed_in_at > 2 * self._longest]:
            del self._known[session]


@dataclass(frozen=True)
class Door:
    """The one door of a server process."""

    people: People
    sessions: Sessions
    attempts: Attempts
    login: bool  # an identity provider is configured; without one, only this machine is served
    secure: bool  # people come over https, so cookies may say so
    audit: Audit


def open_door(people: People, clock: Clock, audit: Audit, *, login: bool, secure: bool = False) -> Door:
    """A door with nobody before it. `clock` is the machine's, also while a scenario plays on another."""
    return Door(people, Sessions(clock, people.idle, people.longest), Attempts(clock), login, secure, audit)


class Source(NamedTuple):
    """Where a request comes from, and over which connection."""

    address: str
    port: int | None
    visit: str

    def header(self) -> str:
        """As the front door hands it to the screens."""
        return f"{self.address or '-'} {self.port or 0} {self.visit}"


def read_source(header: str) -> Source:
    """The source in a header of the front door; an empty one without it."""
    address, port, visit = [*header.split(" "), "", "", ""][:3]
    return Source("" if address == "-" else address, int(port) if port.isdecimal() and int(port) else None, visit)


def real_client(peer: str, port: int | None, forwarded: str, proxies: Iterable[Network]) -> tuple[str, int | None]:
    """Address and port of the client. X-Forwarded-For is read from its end, and only past proxies that are ours.

    What a client writes into that header itself stands before what our proxy adds, and is not believed.
    """
    trusted = tuple(proxies)
    found, found_port = peer, port
    for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not inside(found, trusted):
            break
        try:
            found, found_port = str(ip_address(hop.strip("[]"))), None
        except ValueError:
            break
    return found, found_port


def session_of(claims: Mapping[str, Any]) -> tuple[str, datetime]:
    """A name for one sign-in, and when it was. Issuer, subject, time and nonce tell it from every other.

    An ID token without `iat` (the standard demands it) counts as ancient, so the sign-in has ended at once.
    """
    mark = "\n".join(str(claims.get(name, "")) for name in ("iss", "sub", "iat", "nonce"))
    issued = claims.get("iat")
    sane = isinstance(issued, (int, float)) and not isinstance(issued, bool) and 0 < issued < 253_402_300_800
    signed_in_at = datetime.fromtimestamp(issued if sane and issued else 0, UTC)
    return hashlib.sha256(mark.encode("utf-8", "surrogatepass")).hexdigest()[:16], signed_in_at


def failed_sign_in(door: Door, source: Source, action: str, thing: str, reason: str) -> None:
    """Count a failed sign-in for its address, and write it into the audit."""
    count = door.attempts.failed(source.address)
    person = Person(
        account="", name="", role="", kind="unknown", source_address=source.address, source_port=source.port
    )
    door.audit(person, action, thing, "denied", f"{reason} ({count})")
