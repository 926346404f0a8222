"""Words of the screens: locales/<language>.toml, addressed by dotted keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import ConfigError

LANGUAGES = ("vi", "en")
DEFAULT_LANGUAGE = "vi"
FOLDER = Path(__file__).resolve().parent.parent / "locales"


@cache
def words(language: str) -> Mapping[str, str]:
    """All texts of a language by dotted key. Raises ConfigError for a language without a file."""
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        raise ConfigError(f"locales/{language}.toml: the file is missing; known languages: {', '.join(LANGUAGES)}")
    with path.open("rb") as stream:
        return dict(_flat(tomllib.load(stream), ""))


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


class Translator:
    """t("alerts.acknowledge"), t("word.minutes", n=3). A missing key raises KeyError: tests find it, not users."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self._words = words(self.language)

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values) if values else self._words[key]

    def __contains__(self, key: str) -> bool:
        return key in self._words
