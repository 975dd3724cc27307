"""One update of a model's weights at a time, each batch shared among the workers of its device.

All weights are one vector, and so are their gradients and the optimizer's moments: what is done to all of them takes
one operator. Every worker has a copy of the weights, and a section of the vector to look after: it adds up all workers'
gradients of that section and moves the weights there; then each fetches all sections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from seq2seq.batching import Rows
from seq2seq.calls import Call, forward_backward
from seq2seq.config import TrainingConfig
from seq2seq.dataset import Examples
from seq2seq.models import Model
from seq2seq.mx import mx
from seq2seq.optimizers import OPTIMIZERS, Clip
from seq2seq.workers import Worker, argument_shapes, workers_of

WORTH_SHARING = 2**24  # multiplications in a forward pass, below which one worker is done sooner than two
BLOCK = 2**16  # examples that are put on the device at a time


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


class Batch(NamedTuple):
    """Examples of one update: how many they are, and for each worker that has some its graph and what feeds it."""

    size: int
    step: int
    graphs: list[Graph]
    feeds: list[Call]


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
            carry = [Call("_copy", [new], self.states[name]) for name, new in zip(after, executor.outputs[1:])]
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


class Updater:
    """Moves a model's weights, a batch at a time, without ever waiting for the engine.

    Parameters
    ----------
    model : Model
    config : TrainingConfig
    seed : int
        Decides the first weights.
    device : mxnet.Context

    Attributes
    ----------
    loss_sum : mxnet.NDArray, shape (1,)
        Sum over the examples since it was last set to 0 of their loss.
    """

    def __init__(self, model: Model, config: TrainingConfig, seed: int, device: Any) -> None:
        self.config = config
        self.loss_sum = mx.nd.zeros((1,), device)
        symbol = model.loss(mx.sym.var("source"), mx.sym.var("target"))
        inputs = {"source": (model.source_length, 1), "target": (model.target_length, 1)}
        shapes = argument_shapes(symbol, **inputs)
        layout = self._layout = Layout({name: shape for name, shape in shapes.items() if name not in inputs})

        work = config.batch_size * layout.size * (model.source_length + model.target_length)
        workers = workers_of(device)[: 1 if work < WORTH_SHARING else config.batch_size]
        rows = map(len, np.array_split(np.arange(config.batch_size), len(workers)))
        parts = zip(workers, layout.sections(len(workers)), rows)
        self._shares = [Share(worker, model, layout, section, self.loss_sum, n) for worker, section, n in parts]
        if len(self._shares) > 1:
            for share in self._shares:
                share.meet(self._shares)
        self._exchange_gradients = [call for share in self._shares for call in share.add_up]
        self._exchange_weights = [call for share in self._shares for call in share.fetch]
        make = OPTIMIZERS[config.optimizer]
        self._optimizers = [make(share.own_weights, share.own_gradients, config) for share in self._shares]
        self._clip = Clip([share.own_gradients for share in self._shares], config.clip_norm)
        first = _first_weights(symbol, layout, seed)
        model.begin(first)
        self.set_weights(first)

    def batches(self, examples: Examples, plan: list[Rows]) -> Iterator[Batch]:
        """Batches for `update`, as planned, put on the device a block at a time."""
        block = max(1, BLOCK // self.config.batch_size)
        for start in range(0, len(plan), block):
            kinds: dict[tuple[int, ...], list[np.ndarray]] = {}
            for rows, *widths in plan[start : start + block]:
                kinds.setdefault((len(rows), *widths), []).append(rows)
            ready = {kind: self._put(examples, np.stack(rows), *kind[1:]) for kind, rows in kinds.items()}
            for rows, *widths in plan[start : start + block]:
                yield next(ready[(len(rows), *widths)])

    def _put(self, examples: Examples, rows: np.ndarray, source_length: int, target_length: int) -> Iterator[Batch]:
        """Batches of these rows (steps, n), in these widths."""
        sources, targets = examples.sources[rows][..., -source_length:], examples.targets[rows][..., :target_length]
        # Time comes first, as the recurrent layers read it, so that the graph need not turn it round.
        ids = np.concatenate([sources, targets], axis=2).transpose(0, 2, 1)
        graphs, feeds = [], []
        shares = self._shares[: ids.shape[2]]
        for share, part in zip(shares, np.array_split(ids, len(shares), axis=2)):
            graph = share.graph(part.shape[2], source_length, target_length, ids.dtype)
            on_device = mx.nd.array(np.ascontiguousarray(part), share.worker.device, dtype=ids.dtype)
            out = graph.ids.reshape((1, *graph.ids.shape))
            graphs.append(graph)
            feeds.append(Call("slice_axis", [on_device], out, axis=0, begin=0, end=1))
        return (Batch(ids.shape[2], step, graphs, feeds) for step in range(len(ids)))

    def update(self, batch: Batch, update: int, rate: float) -> None:
        """Take one step.

        Parameters
        ----------
        batch : Batch
            From `batches`, in the order in which they come.
        update : int
            Its number, the first being 1.
        rate : float
            Its learning rate.
        """
        for graph, feed in zip(batch.graphs, batch.feeds):
            feed(begin=batch.step, end=batch.step + 1)
            forward_backward(graph.executor)
        for graph in batch.graphs:
            graph.add_loss()
            for call in graph.carry:
                call()
        for share in self._shares[len(batch.graphs) :]:
            share.gradients[:] = 0  # there are fewer examples than workers
        for call in self._exchange_gradients:
            call()
        scale = 1 / batch.size
        if self.config.clip_norm:
            self._clip(scale)
            scale = 1.0
        for optimizer in self._optimizers:
            optimizer.update(rate, update, scale)
        for call in self._exchange_weights:
            call()

    def mean_loss(self, examples: int) -> float:
        """The mean loss over so many examples since its sum was last set to 0. Waits for the engine."""
        return float(self.loss_sum.asscalar()) / examples

    def seed(self, number: int) -> None:
        """Decide what dropout draws from here on."""
        for index, share in enumerate(self._shares):
            share.worker.call(mx.random.seed, number + index)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The weights of the moment, by parameter name. Waits for the engine."""
        return self._layout.split(self._shares[0].weights.asnumpy())

    def set_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Set the weights, by parameter name."""
        vector = self._layout.join(weights)
        for share in self._shares:
            share.weights[:] = vector
            share.own_weights[:] = vector[share.section]

    @property
    def states(self) -> dict[str, np.ndarray]:
        """What the next batch goes on from, by name, examples along axis 1. Waits for the engine."""
        names = self._shares[0].states
        return {name: np.concatenate([share.states[name].asnumpy() for share in self._shares], 1) for name in names}

    def set_states(self, states: dict[str, np.ndarray] | None = None) -> None:
        """Set what the next batch goes on from, named as in `states`, or to zeros."""
        for name in self._shares[0].states:
            own = [share.states[name] for share in self._shares]
            parts = np.array_split(states[name], len(own), axis=1) if states else [0] * len(own)
            for array, part in zip(own, parts):
                array[:] = part

    @property
    def moments(self) -> dict[str, np.ndarray]:
        """The optimizer's arrays by name. Waits for the engine."""
        arrays = {}
        for order, sections in enumerate(zip(*(optimizer.moments for optimizer in self._optimizers))):
            vector = np.concatenate([section.asnumpy() for section in sections])
            arrays.update({f"moment{order}.{name}": array for name, array in self._layout.split(vector).items()})
        return arrays

    def set_moments(self, arrays: dict[str, np.ndarray]) -> None:
        """Set the optimizer's arrays, named as in `moments`."""
        for order, sections in enumerate(zip(*(optimizer.moments for optimizer in self._optimizers))):
            start = f"moment{order}."
            vector = self._layout.join({n[len(start) :]: a for n, a in arrays.items() if n.startswith(start)})
            for share, section in zip(self._shares, sections):
                section[:] = vector[share.section]


def _first_weights(symbol: Any, layout: Layout, seed: int) -> dict[str, np.ndarray]:
    """As in the notebook (Glorot and Bengio 2010); the LSTM's forget gates start open."""
    mx.random.seed(seed)
    initializer, attributes = mx.init.Xavier(), symbol.attr_dict()
    arrays = layout.split(mx.nd.zeros((layout.size,)))
    for name, array in sorted(arrays.items()):
        initializer(mx.init.InitDesc(name, attributes.get(name)), array)
    return {name: array.asnumpy() for name, array in arrays.items()}
