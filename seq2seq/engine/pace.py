"""How far a training runs ahead of the engine."""

from __future__ import annotations

import time
from typing import Any

from seq2seq.calls import Call

MOMENT = 0.1  # seconds


class Pace:
    """Keeps the engine busy, and lets it fall no more than about two tenths of a second behind.

    A loop that never waits gives the engine work for many seconds, and whoever asks it for anything else, such as an
    answer in another thread or a fork, waits as long.

    Parameters
    ----------
    array : mxnet.NDArray
        What every update changes.
    """

    def __init__(self, array: Any) -> None:
        self._marks = [array.copy(), array.copy()]
        self._mark = [Call("_copyto", [array], mark) for mark in self._marks]
        self._group = 1  # updates from one mark to the next
        self._updates = 0
        self._next = 0
        self._at = time.monotonic()

    def update(self) -> None:
        """To be called after each update: waits until the group of updates before the last one is done."""
        self._updates += 1
        if self._updates < self._group:
            return
        self._updates = 0
        self._mark[self._next]()
        self._next = 1 - self._next
        self._marks[self._next].wait_to_read()
        now = time.monotonic()
        if now - self._at < MOMENT / 2:
            self._group *= 2
        elif now - self._at > MOMENT and self._group > 1:
            self._group //= 2
        self._at = now
