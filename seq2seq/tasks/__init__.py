"""Tasks: rules that draw (source, target) pairs of strings. One file each."""

from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.base import Pairs, Task

TASKS: dict[str, type[Task]] = {Arithmetic.name: Arithmetic}

__all__ = ["TASKS", "Arithmetic", "Pairs", "Task"]
