"""A task, sizes and a seed, to training, validation and test arrays that share no question."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from seq2seq.config import DataConfig
from seq2seq.errors import UsageError, require
from seq2seq.tasks import Pairs, Task
from seq2seq.vocabulary import Codec

LISTED = 100_000  # a task with at most so many expressions is used whole
DRAWN = 50_000  # of a larger one, so many are drawn


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
    _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    dealt = rng.permutation(len(sizes))  # groups in the order in which they are dealt: test, validation, training
    before = np.cumsum(sizes[dealt]) - sizes[dealt]  # how many examples were dealt before each group
    part_of_group = np.empty(len(sizes), np.int64)
    part_of_group[dealt] = np.digitize(before, [wanted[0], wanted[0] + wanted[1]])
    part = part_of_group[group]
    order = rng.permutation(n)
    test_rows, validation_rows, train_rows = (order[part[order] == i] for i in range(3))
    for name, rows in (("train", train_rows), ("validation", validation_rows), ("test", test_rows)):
        if len(rows) == 0:
            raise UsageError(
                f"validation, test: holding out {validation} and {test} of {n} examples leaves none for {name}"
            )
    return train_rows, validation_rows, test_rows


def build_dataset(task: Task, config: DataConfig, seed: int) -> Dataset:
    """Draw a task's examples, split them and encode them. The same arguments give the same arrays.

    Raises
    ------
    UsageError
        If the task has fewer examples than asked for, or no such key.
    """
    codec = Codec(task.characters, task.source_length, task.target_length, config.reverse_target)
    rng = np.random.default_rng((seed, 0))

    def encoded(pairs: Pairs) -> Examples:
        return Examples(codec.encode_sources(pairs.sources), codec.encode_targets(pairs.targets))

    if config.split == "none":
        n = config.examples or DRAWN
        held_out = [amount if isinstance(amount, int) else max(1, round(amount * n)) for amount in
                    (config.validation, config.test)]  # fmt: skip
        train, validation, test = (encoded(task.sample(size, rng)) for size in (n, *held_out))
        return Dataset(codec, train, validation, test)

    require(config.split in task.keys, "split", config.split, f"none or one of {', '.join(task.keys)}")
    n = config.examples or (task.count if task.count <= LISTED else DRAWN)
    require(n <= task.count, "examples", config.examples, f"at most {task.count}, all that the task's options allow")
    pairs = task.list() if n == task.count <= LISTED else task.sample_distinct(n, rng)
    keys = task.key(pairs.sources, config.split)
    rows = split_by_key(keys, config.validation, config.test, rng)
    train, validation, test = map(encoded(pairs).take, rows)
    return Dataset(codec, train, validation, test)
