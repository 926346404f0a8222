"""Plans of a city: targets with their legal basis, tasks, decisions. What an operator configures and people write.

config/<city>/plans/targets.toml holds targets and the first tasks; projects and criteria are in core/projects.py. A
legal reference always carries its state: since 1 July 2025 there are no districts, so a target for one has no object
any more, however well it reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from core.catalogue import Catalogue
from core.config import City
from core.errors import ConfigError, InputError, ToldInBoth
from core.forms import day_off
from core.toml_files import read_toml, shown_path, take

LEGAL_STATES = ("in_force", "trial", "draft", "replaced", "object_gone", "unchecked", "own")
OPEN, DOING, DONE, DROPPED = TASK_STATES = ("open", "doing", "done", "dropped")
LIVE = (OPEN, DOING)
ALL_SITES = "*"  # the mean over every site that reports the indicator
MOST_DAYS = 366
FIRST_VERSION = 0  # as configured; what people change is written from 1 on
ONE_DAY = timedelta(days=1)
TARGET_KEYS = {
    "key", "title_vi", "title_en", "indicator", "site", "over_days", "unit_vi", "unit_en", "decimals", "better",
    "baseline", "baseline_day", "baseline_source", "value", "due", "curve", "legal_ref", "legal_status",
    "legal_note_vi", "legal_note_en", "owner_vi", "owner_en", "areas", "measured", "lapsed",
}  # fmt: skip
TASK_KEYS = {"key", "title", "unit", "due", "state", "needs", "about", "area"}


class PlanRefused(ToldInBoth):
    """A deed on a plan that cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumber:
    """A value of a target that no source brings: entered by hand, always with where it comes from."""

    target: str
    day: date
    value: float
    n: int | None  # sample size, where the source tells it
    source: str
    entered_at: datetime | None  # None: it stands in the configuration
    entered_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One number that a programme promises by a day. Values are in the unit of the indicator, or in its own."""

    key: str
    words: Mapping[str, str]  # title_vi … owner_en
    indicator: str  # of the catalogue; empty: own numbers
    site: str  # site_id, or ALL_SITES
    over_days: int  # mean of that many days; 0: the newest value
    decimals: int
    better: str  # up | down
    baseline: float | None  # None: nobody wrote down where it began, so there is no planned curve
    baseline_day: date | None
    value: float
    due: date
    curve: tuple[tuple[date, float], ...]  # planned points, baseline and target included; empty without a baseline
    legal_ref: str
    legal_status: str  # one of LEGAL_STATES
    areas: tuple[str, ...]  # empty: the whole city
    measured: tuple[OwnNumber, ...]
    lapsed: bool  # no longer pursued: shown with its reason, not judged

    def text(self, name: str, language: str) -> str:
        """title, owner, unit, legal_note or baseline_source in `vi` or `en`."""
        return self.words.get(f"{name}_{'en' if language == 'en' else 'vi'}", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One version of a task. Versions are only added; the newest is what holds."""

    task: str
    version: int
    title: str
    unit: str  # who does it
    due: date | None
    state: str  # one of TASK_STATES
    needs: tuple[str, ...] = ()  # tasks that must be done before
    about: str = ""  # key of a target or project
    decision: str = ""  # id of the decision that it follows from
    area: str = ""  # empty: the whole city
    reason: str = ""
    deed: str = ""  # what made this version; empty: the configuration
    changed_at: datetime | None = None
    changed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided before which screen. Never changed, never taken away."""

    id: str
    made_at: datetime
    made_by: str
    page: str
    link: str  # path and query of the screen that was seen
    snapshot: int
    seen_at: datetime  # when that picture was made
    seen: str  # what was read there, in one line
    text: str
    indicator: str = ""  # of the catalogue; empty: nothing to measure was named
    site_id: str = ""
    value: float | None = None  # mean of the week before
    usual_low: float | None = None  # usual for a week at that time: p10, p50, p90
    usual_middle: float | None = None
    usual_high: float | None = None
    task: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """What targets.toml says."""

    targets: tuple[Target, ...] = ()
    tasks: tuple[Task, ...] = ()


def seen_in(areas: Collection[str], scope: frozenset[str] | None) -> bool:
    """True when somebody with that scope (None: the whole city) may see a thing of those areas (none: whole city)."""
    return scope is None or bool(set(areas) & scope)


def working_days_late(due: date, today: date, own: Collection[date] = ()) -> int:
    """Working days after the due day up to today, weekends and public holidays left out; 0 until then."""
    return sum(not day_off(due + ONE_DAY * step, own) for step in range(1, (today - due).days + 1))


def working_days_left(due: date, today: date, own: Collection[date] = ()) -> int:
    """Working days after today up to the due day, which counts; 0 on the day itself and after it."""
    return sum(not day_off(today + ONE_DAY * step, own) for step in range(1, (due - today).days + 1))


def planned(target: Target, day: date) -> float | None:
    """The value that the plan has for that day: straight between its points; None before the baseline or without one.

    After the last point the target itself holds.
    """
    points = target.curve
    if not points or day < points[0][0]:
        return None
    for (first, low), (last, high) in pairwise(points):
        if day <= last:
            return low + (high - low) * ((day - first) / (last - first))
    return points[-1][1]


def reached_on(target: Target, value: float) -> date | None:
    """The first day on which the plan has the value; None where the plan never has it (worse than the baseline)."""
    sign = 1.0 if target.better == "up" else -1.0
    for (first, low), (last, high) in pairwise(target.curve):
        if sign * low <= sign * value <= sign * high:
            share = 0.0 if high == low else (value - low) / (high - low)
            return first + timedelta(days=round((last - first).days * share))
    return target.curve[-1][0] if target.curve and sign * value > sign * target.curve[-1][1] else None


def blocked_by(task: Task, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Tasks that must be done first and are not."""
    return tuple(need for need in task.needs if need in tasks and tasks[need].state != DONE)


def check_circle(needs: Mapping[str, Collection[str]]) -> None:
    """Raises InputError that names a circle «a → b → a», or a need that nobody knows."""
    for name, wanted in needs.items():
        unknown = sorted(set(wanted) - set(needs))
        if unknown:
            raise InputError(f"{name} needs {unknown[0]}, which is not in the list")
    settled: set[str] = set()

    def follow(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = (*path[path.index(name) :], name)
            raise InputError(f"dependency in a circle: {' → '.join(circle)}; take one of these out")
        if name in settled:
            return
        for need in sorted(needs[name]):
            follow(need, (*path, name))
        settled.add(name)

    for name in sorted(needs):
        follow(name, ())


# -- config/<city>/plans/targets.toml ---------------------------------------------------------------------------------


def load_targets(city: City, catalogue: Catalogue) -> TargetPlan:
    """Targets and first tasks of a city. Without the file there are none. Raises ConfigError."""
    path = city.folder / "plans" / "targets.toml"
    if not path.is_file():
        return TargetPlan()
    table, where = read_toml(path), shown_path(path)
    known(table, {"target", "task"}, where)
    targets = [
        _target(one, f"{where}: [[target]] number {number}", city, catalogue)
        for number, one in enumerate(take(table, "target", list, where, []), start=1)
    ]
    tasks = [
        _task(one, f"{where}: [[task]] number {number}", city)
        for number, one in enumerate(take(table, "task", list, where, []), start=1)
    ]
    for keys in ([one.key for one in targets], [one.task for one in tasks]):
        if len(set(keys)) < len(keys):
            raise ConfigError(f"{where}: a key is given twice")
    try:
        check_circle({one.task: one.needs for one in tasks})
    except InputError as error:
        raise ConfigError(f"{where}: [[task]] {error}") from error
    return TargetPlan(targets=tuple(targets), tasks=tuple(tasks))


def _target(table: Mapping[str, Any], where: str, city: City, catalogue: Catalogue) -> Target:
    known(table, TARGET_KEYS, where)
    key = take(table, "key", str, where)
    where = f"{where} ({key})"
    words = {
        f"{name}_{one}": take(table, f"{name}_{one}", str, where) for name in ("title", "owner") for one in ("vi", "en")
    }
    for name in ("legal_note", "unit"):
        words |= {f"{name}_{one}": take(table, f"{name}_{one}", str, where, "") for one in ("vi", "en")}
    source = take(table, "baseline_source", str, where, "")
    words |= {"baseline_source_vi": source, "baseline_source_en": source}
    indicator = take(table, "indicator", str, where, "")
    if indicator and indicator not in catalogue:
        raise ConfigError(f"{where}: indicator {indicator!r} is not in the catalogue")
    if not indicator and not words["unit_vi"]:
        raise ConfigError(f"{where}: without an indicator, unit_vi must say what is counted")
    item = catalogue.get(indicator)
    if item is not None:
        words |= {"unit_vi": item.unit_label("vi"), "unit_en": item.unit_label("en")}
    site = take(table, "site", str, where, city.city_site)
    if site != ALL_SITES and site not in city.sites.index:
        raise ConfigError(f"{where}: site {site!r} is not in sites.toml")
    over_days = take(table, "over_days", int, where, 0)
    if not 0 <= over_days <= MOST_DAYS:
        raise ConfigError(f"{where}: over_days must lie between 0 and {MOST_DAYS}, not {over_days}")
    if site == ALL_SITES and not over_days:
        raise ConfigError(f'{where}: site = "*" is a mean over sites: give over_days')
    value, due = float(take(table, "value", (int, float), where)), a_day(table, "due", where)
    baseline = take(table, "baseline", (int, float), where, None)
    baseline_day = a_day(table, "baseline_day", where) if "baseline_day" in table else None
    if (baseline is None) != (baseline_day is None):
        raise ConfigError(f"{where}: baseline and baseline_day go together")
    better = take(
        table, "better", str, where, "" if baseline in (None, value) else "up" if value > baseline else "down"
    )
    if better not in ("up", "down"):
        raise ConfigError(f"{where}: better must be up or down")
    status = take(table, "legal_status", str, where)
    if status not in LEGAL_STATES:
        raise ConfigError(f"{where}: legal_status {status!r} is not one of {', '.join(LEGAL_STATES)}")
    return Target(
        key=key,
        words=words,
        indicator=indicator,
        site=site,
        over_days=over_days,
        decimals=take(table, "decimals", int, where, item.decimals if item else 0),
        better=better,
        baseline=None if baseline is None else float(baseline),
        baseline_day=baseline_day,
        value=value,
        due=due,
        curve=_curve(table, where, baseline, baseline_day, value, due),
        legal_ref=take(table, "legal_ref", str, where),
        legal_status=status,
        areas=areas_of(table, where, city),
        measured=tuple(
            OwnNumber(
                target=key,
                day=a_day(one, "day", where),
                value=float(take(one, "value", (int, float), where)),
                n=take(one, "n", int, where, None),
                source=take(one, "source", str, where),
                entered_at=None,
                entered_by="",
            )
            for one in take(table, "measured", list, where, [])
        ),
        lapsed=take(table, "lapsed", bool, where, False),
    )


def _curve(
    table: Mapping[str, Any], where: str, baseline: float | None, begun: date | None, value: float, due: date
) -> tuple[tuple[date, float], ...]:
    if baseline is None or begun is None:
        return ()
    given = [
        (a_day(one, "day", where), float(take(one, "value", (int, float), where)))
        for one in take(table, "curve", list, where, [])
    ]
    points = [(begun, float(baseline)), *given, (due, value)]
    if any(last <= first for (first, _), (last, _) in pairwise(points)):
        raise ConfigError(f"{where}: baseline_day, curve and due must follow one another in time")
    return tuple(points)


def _task(table: Mapping[str, Any], where: str, city: City) -> Task:
    known(table, TASK_KEYS, where)
    state = take(table, "state", str, where, OPEN)
    if state not in TASK_STATES:
        raise ConfigError(f"{where}: state {state!r} is not one of {', '.join(TASK_STATES)}")
    area = take(table, "area", str, where, "")
    if area and area not in city.areas.index:
        raise ConfigError(f"{where}: area {area!r} is not in areas.toml")
    return Task(
        task=take(table, "key", str, where),
        version=FIRST_VERSION,
        title=take(table, "title", str, where),
        unit=take(table, "unit", str, where),
        due=a_day(table, "due", where) if "due" in table else None,
        state=state,
        needs=tuple(map(str, take(table, "needs", list, where, []))),
        about=take(table, "about", str, where, ""),
        area=area,
    )


def known(table: Mapping[str, Any], names: Collection[str], where: str) -> None:
    """Raises ConfigError for a key that nobody reads: a misspelt one must not be silently without effect."""
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(names))}")


def a_day(table: Mapping[str, Any], name: str, where: str) -> date:
    """A key that holds a day. Raises ConfigError."""
    given = take(table, name, date, where)
    if isinstance(given, datetime):
        raise ConfigError(f"{where}: {name} is a day such as 2026-12-31, without a clock time")
    return date(given.year, given.month, given.day)


def areas_of(table: Mapping[str, Any], where: str, city: City) -> tuple[str, ...]:
    """The wards of a thing; empty for the whole city. Raises ConfigError."""
    found = tuple(map(str, take(table, "areas", list, where, [])))
    unknown = [one for one in found if one not in city.areas.index]
    if unknown:
        raise ConfigError(f"{where}: area {unknown[0]!r} is not in areas.toml")
    return found
