"""One update of a model's weights at a time, each batch shared among the workers of its device.

All weights are one vector, and so are their gradients and the optimizer's moments: what is done to all of them takes
one operator. Every worker has a copy of the weights, and a section of the vector to look after: it adds up all workers'
gradients of that section and moves the weights there; then each fetches all sections.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from seq2seq.calls import Call, forward_backward
from seq2seq.config import TrainingConfig
from seq2seq.dataset import Examples
from seq2seq.engine.optimizers import OPTIMIZERS, Clip
from seq2seq.engine.pace import Pace
from seq2seq.engine.replica import Graph, Layout, Share
from seq2seq.engine.samplers import Rows
from seq2seq.models import Model
from seq2seq.mx import mx
from seq2seq.workers import argument_shapes, workers_of

WORTH_SHARING = 2**24  # multiplications in a forward pass, below which one worker is done sooner than two
BLOCK = 2**16  # examples that are put on the device at a time


class Batch(NamedTuple):
    """Examples of one update: how many they are, how many of their characters are learned, and for each worker that has
    some its graph and what feeds it."""

    size: int
    characters: int
    step: int
    graphs: list[Graph]
    feeds: list[Call]


class Updater:
    """Moves a model's weights, a batch at a time, without waiting for the engine, unless it is far behind.

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
        Sum over the examples since it was last set to 0 of their loss (nats).
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
        self._pace = Pace(self.loss_sum)
        self._clip = Clip([share.own_gradients for share in self._shares], config.clip_norm)
        first = _first_weights(symbol, layout, seed)
        model.begin(first)
        self.set_weights(first)

    def batches(self, examples: Examples, plan: list[Rows]) -> Iterator[Batch]:
        """Batches for `update`, as planned, put on the device a block at a time."""
        block = max(1, BLOCK // self.config.batch_size)
        for start in range(0, len(plan), block):
            kinds: dict[tuple[int, ...], list[np.ndarray]] = {}
            for rows, *widths, _ in plan[start : start + block]:
                kinds.setdefault((len(rows), *widths), []).append(rows)
            # The largest first: its graph's working memory holds the others.
            ready = {kind: self._put(examples, np.stack(kinds[kind]), *kind[1:]) for kind in sorted(kinds)[::-1]}
            for rows, *widths, characters in plan[start : start + block]:
                step, graphs, feeds = next(ready[(len(rows), *widths)])
                yield Batch(len(rows), characters, step, graphs, feeds)

    def _put(
        self, examples: Examples, rows: np.ndarray, source_length: int, target_length: int
    ) -> Iterator[tuple[int, list[Graph], list[Call]]]:
        """The step, the graphs and their feeds of the batches of these rows (steps, n), in these widths."""
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
        return ((step, graphs, feeds) for step in range(len(ids)))

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
        scale = 1 / batch.characters
        if self.config.clip_norm:
            self._clip(scale)
            scale = 1.0
        for optimizer in self._optimizers:
            optimizer.update(rate, update, scale)
        for call in self._exchange_weights:
            call()
        self._pace.update()

    def mean_loss(self, characters: int) -> float:
        """The mean loss of so many learned characters since its sum was last set to 0. Waits for the engine."""
        return float(self.loss_sum.asscalar()) / characters

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
