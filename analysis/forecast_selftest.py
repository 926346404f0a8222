"""Is the arithmetic of forecasts honest? Series of known truth through the whole way: history, league, forecast.

Two promises: on pure noise (white, and a random walk) no model is shown in more than 5 % of the runs; and where one is
shown, its 80 % interval holds 77 to 83 % of what comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
HEAD = ("series", "runs", "shown", "skill", "covered", "promise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came out for one kind of series."""

    kind: str
    noise: bool  # nothing to be learned: a model that is shown is a false one
    runs: int
    shown: int
    skill: float  # mean of the shown ones
    covered_pct: float  # of what came after the forecasts, inside of the 80 % interval; NaN when nothing was shown

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


def rows(runs: int, seed: int) -> Iterator[Row]:
    """One row per kind of series."""
    for number, (kind, noise) in enumerate((("white", True), ("walk", True), ("rush", False), ("wide", False))):
        rng = np.random.default_rng([seed, number])
        skills, inside, asked = [], 0, 0
        for _ in range(runs):
            values = made(kind, rng)
            found = _one(values[:HOURS])
            if found.model:
                score = found.score(found.model)
                skills.append(score.skill if score else 0.0)
                came = values[HOURS:]
                inside += int(((came >= np.array(found.low)) & (came <= np.array(found.high))).sum())
                asked += len(came)
        yield Row(
            kind=kind,
            noise=noise,
            runs=runs,
            shown=len(skills),
            skill=float(np.mean(skills)) if skills else float("nan"),
            covered_pct=100.0 * inside / asked if asked else float("nan"),
        )


def _one(values: Floats) -> forecast.Forecast:
    times = pd.DatetimeIndex(pd.date_range(START, periods=len(values), freq="h"))
    series = forecast.History(times=times, values=values, rhythm=HOURLY, zone=ZONE)
    return forecast.forecast(series, now=times[-1].to_pydatetime() + timedelta(minutes=5))


def printed(row: Row) -> tuple[str, ...]:
    """The cells of HEAD."""
    skill = f"{row.skill:.2f}" if row.shown else "-"
    covered = f"{row.covered_pct:.1f} %" if row.shown else "-"
    return (
        row.kind,
        str(row.runs),
        f"{100 * row.shown / row.runs:.1f} %",
        skill,
        covered,
        "kept" if row.kept else "BROKEN",
    )


def line(cells: tuple[str, ...]) -> str:
    """Cells as one line of a table."""
    return "  ".join(cell.ljust(8) for cell in cells).rstrip()
