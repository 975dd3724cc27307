"""What a task says that is worked out in steps: a target is its source after one step, and the answer stays the same.

`Arithmetic` with a step a call is such a task. It says so by `Task.stepwise`, which is asked here alone.
"""

from __future__ import annotations

from typing import Protocol, cast, runtime_checkable

from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task


@runtime_checkable
class StepwiseTask(Protocol):
    """The hooks that a task has beside its own, if it works in steps."""

    @property
    def in_place(self) -> bool:
        """Whether a target's characters stand under those of the source that they are worked out from."""

    def head(self, source: str) -> int:
        """How many characters from the start a step of working a source out has to look at."""

    def steps_of(self, pairs: Pairs) -> Pairs:
        """Every step of working these sources out, each once."""


def stepwise(task: Task) -> StepwiseTask | None:
    """The hooks of a task that works in steps; None if an answer is one call."""
    return cast(StepwiseTask, task) if task.stepwise else None


def in_place(task: Task) -> bool:
    """Whether a task works in steps, and writes each in its source's place."""
    steps = stepwise(task)
    return steps is not None and steps.in_place


def steps_of(task: Task, pairs: Pairs) -> Pairs:
    """Every step of working these sources out, whether or not the task itself is asked for them; of a task that has no
    steps, the pairs themselves."""
    return task.steps_of(pairs) if isinstance(task, StepwiseTask) else pairs
