"""How many examples of a task there are, and the drawing of them."""

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

LISTED = 100_000  # a task with at most so many expressions is used whole
DRAWN = 50_000  # of a larger one, so many are drawn
TRIED, LONG = 1000, 10.0  # draws that tell how long all of them will take, and the seconds from which on that is said
Note = Callable[[str], None]
Expect = Callable[[Task, int], None]


def draw(task: Task, examples: int | None, rng: np.random.Generator, expect: Expect) -> Pairs:
    """So many distinct pairs. By default all, or of a task that has more than `LISTED`, `DRAWN`; of one that does not
    know how many it has, `DRAWN` or as many as are found. How many there will be is said first."""
    if task.count is None:
        expect(task, examples or DRAWN)
        return task.sample_distinct(examples, rng) if examples else task.sample_up_to(DRAWN, rng)
    n = examples or (task.count if task.count <= LISTED else DRAWN)
    require(n <= task.count, "examples", examples, f"at most {counted(task.count)}, all that the task's options allow")
    expect(task, n)
    return task.list() if n == task.count <= LISTED else task.sample_distinct(n, rng)


def expected(task: Task, n: int, codec: Codec, note: Note) -> None:
    """Say how long so many examples may take to draw, if that is long. Raises `UsageError` if no machine holds them."""
    require_memory(f"examples {n}", of_examples(codec, n))
    tried = min(TRIED, n // 20)
    if tried == 0 or isinstance(task, ListTask):
        return
    started = time.perf_counter()
    task.sample(tried, np.random.default_rng(0))
    seconds = (time.perf_counter() - started) * n / tried
    if seconds >= LONG:
        note(f"drawing {n} examples of {task.name}, which may take {math.ceil(seconds / 60)} min")
