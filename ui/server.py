"""The one line of this server process, and its door: started with the server, before the first viewer comes."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.access import Person, load_people
from core.clock import SystemClock
from core.config import ROOT, city_key
from core.door import Door, open_door
from core.errors import InputError
from core.feed import Tickets
from pipeline import Line, open_line
from ui import login

HOME = "overview"
_LOCK = threading.RLock()
_INSTALLED: list[Line] = []  # at most one; a module outlives the reruns of a page script
_DOORS: list[Door] = []
TICKETS = Tickets()  # what open screens follow


def check() -> login.Login | None:
    """The configured login, or None where only this machine is served. Raises InputError where others could come in."""
    configured = login.configured()
    login.check_address(st.get_option("server.address"), configured)
    return configured


def start() -> Line:
    """Open the city of CITY (SCENARIO, SPEED, DRILL) and run its cycles in a thread. Idempotent. Raises HouseError."""
    with _LOCK:
        if not _INSTALLED:
            configured = check()  # before anything is opened
            speed = os.environ.get("SPEED", "").strip() or "1"
            try:
                factor = float(speed)
            except ValueError as error:
                raise InputError(f"SPEED={speed}: give a number from 1 to 600") from error
            scenario, drill = (os.environ.get(name, "").strip() for name in ("SCENARIO", "DRILL"))
            width_mm, viewer_m = _wall_given(sys.argv[1:])
            line = open_line(
                city_key(), scenario=scenario, speed=factor, drill=drill, width_mm=width_mm, viewer_m=viewer_m
            )
            try:
                _DOORS[:] = [_door(line, configured)]
            except InputError:
                line.stop()
                raise
            line.start()
            _INSTALLED.append(line)
        return _INSTALLED[0]


def door() -> Door:
    """The door before the line that is served."""
    with _LOCK:
        line = start()
        if not _DOORS:
            _DOORS.append(_door(line, login.configured()))
        return _DOORS[0]


def install(line: Line, door: Door | None = None) -> None:
    """Serve a given line instead of opening one: a test or an embedding program owns it."""
    with _LOCK:
        _INSTALLED[:] = [line]
        _DOORS[:] = [door] if door else []


def stop() -> None:
    """End the cycles and give the store free."""
    with _LOCK:
        _DOORS.clear()
        while _INSTALLED:
            _INSTALLED.pop().stop()


def _wall_given(words: Sequence[str]) -> tuple[float | None, float | None]:
    """`streamlit run dashboard.py -- --wall-width-mm 3640 --viewer-m 6`; what else stands there is not ours."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--wall-width-mm", type=float)
    parser.add_argument("--viewer-m", type=float)
    try:
        given, _ = parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise InputError(f"{error}: give a number, for example --wall-width-mm 3640 --viewer-m 6") from error
    return given.wall_width_mm, given.viewer_m


def _door(line: Line, configured: login.Login | None) -> Door:
    areas = frozenset(line.city.areas.index)
    people = load_people(_people_file(line), os.environ, areas=areas, pages=pages())

    def audit(person: Person, action: str, thing: str, result: str, reason: str) -> None:
        line.audit(person, action, thing, result, reason=reason)

    secure = configured is not None and configured.secure
    door = open_door(people, SystemClock(), audit, login=configured is not None, secure=secure)
    door.sessions.on_leave.append(line.usage.left)
    return door


def _people_file(line: Line) -> Path:
    """people.toml of the city, or the file of CITY_PEOPLE: names of accounts need not lie beside the programme."""
    named = os.environ.get("CITY_PEOPLE", "").strip()
    if named and not Path(named).is_file():
        raise InputError(f"CITY_PEOPLE: there is no file {Path(named).name} where it points")
    return Path(named) if named else line.city.folder / "people.toml"


def pages() -> frozenset[str]:
    """All screens by name, found by folder scan: dashboard.py is the overview, each file of pages/ is one more."""
    return frozenset({HOME, *(path.stem for path in (ROOT / "pages").glob("*.py"))})
