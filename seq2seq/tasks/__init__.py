"""Tasks: rules that draw (source, target) pairs of strings. One file each."""

from seq2seq.tasks.addition import Addition
from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task
from seq2seq.tasks.listed import FileTask, ListTask
from seq2seq.tasks.registry import TASKS

__all__ = ["TASKS", "Addition", "Arithmetic", "FileTask", "ListTask", "Pairs", "Task"]
