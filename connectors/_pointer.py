"""JSON Pointer (RFC 6901): the place of a value in a JSON document, and JSON that is no deeper than a reply may be."""

from __future__ import annotations

from typing import Any, Final

from connectors._http import read_json
from core.errors import ConfigError, SourceChanged

DEPTH_MAX = 64


class _Absent:
    """What stands where nothing stands; `null` is something."""


ABSENT: Final = _Absent()


def steps(pointer: str, where: str) -> tuple[str, ...]:
    """The reference tokens of a pointer; of "", the whole document, none. Raises ConfigError for what is no pointer."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ConfigError(f"{where}: {pointer!r} is no JSON Pointer: it begins with /, for example /data/items")
    tokens = pointer.split("/")[1:]
    if any("~" in token.replace("~0", "").replace("~1", "") for token in tokens):
        raise ConfigError(f"{where}: {pointer!r} holds a ~ alone: write ~0 for ~ and ~1 for / inside a name")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


def at(document: Any, tokens: tuple[str, ...]) -> Any:
    """The value at that place, or ABSENT. A list is entered by a plain index: no sign, no leading zero, no «-»."""
    found = document
    for token in tokens:
        if isinstance(found, dict) and token in found:
            found = found[token]
        elif isinstance(found, list) and _is_index(token) and int(token) < len(found):
            found = found[int(token)]
        else:
            return ABSENT
    return found


def _is_index(token: str) -> bool:
    return token.isascii() and token.isdigit() and len(token) < 10 and (token == "0" or not token.startswith("0"))


def read_shallow_json(body: bytes, name: str) -> Any:
    """A JSON text of at most DEPTH_MAX levels. Raises SourceChanged that says what came instead."""
    document = read_json(body, name)
    level, depth = [document], 0
    while level := [child for parent in level for child in _children(parent)]:
        depth += 1
        if depth > DEPTH_MAX:
            raise SourceChanged(f"{name}: JSON of more than {DEPTH_MAX} levels, which no honest server sends")
    return document


def _children(parent: Any) -> list[Any]:
    found = parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ()
    return [child for child in found if isinstance(child, dict | list)]
