"""Makes training, validation and test arrays with no question in common, from a task, sizes and a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from seq2seq.applications import application_of
from seq2seq.arrays import blocks, character_codes
from seq2seq.config import DataConfig, Extra
from seq2seq.drawing import Note
from seq2seq.lazy import cached_property
from seq2seq.splitting import BLOCK, hashes_of
from seq2seq.tasks import Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.measure import Outline, Sources
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


@dataclass(frozen=True)
class Examples:
    """Encoded pairs.

    Attributes
    ----------
    sources : ndarray of int, shape (N, S)
        Ids. Those of a long text or of many pairs are `Windows`, whose rows are read like those of an array.
    targets : ndarray of int, shape (N, T)
        Ids, in the order in which they are learned.
    """

    sources: Array
    targets: Array

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays by the names of a model's inputs."""
        return {"source": self.sources, "target": self.targets}

    def take(self, rows: Array) -> Examples:
        """The examples in these rows, in this order."""
        return Examples(self.sources[rows], self.targets[rows])


class Portion(NamedTuple):
    """Examples from which a fraction of every batch comes: see `Extra`.

    Attributes
    ----------
    examples : Examples, or another part of a data set
    share : float
    held_out : int
        Number of examples that were left out because their question is held out.
    unknown : int
        Number of rows of a table that were left out for another reason: they have a name that the table itself does not
        train on, or what they predict is out of its range.
    """

    examples: Any
    share: float
    held_out: int = 0
    unknown: int = 0

    @property
    def left_out(self) -> str:
        """What was left out, as text."""
        unknown = f"{self.unknown} with an unknown name or out of range"
        reasons = [f"{self.held_out} held out"] * (self.held_out > 0) + [unknown] * (self.unknown > 0)
        return ", ".join(reasons) or "nothing"


@dataclass(frozen=True)
class Dataset:
    """The three splits of an experiment, and their codec.

    Attributes
    ----------
    codec : Codec
    key : str
        Sources with the same value of this key are the same question: see `Task.key`.
    train, validation, test : Examples
    questions : Examples, optional
        The training split before steps are made from it or extra examples are added. By default `train`.
    mixed : tuple of Portion
        Training examples that are mixed into every batch.
    known : ndarray of uint64, or None
        Hashes of further questions that count as trained on, by the run from whose weights the training started, or by
        another member of an ensemble: see `hashes_of`. Set by `knowing`.
    """

    codec: Codec
    key: str
    train: Examples
    validation: Examples
    test: Examples
    questions: Examples | None = None
    mixed: tuple[Portion, ...] = ()
    known: Array | None = field(default=None, init=False)

    def knowing(self, hashes: Array | None) -> Dataset:
        """The same data set with these hashes as `known`."""
        other = copy(self)
        object.__setattr__(other, "known", hashes)
        return other

    @property
    def trained(self) -> list[Examples]:
        """All examples that are trained on, those that are mixed into every batch last."""
        return [self.train, *(portion.examples for portion in self.mixed)]

    def overlap(self, task: Task, sources: Array | None = None) -> float:
        """The fraction of sources that were trained on, which is 0 for a split by key unless others are `known`.

        Parameters
        ----------
        task : Task
        sources : ndarray of str, shape (N,), optional
            By default the test sources.

        Returns
        -------
        float
        """
        test = self.codec.read_sources(self.test.sources) if sources is None else sources
        return float(self.trained_on(task, test).mean())

    def trained_on(self, task: Task, sources: Array) -> Array:
        """Which sources are in the training split or `known`, by their keys.

        Parameters
        ----------
        task : Task
        sources : ndarray of str, shape (N,)

        Returns
        -------
        ndarray of bool, shape (N,)
        """
        hashes = hashes_of(task, sources, self.key)
        trained_on = np.isin(hashes, [] if self.known is None else self.known)
        for part in self.trained:
            for trained in self._hashes(task, part):
                trained_on |= np.isin(hashes, trained)
        return trained_on

    def hashes(self, task: Task, examples: Examples) -> Array:
        """The hash of the question of each example: see `hashes_of`."""
        return np.concatenate([*self._hashes(task, examples)])

    def _hashes(self, task: Task, examples: Examples) -> Iterator[Array]:
        for block in blocks(len(examples), BLOCK):
            yield hashes_of(task, self.codec.read_sources(examples.sources[block]), self.key)

    @property
    def unseen(self) -> list[str]:
        """The symbols in held-out examples that are in no training example."""
        trained = np.any([self._used(part) for part in self.trained], axis=0)
        held_out = [self._used(part) for part in (self.validation, self.test)]
        new = np.flatnonzero((held_out[0] | held_out[1]) & ~trained)
        return [self.codec.alphabet.symbol(self.codec.characters[place]) for place in new]

    def _used(self, part: Examples) -> Array:
        """Whether each character of the vocabulary is in these examples, bool, shape (V,)."""
        used = np.zeros(len(self.codec.vocabulary), bool)
        pad = self.codec.vocabulary.pad
        for block in blocks(len(part), BLOCK):
            used[part.sources[block]] = used[part.targets[block]] = True
            used[pad] = True  # it is no symbol
            if used.all():
                break
        return used

    @cached_property
    def sources(self) -> Sources:
        """The symbols and lengths of the sources in all splits, and of those that are mixed in."""
        used = np.zeros(len(self.codec.vocabulary), bool)
        lengths: set[int] = set()
        for part in (*self.trained, self.validation, self.test):
            for block in blocks(len(part), BLOCK):
                ids = part.sources[block]
                used[ids] = True
                places = (character_codes(self.codec.read_sources(ids)) != ord(PAD)).sum(axis=1)
                lengths.update((int(places.min()), int(places.max())))
        used[self.codec.vocabulary.pad] = False
        symbols = sorted(self.codec.alphabet.symbol(self.codec.characters[place]) for place in np.flatnonzero(used))
        return Sources(tuple(symbols), min(lengths), max(lengths))

    def outline(self, task: Task) -> Outline:
        """What a run keeps so that it can answer without its data."""
        return task.make_outline(lambda: self.sources)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all three splits and what is mixed in, to check that a rebuilt data set is the same."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test, *(portion.examples for portion in self.mixed)):
            for array in (part.sources, part.targets):
                digest.update(repr((array.shape, array.dtype.str)).encode())
                for block in blocks(len(array), BLOCK):
                    digest.update(np.ascontiguousarray(array[block]).data)
        return digest.hexdigest()


def build_dataset(
    task: Task,
    config: DataConfig,
    seed: int,
    codec: Codec | None = None,
    extra: Sequence[Extra] = (),
    note: Note = lambda line: None,
) -> Dataset:
    """Draw a task's examples, split them and encode them. The same arguments give the same arrays.

    A text is split into parts by position, and each part is cut into windows that do not overlap.

    For a stepwise task, the training and validation examples are the steps of the expressions in these splits. Steps
    and extra examples are not trained on if their source has the same key as a held-out source.

    Parameters
    ----------
    task : Task
    config : DataConfig
    seed : int
    codec : Codec, optional
        The model's codec; by default a `Codec` for the task.
    extra : sequence of Extra
        Further training examples.
    note : callable
        Called with a line of information if drawing takes long.

    Returns
    -------
    Dataset

    Raises
    ------
    UsageError
        If the task has fewer examples than asked for, or no such key, or the examples do not fit into memory.
    """
    codec = codec or Codec(
        task.characters, task.source_length, task.target_length, config.reverse_target, alphabet=task.alphabet
    )
    return application_of(task).build_dataset(task, config, seed, codec, extra, note)
