"""How a shift did in a scripted drill: time to acknowledge, wrong deeds, missed criticals, and a grade in words.

Pure: it reads the journal and the audit log of the drill's own store. Every definition is in docs/alarm-health.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any, Protocol

import pandas as pd

from core.alert import COVERS, SITUATION, Key

RINGS = ("raise", "raise_priority", "realarm", "ack_expired")
LIFTS = ("unshelve", "shelf_expired", "release", "return_to_service")
COVERING = ("shelve", "suppress", "take_out_of_service")
TIME_TO_ACT = timedelta(minutes=15)  # of a rule that gives none
CRITICAL = "critical"
PEOPLE = ("person", "demo")  # account types of the audit; a wall screen or the house does no deed in a drill
GRADES = ("good", "passed", "failed", "unjudged")
WRONG = ("refused", "denied", "undone", "shelved_too_soon")


class ScriptLine(Protocol):
    """One beat of the script."""

    @property
    def at_min(self) -> float:
        """Minutes from the start of the drill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One annunciation and what became of it. `acked_at` None: nobody has acknowledged it."""

    rule: str
    site_id: str
    priority: str  # the worst that it reached before it was answered
    rang_at: datetime
    due_at: datetime  # the time to act of its rule is over
    acked_at: datetime | None = None
    acked_by: str = ""
    missed: bool = False  # only a critical one can be missed

    @property
    def key(self) -> Key:
        """The alert that rang."""
        return (self.rule, self.site_id)

    def minutes(self, now: datetime) -> float:
        """How long it took, or has taken until `now`."""
        return ((self.acked_at or now) - self.rang_at) / timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a shift reached in one drill. Times are aware UTC, durations minutes."""

    scenario: str
    shift: str
    started_at: datetime
    ended_at: datetime
    beats_played: int
    beats: int
    annunciations: int
    answered: int
    ack_median_min: float | None  # open ones count with the time that they have waited so far
    ack_median_open: bool  # the alert in the middle is still open: the true median is longer
    criticals: tuple[Answer, ...]  # in the order in which they rang
    wrong: Mapping[str, int]  # each of WRONG -> how often
    grade: str  # one of GRADES

    @property
    def missed(self) -> int:
        """Critical annunciations that were not acknowledged in time."""
        return sum(answer.missed for answer in self.criticals)

    @property
    def wrong_deeds(self) -> int:
        """All wrong deeds together."""
        return sum(self.wrong.values())

    def as_mapping(self) -> dict[str, Any]:
        """The score in plain JSON values, for the store and for exports; times as ISO 8601 with their offset."""
        plain: dict[str, Any] = asdict(self) | {"missed": self.missed, "wrong_deeds": self.wrong_deeds}
        plain["criticals"] = [
            {name: _plain(value) for name, value in asdict(answer).items()}
            | {"minutes": round(answer.minutes(self.ended_at), 2)}
            for answer in self.criticals
        ]
        return {name: _plain(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def score(
    journal: pd.DataFrame,
    audit: pd.DataFrame | None,
    *,
    beats: Sequence[ScriptLine],
    started_at: datetime,
    ended_at: datetime,
    shift: str,
    scenario: str,
    times_to_act: Mapping[str, timedelta | None] | None = None,
    running: bool = False,
) -> Score:
    """The score of a drill from `started_at` to `ended_at` (while it runs: to now, with `running`).

    `journal` has the columns of store.read_journal, `audit` those of store.read_audit (None: nobody kept one), both in
    any order. `beats` count from `started_at`. `times_to_act` is per rule; 15 minutes where none is given. While the
    drill runs, a critical alert whose time to act is not over is not missed yet; at the end it is.
    """
    lines = _within(journal[journal["rule"] != SITUATION], started_at, ended_at)
    answers = _answers(lines, times_to_act or {}, ended_at, running)
    wrong = {
        "refused": _results(audit, "refused", started_at, ended_at),
        "denied": _results(audit, "denied", started_at, ended_at),
        "undone": int((lines["deed"] == "unacknowledge").sum()),
        "shelved_too_soon": _shelved_too_soon(lines),
    }
    waited = sorted((answer.minutes(ended_at), answer.acked_at is None) for answer in answers)
    middle, still_open = median_low(waited) if waited else (None, False)
    criticals = tuple(answer for answer in answers if answer.priority == CRITICAL)
    passed_min = (ended_at - started_at) / timedelta(minutes=1)
    return Score(
        scenario=scenario,
        shift=shift,
        started_at=started_at,
        ended_at=ended_at,
        beats_played=sum(beat.at_min <= passed_min for beat in beats),
        beats=len(beats),
        annunciations=len(answers),
        answered=sum(answer.acked_at is not None for answer in answers),
        ack_median_min=middle,
        ack_median_open=still_open,
        criticals=criticals,
        wrong=wrong,
        grade=_grade(answers, criticals, sum(wrong.values())),
    )


def _within(frame: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    """Rows of the drill, oldest first."""
    times = frame["happened_at"]
    kept = frame[(times >= pd.Timestamp(since)) & (times <= pd.Timestamp(until))]
    return kept.sort_values(["happened_at", "entry"], kind="stable").reset_index(drop=True)


def _calls(deed: str, before: str, after: str) -> bool:
    """True where a journal line calls the operator: it rings and no cover hides it, or a cover lifts from a ring."""
    return (deed in RINGS and after not in COVERS) or (deed in LIFTS and before in COVERS and after == "UNACK")


def _answers(
    lines: pd.DataFrame, times_to_act: Mapping[str, timedelta | None], ended_at: datetime, running: bool
) -> list[Answer]:
    """Every annunciation with its answer. A ring before the last one was answered belongs to that one; a rise to
    critical begins anew, for its time to act runs from the moment when it was called critical.
    """
    done: list[Answer] = []
    waiting: dict[Key, Answer] = {}
    answered: dict[Key, Answer] = {}
    columns = ("happened_at", "rule", "site_id", "state_before", "state_after", "priority", "actor", "deed")
    for at, rule, site_id, before, after, priority, actor, deed in zip(*(lines[c] for c in columns), strict=True):
        key, moment = (str(rule), str(site_id)), at.to_pydatetime()
        if _calls(deed, before, after):
            old = waiting.get(key)
            if old is None or (priority == CRITICAL and old.priority != CRITICAL):
                due = moment + (times_to_act.get(key[0]) or TIME_TO_ACT)
                waiting[key] = Answer(rule=key[0], site_id=key[1], priority=priority, rang_at=moment, due_at=due)
        elif deed == "acknowledge" and key in waiting:
            answered[key] = replace(waiting.pop(key), acked_at=moment, acked_by=actor)
            done.append(answered[key])
        elif deed == "unacknowledge" and key in answered:
            undone = answered.pop(key)
            done.remove(undone)
            waiting[key] = replace(undone, acked_at=None, acked_by="")
        elif deed in COVERING and key in waiting and waiting[key].priority != CRITICAL:
            del waiting[key]  # nobody is called by it any more; a critical one that was put away is still missed
    found = [*done, *waiting.values()]
    return sorted(
        (replace(one, missed=_missed(one, ended_at, running)) for one in found),
        key=lambda one: (one.rang_at, one.key),
    )


def _missed(answer: Answer, ended_at: datetime, running: bool) -> bool:
    if answer.priority != CRITICAL:
        return False
    if answer.acked_at is not None:
        return answer.acked_at > answer.due_at
    return ended_at > answer.due_at or not running


def _results(audit: pd.DataFrame | None, result: str, since: datetime, until: datetime) -> int:
    if audit is None or audit.empty:
        return 0
    rows = _within(audit, since, until)
    return int(((rows["result"] == result) & rows["account_type"].isin(PEOPLE)).sum())


def _shelved_too_soon(lines: pd.DataFrame) -> int:
    """Alerts that a person shelved and that turned critical later in the drill."""
    shelved: set[Key] = set()
    regretted: set[Key] = set()
    for rule, site_id, deed, priority in zip(
        *(lines[name] for name in ("rule", "site_id", "deed", "priority")), strict=True
    ):
        key = (str(rule), str(site_id))
        if deed == "shelve":
            shelved.add(key)
        elif deed in ("raise", "raise_priority") and priority == CRITICAL and key in shelved:
            regretted.add(key)
    return len(regretted)


def _grade(answers: Sequence[Answer], criticals: Sequence[Answer], wrong: int) -> str:
    """failed: a critical one was missed. good: none missed and no wrong deed. Nothing rang: nothing to judge."""
    if not answers:
        return "unjudged"
    if any(answer.missed for answer in criticals):
        return "failed"
    return "passed" if wrong else "good"
