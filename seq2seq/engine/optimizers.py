"""Optimizers that update all weights, stored as one vector, with one operator and without waiting for MXNet's engine.

MXNet's own optimizers call an operator for each parameter and keep their state in a pickle. For small networks the
number of operators determines the time of a step, and a run folder contains no pickles.
"""

from __future__ import annotations

import math
from typing import Any

from seq2seq.calls import Call
from seq2seq.engine.options import TrainingConfig
from seq2seq.mx import mx
from seq2seq.values import FLOAT_LEAST

BETA1 = 0.9  # Adam's decay rates, with the values of its paper
BETA2 = 0.999


def _held(rate: float) -> float:
    """The rate, or 0 if it is too small for MXNet to parse."""
    return rate if rate >= FLOAT_LEAST else 0.0


class Adam:
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    weights : mxnet.NDArray, shape (P,)
        Changed in place by every update.
    gradients : mxnet.NDArray, shape (P,)
        Read at every update.
    config : TrainingConfig
        Gives `epsilon`.

    Attributes
    ----------
    moments : list of mxnet.NDArray, shape (P,)
        Running means of the gradients and of their squares.
    """

    def __init__(self, weights: Any, gradients: Any, config: TrainingConfig) -> None:
        self.moments = [mx.nd.zeros_like(weights) for _ in range(2)]
        self._move = Call(
            "adam_update", [weights, gradients, *self.moments], weights,
            lr=0, rescale_grad=1, beta1=BETA1, beta2=BETA2, epsilon=config.epsilon,
        )  # fmt: skip

    def update(self, rate: float, update: int, scale: float) -> None:
        """Update the weights once.

        Parameters
        ----------
        rate : float
            Learning rate.
        update : int
            Number of the update, counted from 1.
        scale : float
            Factor by which the gradients are multiplied first.
        """
        corrected = rate * math.sqrt(1 - BETA2**update) / (1 - BETA1**update)
        self._move(lr=_held(corrected), rescale_grad=scale)


class Sgd:
    """Stochastic gradient descent with momentum.

    It has the parameters and attributes of `Adam`, but a single moment, the velocity, and uses `config.momentum`.
    """

    def __init__(self, weights: Any, gradients: Any, config: TrainingConfig) -> None:
        self.moments = [mx.nd.zeros_like(weights)]
        self._move = Call(
            "sgd_mom_update", [weights, gradients, *self.moments], weights,
            lr=0, rescale_grad=1, momentum=config.momentum,
        )  # fmt: skip

    def update(self, rate: float, update: int, scale: float) -> None:
        """Update the weights once, with the parameters of `Adam.update`."""
        self._move(lr=_held(rate), rescale_grad=scale)


OPTIMIZERS: dict[str, type[Adam] | type[Sgd]] = {"adam": Adam, "sgd": Sgd}
