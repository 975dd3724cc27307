"""Optimizers that move all parameters with few operators and never wait for the engine.

MXNet's own call an operator for each parameter and keep their state in a pickle. At small sizes a step is bounded by
the number of operators, and a run folder holds no pickle.
"""

from __future__ import annotations

import math
from typing import Any

from seq2seq.config import TrainingConfig
from seq2seq.mx import mx

BETA1, BETA2 = 0.9, 0.999  # of Adam, as its paper has them


def learning_rate(config: TrainingConfig, update: int, updates: int) -> float:
    """The rate of an update: a straight rise over the warm-up, then constant or half a cosine down to 0.

    Parameters
    ----------
    config : TrainingConfig
    update : int
        The number of the update, the first being 1.
    updates : int
        How many there will be in all.
    """
    rate, warmup = config.learning_rate, min(config.warmup_steps, updates // 10)
    if update <= warmup:
        return rate * update / (warmup + 1)
    if config.schedule == "constant":
        return rate
    done = (update - 1 - warmup) / max(1, updates - warmup)
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class Adam:
    """Adam (Kingma and Ba 2015), with the gradient of all parameters together cut to a length.

    Parameters
    ----------
    parameters : list of mxnet.NDArray
        Changed in place by every update.
    config : TrainingConfig

    Attributes
    ----------
    moments : list of list of mxnet.NDArray
        Running means of the gradients and of their squares, for each parameter.
    """

    def __init__(self, parameters: list[Any], config: TrainingConfig) -> None:
        self.parameters = parameters
        self.epsilon = config.epsilon
        self.clip_norm = config.clip_norm
        self.moments = [[mx.nd.zeros_like(parameter) for parameter in parameters] for _ in range(2)]
        self._whole = mx.nd.ones((1,), parameters[0].context)

    def update(self, gradients: list[Any], rate: float, update: int) -> None:
        """Move the parameters once: gradients in the order of the parameters, the rate, the update's number from 1."""
        n = len(self.parameters)
        scale = _clip_scale(gradients, self.clip_norm) if self.clip_norm else self._whole
        corrected = rate * math.sqrt(1 - BETA2**update) / (1 - BETA1**update)
        mx.nd.contrib.multi_adamw_update(
            self.parameters, gradients, *self.moments, scale, out=self.parameters,
            lrs=[corrected] * n, wds=[0.0] * n, etas=[1.0] * n, beta1=BETA1, beta2=BETA2, epsilon=self.epsilon,
        )  # fmt: skip


class Sgd:
    """Gradient descent with momentum, with the gradient of all parameters together cut to a length.

    Parameters and attributes are those of `Adam`, with one moment a parameter: its velocity.
    """

    def __init__(self, parameters: list[Any], config: TrainingConfig) -> None:
        self.parameters = parameters
        self.momentum = config.momentum
        self.clip_norm = config.clip_norm
        self.moments = [[mx.nd.zeros_like(parameter) for parameter in parameters]]

    def update(self, gradients: list[Any], rate: float, update: int) -> None:
        """Move the parameters once, as `Adam.update` does."""
        if self.clip_norm:
            scale = _clip_scale(gradients, self.clip_norm)
            for gradient in gradients:
                mx.nd.broadcast_mul(gradient, scale, out=gradient)
        n = len(self.parameters)
        arrays = [array for triple in zip(self.parameters, gradients, *self.moments) for array in triple]
        mx.nd.multi_sgd_mom_update(
            *arrays, out=self.parameters, lrs=[rate] * n, wds=[0.0] * n, momentum=self.momentum, num_weights=n
        )


OPTIMIZERS: dict[str, type[Adam] | type[Sgd]] = {"adam": Adam, "sgd": Sgd}


def _clip_scale(gradients: list[Any], longest: float) -> Any:
    """What to multiply gradients by so that their joint length is at most `longest` (Pascanu et al. 2013): (1,)."""
    squares = mx.nd.multi_sum_sq(*gradients, num_arrays=len(gradients)).sum()
    return mx.nd.minimum(longest * mx.nd.rsqrt(squares), 1.0)
