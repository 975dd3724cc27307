"""A lock that threads hold in turn."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class Turns:
    """A re-entrant lock that is fair: a thread that holds it again and again does not keep others from it.

    A thread that releases an `RLock` and acquires it at once mostly gets it, however many wait. Here whoever waits
    stands in a turnstile meanwhile, and a thread that comes again stands behind it.
    """

    def __init__(self) -> None:
        self._renew()
        _all.add(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._turnstile = threading.Lock()

    def __enter__(self) -> None:
        try:
            if self._held:
                self._lock.acquire()
            else:
                self._acquire()
        except BaseException:  # a signal's, perhaps after the lock was acquired
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        if self._held:  # not if the waiting was interrupted, nor in the child of a fork
            self._lock.release()

    def give_way(self) -> None:
        """If others wait, let one of them go first. For a thread that holds the lock, once, for long."""
        if self._turnstile.locked():
            self._lock.release()
            self._acquire()

    @property
    def _held(self) -> bool:
        """Whether this thread holds the lock. `Condition` asks its lock the same."""
        return self._lock._is_owned()  # type: ignore[attr-defined]

    def _acquire(self) -> None:
        with self._turnstile:
            self._lock.acquire()


_all: WeakSet[Turns] = WeakSet()


def _renew_all() -> None:
    """Forget who holds the locks and who waits: the child of a fork has none of these threads."""
    for turns in _all:
        turns._renew()


if hasattr(os, "register_at_fork"):  # where processes can fork
    os.register_at_fork(after_in_child=_renew_all)
