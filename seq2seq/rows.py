"""The training, validation and test rows of a table, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seq2seq.dataset import Portion
from seq2seq.tasks import Task
from seq2seq.typing import Array


@dataclass(frozen=True)
class Rows:
    """Some rows of a table.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The inputs of a model by name, N rows each.
    places : ndarray of int, shape (N,)
        The position of each row in the table.
    """

    arrays: Mapping[str, Array]
    places: Array

    def __len__(self) -> int:
        return len(self.places)

    def take(self, rows: Any) -> Rows:
        """The rows in these positions, in this order."""
        return Rows({name: array[rows] for name, array in self.arrays.items()}, self.places[rows])

    def some(self, samples: int, rng: np.random.Generator) -> Rows:
        """All rows, or `samples` of them at random if there are more."""
        return self if len(self) <= samples else self.take(rng.choice(len(self), samples, replace=False))


@dataclass(frozen=True)
class RowsDataset:
    """The three splits of an experiment.

    Attributes
    ----------
    encoding
        Made from the training rows: see `seq2seq/encodings/`.
    train, validation, test : Rows
    mixed : tuple of Portion
        Rows of other tables, each with its share of every batch.
    """

    encoding: Any
    train: Rows
    validation: Rows
    test: Rows
    mixed: tuple[Portion, ...] = ()

    def outline(self, task: Task) -> Any:
        """What a run keeps so that it can answer without its data: the encoding."""
        return self.encoding

    @property
    def known(self) -> None:
        """None: no run has been trained on other rows before."""
        return None

    @property
    def unseen(self) -> list[str]:
        """Always empty: the task's notes say which names are rare."""
        return []

    @property
    def fingerprint(self) -> str:
        """A digest of all three splits, to check that a rebuilt data set is the same."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test, *(portion.examples for portion in self.mixed)):
            for name, array in part.arrays.items():
                digest.update(repr((name, array.shape, array.dtype.str)).encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
