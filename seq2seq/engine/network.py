"""What the engine asks of a network, and the arrays that it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from seq2seq.mx import mx
from seq2seq.typing import Array

Arrays = Mapping[str, Array]  # by name, all with as many rows (N along axis 0), of any dtype
Widths = Mapping[str, int]  # by name


class Input(NamedTuple):
    """One of a network's inputs.

    Attributes
    ----------
    shape : tuple of int
        Of a row: `()` is a number, `(L,)` a sequence of L values.
    keep : str
        Which values of a sequence are read where a batch is narrower than L: its `first` or its `last` ones.
    """

    shape: tuple[int, ...]
    keep: str = "first"

    def cut(self, rows: Array, width: int) -> Array:
        """Rows (..., L) in a width of at most L."""
        return rows[..., -width:] if self.keep == "last" else rows[..., :width]


class Network(ABC):
    """A loss as a graph over named inputs. Graphs that one network builds have the same parameters, by name."""

    @property
    def random(self) -> bool:
        """Whether training draws random numbers on the device, as dropout does."""
        return False

    @property
    @abstractmethod
    def inputs(self) -> dict[str, Input]:
        """What it reads, by name."""

    @abstractmethod
    def loss(self, inputs: Mapping[str, Any], states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The loss of a batch as a sum, and the states that the next batch continues from.

        Training divides the sum by how many terms it has: see `terms`.

        Parameters
        ----------
        inputs : dict of str to mxnet.Symbol
            Rows last, so that a sequence has time first: shapes (N,) and (L, N), of the arrays' dtype.
        states : dict of str to mxnet.Symbol
            By the names of `state_shapes`.

        Returns
        -------
        loss : mxnet.Symbol, shape (1,)
        states : dict of str to mxnet.Symbol
        """

    def terms(self, arrays: Arrays) -> Array:
        """How many terms each row adds to the loss, int, shape (N,)."""
        return np.ones(len(next(iter(arrays.values()))), np.int64)

    def narrowed(self, widths: Widths) -> Network:
        """The same network for sequences of other widths."""
        if widths:
            raise NotImplementedError(f"{type(self).__name__} reads its inputs in full: it has no `narrowed`")
        return self

    def state_shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        """What each batch of n rows hands on to the next, by name, rows along axis 1: nothing, unless a network reads
        a stream in its order."""
        return {}

    @property
    def stateful(self) -> bool:
        """Whether batches must follow each other."""
        return bool(self.state_shapes(1))

    def init_weights(self, weights: dict[str, Array]) -> None:  # noqa: B027  (most have nothing to do)
        """Change the first weights, in place, where they are not to be drawn as all others are."""


def variables(names: Iterable[str]) -> dict[str, Any]:
    """A variable of MXNet for each name."""
    return {name: mx.sym.var(name) for name in names}
