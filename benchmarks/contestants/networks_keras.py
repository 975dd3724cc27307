"""Keras 3 on JAX, on the networks that people train, except those of a text."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers, ops
from network_worker import Batch, NetworkContestant, NetworkProblem
from worker import IGNORED, Array, serve

CELLS: dict[str, Any] = {"lstm": layers.LSTM, "rnn": layers.SimpleRNN}
OFFSETS, FASTER = 4, 10  # of the position bias: see seq2seq/models/attention.py


def counts_twice(variable: Any) -> bool:
    """Whether a variable is a single bias in the place of the two that MXNet and PyTorch have: see `keras3.py`."""
    return variable.name == "bias" and ("lstm" in variable.path or "simple_rnn" in variable.path)


class TwoBiasAdamW(keras.optimizers.AdamW):
    """AdamW in which such a bias moves at twice the rate, and counts twice in the norm of the gradient."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate * (2 if counts_twice(variable) else 1))

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if not self.global_clipnorm:
            return grads
        counts = [2 if counts_twice(variable) else 1 for variable in self._trainable_variables]
        norm = ops.sqrt(sum(count * ops.sum(ops.square(each)) for count, each in zip(counts, grads)))
        factor = ops.minimum(1.0, self.global_clipnorm / norm)
        return [each * factor for each in grads]


class Attend(layers.Layer):
    """Joins the decoder's outputs (N, T, D) to what they attend to in the encoder's, with a position bias."""

    def __init__(self, pad: int) -> None:
        super().__init__()
        self.pad = pad
        self.from_first = self.add_weight(shape=(2 * OFFSETS + 1,), name="from_first")
        self.from_last = self.add_weight(shape=(2 * OFFSETS + 1,), name="from_last")

    def compute_output_shape(self, source_shape: Any, encoded_shape: Any, outputs_shape: Any) -> Any:
        return (*outputs_shape[:-1], 2 * outputs_shape[-1])  # so that `call` sees the widths of a bucket alone

    def call(self, source: Any, encoded: Any, outputs: Any) -> Any:
        length, count = encoded.shape[1], outputs.shape[1]
        padding = source == self.pad
        places, steps = np.arange(length), np.arange(count)
        first, last = (
            np.clip(place[:, None] - steps, -OFFSETS, OFFSETS) + OFFSETS for place in (places, length - 1 - places)
        )
        own = ops.maximum(places - ops.sum(ops.cast(padding, "int32"), axis=1, keepdims=True), 0)
        size = 2 * OFFSETS + 1  # one-hot products have a faster gradient than look-ups
        from_first = ops.one_hot(own, length) @ (ops.one_hot(first, size) @ self.from_first[:, None])[..., 0]
        from_last = (ops.one_hot(last, size) @ self.from_last[:, None])[..., 0]
        bias = FASTER * ops.transpose(from_first + from_last, (0, 2, 1))
        scores = outputs @ ops.transpose(encoded, (0, 2, 1)) + bias
        attention = ops.softmax(ops.where(padding[:, None], -1e9, scores), axis=-1)
        return ops.concatenate([attention @ encoded, outputs], axis=-1)


class Batches(keras.utils.PyDataset):
    """The batches of an epoch, each in the widths of its bucket."""

    def __init__(self, problem: NetworkProblem, plan: list[Batch]) -> None:
        super().__init__()
        self.problem, self.plan = problem, plan

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, index: int) -> Any:
        problem = self.problem
        rows, bucket = self.plan[index]
        source_width, target_width = problem.widths[bucket]
        source, target = problem.sources[rows, -source_width:], problem.targets[rows, :target_width]
        if problem.settings["kind"] != "attention":
            return source, target
        start = np.full((len(rows), 1), problem.settings["vocabulary"], np.int32)
        return (source, np.concatenate([start, target[:, :-1]], axis=1)), target


class MeanLoss(keras.metrics.Mean):
    """The mean loss per learned character of an epoch."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        learned = ops.cast(y_true != IGNORED, "float32")
        # In one row, because Keras would take the mean over each row, and rows of other batches have other lengths.
        values, weights = (ops.reshape(each, (-1,)) for each in (losses(y_true, y_pred, self.smoothing), learned))
        super().update_state(values, sample_weight=weights)


def losses(target: Any, logits: Any, smoothing: float) -> Any:
    size = logits.shape[-1]
    wanted = ops.one_hot(target, size) * (1 - smoothing) + smoothing / size
    return -ops.sum(wanted * ops.log_softmax(logits), axis=-1)


class Keras3(NetworkContestant):
    def _stack(self, name: str, inputs: Any, begin: Any = None) -> tuple[Any, list[Any]]:
        """Inputs (N, T, C) to outputs and last states. Its weights are set after the model is made."""
        shape = self.problem.settings["stacks"][name]
        states: list[Any] = []
        for layer in self.problem.stack(name):
            made = CELLS[shape["cell"]](shape["hidden"], return_sequences=True, return_state=True)
            if len(layer) == 2:
                made = layers.Bidirectional(made)
            inputs, *states = made(inputs, initial_state=begin)
            for direction in layer:
                self.weights += [(made, values) for values in with_one_bias(direction)]
        return inputs, states

    def _dense(self, name: str, inputs: Any, activation: Any = None) -> Any:
        weights = self.problem.weights
        made = layers.Dense(len(weights[f"{name}_bias"]), activation=activation)
        self.weights += [(made, weights[f"{name}_weight"].T), (made, weights[f"{name}_bias"])]
        return made(inputs)

    def _model(self) -> keras.Model:
        settings, weights = self.problem.settings, self.problem.weights
        size = settings["vocabulary"]
        self.weights: list[tuple[Any, Array]] = []
        if settings["kind"] == "aligned":
            source = inputs = keras.Input(self.problem.sources.shape[1:], dtype="int32")
            channels, length = settings["channels"], self.problem.widths[0][1]
            places = ops.transpose(ops.reshape(source, (-1, channels, length)), (0, 2, 1))
            vectors = ops.reshape(ops.one_hot(places, size), (-1, length, channels * size))
            logits = self._dense("output", self._stack("transducer", vectors)[0])
        else:
            inputs = [keras.Input((None,), dtype="int32") for _ in range(2)]
            source, previous = inputs
            encoded, states = self._stack("encoder", ops.one_hot(source, size))
            joined = [ops.concatenate([first, second], axis=-1) for first, second in zip(states[:2], states[2:])]
            outputs, _ = self._stack("decoder", ops.one_hot(previous, size), joined)
            attend = Attend(settings["pad"])
            mixed = self._dense("attention", attend(source, encoded, outputs), "tanh")
            self.weights += [(attend, weights["from_first_bias"]), (attend, weights["from_last_bias"])]
            logits = self._dense("output", mixed)
        return keras.Model(inputs, logits)

    def prepare_training(self) -> None:
        settings = self.problem.settings
        smoothing = settings["label_smoothing"]
        self.model = self._model()
        by_layer: dict[int, tuple[Any, list[Array]]] = {}
        for layer, values in self.weights:
            by_layer.setdefault(id(layer), (layer, []))[1].append(values)
        for layer, arrays in by_layer.values():
            layer.set_weights(arrays)

        def mean_loss(target: Any, logits: Any) -> Any:
            learned = ops.cast(target != IGNORED, "float32")
            return losses(target, logits, smoothing) * learned / ops.mean(learned)

        metric = MeanLoss(name="of_learned")
        metric.smoothing = smoothing
        optimizer = TwoBiasAdamW(
            float(self.problem.rates[0]), epsilon=settings["epsilon"], weight_decay=settings["weight_decay"],
            global_clipnorm=settings["clip_norm"] or None,
        )  # fmt: skip
        self.model.compile(optimizer=optimizer, loss=mean_loss, metrics=[metric])

    def epoch(self, plan: list[Batch], rates: Array) -> float:  # type: ignore[override]
        history = self.model.fit(Batches(self.problem, plan), shuffle=False, verbose=0).history
        return float(history["of_learned"][0])


def with_one_bias(direction: list[Array]) -> list[Array]:
    """Input weight, state weight and bias of one direction."""
    input_weight, state_weight, input_bias, state_bias = direction
    return [input_weight.T, state_weight.T, input_bias + state_bias]


if __name__ == "__main__":
    serve(Keras3, NetworkProblem)
