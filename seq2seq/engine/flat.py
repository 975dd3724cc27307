"""All parameters as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.typing import Array


class FlatParameters:
    """Where in one vector the arrays of some names lie.

    Parameters
    ----------
    shapes : dict of str to tuple of int

    Attributes
    ----------
    size : int
        Length of the vector (P).
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self._places: dict[str, tuple[int, int, tuple[int, ...]]] = {}
        end = 0
        for name, shape in shapes.items():
            start = _aligned(end)
            end = start + int(np.prod(shape))
            self._places[name] = (start, end, shape)
        self.size = _aligned(end)

    def split(self, vector: Any) -> dict[str, Any]:
        """The arrays by name: views of the vector, of NumPy or of MXNet."""
        return {name: vector[start:end].reshape(shape) for name, (start, end, shape) in self._places.items()}

    def join(self, arrays: dict[str, Array]) -> Array:
        """The inverse of `split`, for arrays of NumPy."""
        vector = np.zeros(self.size, np.float32)
        for name, view in self.split(vector).items():
            view[:] = arrays[name]
        return vector

    def sections(self, count: int) -> list[slice]:
        """The vector in so many parts of one length, or nearly."""
        edges = [_aligned(self.size * i // count) for i in range(count + 1)]
        return [slice(*edge) for edge in zip(edges, edges[1:])]


def _aligned(place: int) -> int:
    """The next place where 16 numbers begin a cache line: an update of vectors that begin elsewhere takes longer."""
    return -(-place // 16) * 16
