"""Data in a temporary file, of which parts are read when they are needed, so that any amount takes no memory.

The file is read and not mapped, because pages of a map count as memory of the process. It has no name, so it is gone
when the process ends, in whatever way, and what happens to the data's own file meanwhile does not matter.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

from seq2seq.errors import Seq2SeqError
from seq2seq.typing import Array

NEAR = 2**10  # bytes between two rows that take less time to read than another call of the system


class Stored:
    """Bytes in a temporary file.

    Parameters
    ----------
    what : str
        What they are, for messages.

    Raises
    ------
    Seq2SeqError
        If there is no place for a temporary file.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._size = 0
        try:
            self._file = tempfile.TemporaryFile(prefix="seq2seq-", buffering=0)  # noqa: SIM115  (open as long as it is read)
        except OSError as error:
            raise self._no_place(error) from None

    def __len__(self) -> int:
        return self._size

    def append(self, content: bytes) -> None:
        """Add bytes at the end. Raises `Seq2SeqError` if there is no place for them."""
        left = memoryview(content)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._no_place(error) from None
        self._size += len(content)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`."""
        parts = []
        while start < stop:
            part = os.pread(self._file.fileno(), stop - start, start)
            if not part:
                raise Seq2SeqError(f"a temporary file of {self._what} has become shorter")
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def _no_place(self, error: OSError) -> Seq2SeqError:
        folder = tempfile.gettempdir() if tempfile.tempdir else "TMPDIR"
        message = f"cannot hold {self._what}: {error.strerror}; TMPDIR can name another folder"
        return Seq2SeqError(f"{folder}: {message}")


class StoredIds:
    """A sequence of ids in a temporary file.

    Parameters
    ----------
    vocabulary_size : int
        All ids are less.
    dtype : dtype
        The type of the ids that are read. In the file they take as few bytes as they need.
    what : str
        What they are ids of, for messages.

    Raises
    ------
    Seq2SeqError
        If there is no place for a temporary file.
    """

    def __init__(self, vocabulary_size: int, dtype: Any, what: str = "the text") -> None:
        self.dtype = np.dtype(dtype)
        self._inner = np.min_scalar_type(vocabulary_size - 1)
        self._stored = Stored(f"the ids of {what}")

    def __len__(self) -> int:
        return len(self._stored) // self._inner.itemsize

    def append(self, ids: Array) -> None:
        """Add ids, shape (n,), at the end. Raises `Seq2SeqError` if there is no place for them."""
        self._stored.append(ids.astype(self._inner, copy=False).tobytes())

    def read(self, start: int, stop: int) -> Array:
        """The ids from `start` to `stop`, shape (stop - start,)."""
        size = self._inner.itemsize
        content = self._stored.read(start * size, stop * size)
        return np.frombuffer(content, self._inner).astype(self.dtype, copy=False)


class Windows:
    """Rows of stored ids, each a number of places after the one before; they are read like rows of an array.

    Parameters
    ----------
    ids : StoredIds
    begin : int
        The place of the first row's first id.
    rows : int
        Number of rows (N).
    step : int
        Ids from the beginning of a row to that of the next.
    width : int
        Ids of a row, at most `step`.
    """

    def __init__(self, ids: StoredIds, begin: int, rows: int, step: int, width: int) -> None:
        self._ids = ids
        self._begin = begin
        self._step = step
        self.shape = (rows, width)
        self.dtype = ids.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        """The rows of a slice without a step, or with these numbers, in an array of any shape."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self._read(start, max(start, stop))
        numbers = np.asarray(rows)
        flat = numbers.reshape(-1)
        order = np.argsort(flat, kind="stable")
        ordered = flat[order]
        found = np.empty((len(flat), self.shape[1]), self.dtype)
        # Rows that are near each other in the file are read together.
        near = 1 + NEAR // (self._step * self.dtype.itemsize)
        begin = 0
        for end in [*(np.flatnonzero(np.diff(ordered) > near) + 1).tolist(), len(flat)][: len(flat)]:
            first = int(ordered[begin])
            run = self._read(first, int(ordered[end - 1]) + 1)
            found[order[begin:end]] = run[ordered[begin:end] - first]
            begin = end
        return found.reshape(*numbers.shape, self.shape[1])

    def _read(self, start: int, stop: int) -> Array:
        begin = self._begin + start * self._step
        ids = self._ids.read(begin, begin + (stop - start - 1) * self._step + self.shape[1] if stop > start else begin)
        if self._step == self.shape[1]:
            return ids.reshape(stop - start, self._step)
        whole = np.zeros((stop - start) * self._step, self.dtype)
        whole[: len(ids)] = ids
        return np.ascontiguousarray(whole.reshape(stop - start, self._step)[:, : self.shape[1]])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """All rows, in memory."""
        return self[:].astype(dtype or self.dtype, copy=False)
