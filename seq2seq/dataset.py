"""A task, sizes and a seed, to training, validation and test arrays that share no question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from seq2seq.arrays import blocks, character_codes
from seq2seq.config import DataConfig, Extra
from seq2seq.drawing import DRAWN, LISTED, Note, draw, expected
from seq2seq.errors import UsageError, require
from seq2seq.lazy import cached_property
from seq2seq.splitting import BLOCK, cut, hashes_of, keys_of, split_by_key
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.measure import Sources
from seq2seq.tasks.stepwise import steps_of, stepwise
from seq2seq.tasks.text import Text
from seq2seq.vocabulary import PAD, Codec


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

    def overlap(self, task: Task, sources: np.ndarray | None = None) -> float:
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

    def _used(self, part: Examples) -> np.ndarray:
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


def _windows(ids: np.ndarray, codec: Codec) -> Examples:
    """A part of a text (L,) as examples, one after the other, in which each character is read once."""
    width = codec.source_length
    end = (len(ids) - 1) // width * width
    sources, targets = (part.reshape(-1, width) for part in (ids[:end], ids[1 : end + 1]))
    return Examples(sources, np.ascontiguousarray(targets[:, width - codec.target_length :]))


def _build_text(task: Text, config: DataConfig, codec: Codec, extra: Sequence[Extra]) -> Dataset:
    """The data set of a text, whose parts are in its order."""
    require(config.split == "position", "split", config.split, "position where a text is read")
    require(config.examples is None, "examples", config.examples, "absent where a text is read: all of it is used")
    require(not extra, "extra", list(extra), "absent where a text is read")
    [ids] = codec.vocabulary.encode([task.alphabet.read_source(task.text)], len(task.text))
    parts = [_windows(ids[part], codec) for part in cut(len(ids), config.validation, config.test)]
    for name, part in zip(("training", "validation", "test"), parts):
        if len(part) == 0:
            raise UsageError(
                f"validation, test: holding out {config.validation} and {config.test} of {len(ids)} characters leaves "
                f"too few for {name}: the model reads {codec.source_length} to predict what follows"
            )
    return Dataset(codec, "position", *parts)


def _encode(pairs: Pairs, codec: Codec, rows: np.ndarray | None = None) -> Examples:
    """Pairs as arrays, in the order of these rows: a block at a time, so that the strings are never all there."""
    n = len(pairs) if rows is None else len(rows)
    dtype = codec.vocabulary.dtype
    sources, targets = np.empty((n, codec.source_ids), dtype), np.empty((n, codec.target_length), dtype)
    for block in blocks(n, BLOCK):
        part = pairs.take(block if rows is None else rows[block])
        sources[block], targets[block] = codec.encode_sources(part.sources), codec.encode_targets(part.targets)
    return Examples(sources, targets)


def how_many_at_most(task: Task, config: DataConfig) -> int:
    """The most examples that there will be, before they are drawn."""
    if isinstance(task, Text):
        return len(task.text)
    return config.examples or min(LISTED, task.count or DRAWN)


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
    if isinstance(task, Text):
        return _build_text(task, config, codec, extra)
    rng = np.random.default_rng((seed, 0))
    expect = partial(expected, codec=codec, note=note)
    steps = stepwise(task)

    if config.split == "none":
        require(not extra, "extra", list(extra), "absent where nothing is held out (split none)")
        n = config.examples or DRAWN
        held_out = [amount if isinstance(amount, int) else max(1, round(amount * n)) for amount in
                    (config.validation, config.test)]  # fmt: skip
        expect(task, n + sum(held_out))
        train, validation, test = (task.sample(size, rng) for size in (n, *held_out))
        if not steps:
            return Dataset(codec, task.keys[0], *(_encode(part, codec) for part in (train, validation, test)))
        worked = (steps.steps_of(train), steps.steps_of(validation))
        return Dataset(codec, task.keys[0], *(_encode(part, codec) for part in (*worked, test, train)))

    require(config.split in task.keys, "split", config.split, f"none or one of {', '.join(task.keys)}")
    same = all(each.task.alphabet == task.alphabet for each in extra)
    require(same, "extra", list(extra), "of tasks that have the symbols of the task itself")
    pairs = draw(task, config.examples, rng, expect)
    rows = split_by_key(keys_of(task, pairs, config.split), config.validation, config.test, rng)
    if not (steps or extra):
        return Dataset(codec, config.split, *(_encode(pairs, codec, part) for part in rows))

    questions, validation, test = (pairs.take(part) for part in rows)
    held_out = np.concatenate([hashes_of(task, part.sources, config.split) for part in (validation, test)])
    trained = [questions, *(draw(each.task, each.examples, rng, expect) for each in extra)]
    if steps:
        trained = [steps_of(each, part) for each, part in zip((task, *(more.task for more in extra)), trained)]
        validation = steps.steps_of(validation)
    parts = []
    for part in trained:
        allowed = np.flatnonzero(~np.isin(hashes_of(task, part.sources, config.split), held_out))
        parts.append(_encode(part, codec, allowed))
    sources, targets = (np.concatenate([getattr(part, name) for part in parts]) for name in ("sources", "targets"))
    others = (_encode(part, codec) for part in (validation, test, questions))
    return Dataset(codec, config.split, Examples(sources, targets), *others)
