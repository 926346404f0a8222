"""Models that look some steps ahead on a regular series: four naive ones, and those that must beat them.

Each model reads a `Known`: what was known at an origin and nothing later. Values may be missing (NaN); a model answers
for every step, or with NaN where it cannot.

    last, flat, day, week   the last value, the median of four weeks, the same hour of the last day and of the last week
    usual                   the median of the hour of the day, working days, Saturdays and Sundays or holidays apart
    damped                  usual + the present deviation, which fades as it faded in the past (one factor per step)
    lagged                  usual + a ridge regression, per step, on the deviations of the last hours, day and week
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
LEAST_OF_CLASS = 3  # values of an hour class before its own median counts
RIDGE = 0.02  # of the mean square of the deviations: keeps the regression still where two lags say the same
LEAST_PAIRS = 48  # pairs of now and then from which a factor may be learned
FLOOR = 0.3  # no hour's spread counts as less than that share of the spread of all hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How a series is stepped, how far it is looked ahead, and from how much history."""

    key: str  # hourly | daily
    step: timedelta
    horizon: int  # steps ahead
    day: int  # steps after which the nearest like time comes round
    week: int
    every: int  # steps between two origins of the back-tests
    train: int  # steps of history before the first origin, at least
    window: int  # steps of history that a model reads, at most
    tests: int  # steps from the first origin to the last, at most
    least_tests: int  # and at least
    misses: int  # origins, the newest ones, whose misses make the interval

    @property
    def least(self) -> int:
        """Steps of history without which nothing can be tested."""
        return self.train + self.least_tests + self.horizon


HOURLY = Rhythm(
    key="hourly", step=timedelta(hours=1), horizon=24, day=24, week=168, every=3,
    train=10 * 24, window=56 * 24, tests=42 * 24, least_tests=10 * 24, misses=28 * 8,
)  # fmt: skip
DAILY = Rhythm(
    key="daily", step=timedelta(days=1), horizon=7, day=7, week=7, every=1,
    train=42, window=365, tests=180, least_tests=28, misses=90,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stood at an origin. `classes` and `parts` belong to `values`, `next_classes` to the steps asked for."""

    values: Floats  # oldest first; the last one is the origin
    classes: Integers  # hour of the day and kind of day
    parts: Integers  # hour of the day (of a daily series: day of the week) alone
    next_classes: Integers
    next_parts: Integers
    rhythm: Rhythm
    usual: Floats  # of `values`: the profile at each step
    next_usual: Floats
    spreads: Floats  # per part: how far values usually lie from the usual there

    @property
    def spread(self) -> Floats:
        """How far values usually lie from the usual, at each step asked for."""
        return self.spreads[self.next_parts]

    @property
    def anomaly(self) -> Floats:
        """Deviations from the usual."""
        return self.values - self.usual


Model = Callable[[Known], Floats]


def medians(values: Floats, groups: Integers, count: int) -> tuple[Floats, Integers]:
    """Median and number of the known values of each group 0 … count-1; NaN where there is none."""
    good = np.isfinite(values)
    kept, of = values[good], groups[good]
    order = np.lexsort((kept, of))
    kept, of = kept[order], of[order]
    n = np.bincount(of, minlength=count)
    start = np.concatenate(([0], np.cumsum(n)[:-1]))
    found = np.full(count, np.nan)
    some = n > 0
    low = kept[(start + (n - 1) // 2)[some]]
    high = kept[(start + n // 2)[some]]
    found[some] = (low + high) / 2
    return found, n.astype(np.int64)


def known(
    values: Floats,
    classes: Integers,
    parts: Integers,
    rhythm: Rhythm,
    counts: tuple[int, int],
) -> Known:
    """What stands at an origin: `values` up to it, `classes` and `parts` of these and of the steps after it.

    `counts`: how many classes and parts there are.
    """
    size = len(values)
    first = max(size - rhythm.window, 0)
    kept, by_class, by_part = values[first:], classes[first:size], parts[first:size]
    fine, n = medians(kept, by_class, counts[0])
    coarse, _ = medians(kept, by_part, counts[1])
    known_values = kept[np.isfinite(kept)]
    flat = float(np.median(known_values)) if len(known_values) else np.nan
    coarse = np.where(np.isfinite(coarse), coarse, flat)
    part_of = np.zeros(counts[0], dtype=np.int64)
    part_of[classes] = parts
    profile = np.where(n >= LEAST_OF_CLASS, fine, coarse[part_of])
    usual = profile[by_class]
    apart = np.abs(kept - usual)
    typical, of = medians(apart, by_part, counts[1])
    good = apart[np.isfinite(apart)]
    overall = float(np.mean(good)) if len(good) else 0.0
    typical = np.where(of >= LEAST_OF_CLASS, typical, overall)
    ahead = slice(size, size + rhythm.horizon)
    return Known(
        values=kept,
        classes=by_class,
        parts=by_part,
        next_classes=classes[ahead],
        next_parts=parts[ahead],
        rhythm=rhythm,
        usual=usual,
        next_usual=profile[classes[ahead]],
        spreads=np.maximum(typical, FLOOR * overall) if overall > 0 else np.ones(counts[1]),
    )


def last(known: Known) -> Floats:
    """The last known value."""
    good = known.values[np.isfinite(known.values)]
    return np.full(known.rhythm.horizon, good[-1] if len(good) else np.nan)


def flat(known: Known) -> Floats:
    """The median of the last four weeks."""
    good = known.values[-4 * known.rhythm.week :]
    good = good[np.isfinite(good)]
    return np.full(known.rhythm.horizon, np.median(good) if len(good) else np.nan)


def day(known: Known) -> Floats:
    """The same hour of the last day that has one."""
    return _same(known, known.rhythm.day)


def week(known: Known) -> Floats:
    """The same hour of the same day of the last week that has one, else of the last day."""
    found = _same(known, known.rhythm.week)
    return np.where(np.isfinite(found), found, day(known))


def _same(known: Known, lag: int) -> Floats:
    steps = np.arange(1, known.rhythm.horizon + 1)
    found = np.full(len(steps), np.nan)
    size = len(known.values)
    for back in range(1, 4):
        places = size - 1 + steps - lag * (back + (steps - 1) // lag)
        usable = (places >= 0) & ~np.isfinite(found)
        found[usable] = known.values[places[usable]]
    return found


def usual(known: Known) -> Floats:
    """The profile alone."""
    return known.next_usual


def damped(known: Known) -> Floats:
    """The profile and the last deviation, which fades."""
    apart = known.anomaly
    good = np.flatnonzero(np.isfinite(apart))
    if not len(good):
        return known.next_usual
    silent = len(apart) - 1 - int(good[-1])
    filled = np.where(np.isfinite(apart), apart, 0.0)
    seen = np.isfinite(apart).astype(np.float64)
    steps = known.rhythm.horizon
    factors = np.zeros(steps)
    for ahead in range(1, steps + 1):
        lag = ahead + silent
        if lag >= len(apart):
            break
        now, then = filled[:-lag], filled[lag:]
        both = seen[:-lag] * seen[lag:]
        square = float(np.dot(now * now, both))
        if both.sum() >= LEAST_PAIRS // known.rhythm.every and square > 0:
            factors[ahead - 1] = min(max(float(np.dot(now, then)) / square, 0.0), 1.0)
    return np.asarray(known.next_usual + factors * apart[good[-1]])


def lagged(known: Known) -> Floats:
    """The profile and what the deviations of the last hours, day and week let expect."""
    rhythm, apart = known.rhythm, known.anomaly
    size, steps = len(apart), known.rhythm.horizon
    filled = np.where(np.isfinite(apart), apart, 0.0)
    seen = np.isfinite(apart)
    if seen.sum() < 4 * LEAST_PAIRS // rhythm.every or not seen[-1]:
        return damped(known)
    total = np.concatenate(([0.0], np.cumsum(filled)))

    def mean_of(length: int) -> Floats:
        start = np.maximum(np.arange(size) + 1 - length, 0)
        return np.asarray((total[1:] - total[start]) / length)

    quarter = max(rhythm.day // 4, 2)
    now = np.stack([filled, mean_of(quarter), mean_of(rhythm.day), mean_of(rhythm.week)])
    found = known.next_usual.copy()
    profile = np.concatenate((known.usual, known.next_usual))
    keep = RIDGE * float(np.mean(filled[seen] ** 2)) * float(seen.sum())
    if keep <= 0:
        return found
    squares, products, present, learned = [], [], [], []
    for ahead in range(1, steps + 1):
        turn = profile[ahead : size + ahead] - profile[:size]  # with weight -1: no turn at all, the last value stays
        given = np.vstack([now, turn, _back(filled, rhythm.day - ahead), _back(filled, rhythm.week - ahead)])
        both = (seen[: size - ahead] & seen[ahead:]).astype(np.float64)
        both[: min(rhythm.day, len(both))] = 0.0
        if both.sum() < LEAST_PAIRS // rhythm.every:
            continue
        past = given[:, : size - ahead]
        counted = past * both
        squares.append(counted @ past.T)
        products.append(counted @ filled[ahead:])
        present.append(given[:, -1])
        learned.append(ahead - 1)
    if learned:
        weights = np.linalg.solve(np.stack(squares) + keep * np.eye(len(now) + 3), np.stack(products)[:, :, None])
        found[learned] += np.einsum("ij,ij->i", np.stack(present), weights[:, :, 0])
    return found


def _back(values: Floats, lag: int) -> Floats:
    """The values `lag` steps before; 0 where there are none."""
    found = np.zeros(len(values))
    lag = max(lag, 0)
    found[lag:] = values[: len(values) - lag]
    return found


NAIVE: Mapping[str, Model] = {"last": last, "flat": flat, "day": day, "week": week}
RIVALS: Mapping[str, Model] = {"usual": usual, "damped": damped, "lagged": lagged}


def predictions(known: Known) -> dict[str, Floats]:
    """Every model at one origin."""
    return {key: model(known) for key, model in {**NAIVE, **RIVALS}.items()}


def kinds_of_day(hour_classes: Integers) -> tuple[Integers, Integers]:
    """core.calendar's hour classes (0 … 191) as (kind of day x hour, hour): working day, Saturday, Sunday or holiday.

    A month holds four Mondays at eight o'clock and twenty working days at eight o'clock.
    """
    weekday, hour = np.divmod(np.asarray(hour_classes, dtype=np.int64), 24)
    kind = np.where(weekday < 5, 0, np.where(weekday == 5, 1, 2))
    return (kind * 24 + hour).astype(np.int64), hour.astype(np.int64)
