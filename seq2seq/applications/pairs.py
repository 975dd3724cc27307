"""The examples of a task of pairs: drawn, split so that no question is in two parts, and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import Dataset, Examples, Portion
from seq2seq.drawing import DRAWN, Expect, Note, draw, expected
from seq2seq.errors import SourceError, UsageError, require
from seq2seq.splitting import BLOCK, hashes_of, keys_of, split_by_key
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.stepwise import steps_of, stepwise
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


def build_pairs(task: Task, config: DataConfig, seed: int, codec: Codec, extra: Sequence[Extra], note: Note) -> Dataset:
    """Make the data set of a task of pairs: see `seq2seq.dataset.build_dataset`.

    Parameters
    ----------
    task, config, seed, codec, extra, note
        As in `build_dataset`.

    Raises
    ------
    UsageError
        If the options do not fit the task.
    """
    rng = np.random.default_rng((seed, 0))
    expect = partial(expected, codec=codec, note=note)
    encoded = partial(encode, codec=codec)
    steps = stepwise(task)

    if config.split == "none":
        for each in extra:
            require(False, each.option, each.shown, "absent where nothing is held out (split none)")
        n = config.examples or DRAWN
        sizes = [n]
        for amount in (config.validation, config.test):
            sizes.append(amount if isinstance(amount, int) else max(1, round(amount * n)))
        expect(task, sum(sizes))
        train, validation, test = (task.sample(size, rng) for size in sizes)
        if not steps:
            return Dataset(codec, task.keys[0], encoded(train), encoded(validation), encoded(test))
        worked = (encoded(steps.steps_of(train)), encoded(steps.steps_of(validation)))
        return Dataset(codec, task.keys[0], *worked, encoded(test), encoded(train))

    require(config.split in task.keys, "split", config.split, f"none or one of {', '.join(task.keys)}")
    for each in extra:
        same = _same_symbols(task, each.task)
        require(same, each.option, each.shown, "a source that has the symbols of the task itself")
    pairs = draw(task, config.examples, rng, expect)
    rows = split_by_key(keys_of(task, pairs, config.split), config.validation, config.test, rng)
    if not (steps or extra):
        first, second, third = (encoded(pairs, rows=part) for part in rows)
        return Dataset(codec, config.split, first, second, third)

    questions, validation, test = (pairs.take(part) for part in rows)
    held_out = np.concatenate([hashes_of(task, part.sources, config.split) for part in (validation, test)])
    trained = [questions, *(_drawn(task, each, rng, expect) for each in extra)]
    if steps:
        trained = [steps_of(each, part) for each, part in zip((task, *(more.task for more in extra)), trained)]
        validation = steps.steps_of(validation)
    parts: list[Examples] = []
    mixed = []
    for part, source in zip(trained, (None, *extra)):
        allowed = np.flatnonzero(~np.isin(hashes_of(task, part.sources, config.split), held_out))
        if source is None or source.share is None:
            parts.append(encode(part, codec, allowed))
            continue
        require(len(allowed) > 0, "mix", source.shown, "a source with examples that are not held out")
        mixed.append(Portion(encode(part, codec, allowed), source.share, len(part) - len(allowed)))
    sources, targets = (np.concatenate([getattr(part, name) for part in parts]) for name in ("sources", "targets"))
    return Dataset(
        codec, config.split, Examples(sources, targets), encoded(validation), encoded(test), encoded(questions),
        tuple(mixed),
    )  # fmt: skip


def _same_symbols(task: Task, other: Task) -> bool:
    """Whether another task's strings can be examples of a task."""
    if type(other).keep is Task.keep:
        return other.alphabet == task.alphabet
    kinds = [(each.application, each.source_separator, each.target_separator) for each in (task, other)]
    return kinds[0] == kinds[1]


def _drawn(task: Task, extra: Extra, rng: np.random.Generator, expect: Expect) -> Pairs:
    """The examples of an extra task, with the characters that represent the symbols of the task itself."""
    other = extra.task
    if type(other).keep is Task.keep:
        return draw(other, extra.examples, rng, expect)
    pairs = draw(other, extra.examples or other.count, rng, expect)
    try:
        return task.written(other.shown(pairs))
    except SourceError as error:
        raise UsageError(f"{extra.option}: {extra.shown}: {error}") from None


def encode(pairs: Pairs, codec: Codec, rows: Array | None = None) -> Examples:
    """Encode pairs as arrays, block by block, so that not all strings are in memory at once.

    Parameters
    ----------
    pairs : Pairs
    codec : Codec
    rows : ndarray of int, optional
        The pairs to encode, in order; by default all.

    Returns
    -------
    Examples
    """
    n = len(pairs) if rows is None else len(rows)
    dtype = codec.vocabulary.dtype
    sources = np.empty((n, codec.source_ids), dtype)
    targets = np.empty((n, codec.target_length), dtype)
    for block in blocks(n, BLOCK):
        part = pairs.take(block if rows is None else rows[block])
        sources[block] = codec.encode_sources(part.sources)
        targets[block] = codec.encode_targets(part.targets)
    return Examples(sources, targets)


def hashes_read(dataset: Dataset, read: Codec, task: Task, codec: Codec, key: str) -> Array:
    """The hashes of the training sources of a data set that are also sources of another task.

    Parameters
    ----------
    dataset, read, task, codec, key
        As in `Application.questions`.

    Returns
    -------
    ndarray of uint64, shape (N,)
        Without repeats. A source counts whatever its targets are.
    """
    found = [np.empty(0, np.uint64)]
    for part in dataset.trained:
        for block in blocks(len(part), BLOCK):
            sources = []
            for source in read.decode_sources(np.unique(part.sources[block], axis=0)):
                with suppress(SourceError):
                    sources.append(codec.alphabet.read_source(task.normalise(source)))
            known = [source for source in sources if set(source) <= set(codec.characters)]
            if known:
                found.append(hashes_of(task, np.array(known), key))
    return np.unique(np.concatenate(found))
