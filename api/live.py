"""One open connection per screen: the server sends what changed as soon as it changed, and hears that it was painted.

Every viewer of the same frame gets the same bytes, made once. A viewer that is slow gets the newest frame when it is
ready for one, never a queue of old ones, so nothing grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from control.screens import Screens
from core.door import SOURCE_HEADER, read_source
from core.feed import Feed, Frame, Tickets
from pipeline import Line

LOG = logging.getLogger("live")
PATH = "/api/live"
BEAT_S = 3.0  # a sign of life at least so often; the page says after eight seconds that it hears nothing
FIRST_WORD_S = 10.0  # a connection that shows no ticket is closed
LONGEST_MESSAGE = 4_096
MOST_KEPT = 64  # frames in memory, about 0.1 MB each; most are of snapshots that have passed
# Close codes: run the page anew; signed out; a word that is none of ours; a defect of ours (RFC 6455).
NO_TICKET, NOT_YOURS, POLICY, BROKEN = 4404, 4401, 1008, 1011
Encoded = Mapping[str, tuple[str, str]]  # part -> (digest, JSON text)


class Hub:
    """Wakes all connections when there is something new, and makes each frame's bytes once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Future[None] | None = None
        self._frames: OrderedDict[Hashable, asyncio.Task[Encoded]] = OrderedDict()

    def follow(self, line: Line) -> None:
        """Hear of every snapshot of the line. Called on the event loop; idempotent."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._news = self._loop.create_future()
            line.on_publish(self.wake)

    def wake(self) -> None:
        """There is something new; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        assert self._loop is not None
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        self._news = self._loop.create_future()

    def news(self) -> asyncio.Future[None]:
        """Done when something newer comes than what can be read now: take it first, then read, then wait for it."""
        assert self._news is not None
        return self._news

    async def parts(self, frame: Frame) -> Encoded:
        """The frame's parts as bytes; whoever asks for the same mark gets the same ones."""
        task = self._frames.get(frame.mark)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(asyncio.to_thread(_encoded, frame))
            self._frames[frame.mark] = task
            while len(self._frames) > MOST_KEPT:
                self._frames.popitem(last=False)
        return await asyncio.shield(task)


def _encoded(frame: Frame) -> Encoded:
    return {
        name: (hashlib.blake2b(html.encode(), digest_size=12).hexdigest(), json.dumps(html, ensure_ascii=False))
        for name, html in frame.build().items()
    }


def route(line: Callable[[], Line], tickets: Tickets, screens: Callable[[], Screens]) -> WebSocketRoute:
    """The one websocket of the house's own, beside Streamlit's."""
    hub = Hub()

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        hub.follow(line())
        with contextlib.suppress(WebSocketDisconnect):
            await _serve(socket, line(), hub, tickets, screens())

    return WebSocketRoute(PATH, live)


class _NoMessageError(Exception):
    """The browser said what no page of this house says. Whoever listens does not close: one place does, after all."""


async def _serve(socket: WebSocket, line: Line, hub: Hub, tickets: Tickets, screens: Screens) -> None:
    try:
        hello = await asyncio.wait_for(_heard(socket), FIRST_WORD_S)
    except (TimeoutError, _NoMessageError):
        await socket.close(POLICY)
        return
    feed = tickets.feed(str(hello.get("ticket", "")))
    if feed is None:
        await socket.close(NO_TICKET)
        return
    visit = read_source(socket.headers.get(SOURCE_HEADER, "")).visit
    known = {str(name): str(digest) for name, digest in _table(hello.get("known")).items()}
    if feed.screen:
        screens.join(feed.screen, feed.person, visit, _now())
    politely = False
    listener = asyncio.ensure_future(_listen(socket, feed, visit, screens))
    code = 1000
    try:
        code = await _tell(socket, line, hub, feed, known, listener)
    except WebSocketDisconnect:
        pass
    except Exception:  # one scene's defect: its screens keep the last picture, say that it is old, and try again
        LOG.exception("a picture could not be made for %s", feed.screen or feed.person.kind)
        code = BROKEN
    finally:
        if listener.done() and not listener.cancelled():
            error = listener.exception()
            politely = error is None and listener.result()
            code = POLICY if isinstance(error, _NoMessageError) else code
        listener.cancel()
        if feed.screen:
            screens.leave(feed.screen, visit, _now(), politely=politely)
        with contextlib.suppress(RuntimeError):  # closed already
            await socket.close(code)


async def _tell(
    socket: WebSocket, line: Line, hub: Hub, feed: Feed, known: dict[str, str], listener: asyncio.Task[bool]
) -> int:
    """Send what changed since `known`, for as long as the browser listens. Returns the code to close with."""
    while not listener.done():
        news = hub.news()
        frame = feed.frame()
        if frame is None:
            return NOT_YOURS
        parts = await hub.parts(frame)
        changed = [
            f"{json.dumps(name)}:[{json.dumps(digest)},{text}]"
            for name, (digest, text) in parts.items()
            if known.get(name) != digest
        ]
        gone = [name for name in known if name not in parts]
        known = {name: digest for name, (digest, _) in parts.items()}
        head = json.dumps({**_clock(line), **frame.told, "gone": gone}, ensure_ascii=False)
        await socket.send_text(f'{head[:-1]},"parts":{{{",".join(changed)}}}}}')
        wait_s = BEAT_S
        if frame.again_at is not None:
            wait_s = min(wait_s, max((frame.again_at - _now()).total_seconds(), 0.05))
        waiting: list[asyncio.Future[Any]] = [news, listener]
        await asyncio.wait(waiting, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    return 1000


async def _listen(socket: WebSocket, feed: Feed, visit: str, screens: Screens) -> bool:
    """Hear signs of life, and what a person opened, until the connection ends; True when the page said good-bye."""
    try:
        while True:
            told = await _heard(socket)
            if told.get("bye") is True:
                return True
            if feed.screen:
                screens.beat(feed.screen, visit, told, _now())
            elif feed.asked is not None and isinstance(told.get("asked"), str):
                feed.asked(told["asked"])
    except WebSocketDisconnect:
        return False


async def _heard(socket: WebSocket) -> dict[str, Any]:
    """One message of the browser. Raises _NoMessageError for what is no small JSON object."""
    text = await socket.receive_text()
    try:
        told = json.loads(text) if len(text) <= LONGEST_MESSAGE else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise _NoMessageError
    return told


def _clock(line: Line) -> dict[str, Any]:
    """The server's clock and the newest snapshot, as the page's own watch needs them."""
    now, snapshot = line.clock.now(), line.snapshot
    offset = now.astimezone(snapshot.city.zone).utcoffset()
    return {
        "now_ms": int(now.timestamp() * 1000),
        "offset_min": int(offset.total_seconds() // 60) if offset else 0,
        "speed": snapshot.speed,
        "number": snapshot.number,
        "made_ms": int(snapshot.made_at.timestamp() * 1000),
    }


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _now() -> datetime:
    return datetime.now(UTC)
