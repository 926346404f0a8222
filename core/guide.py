"""Help for people: what each screen answers, the words of the house, the first five minutes of a role, the tour.

Texts lie in data/guide/*.toml in both languages; the terms are those of docs/glossary.md, which is their one list.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.access import ROLES
from core.errors import ConfigError
from core.i18n import LANGUAGES
from core.toml_files import read_toml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "guide"
GLOSSARY = ROOT / "docs" / "glossary.md"
TERM_COLUMNS = 4  # English, Vietnamese, meaning in English, meaning in Vietnamese
Words = Mapping[str, str]  # by language
Pair = tuple[str, str]  # a word and what it means


@dataclass(frozen=True, slots=True)
class ScreenHelp:
    """What one screen answers, how it is read, and what to do when something is not as it should be."""

    key: str
    answers: Words
    read: Words
    act: Words


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that holds on every screen, as words with their meanings."""

    key: str
    title: Words
    lines: Mapping[str, tuple[Pair, ...]]


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the glossary: the term and its meaning, by language."""

    word: Words
    meaning: Words


@dataclass(frozen=True, slots=True)
class Station:
    """A page on a role's way through the first five minutes."""

    page: str
    words: Words


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a tour: the element that it outlines (a CSS selector of the real page) and what it says."""

    element: str
    title: Words
    text: Words


@dataclass(frozen=True, slots=True)
class Tour:
    """The steps of one role on one page. A new `version` is shown once more."""

    role: str
    page: str
    version: int
    steps: tuple[Step, ...]

    @property
    def key(self) -> str:
        """What the browser remembers when it has been seen."""
        return f"{self.role}.{self.page}.{self.version}"


@cache
def screens() -> tuple[ScreenHelp, ...]:
    """Help of every screen, in the order of the file. Raises ConfigError."""
    path = FOLDER / "screens.toml"
    found = []
    for key, table in read_toml(path).items():
        texts = {language: _texts(table, language, 3, f"{path.name}: [{key}]") for language in LANGUAGES}
        answers, read, act = ({language: texts[language][place] for language in LANGUAGES} for place in range(3))
        found.append(ScreenHelp(key, answers, read, act))
    return tuple(found)


@cache
def topics() -> tuple[Topic, ...]:
    """What holds on every screen. Raises ConfigError."""
    path = FOLDER / "basics.toml"
    found = []
    for table in read_toml(path)["topic"]:
        where = f"{path.name}: {table['key']}"
        lines = {language: tuple(_pair(line, language, where) for line in table["line"]) for language in LANGUAGES}
        found.append(Topic(table["key"], _both(table, where), lines))
    return tuple(found)


@cache
def ways() -> Mapping[str, tuple[Station, ...]]:
    """Role -> its first five minutes. Raises ConfigError."""
    path = FOLDER / "roles.toml"
    table = read_toml(path)
    if set(table) != set(ROLES):
        raise ConfigError(f"{path.name}: there must be a way for each of {', '.join(ROLES)}")
    return {
        role: tuple(Station(str(one["page"]), _both(one, f"{path.name}: {role}")) for one in table[role])
        for role in ROLES
    }


@cache
def tours() -> tuple[Tour, ...]:
    """All tours. Raises ConfigError."""
    path = FOLDER / "tour.toml"
    found = []
    for table in read_toml(path)["tour"]:
        where = f"{path.name}: {table.get('role')} on {table.get('page')}"
        if table.get("role") not in ROLES:
            raise ConfigError(f"{where}: role is not one of {', '.join(ROLES)}")
        steps = []
        for one in table["step"]:
            texts = {language: _texts(one, language, 2, where) for language in LANGUAGES}
            title, text = ({language: texts[language][place] for language in LANGUAGES} for place in range(2))
            steps.append(Step(str(one["element"]), title, text))
        found.append(Tour(table["role"], table["page"], int(table["version"]), tuple(steps)))
    return tuple(found)


def tour_of(role: str, page: str) -> Tour | None:
    """The tour of a role on a page, or None where there is none."""
    return next((one for one in tours() if (one.role, one.page) == (role, page)), None)


@cache
def terms() -> tuple[Term, ...]:
    """The rows of docs/glossary.md; a row whose Vietnamese meaning nobody wrote shows the English one."""
    rows = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    found = []
    for line in rows[2:]:  # the head, and the line under it
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        english, vietnamese, meaning = cells[: TERM_COLUMNS - 1]
        found.append(Term({"en": english, "vi": vietnamese}, {"en": meaning, "vi": cells[-1] or meaning}))
    return tuple(found)


def plain(text: str) -> str:
    """Small letters without marks: «Độ trễ» becomes «do tre», so that people find it as they type."""
    split = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def matches(asked: str, *texts: str) -> bool:
    """True when every word that was asked for stands in the texts; marks and capitals do not matter."""
    whole = plain(" ".join(texts))
    return all(word in whole for word in plain(asked).split())


def _both(table: Mapping[str, Any], where: str) -> Words:
    missing = [language for language in LANGUAGES if not str(table.get(language, "")).strip()]
    if missing:
        raise ConfigError(f"{where}: {', '.join(missing)} is missing")
    return {language: str(table[language]) for language in LANGUAGES}


def _pair(table: Mapping[str, Any], language: str, where: str) -> Pair:
    word, meaning = _texts(table, language, 2, where)
    return word, meaning


def _texts(table: Mapping[str, Any], language: str, count: int, where: str) -> list[str]:
    given = table.get(language)
    if not isinstance(given, list) or len(given) != count or not all(isinstance(one, str) and one for one in given):
        raise ConfigError(f"{where}: {language} must be a list of {count} texts")
    return list(given)
