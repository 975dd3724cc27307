"""The protocol of tasks that work in steps: a target is its source after one step, with the same value.

`Arithmetic` with `steps="call"` is such a task. `Task.stepwise` tells which tasks are, and is used only here.
"""

from __future__ import annotations

from typing import Protocol, cast, runtime_checkable

from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task


@runtime_checkable
class StepwiseTask(Protocol):
    """The methods that a task needs in addition to those of `Task`, if it works in steps."""

    @property
    def in_place(self) -> bool:
        """Whether the characters of a target stand under the characters of the source that they replace."""

    def head(self, source: str) -> int:
        """The number of characters at the start of a source that one step depends on."""

    def steps_of(self, pairs: Pairs) -> Pairs:
        """All distinct steps of working out these sources."""


def stepwise(task: Task) -> StepwiseTask | None:
    """The task, if it works in steps; None if an answer takes a single call."""
    return cast(StepwiseTask, task) if task.stepwise else None


def in_place(task: Task) -> bool:
    """Whether a task works in steps and writes each step in place of its source."""
    steps = stepwise(task)
    return steps is not None and steps.in_place


def steps_of(task: Task, pairs: Pairs) -> Pairs:
    """All distinct steps of working out these sources, also for a task with the methods that answers in a single call.
    For a task without steps, the pairs themselves."""
    return task.steps_of(pairs) if isinstance(task, StepwiseTask) else pairs
