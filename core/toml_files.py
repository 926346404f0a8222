"""Reading TOML files so that a mistake is named with file, entry and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file, or ConfigError with file, line and reason."""
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise ConfigError(f"{shown_path(path)}: the file is missing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown_path(path)}: not valid TOML: {error}") from error


def take(table: Mapping[str, Any], name: str, kind: type | tuple[type, ...], where: str, default: Any = ...) -> Any:
    """One key of a table, of the right type, or ConfigError that names file, entry and key."""
    if name not in table:
        if default is ...:
            raise ConfigError(f"{where}: the key {name} is missing")
        return default
    value = table[name]
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(one.__name__ for one in kinds)
        raise ConfigError(f"{where}: {name} must be {wanted}, not {value!r}")
    return value


def shown_path(path: Path) -> str:
    """config/<city>/…, which a person can find, without the machine's folders."""
    parts = path.parts
    begin = len(parts) - 1 - parts[::-1].index("config") if "config" in parts else len(parts) - 3
    return "/".join(parts[max(begin, 0) :])
