"""What an experiment of each kind does, from its options to its report. `application_of` is the one place that chooses.

Whether a run answers sources or goes on with a text is asked nowhere else: what differs is a method of an application.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seq2seq.applications.base import Application
from seq2seq.errors import require
from seq2seq.tasks import Task

if TYPE_CHECKING:
    from seq2seq.models import Model

__all__ = ["Application", "application_of"]

# By `Task.application`. They are imported when they are first used, so that none has to be there for the others.
APPLICATIONS = {
    "answering": "seq2seq.applications.answering:Answering",
    "language": "seq2seq.applications.language:Language",
}


def application_of(chooser: Task | type[Task] | Model) -> Application[Any]:
    """What an experiment does, as its task says, or the class of its tasks, or its model. Raises `UsageError` if it is
    of no known kind."""
    name = chooser.application
    require(name in APPLICATIONS, "application", name, f"one of {', '.join(APPLICATIONS)}")
    module, _, name = APPLICATIONS[name].partition(":")
    return getattr(importlib.import_module(module), name)()
