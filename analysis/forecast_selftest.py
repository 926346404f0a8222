"""Is the arithmetic of forecasts honest? Series of known truth through the whole way: history, league, forecast.

Two promises: on pure noise (white, and a random walk) no model is shown in more than 5 % of the runs; and where one is
shown, its 80 % interval holds 77 to 83 % of what comes. Runs end at all hours of the day in turn. What the interval
held in the rush hours alone stands beside it: an interval can keep its promise over the day and break it at five.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analysis import forecast
from analysis.forecast_models import HOURLY, Floats

START = datetime(2025, 9, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS = 42 * 24
RUNS = 200
MOST_FALSE = 0.05
COVERED = (77.0, 83.0)
RUSH = (15, 19)  # hours of the day, first and last, around the peak of the made series
KINDS = (("white", True), ("walk", True), ("rush", False), ("wide", False))  # and whether there is nothing to learn
HEAD = ("series", "runs", "shown", "skill", "covered", "at rush", "promise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came out for one kind of series."""

    kind: str
    noise: bool  # nothing to be learned: a model that is shown is a false one
    runs: int
    shown: int
    skill: float  # mean of the shown ones
    covered_pct: float  # of what came after the forecasts, inside of the 80 % interval; NaN when nothing was shown
    rush_pct: float  # the same in the rush hours alone

    @property
    def kept(self) -> bool:
        """True when the promise for this kind is kept."""
        if self.noise:
            return self.shown <= MOST_FALSE * self.runs
        return self.shown > 0 and COVERED[0] <= self.covered_pct <= COVERED[1]


def _fading(rng: np.random.Generator, size: int, keep: float) -> Floats:
    noise = rng.normal(size=size)
    found = np.empty(size)
    found[0] = noise[0] / np.sqrt(1 - keep**2)
    for place in range(1, size):
        found[place] = keep * found[place - 1] + noise[place]
    return found


def made(kind: str, rng: np.random.Generator) -> Floats:
    """HOURS + the horizon of values: white | walk | rush (day course) | wide (rush hours noisier)."""
    size = HOURS + HOURLY.horizon
    hour = np.arange(size) % 24
    course = 10 * np.exp(-((hour - 17) ** 2) / 8)
    if kind == "white":
        return np.asarray(rng.normal(size=size))
    if kind == "walk":
        return np.asarray(np.cumsum(rng.normal(size=size)))
    if kind == "rush":
        return np.asarray(40 + course + 2 * _fading(rng, size, 0.9))
    return np.asarray(40 + course + (0.5 + 0.3 * course) * _fading(rng, size, 0.8))


@dataclass(frozen=True, slots=True)
class _Run:
    """One series: the skill of the model that was shown, and which of the steps after it lay in the interval."""

    skill: float
    held: tuple[bool, ...]  # empty where no model was shown
    rush: tuple[bool, ...]  # which of these steps are rush hours


def rows(runs: int, seed: int, processes: int = 1) -> Iterator[Row]:
    """One row per kind of series, as soon as it is known. Every run has a seed of its own, whoever works on it."""
    if processes <= 1:
        for kind, noise in KINDS:
            yield _row(kind, noise, map(_run, _wanted(kind, runs, seed)))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:  # a fork would take threads along
        waiting = [(kind, noise, pool.map(_run, _wanted(kind, runs, seed), chunksize=4)) for kind, noise in KINDS]
        for kind, noise, found in waiting:
            yield _row(kind, noise, found)


def _wanted(kind: str, runs: int, seed: int) -> Sequence[tuple[str, int, int]]:
    return [(kind, seed, run) for run in range(runs)]


def _run(wanted: tuple[str, int, int]) -> _Run:
    kind, seed, run = wanted
    number = [name for name, _ in KINDS].index(kind)
    values = made(kind, np.random.default_rng([seed, number, run]))
    end = HOURS - run % 8 * 3
    found = _one(values[:end])
    score = found.score(found.model)
    if score is None:
        return _Run(0.0, (), ())
    came = values[end : end + HOURLY.horizon]
    held = (came >= np.array(found.low)) & (came <= np.array(found.high))
    hour = np.arange(end, end + HOURLY.horizon) % 24
    return _Run(score.skill, tuple(held.tolist()), tuple(((hour >= RUSH[0]) & (hour <= RUSH[1])).tolist()))


def _row(kind: str, noise: bool, found: Iterable[_Run]) -> Row:
    done = list(found)
    shown = [one for one in done if one.held]
    held = [step for one in shown for step in one.held]
    at_rush = [step for one in shown for step, rush in zip(one.held, one.rush, strict=True) if rush]
    nothing = float("nan")
    return Row(
        kind=kind,
        noise=noise,
        runs=len(done),
        shown=len(shown),
        skill=float(np.mean([one.skill for one in shown])) if shown else nothing,
        covered_pct=100.0 * float(np.mean(held)) if held else nothing,
        rush_pct=100.0 * float(np.mean(at_rush)) if at_rush else nothing,
    )


def _one(values: Floats) -> forecast.Forecast:
    times = pd.DatetimeIndex(pd.date_range(START, periods=len(values), freq="h"))
    series = forecast.History(times=times, values=values, rhythm=HOURLY, zone=ZONE)
    return forecast.forecast(series, now=times[-1].to_pydatetime() + timedelta(minutes=5))


def printed(row: Row) -> tuple[str, ...]:
    """The cells of HEAD."""
    skill = f"{row.skill:.2f}" if row.shown else "-"
    covered = f"{row.covered_pct:.1f} %" if row.shown else "-"
    at_rush = f"{row.rush_pct:.1f} %" if row.shown else "-"
    return (
        row.kind,
        str(row.runs),
        f"{100 * row.shown / row.runs:.1f} %",
        skill,
        covered,
        at_rush,
        "kept" if row.kept else "BROKEN",
    )


def line(cells: tuple[str, ...]) -> str:
    """Cells as one line of a table."""
    return "  ".join(cell.ljust(8) for cell in cells).rstrip()
