"""The protocol of tasks that work in steps: the answer to a source follows from the answers to several questions.

`Arithmetic` with `steps="call"` is such a task, and so is `Calculator`. `Task.stepwise` tells which tasks are, and is
used only here.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, cast, runtime_checkable

from seq2seq.errors import SourceError
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task

Working = Generator[list[str], list[str], str]
Steps = list[str]


class TooLong(SourceError):
    """Thrown into a working at a question that is longer than the model can read."""


@runtime_checkable
class StepwiseTask(Protocol):
    """The methods that a task needs in addition to those of `Task`, if it works in steps."""

    @property
    def in_place(self) -> bool:
        """Whether the characters of a target stand under the characters of the source that they replace."""

    def working(self, source: str, steps: Steps) -> Working:
        """Work out a source: yield questions that can be asked together, receive the answers, return the answer.

        Parameters
        ----------
        source : str
        steps : list of str
            Receives the steps as people write them.

        Raises
        ------
        SourceError
            If there is no answer.
        """

    def steps_of(self, pairs: Pairs) -> Pairs:
        """All distinct steps of working out these sources."""


@runtime_checkable
class InPlaceTask(StepwiseTask, Protocol):
    """A task that works in steps, and knows how long they become if they are written in place."""

    @property
    def step_length(self) -> int:
        """Maximum number of characters in the source of a step."""


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
