"""Things by name: those that come with the library, and those that other packages offer.

A package offers one by an entry point, such as these in its `pyproject.toml`:

    [project.entry-points."seq2seq.tasks"]
    double = "my_package.tasks:Double"

    [project.entry-points."seq2seq.models"]
    mine = "my_package.models:MyModel"
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from seq2seq.errors import Seq2SeqError, require
from seq2seq.lazy import cached_property

T = TypeVar("T")


class Registry(Mapping[str, type[T]]):
    """Classes by name, loaded when they are asked for: `TASKS["copy"]`.

    Other packages are looked at only for a name that is not built in, or to list all names. What cannot be loaded
    raises a `Seq2SeqError`, and only when it is asked for.

    Parameters
    ----------
    kind : str
        What they are, as messages have it: `task`. The entry points' group is `seq2seq.` and its plural.
    built_in : dict of str to str
        `module:Class` by name.
    base : str
        The `module:Class` that all of them must be a subclass of.
    named : bool
        Whether each has its own name as the attribute `name`.
    """

    def __init__(self, kind: str, built_in: Mapping[str, str], base: str, named: bool = False) -> None:
        self.kind = kind
        self.built_in = dict(built_in)
        self._base = base
        self._named = named
        self._registered: dict[str, type[T]] = {}

    @cached_property
    def _offered(self) -> dict[str, Any]:
        """The entry points of other packages, by name; what is built in keeps its name."""
        from importlib import metadata  # takes as long as all tasks together

        group = f"seq2seq.{self.kind}s"
        points: Any = metadata.entry_points()  # before Python 3.10 a dict of lists, which cannot be asked for a group
        found = points.select(group=group) if hasattr(points, "select") else points.get(group, ())
        return {point.name: point for point in found if point.name not in self.built_in}

    def register(self, name: str, found: type[T]) -> None:
        """Have a class found by a name in this process. What is built in keeps its name.

        Raises `UsageError` or `Seq2SeqError` if the name cannot be used, or the class is no such thing.
        """
        good = isinstance(name, str) and re.fullmatch("[a-z0-9][a-z0-9_-]*", name) and name != "auto"
        require(bool(good), "name", name, "small letters, digits, _ and -, and not auto")
        require(name not in self.built_in, "name", name, f"none of {', '.join(self.built_in)}")
        self._registered[name] = self._checked(name, found, getattr(found, "__qualname__", repr(found)))

    def __getitem__(self, name: str) -> type[T]:
        if name in self.built_in:
            return cast("type[T]", _load(self.built_in[name]))
        if name in self._registered:
            return self._registered[name]
        point = self._offered[name]
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # whatever another package's code may raise
            raise Seq2SeqError(f"{self.kind} {name}: {point.value} cannot be loaded: {error!r}") from None
        return self._checked(name, found, point.value)

    def _checked(self, name: str, found: Any, place: str) -> type[T]:
        """What was found, if it is what it should be. Raises `Seq2SeqError`."""
        base = _load(self._base)
        good = isinstance(found, type) and issubclass(found, base)
        if not good:
            raise Seq2SeqError(f"{self.kind} {name}: {place} is not a {base.__name__}")
        if self._named and getattr(found, "name", None) != name:
            raise Seq2SeqError(f"{self.kind} {name}: {place} is not a {base.__name__} whose name is {name!r}")
        return cast("type[T]", found)

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._registered or name in self._offered

    def __iter__(self) -> Iterator[str]:
        yield from self.built_in
        yield from sorted({**self._registered, **self._offered})

    def __len__(self) -> int:
        return len(list(iter(self)))


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
