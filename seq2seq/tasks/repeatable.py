"""A check that a task gives the same pairs each time, which evaluating and resuming need."""

from __future__ import annotations

import numpy as np

from seq2seq.errors import UsageError
from seq2seq.tasks.base import Task
from seq2seq.tasks.listed import ListTask, in_order

COMPARED = 97  # pairs that are drawn again: a prime number, so that a cyclic counter has not returned to its start


def require_repeatable(task: Task, again: Task) -> None:
    """Raise `UsageError` unless a task, and a copy made from its options, give the same pairs each time.

    An order that depends on a set is the same within a process, and is not detected.
    """
    if isinstance(task, ListTask) and isinstance(again, ListTask):
        for each in (task, again):
            pairs = each.pairs()
            if in_order([*pairs], of=pairs) != task._listed:
                raise UsageError(f"task {task.name}: pairs gives others each time, or in another order")
    drawn = [each.shown(each.sample(COMPARED, np.random.default_rng(0))) for each in (task, task, again)]
    if drawn[0] != drawn[1] or drawn[0] != drawn[2]:
        name = "draw" if type(task).sample is Task.sample else "sample"
        raise UsageError(f"task {task.name}: {name} gives other pairs for the same rng; draw from rng alone")
