"""What an open screen follows: a frame of named HTML parts that may change with every snapshot, asked for by ticket."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.access import Person

MOST_TICKETS = 5_000  # some hundred screens with a few regions each, and the ones that have just been closed
Parts = Mapping[str, str]


class Frame(NamedTuple):
    """What a screen shows now. Frames of one mark have the same parts, whoever looks."""

    mark: Hashable
    build: Callable[[], Parts]
    told: Mapping[str, Any] = {}  # beside the parts: scene, next scene, marks; JSON
    again_at: datetime | None = None  # machine's clock: it may change then without a new snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A region of one open page, and who looks at it. `frame` is None once that person may see nothing."""

    person: Person
    frame: Callable[[], Frame | None]
    screen: str = ""  # key of a wall screen
    asked: Callable[[str], None] | None = None  # hears which drawer was opened; the browser says so, and may lie


class Tickets:
    """Who may follow which feed: a page that was opened by the rules of the house hands its ticket to the browser.

    A ticket is random and lives in memory: after a restart of the server the page is run anew and gets another one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeds: OrderedDict[str, Feed] = OrderedDict()

    def give(self, feed: Feed, ticket: str = "") -> str:
        """Register a feed, under the ticket that its page has already if it has one."""
        ticket = ticket or secrets.token_urlsafe(24)
        with self._lock:
            self._feeds[ticket] = feed
            self._feeds.move_to_end(ticket)
            while len(self._feeds) > MOST_TICKETS:
                self._feeds.popitem(last=False)
        return ticket

    def feed(self, ticket: str) -> Feed | None:
        """The feed of a ticket; asking keeps it from being forgotten."""
        with self._lock:
            found = self._feeds.get(ticket)
            if found is not None:
                self._feeds.move_to_end(ticket)
            return found
