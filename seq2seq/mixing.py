"""Further sources of training examples, each with its share of every batch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seq2seq.config import Extra
from seq2seq.errors import is_number, require
from seq2seq.places import PathLike
from seq2seq.tasks import TASKS, Task
from seq2seq.tasks.pairs import PairsTask
from seq2seq.values import plain

ALLOWED = "a list of (task or path, fraction)"


def mixtures(task: Task, mix: Sequence[tuple[Task | PathLike, float]]) -> list[Extra]:
    """The sources that are mixed into the batches of a task: see `Extra`.

    Parameters
    ----------
    task : Task
    mix : sequence of (Task or path, float)
        Each source, and the fraction of every batch that comes from it. A path is a file that is read as the task's own
        or, for a task without a file, a file of pairs.

    Raises
    ------
    UsageError
        If something else is given, or a fraction is not between 0 and 1.
    """
    require(isinstance(mix, Sequence) and not isinstance(mix, str), "mix", mix, ALLOWED)
    extra: list[Extra] = []
    for each in mix:
        good = isinstance(each, Sequence) and not isinstance(each, str) and len(each) == 2
        require(good and isinstance(each[0], (Task, str, os.PathLike)), "mix", each, ALLOWED)
        source, share = plain(each)
        other = source if isinstance(source, Task) else read_as(task, os.fspath(source))
        found = other.name in TASKS or type(other) is type(task)
        require(found, "mix", other.name, "a task of the same class, or one that is found by its name")
        require(is_number(share) and 0 < share < 1, "mix", share, "a fraction of a batch between 0 and 1")
        extra.append(Extra(other, share=share))
    shares = [each.share or 0 for each in extra]
    require(sum(shares) < 1, "mix", shares, "fractions that leave a part of each batch to the task itself")
    return extra


def read_as(task: Task, path: str) -> Task:
    """Another file, read with the options of a task or, for a task without a file, as pairs."""
    if type(task).keep is Task.keep:
        return PairsTask(path=path)
    own: Any = task
    return replace(own, path=path, given=None)
