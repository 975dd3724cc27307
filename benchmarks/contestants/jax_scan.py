"""JAX: an epoch is one call of a jitted function that scans over its steps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from worker import IGNORED, Array, Contestant, serve


def lstm(layer: list[Any], inputs: Any, unroll: bool) -> tuple[Any, Any]:
    """Inputs (T, N, C) to outputs (T, N, H) and the last state (N, H); input products are outside the loop."""
    input_weight, state_weight, input_bias, state_bias = layer

    def step(carry: Any, projected: Any) -> Any:
        hidden, cell = carry
        i, f, c, o = jnp.split(projected + hidden @ state_weight.T, 4, axis=-1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(c)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (hidden, cell), hidden

    zeros = jnp.zeros((inputs.shape[1], state_weight.shape[1]))
    projected = inputs @ input_weight.T + (input_bias + state_bias)
    (hidden, _), outputs = jax.lax.scan(step, (zeros, zeros), projected, unroll=unroll)
    return outputs, hidden


class Jax(Contestant):
    def _parameters(self) -> dict[str, Any]:
        weights = self.problem.weights
        parameters = {name: self.problem.layer(name) for name in ("encoder", "decoder")}
        return jax.tree.map(jnp.asarray, {**parameters, "output": [weights["output_weight"], weights["output_bias"]]})

    def _logits(self, parameters: Any, source: Any) -> Any:
        """Ids (N, S) to logits (T, N, V)."""
        problem, unroll = self.problem, self.variant["unroll"]
        _, state = lstm(parameters["encoder"], jax.nn.one_hot(source.T, problem.vocabulary_size), unroll)
        repeated = jnp.broadcast_to(state, (problem.target_length, *state.shape))
        outputs, _ = lstm(parameters["decoder"], repeated, unroll)
        weight, bias = parameters["output"]
        return outputs @ weight.T + bias

    def prepare_training(self) -> None:
        optimizer = optax.adam(self.problem.learning_rate, eps=self.problem.epsilon)
        full = len(self.problem.sources) // self.batch  # steps with a full batch; the rest are one more step

        def mean_loss(parameters: Any, source: Any, target: Any) -> Any:
            logits, learned = self._logits(parameters, source), target.T != IGNORED
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.maximum(target.T, 0))
            return jnp.where(learned, losses, 0).sum() / learned.sum()

        def step(carry: Any, batch: Any) -> Any:
            parameters, state = carry
            loss, gradients = jax.value_and_grad(mean_loss)(parameters, *batch)
            updates, state = optimizer.update(gradients, state)
            return (optax.apply_updates(parameters, updates), state), loss * (batch[1] != IGNORED).sum()

        def epoch(carry: Any, data: Any) -> Any:
            end = full * self.batch
            batches = [array[:end].reshape(full, self.batch, -1) for array in data]
            carry, losses = jax.lax.scan(step, carry, batches)
            total = losses.sum()
            if end < len(data[0]):
                carry, last = step(carry, [array[end:] for array in data])
                total += last
            return carry, total

        parameters = self._parameters()
        self.carry = parameters, optimizer.init(parameters)
        self.jitted_epoch = jax.jit(epoch, donate_argnums=0)

    def epoch(self, sources: Array, targets: Array) -> float:
        data = [array.astype(np.int32) for array in (sources, targets)]
        self.carry, total = self.jitted_epoch(self.carry, data)
        return float(total) / (targets != IGNORED).sum()

    def prepare_answers(self) -> None:
        parameters = self._parameters()
        self.jitted_forward = jax.jit(
            lambda sources: self._logits(parameters, sources).argmax(axis=-1).T.astype(jnp.int32)
        )

    def forward(self, sources: Array) -> Any:
        return self.jitted_forward(sources)


if __name__ == "__main__":
    serve(Jax)
