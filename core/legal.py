"""The legal documents that indicators and limits rest on, with their dates (data/legal/documents.toml)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from core.errors import ConfigError
from core.toml_files import read_toml, take

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "data" / "legal" / "documents.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document. A date that nobody verified is None, and screens say that it is not recorded."""

    number: str
    about_vi: str
    about_en: str
    issued: date | None = None
    in_force: date | None = None

    def about(self, language: str) -> str:
        """What it is about, in `vi` or `en`."""
        return self.about_en if language == "en" else self.about_vi


@cache
def documents(path: Path = FILE) -> tuple[Document, ...]:
    """All known documents. Raises ConfigError."""
    found = []
    for place, table in enumerate(take(read_toml(path), "document", list, path.name), start=1):
        try:
            found.append(Document(**table))
        except TypeError as error:
            raise ConfigError(f"{path.name}: [[document]] number {place}: {error}") from error
    return tuple(found)


def cited(*texts: str) -> tuple[Document, ...]:
    """The documents whose number stands in one of the texts, or begins it before its «/» («QĐ 766: …»)."""
    whole = " ".join(texts)
    return tuple(one for one in documents() if one.number in whole or f"{one.number.split('/')[0]}:" in whole)
