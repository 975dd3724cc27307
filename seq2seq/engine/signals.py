"""SIGINT and SIGTERM stop a training after the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable


@contextmanager
def signals_ask(ask: Callable[[], bool]) -> Iterator[None]:
    """Context manager in which SIGINT and SIGTERM call `ask`.

    A second signal has the effect that it had before the context. Signals that are ignored stay ignored, such as SIGINT
    in a command that a shell script starts with `&`. Outside the main thread, which alone can set handlers, nothing
    changes.

    Parameters
    ----------
    ask : callable
        Returns whether it has been called before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        if ask():
            put_back()
            signal.raise_signal(number)

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler not in (signal.SIG_IGN, None):
            before[number] = handler
            signal.signal(number, handle)
    try:
        yield
    finally:
        put_back()
