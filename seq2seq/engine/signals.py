"""SIGINT and SIGTERM end a training after the step under way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable


@contextmanager
def signals_ask(ask: Callable[[], bool]) -> Iterator[None]:
    """Have SIGINT and SIGTERM call `ask`, which returns whether it has been called before.

    Then a second signal does what it did before. One that is ignored, as SIGINT is in what a shell's script starts with
    `&`, stays ignored. Outside the main thread, which alone can have handlers, nothing changes.
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
