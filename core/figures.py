"""How the analyses of the house come to their numbers, in words: data/guide/figures.toml, read once.

A kind of figure has a name, a formula, what it is computed from and its basis, in both languages, the indicator that it
belongs to, the properties behind it, and the document that tells all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.i18n import LANGUAGES
from core.toml_files import read_toml

PATH = Path(__file__).resolve().parent.parent / "data" / "guide" / "figures.toml"
WORDS = ("name", "formula", "source", "basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of figure. The words may hold {gaps} that whoever shows the figure fills."""

    key: str
    words: Mapping[str, Mapping[str, str]]  # language -> word -> text
    indicator: str  # of the catalogue; empty where the figure belongs to none
    rests_on: tuple[str, ...]  # properties of the catalogue
    doc: str  # a file of docs/
    counted: bool  # all there is was counted or scored: no sample, no interval

    def text(self, word: str, language: str) -> str:
        """Name, formula, source or basis in that language."""
        return self.words[language][word]


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by key. Raises ConfigError that names file, kind and key."""
    return {key: _kind(key, table) for key, table in read_toml(PATH).items()}


def _kind(key: str, table: Mapping[str, Any]) -> Kind:
    where = f"{PATH.name}: [{key}]"
    words = {}
    for language in LANGUAGES:
        given = table.get(language)
        if not isinstance(given, list) or len(given) != len(WORDS) or not all(isinstance(one, str) for one in given):
            raise ConfigError(f"{where}: {language} must be a list of {len(WORDS)} texts: {', '.join(WORDS)}")
        words[language] = dict(zip(WORDS, given, strict=True))
    unknown = set(table) - {*LANGUAGES, "indicator", "rests_on", "doc", "counted"}
    if unknown or "doc" not in table:
        raise ConfigError(f"{where}: {', '.join(sorted(unknown)) or 'doc'} is {'unknown' if unknown else 'missing'}")
    return Kind(
        key=key,
        words=words,
        indicator=str(table.get("indicator", "")),
        rests_on=tuple(table.get("rests_on", ())),
        doc=str(table["doc"]),
        counted=table.get("counted", False) is True,
    )
