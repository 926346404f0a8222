"""What the server does besides pages: start the line with the server, serve fonts, answer health questions."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from core.errors import HouseError
from pipeline import Line

ASSETS = Path(__file__).resolve().parent.parent / "ui" / "assets"
ONE_WEEK_S = 604800


class LastingFiles(StaticFiles):
    """Static files that a browser may keep: fonts do not change between releases."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file with a lifetime."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = f"public, max-age={ONE_WEEK_S}"
        return response


def lifespan(start: Callable[[], Line], stop: Callable[[], None]) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """The collector lives as long as the server. A wrong setting or a store in use ends the start in one sentence."""

    @asynccontextmanager
    async def living(_app: Any) -> AsyncIterator[dict[str, Any]]:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        try:
            await asyncio.to_thread(start)
        except HouseError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            os._exit(2)  # the server would print a stack trace and try on; nothing has been opened yet
        yield {}
        await asyncio.to_thread(stop)

    return living


def _health(line: Line) -> JSONResponse:
    """200 while the line publishes snapshots, 503 when the newest is older than three cycles (and 30 s)."""
    snapshot = line.snapshot
    age_s = (line.clock.now() - snapshot.made_at).total_seconds() / snapshot.speed
    alive = snapshot.number > 0 and age_s <= max(3 * line.city.cycle.total_seconds(), 30.0)
    body = {
        "city": line.city.key,
        "snapshot": snapshot.number,
        "snapshot_age_s": round(age_s, 1),
        "sources_up": sum(state.up is True for state in snapshot.sources),
        "sources": len(snapshot.sources),
    }
    return JSONResponse(body, status_code=200 if alive else 503)


def routes(line: Callable[[], Line]) -> list[BaseRoute]:
    """Own routes; Streamlit's stand after them."""

    async def health(_request: Request) -> JSONResponse:
        return _health(line())

    return [Route("/api/health", health), Mount("/assets", LastingFiles(directory=ASSETS))]
