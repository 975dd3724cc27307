"""Buckets: rows whose sequences have similar widths, so that they can be in one batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.typing import Array

BLOCK = 2**16  # rows that are read at a time
# Rows with the same first width are divided by the second into buckets with at least so many batches in an epoch, since
# in few batches, each of rows of one kind, a network learns less from as many rows; and with this share of the rows.
FEWEST = 64
SHARE = 1 / 8


def in_buckets(widths: Mapping[str, Array], n: int, batch: float) -> tuple[Array, list[dict[str, int]]]:
    """Divide n rows into buckets.

    Parameters
    ----------
    widths : dict of str to ndarray of int
        The widths of two sequences in each row, shape (n,) each, or empty. In a bucket all first widths are the same.
    n : int
    batch : float
        The number of rows that give one batch in an epoch.

    Returns
    -------
    bucket : ndarray of int, shape (n,)
        The bucket of each row.
    widths : list of dict of str to int
        The widths that hold the rows of each bucket, narrow ones first.
    """
    if not widths:
        return np.zeros(n, np.uint8), [{}]
    (first, of_first), (second, of_second) = widths.items()
    wide = np.unique(of_first)
    counts = np.zeros((len(wide), int(of_second.max()) + 1), np.int64)
    for block in blocks(n, BLOCK):
        np.add.at(counts, (np.searchsorted(wide, of_first[block]), of_second[block]), 1)
    bucket_of = np.zeros(counts.shape, np.int64)
    found: list[dict[str, int]] = []
    for place, rows in enumerate(counts):
        for group in _groups(rows, max(FEWEST * batch, SHARE * rows.sum()), batch):
            bucket_of[place, group] = len(found)
            found.append({first: int(wide[place]), second: group[-1]})
    bucket = np.empty(n, np.min_scalar_type(len(found)))
    for block in blocks(n, BLOCK):
        bucket[block] = bucket_of[np.searchsorted(wide, of_first[block]), of_second[block]]
    return bucket, found


def _groups(rows: Array, least: float, batch: float) -> list[list[int]]:
    """The widths that there are, narrow ones first, in groups of at least `least` rows; the last group can have fewer,
    but fills a batch. `rows` is the number of rows of each width."""
    groups: list[list[int]] = [[]]
    held, left = 0, rows.sum()
    for width in np.flatnonzero(rows).tolist():
        groups[-1].append(width)
        held += rows[width]
        left -= rows[width]
        if held >= least and left >= batch:
            groups.append([])
            held = 0
    return groups


def wider(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    """The widths that hold what either of two holds."""
    return {name: max(first[name], second[name]) for name in first}
