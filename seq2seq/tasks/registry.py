"""Tasks by name: those that come with the library, and those that other packages offer.

A package offers a task by an entry point of the group `seq2seq.tasks`, such as this in its `pyproject.toml`:

    [project.entry-points."seq2seq.tasks"]
    double = "my_package.tasks:Double"
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from seq2seq.errors import Seq2SeqError
from seq2seq.lazy import cached_property
from seq2seq.tasks.base import Task

GROUP = "seq2seq.tasks"
BUILT_IN = {
    "arithmetic": "seq2seq.tasks.arithmetic:Arithmetic",
    "addition": "seq2seq.tasks.addition:Addition",
    "copy": "seq2seq.tasks.strings:Copy",
    "reverse": "seq2seq.tasks.strings:Reverse",
    "sort": "seq2seq.tasks.strings:Sort",
    "dates": "seq2seq.tasks.dates:Dates",
    "roman": "seq2seq.tasks.roman:Roman",
    "spelling": "seq2seq.tasks.spelling:Spelling",
    "pronunciation": "seq2seq.tasks.pronunciation:Pronunciation",
    "pairs": "seq2seq.tasks.pairs:PairsTask",
    "text": "seq2seq.tasks.text:Text",
}


class Registry(Mapping[str, type[Task]]):
    """Task classes by name, loaded when they are asked for: `TASKS["copy"]`.

    Other packages are looked at only for a name that is not built in, or to tell all names. A task that cannot be
    loaded raises a `Seq2SeqError`, and only when it is asked for.
    """

    @cached_property
    def _offered(self) -> dict[str, Any]:
        """The entry points of other packages, by name; a built-in task keeps its own."""
        from importlib import metadata  # takes as long as all tasks together

        points: Any = metadata.entry_points()  # before Python 3.10 a dict of lists, which cannot be asked for a group
        found = points.select(group=GROUP) if hasattr(points, "select") else points.get(GROUP, ())
        return {point.name: point for point in found if point.name not in BUILT_IN}

    def __getitem__(self, name: str) -> type[Task]:
        if name in BUILT_IN:
            module, _, attribute = BUILT_IN[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        point = self._offered[name]
        try:
            task = point.load()
        except Exception as error:  # whatever another package's code may raise
            raise Seq2SeqError(f"task {name}: {point.value} cannot be loaded: {error!r}") from None
        if not (isinstance(task, type) and issubclass(task, Task) and getattr(task, "name", None) == name):
            raise Seq2SeqError(f"task {name}: {point.value} is not a Task whose name is {name!r}")
        return task

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in self._offered

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from sorted(self._offered)

    def __len__(self) -> int:
        return len(BUILT_IN) + len(self._offered)


TASKS = Registry()
