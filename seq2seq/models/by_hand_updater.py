"""Updates without MXNet, with the loss, gradients and Adam of `models/by_hand.py`.

Weights are read and set in the layout of the fused graph of the same network. The fused graph scores and answers, so a
difference between the two would show in a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.engine.network import Arrays
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.samplers import Batch
from seq2seq.engine.updater import BaseUpdater
from seq2seq.errors import require
from seq2seq.models.by_hand import AdamByHand, State, from_fused, to_fused
from seq2seq.models.stateful import ByHandModel
from seq2seq.mx import Device, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker, workers_of

OUTPUT = ("output_weight", "output_bias")


class Feed(NamedTuple):
    """Ids of one batch, shapes (S, n) and (T, n), and the number of learned characters."""

    source: Array
    target: Array
    terms: int

    @property
    def rows(self) -> int:
        """Number of rows (n)."""
        return self.source.shape[1]


class ByHandUpdater(BaseUpdater):
    """Updates a network in NumPy. Initial weights are those of `ByHand`.

    Parameters
    ----------
    model : ByHandModel
    config : TrainingConfig
        The optimizer must be `adam`, without weight decay, and there must be one shard.
    seed : int
        Determines the initial weights.
    device : mxnet.Context
        Holds a copy of the weights for inference.

    Raises
    ------
    UsageError
        If an option cannot be used with this model.
    """

    def __init__(self, model: ByHandModel, config: TrainingConfig, seed: int, device: Device) -> None:
        name = model.config.model
        require(config.optimizer == "adam", "optimizer", config.optimizer, f"adam for {name}")
        require(config.shards == 1, "shards", config.shards, f"1 for {name}")
        require(config.weight_decay == 0, "weight_decay", config.weight_decay, f"0 for {name}")
        self.config = config
        self._worker = workers_of(device)[0]
        self._network = model.by_hand(seed)
        self._adam = AdamByHand(self._network.parameters, config.epsilon)
        self._state_shapes = model.state_shapes(config.batch_size)
        self._state: State = ()
        self.set_states()
        first = self.weights
        model.init_weights(first)
        self.set_weights(first)
        self._arrays = {name: mx.nd.array(array, self._worker.device) for name, array in self.weights.items()}

    def feeds(self, arrays: Arrays, batches: Sequence[Batch]) -> Iterator[Feed]:
        for rows, _, terms in batches:
            yield Feed(arrays["source"][rows].T, arrays["target"][rows].T, terms)

    def update(self, feed: Feed, update: int, rate: float) -> None:
        loss, gradients, self._state = self._network.loss_and_gradients(feed.source, feed.target, self._state)
        self._loss_sum += np.float32(loss * feed.terms)
        norm = math.sqrt(sum(float((each**2).sum()) for each in gradients.values()))
        longest = self.config.clip_norm
        if 0 < longest < norm:
            gradients = {name: each * (longest / norm) for name, each in gradients.items()}
        self._adam.updates = update - 1
        self._adam.update(gradients, rate)

    @property
    def parameters(self) -> dict[Worker, dict[str, Any]]:
        return {self._worker: self._arrays}

    def publish(self) -> None:
        for name, array in self.weights.items():
            self._arrays[name][:] = array

    def seed(self, number: int) -> None:
        """Do nothing: there is no dropout."""

    @property
    def weights(self) -> dict[str, Array]:
        parameters = self._network.parameters
        return {"rnn_parameters": to_fused(parameters), **{name: parameters[name].copy() for name in OUTPUT}}

    def set_weights(self, weights: dict[str, Array]) -> None:
        network = self._network
        fused = from_fused(weights["rnn_parameters"], network.vocabulary_size, network.hidden_size)
        network.parameters.update(fused, **{name: weights[name].copy() for name in OUTPUT})

    @property
    def states(self) -> dict[str, Array]:
        return {name: state[None] for name, state in zip(self._state_shapes, self._state)}

    def set_states(self, states: dict[str, Array] | None = None) -> None:
        zeros = {name: np.zeros(shape, np.float32) for name, shape in self._state_shapes.items()}
        self._state = tuple((states or zeros)[name][0] for name in zeros)

    @property
    def moments(self) -> dict[str, Array]:
        return {
            f"moment{order}.{name}": array
            for order, moments in enumerate(self._adam.moments)
            for name, array in moments.items()
        }

    def set_moments(self, arrays: dict[str, Array]) -> None:
        for order, moments in enumerate(self._adam.moments):
            moments.update({name: arrays[f"moment{order}.{name}"].copy() for name in moments})
