"""Keras 3 on JAX, its fastest backend here: TensorFlow took 1.3 to 2 times as long, PyTorch 2 to 5 times."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers
from worker import IGNORED, PAD, Array, Contestant, Problem, serve


class TwoBiasAdam(keras.optimizers.Adam):
    """Adam for an LSTM with one bias, where those of MXNet and PyTorch have two.

    Two biases that are only added have the same gradients, so Adam moves both equally, and their sum twice as far. A
    single bias moves in the same way at twice the learning rate.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        twice = "lstm" in variable.path and variable.name == "bias"
        super().update_step(gradient, variable, learning_rate * 2 if twice else learning_rate)


def network(hidden: int, source_length: int, target_length: int, vocabulary_size: int) -> keras.Model:
    """Ids (N, S) to logits (N, T, V)."""
    source = keras.Input((source_length,), dtype="int32")
    characters = keras.ops.one_hot(source, vocabulary_size)
    # Unrolled: slightly faster than a loop at every size.
    state = layers.LSTM(hidden, unroll=True)(characters)
    repeated = layers.RepeatVector(target_length)(state)
    outputs = layers.LSTM(hidden, unroll=True, return_sequences=True)(repeated)
    return keras.Model(source, layers.Dense(vocabulary_size)(outputs))


def compile_for_training(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)
    model.compile(optimizer=optimizer, loss=loss, steps_per_execution=8)


class Keras3(Contestant):
    def _model(self) -> keras.Model:
        problem = self.problem
        model = network(problem.hidden, problem.source_length, problem.target_length, problem.vocabulary_size)
        weights = []
        for name in ("encoder", "decoder"):
            input_weight, state_weight, input_bias, state_bias = problem.layer(name)
            weights += [input_weight.T, state_weight.T, input_bias + state_bias]
        model.set_weights([*weights, problem.weights["output_weight"].T, problem.weights["output_bias"]])
        return model

    def prepare_training(self) -> None:
        self.model = self._model()
        compile_for_training(self.model, TwoBiasAdam(self.problem.learning_rate, epsilon=self.problem.epsilon))

    def epoch(self, sources: Array, targets: Array) -> float:
        data = [array.astype(np.int32) for array in (sources, targets)]
        return self.model.fit(*data, batch_size=self.batch, shuffle=False, verbose=0).history["loss"][0]

    def prepare_answers(self) -> None:
        model = self._model()
        best = keras.ops.argmax(model.output, axis=-1)
        self.model = keras.Model(model.input, best)
        self.model.compile(loss=None, steps_per_execution=8)

    def answer(self, sources: Array) -> Array:
        sources = sources.astype(np.int32)
        if len(sources) == 1:  # Keras recommends this for small inputs; `predict` is for large ones
            return self.model.predict_on_batch(sources)
        return self.model.predict(sources, batch_size=self.batch, verbose=0)

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        """The recipe of the Keras example `addition_rnn`: two LSTM layers of 128, batches of 32, sources reversed."""
        sources, targets = as_the_example_writes(self.problem)
        train = self.options["train"]
        started = time.perf_counter()
        model = network(128, sources.shape[1], targets.shape[1], self.problem.vocabulary_size)
        compile_for_training(model, keras.optimizers.Adam(1e-3))
        rows: list[dict[str, float]] = []
        while len(rows) < most_epochs and not (rows and rows[-1]["exact_match"] >= target):
            model.fit(sources[:train], targets[:train], batch_size=32, verbose=0)
            answers = model.predict(sources[train:], batch_size=1024, verbose=0).argmax(axis=-1)
            exact = float((answers == targets[train:]).all(axis=1).mean())
            rows.append({"seconds": time.perf_counter() - started, "exact_match": exact})
        return rows


def as_the_example_writes(problem: Problem) -> tuple[Array, Array]:
    """Sources, left-justified and then reversed, and targets, left-justified."""
    blank = problem.characters.index(PAD)

    def left_justified(ids: Array) -> Array:
        order = np.argsort(ids == blank, axis=1, kind="stable")  # blanks last
        return np.take_along_axis(ids, order, axis=1).astype(np.int32)

    return left_justified(problem.sources)[:, ::-1].copy(), left_justified(problem.targets)


if __name__ == "__main__":
    serve(Keras3)
