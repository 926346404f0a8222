"""A drill: a scripted scenario played as an exercise, with its script, its score and the scores of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts import drill
from core.snapshot import RuleWords
from store import drills
from store.base import Store

EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One turn of the script: minutes from the start of the drill, and what happens."""

    at_min: float
    title_vi: str
    title_en: str

    def title(self, language: str) -> str:
        """What happens, in `vi` or `en`."""
        return self.title_en if language == "en" else self.title_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One exercise of one shift. Its scores go beside the city's own store, for its scratch store is thrown away."""

    scenario: str
    shift: str
    started_at: datetime
    script: tuple[Beat, ...]
    scores_path: Path

    def score(
        self, store: Store, now: datetime, rules: Mapping[str, RuleWords], *, running: bool = True
    ) -> drill.Score:
        """How the shift has done until now, from journal and audit log."""
        return drill.score(
            store.read_journal(self.started_at, limit=EVERYTHING),
            store.read_audit(self.started_at, limit=None),
            beats=self.script,
            started_at=self.started_at,
            ended_at=now,
            shift=self.shift,
            scenario=self.scenario,
            times_to_act={key: words.time_to_act for key, words in rules.items()},
            running=running,
        )

    def end(self, store: Store, now: datetime, rules: Mapping[str, RuleWords]) -> None:
        """Write the final score down."""
        drills.write_drill_score(self.scores_path, self.score(store, now, rules, running=False).as_mapping())


def earlier(path: Path) -> Sequence[Mapping[str, Any]]:
    """The scores of all drills of the city, newest first."""
    return drills.read_drill_scores(path)
