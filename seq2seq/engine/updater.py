"""Updates a network's weights, with each batch divided among the workers of the device.

All weights are one vector, and so are the gradients and the optimizer's moments, so an operation on all of them takes
one operator. Every worker is a replica with a copy of the weights, and updates one section of the vector: it adds up
the gradients of all replicas for that section, updates the weights there, and then fetches the other sections.

Auxiliary states, such as the running means of batch normalisation, are changed by each replica's graph from its own
rows. After every update all replicas get the mean of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from seq2seq.engine.clipping import Clip
from seq2seq.engine.decay import Decay
from seq2seq.engine.feeds import Feed, Feeder
from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.initializers import auxiliary_shapes, first_weights, parameter_shapes
from seq2seq.engine.network import Arrays, Network
from seq2seq.engine.optimizers import OPTIMIZERS
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.pace import Pace
from seq2seq.engine.replica import Replica
from seq2seq.engine.samplers import Batch
from seq2seq.mx import Device, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker, workers_of

WORTH_SHARING = 2**24  # multiplications per forward pass below which one worker is faster than two


class Wish(IntEnum):
    """What is to be done after an update; of several wishes, the greatest."""

    NOTHING = 0
    SAVE = 1
    STOP = 2


class BaseUpdater(ABC):
    """Updates weights one batch at a time. All arrays in arguments and results are NumPy arrays, by name."""

    _loss_sum: Any = np.float32(0)

    @abstractmethod
    def feeds(self, arrays: Arrays, batches: Sequence[Batch]) -> Iterator[Any]:
        """Prepare batches for `update`, in order.

        Parameters
        ----------
        arrays : dict of str to ndarray
        batches : sequence of Batch

        Yields
        ------
        feed
            With attributes `rows` and `terms`, the numbers of rows and of loss terms.
        """

    @abstractmethod
    def update(self, feed: Any, update: int, rate: float) -> None:
        """Make one update.

        Parameters
        ----------
        feed
            From `feeds`, in the same order.
        update : int
            Number of the update, counted from 1.
        rate : float
            Learning rate.
        """

    @property
    def loss_sum(self) -> float:
        """Sum of the loss over all terms since it was last set. Waits for the device."""
        return float(self._loss_sum)

    @loss_sum.setter
    def loss_sum(self, value: float) -> None:
        self._loss_sum = np.float32(value)

    @abstractmethod
    def seed(self, number: int) -> None:
        """Seed the random numbers of dropout."""

    @property
    @abstractmethod
    def weights(self) -> dict[str, Array]:
        """The current weights, with the auxiliary states. Waits for the device."""

    @abstractmethod
    def set_weights(self, weights: dict[str, Array]) -> None:
        """Set the weights."""

    @property
    @abstractmethod
    def states(self) -> dict[str, Array]:
        """Initial states of the next batch, rows along axis 1. Waits for the device."""

    @abstractmethod
    def set_states(self, states: dict[str, Array] | None = None) -> None:
        """Set the initial states of the next batch, by default to zeros."""

    @property
    @abstractmethod
    def moments(self) -> dict[str, Array]:
        """The optimizer's arrays, named `moment0.NAME` and so on. Waits for the device."""

    @abstractmethod
    def set_moments(self, arrays: dict[str, Array]) -> None:
        """Set the optimizer's arrays, named as in `moments`."""

    @property
    @abstractmethod
    def parameters(self) -> dict[Worker, dict[str, Any]]:
        """The MXNet arrays that hold the weights, by worker and name, for a `TestModule`."""

    def agree(self, wish: Wish) -> Wish:
        """What all processes that train together do after this update, if this one has a wish: by default, the wish."""
        return wish

    def publish(self) -> None:  # noqa: B027  (most have nothing to do)
        """Copy the current weights to `parameters`, if these are not the same arrays."""


class Updater(BaseUpdater):
    """Updates a network's weights with MXNet, and waits for the device only if that is far behind.

    Parameters
    ----------
    network : Network
    config : TrainingConfig
    seed : int
        Determines the initial weights.
    device : mxnet.Context
    """

    def __init__(self, network: Network, config: TrainingConfig, seed: int, device: Device) -> None:
        self.config = config
        self._loss_sum = mx.nd.zeros((1,), device)
        flat = self._flat = FlatParameters(parameter_shapes(network))
        values = sum(each.shape[0] for each in network.inputs.values() if each.shape) or 1
        workers = workers_of(device)
        workers = workers[: 1 if config.batch_size * flat.size * values < WORTH_SHARING else config.batch_size]
        rows = [len(part) for part in np.array_split(np.arange(config.batch_size), len(workers))]
        auxiliary = auxiliary_shapes(network)
        compiled = config.lstm == "compiled"
        self._replicas = [
            Replica(worker, network, flat, section, self._loss_sum, n, auxiliary, compiled)
            for worker, section, n in zip(workers, flat.sections(len(workers)), rows)
        ]
        if len(workers) > 1:
            for replica in self._replicas:
                replica.meet(self._replicas)
        self._feeder = Feeder(network.inputs, self._replicas, config.batch_size)
        self._exchange_gradients = [call for replica in self._replicas for call in replica.add_up]
        self._exchange_weights = [call for replica in self._replicas for call in replica.fetch]
        make = OPTIMIZERS[config.optimizer]
        self._optimizers = [make(each.own_weights, each.own_gradients, config) for each in self._replicas]
        self._decays = [Decay(each.own_weights, config.weight_decay) for each in self._replicas if config.weight_decay]
        self._clip = Clip([each.own_gradients for each in self._replicas], config.clip_norm)
        self._pace = Pace(self._loss_sum)
        self.set_weights(first_weights(network, flat, seed))

    def feeds(self, arrays: Arrays, batches: Sequence[Batch]) -> Iterator[Feed]:
        return self._feeder.feeds(arrays, batches)

    def update(self, feed: Feed, update: int, rate: float) -> None:
        feed.compute()
        for graph in feed.graphs:
            graph.add_loss()
            for call in graph.hand_on:
                call()
        for replica in self._replicas[len(feed.graphs) :]:
            replica.gradients[:] = 0  # there are fewer rows than workers
        for call in self._exchange_gradients:
            call()
        scale = 1 / feed.terms
        if self.config.clip_norm:
            self._clip(scale)
            scale = 1.0
        for decay in self._decays:
            decay(rate)
        for optimizer in self._optimizers:
            optimizer.update(rate, update, scale)
        for call in self._exchange_weights:
            call()
        self._share_auxiliary(len(feed.graphs))
        self._pace.update()

    def _share_auxiliary(self, active: int) -> None:
        """Set the auxiliary states of all replicas to the mean of those of the first ones, which had rows.

        The division also orders what reads them after the backward pass, which changes them although MXNet's engine
        takes it for one of their readers.
        """
        first, *others = self._replicas
        for name, mean in first.auxiliary.items():
            for replica in self._replicas[:active]:
                replica.auxiliary[name] /= active
            for replica in self._replicas[1:active]:
                mean += replica.auxiliary[name].copyto(mean.context)
            for replica in others:
                mean.copyto(replica.auxiliary[name])

    @property
    def loss_sum(self) -> float:
        return float(self._loss_sum.asscalar())

    @loss_sum.setter
    def loss_sum(self, value: float) -> None:
        self._loss_sum[:] = value

    def seed(self, number: int) -> None:
        for index, replica in enumerate(self._replicas):
            replica.worker.call(mx.random.seed, number + index)

    @property
    def weights(self) -> dict[str, Array]:
        first = self._replicas[0]
        auxiliary = {name: array.asnumpy() for name, array in first.auxiliary.items()}
        return {**self._flat.split(first.weights.asnumpy()), **auxiliary}

    def set_weights(self, weights: dict[str, Array]) -> None:
        vector = self._flat.join(weights)
        for replica in self._replicas:
            replica.weights[:] = vector
            replica.own_weights[:] = vector[replica.section]
            for name, array in replica.auxiliary.items():
                array[:] = weights[name]

    @property
    def parameters(self) -> dict[Worker, dict[str, Any]]:
        return {replica.worker: replica.parameters for replica in self._replicas}

    @property
    def states(self) -> dict[str, Array]:
        names = self._replicas[0].states
        return {name: np.concatenate([each.states[name].asnumpy() for each in self._replicas], 1) for name in names}

    def set_states(self, states: dict[str, Array] | None = None) -> None:
        for name in self._replicas[0].states:
            own = [replica.states[name] for replica in self._replicas]
            parts = np.array_split(states[name], len(own), axis=1) if states else [0] * len(own)
            for array, part in zip(own, parts):
                array[:] = part

    @property
    def moments(self) -> dict[str, Array]:
        arrays = {}
        for order, sections in enumerate(zip(*(optimizer.moments for optimizer in self._optimizers))):
            vector = np.concatenate([section.asnumpy() for section in sections])
            arrays.update({f"moment{order}.{name}": array for name, array in self._flat.split(vector).items()})
        return arrays

    def set_moments(self, arrays: dict[str, Array]) -> None:
        for order, sections in enumerate(zip(*(optimizer.moments for optimizer in self._optimizers))):
            start = f"moment{order}."
            vector = self._flat.join({n[len(start) :]: a for n, a in arrays.items() if n.startswith(start)})
            for replica, section in zip(self._replicas, sections):
                section[:] = vector[replica.section]
