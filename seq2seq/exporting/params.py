"""Reads files of arrays in MXNet's own format, `PREFIX-0000.params`, without MXNet.

Such a file is a list of arrays followed by the list of their names, `arg:NAME` for parameters and `aux:NAME` for
auxiliary states. All numbers are little-endian. Only dense arrays of 32-bit floats are read, and every size is checked
against what is left of the file before anything is allocated.
"""

from __future__ import annotations

import math

import numpy as np

from seq2seq.typing import Array

LIST = 0x112
ARRAYS = (0xF993FAC9, 0xF993FACA)  # versions 2 and 3, of MXNet 0.12 and later
DENSE = 0
FLOAT32 = 0
MOST_DIMENSIONS = 8


class _Reader:
    """Takes values from the front of the content of a file. Raises `ValueError` where it ends."""

    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)

    def take(self, count: int) -> memoryview:
        if count > len(self._left):
            raise ValueError("is damaged: it ends too early")
        taken = self._left[:count]
        self._left = self._left[count:]
        return taken

    def number(self, size: int) -> int:
        """An integer of this many bytes, from 0."""
        return int.from_bytes(self.take(size), "little")

    @property
    def is_done(self) -> bool:
        return not self._left


def read_params(content: bytes) -> dict[str, Array]:
    """Read the content of a file.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    dict of str to ndarray of float32
        Parameters and auxiliary states by name.

    Raises
    ------
    ValueError
        If it is not such a file, is damaged, or has other arrays than dense ones of finite 32-bit floats.
    """
    reader = _Reader(content)
    if len(content) < 8 or reader.number(8) != LIST:
        raise ValueError("is not a file of MXNet's arrays")
    reader.number(8)  # reserved
    count = reader.number(8)
    arrays: list[Array] = []
    while len(arrays) < count:
        arrays.append(_array(reader))  # which raises an error at the end of the file, whatever the count
    if reader.number(8) != count:
        raise ValueError("is damaged: it has not as many names as arrays")
    names = [bytes(reader.take(reader.number(8))).decode(errors="replace") for _ in range(count)]
    if not reader.is_done or len({*names}) < count or not all(name[:4] in ("arg:", "aux:") for name in names):
        raise ValueError("is damaged: its names are not those of parameters")
    return {name[4:]: array for name, array in zip(names, arrays)}


def _array(reader: _Reader) -> Array:
    if reader.number(4) not in ARRAYS or reader.number(4) != DENSE:
        raise ValueError("holds arrays that are not dense, or of another version of MXNet")
    dimensions = reader.number(4)
    if dimensions > MOST_DIMENSIONS:
        raise ValueError("is damaged: it has an array of impossible shape")
    shape = tuple(reader.number(8) for _ in range(dimensions))
    reader.take(8)  # the device
    if reader.number(4) != FLOAT32:
        raise ValueError("holds arrays that are not of 32-bit floats")
    array = np.frombuffer(reader.take(4 * math.prod(shape)), "<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("holds values that are not finite")
    return array.astype(np.float32)
