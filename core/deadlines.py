"""What citizens may expect: names of services and report categories, who answers, within how long, who is told next.

config/<city>/deadlines.toml. Rules on citizen reports are provincial, so a city writes its own; a deadline that the
source itself promises is always the one that counts, this table fills in what the source does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd

from core.cases import KINDS
from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take
from core.working_hours import OfficeHours

FILE = "deadlines.toml"
CALENDAR, WORKING = CLOCKS = ("calendar", "working")
KEYS = {
    "kind",
    "category",
    "name_vi",
    "name_en",
    "agency_vi",
    "agency_en",
    "hours",
    "clock",
    "escalate_vi",
    "escalate_en",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One [[deadline]]."""

    kind: str  # file | report
    category: str  # as the source writes it
    words: Mapping[str, str]  # name_vi, agency_en …
    hours: float
    clock: str  # calendar | working

    def text(self, name: str, language: str) -> str:
        """name, agency or escalate in `vi` or `en`."""
        return self.words[f"{name}_{'en' if language == 'en' else 'vi'}"]


Deadlines = Mapping[tuple[str, str], Deadline]


def load_deadlines(folder: Path) -> Deadlines:
    """The table of a city; empty without the file. Raises ConfigError."""
    path = folder / FILE
    if not path.is_file():
        return {}
    found: dict[tuple[str, str], Deadline] = {}
    for number, table in enumerate(take(read_toml(path), "deadline", list, shown_path(path), []), start=1):
        where = f"{shown_path(path)}: [[deadline]] number {number}"
        unknown = sorted(set(table) - KEYS)
        if unknown:
            raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(KEYS))}")
        kind, category = take(table, "kind", str, where), take(table, "category", str, where)
        clock, hours = take(table, "clock", str, where), float(take(table, "hours", (int, float), where))
        if kind not in KINDS or clock not in CLOCKS or not 0 < hours <= 10_000:
            raise ConfigError(f"{where}: kind is {' or '.join(KINDS)}, clock {' or '.join(CLOCKS)}, hours above 0")
        if (kind, category) in found:
            raise ConfigError(f"{where}: {category} is given twice")
        words = {name: take(table, name, str, where, "") for name in KEYS if name.endswith(("_vi", "_en"))}
        words["name_vi"] = words["name_vi"] or category
        for name in ("name", "agency", "escalate"):
            words[f"{name}_en"] = words[f"{name}_en"] or words[f"{name}_vi"]
        found[kind, category] = Deadline(kind=kind, category=category, words=words, hours=hours, clock=clock)
    return found


def with_due(cases: pd.DataFrame, deadlines: Deadlines, office: OfficeHours) -> pd.DataFrame:
    """core.cases.frame with `due_at` filled in where the source promised none and the table knows the category."""
    due = cases["due_at"].copy()
    lacking = cases[due.isna()]
    for (kind, category), rows in lacking.groupby(["kind", "category"]):
        deadline = deadlines.get((str(kind), str(category)))
        if deadline is None:
            continue
        if deadline.clock == CALENDAR:
            due[rows.index] = rows["received_at"] + timedelta(hours=deadline.hours)
        else:
            due[rows.index] = [office.add(one.to_pydatetime(), deadline.hours) for one in rows["received_at"]]
    return cases.assign(due_at=due.astype("datetime64[us, UTC]"))
