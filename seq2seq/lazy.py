"""Values that are made when they are first asked for."""

from __future__ import annotations

import functools
from typing import Any, TypeVar, overload

T = TypeVar("T")


class cached_property(functools.cached_property[T]):
    """A `functools.cached_property` without a lock, as it is from Python 3.12 on.

    The lock of earlier ones is one for all objects of a class: others wait while a file is read, and the child of a
    fork waits for ever if another thread was making a value. Two threads may make a value twice; both get the same.
    """

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> cached_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return self
        name = self.attrname or ""
        if name not in vars(instance):
            vars(instance).setdefault(name, self.func(instance))
        return vars(instance)[name]
