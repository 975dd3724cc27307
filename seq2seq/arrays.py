"""What is done to arrays of many strings or numbers: blocks of them, their character codes, their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seq2seq.typing import Array

COMPARED = 2**22  # places of a table of edit distances that are filled at a time


def blocks(n: int, size: int) -> Iterator[slice]:
    """Rows 0 to n, so many at a time."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def character_codes(strings: Array) -> Array:
    """Strings (N,) as character codes (N, width), 0 where a string has ended."""
    strings = np.ascontiguousarray(strings)
    return strings.view(np.uint32).reshape(len(strings), strings.dtype.itemsize // 4)


def mix(hashes: Array) -> Array:
    """Scatter 64-bit values, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def hash_strings(strings: Array) -> Array:
    """A hash of each string, shape (N,), however wide the array is."""
    codes = character_codes(strings)
    hashes = np.zeros(len(codes), np.uint64)
    for column in codes.T:
        longer = mix(hashes + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        hashes = np.where(column, longer, hashes)
    return hashes


def closed_up(ids: Array, pad: int) -> Array:
    """Each row (N, T) with its padding moved to the front."""
    return np.take_along_axis(ids, np.argsort(ids != pad, axis=1, kind="stable"), axis=1)


def edit_distances(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> Array:
    """How many symbols must be put in, taken out or changed to make each of the first the second beside it
    (Levenshtein 1966), shape (N,).

    Parameters
    ----------
    first, second : sequence of sequences of symbols
        N of each: strings, or lists of strings.
    """
    distances = np.zeros(len(first), np.int64)
    differ = [row for row, pair in enumerate(zip(first, second)) if list(pair[0]) != list(pair[1])]
    width = max((len(second[row]) for row in differ), default=0) + 1
    for block in blocks(len(differ), max(1, COMPARED // width)):
        rows = differ[block]
        distances[rows] = _distances([first[row] for row in rows], [second[row] for row in rows])
    return distances


def _distances(first: list[Sequence[str]], second: list[Sequence[str]]) -> Array:
    """A row of the table of distances between beginnings at a time, of all pairs at once."""
    ids: dict[str, int] = {}
    first_ids, first_lengths = _numbered(first, ids)
    second_ids, second_lengths = _numbered(second, ids)
    pairs, places = np.arange(len(first)), np.arange(second_ids.shape[1] + 1)
    table = np.tile(places, (len(first), 1))  # its row: from nothing to each beginning of the second
    distances = table[pairs, second_lengths]
    for done, symbol in enumerate(first_ids.T, 1):
        changed = table[:, :-1] + (second_ids != symbol[:, None])
        table += 1  # the symbol is taken out
        table[:, 1:] = np.minimum(table[:, 1:], changed)
        table = np.minimum.accumulate(table - places, axis=1) + places  # symbols are put in
        distances = np.where(first_lengths == done, table[pairs, second_lengths], distances)
    return distances


def _numbered(sequences: list[Sequence[str]], ids: dict[str, int]) -> tuple[Array, Array]:
    """Symbols as numbers, -1 where a sequence has ended, shape (N, longest), and the lengths (N,)."""
    lengths = np.array([len(sequence) for sequence in sequences])
    numbers = np.full((len(sequences), lengths.max()), -1)
    for row, sequence in enumerate(sequences):
        numbers[row, : len(sequence)] = [ids.setdefault(symbol, len(ids)) for symbol in sequence]
    return numbers, lengths
