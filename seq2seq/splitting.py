"""Which examples are trained on and which are held out: equal questions stay together, a text is cut by position."""

from __future__ import annotations

import numpy as np

from seq2seq.arrays import blocks, hash_strings
from seq2seq.drawing import LISTED
from seq2seq.errors import UsageError
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.typing import Array

BLOCK = 2**16  # examples that are strings at a time


def split_by_key(
    keys: Array, validation: float | int, test: float | int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Deal examples to training, validation and test so that equal keys stay together.

    Parameters
    ----------
    keys : ndarray, shape (N,)
        What makes two examples the same question.
    validation, test : float or int
        A share of N, or a number. Where keys repeat, the last key to be dealt may pass it a little.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray of int
        Row numbers of the training, validation and test examples, each in random order.

    Raises
    ------
    UsageError
        If one of the three would be empty.
    """
    n = len(keys)
    wanted = [amount if isinstance(amount, int) else round(amount * n) for amount in (test, validation)]
    group, sizes = _group(keys)
    dealt = rng.permutation(len(sizes))  # groups in the order in which they are dealt: test, validation, training
    before = np.cumsum(sizes[dealt]) - sizes[dealt]  # how many examples were dealt before each group
    part_of_group = np.empty(len(sizes), np.int8)
    part_of_group[dealt] = (before >= wanted[0]).astype(np.int8) + (before >= wanted[0] + wanted[1])
    part = part_of_group[group]
    del group, sizes, dealt, before, part_of_group  # 8 or 4 bytes an example each, of millions
    order = rng.permutation(n)
    test_rows, validation_rows, train_rows = (order[part[order] == i] for i in range(3))
    for name, rows in (("train", train_rows), ("validation", validation_rows), ("test", test_rows)):
        if len(rows) == 0:
            raise UsageError(
                f"validation, test: holding out {validation} and {test} of {n} examples leaves none for {name}"
            )
    return train_rows, validation_rows, test_rows


def cut(length: int, validation: float | int, test: float | int) -> tuple[slice, slice, slice]:
    """Where in a text of so many characters its training, validation and test parts are, one after the other: each
    held out part is a share of it, or a number of characters."""
    held_out = [amount if isinstance(amount, int) else round(amount * length) for amount in (validation, test)]
    end, begin = length - sum(held_out), length - held_out[1]
    return slice(0, max(0, end)), slice(max(0, end), max(0, begin)), slice(max(0, begin), length)


def _group(keys: Array) -> tuple[Array, Array]:
    """The rank of each key among the distinct ones, shape (N,), and how often each of these comes."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.append(True, ordered[1:] != ordered[:-1])[: len(keys)]
    del ordered
    group = np.empty(len(keys), np.int32)
    group[order] = np.cumsum(begins, dtype=np.int32) - 1
    return group, np.bincount(group)


def keys_of(task: Task, pairs: Pairs, key: str) -> Array:
    """What is compared to keep equal questions together: of many examples, 64-bit hashes of the task's keys.

    Should two different keys share a hash by chance, their examples stay together: that leaks nothing.
    """
    if len(pairs) <= LISTED:
        return task.key(pairs.sources, key)
    hashes = np.empty(len(pairs), np.uint64)
    for block in blocks(len(pairs), BLOCK):
        keys = task.key(pairs.take(block).sources, key)
        hashes[block] = hash_strings(keys) if keys.dtype.kind == "U" else keys
    return hashes


def hashes_of(task: Task, sources: Array, key: str) -> Array:
    """64-bit hashes of the keys of sources (N,), however wide their strings are."""
    keys = task.key(sources, key)
    return hash_strings(np.char.lstrip(keys, PAD)) if keys.dtype.kind == "U" else keys
