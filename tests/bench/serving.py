"""The product's own front door inside a benchmark's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pipeline import Line
from ui import server


@contextmanager
def served(line: Line) -> Iterator[str]:
    """The line and its screens while the block runs; gives their address, on a free port of this machine."""
    server.install(line)
    line.start()
    import dashboard  # the server's front door; it finds the installed line

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    web = uvicorn.Server(uvicorn.Config(dashboard.app, host="127.0.0.1", port=port, log_level="error"))
    threading.Thread(target=web.run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        web.should_exit = True
        server.stop()
