"""Plans of one city: targets against their curve, tasks, decisions and what followed, priorities; deeds by the gate.

What people write is only added to the store; the configuration gives the first state. Figures are studies: computed
beside the watch and the same for all who look. A person with areas sees and changes what touches them, nothing else.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pandas as pd

from alerts.deeds import Deed
from alerts.texts import one_line, plain_text
from analysis import priorities, progress
from analysis.priorities import Ranking
from analysis.progress import After, Measured, Progress
from control.gate import Gate
from control.studies import Studies, Study, Tell
from core.access import Person
from core.asked import Asked
from core.catalogue import Catalogue, Indicator
from core.clock import Clock
from core.config import City
from core.errors import ConfigError, InputError
from core.formats import number
from core.observations import USABLE
from core.plans import (
    DOING,
    DONE,
    DROPPED,
    LIVE,
    OPEN,
    Decision,
    OwnNumber,
    PlanRefused,
    Task,
    blocked_by,
    check_circle,
    load_targets,
    seen_in,
    working_days_late,
    working_days_left,
)
from core.projects import load_projects
from core.snapshot import Snapshot
from store.base import Store

PLAN, CHANGE, FINISH, REOPEN, DROP, UNDO = (
    "plan_task", "change_task", "finish_task", "reopen_task", "drop_task", "undo_task",
)  # fmt: skip
RECORD, ENTER, EXPORT = "record_decision", "enter_number", "export_decisions"
EVERY = timedelta(minutes=5)  # how often targets and what followed are computed anew
RANKED_EVERY = timedelta(days=1)  # nothing in it changes but the configuration
SOON = 10  # working days: what is due within them is asked of a leader
MONTHS_BEHIND = 30  # days: a target that is later than this is asked of a leader
MOST_TITLE = 200
MOST_TEXT = 1000
MOST_LINK = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTask:
    """A task on a day."""

    task: Task
    late: int  # working days after its due day; 0 when not late
    left: int | None  # working days to it; None without a due day, or once it is past
    blocked: tuple[str, ...]  # titles of the tasks that must be done first; numbers of those of other areas
    began: datetime | None  # when it was first written; None: by the configuration
    own_undo: bool  # its last change may still be taken back by whoever made it
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDecision:
    """A decision with its task and what the indicator did since."""

    decision: Decision
    task: KnownTask | None
    after: tuple[After, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person gives for a task. An empty `task` means a new one."""

    title: str
    unit: str
    due: date | None
    task: str = ""
    version: int = 0  # of the task as the person saw it
    needs: tuple[str, ...] = ()
    about: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The screen before which a decision is taken."""

    page: str
    link: str
    snapshot: int
    at: datetime
    words: str


class Plans:
    """The plans of one city. Thread-safe: the store takes one change at a time."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        gate: Gate,
        catalogue: Catalogue,
        studies: Studies,
        *,
        undo_within: timedelta,
    ) -> None:
        """Reads config/<city>/plans. Raises ConfigError."""
        self._city, self._store, self._clock, self._gate = city, store, clock, gate
        self._catalogue, self._studies, self._undo_within = catalogue, studies, undo_within
        self._lock = threading.Lock()  # from reading the newest number or version to writing the next one
        plan = load_targets(city, catalogue)
        self.targets = plan.targets
        self._first = {one.task: one for one in plan.tasks}
        self.projects = load_projects(city, catalogue)
        try:
            check_circle({one.key: one.needs for one in self.projects.projects})
        except InputError as error:
            raise ConfigError(f"config/{city.key}/plans/projects.toml: {error}") from error

    @property
    def today(self) -> date:
        """The city's day."""
        return self._clock.now().astimezone(self._city.zone).date()

    # -- what is asked ------------------------------------------------------------------------------------------------

    def asked(self, today: date, areas: frozenset[str] | None = None) -> tuple[Asked, ...]:
        """Tasks that are late or soon due and targets clearly behind, the most urgent first. Waits for no computing."""
        found = [self._ask_task(one) for one in self.tasks(areas, today) if one.late or _soon(one)]
        known = self.progress().value or {}
        found += [
            self._ask_target(one)
            for one in known.values()
            if seen_in(one.target.areas, areas) and one.verdict == progress.BEHIND and -(one.days or 0) >= MONTHS_BEHIND
        ]
        return tuple(sorted(found, key=lambda one: (not one.overdue, one.due or date.max, one.key)))

    def _ask_task(self, one: KnownTask) -> Asked:
        task = one.task
        vi, en = task.title, task.title
        if one.late:
            vi, en = f"{vi} (quá hạn {one.late} ngày làm việc)", f"{en} ({one.late} working days late)"
        if one.blocked:
            vi, en = f"{vi}; đang chờ: {', '.join(one.blocked)}", f"{en}; waits for: {', '.join(one.blocked)}"
        return Asked(
            kind="task", key=task.task, text_vi=vi, text_en=en, owner=task.unit, due=task.due, overdue=one.late > 0,
            page="roadmap",
        )  # fmt: skip

    def _ask_target(self, one: Progress) -> Asked:
        days, target = -(one.days or 0), one.target
        least = {"vi": "ít nhất " if one.beyond else "", "en": "at least " if one.beyond else ""}
        return Asked(
            kind="target",
            key=target.key,
            text_vi=f"{target.text('title', 'vi')}: chậm so với kế hoạch {least['vi']}{number(days, 0)} ngày",
            text_en=f"{target.text('title', 'en')}: {least['en']}{number(days, 0, 'en')} days behind the plan",
            owner=target.text("owner", "vi"),
            due=target.due,
            overdue=False,
            page="roadmap",
        )

    # -- targets ------------------------------------------------------------------------------------------------------

    def progress(self) -> Study[Mapping[str, Progress]]:
        """All targets by key, as of the last computing."""
        return self._studies.ask(_PROGRESS, self._progress, EVERY)

    def _progress(self, tell: Tell) -> Mapping[str, Progress]:
        now, found = self._clock.now(), {}
        own = self._store.read_plan_numbers()
        for place, target in enumerate(self.targets):
            numbers = [*target.measured, *(one for one in own if one.target == target.key)]
            if target.indicator:
                measured = self._measured(target.indicator, target.site, target.over_days, now)
                why = "few_days" if target.over_days else "no_rows"
            else:
                measured, why = progress.entered(numbers, self.today), "no_number"
            found[target.key] = progress.judge(target, measured, self.today, why)
            tell((place + 1) / len(self.targets))
        return found

    def _measured(self, key: str, site: str, days: int, now: datetime) -> Measured | None:
        zone = self._city.zone
        if days:
            rows = self._rows([key], now - timedelta(days=days), now, site)
            return progress.mean_of_days(rows, zone, now, days)
        item = self._catalogue[key]
        beside = [one.key for one in item.companions] if isinstance(item, Indicator) else []
        rows = self._rows([key, *beside], now - item.stale_after, now, site)
        own = rows["observed_property"] == key
        ends = ("_low", "_high", "_n") if item.unit == "%" else ("_low", "_high")
        kept = [one for one in beside if one.endswith(ends)]
        return progress.newest_of(rows[own], zone, rows[rows["observed_property"].isin(kept)])

    def _rows(self, keys: Collection[str], since: datetime, until: datetime, site: str) -> pd.DataFrame:
        rows = self._store.read_observations(keys, since, until, None if site == "*" else [site])
        return rows[rows["quality"].isin(USABLE)]

    def enter_number(self, person: Person, target: str, day: date, value: float, n: int | None, source: str) -> None:
        """A value of a target that no source brings, with where it comes from. Raises Denied, PlanRefused."""
        known = next((one for one in self.targets if one.key == target and not one.indicator), None)

        def write() -> str:
            if known is None:
                raise PlanRefused("Chỉ tiêu này không nhập tay.", "This target is not entered by hand.")
            if day > self.today:
                raise PlanRefused("Ngày của số liệu chưa tới.", "The day of the figure has not come yet.")
            told = plain_text(source, MOST_TITLE)
            if not told:
                raise PlanRefused("Hãy ghi nguồn của số liệu.", "Say where the figure comes from.")
            by, now = _signed(person), self._clock.now()
            self._store.write_plan_number(
                OwnNumber(target=target, day=day, value=value, n=n, source=told, entered_at=now, entered_by=by)
            )
            return f"{day} {value:g} n={n} {told}"

        self._gate.pass_by(person, _deed(ENTER, target, known.areas if known else ()), write)
        self._studies.ask(_PROGRESS, self._progress, timedelta(0))

    # -- tasks --------------------------------------------------------------------------------------------------------

    def tasks(self, areas: frozenset[str] | None = None, today: date | None = None) -> tuple[KnownTask, ...]:
        """All tasks: late ones first, then by due day; done and dropped ones at the end."""
        versions = self._versions()
        newest = {key: found[-1] for key, found in versions.items()}
        day, now = today or self.today, self._clock.now()
        known = [
            self._known(newest, versions[key], day, now, areas) for key, one in newest.items() if _sees(areas, one)
        ]
        return tuple(
            sorted(
                known, key=lambda one: (one.task.state not in LIVE, -one.late, one.task.due or date.max, one.task.task)
            )
        )

    def _versions(self) -> dict[str, list[Task]]:
        found = {key: [first] for key, first in self._first.items()}
        for one in self._store.read_tasks():
            found.setdefault(one.task, []).append(one)
        return found

    def _known(
        self,
        newest: Mapping[str, Task],
        versions: Sequence[Task],
        today: date,
        now: datetime,
        areas: frozenset[str] | None,
    ) -> KnownTask:
        task = newest[versions[-1].task]
        live, due = task.state in LIVE, task.due
        return KnownTask(
            task=task,
            late=working_days_late(due, today) if live and due else 0,
            left=working_days_left(due, today) if live and due and due >= today else None,
            blocked=_named(blocked_by(task, newest), newest, areas) if live else (),
            began=versions[0].changed_at,
            own_undo=_undoable(task, versions, now, self._undo_within),
            changes=task.version,
        )

    def plan_task(self, person: Person, draft: Draft) -> str:
        """Write a new task, or change one. Returns its key. Raises Denied, PlanRefused."""
        with self._lock:
            return self._plan_task(person, draft)

    def _plan_task(self, person: Person, draft: Draft) -> str:
        versions = self._versions()
        before = versions[draft.task][-1] if draft.task in versions else None
        key = draft.task or f"NV-{self._next('NV-', versions):04d}"
        made: list[Task] = []

        def write() -> str:
            if draft.task and before is None:
                raise _no_task(draft.task)
            made.append(self._drafted(person, key, draft, before, versions))
            self._store.write_task(made[0])
            return _said(made[0])

        # Whoever moves a task between areas must be allowed both.
        areas = {draft.area, before.area if before else draft.area}
        self._gate.pass_by(person, _deed(CHANGE if draft.task else PLAN, key, areas - {""}, "" in areas), write)
        return key

    def _drafted(
        self, person: Person, key: str, draft: Draft, before: Task | None, versions: Mapping[str, Sequence[Task]]
    ) -> Task:
        title, unit = plain_text(draft.title, MOST_TITLE, ""), one_line(draft.unit)
        if not title or not unit:
            raise PlanRefused("Nhiệm vụ cần có tên và đơn vị làm.", "A task needs a title and the unit that does it.")
        if before is not None and before.version != draft.version:
            raise PlanRefused(
                "Trong lúc đó đã có người khác sửa nhiệm vụ này; hãy xem lại rồi làm lại.",
                "Somebody else changed this task meanwhile; look again, then do it again.",
            )
        if draft.area and draft.area not in self._city.areas.index:
            raise PlanRefused("Không có địa bàn này.", "There is no such area.")
        # A form lists the tasks of the person's areas: what this one waits for elsewhere must not get lost by saving.
        waited = [one for one in before.needs if one in versions] if before else []
        unseen = [one for one in waited if not _sees(person.areas, versions[one][-1])]
        own = tuple(dict.fromkeys((*draft.needs, *unseen)))
        try:
            check_circle({name: found[-1].needs for name, found in versions.items()} | {key: own})
        except InputError as error:
            raise PlanRefused(f"Phụ thuộc không được: {error}", f"These dependencies do not work: {error}") from error
        return Task(
            task=key,
            version=(before.version if before else 0) + 1,
            title=title,
            unit=unit,
            due=draft.due,
            state=before.state if before else OPEN,
            needs=own,
            about=draft.about,
            decision=before.decision if before else "",
            area=draft.area,
            deed=CHANGE if before else PLAN,
            changed_at=self._clock.now(),
            changed_by=_signed(person),
        )

    def move_task(self, person: Person, action: str, key: str, version: int, reason: str = "") -> None:
        """finish_task, reopen_task, drop_task (with a reason), undo_task, or start_task. Raises Denied, PlanRefused."""
        with self._lock:
            self._move_task(person, action, key, version, reason)

    def _move_task(self, person: Person, action: str, key: str, version: int, reason: str) -> None:
        versions = self._versions().get(key, [])
        before = versions[-1] if versions else None

        def write() -> str:
            if before is None:
                raise _no_task(key)
            after = self._moved(person, action, versions, version, plain_text(reason))
            self._store.write_task(after)
            return _said(after)

        area = before.area if before else ""
        self._gate.pass_by(person, _deed(action, key, (area,) if area else ()), write)

    def _moved(self, person: Person, action: str, versions: Sequence[Task], version: int, reason: str) -> Task:
        before = versions[-1]
        if before.version != version:
            raise PlanRefused(
                "Trong lúc đó đã có người khác sửa nhiệm vụ này; hãy xem lại rồi làm lại.",
                "Somebody else changed this task meanwhile; look again, then do it again.",
            )
        now, by = self._clock.now(), _signed(person)
        kept = before
        if action == UNDO:
            if not _undoable(before, versions, now, self._undo_within) or before.changed_by != by:
                raise PlanRefused(
                    "Đã quá lúc hoàn tác, hoặc người khác đã làm; hãy mở lại nhiệm vụ.",
                    "It is too late to undo this, or somebody else did it; reopen the task instead.",
                )
            kept = versions[-2]
        state = {FINISH: DONE, REOPEN: OPEN, DROP: DROPPED, START: DOING}.get(action, kept.state)
        allowed = {FINISH: LIVE, DROP: LIVE, START: (OPEN,), REOPEN: (DONE, DROPPED)}.get(action)
        if allowed is not None and before.state not in allowed:
            raise PlanRefused("Nhiệm vụ không ở trạng thái làm được việc này.", "The task is not in a state for this.")
        if action == DROP and not reason:
            raise PlanRefused("Hãy ghi vì sao bỏ nhiệm vụ.", "Say why the task is dropped.")
        newest = {key: found[-1] for key, found in self._versions().items()}
        waits = blocked_by(before, newest) if action == FINISH else ()
        if waits:
            names = ", ".join(_named(waits, newest, person.areas))
            raise PlanRefused(f"Chưa xong được vì còn chờ: {names}", f"It cannot be done before: {names}")
        return replace(
            kept, version=before.version + 1, state=state, reason=reason, deed=action, changed_at=now, changed_by=by
        )

    def _next(self, prefix: str, taken: Collection[str]) -> int:
        numbers = [int(key[len(prefix) :]) for key in taken if key.startswith(prefix) and key[len(prefix) :].isdigit()]
        return max(numbers, default=0) + 1

    # -- decisions ----------------------------------------------------------------------------------------------------

    def decisions(self, areas: frozenset[str] | None = None) -> Study[Sequence[KnownDecision]]:
        """The log with what followed, the newest first; only what the areas may see."""
        study = self._studies.ask(_FOLLOWED, self._followed, EVERY)
        after: Mapping[str, tuple[After, ...]] = study.value or {}
        tasks = {one.task.task: one for one in self.tasks(areas)}
        found = [
            KnownDecision(decision=one, task=tasks.get(one.task), after=after.get(one.id, ()))
            for one in self._store.read_decisions()
            if seen_in((one.area,) if one.area else (), areas)
        ]
        return Study(
            value=found, made_at=study.made_at, busy=study.busy, progress=study.progress, problem=study.problem
        )

    def _followed(self, tell: Tell) -> Mapping[str, tuple[After, ...]]:
        now, found = self._clock.now(), {}
        log = self._store.read_decisions()
        for place, one in enumerate(log):
            if one.indicator:
                until = min(now, one.made_at + timedelta(days=progress.AFTER_DAYS[-1]))
                rows = self._rows([one.indicator], one.made_at, until, one.site_id)
                found[one.id] = progress.followed(one, rows, self._city.zone, now, one.value)
            tell((place + 1) / len(log))
        return found

    def decide(
        self,
        person: Person,
        seen: Seen,
        text: str,
        *,
        indicator: str = "",
        site_id: str = "",
        area: str = "",
        task: Draft | None = None,
        snapshot: Snapshot | None = None,
    ) -> str:
        """Write a decision, with the task that follows, into the log. Returns its number. Raises Denied, PlanRefused.

        The value of that week and what is usual are written beside it, so that later nobody can choose them.
        """
        with self._lock:
            log = {one.id for one in self._store.read_decisions()}
            name = f"QD-{self._next('QD-', log):04d}"
            versions = self._versions()
            key = f"NV-{self._next('NV-', versions):04d}" if task is not None else ""

            def write() -> str:
                said = plain_text(text, MOST_TEXT)
                if not said:
                    raise PlanRefused("Hãy ghi nội dung quyết định.", "Write what was decided.")
                if indicator and indicator not in self._catalogue:
                    raise PlanRefused("Không có chỉ số này.", "There is no such indicator.")
                now, by = self._clock.now(), _signed(person)
                before = None
                if indicator:
                    rows = self._rows([indicator], now - progress.WEEK, now, site_id)
                    before = progress.mean_of_days(rows, self._city.zone, now, progress.WEEK.days)
                usual = _usual_week(snapshot, indicator, site_id)
                decision = Decision(
                    id=name,
                    made_at=now,
                    made_by=by,
                    page=seen.page,
                    link=_cut(seen.link, MOST_LINK),
                    snapshot=seen.snapshot,
                    seen_at=seen.at,
                    seen=_cut(seen.words, MOST_TITLE),
                    text=said,
                    indicator=indicator,
                    site_id=site_id if indicator else "",
                    value=before.value if before else None,
                    usual_low=usual[0] if usual else None,
                    usual_middle=usual[1] if usual else None,
                    usual_high=usual[2] if usual else None,
                    task=key,
                    area=area,
                )
                made = None
                if task is not None:
                    made = replace(self._drafted(person, key, replace(task, area=area), None, versions), decision=name)
                self._store.write_decision(decision, made)
                return f"{seen.page} #{seen.snapshot}: {said}"

            self._gate.pass_by(person, _deed(RECORD, name, (area,) if area else ()), write)
        self._studies.ask(_FOLLOWED, self._followed, timedelta(0))
        return name

    # -- priorities ---------------------------------------------------------------------------------------------------

    def ranking(self) -> Study[Ranking]:
        """Projects ranked, with how sure that is, and the portfolio under the budget."""
        return self._studies.ask(_RANKING, lambda tell: priorities.rank(self.projects, tell=tell), RANKED_EVERY)


START = "start_task"
ACTIONS = (PLAN, CHANGE, START, FINISH, REOPEN, DROP, UNDO, RECORD, ENTER)
_PROGRESS, _FOLLOWED, _RANKING = ("plans", "progress"), ("plans", "followed"), ("plans", "ranking")


def _sees(areas: frozenset[str] | None, task: Task) -> bool:
    return seen_in((task.area,) if task.area else (), areas)


def _named(keys: Sequence[str], newest: Mapping[str, Task], areas: frozenset[str] | None) -> tuple[str, ...]:
    """Titles of tasks; a task of an area that is not the person's is named by its number alone."""
    return tuple(newest[key].title if _sees(areas, newest[key]) else key for key in keys)


def _soon(one: KnownTask) -> bool:
    return one.left is not None and one.left <= SOON


def _undoable(task: Task, versions: Sequence[Task], now: datetime, within: timedelta) -> bool:
    recent = task.changed_at is not None and now - task.changed_at <= within
    return recent and len(versions) > 1 and task.deed not in (UNDO, PLAN)


def _usual_week(snapshot: Snapshot | None, key: str, site_id: str) -> tuple[float, float, float] | None:
    """p10, p50, p90 of the usual band, averaged over the hours of an ordinary week."""
    band = snapshot.band.get((key, site_id)) if snapshot is not None and key else None
    if band is None or len(ordinary := band[band.index < 168]) < 168 / 2:
        return None
    low, middle, high = (float(ordinary[name].mean()) for name in ("low", "middle", "high"))
    return low, middle, high


def _deed(action: str, thing: str, areas: Collection[str], whole: bool = False) -> Deed:
    """A deed on the areas of a thing; on none of them, or on more than them, it touches the whole city."""
    keys = () if whole else tuple(("plan", area) for area in sorted(areas))
    return Deed(action=action, keys=keys, thing=thing)


def _signed(person: Person) -> str:
    name = one_line(person.name)
    if not name:
        raise PlanRefused("Hãy ghi tên người làm.", "Give your name first.")
    return name


def _said(task: Task) -> str:
    due = f", {task.due}" if task.due else ""
    return f"v{task.version} {task.state}: {task.title} ({task.unit}{due}){f': {task.reason}' if task.reason else ''}"


def _no_task(key: str) -> PlanRefused:
    return PlanRefused(f"Không có nhiệm vụ {key}.", f"There is no task {key}.")


def _cut(text: str, limit: int) -> str:
    """What a page says of itself, as one line without unseen characters."""
    plain = "".join(" " if unicodedata.category(one).startswith("C") else one for one in text)
    return " ".join(plain.split())[:limit]
