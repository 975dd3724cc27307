"""A task, sizes and a seed, to training, validation and test arrays that share no question."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from seq2seq.arrays import blocks, hash_strings
from seq2seq.config import DataConfig
from seq2seq.errors import UsageError, require
from seq2seq.tasks import Pairs, Task
from seq2seq.vocabulary import Codec

LISTED = 100_000  # a task with at most so many expressions is used whole
DRAWN = 50_000  # of a larger one, so many are drawn
BLOCK = 2**16  # examples that are strings at a time


@dataclass(frozen=True)
class Examples:
    """Encoded pairs: sources (N, S) and targets (N, T) of ids, targets in the order in which they are learned."""

    sources: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, rows: np.ndarray) -> Examples:
        return Examples(self.sources[rows], self.targets[rows])


@dataclass(frozen=True)
class Dataset:
    """The three splits of one experiment and the codec that reads them."""

    codec: Codec
    train: Examples
    validation: Examples
    test: Examples

    @property
    def overlap(self) -> float:
        """The share of test sources that were also trained on: measured, 0 for an honest split."""
        return float(np.isin(_rows(self.test.sources), _rows(self.train.sources)).mean())

    @property
    def fingerprint(self) -> str:
        """A digest of all three splits, to tell whether a rebuilt data set is the one that was trained on."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            for array in (part.sources, part.targets):
                digest.update(repr((array.shape, array.dtype.str)).encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _rows(ids: np.ndarray) -> np.ndarray:
    """Each row of (N, S) as one comparable value, shape (N,)."""
    ids = np.ascontiguousarray(ids)
    return ids.view(np.dtype((np.void, ids.dtype.itemsize * ids.shape[1]))).reshape(len(ids))


def split_by_key(
    keys: np.ndarray, validation: float | int, test: float | int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def _group(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each key among the distinct ones, shape (N,), and how often each of these comes."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.append(True, ordered[1:] != ordered[:-1])[: len(keys)]
    del ordered
    group = np.empty(len(keys), np.int32)
    group[order] = np.cumsum(begins, dtype=np.int32) - 1
    return group, np.bincount(group)


def _keys(task: Task, pairs: Pairs, key: str) -> np.ndarray:
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


def _encode(pairs: Pairs, codec: Codec, rows: np.ndarray | None = None) -> Examples:
    """Pairs as arrays, in the order of these rows: a block at a time, so that the strings are never all there."""
    n = len(pairs) if rows is None else len(rows)
    dtype = codec.vocabulary.dtype
    sources, targets = np.empty((n, codec.source_length), dtype), np.empty((n, codec.target_length), dtype)
    for block in blocks(n, BLOCK):
        part = pairs.take(block if rows is None else rows[block])
        sources[block], targets[block] = codec.encode_sources(part.sources), codec.encode_targets(part.targets)
    return Examples(sources, targets)


def build_dataset(task: Task, config: DataConfig, seed: int) -> Dataset:
    """Draw a task's examples, split them and encode them. The same arguments give the same arrays.

    Raises
    ------
    UsageError
        If the task has fewer examples than asked for, or no such key.
    """
    codec = Codec(task.characters, task.source_length, task.target_length, config.reverse_target)
    rng = np.random.default_rng((seed, 0))

    if config.split == "none":
        n = config.examples or DRAWN
        held_out = [amount if isinstance(amount, int) else max(1, round(amount * n)) for amount in
                    (config.validation, config.test)]  # fmt: skip
        train, validation, test = (_encode(task.sample(size, rng), codec) for size in (n, *held_out))
        return Dataset(codec, train, validation, test)

    require(config.split in task.keys, "split", config.split, f"none or one of {', '.join(task.keys)}")
    n = config.examples or (task.count if task.count <= LISTED else DRAWN)
    require(n <= task.count, "examples", config.examples, f"at most {task.count}, all that the task's options allow")
    pairs = task.list() if n == task.count <= LISTED else task.sample_distinct(n, rng)
    rows = split_by_key(_keys(task, pairs, config.split), config.validation, config.test, rng)
    train, validation, test = (_encode(pairs, codec, part) for part in rows)
    return Dataset(codec, train, validation, test)
