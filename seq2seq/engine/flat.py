"""All parameters as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.typing import Array


class FlatParameters:
    """The layout of named arrays in one vector.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Shape of each array, by name.

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
        """Views of each array in a vector.

        Parameters
        ----------
        vector : ndarray or mxnet.NDArray, shape (P,)

        Returns
        -------
        dict of str to ndarray or mxnet.NDArray
        """
        return {name: vector[start:end].reshape(shape) for name, (start, end, shape) in self._places.items()}

    def join(self, arrays: dict[str, Array]) -> Array:
        """Copy NumPy arrays into a new vector, the inverse of `split`.

        Parameters
        ----------
        arrays : dict of str to ndarray

        Returns
        -------
        ndarray of float32, shape (P,)
        """
        vector = np.zeros(self.size, np.float32)
        for name, view in self.split(vector).items():
            view[:] = arrays[name]
        return vector

    def sections(self, count: int) -> list[slice]:
        """Slices that divide the vector into `count` sections of nearly equal length."""
        edges = [_aligned(self.size * i // count) for i in range(count + 1)]
        return [slice(*edge) for edge in zip(edges, edges[1:])]


def _aligned(place: int) -> int:
    """Round up to a multiple of 16 numbers (64 bytes, a cache line): operators are slower on unaligned vectors."""
    return -(-place // 16) * 16
