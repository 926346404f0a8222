"""One file = one source protocol, as observations of the one frame; found by scanning this folder, no list to edit.

The only room with a network. Files that start with an underscore are not connectors.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from requests import Session

from connectors._contract import Connector, FetchRequest, Payload
from connectors._guard import hosts_of
from connectors._http import Pace, begin_turn, session
from connectors._scale import grade, standing
from core.errors import InputError

__all__ = [
    "Connector",
    "FetchRequest",
    "Pace",
    "Payload",
    "Session",
    "begin_turn",
    "discover",
    "grade",
    "hosts_of",
    "load",
    "session",
    "standing",
]


def _keys() -> list[str]:
    return sorted(item.name for item in pkgutil.iter_modules(__path__) if not item.name.startswith("_"))


def discover() -> dict[str, Connector]:
    """Every connector by key, which is its file's stem."""
    return {key: load(key) for key in _keys()}


def load(key: str) -> Connector:
    """The connector of that key. Raises InputError that lists the known ones."""
    if key not in _keys():
        raise InputError(f"there is no connector {key!r}; known are {', '.join(_keys())}")
    return cast(Connector, importlib.import_module(f"{__name__}.{key}"))
