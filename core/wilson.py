"""The interval of a share, and the ranks that intervals leave open: one formula for every room that shows a share.

Wilson 1927: centre (p + z²/2n)/(1 + z²/n), half width z/(1 + z²/n)·√(p(1-p)/n + z²/4n²), z = 1.959964 for 95 %. Unlike
the textbook p ± z·√(p(1-p)/n) it says something true of 9 in 10 and of 10 in 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError

Z_95 = 1.959964  # 97.5 % of the normal distribution: 95 % between the bounds
Floats = npt.NDArray[np.float64]


def bounds(successes: Floats | np.float64, n: Floats | np.float64) -> tuple[Floats, Floats]:
    """Lower and upper 95 % bounds as fractions of 1, element by element; NaN where n is 0 or missing."""
    share = successes / n
    scale = 1.0 + Z_95**2 / n
    centre = (share + Z_95**2 / (2.0 * n)) / scale
    half = Z_95 / scale * np.sqrt(share * (1.0 - share) / n + Z_95**2 / (4.0 * n**2))
    return np.asarray(np.maximum(centre - half, 0.0)), np.asarray(np.minimum(centre + half, 1.0))


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Lower and upper 95 % bound of a share, as fractions of 1. Raises InputError unless 0 <= successes <= n, n > 0."""
    if not 0 <= successes <= n or n == 0:
        raise InputError(f"Wilson interval: {successes} of {n}; give a count from 0 to n, and n above 0")
    low, high = bounds(np.float64(successes), np.float64(n))
    return float(low), float(high)


def rank_ranges(intervals: Mapping[Any, tuple[float, float]]) -> dict[Any, tuple[int, int]]:
    """Best and worst rank that each interval leaves open, 1 being the highest value.

    One stands above another only where their intervals part; where all overlap, everybody may be anything.
    """
    return {
        key: (
            1 + sum(1 for other_low, _ in intervals.values() if other_low > high),
            len(intervals) - sum(1 for _, other_high in intervals.values() if other_high < low),
        )
        for key, (low, high) in intervals.items()
    }
