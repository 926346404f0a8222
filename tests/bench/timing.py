"""Timing that every benchmark shares: the median of some runs, and the work that stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

RUNS = 5


def timed(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median seconds of some runs."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def reference_s() -> float:
    """Seconds of one sort of 1,000,000 random numbers: divide by it to compare two machines or two days."""
    numbers = np.random.default_rng(1).random(1_000_000)
    return timed(lambda: np.sort(numbers))
