"""What a pilot can see before money is spent on it: the smallest effect found in 80 of 100 such pilots.

The noise is read from the time before the start: what is left of each unit after its own mean and what all units
share, as an autoregression of first order. Its lag-one correlation is freed of the bias of short series (Marriott and
Pope 1954), its variance of the mean that was taken out. Power is not a formula of another test: panels with this noise
are drawn and pass through the very examination that the pilot will meet, with all its checks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import matmul_toeplitz

from analysis.pilots_inference import (
    ALPHA,
    CHANGE,
    EARLY,
    TREND,
    Design,
    Flags,
    Floats,
    as_large,
    chance_of,
    group_weights,
    placebo_changes,
)

DRAWS = 1000
WANTED = 0.8
LARGEST_CORRELATION = 0.98
DOUBLINGS = 12
HALVINGS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Of one unit, beyond its own level and what all share."""

    spread: float  # standard deviation of one period, unit of the indicator
    correlation: float  # with the period before


def noise_of(before: Floats) -> Noise:
    """`before`: (units, times) of the time before the start, at least 2 x 8."""
    units, times = before.shape
    left = residuals(before)
    squares = float((left**2).sum())
    if squares <= 0:
        return Noise(spread=0.0, correlation=0.0)
    seen = float((left[:, 1:] * left[:, :-1]).sum()) / squares
    correlation = (seen + 1 / times) / (1 - 3 / times)
    correlation = float(np.clip(correlation, 0.0, LARGEST_CORRELATION))
    lags = np.arange(1, times)
    # the variance of a unit's mean, in variances of a period
    taken_out = (times + 2 * float(((times - lags) * correlation**lags).sum())) / times**2
    variance = squares / (units * times) * units / (units - 1) / (1 - taken_out)
    return Noise(spread=float(np.sqrt(variance)), correlation=correlation)


def residuals(values: Floats) -> Floats:
    """What is left of (units, times) without each unit's mean and each time's mean."""
    own: Floats = values - values.mean(axis=1, keepdims=True)
    left: Floats = own - own.mean(axis=0, keepdims=True)
    return left


def draw(noise: Noise, design: Design, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """(draws, units, 3): what units without any effect show, in the terms of the examination."""
    fading = noise.correlation ** np.arange(len(design.after))
    # a Toeplitz matrix times a few columns, never the matrix: a year of hours would fill the memory
    spread = noise.spread**2 * design.weights.T @ matmul_toeplitz(fading, design.weights)
    drawn: Floats = rng.multivariate_normal(np.zeros(3), spread, size=(draws, len(design.treated)), method="eigh")
    return drawn


class Chances:
    """Drawn pilots without an effect, ready to be asked how often an effect of any size would be claimed in them."""

    def __init__(self, drawn: Floats, design: Design) -> None:
        """`drawn`: (draws, units, 3)."""
        self._design = design
        self._changes = drawn[:, :, CHANGE]
        own = group_weights(design.treated[None, :])[0]
        self._clean = np.full(len(drawn), design.checkable)
        for one in (TREND, EARLY):
            self._clean &= chance_of(drawn[:, :, one], design) > ALPHA
        self._early = np.abs(drawn[:, :, EARLY] @ own)
        self._effect = self._changes @ own
        self._placebos = placebo_changes(self._changes, design)
        self._weights = group_weights(design.choices)
        self._share = self._weights @ design.treated.astype(np.float64)
        self._others = self._changes @ self._weights.T

    def of(self, effect: float) -> float:
        """Share of the drawn pilots in which a true effect of this size and sign is claimed."""
        found = self._effect + effect
        larger = self._early < np.abs(found)
        larger &= as_large(self._placebos, found) <= ALPHA
        right = (found > 0) == (effect >= 0)
        return float((self._clean & larger & right & (self._p(effect, found) <= ALPHA)).mean())

    def _p(self, effect: float, found: Floats) -> Floats:
        if self._design.many:
            return chance_of(self._changes + effect * self._design.treated, self._design)
        return as_large(self._others + effect * self._share, found)

    def smallest(self, start: float) -> float | None:
        """The smallest effect that is found in 80 % of the draws, looked for around `start` > 0; None: no effect is."""
        high = start
        for _ in range(DOUBLINGS):
            if self.of(high) >= WANTED:
                break
            high *= 2
        else:
            return None
        low = 0.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.of(middle) >= WANTED else (middle, high)
        return high


def noisier(before: Floats, treated: Flags) -> float:
    """How many times the treated units' usual swing is that of the controls (medians of standard deviations)."""
    spreads = residuals(before).std(axis=1)
    usual = float(np.median(spreads[~treated]))
    own = float(np.median(spreads[treated]))
    return own / usual if usual > 0 else (np.inf if own > 0 else 1.0)
