"""JSON Pointer (RFC 6901): the place of a value in a JSON document."""

from __future__ import annotations

from typing import Any, Final

from core.errors import ConfigError


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
