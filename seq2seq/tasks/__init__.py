"""Tasks: rules that draw (source, target) pairs of strings. One file each."""

from seq2seq.tasks.addition import Addition
from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.base import Pairs, Task

TASKS: dict[str, type[Task]] = {task.name: task for task in (Arithmetic, Addition)}

__all__ = ["TASKS", "Addition", "Arithmetic", "Pairs", "Task"]
