"""Which series goes before which, between domains: what moves together again and again, and with what delay.

For every two tracks of different domains that are not computed from each other: both on one step, the usual week taken
out, both filtered with the memory of one of them (Box and Jenkins), all lags within reach compared, the largest judged
against the same comparison with the days of one track shuffled, and all pairs together against false discoveries
(Benjamini and Hochberg). A link stands when both halves of the time show it with the same sign and the same lag within
one step. It is a statement on time and never on reason: two series may both follow a third.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import acf

from analysis.links_series import DAY, HOUR, Floats, Track, adjusted, by_day, memory, whitened

SEED = 20261122
FDR = 0.10
REACH = {HOUR: 24, DAY: 14}  # lags looked at, each way
BLOCK = {HOUR: 24, DAY: 7}  # steps that stay together when time is shuffled
WEEK = {HOUR: 168, DAY: 7}
LEAST = {HOUR: 504, DAY: 56}  # common values: three weeks of hours, or eight of days
MOST_BLOCKS = 128  # more are joined to longer ones: years of hours are shuffled by weeks
LEAST_SHARE = 0.5  # of the common values must be left after a shift
STAGES = (99, 999, 9999)  # shuffles; more of them only while few beat the real order
ENOUGH_BEATEN = 10
RESAMPLES = 400
RECENT = 7  # blocks in which a link is looked for once more, for «last seen»
NEAR = 1  # steps by which the lag of a half may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two tracks and what was found. `lag` > 0: `first` goes before `then` by so many steps; 0: together.

    `strength` is the correlation at that lag after both were filtered, −1 … 1, with its 95 % interval by resampled
    days. `halves` are (lag, strength) of both halves of the time, each at its own largest. `n` values were compared at
    the lag; `n_effective` is what they are worth, given that neighbouring hours are alike.
    """

    first: str
    then: str
    step: timedelta
    lag: int
    lag_low: int
    lag_high: int
    strength: float
    low: float
    high: float
    p: float
    q: float
    halves: tuple[tuple[int, float], tuple[int, float]]
    n: int
    n_effective: int
    since: datetime
    until: datetime
    last_seen: datetime | None
    profile: tuple[float, ...]  # strength at every lag from -reach to reach, positive: `first` before `then`

    @property
    def stable(self) -> bool:
        """Both halves show the same sign, and the same lag within one step."""
        return all(
            np.sign(strength) == np.sign(self.strength) and abs(lag - self.lag) <= NEAR for lag, strength in self.halves
        )

    @property
    def stands(self) -> bool:
        """Neither chance among all pairs tried, nor a thing of one half."""
        return self.q <= FDR and self.stable


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All pairs tried, the surest first; `related` pairs were left out as one thing seen twice, `short` for want of
    common values; `thin`: keys of tracks with too few values of their own, or that never change."""

    links: tuple[Link, ...]
    tried: int
    related: int
    short: int
    thin: tuple[str, ...]

    @property
    def standing(self) -> tuple[Link, ...]:
        """Those that stand, the strongest first."""
        return tuple(sorted((one for one in self.links if one.stands), key=lambda one: -abs(one.strength)))


@dataclass(frozen=True, slots=True)
class _Ready:
    """A track on one step: adjusted, its memory, and its index."""

    index: pd.DatetimeIndex
    values: Floats
    memory: Floats


def find(
    tracks: Sequence[Track],
    *,
    zone: ZoneInfo,
    own: Collection[date] = (),
    seed: int = SEED,
    stages: Sequence[int] = STAGES,
    tell: Callable[[float], None] = lambda _: None,
) -> Found:
    """Every pair of tracks of different groups. The same tracks and seed give the same answer."""
    kept: dict[tuple[str, timedelta], _Ready] = {}

    def ready(track: Track, step: timedelta) -> _Ready:
        if (track.key, step) not in kept:
            values = track.values if track.step == step else by_day(track.values, zone)
            clean = adjusted(values, step=step, zone=zone, own=own)
            kept[track.key, step] = _Ready(pd.DatetimeIndex(values.index), clean, memory(clean))
        return kept[track.key, step]

    known = [one for one in tracks if int(one.values.notna().sum()) >= LEAST[one.step] and one.values.nunique() > 1]
    across = [(a, b) for a, b in combinations(known, 2) if a.group != b.group]
    wanted = [(a, b) for a, b in across if not a.origins & b.origins]
    found: list[Link] = []
    short = 0
    for number, (a, b) in enumerate(wanted):
        step = max(a.step, b.step)
        chance = np.random.default_rng([seed, *_letters(a.key), 0, *_letters(b.key)])
        link = _pair(a.key, ready(a, step), b.key, ready(b, step), step, chance, stages)
        if link is None:
            short += 1
        else:
            found.append(link)
        tell((number + 1) / len(wanted))
    if found:
        q = multipletests([one.p for one in found], alpha=FDR, method="fdr_bh")[1]
        found = [replace(one, q=float(value)) for one, value in zip(found, q, strict=True)]
    found.sort(key=lambda one: (one.q, one.p, -abs(one.strength)))
    return Found(
        links=tuple(found),
        tried=len(found),
        related=len(across) - len(wanted),
        short=short,
        thin=tuple(one.key for one in tracks if one not in known),
    )


def _letters(key: str) -> list[int]:
    return list(key.encode())


@dataclass(frozen=True, slots=True)
class _Run:
    """One comparison with one of the two as the input: sums and counts per (block of x, block of y, lag)."""

    sums: Floats
    counts: Floats

    def strength(self, weights: Floats | None = None) -> Floats:
        """Correlation per lag, blocks in their order; `weights`: how often each block counts, shape (…, blocks)."""
        own = np.arange(len(self.sums))
        w = np.ones(len(own)) if weights is None else weights
        found = (w @ self.sums[own, own]) / np.maximum(w @ self.counts[own, own], 1.0)
        return np.asarray(np.clip(found, -1.0, 1.0))  # the deviations are those of all values, not of the compared ones

    def score(self, strength: Floats, counts: Floats, floor: float) -> Floats:
        """Strength in units of its own chance; 0 at lags with too few common values."""
        return np.where(counts >= floor, np.abs(strength) * np.sqrt(np.maximum(counts, 0.0)), 0.0)


def _pair(
    a_key: str, a: _Ready, b_key: str, b: _Ready, step: timedelta, chance: np.random.Generator, stages: Sequence[int]
) -> Link | None:
    start, end = max(a.index[0], b.index[0]), min(a.index[-1], b.index[-1])
    if start > end:
        return None
    x = a.values[(a.index >= start) & (a.index <= end)]
    y = b.values[(b.index >= start) & (b.index <= end)]
    reach, block = REACH[step], BLOCK[step]
    if len(x) > block * MOST_BLOCKS:
        block = WEEK[step] * -(-len(x) // (WEEK[step] * MOST_BLOCKS))
    both = np.isfinite(x) & np.isfinite(y)
    if int(both.sum()) < LEAST[step] or len(x) < 4 * block or min(np.std(x[both]), np.std(y[both])) == 0.0:
        return None
    runs = {
        "a": _run(whitened(x, a.memory), whitened(y, a.memory), block, reach),
        "b": _run(whitened(x, b.memory), whitened(y, b.memory), block, reach),
    }
    kinds = np.arange(len(x) // block) % max(WEEK[step] // block, 1)
    p = {name: _chance_of(run, kinds, chance, stages) for name, run in runs.items()}
    tops = {name: _top(run) for name, run in runs.items()}
    # With the one that goes first as the input, the answer at each lag is that of the other to one push.
    agree = [name for name, sign in (("a", 1), ("b", -1)) if tops[name][0] * sign >= 0]
    chosen = min(agree or list(runs), key=lambda name: (p[name], -tops[name][1]))
    run, lag = runs[chosen], tops[chosen][0]
    strengths = run.strength()
    place = lag + reach
    halves = _halves(run)
    weights = chance.multinomial(len(run.sums), np.full(len(run.sums), 1 / len(run.sums)), RESAMPLES).astype(np.float64)
    again = run.strength(weights)
    low, high = np.percentile(again[:, place], [2.5, 97.5])
    at = np.argmax(np.abs(again), axis=1) - reach
    lag_low, lag_high = np.percentile(at, [2.5, 97.5], method="nearest").astype(int)
    own = np.arange(len(run.sums))
    n = int(run.counts[own, own, place].sum())
    turned = lag < 0
    return Link(
        first=b_key if turned else a_key,
        then=a_key if turned else b_key,
        step=step,
        lag=abs(lag),
        lag_low=int(-lag_high if turned else lag_low),
        lag_high=int(-lag_low if turned else lag_high),
        strength=float(strengths[place]),
        low=float(low),
        high=float(high),
        p=min(1.0, 2.0 * min(p.values())),
        q=1.0,
        halves=(_turn(halves[0], turned), _turn(halves[1], turned)),
        n=n,
        n_effective=_effective(x, y, n),
        since=start.to_pydatetime(),
        until=end.to_pydatetime(),
        last_seen=_last_seen(run, place, start, block, step),
        profile=tuple(float(one) for one in (strengths[::-1] if turned else strengths)),
    )


def _turn(half: tuple[int, float], turned: bool) -> tuple[int, float]:
    return (-half[0], half[1]) if turned else half


def _run(x: Floats, y: Floats, block: int, reach: int) -> _Run:
    """Sums of x(t)·y(t+lag) for every block of x laid on the place of every block."""
    blocks = len(x) // block
    length = blocks * block

    def products(left: Floats, right: Floats) -> Floats:
        wide = np.pad(right[:length], reach)
        starts = np.arange(blocks)[:, None] * block + np.arange(2 * reach + 1)[None, :]
        shifted = np.lib.stride_tricks.sliding_window_view(wide, block)[starts]
        flat = shifted.reshape(-1, block)
        return np.asarray((left[:length].reshape(blocks, block) @ flat.T).reshape(blocks, blocks, 2 * reach + 1))

    there_x, there_y = np.isfinite(x).astype(np.float64), np.isfinite(y).astype(np.float64)
    return _Run(products(np.nan_to_num(x), np.nan_to_num(y)), products(there_x, there_y))


def _floor(run: _Run) -> float:
    own = np.arange(len(run.sums))
    return LEAST_SHARE * float(run.counts[own, own].sum(axis=0).max())


def _top(run: _Run) -> tuple[int, float]:
    """The lag with the largest score, and the score."""
    own = np.arange(len(run.sums))
    score = run.score(run.strength(), run.counts[own, own].sum(axis=0), _floor(run))
    place = int(np.argmax(score))
    return place - score.shape[0] // 2, float(score[place])


def _chance_of(run: _Run, kinds: npt.NDArray[np.int64], chance: np.random.Generator, stages: Sequence[int]) -> float:
    """How often the largest score of shuffled blocks reaches the real one; the real order counts as one of them.

    Hours of one day stay together, and a Monday only takes the place of a Monday: what taking out the usual week did to
    both series is then the same in the real and in every shuffled order.
    """
    real = _top(run)[1]
    blocks, floor = len(run.sums), _floor(run)
    places, own = np.argsort(kinds, kind="stable")[None, :], np.arange(blocks)[None, :]
    beaten = done = 0
    for stage in stages:
        while done < stage:
            count = min(stage - done, 250)
            order = np.empty((count, blocks), dtype=np.int64)
            order[:, places[0]] = np.argsort(chance.random((count, blocks)) + 2.0 * kinds, axis=1)
            sums, counts = run.sums[order, own].sum(axis=1), run.counts[order, own].sum(axis=1)
            score = run.score(sums / np.maximum(counts, 1.0), counts, floor)
            beaten += int((score.max(axis=1) >= real - 1e-12).sum())
            done += count
        if beaten >= ENOUGH_BEATEN:
            break
    return (beaten + 1) / (done + 1)


def _halves(run: _Run) -> tuple[tuple[int, float], tuple[int, float]]:
    blocks = len(run.sums)
    found = []
    for first in (True, False):
        weights = (np.arange(blocks) < blocks // 2) == first
        strength = run.strength(weights.astype(np.float64))
        place = int(np.argmax(np.abs(strength)))
        found.append((place - len(strength) // 2, float(strength[place])))
    return found[0], found[1]


def _last_seen(run: _Run, place: int, start: pd.Timestamp, block: int, step: timedelta) -> datetime | None:
    """End of the newest week (or seven blocks) that shows the link with its sign and at least half its strength."""
    own = np.arange(len(run.sums))
    width = min(RECENT, len(own))
    kernel = np.ones(width)
    sums = np.convolve(run.sums[own, own, place], kernel, "valid")
    counts = np.convolve(run.counts[own, own, place], kernel, "valid")
    whole = run.strength()[place]
    seen = np.flatnonzero(np.sign(whole) * sums / np.maximum(counts, 1.0) >= 0.5 * abs(whole))
    if not len(seen):
        return None
    steps = (int(seen[-1]) + width) * block - 1
    return (start + steps * pd.Timedelta(step)).to_pydatetime()


def _effective(x: Floats, y: Floats, n: int) -> int:
    """Bartlett: n divided by 1 + 2·Σ of the products of both autocorrelations, of the series before the filter."""
    lags = min(48, len(x) // 4)
    both: list[npt.NDArray[np.float64]] = [
        np.nan_to_num(acf(one, nlags=lags, fft=True, missing="conservative")[1:]) for one in (x, y)
    ]
    return int(min(max(n / max(1.0 + 2.0 * float((both[0] * both[1]).sum()), 1.0), 1.0), n))
