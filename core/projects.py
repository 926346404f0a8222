"""Projects that compete for money, and the criteria by which they are weighed: config/<city>/plans/projects.toml.

Every score carries its reason and its source, and how far it might be off. A project that names no problem or no
indicator is not refused: it is kept and marked as scattered («dàn trải»), because such projects are what this list is
to show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.catalogue import Catalogue
from core.config import City
from core.errors import ConfigError
from core.plans import areas_of, known
from core.toml_files import read_toml, shown_path, take

SHORT, LONG = TERMS = ("short", "long")
WORST, BEST = 0.0, 10.0  # of every score; 10 is always good
DRAWS, SEED = 10_000, 20_261_122
MOST_PROJECTS, MOST_CRITERIA = 60, 12
FILE_KEYS = {"budget_million_vnd", "budget_note_vi", "budget_note_en", "seed", "criterion", "project"}
CRITERION_KEYS = {"key", "name_vi", "name_en", "about_vi", "about_en", "weight"}
PROJECT_KEYS = {
    "key", "title_vi", "title_en", "problem_vi", "problem_en", "indicator", "term", "cost_million_vnd",
    "private_share_pct", "money_vi", "money_en", "owner_vi", "owner_en", "needs", "areas", "scores",
}  # fmt: skip
SCORE_KEYS = {"value", "low", "high", "reason", "source"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """What a project is scored by. `weight` is as configured; weights are divided by their sum."""

    key: str
    words: Mapping[str, str]  # name_vi … about_en
    weight: float

    def text(self, name: str, language: str) -> str:
        """name or about in `vi` or `en`."""
        return self.words.get(f"{name}_{'en' if language == 'en' else 'vi'}", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """0 … 10, 10 is good; low <= value <= high says how far it might be off."""

    value: float
    low: float
    high: float
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One proposal. Money in million VND."""

    key: str
    words: Mapping[str, str]  # title_vi, problem_en …
    indicator: str  # of the catalogue; empty: none was named
    term: str  # short | long
    cost_million_vnd: float
    private_share_pct: float
    needs: tuple[str, ...]
    areas: tuple[str, ...]
    scores: Mapping[str, Score]  # by criterion

    def text(self, name: str, language: str) -> str:
        """title, problem, money or owner in `vi` or `en`."""
        return self.words.get(f"{name}_{'en' if language == 'en' else 'vi'}", "")

    @property
    def public_million_vnd(self) -> float:
        """What the budget pays."""
        return self.cost_million_vnd * (1 - self.private_share_pct / 100)

    @property
    def scattered(self) -> bool:
        """True when it names no problem or no indicator by which its success could be told."""
        return not (self.text("problem", "vi").strip() and self.indicator)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectList:
    """What projects.toml says."""

    criteria: tuple[Criterion, ...] = ()
    projects: tuple[Project, ...] = ()
    budget_million_vnd: float | None = None  # public money; None: nobody set one
    budget_note: Mapping[str, str] | None = None
    seed: int = SEED


def load_projects(city: City, catalogue: Catalogue) -> ProjectList:
    """The list of a city; without the file it is empty. Raises ConfigError."""
    path = city.folder / "plans" / "projects.toml"
    return read_projects(path, city, catalogue) if path.is_file() else ProjectList()


def read_projects(path: Path, city: City | None = None, catalogue: Catalogue | None = None) -> ProjectList:
    """One file. Areas and indicators are checked where city and catalogue are given. Raises ConfigError."""
    table, where = read_toml(path), shown_path(path)
    known(table, FILE_KEYS, where)
    criteria = [
        _criterion(one, f"{where}: [[criterion]] number {number}")
        for number, one in enumerate(take(table, "criterion", list, where), start=1)
    ]
    keys = [one.key for one in criteria]
    projects = [
        _project(one, f"{where}: [[project]] number {number}", keys, city, catalogue)
        for number, one in enumerate(take(table, "project", list, where), start=1)
    ]
    for found, word, most in (
        (keys, "criterion", MOST_CRITERIA),
        ([one.key for one in projects], "project", MOST_PROJECTS),
    ):
        if len(set(found)) < len(found):
            raise ConfigError(f"{where}: two [[{word}]] have the same key")
        if not found or len(found) > most:
            raise ConfigError(f"{where}: give 1 to {most} [[{word}]], not {len(found)}")
    if sum(one.weight for one in criteria) <= 0:
        raise ConfigError(f"{where}: all weights are 0")
    budget = take(table, "budget_million_vnd", (int, float), where, None)
    if budget is not None and not 0 <= budget < 1e9:
        raise ConfigError(f"{where}: budget_million_vnd must be 0 or more, not {budget:g}")
    note = {one: take(table, f"budget_note_{one}", str, where, "") for one in ("vi", "en")}
    seed = take(table, "seed", int, where, SEED)
    if seed < 0:
        raise ConfigError(f"{where}: seed must be 0 or more, not {seed}")
    return ProjectList(
        criteria=tuple(criteria),
        projects=tuple(projects),
        budget_million_vnd=None if budget is None else float(budget),
        budget_note=note,
        seed=seed,
    )


def _criterion(table: Mapping[str, Any], where: str) -> Criterion:
    known(table, CRITERION_KEYS, where)
    weight = float(take(table, "weight", (int, float), where))
    if not 0 <= weight <= 1000:
        raise ConfigError(f"{where}: weight must lie between 0 and 1000, not {weight:g}")
    names = {f"name_{one}": take(table, f"name_{one}", str, where) for one in ("vi", "en")}
    abouts = {f"about_{one}": take(table, f"about_{one}", str, where, "") for one in ("vi", "en")}
    return Criterion(key=take(table, "key", str, where), words=names | abouts, weight=weight)


def _project(
    table: Mapping[str, Any], where: str, criteria: Collection[str], city: City | None, catalogue: Catalogue | None
) -> Project:
    known(table, PROJECT_KEYS, where)
    key = take(table, "key", str, where)
    where = f"{where} ({key})"
    words = {
        f"{name}_{one}": take(table, f"{name}_{one}", str, where)
        for name in ("title", "money", "owner")
        for one in ("vi", "en")
    }
    words |= {f"problem_{one}": take(table, f"problem_{one}", str, where, "") for one in ("vi", "en")}
    indicator = take(table, "indicator", str, where, "")
    if catalogue is not None and indicator and indicator not in catalogue:
        raise ConfigError(f"{where}: indicator {indicator!r} is not in the catalogue")
    term = take(table, "term", str, where)
    if term not in TERMS:
        raise ConfigError(f"{where}: term must be short or long, not {term!r}")
    cost, private = (
        float(take(table, name, (int, float), where)) for name in ("cost_million_vnd", "private_share_pct")
    )
    if not 0 <= cost < 1e9 or not 0 <= private <= 100:
        raise ConfigError(f"{where}: cost_million_vnd must be 0 or more, private_share_pct at most 100")
    scores = take(table, "scores", dict, where)
    lacking, unknown = sorted(set(criteria) - set(scores)), sorted(set(scores) - set(criteria))
    if lacking or unknown:
        raise ConfigError(f"{where}: scores: {'lacks ' + lacking[0] if lacking else unknown[0] + ' is no criterion'}")
    return Project(
        key=key,
        words=words,
        indicator=indicator,
        term=term,
        cost_million_vnd=cost,
        private_share_pct=private,
        needs=tuple(map(str, take(table, "needs", list, where, []))),
        areas=areas_of(table, where, city) if city else tuple(map(str, take(table, "areas", list, where, []))),
        scores={name: _score(scores[name], f"{where}: scores.{name}") for name in criteria},
    )


def _score(table: Any, where: str) -> Score:
    if not isinstance(table, dict):
        raise ConfigError(f'{where}: write it as {{ value = 7, reason = "…", source = "…" }}')
    known(table, SCORE_KEYS, where)
    value = float(take(table, "value", (int, float), where))
    low, high = (float(take(table, name, (int, float), where, value)) for name in ("low", "high"))
    if not WORST <= low <= value <= high <= BEST:
        raise ConfigError(f"{where}: low <= value <= high must lie between 0 and 10")
    reason, source = (take(table, name, str, where).strip() for name in ("reason", "source"))
    if not reason or not source:
        raise ConfigError(f"{where}: a score needs its reason and its source")
    return Score(value=value, low=low, high=high, reason=reason, source=source)
