"""JAX on the networks that people train: an epoch is one call of a jitted function that scans over its steps."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from network_worker import Batch, NetworkContestant, NetworkProblem
from worker import IGNORED, Array, serve

OFFSETS, FASTER = 4, 10  # of the position bias: see seq2seq/models/attention.py


def after(cell: str, step: Any, states: Any, state_weight: Any, state_bias: Any) -> Any:
    """The states after a step, from the projected input (N, G)."""
    hidden = states[0]
    own = hidden @ state_weight.T
    if cell == "lstm":
        i, f, c, o = jnp.split(step + own, 4, axis=-1)
        memory = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(c)
        return jax.nn.sigmoid(o) * jnp.tanh(memory), memory
    if cell == "gru":
        reset, update, new = jnp.split(step, 3, axis=-1)
        own_reset, own_update, own_new = jnp.split(own + state_bias, 3, axis=-1)
        update = jax.nn.sigmoid(update + own_update)
        new = jnp.tanh(new + jax.nn.sigmoid(reset + own_reset) * own_new)
        return (new + update * (hidden - new),)
    return (jnp.tanh(step + own),)


class Network:
    """The functions of a network; `parameters` are arrays by name, and for recurrent layers lists of arrays."""

    def __init__(self, problem: NetworkProblem, unroll: bool) -> None:
        self.settings = problem.settings
        self.unroll = unroll
        self.vocabulary, self.pad, self.rate = (self.settings[name] for name in ("vocabulary", "pad", "dropout"))
        parameters = {name: array for name, array in problem.weights.items() if not name.endswith("_parameters")}
        parameters.update({name: problem.stack(name) for name in self.settings["stacks"]})
        self.parameters = jax.tree.map(jnp.asarray, parameters)

    def zeros(self, n: int) -> Any:
        """The first states of a text, by layer; empty for other networks."""
        if not self.settings["stateful"]:
            return ()
        shape = self.settings["stacks"]["rnn"]
        count = 2 if shape["cell"] == "lstm" else 1
        return [[(jnp.zeros((n, shape["hidden"])),) * count] for _ in range(shape["layers"])]

    def run(self, parameters: Any, name: str, inputs: Any, begin: Any = None, key: Any = None) -> tuple[Any, Any]:
        """Inputs (T, N, C) to outputs (T, N, D), and the last states by layer and direction."""
        shape = self.settings["stacks"][name]
        cell, hidden = shape["cell"], shape["hidden"]
        finals: list[Any] = []
        for number, layer in enumerate(parameters[name]):
            if number:
                inputs = self.dropped(inputs, key, number)
            sides = []
            finals.append([])
            for direction, (input_weight, state_weight, input_bias, state_bias) in enumerate(layer):
                zeros = (jnp.zeros((inputs.shape[1], hidden)),) * (2 if cell == "lstm" else 1)
                first = zeros if begin is None else begin[number][direction]

                def step(states: Any, projected: Any, state_weight: Any = state_weight, bias: Any = state_bias) -> Any:
                    states = after(cell, projected, states, state_weight, bias)
                    return states, states[0]

                projected = inputs @ input_weight.T + (input_bias if cell == "gru" else input_bias + state_bias)
                last, outputs = jax.lax.scan(step, first, projected, reverse=direction == 1, unroll=self.unroll)
                sides.append(outputs)
                finals[-1].append(last)
            inputs = jnp.concatenate(sides, axis=-1) if len(sides) > 1 else sides[0]
        return inputs, finals

    def dropped(self, values: Any, key: Any, place: int) -> Any:
        """Dropout, in training: where there is a key."""
        if key is None or not self.rate:
            return values
        kept = jax.random.bernoulli(jax.random.fold_in(key, place), 1 - self.rate, values.shape)
        return jnp.where(kept, values / (1 - self.rate), 0)

    def dense(self, parameters: Any, name: str, values: Any) -> Any:
        return values @ parameters[f"{name}_weight"].T + parameters[f"{name}_bias"]

    def __call__(self, parameters: Any, source: Any, target: Any, states: Any, key: Any = None) -> tuple[Any, Any]:
        """Ids (N, S) and (N, T), and the states before, to logits (T, N, V) and the states after."""
        return getattr(self, self.settings["kind"])(parameters, source, target, states, key)

    def aligned(self, parameters: Any, source: Any, target: Any, states: Any, key: Any) -> tuple[Any, Any]:
        n = len(source)
        places = source.reshape(n, self.settings["channels"], -1).transpose(2, 0, 1)  # (T, N, channels)
        vectors = jax.nn.one_hot(places, self.vocabulary).reshape(*places.shape[:2], -1)
        outputs, _ = self.run(parameters, "transducer", vectors, key=key)
        return self.dense(parameters, "output", self.dropped(outputs, key, 0)), ()

    def text(self, parameters: Any, source: Any, target: Any, states: Any, key: Any) -> tuple[Any, Any]:
        vectors = parameters["embedding_weight"][source.T]
        vectors = jax.nn.standardize(vectors, epsilon=1e-5) * parameters["normal_gamma"] + parameters["normal_beta"]
        outputs, states = self.run(parameters, "rnn", self.dropped(vectors, key, 100), states, key)
        mixed = jax.nn.relu(self.dense(parameters, "dense", self.dropped(outputs, key, 101)))
        return self.dense(parameters, "output", self.dropped(mixed, key, 102)), states

    def attention(self, parameters: Any, source: Any, target: Any, states: Any, key: Any) -> tuple[Any, Any]:
        memory, states = self.encode(parameters, source)
        start = jnp.full((len(source), 1), self.vocabulary)
        previous = jnp.concatenate([start, target[:, :-1]], axis=1)
        logits, _ = self.decode(parameters, previous, memory, states, key=key)
        return logits, ()

    def encode(self, parameters: Any, source: Any) -> tuple[Any, Any]:
        """The encoder's outputs (N, S, D) and the padding (N, S), and the decoder's first states."""
        outputs, layers = self.run(parameters, "encoder", jax.nn.one_hot(source.T, self.vocabulary))
        states = [[tuple(jnp.concatenate(each, axis=-1) for each in zip(*layer))] for layer in layers]
        return (outputs.transpose(1, 0, 2), source == self.pad), states

    def decode(
        self, parameters: Any, previous: Any, memory: Any, states: Any, begin: Any = 0, key: Any = None
    ) -> tuple[Any, Any]:
        """Logits (T, N, V) of the steps from `begin` on, from the characters before each (N, T)."""
        encoded, padding = memory
        outputs, states = self.run(parameters, "decoder", jax.nn.one_hot(previous.T, self.vocabulary), states)
        outputs = outputs.transpose(1, 0, 2)
        scores = outputs @ encoded.transpose(0, 2, 1) + self._bias(parameters, padding, begin, previous.shape[1])
        attention = jax.nn.softmax(jnp.where(padding[:, None], -1e9, scores), axis=-1)
        mixed = jnp.tanh(self.dense(parameters, "attention", jnp.concatenate([attention @ encoded, outputs], axis=2)))
        return self.dense(parameters, "output", self.dropped(mixed, key, 0)).transpose(1, 0, 2), states

    def _bias(self, parameters: Any, padding: Any, begin: Any, count: int) -> Any:
        """The bias of each step for each position of the source (N, T, S)."""
        length = padding.shape[1]
        steps = begin + jnp.arange(count)
        places = jnp.arange(length)

        def table(name: str, place: Any) -> Any:  # (S, T); a one-hot product has a faster gradient than a look-up
            offsets = jnp.clip(place[:, None] - steps, -OFFSETS, OFFSETS) + OFFSETS
            return jax.nn.one_hot(offsets, 2 * OFFSETS + 1) @ parameters[name]

        own = jnp.maximum(places - padding.sum(axis=1, keepdims=True), 0)  # (N, S): from the first character
        from_first = jax.nn.one_hot(own, length) @ table("from_first_bias", places)
        return FASTER * (from_first + table("from_last_bias", length - 1 - places)).transpose(0, 2, 1)


class Jax(NetworkContestant):
    def prepare_training(self) -> None:
        problem, settings = self.problem, self.problem.settings
        network = self.network = Network(problem, self.variant["unroll"])
        clip = optax.clip_by_global_norm(settings["clip_norm"]) if settings["clip_norm"] else optax.identity()
        optimizer = optax.chain(
            clip, optax.scale_by_adam(eps=settings["epsilon"]), optax.add_decayed_weights(settings["weight_decay"])
        )
        smoothing = settings["label_smoothing"]

        def mean_loss(parameters: Any, source: Any, target: Any, states: Any, key: Any) -> Any:
            logits, states = network(parameters, source, target, states, key)
            target = target.T
            learned = target != IGNORED
            predicted = jax.nn.log_softmax(logits)
            wanted = jax.nn.one_hot(target, network.vocabulary) * (1 - smoothing) + smoothing / network.vocabulary
            losses = -(wanted * predicted).sum(axis=-1)
            terms = learned.sum()
            return jnp.where(learned, losses, 0).sum() / terms, (states, terms)

        def on(widths: tuple[int, int], data: Any, parameters: Any, rows: Any, used: Any, states: Any, key: Any) -> Any:
            """The gradients for rows of one bucket; those that fill up a batch are not used."""
            source, target = data[0][rows, -widths[0] :], data[1][rows, : widths[1]]
            target = jnp.where(used[:, None], target, IGNORED)
            return jax.value_and_grad(mean_loss, has_aux=True)(parameters, source, target, states, key)

        def epoch(parameters: Any, moments: Any, data: Any, states: Any, steps: Any) -> Any:
            def step(carry: Any, batch: Any) -> Any:
                parameters, moments, states = carry
                bucket, rows, used, rate, key = batch
                branches = [partial(on, widths, data) for widths in problem.widths]
                (loss, (states, terms)), gradients = jax.lax.switch(
                    bucket, branches, parameters, rows, used, states, key
                )
                updates, moments = optimizer.update(gradients, moments, parameters)
                parameters = jax.tree.map(lambda old, change: old - rate * change, parameters, updates)
                return (parameters, moments, states), (loss * terms, terms)

            (parameters, moments, _), (losses, terms) = jax.lax.scan(step, (parameters, moments, states), steps)
            return parameters, moments, losses.sum() / terms.sum()

        self.parameters = network.parameters
        self.moments = optimizer.init(self.parameters)
        self.data = [jnp.asarray(array) for array in (problem.sources, problem.targets)]
        self.jitted_epoch = jax.jit(epoch, donate_argnums=(0, 1))
        self.key = jax.random.key(self.options.get("seed", 0))

    def epoch(self, plan: list[Batch], rates: Array) -> float:  # type: ignore[override]
        batch = self.problem.settings["batch"]
        rows = np.zeros((len(plan), batch), np.int32)
        used = np.zeros((len(plan), batch), bool)
        for place, each in enumerate(plan):
            rows[place, : len(each.rows)] = each.rows
            used[place, : len(each.rows)] = True
        self.key, key = jax.random.split(self.key)
        keys = jax.random.split(key, len(plan))
        steps = (np.array([each.bucket for each in plan]), rows, used, rates.astype(np.float32), keys)
        self.parameters, self.moments, loss = self.jitted_epoch(
            self.parameters, self.moments, self.data, self.network.zeros(batch), steps
        )
        return float(loss)

    def prepare_answers(self) -> None:
        self.network = Network(self.problem, self.variant["unroll"])
        self.parameters = self.network.parameters

    def forward(self, sources: Array) -> Any:
        if "jitted_forward" not in vars(self):
            self.jitted_forward = jax.jit(self._greedy)
        n = len(sources)
        if 1 < n < self.batch:  # one graph for all batches of a width
            sources = np.concatenate([sources, np.repeat(sources[:1], self.batch - n, axis=0)])
        return np.asarray(self.jitted_forward(self.parameters, sources))[:n]

    def _greedy(self, parameters: Any, source: Any) -> Any:
        network, length = self.network, self.problem.settings["target_length"]
        memory, states = network.encode(parameters, source)
        n = len(source)

        def going_on(carry: Any) -> Any:
            step, _, _, _, ended = carry
            return (step < length) & ~ended.all()

        def write(carry: Any) -> Any:
            step, previous, states, ids, ended = carry
            logits, states = network.decode(parameters, previous, memory, states, step)
            best = logits[0].argmax(axis=-1).astype(jnp.int32)[:, None]
            ids = jax.lax.dynamic_update_slice(ids, best, (0, step))
            return step + 1, best, states, ids, ended | (best[:, 0] == network.pad)

        ids = jnp.full((n, length), network.pad, jnp.int32)
        first = (0, jnp.full((n, 1), network.vocabulary, jnp.int32), states, ids, jnp.zeros(n, bool))
        return jax.lax.while_loop(going_on, write, first)[3]

    def loss_of_text(self, sources: Array, targets: Array) -> float:
        if "jitted_text" not in vars(self):

            def loss(parameters: Any, sources: Any, targets: Any) -> Any:
                def read(states: Any, window: Any) -> Any:
                    logits, states = self.network(parameters, window[0], window[1], states)
                    return states, optax.softmax_cross_entropy_with_integer_labels(logits, window[1].T).mean()

                return jax.lax.scan(read, self.network.zeros(sources.shape[1]), (sources, targets))[1].mean()

            self.jitted_text = jax.jit(loss)
        return float(self.jitted_text(self.parameters, sources, targets))


if __name__ == "__main__":
    serve(Jax, NetworkProblem)
