"""The part of many runs that one of several processes does, such as a task of a job array."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from seq2seq.errors import require, short

Item = TypeVar("Item")
JOBS = "Slurm's SLURM_ARRAY_TASK_ID, or Kubernetes' JOB_COMPLETION_INDEX with JOB_COMPLETIONS"


class Shard(NamedTuple):
    """One of several parts, numbered from 1."""

    number: int
    parts: int

    def __str__(self) -> str:
        return f"{self.number}/{self.parts}"

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Every N-th item, where N is the number of parts: together, the parts have each item once."""
        return items[self.number - 1 :: self.parts]


def shard(text: str) -> Shard:
    """`2/4` as the second of four parts."""
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        problem = f"got {short(text)}, but it must be I/N such as 2/4, with I from 1 to N"
        raise argparse.ArgumentTypeError(problem)
    return Shard(int(match[1]), int(match[2]))


def shard_of_job(environ: Mapping[str, str] = os.environ) -> Shard | None:
    """The part of this process as a task of a Slurm array or a pod of an indexed Kubernetes job, or None.

    Parameters
    ----------
    environ : mapping of str to str
        The variables of the process. Slurm numbers the tasks from `SLURM_ARRAY_TASK_MIN` in steps; Kubernetes numbers
        the pods from 0 and does not tell them how many there are.

    Raises
    ------
    UsageError
        If the tasks of an array are not numbered evenly, or a variable is missing or not a number.
    """
    if "SLURM_ARRAY_TASK_ID" in environ:
        task, least, most, step, count = (
            _whole(environ, f"SLURM_ARRAY_TASK_{name}") for name in ("ID", "MIN", "MAX", "STEP", "COUNT")
        )
        numbers = range(least, most + 1, max(1, step))
        even = len(numbers) == count and task in numbers
        allowed = f"one of {count} numbers in equal steps, {least} to {most}; or give --shard"
        require(even, "SLURM_ARRAY_TASK_ID", task, allowed)
        return Shard(numbers.index(task) + 1, count)
    if "JOB_COMPLETION_INDEX" in environ:
        index, count = (_whole(environ, name) for name in ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"))
        require(index < count, "JOB_COMPLETION_INDEX", index, f"below {count}, which is JOB_COMPLETIONS")
        return Shard(index + 1, count)
    return None


def _whole(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name)
    good = value is not None and re.fullmatch(r"\d{1,9}", value, re.ASCII) is not None
    require(good, name, value, "a whole number in the environment of the job; or give --shard")
    return int(value or 0)
