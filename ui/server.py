"""The one line of this server process: started with the server, before the first viewer comes."""

from __future__ import annotations

import os
import threading

from core.config import city_key
from core.errors import InputError
from pipeline import Line, open_line

_LOCK = threading.Lock()
_INSTALLED: list[Line] = []  # at most one; a module outlives the reruns of a page script


def start() -> Line:
    """Open the city of CITY (and SCENARIO, SPEED) and run its cycles in a thread. Idempotent. Raises HouseError."""
    with _LOCK:
        if not _INSTALLED:
            speed = os.environ.get("SPEED", "").strip() or "1"
            try:
                factor = float(speed)
            except ValueError as error:
                raise InputError(f"SPEED={speed}: give a number from 1 to 600") from error
            line = open_line(city_key(), scenario=os.environ.get("SCENARIO", "").strip(), speed=factor)
            line.start()
            _INSTALLED.append(line)
        return _INSTALLED[0]


def install(line: Line) -> None:
    """Serve a given line instead of opening one: a test or an embedding program owns it."""
    with _LOCK:
        _INSTALLED[:] = [line]


def stop() -> None:
    """End the cycles and give the store free."""
    with _LOCK:
        while _INSTALLED:
            _INSTALLED.pop().stop()
