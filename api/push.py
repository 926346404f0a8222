"""POST /api/push/<source>: signed JSON of a sender goes into the box of its source, for the line's next cycle.

The sender proves itself with its signature alone: no cookie, no page and no address opens anything here. Nothing is
read of a body whose stamp is stale or whose length is too much, and few bodies are read at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.inbox import Verdict, box_of, in_window
from pipeline import Line

LOG = logging.getLogger("push")
PATH = "/api/push/{source}"
STAMP_HEADER, SIGNATURE_HEADER = "x-city-timestamp", "x-city-signature"
MOST_BYTES = 2**20
BODY_WITHIN_S = 20.0
READ_AT_ONCE = 8  # bodies in memory before their signature is known
RETRY_AFTER_S = "30"
CONNECTOR = "webhook"
WORDS = {
    Verdict.TAKEN: "taken\n",
    Verdict.NOT_SIGNED: "not signed by this source, or its timestamp is more than 5 minutes off\n",
    Verdict.SEEN_BEFORE: "taken before\n",
    Verdict.NO_ROOM: "no room or not ready: send it again later, signed anew\n",
}
_PUSH = re.compile(r"/api/push/[A-Za-z0-9_.-]+")


def is_push(method: str, path: str) -> bool:
    """True for exactly what this route answers."""
    return method == "POST" and _PUSH.fullmatch(path) is not None


def route(line: Callable[[], Line], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Route:
    """The route. `now` is the machine's clock, also while a scenario plays on another."""
    reading = 0

    async def push(request: Request) -> Response:
        nonlocal reading
        source, stamp = request.path_params["source"], request.headers.get(STAMP_HEADER, "")
        known = any(one.key == source and one.connector == CONNECTOR and one.enabled for one in line().city.sources)
        if not known or not in_window(stamp, now()):
            return _told(Verdict.NOT_SIGNED)
        if _announced(request) > MOST_BYTES:
            return _too_large()
        box = box_of(source)
        if box is None or reading >= READ_AT_ONCE:
            return _told(Verdict.NO_ROOM)
        reading += 1
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("the body did not come in time\n", status_code=408)
        finally:
            reading -= 1
        if body is None:
            return _too_large()
        verdict = box.take(stamp, request.headers.get(SIGNATURE_HEADER, ""), body, now())
        if verdict is not Verdict.TAKEN:
            LOG.warning("a push to %s was answered %d", source, verdict)
        return _told(verdict)

    return Route(PATH, push, methods=["POST"])


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else MOST_BYTES + 1


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is larger than a push may be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _told(verdict: Verdict) -> Response:
    headers = {"Retry-After": RETRY_AFTER_S} if verdict is Verdict.NO_ROOM else {}
    return PlainTextResponse(WORDS[verdict], status_code=int(verdict), headers=headers)


def _too_large() -> Response:
    return PlainTextResponse(f"larger than {MOST_BYTES} bytes: push it in parts\n", status_code=413)
