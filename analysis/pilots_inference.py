"""What a pilot panel says about an effect, right for a handful of treated units; many panels at a time.

A panel is units x times with one start for all treated units. Every quantity is a weighted sum of a unit's own times:

    change     mean after the start - mean before it
    trend      slope of the time before the start (per period)
    early      the same change around a made-up start in the middle of the time before

Two-way fixed effects of a balanced panel with one start are the difference of the mean `change` between treated and
controls; unit effects and whatever all units share (weekday, season, storms) drop out. Because a unit is one number
then, serial correlation inside a unit cannot make the inference too sure (Bertrand, Duflo, Mullainathan 2004).

Few units: randomisation inference. Every choice of as many units as were treated is tried; under «no effect beyond
`t`» all choices are alike, and the interval holds every `t` that this test does not refuse at 5 %. For a choice w the
values of t for which w looks at least as extreme as the truth are an interval of its own with closed ends, so nothing
is searched. Many units: CR2 standard errors, clustered by unit, with Satterthwaite's degrees of freedom (Bell and
McCaffrey 2002), which for this contrast are the variances of both groups and Welch's degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ALPHA = 0.05
MOST_CHOICES = 1000  # more are drawn at random, the true one among them: the test stays exact
MANY = 10  # treated and controls each: from here on every group tells its own variance
LEAST_BEFORE = 8  # periods before the start, for a trend and a made-up start to mean anything
CHANGE, TREND, EARLY = 0, 1, 2
TIE = 1e-9  # sums of the same numbers in another order are ties


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Who is treated and when; with every choice of units that inference compares against."""

    treated: Flags  # (units,)
    after: Flags  # (times,), False then True
    choices: Flags  # (choices, units)
    placebos: Flags  # (choices, controls): as many controls as were treated, as far as they go
    weights: Floats  # (times, 3): change, trend, early
    many: bool

    @property
    def checkable(self) -> bool:
        """True when there is enough time before the start for a trend and a made-up start."""
        return int((~self.after).sum()) >= LEAST_BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A difference between treated and controls, for each panel: effect, 95 % interval, p of «none»."""

    effect: Floats
    low: Floats
    high: Floats
    p: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """All that is asked of panels, each array (panels,)."""

    change: Tested
    trend: Tested
    early: Tested
    placebo_share: Floats  # of the placebos in space, how many are as large as the effect

    def clean(self, design: Design) -> Flags:
        """No other path before the start: neither in the trend nor at the made-up start."""
        if not design.checkable:
            return np.zeros(len(self.change.effect), dtype=np.bool_)
        return (self.trend.p > ALPHA) & (self.early.p > ALPHA)

    def outstanding(self) -> Flags:
        """The effect is larger than placebos: those in space (all but one in twenty) and the one in time."""
        larger = np.abs(self.early.effect) < np.abs(self.change.effect)
        return (self.placebo_share <= ALPHA) & larger

    def claims(self, design: Design) -> tuple[Flags, Flags]:
        """Panels of which may be said that the values rose, that they fell, because of the pilot."""
        sure = self.clean(design) & self.outstanding()
        return sure & (self.change.low > 0), sure & (self.change.high < 0)


def design_of(treated: Flags, after: Flags, rng: np.random.Generator) -> Design:
    """The design of a panel with at least one treated unit, one control, and both a before and an after."""
    k, controls = int(treated.sum()), int((~treated).sum())
    placebo_size = min(k, controls // 2)
    placebos = np.zeros((0, controls), dtype=np.bool_)
    if placebo_size:
        first = np.arange(controls) < placebo_size
        placebos = choices_of(first, rng)
    return Design(
        treated=treated,
        after=after,
        choices=choices_of(treated, rng),
        placebos=placebos,
        weights=time_weights(after),
        many=min(k, controls) >= MANY,
    )


def choices_of(chosen: Flags, rng: np.random.Generator) -> Flags:
    """Every choice of as many units, or MOST_CHOICES - 1 random ones and the given one."""
    n, k = len(chosen), int(chosen.sum())
    if comb(n, k) <= MOST_CHOICES:
        found = np.zeros((comb(n, k), n), dtype=np.bool_)
        for row, places in enumerate(combinations(range(n), k)):
            found[row, list(places)] = True
        return found
    drawn = np.argsort(rng.random((MOST_CHOICES - 1, n)), axis=1) < k
    return cast(Flags, np.vstack([chosen, drawn]))


def time_weights(after: Flags) -> Floats:
    """(times, 3): what makes change, trend and early of a series of values."""
    before = np.flatnonzero(~after)
    n = len(before)
    found = np.zeros((len(after), 3))
    found[after, CHANGE] = 1 / after.sum()
    found[before, CHANGE] = -1 / n
    if n > 1:
        centred = np.arange(n) - (n - 1) / 2
        found[before, TREND] = centred / (centred**2).sum()
        half = n // 2
        found[before[half:], EARLY] = 1 / (n - half)
        found[before[:half], EARLY] = -1 / half
    return found


def examine(units: Floats, design: Design) -> Examined:
    """`units`: (panels, units, 3), which is values (panels, units, times) @ design.weights."""
    change = contrast(units[:, :, CHANGE], design)
    return Examined(
        change=change,
        trend=contrast(units[:, :, TREND], design),
        early=contrast(units[:, :, EARLY], design),
        placebo_share=as_large(placebo_changes(units[:, :, CHANGE], design), change.effect),
    )


def contrast(unit_values: Floats, design: Design) -> Tested:
    """Treated against controls in one number per unit, (panels, units)."""
    return _clustered(unit_values, design.treated) if design.many else _permuted(unit_values, design)


def chance_of(unit_values: Floats, design: Design) -> Floats:
    """(panels,): p of «no difference», as `contrast` has it, without the work for an interval."""
    if design.many:
        return _clustered(unit_values, design.treated).p
    own = group_weights(design.treated[None, :])[0]
    return as_large(unit_values @ group_weights(design.choices).T, unit_values @ own)


def group_weights(chosen: Flags) -> Floats:
    """(choices, units): 1/k for the chosen, -1/(n - k) for the others."""
    k = chosen.sum(axis=1, keepdims=True)
    found: Floats = np.where(chosen, 1 / k, -1 / (chosen.shape[1] - k))
    return found


def _permuted(unit_values: Floats, design: Design) -> Tested:
    """Randomisation inference over the choices, with the interval of all effects that are not refused."""
    weights = group_weights(design.choices)
    own = group_weights(design.treated[None, :])[0]
    effect = unit_values @ own
    others = unit_values @ weights.T  # what each choice would have found
    share = weights @ design.treated.astype(np.float64)  # how much of a true effect each choice would see
    # With a true effect t the choice sees |others - share·t| and the truth |effect - t|. The first is at least the
    # second between the two t at which they are equal; the choice itself and its mirror are equal everywhere.
    same = np.abs(share) > 1 - TIE
    with np.errstate(divide="ignore", invalid="ignore"):
        one = (effect[:, None] - others) / (1 - share)
        two = (effect[:, None] + others) / (1 + share)
    lows = np.where(same, -np.inf, np.minimum(one, two))
    highs = np.where(same, np.inf, np.maximum(one, two))
    allowed = int(ALPHA * len(weights) + TIE)  # so many choices may look as extreme and t is still refused
    low = np.partition(lows, allowed, axis=1)[:, allowed]
    high = np.partition(highs, -1 - allowed, axis=1)[:, -1 - allowed]
    return Tested(effect=effect, low=low, high=high, p=as_large(others, effect))


def _clustered(unit_values: Floats, treated: Flags) -> Tested:
    """CR2 with Satterthwaite's degrees of freedom, one cluster per unit."""
    groups = [unit_values[:, treated], unit_values[:, ~treated]]
    effect = groups[0].mean(axis=1) - groups[1].mean(axis=1)
    parts = [group.var(axis=1, ddof=1) / group.shape[1] for group in groups]
    total = parts[0] + parts[1]
    spread = np.sqrt(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [part**2 / (group.shape[1] - 1) for part, group in zip(parts, groups, strict=True)]
        degrees = np.where(total > 0, total**2 / (ratios[0] + ratios[1]), 1.0)
        p = np.where(spread > 0, 2 * stats.t.sf(np.abs(effect) / spread, degrees), np.where(effect == 0, 1.0, 0.0))
    reach = stats.t.ppf(1 - ALPHA / 2, degrees) * spread
    return Tested(effect=effect, low=effect - reach, high=effect + reach, p=p)


def placebo_changes(changes: Floats, design: Design) -> Floats:
    """(panels, placebos): what controls show when some of them are treated as if they were the pilot."""
    if not len(design.placebos):
        return np.zeros((len(changes), 0))
    found: Floats = changes[:, ~design.treated] @ group_weights(design.placebos).T
    return found


def as_large(others: Floats, effect: Floats) -> Floats:
    """(panels,): which share of `others` (panels, choices) is at least as large as the effect; 1 if there are none."""
    if not others.shape[1]:
        return np.ones(len(effect))
    floor = np.abs(effect) * (1 - TIE)
    return cast(Floats, (np.abs(others) >= floor[:, None]).mean(axis=1))
