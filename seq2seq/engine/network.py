"""The interface between the engine and a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from seq2seq.mx import mx
from seq2seq.typing import Array

Arrays = Mapping[str, Array]  # by name, all with the same number of rows (N, along axis 0), of any dtype
Widths = Mapping[str, int]  # by name


class Input(NamedTuple):
    """An input of a network.

    Attributes
    ----------
    shape : tuple of int
        Shape of one row: `()` for a number, `(L,)` for a sequence of L values.
    keep : str
        The part of a sequence to keep if a batch is narrower than L: `first` or `last`.
    """

    shape: tuple[int, ...]
    keep: str = "first"

    def cut(self, rows: Array, width: int) -> Array:
        """Cut rows to a width.

        Parameters
        ----------
        rows : ndarray, shape (..., L)
        width : int
            At most L.

        Returns
        -------
        ndarray, shape (..., width)
        """
        return rows[..., -width:] if self.keep == "last" else rows[..., :width]


class Network(ABC):
    """Builds the graph of a loss over named inputs. All graphs of one network have the same parameters, by name."""

    @property
    def random(self) -> bool:
        """Whether training draws random numbers on the device, as dropout does."""
        return False

    @property
    @abstractmethod
    def inputs(self) -> dict[str, Input]:
        """The network's inputs, by name."""

    @abstractmethod
    def loss(self, inputs: Mapping[str, Any], states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The summed loss of a batch, and the states for the next batch.

        Training divides the sum by the number of its terms: see `terms`.

        Parameters
        ----------
        inputs : dict of str to mxnet.Symbol
            Shapes (N,) for numbers and (L, N), time first, for sequences; of the arrays' dtype.
        states : dict of str to mxnet.Symbol
            Named and shaped as in `state_shapes`.

        Returns
        -------
        loss : mxnet.Symbol, shape (1,)
        states : dict of str to mxnet.Symbol
        """

    def terms(self, arrays: Arrays) -> Array:
        """The number of loss terms of each row.

        Parameters
        ----------
        arrays : dict of str to ndarray
            With N rows.

        Returns
        -------
        ndarray of int, shape (N,)
        """
        return np.ones(len(next(iter(arrays.values()))), np.int64)

    def narrowed(self, widths: Widths) -> Network:
        """The same network for sequences of other widths.

        Parameters
        ----------
        widths : dict of str to int
            New lengths L, by input.

        Raises
        ------
        NotImplementedError
            If the network cannot change its widths.
        """
        if widths:
            raise NotImplementedError(f"{type(self).__name__} reads its inputs in full: it has no `narrowed`")
        return self

    def state_shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the states that a batch of n rows passes to the next batch, by name, rows along axis 1.

        Empty by default: only a network that reads a stream in order has states.
        """
        return {}

    @property
    def stateful(self) -> bool:
        """Whether the network has states, so that batches must come in order."""
        return bool(self.state_shapes(1))

    def init_weights(self, weights: dict[str, Array]) -> None:  # noqa: B027  (most have nothing to do)
        """Change initial weights in place, where the network needs other values than `first_weights` draws.

        Parameters
        ----------
        weights : dict of str to ndarray
        """


def variables(names: Iterable[str]) -> dict[str, Any]:
    """An MXNet variable for each name."""
    return {name: mx.sym.var(name) for name in names}
