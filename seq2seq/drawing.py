"""Draws the examples of a task."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from seq2seq.errors import require
from seq2seq.memory import of_examples, require_memory
from seq2seq.tasks import ListTask, Pairs, Task
from seq2seq.values import counted
from seq2seq.vocabulary import Codec

LISTED = 100_000  # a task with at most this number of pairs is used whole
DRAWN = 50_000  # the number of pairs drawn from a larger task
TRIED = 1000  # draws from which the time for all draws is estimated, ...
LONG = 10.0  # ... and the number of seconds from which on the user is informed
Note = Callable[[str], None]
Expect = Callable[[Task, int], None]


def draw(task: Task, examples: int | None, rng: np.random.Generator, expect: Expect) -> Pairs:
    """Draw distinct pairs of a task.

    Parameters
    ----------
    task : Task
    examples : int, optional
        The number of pairs. By default all pairs, or `DRAWN` if the task has more than `LISTED`. If the task does not
        know its number of pairs, `DRAWN`, or fewer if no more are found.
    rng : numpy.random.Generator
    expect : callable
        Called with the task and the expected number of pairs before they are drawn.

    Returns
    -------
    Pairs

    Raises
    ------
    UsageError
        If the task has fewer pairs.
    """
    if task.count is None:
        expect(task, examples or DRAWN)
        return task.sample_distinct(examples, rng) if examples else task.sample_up_to(DRAWN, rng)
    n = examples or (task.count if task.count <= LISTED else DRAWN)
    require(n <= task.count, "examples", examples, f"at most {counted(task.count)}, all that the task's options allow")
    expect(task, n)
    return task.list() if n == task.count <= LISTED else task.sample_distinct(n, rng)


def expected(task: Task, n: int, codec: Codec, note: Note) -> None:
    """Inform the user if drawing will take long, and check that the examples fit into memory.

    Parameters
    ----------
    task : Task
    n : int
        Number of examples.
    codec : Codec
    note : callable
        Called with a line of information.

    Raises
    ------
    UsageError
        If there is not enough memory.
    """
    require_memory(f"examples {n}", of_examples(codec, n))
    tried = min(TRIED, n // 20)
    if tried == 0 or isinstance(task, ListTask):
        return
    started = time.perf_counter()
    task.sample(tried, np.random.default_rng(0))
    seconds = (time.perf_counter() - started) * n / tried
    if seconds >= LONG:
        note(f"drawing {n} examples of {task.name}, which may take {math.ceil(seconds / 60)} min")
