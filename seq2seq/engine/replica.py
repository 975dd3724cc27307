"""One worker's part of every update: its copy of the weights, its graphs, and its section of the vector."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seq2seq.calls import Call
from seq2seq.models import Model
from seq2seq.mx import mx
from seq2seq.workers import Worker


class Layout:
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

    def join(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
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


class Graph(NamedTuple):
    """The loss, bound for some number of examples (n): its ids (S + T, n), what adds its value to the sum, and what
    carries its states to the next batch."""

    executor: Any
    ids: Any
    add_loss: Call
    carry: list[Call]


class Share:
    """One worker's part of every update.

    Parameters
    ----------
    worker : Worker
    model : Model
    layout : Layout
    section : slice
        Of the vector, what this worker looks after.
    loss_sum : mxnet.NDArray, shape (1,)
        What the loss is added to.
    rows : int
        How many examples of a whole batch are its own.

    Attributes
    ----------
    weights, gradients : mxnet.NDArray, shape (P,)
    own_weights, own_gradients : mxnet.NDArray, shape (section,)
        The section's weights, and after `add_up` the sum of its gradients.
    states : dict of str to mxnet.NDArray
        What the next batch goes on from, of a model that carries any.
    add_up, fetch : list of Call
        What exchanges gradients and weights with the other shares: nothing where there are none.
    """

    def __init__(self, worker: Worker, model: Model, layout: Layout, section: slice, loss_sum: Any, rows: int) -> None:
        self.worker, self.model, self.layout, self.section, self.loss_sum = worker, model, layout, section, loss_sum
        self.weights, self.gradients = (mx.nd.zeros((layout.size,), worker.device) for _ in range(2))
        self.own_weights, self.own_gradients = self.weights, self.gradients
        if section.stop - section.start < layout.size:
            # Arrays of their own: the engine lets only one operator at a time write to any part of an array.
            self.own_weights, self.own_gradients = (mx.nd.zeros_like(self.weights[section]) for _ in range(2))
        self.states = {name: mx.nd.zeros(shape, worker.device) for name, shape in model.state_shapes(rows).items()}
        self.add_up: list[Call] = []
        self.fetch: list[Call] = []
        self._graphs: dict[tuple[int, ...], Graph] = {}

    def graph(self, n: int, source_length: int, target_length: int, dtype: Any) -> Graph:
        """The graph for so many examples of these widths. All of one share have its weights and its working memory."""
        key = (n, source_length, target_length)
        if key not in self._graphs:
            model, length = self.model.resized(source_length, target_length), source_length + target_length
            symbol = mx.sym.var("ids")
            source = mx.sym.slice_axis(symbol, axis=0, begin=0, end=source_length)
            target = mx.sym.slice_axis(symbol, axis=0, begin=source_length, end=length)
            ids = mx.nd.zeros((length, n), self.worker.device, dtype)
            loss, after = model.loss_and_states(source, target, {name: mx.sym.var(name) for name in self.states})
            executor = self.worker.bind(
                mx.sym.Group([loss, *after.values()]),
                {"ids": ids, **self.states},
                self.layout.split(self.weights),
                self.layout.split(self.gradients),
                shared=next((graph.executor for graph in self._graphs.values()), None),
            )
            add_loss = Call("add_n", [self.loss_sum, executor.outputs[0]], self.loss_sum, num_args=2)
            carry = [Call("_copyto", [new], self.states[name]) for name, new in zip(after, executor.outputs[1:])]
            self._graphs[key] = Graph(executor, ids, add_loss, carry)
        return self._graphs[key]

    def meet(self, shares: list[Share]) -> None:
        """Make ready to exchange with the others of these shares. An operator runs where its first array is."""
        own_first = sorted(shares, key=lambda share: share is not self)
        parts = [share.gradients[self.section] for share in own_first]
        self.add_up = [Call("add_n", parts, self.own_gradients, num_args=len(parts))]
        self.fetch = [
            Call("_slice_assign", [self.weights, share.own_weights], self.weights,
                 begin=(share.section.start,), end=(share.section.stop,))
            for share in shares
        ]  # fmt: skip
