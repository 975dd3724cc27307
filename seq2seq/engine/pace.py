"""Limits how far the training loop runs ahead of MXNet's engine."""

from __future__ import annotations

import time
from typing import Any

from seq2seq.calls import Call

MOMENT = 0.1  # seconds


class Pace:
    """Keeps the engine busy, and at most about 0.2 seconds behind the loop.

    A loop that never waits queues work for many seconds, and anything else that needs the engine, such as another
    thread or a fork, would have to wait that long.

    Parameters
    ----------
    array : mxnet.NDArray
        An array that every update changes.
    """

    def __init__(self, array: Any) -> None:
        self._marks = [array.copy(), array.copy()]
        self._mark = [Call("_copyto", [array], mark) for mark in self._marks]
        self._group = 1  # updates from one mark to the next
        self._updates = 0
        self._next = 0
        self._at = time.monotonic()

    def update(self) -> None:
        """Call after each update: waits for the updates before the latest group to finish."""
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
