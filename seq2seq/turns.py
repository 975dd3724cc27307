"""A fair lock."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class Turns:
    """A fair re-entrant lock: a thread that acquires it repeatedly does not starve other threads.

    A thread that releases an `RLock` and acquires it again immediately usually gets it, even if others wait. Here a
    waiting thread holds a second lock, the turnstile, and a thread that comes back has to wait for the turnstile.
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
        except BaseException:  # raised by a signal handler, perhaps after the lock was acquired
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        if self._held:  # not held if waiting was interrupted, or in the child of a fork
            self._lock.release()

    def give_way(self) -> None:
        """Let a waiting thread go first, if there is one. For a thread that holds the lock, once, for a long time."""
        if self._turnstile.locked():
            self._lock.release()
            self._acquire()

    @property
    def _held(self) -> bool:
        """Whether this thread holds the lock; `threading.Condition` uses the same method."""
        return self._lock._is_owned()  # type: ignore[attr-defined]

    def _acquire(self) -> None:
        with self._turnstile:
            self._lock.acquire()


_all: WeakSet[Turns] = WeakSet()


def _renew_all() -> None:
    """Replace all locks: the threads that hold them or wait do not exist in the child of a fork."""
    for turns in _all:
        turns._renew()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_all)
