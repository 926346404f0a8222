"""«Bà con nói, chúng tôi làm»: proposals of citizens, how many stood behind each, the answer, and the pilot it became.

config/<city>/proposals.toml, kept by the city like every other register: numbers are imported from the poll or meeting
in which people spoke (its name and day are told), an answer carries its day and the unit that stands for it. No name of
a person who proposed is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take

FILE = "proposals.toml"
KEYS = {
    "key", "title_vi", "title_en", "submitted", "asked_vi", "asked_en", "counted_on", "votes", "voters", "answer_vi",
    "answer_en", "answered_on", "unit_vi", "unit_en", "pilot",
}  # fmt: skip
WORDS = ("title", "asked", "answer", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One [[proposal]]."""

    key: str
    words: Mapping[str, str]
    submitted: date
    counted_on: date
    votes: int  # people who wanted it
    voters: int  # people who were asked and answered
    answered_on: date | None
    pilot: str  # key of config/<city>/pilots, or «»

    def text(self, name: str, language: str) -> str:
        """title, asked (in which poll), answer or unit, in `vi` or `en`."""
        return self.words[f"{name}_{'en' if language == 'en' else 'vi'}"]


def load_proposals(folder: Path, pilots: Collection[str]) -> tuple[Proposal, ...]:
    """The register of a city; empty without the file. `pilots`: keys that exist. Raises ConfigError."""
    path = folder / FILE
    if not path.is_file():
        return ()
    found: list[Proposal] = []
    for number, table in enumerate(take(read_toml(path), "proposal", list, shown_path(path), []), start=1):
        where = f"{shown_path(path)}: [[proposal]] number {number}"
        unknown = sorted(set(table) - KEYS)
        if unknown:
            raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}")
        words = {f"{name}_vi": take(table, f"{name}_vi", str, where, "") for name in WORDS}
        words |= {f"{name}_en": take(table, f"{name}_en", str, where, words[f"{name}_vi"]) for name in WORDS}
        one = Proposal(
            key=take(table, "key", str, where),
            words=words,
            submitted=take(table, "submitted", date, where),
            counted_on=take(table, "counted_on", date, where),
            votes=take(table, "votes", int, where),
            voters=take(table, "voters", int, where),
            answered_on=take(table, "answered_on", date, where, None),
            pilot=take(table, "pilot", str, where, ""),
        )
        if not words["title_vi"] or not words["asked_vi"]:
            raise ConfigError(f"{where}: title_vi and asked_vi (where people spoke) must be given")
        if not 0 <= one.votes <= one.voters:
            raise ConfigError(f"{where}: {one.votes} votes of {one.voters} voters cannot be")
        if one.answered_on is not None and (not words["answer_vi"] or not words["unit_vi"]):
            raise ConfigError(f"{where}: an answer needs answer_vi and unit_vi beside answered_on")
        if one.pilot and one.pilot not in pilots:
            raise ConfigError(f"{where}: there is no pilot {one.pilot}; known are {', '.join(sorted(pilots))}")
        found.append(one)
    if len({one.key for one in found}) < len(found):
        raise ConfigError(f"{shown_path(path)}: a key is given twice")
    return tuple(found)
