"""Repeatable chance for the demo city: a number that depends on (seed, series, index) and on nothing else.

A generator with a memory would make a value depend on where a request begins. Hashing the time index does not, so
history and live data join without a seam and a second fetch gives the same rows.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def series_key(seed: int, *names: object) -> np.uint64:
    """The key of one series, from the seed and its names; equal on every machine and run."""
    text = "/".join([str(seed), *map(str, names)])
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def _hashed(key: np.uint64, index: Ints) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea, Flood 2014) of key + index, element by element; wraps by design."""
    mixed = np.atleast_1d(index).astype(np.uint64) * _GOLDEN + key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def uniform(key: np.uint64, index: Ints) -> Floats:
    """Numbers in [0, 1), one per index."""
    return np.asarray((_hashed(key, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53, dtype=np.float64)


def normal(key: np.uint64, index: Ints) -> Floats:
    """Numbers of mean 0 and deviation 1 that never leave -3.5..3.5: a calm day stays calm.

    The sum of four uniforms taken from one hash (Irwin-Hall).
    """
    bits = _hashed(key, index)
    total = np.zeros(bits.shape, dtype=np.float64)
    for shift in (0, 16, 32, 48):
        total += ((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64)
    return np.asarray((total / 65535.0 - 2.0) * np.sqrt(3.0), dtype=np.float64)


def smooth(key: np.uint64, times_s: Ints, period_s: int) -> Floats:
    """Slow noise of mean 0: `normal` at every multiple of the period, joined by smooth steps."""
    index = times_s // period_s
    share = (times_s - index * period_s) / period_s
    share = share * share * (3.0 - 2.0 * share)
    # The lattice is far coarser than the times: hash each node once.
    first = int(index[0]) if len(index) else 0
    nodes = normal(key, np.arange(first, int(index[-1]) + 2, dtype=np.int64)) if len(index) else np.zeros(0)
    return np.asarray(nodes[index - first] * (1.0 - share) + nodes[index - first + 1] * share, dtype=np.float64)
