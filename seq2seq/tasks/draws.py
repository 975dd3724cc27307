"""Pairs drawn one at a time, for a task that has `draw`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from seq2seq.errors import SourceError, UsageError
from seq2seq.tasks.arrays import require_pair

if TYPE_CHECKING:
    from seq2seq.tasks.base import Task

TRIES = 1000  # draws in a row that do not fit, or give nothing new, before the search ends


def drawn(task: Task, rng: np.random.Generator) -> tuple[str, str]:
    """A pair, as people write it. Raises `UsageError` if the task did not draw a pair of strings."""
    pair = task.draw(rng)
    require_pair(pair, f"draw: a pair of the task {task.name}", (task.source_separator, task.target_separator))
    return pair


def fitting(task: Task, rng: np.random.Generator) -> tuple[str, str]:
    """The first pair drawn that has only known symbols and is not too long, with one character per symbol."""
    for _ in range(TRIES):
        pair = drawn(task, rng)
        with contextlib.suppress(SourceError):
            return task.read_pair(pair)
    raise UsageError(
        f"draw: {TRIES} pairs of the task {task.name} in a row had other symbols, or more, than it says: "
        f"sources up to {task.source_length}, targets up to {task.target_length}"
    )


def distinct(task: Task, n: int, rng: np.random.Generator) -> Iterable[tuple[str, str]]:
    """`n` pairs with different sources, or fewer: see `Task.sample_up_to`."""
    found: dict[str, str] = {}
    repeats = 0
    while len(found) < n and repeats < TRIES + len(found):
        source, target = fitting(task, rng)
        repeats = repeats + 1 if source in found else 0
        found.setdefault(source, target)
    return found.items()
