"""Synthetic control: the mix of control units that went the pilot's way before the start, and what it did after.

Weights are at least 0 and add up to 1 (Abadie and Gardeazabal 2003; Abadie, Diamond, Hainmueller 2010). The mix is
fitted to movements about the mean of the time before the start, so that an area above all controls has a mix too
(Doudchenko and Imbens 2016; Ferman and Pinto 2021). The placebo of each control gives the rank of the pilot by the
ratio of the gap after the start to the gap before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from analysis.pilots_inference import Flags, Floats

TOGETHER = 1e3  # how much heavier «adds up to 1» weighs than all times together


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """The treated units' mean against its mix of controls."""

    weights: Floats  # (controls,)
    mix: Floats  # (times,), brought to the pilot's own level before the start
    effect: float  # mean gap after the start; before it the gap is 0 on average
    gap_before: float  # root mean square
    gap_after: float

    @property
    def ratio(self) -> float:
        """Gap after to gap before."""
        return self.gap_after / self.gap_before if self.gap_before > 0 else np.inf


def synthetic(own: Floats, controls: Floats, after: Flags) -> Synthetic:
    """`own` (times,), `controls` (units, times)."""
    before = ~after
    level, levels = own[before].mean(), controls[:, before].mean(axis=1)
    moved = (controls - levels[:, None]).T  # (times, units)
    weights = _weights(moved[before], own[before] - level)
    mix = moved @ weights + level
    gap = own - mix
    return Synthetic(
        weights=weights,
        mix=mix,
        effect=float(gap[after].mean()),
        gap_before=float(np.sqrt((gap[before] ** 2).mean())),
        gap_after=float(np.sqrt((gap[after] ** 2).mean())),
    )


def _weights(moved: Floats, target: Floats) -> Floats:
    """Least squares with weights >= 0 that add up to 1: the sum stands as one heavy row of the non-negative fit."""
    scale = TOGETHER * max(float(np.sqrt((moved**2).sum())), 1.0)
    found, _ = nnls(np.vstack([moved, np.full(moved.shape[1], scale)]), np.append(target, scale))
    total = float(found.sum())
    weights: Floats = found / total
    return weights


def placebo_ratios(controls: Floats, after: Flags) -> Floats:
    """(controls,): the ratio of each control as if it had been the pilot, its mix made of the others."""
    places = range(len(controls))
    return np.array([synthetic(controls[one], np.delete(controls, one, axis=0), after).ratio for one in places])
