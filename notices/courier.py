"""Sends what is queued, each channel in a thread of its own, and never twice for one transition.

A notice is claimed (and the claim committed) before it is sent, one at a time. What was surely not sent is tried
again after 30 s, 2, 5, 15, 30 and 60 min, then it has failed and is shown. What may have gone out is «unclear»: shown,
and sent again only by a person. What was being sent when the server died is unclear too; the store says so when it
opens (docs/adr/0008-notices-room.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from core.clock import Clock
from core.ledger import Notice
from notices._contract import Channel, NotSent, Unclear
from notices.routes import Routes

LOG = logging.getLogger("notices")
WAITS = tuple(timedelta(seconds=wait_s) for wait_s in (30, 120, 300, 900, 1800, 3600))  # after the 1st, 2nd … try
REST = timedelta(seconds=30)  # of a channel whose server does not answer: one notice asks for all of them
LOOK_S = 5.0  # how often a channel looks for something due, besides being woken
MOST_ORPHANS = 500  # notices of channels that are gone, looked at when the server starts
PATIENCE_S = 5.0  # how long `stop` waits for messages that are under way


class Queue(Protocol):
    """What the courier needs of the store."""

    def claim_notices(self, now: datetime, limit: int = 20, *, channels: Collection[str] | None = None) -> list[Notice]:
        """Mark due notices (of those channels) as being sent, and commit that, before they are returned."""

    def settle_notice(
        self, id: str, *, state: str, now: datetime, error: str = "", due_at: datetime | None = None
    ) -> None:
        """Write how it went."""

    def read_notices(
        self, states: Collection[str] | None = None, since: datetime | None = None, limit: int = 500
    ) -> list[Notice]:
        """The newest notices of those states, made since then."""


class Courier:
    """Carries notices from the queue to their channels. Threads run from `start` to `stop`."""

    def __init__(self, store: Queue, routes: Routes, clock: Clock) -> None:
        self._store = store
        self._channels = dict(routes.channels)
        self._clock = clock
        self._rests_until: dict[str, datetime] = {}
        self._stop = threading.Event()
        self._news = {key: threading.Event() for key in self._channels}
        self._threads: list[threading.Thread] = []

    def deliver_once(self) -> int:
        """Send everything that is due now, one channel after the other; returns how many notices were tried."""
        self._drop_orphans()
        tried = 0
        for channel in self._channels.values():
            while self._step(channel):
                tried += 1
        return tried

    def start(self) -> None:
        """Deliver in the background, one thread per channel: a dead mail server must not hold up the webhook."""
        self._drop_orphans()
        for channel in self._channels.values():
            thread = threading.Thread(target=self._run, args=(channel,), name=f"notices-{channel.key}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """There is something new to send."""
        for news in self._news.values():
            news.set()

    def stop(self) -> None:
        """End the threads; a message under way gets a few seconds. One that takes longer is left «sending»."""
        self._stop.set()
        self.wake()
        ends_at = time.monotonic() + PATIENCE_S
        for thread in self._threads:
            thread.join(timeout=max(ends_at - time.monotonic(), 0.0))

    def _run(self, channel: Channel) -> None:
        look_s = max(LOOK_S / getattr(self._clock, "speed", 1.0), 0.1)
        news = self._news[channel.key]
        while not self._stop.is_set():
            news.clear()
            try:
                worked = self._step(channel)
            except Exception:  # the store may be busy or closing; what was claimed stays «sending», never sent twice
                if not self._stop.is_set():
                    LOG.exception("%s: a notice could not be taken or settled", channel.key)
                worked = False
            if not worked:
                news.wait(look_s)

    def _step(self, channel: Channel) -> bool:
        """Claim one notice, send it, settle it. False when there was nothing to do, or the channel rests."""
        now = self._clock.now()
        if self._rests_until.get(channel.key, now) > now:
            return False
        claimed = self._store.claim_notices(now, 1, channels=(channel.key,))
        for notice in claimed:
            self._send(channel, notice)
        return bool(claimed)

    def _send(self, channel: Channel, notice: Notice) -> None:
        if channel.repeatable and self._overtaken(notice):
            self._settle(notice, "sent", "overtaken: ")  # what the receiver must know, it knows already
            return
        try:
            channel.send(notice)
        except NotSent as error:
            self._try_again(channel, notice, error) if error.retry else self._fail(notice, error)
        except Unclear as error:
            if channel.repeatable:
                again = NotSent(error.trouble, str(error), retry=True, whole_channel=True)
                self._try_again(channel, notice, again, given_up="unclear")
            else:
                LOG.warning("%s: a notice may or may not have gone out: %s", channel.key, error)
                self._settle(notice, "unclear", f"{error.trouble}: {error}")
        except Exception as error:  # a defect of one channel must not end its thread, nor send a message twice
            LOG.exception("%s: the channel failed", channel.key)
            self._settle(notice, "unclear", f"defect: {type(error).__name__}")
        else:
            self._settle(notice, "sent")

    def _try_again(self, channel: Channel, notice: Notice, error: NotSent, given_up: str = "failed") -> None:
        now = self._clock.now()
        if error.whole_channel:
            self._rests_until[channel.key] = now + min(REST, error.wait or REST)
        if notice.tries > len(WAITS):
            self._fail(notice, error, given_up)
            return
        wait = max(WAITS[max(notice.tries, 1) - 1], error.wait or timedelta(0))
        self._settle(notice, "queued", f"{error.trouble}: {error}", due_at=now + wait)

    def _fail(self, notice: Notice, error: NotSent, state: str = "failed") -> None:
        LOG.warning("%s: a notice was given up: %s", notice.channel, error)
        self._settle(notice, state, f"{error.trouble}: {error}")

    def _settle(self, notice: Notice, state: str, error: str = "", due_at: datetime | None = None) -> None:
        self._store.settle_notice(notice.id, state=state, now=self._clock.now(), error=error, due_at=due_at)

    def _overtaken(self, notice: Notice) -> bool:
        """True where a later transition of the same alert has reached the same machine: the older would undo it."""
        return any(
            (other.rule, other.site_id, other.channel) == (notice.rule, notice.site_id, notice.channel)
            and other.happened_at > notice.happened_at
            for other in self._store.read_notices(("sent",), notice.made_at)
        )

    def _drop_orphans(self) -> None:
        """Notices of a channel that was taken out of notices.toml would wait for ever: they have failed."""
        waiting = {notice.channel for notice in self._store.read_notices(("queued",))}
        if orphans := sorted(waiting - set(self._channels)):
            for notice in self._store.claim_notices(self._clock.now(), MOST_ORPHANS, channels=orphans):
                self._settle(notice, "failed", f"no_channel: {notice.channel}")
