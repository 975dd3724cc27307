"""What is done to arrays of many strings or numbers: blocks of them, their character codes, their hashes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def blocks(n: int, size: int) -> Iterator[slice]:
    """Rows 0 to n, so many at a time."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def character_codes(strings: np.ndarray) -> np.ndarray:
    """Strings (N,) as character codes (N, width), 0 where a string has ended."""
    strings = np.ascontiguousarray(strings)
    return strings.view(np.uint32).reshape(len(strings), strings.dtype.itemsize // 4)


def mix(hashes: np.ndarray) -> np.ndarray:
    """Scatter 64-bit values, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def hash_strings(strings: np.ndarray) -> np.ndarray:
    """A hash of each string, shape (N,), however wide the array is."""
    codes = character_codes(strings)
    hashes = np.zeros(len(codes), np.uint64)
    for column in codes.T:
        longer = mix(hashes + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        hashes = np.where(column, longer, hashes)
    return hashes


def closed_up(ids: np.ndarray, pad: int) -> np.ndarray:
    """Each row (N, T) with its padding moved to the front."""
    return np.take_along_axis(ids, np.argsort(ids != pad, axis=1, kind="stable"), axis=1)
