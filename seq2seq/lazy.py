"""Properties that are computed on first use."""

from __future__ import annotations

import functools
from typing import Any, TypeVar, overload

T = TypeVar("T")


class cached_property(functools.cached_property[T]):
    """A `functools.cached_property` without a lock, as in Python 3.12 and later.

    Earlier versions have one lock for all objects of a class: other objects wait while a file is read, and the child of
    a fork waits forever if another thread was computing a value. Here two threads may compute a value twice, and both
    get the same object.
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
