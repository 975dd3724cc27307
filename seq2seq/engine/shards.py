"""Updates a network's weights with each batch divided into shards, which several processes can compute.

The gradients of a shard are computed by one graph, on its own rows, with random numbers of its own. Every process gets
the gradients of all shards, adds them up in the order of the shards, and makes the same update. So the weights do not
depend on which process computed which shard, nor on how many processes there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seq2seq.calls import Call, read_into, write_from
from seq2seq.engine.decay import Decay
from seq2seq.engine.feeds import Feed, Feeder
from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.initializers import auxiliary_shapes, first_weights, parameter_shapes
from seq2seq.engine.network import Arrays, Network
from seq2seq.engine.optimizers import OPTIMIZERS
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.ranks import Ranks
from seq2seq.engine.replica import Replica
from seq2seq.engine.samplers import Batch
from seq2seq.engine.updater import BaseUpdater, Updater, Wish
from seq2seq.mx import Device, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker, workers_of


def make_updater(network: Network, config: TrainingConfig, seed: int, device: Device, ranks: Ranks) -> BaseUpdater:
    """Make the updater for a number of shards, with the parameters of `ShardUpdater`."""
    if config.shards == 1 and ranks.count == 1:
        return Updater(network, config, seed, device)
    return ShardUpdater(network, config, seed, device, ranks)


class ShardUpdater(BaseUpdater):
    """Updates a network's weights with MXNet, from the gradients of all shards of a batch.

    Parameters
    ----------
    network : Network
    config : TrainingConfig
    seed : int
        Determines the initial weights.
    device : mxnet.Context
    ranks : Ranks
        The processes that share the shards.

    Attributes
    ----------
    message_size : int
        Number of values that a shard sends at each update.

    Raises
    ------
    UsageError
        If there are fewer shards than processes.
    """

    def __init__(self, network: Network, config: TrainingConfig, seed: int, device: Device, ranks: Ranks) -> None:
        self.config = config
        self._ranks = ranks
        self._own = ranks.own(config.shards)
        self._flat = FlatParameters(parameter_shapes(network))
        auxiliary = auxiliary_shapes(network)
        self._auxiliary = FlatParameters(auxiliary)
        # What a shard sends at each update: one row of an array.
        message: dict[str, tuple[int, ...]] = {
            "gradients": (self._flat.size,),
            "auxiliary": (self._auxiliary.size,),
            "loss": (1,),
            "wish": (1,),
        }
        layout = FlatParameters(message)
        self.message_size = layout.size
        self._messages = np.zeros((config.shards, layout.size), np.float32)
        self._parts = [layout.split(row) for row in self._messages]
        self._sum = np.zeros(self._flat.size, np.float32)
        self._squares = np.zeros_like(self._sum)

        self._workers = workers_of(device)[: len(self._own)]
        self._weights = [mx.nd.zeros((self._flat.size,), worker.device) for worker in self._workers]
        self._rows = [len(rows) for rows in np.array_split(np.arange(config.batch_size), config.shards)]
        whole = slice(0, self._flat.size)
        unused = mx.nd.zeros((1,), device)
        self._replicas = []
        for place, shard in enumerate(self._own):
            weights = self._weights[place % len(self._workers)]
            worker = Worker(weights.context, shard + 1)
            replica = Replica(
                worker, network, self._flat, whole, unused, self._rows[shard], auxiliary, config.lstm == "compiled",
                weights,
            )  # fmt: skip
            self._replicas.append(replica)
        self._feeder = Feeder(network.inputs, self._replicas, config.batch_size, config.shards, self._own[0])
        self._gradients = mx.nd.zeros_like(self._weights[0])
        self._optimizer = OPTIMIZERS[config.optimizer](self._weights[0], self._gradients, config)
        self._decay = Decay(self._weights[0], config.weight_decay) if config.weight_decay else None
        self._copies = [Call("_copyto", [self._weights[0]], other) for other in self._weights[1:]]
        self._wish = self._agreed = Wish.NOTHING
        self.set_weights(first_weights(network, self._flat, seed))

    def feeds(self, arrays: Arrays, batches: Sequence[Batch]) -> Iterator[Feed]:
        return self._feeder.feeds(arrays, batches)

    def update(self, feed: Feed, update: int, rate: float) -> None:
        feed.compute()
        for graph in feed.graphs:
            for call in graph.hand_on:
                call()
        self._write_messages(feed)
        self._ranks.gather(self._messages, f"gradients of update {update}")
        active = self._parts[: feed.rows]  # if there are fewer rows than shards, the first shards have one each
        self._add_up(active)
        write_from(self._gradients, self._sum)
        if self._decay:
            self._decay(rate)
        self._optimizer.update(rate, update, self._scale(feed.terms))
        for copy in self._copies:
            copy()
        wishes = [int(part["wish"][0]) for part in self._parts]
        self._agreed = Wish(max(self._agreed, *wishes))

    def _write_messages(self, feed: Feed) -> None:
        """Write what this process computed into the rows of its own shards."""
        for shard in self._own:
            self._parts[shard]["wish"][:] = self._wish
        for shard, replica, graph in zip(self._own, self._replicas, feed.graphs):
            part = self._parts[shard]
            read_into(replica.gradients, part["gradients"])
            read_into(graph.loss, part["loss"])
            for name, view in self._auxiliary.split(part["auxiliary"]).items():
                read_into(replica.auxiliary[name], view)

    def _add_up(self, active: list[dict[str, Array]]) -> None:
        """Add up gradients and losses, and take the mean of the auxiliary states, over the shards that had rows."""
        first, *others = active
        self._sum[:] = first["gradients"]
        for part in others:
            self._sum += part["gradients"]
        for part in active:
            self._loss_sum += part["loss"][0]
        if self._auxiliary.size:
            mean = np.sum([part["auxiliary"] for part in active], 0) / np.float32(len(active))
            self._set_auxiliary(self._auxiliary.split(mean))

    def _scale(self, terms: int) -> float:
        """The factor that makes the sum a mean over loss terms, with a norm of at most `clip_norm`."""
        if not self.config.clip_norm:
            return 1 / terms
        # Without BLAS, whose order of summation depends on the number of threads.
        norm = math.sqrt(float(np.multiply(self._sum, self._sum, out=self._squares).sum()))
        return min(1 / terms, self.config.clip_norm / norm) if norm else 1 / terms

    def agree(self, wish: Wish) -> Wish:
        """The greatest wish that any process sent with its gradients since the last call; this one's is sent next."""
        agreed = self._agreed
        self._agreed = Wish.NOTHING
        self._wish = wish if wish > agreed else Wish.NOTHING
        return agreed

    def seed(self, number: int) -> None:
        for shard, replica in zip(self._own, self._replicas):
            replica.worker.call(mx.random.seed, number + shard)

    @property
    def weights(self) -> dict[str, Array]:
        auxiliary = {name: array.asnumpy() for name, array in self._replicas[0].auxiliary.items()}
        return {**self._flat.split(self._weights[0].asnumpy()), **auxiliary}

    def set_weights(self, weights: dict[str, Array]) -> None:
        vector = self._flat.join(weights)
        for array in self._weights:
            array[:] = vector
        self._set_auxiliary(weights)

    def _set_auxiliary(self, values: dict[str, Array]) -> None:
        for replica in self._replicas:
            for name, array in replica.auxiliary.items():
                array[:] = values[name]

    @property
    def parameters(self) -> dict[Worker, dict[str, Any]]:
        return {worker: replica.parameters for worker, replica in zip(self._workers, self._replicas)}

    @property
    def states(self) -> dict[str, Array]:
        return {name: self._gathered(name) for name in self._replicas[0].states}

    def _gathered(self, name: str) -> Array:
        """One of the states, of the rows of all shards."""
        layers, _, *size = self._replicas[0].states[name].shape
        rows = np.zeros((self.config.shards, layers, max(self._rows), *size), np.float32)
        for shard, replica in zip(self._own, self._replicas):
            rows[shard, :, : self._rows[shard]] = replica.states[name].asnumpy()
        self._ranks.gather(rows.reshape(self.config.shards, -1), f"state {name}")
        return np.concatenate([each[:, :n] for each, n in zip(rows, self._rows)], 1)

    def set_states(self, states: dict[str, Array] | None = None) -> None:
        for name in self._replicas[0].states:
            parts = np.array_split(states[name], self.config.shards, axis=1) if states else [0] * self.config.shards
            for shard, replica in zip(self._own, self._replicas):
                replica.states[name][:] = parts[shard]

    @property
    def moments(self) -> dict[str, Array]:
        arrays = {}
        for order, moment in enumerate(self._optimizer.moments):
            for name, array in self._flat.split(moment.asnumpy()).items():
                arrays[f"moment{order}.{name}"] = array
        return arrays

    def set_moments(self, arrays: dict[str, Array]) -> None:
        for order, moment in enumerate(self._optimizer.moments):
            start = f"moment{order}."
            moment[:] = self._flat.join({n[len(start) :]: a for n, a in arrays.items() if n.startswith(start)})
