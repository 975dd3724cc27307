"""Registries of classes by name: built-in ones, and those of other packages.

Another package registers a class with an entry point in its `pyproject.toml`:

    [project.entry-points."seq2seq.tasks"]
    double = "my_package.tasks:Double"

    [project.entry-points."seq2seq.models"]
    mine = "my_package.models:MyModel"
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from seq2seq.errors import Seq2SeqError, require
from seq2seq.lazy import cached_property
from seq2seq.values import is_name

T = TypeVar("T")


class Registry(Mapping[str, type[T]]):
    """Classes by name, loaded on first use: `TASKS["copy"]`.

    Other packages are searched only for names that are not built in, or to list all names. A class that cannot be
    loaded raises a `Seq2SeqError`, but only when it is used.

    Parameters
    ----------
    kind : str
        The kind of class for messages, such as `task`. The group of the entry points is `seq2seq.` and the plural.
    built_in : dict of str to str
        `module:Class` by name.
    base : str
        The base class of all classes, as `module:Class`.
    named : bool
        Whether the attribute `name` of each class must be its name in the registry.
    """

    def __init__(self, kind: str, built_in: Mapping[str, str], base: str, named: bool = False) -> None:
        self.kind = kind
        self.built_in = dict(built_in)
        self._base = base
        self._named = named
        self._registered: dict[str, type[T]] = {}

    @cached_property
    def _offered(self) -> dict[str, Any]:
        """The entry points of other packages, by name; built-in names cannot be replaced."""
        from importlib import metadata  # its import takes as long as that of all tasks

        group = f"seq2seq.{self.kind}s"
        points: Any = metadata.entry_points()  # before Python 3.10 a dict of lists, without `select`
        found = points.select(group=group) if hasattr(points, "select") else points.get(group, ())
        return {point.name: point for point in found if point.name not in self.built_in}

    def register(self, name: str, found: type[T]) -> None:
        """Register a class in this process.

        Parameters
        ----------
        name : str
            Small letters, digits, `_` and `-`. Must not be the name of a built-in class, nor `auto`.
        found : type

        Raises
        ------
        UsageError
            If the name cannot be used.
        Seq2SeqError
            If the class has the wrong base class or the wrong name.
        """
        require(is_name(name) and name != "auto", "name", name, "small letters, digits, _ and -, and not auto")
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
        except (Exception, SystemExit) as error:  # the code of another package may raise anything
            raise Seq2SeqError(f"{self.kind} {name}: {point.value} cannot be loaded: {error!r}") from None
        return self._checked(name, found, point.value)

    def _checked(self, name: str, found: Any, place: str) -> type[T]:
        """The class, after a check of its base class and its name. Raises `Seq2SeqError`."""
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
