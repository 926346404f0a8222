"""Playbooks: config/<city>/playbooks/*.toml, one file = one playbook; steps are ticked off per activation of an alert.

An activation remembers under which playbook and version its steps were ticked. When the file changes meanwhile, ticks
of the old version stay and say so (`Checklist.former_versions`). Automatic steps are ticked by the engine.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.lifecycle import journal
from alerts.refusals import Refused
from alerts.texts import ENGINE, actor_name, plain_text
from core.alert import PRIORITIES, Alert, AlertEvent, Key
from core.errors import ConfigError
from core.ledger import Ledger, Outcome, StepDone
from core.toml_files import read_toml, shown_path, take

PLAYBOOK_KEYS = (
    "title_vi", "title_en", "version", "approved_at", "approved_by", "owner_unit", "rules", "least",
    "close_criteria_vi", "close_criteria_en", "review_required", "step",
)  # fmt: skip
STEP_KEYS = ("action_vi", "action_en", "role", "due_min", "evidence", "automatic")
MOST_STEPS = 30  # nobody works through a longer list while something burns
Steps = Mapping[tuple[str, str, datetime, int], StepDone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do. `due` counts from the beginning of the activation; `evidence` says what must be written down."""

    number: int  # from 1
    action_vi: str
    action_en: str
    role: str
    due: timedelta | None
    evidence: str
    automatic: bool

    def action(self, language: str) -> str:
        """What to do, in `vi` or `en`."""
        return self.action_en if language == "en" else self.action_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """Who does what in which order when an alert of these rules rings with at least this priority."""

    key: str
    title_vi: str
    title_en: str
    version: str
    approved_at: date
    approved_by: str
    owner_unit: str
    rules: frozenset[str]  # empty: any rule
    least: str  # priority from which it holds
    close_criteria_vi: str
    close_criteria_en: str
    review_required: bool
    steps: tuple[Step, ...]

    def title(self, language: str) -> str:
        """Name in `vi` or `en`."""
        return self.title_en if language == "en" else self.title_vi

    def close_criteria(self, language: str) -> str:
        """When the case may be closed, in `vi` or `en`."""
        return self.close_criteria_en if language == "en" else self.close_criteria_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One line of a checklist. `done` is None while the step is open."""

    step: Step
    done: StepDone | None
    due_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The playbook of one activation as it stands: its lines, and ticks that belong to no line of today's file."""

    playbook: Playbook
    began_at: datetime
    lines: tuple[StepState, ...]
    former: tuple[StepDone, ...]  # ticked in another playbook, or a step that the file no longer has

    @property
    def done(self) -> int:
        """How many steps are ticked."""
        return sum(line.done is not None for line in self.lines)

    @property
    def former_versions(self) -> tuple[str, ...]:
        """Versions of this playbook under which steps were ticked before the file changed; usually empty."""
        ticks = [line.done for line in self.lines if line.done is not None] + list(self.former)
        found = {tick.version for tick in ticks if tick.playbook == self.playbook.key}
        return tuple(sorted(found - {self.playbook.version}))


def load_playbooks(folder: Path, rules: Collection[str]) -> tuple[Playbook, ...]:
    """All playbooks of a folder by key; none when it is absent. `rules` are the known rule keys.

    Raises ConfigError with file, entry and remedy, also where two playbooks would claim the same alert.
    """
    found = tuple(_playbook(path, rules) for path in sorted(folder.glob("*.toml")))
    claimed: dict[tuple[str, str], str] = {}
    for playbook in found:
        for rule in playbook.rules or {""}:
            other = claimed.setdefault((rule, playbook.least), playbook.key)
            if other != playbook.key:
                named = f"the rule {rule}" if rule else "any rule"
                raise ConfigError(
                    f"{shown_path(folder)}: {other} and {playbook.key} both hold for {named} from priority "
                    f"{playbook.least}; give one of them another least priority"
                )
    return found


def _playbook(path: Path, rules: Collection[str]) -> Playbook:
    where = shown_path(path)
    table = read_toml(path)
    _refuse_unknown(table, PLAYBOOK_KEYS, where)
    named = take(table, "rules", list, where, [])
    for rule in named:
        if rule not in rules:
            raise ConfigError(f"{where}: rules: there is no rule {rule!r} in alerts/")
    least = take(table, "least", str, where, PRIORITIES[0])
    if least not in PRIORITIES:
        raise ConfigError(f"{where}: least {least!r} is not one of {', '.join(PRIORITIES)}")
    if not named and "least" not in table:
        raise ConfigError(f"{where}: say when it holds: rules, or least (a priority), or both")
    approved_at = take(table, "approved_at", date, where)
    if isinstance(approved_at, datetime):
        raise ConfigError(f"{where}: approved_at must be a day such as 2026-11-02, not a time")
    entries = take(table, "step", list, where, [])
    if not 1 <= len(entries) <= MOST_STEPS:
        raise ConfigError(f"{where}: give 1 to {MOST_STEPS} [[step]] tables, not {len(entries)}")
    title_vi, close_vi = _text(table, "title_vi", where), _text(table, "close_criteria_vi", where)
    return Playbook(
        key=path.stem,
        title_vi=title_vi,
        title_en=_text(table, "title_en", where, title_vi),
        version=_text(table, "version", where),
        approved_at=approved_at,
        approved_by=_text(table, "approved_by", where),
        owner_unit=_text(table, "owner_unit", where),
        rules=frozenset(named),
        least=least,
        close_criteria_vi=close_vi,
        close_criteria_en=_text(table, "close_criteria_en", where, close_vi),
        review_required=take(table, "review_required", bool, where, False),
        steps=tuple(_step(entry, number, where) for number, entry in enumerate(entries, start=1)),
    )


def _step(entry: Any, number: int, where: str) -> Step:
    place = f"{where}: [[step]] number {number}"
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{place}: must be written as [[step]]")
    _refuse_unknown(entry, STEP_KEYS, place)
    minutes = take(entry, "due_min", int, place, None) if "due_min" in entry else None
    if minutes is not None and minutes < 1:
        raise ConfigError(f"{place}: due_min must be 1 or more, not {minutes}")
    evidence, automatic = take(entry, "evidence", str, place, "").strip(), take(entry, "automatic", bool, place, False)
    if evidence and automatic:
        raise ConfigError(f"{place}: an automatic step has nobody who could give evidence; leave one of them out")
    action_vi = _text(entry, "action_vi", place)
    return Step(
        number=number,
        action_vi=action_vi,
        action_en=_text(entry, "action_en", place, action_vi),
        role=_text(entry, "role", place),
        due=None if minutes is None else timedelta(minutes=minutes),
        evidence=evidence,
        automatic=automatic,
    )


def _text(table: Mapping[str, Any], key: str, where: str, default: Any = ...) -> str:
    text = str(take(table, key, str, where, default)).strip()
    if not text:
        raise ConfigError(f"{where}: {key} is empty")
    return text


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")


def playbook_for(playbooks: Iterable[Playbook], rule: str, priority: str) -> Playbook | None:
    """The most specific playbook: one that names the rule before one for any rule, then the highest least priority."""
    fitting = [
        playbook
        for playbook in playbooks
        if (not playbook.rules or rule in playbook.rules) and _rank(playbook.least) <= _rank(priority)
    ]
    return max(fitting, key=_specific, default=None)


def checklist(playbooks: Sequence[Playbook], alert: Alert, steps: Steps, now: datetime) -> Checklist | None:
    """The steps of an alert's present activation; None where it is normal or no playbook holds.

    Work that was begun in one playbook goes on in it, until a rise in priority asks for a more specific one.
    """
    began_at = alert.began_at
    if began_at is None or alert.truth == "NORM":
        return None
    recorded = (steps.get((*alert.key, began_at, number)) for number in range(1, MOST_STEPS + 1))
    own = [one for one in recorded if one is not None and one.done_at is not None]
    fitting = playbook_for(playbooks, alert.rule, alert.priority)
    begun = [playbook for playbook in playbooks if any(one.playbook == playbook.key for one in own)]
    playbook = max([*begun, *([fitting] if fitting else [])], key=_specific, default=None)
    if playbook is None:
        return None
    ticks = {one.step: one for one in own if one.playbook == playbook.key and one.step <= len(playbook.steps)}
    lines = []
    for step in playbook.steps:
        due_at = None if step.due is None else (alert.known_since or began_at) + step.due
        done = ticks.get(step.number)
        overdue = done is None and due_at is not None and now > due_at
        lines.append(StepState(step=step, done=done, due_at=due_at, overdue=overdue))
    former = tuple(one for one in own if one is not ticks.get(one.step))
    return Checklist(playbook=playbook, began_at=began_at, lines=tuple(lines), former=former)


def _rank(priority: str) -> int:
    return PRIORITIES.index(priority)


def _specific(playbook: Playbook) -> tuple[bool, int, str]:
    return bool(playbook.rules), _rank(playbook.least), playbook.key


def tick(
    ledger: Ledger, playbooks: Sequence[Playbook], key: Key, step: int, actor: str, now: datetime, note: str = ""
) -> Outcome:
    """Tick one step by name, with its note. Raises Refused when it is done or unknown, or lacks its evidence."""
    who, said = actor_name(actor), plain_text(note)
    alert, listed, line = _line(ledger, playbooks, key, step, now)
    if line.done is not None:
        raise Refused("step_done", step=step, who=line.done.done_by)
    if line.step.evidence and not said:
        raise Refused("evidence_missing", evidence=line.step.evidence)
    done = _done(alert, listed, line.step, who, now, said)
    after = replace(alert, handled_at=now)
    return Outcome([after], [_event(alert, after, "tick_step", now, done, line.step)], steps=[done])


def untick(
    ledger: Ledger, playbooks: Sequence[Playbook], key: Key, step: int, actor: str, now: datetime, note: str = ""
) -> Outcome:
    """Take a tick back by name; the journal keeps both. Raises Refused when the step is not ticked."""
    who, said = actor_name(actor), plain_text(note)
    alert, listed, line = _line(ledger, playbooks, key, step, now)
    if line.done is None:
        raise Refused("step_not_done", step=step)
    undone = replace(_done(alert, listed, line.step, who, now, said), done_at=None)
    after = replace(alert, handled_at=now)
    return Outcome([after], [_event(alert, after, "untick_step", now, undone, line.step)], steps=[undone])


def automatic(ledger: Ledger, playbooks: Sequence[Playbook], now: datetime) -> Outcome:
    """Tick the automatic steps of activations that nobody has touched in their playbook yet. Nobody handles: the
    expiry of an acknowledgement does not wait for it. Under a cover nothing was announced, so nothing is ticked.
    """
    events: list[AlertEvent] = []
    steps: list[StepDone] = []
    touched = {(one.rule, one.site_id, one.began_at, one.playbook) for one in ledger.steps.values()}
    for alert in ledger.values():
        listed = checklist(playbooks, alert, ledger.steps, now) if alert.active and alert.hidden is None else None
        if listed is None or (*alert.key, alert.began_at, listed.playbook.key) in touched:
            continue
        for step in listed.playbook.steps:
            if step.automatic:
                done = _done(alert, listed, step, ENGINE, now, "")
                steps.append(done)
                events.append(_event(alert, alert, "tick_step", now, done, step))
    return Outcome(events=events, steps=steps)


def _line(
    ledger: Ledger, playbooks: Sequence[Playbook], key: Key, step: int, now: datetime
) -> tuple[Alert, Checklist, StepState]:
    alert = ledger.get(key)
    if alert is None:
        raise Refused("unknown_alert", rule=key[0], site_id=key[1])
    listed = checklist(playbooks, alert, ledger.steps, now)
    if listed is None:
        raise Refused("no_playbook")
    if not 1 <= step <= len(listed.lines):
        raise Refused("unknown_step", step=step, count=len(listed.lines))
    return alert, listed, listed.lines[step - 1]


def _done(alert: Alert, listed: Checklist, step: Step, who: str, now: datetime, note: str) -> StepDone:
    return StepDone(
        rule=alert.rule,
        site_id=alert.site_id,
        began_at=listed.began_at,
        playbook=listed.playbook.key,
        version=listed.playbook.version,
        step=step.number,
        done_at=now,
        done_by=who,
        note=note,
    )


def _event(before: Alert, after: Alert, deed: str, now: datetime, done: StepDone, step: Step) -> AlertEvent:
    """The journal line. It holds the words of the step too, for the file may change later."""
    told = {"playbook": done.playbook, "version": done.version, "step": done.step, "action": step.action_vi}
    line = journal(before, after, deed, now, actor=done.done_by, value=before.value, reason=done.note)
    return replace(line, detail=json.dumps(told, ensure_ascii=False))
