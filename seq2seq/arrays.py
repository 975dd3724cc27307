"""Operations on arrays of many strings or numbers: blocks, character codes, hashes and edit distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seq2seq.typing import Array

COMPARED = 2**22  # cells of the tables of edit distances that are computed at a time


def blocks(n: int, size: int) -> Iterator[slice]:
    """Slices that divide n rows into blocks of `size` rows; the last block may be smaller."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def character_codes(strings: Array) -> Array:
    """Character codes of strings.

    Parameters
    ----------
    strings : ndarray of str, shape (N,)

    Returns
    -------
    ndarray of uint32, shape (N, width)
        0 after the end of a string.
    """
    strings = np.ascontiguousarray(strings)
    return strings.view(np.uint32).reshape(len(strings), strings.dtype.itemsize // 4)


def mix(hashes: Array) -> Array:
    """Mix the bits of 64-bit values, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def hash_strings(strings: Array) -> Array:
    """Hash strings; the width of the array does not change the hashes.

    Parameters
    ----------
    strings : ndarray of str, shape (N,)

    Returns
    -------
    ndarray of uint64, shape (N,)
    """
    codes = character_codes(strings)
    hashes = np.zeros(len(codes), np.uint64)
    for column in codes.T:
        longer = mix(hashes + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        hashes = np.where(column, longer, hashes)
    return hashes


def float_codes(values: Array) -> Array:
    """Numbers as 64 bits, of the same shape: equal where the numbers are equal, or both NaN."""
    return (np.ascontiguousarray(values, np.float64) + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0


def hash_rows(codes: Array) -> Array:
    """Hash the rows of a matrix.

    Parameters
    ----------
    codes : ndarray of uint64, shape (N, K)

    Returns
    -------
    ndarray of uint64, shape (N,)
    """
    hashes = np.zeros(len(codes), np.uint64)
    for column in codes.T:
        hashes = mix(hashes + column + np.uint64(0x9E3779B97F4A7C15))
    return hashes


def closed_up(ids: Array, pad: int) -> Array:
    """Move the padding of each row to the front.

    Parameters
    ----------
    ids : ndarray of int, shape (N, T)
    pad : int
        The id of padding.

    Returns
    -------
    ndarray of int, shape (N, T)
    """
    return np.take_along_axis(ids, np.argsort(ids != pad, axis=1, kind="stable"), axis=1)


def edit_distances(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> Array:
    """Edit distances between pairs of sequences: the number of insertions, deletions and substitutions of symbols
    that turn the first into the second (Levenshtein 1966).

    Parameters
    ----------
    first, second : sequence of sequences of symbols
        N sequences each: strings, or lists of strings.

    Returns
    -------
    ndarray of int, shape (N,)
    """
    distances = np.zeros(len(first), np.int64)
    differ = [row for row, pair in enumerate(zip(first, second)) if list(pair[0]) != list(pair[1])]
    width = max((len(second[row]) for row in differ), default=0) + 1
    for block in blocks(len(differ), max(1, COMPARED // width)):
        rows = differ[block]
        distances[rows] = _distances([first[row] for row in rows], [second[row] for row in rows])
    return distances


def _distances(first: list[Sequence[str]], second: list[Sequence[str]]) -> Array:
    """Compute the table of distances between prefixes row by row, for all pairs at once."""
    ids: dict[str, int] = {}
    first_ids, first_lengths = _numbered(first, ids)
    second_ids, second_lengths = _numbered(second, ids)
    pairs = np.arange(len(first))
    places = np.arange(second_ids.shape[1] + 1)
    table = np.tile(places, (len(first), 1))  # the row of the empty prefix: its distance to each prefix of the second
    distances = table[pairs, second_lengths]
    for done, symbol in enumerate(first_ids.T, 1):
        changed = table[:, :-1] + (second_ids != symbol[:, None])
        table += 1  # deletion
        table[:, 1:] = np.minimum(table[:, 1:], changed)
        table = np.minimum.accumulate(table - places, axis=1) + places  # insertions
        distances = np.where(first_lengths == done, table[pairs, second_lengths], distances)
    return distances


def _numbered(sequences: list[Sequence[str]], ids: dict[str, int]) -> tuple[Array, Array]:
    """Symbols as numbers, shape (N, longest), with -1 after the end of a sequence, and the lengths (N,)."""
    lengths = np.array([len(sequence) for sequence in sequences])
    numbers = np.full((len(sequences), lengths.max()), -1)
    for row, sequence in enumerate(sequences):
        numbers[row, : len(sequence)] = [ids.setdefault(symbol, len(ids)) for symbol in sequence]
    return numbers, lengths
