"""One thread that does all that needs MXNet, behind a queue with a limit.

MXNet's engine has one user at a time; its authors advise many producers and one consumer. The thread is also the only
one that binds graphs, so the memory that MXNet takes for a thread is taken once.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future, TimeoutError
from typing import Any, Callable, TypeVar

from seq2seq.web.replies import Refused

MOST_WAITING = 16
SECONDS = 10.0  # until a request is given up

T = TypeVar("T")


class Worker:
    """A thread that makes calls one after another.

    Parameters
    ----------
    most : int
        Maximum number of calls that wait.
    seconds : float
        How long a caller waits for its result. A call that is still in the queue then is dropped.
    """

    def __init__(self, most: int = MOST_WAITING, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._calls: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(most)
        threading.Thread(target=self._work, name="seq2seq-web", daemon=True).start()

    def do(self, call: Callable[[], T]) -> T:
        """Make a call in the thread, and return its result or raise its error.

        Raises
        ------
        Refused
            If the queue is full, or the result takes too long.
        """
        result: Future[T] = Future()
        try:
            self._calls.put_nowait((result, call))
        except queue.Full:
            raise Refused(503, "too many questions are waiting; ask again in a second", {"Retry-After": "1"}) from None
        try:
            return result.result(self._seconds)
        except TimeoutError:
            result.cancel()
            raise Refused(504, f"there was no answer within {self._seconds:g} seconds") from None

    def close(self) -> None:
        """End the thread after the calls that wait."""
        self._calls.put(None)

    def _work(self) -> None:
        while True:
            job = self._calls.get()
            if job is None:
                return
            result, call = job
            if result.set_running_or_notify_cancel():
                try:
                    result.set_result(call())
                except BaseException as error:
                    result.set_exception(error)
