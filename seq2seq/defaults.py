"""Where options that nobody gives come from: a preset that was tuned on the task, or else the data.

The task's own fields and the options that someone gives come first. What is chosen from the data is told when training
begins, and kept in `config.json` like any other option. Each application says how it chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seq2seq.applications import application_of
from seq2seq.applications.answering import Answering
from seq2seq.config import Config
from seq2seq.tasks import Task

CHOSEN = Answering.chosen


def has_preset(task: Task) -> bool:
    """Whether a task begins from a preset that was tuned on it."""
    return task.preset is not None


def choose(task: Task, options: Mapping[str, Any]) -> Config:
    """A complete experiment for a task, before the options that were given are set: see `Application.choose`."""
    return application_of(task).choose(task, options)
