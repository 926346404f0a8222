"""Is the arithmetic of the links honest? On made-up panels: how often it finds what is not there, and what is there.

Null panels: series of different groups that share nothing but the week (same clock hours, same days off, some of them
lopsided as counts are, each with memory and gaps). Every link that stands there is a false one, so the share of panels
with one is the false discovery rate. Planted: one series follows another after a few steps, the rest is null.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from statsmodels.stats.proportion import proportion_confint

from analysis import links
from analysis.links_series import DAY, HOUR, Floats, Track
from core.calendar import VIETNAM, hour_classes

RUNS = 100  # of each design
SERIES = 8  # of a panel: 28 pairs
PLANTED = 0.6  # correlation of the follower with what it follows
PROMISED_FDR = 0.10
PROMISED_FOUND = 0.90
STAGES = (99, 999)  # 28 pairs need no finer p-value than that
HEAD = ("design", "runs", "values", "pairs", "figure", "share", "95 % from", "to", "promise", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One kind of made-up panel."""

    name: str
    step: timedelta
    length: int  # steps
    planted: bool


DESIGNS = (
    Design(name="null, 30 days by the hour", step=HOUR, length=720, planted=False),
    Design(name="null, 70 days by the hour", step=HOUR, length=1680, planted=False),
    Design(name="null, 180 days by the day", step=DAY, length=180, planted=False),
    Design(name="planted, 30 days by the hour", step=HOUR, length=720, planted=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a design gave: `hits` of `runs`; for null panels a hit is a false link, else the planted one found."""

    design: Design
    runs: int
    hits: int
    false_share: float  # of the links that stood, mean over panels (no link: 0): the false discovery rate
    seconds: float

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson, 95 %."""
        low, high = proportion_confint(self.hits, self.runs, method="wilson")
        return float(low), float(high)

    def broken(self) -> bool:
        """True when the promise lies outside of what these runs allow for."""
        low, high = self.interval
        return high < PROMISED_FOUND if self.design.planted else low > PROMISED_FDR


def rows(runs: int = RUNS, seed: int = 1) -> Iterator[Row]:
    """Every design in turn. Panel k of a design is the same for the same seed, whatever `runs` is."""
    for number, design in enumerate(DESIGNS):
        begun = time.perf_counter()
        hits, false_share = 0, 0.0
        for run in range(runs):
            chance = np.random.default_rng([seed, number, run])
            panel, lag = made_up(design, chance)
            standing = links.find(panel, zone=VIETNAM, seed=seed, stages=STAGES).standing
            true = [one for one in standing if design.planted and {one.first, one.then} == {"s0", "s1"}]
            if design.planted:
                hits += any(one.first == "s0" and abs(one.lag - lag) <= 1 for one in true)
            else:
                hits += bool(standing)
            false_share += (len(standing) - len(true)) / max(len(standing), 1)
        seconds = time.perf_counter() - begun
        yield Row(design=design, runs=runs, hits=hits, false_share=false_share / runs, seconds=seconds)


def printed(row: Row) -> tuple[str, ...]:
    """A row in the columns of HEAD."""
    low, high = row.interval
    planted = row.design.planted
    return (
        row.design.name,
        str(row.runs),
        str(row.design.length),
        str(SERIES * (SERIES - 1) // 2),
        f"found within one step; FDR {100 * row.false_share:.1f} %" if planted else "panels with a false link",
        f"{100 * row.hits / row.runs:.1f} %",
        f"{100 * low:.1f} %",
        f"{100 * high:.1f} %",
        f">= {100 * PROMISED_FOUND:.0f} %" if planted else f"<= {100 * PROMISED_FDR:.0f} %",
        f"{row.seconds:.1f}",
    )


def line(cells: tuple[str, ...]) -> str:
    """Cells under their heads."""
    widths = (30, 5, 6, 5, 42, 7, 9, 7, 8, 8)
    return "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)).rstrip()


def made_up(design: Design, chance: np.random.Generator, zone: ZoneInfo = VIETNAM) -> tuple[list[Track], int]:
    """SERIES tracks of different groups, and the planted lag (0 for a null panel): `s1` follows `s0`."""
    index = pd.date_range("2026-08-03", periods=design.length, freq=design.step, tz="UTC").as_unit("us")
    kinds = hour_classes(index, zone)
    week = chance.normal(size=192)[kinds] + 2.0 * np.sin(2 * np.pi * (kinds % 24 - chance.uniform(0, 24)) / 24)
    made = [_alive(design.length, chance) for _ in range(SERIES)]
    lag = 0
    if design.planted:
        lag = int(chance.integers(1, 13))
        before = np.concatenate([_alive(design.length, chance)[:lag], made[0][:-lag]])
        made[1] = PLANTED * before + np.sqrt(1 - PLANTED**2) * made[1]
    tracks = []
    for number, own in enumerate(made):
        values = own + chance.uniform(0.3, 2.0) * week
        if number % 3 == 2:
            values = np.exp(0.5 * values)  # lopsided, and louder when it is high
        values = np.where(chance.random(design.length) < 0.03, np.nan, values)
        series = pd.Series(values, index=index)
        key = f"s{number}"
        tracks.append(Track(key=key, group=key, origins=frozenset((key,)), step=design.step, values=series))
    return tracks, lag


def _alive(length: int, chance: np.random.Generator) -> Floats:
    """A series with memory (autoregression of order 1 or 2), of deviation 1."""
    first = chance.uniform(0.3, 0.95)
    second = chance.uniform(-0.3, 0.0) if chance.random() < 0.5 else 0.0
    found = np.asarray(lfilter([1.0], [1.0, -first, -second], chance.normal(size=length + 200))[200:])
    return found / float(found.std())
