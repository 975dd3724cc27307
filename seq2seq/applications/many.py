"""The examples of pairs that are too many for memory: those to train on are encoded into a temporary file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import Dataset, Examples
from seq2seq.errors import require
from seq2seq.splitting import number_of, require_parts
from seq2seq.stored import StoredIds, Windows
from seq2seq.tasks import Task
from seq2seq.tasks.blocks import Reading
from seq2seq.tasks.many import ManyPairs
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

TRAIN, VALIDATION, TEST, UNUSED = range(4)


def build_many(
    task: Task, many: ManyPairs, config: DataConfig, seed: int, codec: Codec, extra: Sequence[Extra]
) -> Dataset:
    """Make the data set of a task with very many pairs, split at random.

    The training examples are in the order of the pairs. Those held out are in memory, in random order.

    Parameters
    ----------
    task, config, seed, codec, extra
        As in `seq2seq.dataset.build_dataset`.
    many : ManyPairs
        The pairs of the task. Different sources are different questions.

    Returns
    -------
    Dataset

    Raises
    ------
    UsageError
        If the options do not fit the task, or other examples are mixed in.
    """
    require(config.split in task.keys, "split", config.split, f"{task.keys[0]}, as the pairs are too many for memory")
    for each in extra:
        require(False, each.option, each.shown, "absent, as the pairs of the task itself are too many for memory")
    rng = np.random.default_rng((seed, 0))
    part_of = _dealt(len(many), config, rng)
    ids = StoredIds(len(codec.vocabulary), codec.vocabulary.dtype, "the pairs")
    held_out: dict[int, list[Array]] = {VALIDATION: [], TEST: []}
    reading = Reading(f"encoding {task.name}", len(many))
    done = 0
    for pairs in many.blocks():
        rows = _encoded(pairs, codec)
        parts = part_of[done : done + len(rows)]
        ids.append(rows[parts == TRAIN].reshape(-1))
        for part, found in held_out.items():
            found.append(rows[parts == part])
        done += len(rows)
        reading.at(done)
    validation, test = (_apart(rng.permutation(np.concatenate(found)), codec) for found in held_out.values())
    return Dataset(codec, config.split, _stored(ids, codec), validation, test)


def _stored(ids: StoredIds, codec: Codec) -> Examples:
    """The examples of stored rows, which stay where they are."""
    width = codec.source_ids
    whole = width + codec.target_length
    n = len(ids) // whole
    sources: Any = Windows(ids, 0, n, whole, width)
    targets: Any = Windows(ids, width, n, whole, codec.target_length)
    return Examples(sources, targets)


def _apart(rows: Array, codec: Codec) -> Examples:
    sources, targets = np.split(rows, [codec.source_ids], axis=1)
    return Examples(np.ascontiguousarray(sources), np.ascontiguousarray(targets))


def _dealt(count: int, config: DataConfig, rng: np.random.Generator) -> Array:
    """The part of each pair, shape (count,)."""
    n = config.examples or count
    require(n <= count, "examples", n, f"at most {count}, all that the task has")
    test, validation = (number_of(amount, n) for amount in (config.test, config.validation))
    require_parts(n, config.validation, config.test, n - validation - test, validation, test)
    order = rng.permutation(count)
    part_of = np.full(count, UNUSED, np.uint8)
    part_of[order[:n]] = TRAIN
    part_of[order[:test]] = TEST
    part_of[order[test : test + validation]] = VALIDATION
    return part_of


def _encoded(pairs: list[tuple[str, str]], codec: Codec) -> Array:
    """The ids of each source, and after them those of its target, shape (n, S + T)."""
    alphabet = codec.alphabet
    sources = codec.encode_sources([alphabet.read_source(source) for source, _ in pairs])
    targets = codec.encode_targets([alphabet.read_target(target) for _, target in pairs])
    return np.concatenate([sources, targets], axis=1)
