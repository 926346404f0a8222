"""The one question to citizens: signed links, forms that count once, and how many answers one neighbourhood may send.

A link fixes service, office, channel and day of issue; who holds it can answer and do nothing else. Everything about
who answered stays out: an address is only ever a salted hash in memory, and forgotten with its allowance.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets as chance
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from core.clock import Clock
from core.door import neighbourhood
from core.errors import ConfigError
from core.secrets import secret

PHONE, COUNTER = "phone", "counter"
CHANNELS = (PHONE, COUNTER)
SECRET = "SURVEY_SECRET"
LEAST_SECRET = 32  # letters
SHORTEST = timedelta(seconds=2)  # nobody reads and answers faster
LONGEST = timedelta(hours=1)
MOST_SPENT = 20_000
MOST_NEIGHBOURS = 10_000
FINE, EARLY, LATE, USED, WRONG = "fine", "early", "late", "used", "wrong"
_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link or QR code fixes. `key_id` names it in the list of links, where it can be revoked."""

    key_id: str
    service: str
    office: str
    channel: str  # phone | counter
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLink:
    """A row of the list of links."""

    key_id: str
    service: str
    office: str
    channel: str
    issued_on: datetime
    made_by: str
    revoked_at: datetime | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. No column could hold who gave it; the time is the full hour before it."""

    answered_at: datetime
    service: str
    office: str
    channel: str
    points: int  # 1 … 5
    reason: str
    key_id: str


def new_key_id() -> str:
    """A name for one more link."""
    return chance.token_hex(4)


def sign(link: Link, key: bytes) -> str:
    """The token of a link, fit for an address: what it fixes, and a signature over it (HMAC-SHA256, 128 bits)."""
    words = (link.key_id, link.service, link.office, link.channel, f"{link.issued_on:%Y%m%d}")
    body = base64.urlsafe_b64encode("|".join(words).encode()).rstrip(b"=").decode()
    return f"{body}.{_signature(key, 'link', body)}"


def read(token: str, key: bytes) -> Link | None:
    """The link of a token, or None for anything that this house did not sign."""
    body, _, given = token.partition(".")
    if len(token) > 400 or not token.isascii() or not hmac.compare_digest(_signature(key, "link", body), given):
        return None
    try:
        words = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().split("|")
        key_id, service, office, channel, day = words
        issued_on = datetime.strptime(day, "%Y%m%d").date()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    if channel not in CHANNELS or not all(_PART.fullmatch(one) for one in (key_id, service, office)):
        return None
    return Link(key_id=key_id, service=service, office=office, channel=channel, issued_on=issued_on)


def _signature(key: bytes, what: str, text: str) -> str:
    digest = hmac.new(key, f"{what}\n{text}".encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signing_key(store_path: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key of links: the secret SURVEY_SECRET, else a file beside the store that is made once, for its owner alone.

    Raises ConfigError for a secret that is too short, or a file that cannot be made or that others may read.
    """
    given = secret(SECRET, environ)
    if given is not None:
        if len(given) < LEAST_SECRET:
            raise ConfigError(f"{SECRET}: give at least {LEAST_SECRET} letters; nothing of it is shown here")
        return given.encode()
    path = store_path.with_name(f"{store_path.stem}-survey.key")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(chance.token_hex(32))
                stream.flush()
                os.fsync(stream.fileno())
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path.name}: others may read it; run chmod 600 on it, or give {SECRET} in its place")
        found = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be made or read ({error.strerror}): give {SECRET} in its place"
        ) from error
    if len(found) < LEAST_SECRET:
        raise ConfigError(f"{path.name} is cut short; remove it, and give out new links")
    return found


class Stamps:
    """A form carries a stamp: not sent back at once, not after an hour, and once only. Thread-safe.

    Signed with a key of this process alone, so a form from before a restart is refused, not counted twice.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = chance.token_bytes(32)
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, datetime] = OrderedDict()
        self._forgotten_ms = 0  # stamps up to here may have been spent without anybody remembering it

    def give(self, key_id: str) -> str:
        """A stamp for one form of that link."""
        body = f"{int(self._clock.now().timestamp() * 1000)}.{chance.token_hex(8)}"
        return f"{body}.{_signature(self._key, key_id, body)}"

    def spend(self, stamp: str, key_id: str) -> str:
        """fine | early | late | used | wrong; only a fine one is used up."""
        body, _, given = stamp.rpartition(".")
        if not stamp.isascii() or not hmac.compare_digest(_signature(self._key, key_id, body), given):
            return WRONG
        made_ms, now = _made_ms(body), self._clock.now()
        age = timedelta(milliseconds=int(now.timestamp() * 1000) - made_ms)
        if age > LONGEST:
            return LATE
        if age < SHORTEST:
            return EARLY
        with self._lock:
            if body in self._spent:
                return USED
            if made_ms <= self._forgotten_ms:
                return LATE
            while self._spent and (now - next(iter(self._spent.values())) > LONGEST or len(self._spent) >= MOST_SPENT):
                gone, _ = self._spent.popitem(last=False)
                self._forgotten_ms = max(self._forgotten_ms, _made_ms(gone))
            self._spent[body] = now
        return FINE


def _made_ms(body: str) -> int:
    return int(body.partition(".")[0])


class Allowance:
    """At most `most` in any `per`, for each key apart. Thread-safe; keys are kept as salted hashes and in memory only.

    The salt is of this process and of this table: nobody can find an address from a hash, not even with this machine's
    whole memory of yesterday.
    """

    def __init__(self, clock: Clock, most: int, per: timedelta) -> None:
        self._clock = clock
        self._most = most
        self._per = per
        self._salt = chance.token_bytes(16)
        self._lock = threading.Lock()
        self._given: OrderedDict[bytes, list[datetime]] = OrderedDict()

    def take(self, *who: str) -> bool:
        """One more for that key (a link, and the address's neighbourhood); False when it had its share."""
        now = self._clock.now()
        text = "\n".join(who).encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(text, key=self._salt, digest_size=12).digest()
        with self._lock:
            while self._given and now - next(iter(self._given.values()))[-1] > self._per:
                self._given.popitem(last=False)  # in the order of their last answer
            times = [moment for moment in self._given.get(key, []) if now - moment <= self._per]
            if len(times) >= self._most:
                return False
            while len(self._given) >= MOST_NEIGHBOURS:
                self._given.popitem(last=False)
            self._given[key] = [*times, now]
            self._given.move_to_end(key)
            return True


def near(address: str) -> str:
    """Whom an allowance is counted for: an IPv4 address, or the /64 of an IPv6 one."""
    return neighbourhood(address)
