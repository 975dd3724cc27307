"""Optimizers that move all weights, one long vector, with one operator, and never wait for the engine.

MXNet's own call an operator for each parameter and keep their state in a pickle. At small sizes a step is bounded by
the number of operators, and a run folder holds no pickle.
"""

from __future__ import annotations

import math
from typing import Any

from seq2seq.calls import Call
from seq2seq.engine.options import TrainingConfig
from seq2seq.mx import mx
from seq2seq.values import FLOAT_LEAST

BETA1, BETA2 = 0.9, 0.999  # of Adam, as its paper has them


def _held(rate: float) -> float:
    """A rate, or 0 for one so small that MXNet refuses to read it."""
    return rate if rate >= FLOAT_LEAST else 0.0


class Adam:
    """Adam (Kingma and Ba 2015).

    Parameters
    ----------
    weights : mxnet.NDArray, shape (P,)
        Changed in place by every update.
    gradients : mxnet.NDArray, shape (P,)
        Where they are to be found at every update.
    config : TrainingConfig

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
        """Move the weights once.

        Parameters
        ----------
        rate : float
        update : int
            Its number, the first being 1.
        scale : float
            What to multiply the gradients by first.
        """
        corrected = rate * math.sqrt(1 - BETA2**update) / (1 - BETA1**update)
        self._move(lr=_held(corrected), rescale_grad=scale)


class Sgd:
    """Gradient descent with momentum. Parameters and attributes are those of `Adam`; its one moment is a velocity."""

    def __init__(self, weights: Any, gradients: Any, config: TrainingConfig) -> None:
        self.moments = [mx.nd.zeros_like(weights)]
        self._move = Call(
            "sgd_mom_update", [weights, gradients, *self.moments], weights,
            lr=0, rescale_grad=1, momentum=config.momentum,
        )  # fmt: skip

    def update(self, rate: float, update: int, scale: float) -> None:
        """Move the weights once, as `Adam.update` does."""
        self._move(lr=_held(rate), rescale_grad=scale)


OPTIMIZERS: dict[str, type[Adam] | type[Sgd]] = {"adam": Adam, "sgd": Sgd}
