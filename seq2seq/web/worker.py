"""One thread that does all that needs MXNet, behind a queue with a limit.

MXNet's engine has one user at a time; its authors advise many producers and one consumer. The thread is also the only
one that binds graphs, so the memory that MXNet takes for a thread is taken once.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Callable, NamedTuple, TypeVar

from seq2seq.web.replies import Refused

MOST_WAITING = 32
SECONDS = 10.0  # until a request is given up
OPENING_SECONDS = 60.0  # until a request that waits for a run to be opened is answered that it has to be asked again
LOOK = 1.0  # after so many seconds a caller looks again whether a run is being opened
AGAIN = {"Retry-After": "1"}

T = TypeVar("T")


class _Job(NamedTuple):
    """A call that waits or is being made.

    Attributes
    ----------
    call : callable
    is_gone : callable
        Whether the client has closed its connection.
    result : Future
    given_up : Event
        Set when the caller does not wait any longer.
    """

    call: Callable[[], Any]
    is_gone: Callable[[], bool]
    result: Future[Any]
    given_up: threading.Event

    @property
    def is_wanted(self) -> bool:
        return not (self.given_up.is_set() or self.is_gone())


class Worker:
    """A thread that makes calls one after another.

    Parameters
    ----------
    most : int
        Maximum number of calls that wait.
    seconds : float
        How long a caller waits for its result, not counting the time in which a run is opened. A call that is still in
        the queue then is dropped, and one that is being made ends at its next `check`.
    opening_seconds : float
        How long a caller waits if a run is being opened all this time.
    """

    def __init__(
        self, most: int = MOST_WAITING, seconds: float = SECONDS, opening_seconds: float = OPENING_SECONDS
    ) -> None:
        self._seconds = seconds
        self._opening_seconds = opening_seconds
        self._jobs: queue.Queue[_Job | None] = queue.Queue(most)
        self._job: _Job | None = None
        self._is_opening = False
        self._opened = 0.0  # when the last run was opened
        threading.Thread(target=self._work, name="seq2seq-web", daemon=True).start()

    def do(self, call: Callable[[], T], is_gone: Callable[[], bool] = lambda: False) -> T:
        """Make a call in the thread, and return its result or raise its error.

        Parameters
        ----------
        call : callable
        is_gone : callable, optional
            Whether nobody waits for the result any more.

        Raises
        ------
        Refused
            If the queue is full, or the result takes too long.
        """
        job = _Job(call, is_gone, Future(), threading.Event())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Refused(503, "too many questions are waiting; ask again in a second", AGAIN) from None
        start = time.monotonic()
        while not job.result.done() and (left := self._left(start)) > 0:
            wait([job.result], min(left, LOOK))
        if not job.result.done():
            job.given_up.set()
            if self._is_opening:
                raise Refused(503, "a run is being opened; ask again in a second", AGAIN)
            raise Refused(504, f"there was no answer within {self._seconds:g} seconds")
        result: T = job.result.result()
        return result

    def _left(self, start: float) -> float:
        """How many seconds a caller waits now that has waited since `start`."""
        if self._is_opening:
            return start + self._opening_seconds - time.monotonic()
        return max(start, self._opened) + self._seconds - time.monotonic()

    @contextmanager
    def opening(self) -> Iterator[None]:
        """While a run is opened by a call: the time of this is not counted."""
        self._is_opening = True
        try:
            yield
        finally:
            self._opened = time.monotonic()
            self._is_opening = False

    def check(self) -> None:
        """Raise an error if nobody waits for the call that is being made. For calls that take long, between steps."""
        if self._job is not None and not self._job.is_wanted:
            raise Refused(504, "nobody waits for this answer any more")

    def close(self) -> None:
        """End the thread after the calls that wait."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._job = job
            try:
                self.check()
                job.result.set_result(job.call())
            except BaseException as error:
                job.result.set_exception(error)
