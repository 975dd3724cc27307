"""Describe every task and its options."""

from __future__ import annotations

import argparse

from seq2seq.cli import invocation
from seq2seq.cli.options import add_options
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import say
from seq2seq.errors import Seq2SeqError, require
from seq2seq.tasks import TASKS, Task


def make_task(name: str) -> Task:
    """The task with this name and its default options. Raises `UsageError` if there is none."""
    require(name in TASKS, "task", name, f"one of {', '.join(TASKS)}")
    try:
        return TASKS[name]()
    except TypeError as error:
        raise Seq2SeqError(f"task {name}: cannot be made without options: {error}") from None


def list_tasks() -> None:
    """Print the name, description and options of each task."""
    for name in TASKS:
        try:
            task = make_task(name)
        except Seq2SeqError as error:  # a task of another package; the others are still listed
            say(f"{invocation.name()}: {error}")
            continue
        parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, add_help=False)
        group = parser.add_argument_group(f"{name}: {(task.__doc__ or '').strip().partition(chr(10))[0].rstrip('.')}")
        add_options(group, task, "task.")
        print(parser.format_help().strip() if task.options() else group.title)
        print()


def main() -> int:
    Parser("Describe every task that `train` can learn, and its options.").parse_args()
    list_tasks()
    return 0
