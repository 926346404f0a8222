"""How this house asks a server: with time-outs, few and spaced requests, bounded replies, and errors in its own words.

    connection error, time-out, cut reply, 429, 5xx   -> tried again, then SourceUnavailable
    400, 401, 403, 404, redirect to another host      -> SourceRefused
    another host or network than the source has       -> SourceRefused (connectors/_guard.py)
    HTML, empty or broken where JSON was promised     -> SourceChanged

A message holds host and path, never a query, a header or a secret: exceptions of requests are not chained, for they
quote the full address, and so does the log of its library, which is held back. A call ends in time also when a server
drips: with a byte before every time-out it would be endless. Retry-After is obeyed as long as the cycle is not held up;
beyond that it goes to the caller.
"""

from __future__ import annotations

import json
import logging
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, InvalidSchema, InvalidURL
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from connectors import _guard
from connectors._contract import Payload
from core.errors import InputError, SourceChanged, SourceRefused, SourceUnavailable

MAX_BODY_BYTES = 32 * 2**20
CHUNK_BYTES = 64 * 2**10
TRIES = 3
MAX_REDIRECTS = 3
DEPTH_MAX = 64  # levels of a JSON reply: GeoJSON and JSON-LD need fewer than twenty
TURN_S = 600.0  # all calls of one fetch: a source of endless pages must say one day that it does not answer
TURN_BYTES = 128 * 2**20  # all replies of one fetch: they are in memory together
LIMITED_S = 300.0  # after a 429 that names no wait, told to the caller: the line would ask in every cycle
LEAST_SECRET = 6  # letters of a piece of a secret address that may be its key: «v1» and «feed» are none
WORDS_MAX = 200  # of a server's own explanation
AGENT = "city-dashboard/1.0 (+operations centre; one request at a time)"
logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lesser words quote addresses with their query, so with keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large one call may be."""

    connect_s: float = 5.0
    read_s: float = 20.0  # silence of the server
    deadline_s: float = 60.0  # all tries together: a cycle has other sources to ask
    waits_s: float = 15.0  # all waits between tries together
    body_bytes: int = MAX_BODY_BYTES


LIMITS = Limits()


@dataclass
class Pace:
    """The time of a session: its clocks, its sleep and the smallest gap between two requests to one host."""

    min_gap_s: float = 0.2
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random  # 0 … 1
    _next_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_turn(self, host: str) -> None:
        """Wait until a request to that host is polite; threads queue up."""
        with self._lock:
            turn = max(self.clock(), self._next_at.get(host, 0.0))
            self._next_at[host] = turn + self.min_gap_s
        if (wait := turn - self.clock()) > 0:
            self.sleep(wait)


class _PacedSession(requests.Session):
    def __init__(self, pace: Pace, hosts: Collection[str] | None, private_network: bool) -> None:
        super().__init__()
        self.pace, self.hosts, self.private_network = pace, hosts, private_network
        self.turn_ends_at, self.turn_bytes = 0.0, 0
        begin_turn(self)


class _Watch:
    """Ends a try in time: what it reads from is shut when the time is over, whatever the server is doing."""

    here = threading.local()  # .watch: that of the try which this thread is making

    def __init__(self) -> None:
        self.reads_from: socket.socket | None = None
        self.over = False

    def end(self) -> None:
        """Runs in the timer's thread. The plain shutdown also wakes up a read below TLS."""
        self.over = True
        if self.reads_from is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.reads_from, socket.SHUT_RDWR)


@contextmanager
def _watched(left_s: float) -> Iterator[_Watch]:
    _Watch.here.watch = watch = _Watch()
    timer = threading.Timer(left_s, watch.end)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        _Watch.here.watch = None


class _JudgedConnection(HTTPConnection):
    """A connection that goes only to numbers that the guard has judged, and not by way of the name again."""

    private_network = False

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library
        """As the library does; from here on the watch knows what to shut (connecting has a time of its own)."""
        if watch := getattr(_Watch.here, "watch", None):
            watch.reads_from = self.sock
        return super().getresponse()

    def _new_conn(self) -> socket.socket:
        named, private = self._dns_host, self.private_network
        try:
            numbers = _guard.addresses(self.host, self.port or self.default_port, private_network=private)
        except OSError:  # nobody knows the name: the library says so in its own words
            return super()._new_conn()
        try:
            for left, number in zip(range(len(numbers) - 1, -1, -1), numbers, strict=True):
                self._dns_host = number
                try:
                    connection = super()._new_conn()
                    break
                except NewConnectionError:
                    if not left:
                        raise
        finally:
            self._dns_host = named
        try:
            _guard.check_peer(self.host, connection, private_network=private)
        except _guard.Forbidden:
            connection.close()
            raise
        return connection


class _GuardedAdapter(HTTPAdapter):
    """Connections of this session are judged. A proxy of the environment is the machine's own choice: it is not."""

    def __init__(self, private_network: bool) -> None:
        self._own = {"private_network": private_network}
        super().__init__()

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """As the library does, with connections of the house."""
        super().init_poolmanager(*given, **named)  # type: ignore[no-untyped-call]
        plain = type("Plain", (_JudgedConnection,), self._own)
        secure = type("Secure", (_JudgedConnection, HTTPSConnection), self._own)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }


def session(
    pace: Pace | None = None, *, hosts: Collection[str] | None = None, private_network: bool = False
) -> requests.Session:
    """A session for fetch(). Opens no connection. Sessions that share a Pace keep the polite gap per host together.

    `hosts`: the only ones that may be asked (None: all that the guard lets out). `private_network`: names may stand for
    private addresses.
    """
    http = _PacedSession(pace or Pace(), hosts, private_network)
    http.headers["User-Agent"] = AGENT
    for scheme in ("http://", "https://"):
        http.mount(scheme, _GuardedAdapter(private_network))
    return http


def begin_turn(http: requests.Session) -> None:
    """From here on the calls of this session count as one fetch: together no longer than TURN_S, no larger than
    TURN_BYTES.
    """
    if isinstance(http, _PacedSession):
        http.turn_ends_at, http.turn_bytes = http.pace.clock() + TURN_S, TURN_BYTES


class _Later(Exception):
    """This try failed in a way that another try may mend."""

    def __init__(self, words: str, asked_wait_s: float | None = None, *, pause_s: float | None = None) -> None:
        self.words, self.asked_wait_s, self.pause_s = words, asked_wait_s, asked_wait_s or pause_s


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def get(
    http: requests.Session,
    url: str,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    json_promised: bool = True,
    secret: str | None = None,
    wait_in_words: Callable[[str], float | None] | None = None,
    limits: Limits = LIMITS,
) -> Payload:
    """GET with retries; the reply as a Payload without context.

    `secret` is struck out of every message. `wait_in_words` reads a wait [s] from the text of a 429 whose server sends
    no Retry-After. Raises InputError for an address that is none, else SourceUnavailable, SourceRefused, SourceChanged.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("base_url is not an address of the form https://host/path: mend it in sources.toml")
    if "@" in parts.netloc and url != secret:
        raise InputError(f"the address of {parts.hostname} holds a login: keep logins in the secrets, not in addresses")
    name = _without(secret, _shown(url))
    pace = http.pace if isinstance(http, _PacedSession) else Pace()
    ends_at = pace.clock() + limits.deadline_s
    if isinstance(http, _PacedSession):
        ends_at = min(ends_at, http.turn_ends_at)
    waited_s = 0.0
    for attempt in range(1, TRIES + 1):
        try:
            answer = _ask(http, pace, url, name, params, headers, limits, ends_at)
            if answer.status < 300:
                _count(http, len(answer.body), name)
                if json_promised:
                    read_json(answer.body, name)
                return Payload(body=answer.body, name=name, media_type=answer.headers.get("Content-Type", ""))
            words = _own_words(answer.body, secret)
            if answer.status != 429 and answer.status < 500:
                raise SourceRefused(f"{name}: HTTP {answer.status}{words}: check key, address and options")
            asked_wait_s = _retry_after_s(answer.headers.get("Retry-After", ""), pace.now())
            if asked_wait_s is None and wait_in_words is not None:
                asked_wait_s = wait_in_words(words)
            limited = LIMITED_S if answer.status == 429 else None
            raise _Later(f"HTTP {answer.status}{words}", asked_wait_s, pause_s=limited)
        except _Later as later:
            wait_s = later.asked_wait_s
            if wait_s is None:
                wait_s = 2.0 ** (attempt - 1) * (0.5 + pace.jitter())
            too_long = waited_s + wait_s > limits.waits_s or pace.clock() + wait_s > ends_at
            if attempt == TRIES or too_long:
                raise SourceUnavailable(f"{name}: {later.words}", retry_after_s=later.pause_s) from None
        pace.sleep(wait_s)
        waited_s += wait_s
    raise AssertionError("the last try returns or raises")


def _ask(
    http: requests.Session,
    pace: Pace,
    url: str,
    name: str,
    params: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    limits: Limits,
    ends_at: float,
) -> _Answer:
    """One try, redirects on the same host included. Raises _Later where another try may help."""
    for _ in range(MAX_REDIRECTS + 1):
        _judge(http, url, name)
        pace.take_turn(urlsplit(url).netloc)
        left_s = ends_at - pace.clock()
        if left_s <= 0:
            raise _Later("no complete answer in time")
        silence_s = (min(limits.connect_s, left_s), min(limits.read_s, left_s))
        sent = dict(headers or {})
        try:
            with (
                _watched(left_s) as watch,
                http.get(
                    url, params=params, headers=sent, timeout=silence_s, stream=True, allow_redirects=False
                ) as reply,
            ):
                body = b"" if reply.is_redirect else _body(reply, pace, ends_at, limits.body_bytes, name)
                if watch.over:
                    raise _Later("no complete answer in time")  # what was shut looks like an end to some readers
                if not reply.is_redirect:
                    return _Answer(reply.status_code, reply.headers, body)
                target = urljoin(reply.url, reply.headers["Location"])
        except _guard.Forbidden as error:
            raise SourceRefused(f"{name}: {error}") from None
        except requests.Timeout:
            raise _Later("no answer in time") from None
        except (requests.ConnectionError, ChunkedEncodingError):
            late = "no complete answer in time" if watch.over else "the connection could not be made or was cut"
            raise _Later(late) from None
        except ContentDecodingError:
            raise SourceChanged(f"{name}: the reply is compressed in a way that cannot be read") from None
        except (InvalidURL, InvalidSchema):
            raise InputError(f"{name}: no such address can exist: check base_url") from None
        except (requests.RequestException, ValueError):
            raise SourceChanged(f"{name}: request or reply breaks the rules of HTTP: check the secret too") from None
        if not same_host(url, target):
            raise SourceRefused(f"{name}: redirects to another host, {urlsplit(target).hostname}: check base_url")
        url, params = target, None
    raise SourceRefused(f"{name}: more than {MAX_REDIRECTS} redirects")


def _count(http: requests.Session, size: int, name: str) -> None:
    """Raises SourceChanged when the replies of this fetch are too large together."""
    if isinstance(http, _PacedSession):
        http.turn_bytes -= size
        if http.turn_bytes < 0:
            raise SourceChanged(f"{name}: the replies together are larger than {TURN_BYTES} bytes: ask for less")


def _judge(http: requests.Session, url: str, name: str) -> None:
    """Raises SourceRefused for a host that is not the source's, and for a number that is no place of a source.

    The second is known here already, also where a proxy would make the connection.
    """
    host = urlsplit(url).hostname or ""
    hosts, private = (http.hosts, http.private_network) if isinstance(http, _PacedSession) else (None, False)
    _guard.check_host(host, hosts, name)
    try:
        _guard.check_address(host, host, private_network=private)
    except _guard.Forbidden as error:
        raise SourceRefused(f"{name}: {error}") from None
    except ValueError:
        return  # a name: judged when it is looked up


def _shown(url: str) -> str:
    """Host and path: what a message may show."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def same_host(url: str, other: str) -> bool:
    """True when both lie on one host and port, and `other` is not less protected."""
    one, two = urlsplit(url), urlsplit(other)
    if (one.scheme, one.netloc) == (two.scheme, two.netloc):
        return True
    upgrade = (one.scheme, two.scheme) == ("http", "https") and one.port in (None, 80) and two.port in (None, 443)
    return upgrade and one.hostname == two.hostname


def _body(reply: requests.Response, pace: Pace, ends_at: float, max_body_bytes: int, name: str) -> bytes:
    """The unpacked body, read in pieces so that neither size nor time can run away."""
    body = bytearray()
    for piece in reply.iter_content(CHUNK_BYTES):
        body += piece
        if len(body) > max_body_bytes:
            raise SourceChanged(f"{name}: the reply is larger than {max_body_bytes} bytes: ask for a shorter period")
        if pace.clock() > ends_at:
            raise _Later("no complete answer in time")
    return bytes(body)


_XML_WORDS = re.compile(rb"<(?:\w+:)?(description|ExceptionText)\b[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)")


def _own_words(body: bytes, secret: str | None) -> str:
    """The server's explanation (JSON or XML) as « (words)», short and without the secret; empty if there is none."""
    if found := _XML_WORDS.search(body):
        words = unescape(found[2].decode("utf-8", errors="replace"))
    else:
        words = _reason(body)
    words = " ".join(_without(secret, words).split())[:WORDS_MAX]
    return f" ({words})" if words else ""


def _without(secret: str | None, words: str) -> str:
    """Words in which no form of the secret stands; of a secret that is an address, neither its path nor its query."""
    if not secret:
        return words
    parts = urlsplit(secret) if secret.startswith(("http://", "https://")) else None
    hidden = {secret, quote(secret, safe=""), quote_plus(secret)}
    if parts:
        pieces = (*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)))
        hidden |= {parts.path.rstrip("/"), parts.query, *(piece for piece in pieces if len(piece) >= LEAST_SECRET)}
    hidden -= {""}
    for form in sorted(hidden, key=len, reverse=True):
        words = words.replace(form, "***")
    return words


def _reason(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    record = found[0] if isinstance(found, list) and found else found
    if not isinstance(record, dict):
        return ""
    told = next((record[key] for key in ("reason", "detail", "message", "description", "error") if record.get(key)), "")
    return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def _retry_after_s(text: str, now: datetime) -> float | None:
    """Retry-After as seconds: it is a number or an HTTP date. None when absent or unreadable."""
    if text.strip().isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:  # «-0000» means UTC without a place
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def read_json(body: bytes, name: str) -> Any:
    """A JSON text (UTF-8, with or without a byte-order mark) of at most DEPTH_MAX levels.

    Raises SourceChanged that says what came instead.
    """
    if not body.strip():
        raise SourceChanged(f"{name}: the reply is empty where JSON was promised")
    if body.lstrip().startswith(b"<"):
        raise SourceChanged(f"{name}: HTML or XML came where JSON was promised")
    if _depth(body) > DEPTH_MAX:
        raise SourceChanged(f"{name}: JSON of more than {DEPTH_MAX} levels, which no honest server sends")
    try:
        document = json.loads(body.decode("utf-8-sig"))
        if _HALF_SIGN.search(body):  # half of a sign, where somebody cut a text: no file and no column can hold it
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        return document
    except UnicodeDecodeError:
        raise SourceChanged(f"{name}: not text in UTF-8, so not JSON") from None
    except json.JSONDecodeError as error:
        raise SourceChanged(f"{name}: broken JSON at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, a nesting of thousands of brackets
        raise SourceChanged(f"{name}: JSON that no honest server sends (a huge number)") from None


_HALF_SIGN = re.compile(rb"\\u[dD][89a-fA-F]")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _depth(body: bytes) -> int:
    """Levels of a JSON text, counted before anything is built from it; of broken JSON, at least as many."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return 0
    deepest = depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
