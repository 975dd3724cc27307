"""The processes that train one network together, such as those of an MPI job (`seq2seq/mpi.py`)."""

from __future__ import annotations

import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable, TypeVar

import numpy as np

from seq2seq.errors import RunError, TrainingInterrupted, UsageError
from seq2seq.typing import Array

T = TypeVar("T")
MESSAGE = 1024  # bytes of an error that the other processes get


class Ranks(ABC):
    """The processes that train one network together. All of them call the same methods in the same order.

    It is a context manager: an error inside it ends all processes.

    Attributes
    ----------
    number : int
        This process, counted from 0. The first one alone writes files and shows progress.
    count : int
        The number of processes.
    """

    number: int
    count: int

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and not isinstance(error, TrainingInterrupted):  # which all processes agree on
            self.fail(error)

    @property
    def first(self) -> bool:
        return self.number == 0

    @property
    def named(self) -> str:
        """This process for messages."""
        return f"process {self.number} on {socket.gethostname()}"

    def own(self, shards: int) -> range:
        """The shards that this process computes.

        Raises
        ------
        UsageError
            If there are fewer shards than processes.
        """
        if shards < self.count:
            raise UsageError(
                f"shards: {shards} are too few for {self.count} processes, each of which computes whole shards; start "
                f"at most {shards}, or begin a run with more shards"
            )
        return self.share(shards)

    def share(self, pieces: int) -> range:
        """The pieces of a work that this process does; with more processes than pieces, some do nothing."""
        return _parts(pieces, self.count)[self.number]

    def complete(self, arrays: Sequence[Array], pieces: Sequence[Array], what: str) -> None:
        """Complete arrays of which every process has the rows that belong to its own pieces of a work.

        Parameters
        ----------
        arrays : sequence of ndarray, shape (N, ...)
            Contiguous, with elements of 4 or 8 bytes; changed in place.
        pieces : sequence of ndarray of int
            The rows that belong to each piece, at least one.
        what : str
            For messages.
        """
        if self.count == 1 or not len(pieces):
            return
        most = max(map(len, pieces))
        own = self.share(len(pieces))
        for array in arrays:
            content = array.reshape(len(array), -1).view(np.uint32)
            sent = np.zeros((len(pieces), most, content.shape[1]), np.uint32)
            for piece in own:
                sent[piece, : len(pieces[piece])] = content[pieces[piece]]
            self.gather(sent.reshape(len(pieces), -1).view(np.float32), what)
            for rows, received in zip(pieces, sent):
                content[rows] = received[: len(rows)]

    def once(self, compute: Callable[[], T], what: str) -> T:
        """The value that a function has in the first process, for all of them.

        Parameters
        ----------
        compute : callable
            Returns a plain value for JSON. Only the first process calls it.
        what : str
            What the other processes wait for, for messages.
        """
        if self.count == 1:
            return compute()
        content = json.dumps(compute(), default=float).encode() if self.first else b""
        value: T = json.loads(self.broadcast(content, what))
        return value

    @contextmanager
    def together(self, what: str) -> Iterator[None]:
        """Let an error inside the block, in any of the processes, be raised in all of them.

        So each can tidy up, and none goes on alone. Nothing may be sent inside the block.

        Parameters
        ----------
        what : str
            What the other processes wait for, for messages.
        """
        own: Exception | None = None
        try:
            yield
        except Exception as error:
            own = error
        if self.count > 1:
            self._raise_of_others(own, what)
        if own is not None:
            raise own

    def _raise_of_others(self, own: Exception | None, what: str) -> None:
        """Tell the other processes about an error here, and raise one of theirs if there is none here."""
        rows = np.zeros((self.count, MESSAGE), np.uint8)
        if own is not None:
            kind = b"U" if isinstance(own, UsageError) else b"R"
            text = kind + f"{self.named}: {own}".encode(errors="replace")
            rows[self.number, : min(len(text), MESSAGE)] = np.frombuffer(text[:MESSAGE], np.uint8)
        self.gather(rows.view(np.float32), what)
        texts = [row.tobytes().rstrip(b"\0").decode(errors="ignore") for row in rows]
        found = next(filter(None, texts), "")
        if found and own is None:
            raise (UsageError if found[0] == "U" else RunError)(found[1:])

    def require_same(self, what: str, value: Any) -> None:
        """Raise `RunError` in all processes if a plain value of one of them differs from that of the first process."""
        own = json.dumps(value)
        same = self.once(lambda: own, what) == own
        with self.together(what):
            if not same:
                raise RunError(
                    f"{what}: not the same here as in the first process; do the files differ between the machines, or "
                    "the versions of NumPy or of this library?"
                )

    @abstractmethod
    def gather(self, rows: Array, what: str) -> None:
        """Complete an array of which every process has the rows of its own shards.

        Parameters
        ----------
        rows : ndarray of float32, shape (shards, L)
            Changed in place.
        what : str
            For messages.
        """

    @abstractmethod
    def broadcast(self, content: bytes, what: str) -> bytes:
        """The content that the first process gives; what the others give is not used."""

    def fail(self, error: BaseException) -> None:  # noqa: B027  (one process alone has nobody to end)
        """Let the other processes end too when this one ends because of an error."""


class Alone(Ranks):
    """One process, which computes all shards."""

    number = 0
    count = 1

    def gather(self, rows: Array, what: str) -> None:
        """Do nothing: all rows are there."""

    def broadcast(self, content: bytes, what: str) -> bytes:
        return content


ALONE = Alone()


def _parts(shards: int, count: int) -> list[range]:
    """The shards of each process: contiguous, and of some processes one more than of the others."""
    edges = [0, *np.cumsum([len(part) for part in np.array_split(np.arange(shards), count)]).tolist()]
    return [range(*edge) for edge in zip(edges, edges[1:])]


def rows_of(shards: int, count: int) -> list[int]:
    """The number of shards of each process."""
    return [len(part) for part in _parts(shards, count)]
