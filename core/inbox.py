"""What comes to the house by itself, kept until the line's next cycle: bounded queues, and boxes for signed pushes.

A box belongs to one source. A connector opens it with the source's secret; the HTTP route puts in what is signed with
that secret; the connector takes out. Both live in one process.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Generic, TypeVar

MOST_ITEMS = 10_000
MOST_BYTES = 16 * 2**20
REPLAY_WINDOW = timedelta(minutes=5)
MOST_SEEN = 100_000  # signatures remembered; only holders of the secret can add any
LONGEST_STAMP = 12  # digits of seconds since 1970
SIGNATURE_PREFIX = "sha256="

T = TypeVar("T")


class Queue(Generic[T]):
    """A queue between threads with room for so many items and so many bytes; it never waits."""

    def __init__(self, most: int = MOST_ITEMS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._news = threading.Condition()

    def put(self, item: T, size: int) -> None:
        """Append; the oldest items make room and are counted as dropped. What is larger than all room is dropped."""
        with self._news:
            if size > self._most_bytes:
                self._dropped += 1
                return
            while self._items and self._full(size):
                self._bytes -= self._items.popleft()[1]
                self._dropped += 1
            self._append(item, size)

    def drop(self) -> None:
        """Count an item that was not worth keeping."""
        with self._news:
            self._dropped += 1

    def offer(self, item: T, size: int) -> bool:
        """Append where there is room; False, and nothing changed, where there is none."""
        with self._news:
            if self._full(size):
                return False
            self._append(item, size)
            return True

    def drain(self) -> tuple[list[T], int]:
        """All items, oldest first, and how many were dropped since the last time."""
        with self._news:
            found, dropped = [item for item, _ in self._items], self._dropped
            self._items.clear()
            self._bytes = self._dropped = 0
            return found, dropped

    def wait(self, timeout_s: float) -> bool:
        """Wait until something is there; False when the time was over first."""
        with self._news:
            return self._news.wait_for(lambda: bool(self._items), timeout_s)

    def _full(self, size: int) -> bool:
        return len(self._items) >= self._most or self._bytes + size > self._most_bytes

    def _append(self, item: T, size: int) -> None:
        self._items.append((item, size))
        self._bytes += size
        self._news.notify_all()


class Verdict(IntEnum):
    """What became of a push, as its HTTP status."""

    TAKEN = 202
    NOT_SIGNED = 401
    SEEN_BEFORE = 409
    NO_ROOM = 503


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What a sender writes into its signature header: HMAC-SHA256 over «stamp.body», in hexadecimal."""
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return SIGNATURE_PREFIX + signed.hexdigest()


def in_window(stamp: str, now: datetime) -> bool:
    """True when a stamp, whole seconds since 1970, lies within REPLAY_WINDOW of the house's clock."""
    if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > LONGEST_STAMP:
        return False
    return abs(int(stamp) - now.timestamp()) <= REPLAY_WINDOW.total_seconds()


class Inbox:
    """The pushes of one source that wait for the line. A push that was taken once is not taken again."""

    def __init__(self, secret: str, most: int = 1_000, most_bytes: int = MOST_BYTES) -> None:
        self.secret = secret
        self._queue: Queue[bytes] = Queue(most, most_bytes)
        self._seen: OrderedDict[str, float] = OrderedDict()  # signature -> when it leaves the window, oldest first
        self._lock = threading.Lock()

    def take(self, stamp: str, signed: str, body: bytes, now: datetime) -> Verdict:
        """Take a push that is signed, fresh and new, while there is room.

        The signature is also its identity: it covers stamp and body, so no replay can wear another.
        """
        expected = signature(self.secret, stamp, body) if in_window(stamp, now) else ""
        if not hmac.compare_digest(expected.encode(), signed.encode("utf-8", "replace")) or not expected:
            return Verdict.NOT_SIGNED
        with self._lock:
            self._forget(now)
            if expected in self._seen:
                return Verdict.SEEN_BEFORE
            if len(self._seen) >= MOST_SEEN or not self._queue.offer(body, len(body)):
                return Verdict.NO_ROOM
            self._seen[expected] = int(stamp) + REPLAY_WINDOW.total_seconds()
            return Verdict.TAKEN

    def drain(self) -> list[bytes]:
        """The bodies that have come, oldest first."""
        return self._queue.drain()[0]

    def _forget(self, now: datetime) -> None:
        """Signatures whose stamp has left the window are refused by their stamp, and need not be remembered."""
        for gone in [key for key, until in self._seen.items() if until < now.timestamp()]:
            del self._seen[gone]


_BOXES: dict[str, Inbox] = {}
_BOXES_LOCK = threading.Lock()


def open_box(source: str, secret: str) -> Inbox:
    """The box of a source, opened the first time; a new secret takes the place of the old one, nothing is lost."""
    with _BOXES_LOCK:
        box = _BOXES.setdefault(source, Inbox(secret))
        box.secret = secret
        return box


def box_of(source: str) -> Inbox | None:
    """The box of a source, or None while its connector has not opened one."""
    with _BOXES_LOCK:
        return _BOXES.get(source)


def close_box(source: str) -> None:
    """Forget a source's box and what is in it."""
    with _BOXES_LOCK:
        _BOXES.pop(source, None)
