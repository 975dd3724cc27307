"""64-bit hashes of many values at once."""

from __future__ import annotations

import numpy as np


def mix(hashes: np.ndarray) -> np.ndarray:
    """Scatter 64-bit values, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def hash_strings(strings: np.ndarray) -> np.ndarray:
    """A hash of each string, shape (N,)."""
    codes = np.ascontiguousarray(strings).view(np.uint32).reshape(len(strings), -1)
    hashes = np.zeros(len(codes), np.uint64)
    for column in codes.T:
        hashes = mix(hashes + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
    return hashes
