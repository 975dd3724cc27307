"""Splits examples into training, validation and test sets: pairs by question, a text by position."""

from __future__ import annotations

import numpy as np

from seq2seq.arrays import blocks, hash_strings
from seq2seq.drawing import LISTED
from seq2seq.errors import UsageError
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.typing import Array

BLOCK = 2**16  # number of examples that are processed as strings at a time


def split_by_key(
    keys: Array, validation: float | int, test: float | int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Split examples into training, validation and test sets so that equal keys stay together.

    Parameters
    ----------
    keys : ndarray, shape (N,)
        Examples with equal keys are the same question.
    validation, test : float or int
        A fraction of N, or a number of examples. If keys repeat, the sets may be a little larger.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray of int
        Row numbers of the training, validation and test examples, each in random order.

    Raises
    ------
    UsageError
        If one of the three sets would be empty.
    """
    n = len(keys)
    wanted = [number_of(amount, n) for amount in (test, validation)]
    group, sizes = _group(keys)
    dealt = rng.permutation(len(sizes))  # groups in random order; the first are for test, the next for validation
    before = np.cumsum(sizes[dealt]) - sizes[dealt]  # number of examples in the groups before each group
    part_of_group = np.empty(len(sizes), np.int8)
    part_of_group[dealt] = (before >= wanted[0]).astype(np.int8) + (before >= wanted[0] + wanted[1])
    part = part_of_group[group]
    del group, sizes, dealt, before, part_of_group  # up to 8 bytes per example each, for millions of examples
    order = rng.permutation(n)
    test_rows, validation_rows, train_rows = (order[part[order] == i] for i in range(3))
    require_parts(n, validation, test, len(train_rows), len(validation_rows), len(test_rows))
    return train_rows, validation_rows, test_rows


def number_of(amount: float | int, n: int) -> int:
    """An amount that is held out, which is a number or a fraction of n, as a number."""
    return amount if isinstance(amount, int) else round(amount * n)


def require_parts(n: int, validation: float | int, test: float | int, *sizes: int) -> None:
    """Raise `UsageError` if one of the sizes of training, validation and test set, in this order, is not above 0."""
    for name, size in zip(("train", "validation", "test"), sizes):
        if size <= 0:
            raise UsageError(
                f"validation, test: holding out {validation} and {test} of {n} examples leaves none for {name}"
            )


def cut(length: int, validation: float | int, test: float | int) -> tuple[slice, slice, slice]:
    """Split a text by position.

    Parameters
    ----------
    length : int
        Number of characters in the text.
    validation, test : float or int
        A fraction of the text, or a number of characters.

    Returns
    -------
    tuple of slice
        The training, validation and test parts, which are in this order in the text.
    """
    held_out = [number_of(amount, length) for amount in (validation, test)]
    end = length - sum(held_out)
    begin = length - held_out[1]
    return slice(0, max(0, end)), slice(max(0, end), max(0, begin)), slice(max(0, begin), length)


def _group(keys: Array) -> tuple[Array, Array]:
    """The rank of each key among the distinct keys, shape (N,), and the number of examples with each distinct key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.append(True, ordered[1:] != ordered[:-1])[: len(keys)]
    del ordered
    group = np.empty(len(keys), np.int32)
    group[order] = np.cumsum(begins, dtype=np.int32) - 1
    return group, np.bincount(group)


def keys_of(task: Task, pairs: Pairs, key: str) -> Array:
    """The keys of a task's pairs or, if there are many, 64-bit hashes of these keys.

    If two different keys have the same hash by chance, their examples stay together, which leaks nothing.

    Parameters
    ----------
    task : Task
    pairs : Pairs
        N pairs.
    key : str
        Name of the key: see `Task.key`.

    Returns
    -------
    ndarray, shape (N,)
    """
    if len(pairs) <= LISTED:
        return task.key(pairs.sources, key)
    hashes = np.empty(len(pairs), np.uint64)
    for block in blocks(len(pairs), BLOCK):
        keys = task.key(pairs.take(block).sources, key)
        hashes[block] = hash_strings(keys) if keys.dtype.kind == "U" else keys
    return hashes


def hashes_of(task: Task, sources: Array, key: str) -> Array:
    """64-bit hashes of the keys of sources; the width of the array does not change the hashes.

    Parameters
    ----------
    task : Task
    sources : ndarray of str, shape (N,)
    key : str
        Name of the key: see `Task.key`.

    Returns
    -------
    ndarray, shape (N,)
    """
    keys = task.key(sources, key)
    return hash_strings(np.char.lstrip(keys, PAD)) if keys.dtype.kind == "U" else keys
