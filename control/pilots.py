"""The register of pilots with what their figures say: read from the configuration, computed once per file.

A figure is only believed for the plan that was locked: units, groups and start of the panel must be those of the plan.
While a pilot runs there is no verdict, for whoever looks every week stops at the luckiest week (Armitage et al. 1969).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from analysis import pilots as figures
from analysis.pilots import Power, Result
from analysis.pilots_panel import Panel, read_panel
from core.config import City
from core.files import write_whole
from core.pilot_faults import PilotFault, SealRefused
from core.pilots import FINISHED, PLANNED, UNLOCKED, Pilot, load_pilots, lock_text

LATEST_FIRST = timedelta(days=7)  # the first figures may lie so long after the planned day: a week, or a holiday


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One pilot on a day. Without figures all but the plan is None."""

    pilot: Pilot
    state: str  # planned | running | finished
    result: Result | None = None  # only of a finished pilot
    power: Power | None = None
    problem: PilotFault | None = None  # why its figures cannot be used
    made_at: datetime | None = None  # machine's clock: when result and power were computed from the file as it is


@dataclass(frozen=True, slots=True)
class _Computed:
    result: Result | None = None
    power: Power | None = None
    problem: PilotFault | None = None
    made_at: datetime | None = None


class Pilots:
    """The register of one city. Thread-safe."""

    def __init__(self, city: City) -> None:
        """Raises ConfigError for a plan that cannot be read."""
        self._city = city
        self._plans = load_pilots(city)
        self._lock = threading.Lock()
        self._kept: dict[tuple[object, ...], _Computed] = {}

    def on(self, today: date) -> tuple[Known, ...]:
        """All pilots, the newest start first."""
        return tuple(self._known(pilot, pilot.state(today)) for pilot in self._plans)

    def seal(self, key: str, now: datetime) -> Pilot:
        """Lock the plan as it stands now, before its start. Raises SealRefused, PlanFault; no lock is replaced."""
        today = now.astimezone(self._city.zone).date()
        with self._lock:
            plan = next((one for one in load_pilots(self._city) if one.key == key), None)
            if plan is None:
                raise SealRefused("seal_unknown", key=key)
            if plan.lock != UNLOCKED and plan.locked_at is not None:
                raise SealRefused("seal_twice", key=key, at=plan.locked_at.astimezone(self._city.zone))
            if plan.state(today) != PLANNED:
                raise SealRefused("seal_late", key=key, starts=plan.starts)
            text = lock_text(self._city.folder / "pilots" / f"{key}.toml", now)
            try:
                write_whole(self._city.pilot_locks / f"{key}.lock", text.encode())
            except OSError as error:
                raise SealRefused("seal_disk", key=key) from error
            self._plans = load_pilots(self._city)
            return next(one for one in self._plans if one.key == key)

    def _known(self, pilot: Pilot, state: str) -> Known:
        if pilot.panel is None:
            return Known(pilot=pilot, state=state)
        finished = state == FINISHED
        try:
            stamp = pilot.panel.stat()
        except OSError as error:
            return Known(pilot=pilot, state=state, problem=_gone(pilot.panel.name, error))
        question = (pilot.key, pilot.digest, finished, stamp.st_mtime_ns, stamp.st_size)
        with self._lock:
            found = self._kept.get(question)
            if found is None:
                self._kept = {key: kept for key, kept in self._kept.items() if key[0] != pilot.key}
                found = self._kept[question] = replace(_compute(pilot, finished), made_at=datetime.now(UTC))
        return Known(
            pilot=pilot,
            state=state,
            result=found.result,
            power=found.power,
            problem=found.problem,
            made_at=found.made_at,
        )


def _compute(pilot: Pilot, finished: bool) -> _Computed:
    assert pilot.panel is not None
    try:
        with pilot.panel.open(encoding="utf-8-sig", newline="") as stream:
            panel = read_panel(stream, pilot.panel.name, begun=finished)
        _check(panel, pilot)
        if not finished:
            return _Computed(power=_before(panel, pilot))
        result = figures.analyse(panel, better=pilot.better, worthwhile_pct=pilot.worthwhile_pct, seed=pilot.seed)
    except PilotFault as fault:
        return _Computed(problem=fault)
    except OSError as error:
        return _Computed(problem=_gone(pilot.panel.name, error))
    return _Computed(result=result, power=result.power)


def _gone(name: str, error: OSError) -> PilotFault:
    return PilotFault("panel_gone", name=name, reason=error.strerror)


def _before(panel: Panel, pilot: Pilot) -> Power:
    """The power of the plan: as many periods after the start as its days hold, at the pace of the periods before."""
    days = [date.fromisoformat(one[:10]) for one, after in zip(panel.times, panel.after, strict=True) if not after]
    pace = (days[-1] - days[0]).days / max(len(days) - 1, 1)
    periods = max(round(((pilot.ends - pilot.starts).days + 1) / max(pace, 1 / 24)), 1)
    return figures.plan_power(panel, periods, worthwhile_pct=pilot.worthwhile_pct, seed=pilot.seed)


def _check(panel: Panel, pilot: Pilot) -> None:
    """The panel must be that of the plan. Raises PilotFault."""
    name = pilot.panel.name if pilot.panel else pilot.key
    for planned, own, word in ((pilot.treated, True, "treated"), (pilot.controls, False, "controls")):
        given = {unit for unit, treated in zip(panel.units, panel.treated, strict=True) if bool(treated) is own}
        if given != set(planned):
            other = sorted(given ^ set(planned))[0]
            raise PilotFault(f"other_{word}", name=name, unit=other)
    days = []
    for moment, after in zip(panel.times, panel.after, strict=True):
        try:
            day = date.fromisoformat(moment[:10])
        except ValueError as error:
            raise PilotFault("no_date", name=name, time=moment) from error
        if (day >= pilot.starts) != bool(after) or day > pilot.ends:
            raise PilotFault(
                "other_days", name=name, time=moment, after=int(after), starts=pilot.starts, ends=pilot.ends
            )
        days.append(day)
    if not pilot.looks_back_to <= days[0] <= pilot.looks_back_to + LATEST_FIRST:
        raise PilotFault("other_first_day", name=name, first=days[0], back=pilot.looks_back_to)
