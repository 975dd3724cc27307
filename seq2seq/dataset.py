"""A task, sizes and a seed, to training, validation and test arrays that share no question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seq2seq.applications import application_of
from seq2seq.arrays import blocks, character_codes
from seq2seq.config import DataConfig, Extra
from seq2seq.drawing import Note
from seq2seq.lazy import cached_property
from seq2seq.splitting import BLOCK, hashes_of
from seq2seq.tasks import Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.measure import Sources
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


@dataclass(frozen=True)
class Examples:
    """Encoded pairs: sources (N, S) and targets (N, T) of ids, targets in the order in which they are learned."""

    sources: Array
    targets: Array

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def arrays(self) -> dict[str, Array]:
        """By the names of a model's inputs."""
        return {"source": self.sources, "target": self.targets}

    def take(self, rows: Array) -> Examples:
        return Examples(self.sources[rows], self.targets[rows])


@dataclass(frozen=True)
class Dataset:
    """The three splits of one experiment and the codec that reads them.

    Attributes
    ----------
    codec : Codec
    key : str
        What makes two sources the same question: see `Task.key`.
    train, validation, test : Examples
    questions : Examples, optional
        The training split itself, where its steps are trained on, or others beside it. By default `train`.
    """

    codec: Codec
    key: str
    train: Examples
    validation: Examples
    test: Examples
    questions: Examples | None = None

    def overlap(self, task: Task, sources: Array | None = None) -> float:
        """The share of sources that were trained on: measured, and 0 for an honest split.

        Parameters
        ----------
        task : Task
        sources : ndarray of str, shape (N,), optional
            By default the test sources.
        """
        test = self.codec.read_sources(self.test.sources) if sources is None else sources
        trained = [
            hashes_of(task, self.codec.read_sources(self.train.sources[block]), self.key)
            for block in blocks(len(self.train), BLOCK)
        ]
        return float(np.isin(hashes_of(task, test, self.key), np.concatenate(trained)).mean())

    @property
    def unseen(self) -> list[str]:
        """The symbols of held-out examples that no training example has."""
        trained, *held_out = (self._used(part) for part in (self.train, self.validation, self.test))
        new = np.flatnonzero((held_out[0] | held_out[1]) & ~trained)
        return [self.codec.alphabet.symbol(self.codec.characters[place]) for place in new]

    def _used(self, part: Examples) -> Array:
        """Which characters of the vocabulary some examples have, bool, shape (V,)."""
        used = np.zeros(len(self.codec.vocabulary), bool)
        for block in blocks(len(part), BLOCK):
            used[part.sources[block]] = used[part.targets[block]] = True
        return used

    @cached_property
    def sources(self) -> Sources:
        """What the sources of all splits are like."""
        used, lengths = np.zeros(len(self.codec.vocabulary), bool), []
        for part in (self.train, self.validation, self.test):
            for block in blocks(len(part), BLOCK):
                ids = part.sources[block]
                used[ids] = True
                lengths.append((character_codes(self.codec.read_sources(ids)) != ord(PAD)).sum(axis=1))
        used[self.codec.vocabulary.pad] = False
        symbols = sorted(self.codec.alphabet.symbol(self.codec.characters[place]) for place in np.flatnonzero(used))
        return Sources(tuple(symbols), *(int(extreme(np.concatenate(lengths))) for extreme in (np.min, np.max)))

    @property
    def fingerprint(self) -> str:
        """A digest of all three splits, to tell whether a rebuilt data set is the one that was trained on."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            for array in (part.sources, part.targets):
                digest.update(repr((array.shape, array.dtype.str)).encode())
                digest.update(np.ascontiguousarray(array).data)
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

    Of a text, these are its parts, in its order, each cut into windows that do not overlap.

    Of a stepwise task, training and validation examples are the steps of the expressions that were dealt to them.
    Whatever else is trained on, steps and extra examples, leaves out every source whose key is that of one held out.

    Parameters
    ----------
    task : Task
    config : DataConfig
    seed : int
    codec : Codec, optional
        How the model has strings; by default as `Codec` has them.
    extra : sequence of Extra
    note : callable
        Given a line to read, where the drawing takes long.

    Raises
    ------
    UsageError
        If the task has fewer examples than asked for, or no such key, or the examples would not fit into memory.
    """
    codec = codec or Codec(
        task.characters, task.source_length, task.target_length, config.reverse_target, alphabet=task.alphabet
    )
    return application_of(task).build_dataset(task, config, seed, codec, extra, note)
