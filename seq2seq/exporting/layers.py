"""Recurrent and dense layers as ONNX nodes, from the weights of MXNet's fused operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.exporting.graph import Graph, Value
from seq2seq.typing import Array

Weights = Mapping[str, Array]


class Cell(NamedTuple):
    """A kind of recurrent cell.

    Attributes
    ----------
    operator : str
        ONNX's operator.
    gates : tuple of int
        MXNet's gates in the order of ONNX.
    states : int
        Number of states.
    attributes : dict
        Attributes of the operator, for one direction.
    """

    operator: str
    gates: tuple[int, ...]
    states: int
    attributes: dict[str, Any]


CELLS = {
    "lstm": Cell("LSTM", (0, 3, 1, 2), 2, {}),  # input, forget, cell, output to input, output, forget, cell
    "gru": Cell("GRU", (1, 0, 2), 1, {"linear_before_reset": 1}),  # reset, update, new to update, reset, new
    "tanh": Cell("RNN", (0,), 1, {"activations": ["Tanh"]}),
    "relu": Cell("RNN", (0,), 1, {"activations": ["Relu"]}),
}


class Layers:
    """A stack of recurrent layers.

    Parameters
    ----------
    parameters : ndarray, shape (P,)
        The vector of all parameters, as for MXNet's fused operator: the weights of each layer and direction, for its
        inputs and for its states, and then all their biases in the same order.
    cell : str
        A name in `CELLS`.
    read, hidden, count : int
        Size of an input of the first layer (C), units per layer and direction (H), and number of layers.
    bidirectional : bool
    """

    def __init__(
        self, parameters: Array, cell: str, read: int, hidden: int, count: int, bidirectional: bool = False
    ) -> None:
        self._cell = CELLS[cell]
        self._hidden = hidden
        self._directions = 2 if bidirectional else 1
        self._layers = []
        rows = len(self._cell.gates) * hidden
        rest = parameters
        shapes = [(read, hidden), *[(self._directions * hidden, hidden)] * (count - 1)]
        weights = []
        for widths in shapes:
            for _ in range(self._directions):
                for width in widths:
                    weights.append(self._ordered(rest[: rows * width].reshape(rows, width)))
                    rest = rest[rows * width :]
        biases = [self._ordered(bias) for bias in rest.reshape(-1, rows)]
        assert len(biases) == len(weights)
        for start in range(0, len(weights), 2 * self._directions):
            own = slice(start, start + 2 * self._directions)
            of_biases = np.stack(biases[own]).reshape(self._directions, 2 * rows)
            self._layers.append((np.stack(weights[own][::2]), np.stack(weights[own][1::2]), of_biases))

    def _ordered(self, gates: Array) -> Array:
        """The rows of all gates, in the order of ONNX."""
        parts = np.split(gates, len(self._cell.gates))
        return np.concatenate([parts[gate] for gate in self._cell.gates])

    def __call__(self, graph: Graph, vectors: Value, begin: Sequence[Value] = ()) -> tuple[Value, list[Value]]:
        """Apply the layers.

        Parameters
        ----------
        graph : Graph
        vectors : str
            Shape (T, N, C).
        begin : sequence of str
            Initial states, shape (layers * directions, N, H) each; zeros by default.

        Returns
        -------
        outputs : str
            Shape (T, N, H), or (T, N, 2H) if bidirectional.
        states : list of str
            The final states.
        """
        both = self._directions == 2
        cell = self._cell
        attributes = cell.attributes
        if "activations" in attributes:
            attributes = {"activations": attributes["activations"] * self._directions}
        finals: list[list[Value]] = []
        for number, weights in enumerate(self._layers):
            first = [part(graph, state, number * self._directions, self._directions) for state in begin]
            if len(self._layers) == 1:
                first = list(begin)
            outputs, *after = graph(
                cell.operator, vectors, *weights, *([""] if begin else []), *first, outputs=1 + cell.states,
                hidden_size=self._hidden, direction="bidirectional" if both else "forward", **attributes,
            )  # fmt: skip
            finals.append(after)
            if both:
                turned = graph("Transpose", outputs, perm=[0, 2, 1, 3])  # (T, N, directions, H)
                vectors = graph("Reshape", turned, [0, 0, 2 * self._hidden])
            else:
                vectors = graph("Squeeze", outputs, [1])
        if len(finals) == 1:
            return vectors, finals[0]
        return vectors, [graph("Concat", *states, axis=0) for states in zip(*finals)]

    def joined(self, graph: Graph, states: Value) -> Value:
        """Concatenate the states of both directions in each layer: (layers * directions, N, H) to (layers, N, D)."""
        if self._directions == 1:
            return states
        apart = graph("Reshape", states, [len(self._layers), 2, -1, self._hidden])
        return str(graph("Reshape", graph("Transpose", apart, perm=[0, 2, 1, 3]), [0, 0, 2 * self._hidden]))

    def last(self, graph: Graph, states: Value) -> Value:
        """The states of the last layer: (layers * directions, N, H) to (1, N, D)."""
        joined = self.joined(graph, states)
        return joined if len(self._layers) == 1 else part(graph, joined, len(self._layers) - 1, 1)


def part(graph: Graph, value: Value, start: int, count: int, axis: int = 0) -> Value:
    """`count` entries along an axis."""
    return str(graph("Slice", value, [start], [start + count], [axis]))


def one_hot(graph: Graph, ids: Value, size: int) -> Value:
    """One-hot vectors of ids; all zeros for the id `size`."""
    return str(graph("OneHot", ids, size, np.array([0, 1], np.float32), axis=-1))


def dense(graph: Graph, values: Value, weights: Weights, name: str) -> Value:
    """A dense layer over the last axis."""
    return str(graph("Add", graph("MatMul", values, weights[f"{name}_weight"].T), weights[f"{name}_bias"]))
