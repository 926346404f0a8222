"""Secrets of sources, by name: from the environment, else from the table [sources] of secrets.toml.

They stand nowhere else: not in config/, not in an address, a log, an error or an export. The files are the ones that
hold the login of people too: .streamlit/secrets.toml, or those that STREAMLIT_SECRETS_FILES names.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from core.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
FILES = "STREAMLIT_SECRETS_FILES"
TABLE = "sources"


def secret(name: str | None, environ: Mapping[str, str] = os.environ, root: Path = ROOT) -> str | None:
    """The secret of that name, or None. Raises ConfigError for a file that cannot be read; it quotes nothing of it."""
    if not name:
        return None
    if found := environ.get(name):
        return found
    named = environ.get(FILES, "")
    paths = [Path(each) for each in named.split(os.pathsep) if each] or [root / ".streamlit" / "secrets.toml"]
    for path in paths:
        table = _table(path)
        if isinstance(table.get(name), str) and table[name]:
            return str(table[name])
    return None


def _table(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(TABLE, {})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ConfigError(f"{path.name}: not valid TOML, or not readable: nothing of it is shown here") from None
    if not isinstance(found, dict):
        raise ConfigError(f'{path.name}: [{TABLE}] must be a table of NAME = "secret"')
    return found
