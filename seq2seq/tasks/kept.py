"""The data that a run keeps for a task besides its options, read when they are first used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Callable

from seq2seq.errors import RunError
from seq2seq.lazy import cached_property
from seq2seq.tasks.base import Task
from seq2seq.tasks.measure import Measure, Outline

MOST_KEPT = 2**28  # bytes of pairs or text that a run can keep


class Kept:
    """A placeholder for a value that is read on first use. It is equal to that value.

    Parameters
    ----------
    read : callable
        Returns the value. It may raise `RunError`; `TypeError` and `ValueError` are converted to it.
    name : str
        The name of the file.
    """

    def __init__(self, read: Callable[[], Any], name: str) -> None:
        self._read, self._name = read, name

    @cached_property
    def value(self) -> Any:
        try:
            return self._read()
        except (TypeError, ValueError) as error:
            raise RunError(f"{self._name}: {error}") from None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, Kept) else other)

    def __hash__(self) -> int:
        return hash(self.value)


class KeptTask(Task):
    """A task with the field `given`: the data that it learns from instead of a file. A run keeps them.

    In a run that has an outline of its data, `given` is read when it is first used.
    """

    given: Any
    _also: tuple[KeptTask, ...] = ()  # other tasks whose data its symbols and lengths cover

    @classmethod
    def later(cls, options: dict[str, Any], read: Callable[[], str | None], name: str) -> Task:
        return cls(**options, given=Kept(partial(_given, cls, options, read), name))  # type: ignore[call-arg]

    def covering(self, tasks: Sequence[Task]) -> Task:
        also = [task for task in tasks if isinstance(task, KeptTask)]
        if [*map(id, also)] == [*map(id, self._also)]:
            return self
        task: Any = self
        other: KeptTask = replace(task)  # without what this one has found in its own data alone
        other.cover(also)
        return other

    def cover(self, tasks: Sequence[Task]) -> None:
        vars(self)["_also"] = tuple(task for task in tasks if isinstance(task, KeptTask))

    def _measured(self, pairs: Iterable[tuple[str, str]]) -> Measure:
        return super()._measured(pairs).joined(task._measure for task in self._also)

    @classmethod
    def opened(cls, options: dict[str, Any], read: Callable[[], str | None], outline: Outline | None) -> Task:
        if outline is None or outline.measure is None:
            return super().opened(options, read, outline)
        task = cls.later(options, read, cls.kept_as)
        task._recall(outline)
        return task


def _given(cls: type[KeptTask], options: dict[str, Any], read: Callable[[], str | None]) -> Any:
    task = cls.restored(options, read())
    assert isinstance(task, KeptTask)
    return task.given
