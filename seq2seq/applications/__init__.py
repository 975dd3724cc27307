"""An application for each kind of problem, from its options to its report. Only `application_of` chooses between them.

No other code asks whether a run answers sources or continues a text: each difference is a method of an application.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seq2seq.applications.base import Application
from seq2seq.errors import require
from seq2seq.tasks import Task

if TYPE_CHECKING:
    from seq2seq.models import BaseModel

__all__ = ["Application", "application_of"]

# By `Task.application`. Each is imported when first used, so that no application depends on another being installed.
APPLICATIONS = {
    "answering": "seq2seq.applications.answering:Answering",
    "language": "seq2seq.applications.language:Language",
    "ratings": "seq2seq.applications.ratings:RatingsApplication",
    "tabular": "seq2seq.applications.tabular:TabularApplication",
}


def application_of(chooser: Task | type[Task] | BaseModel) -> Application[Any]:
    """The application for a task, a class of tasks or a model.

    Parameters
    ----------
    chooser : Task, type of Task or BaseModel

    Returns
    -------
    Application

    Raises
    ------
    UsageError
        If there is no application with the name that it gives.
    """
    name = chooser.application
    require(name in APPLICATIONS, "application", name, f"one of {', '.join(APPLICATIONS)}")
    module, _, name = APPLICATIONS[name].partition(":")
    return getattr(importlib.import_module(module), name)()
