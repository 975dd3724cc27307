"""Optimizers that move all weights, one long vector, with one operator, and never wait for the engine.

MXNet's own call an operator for each parameter and keep their state in a pickle. At small sizes a step is bounded by
the number of operators, and a run folder holds no pickle.
"""

from __future__ import annotations

import math
from typing import Any

from seq2seq.calls import Call
from seq2seq.config import TrainingConfig
from seq2seq.mx import mx
from seq2seq.values import FLOAT_LEAST

BETA1, BETA2 = 0.9, 0.999  # of Adam, as its paper has them


def learning_rate(config: TrainingConfig, update: int, updates: int) -> float:
    """The rate of an update: a straight rise over the warm-up, then constant, or half a cosine down to 0, or several.

    Those of `restarts` begin at the highest rate again, each twice as long as the one before it, and the last ends with
    the training (Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts").

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
    done, length = update - 1 - warmup, max(1, updates - warmup)
    if config.schedule == "restarts":  # in whole numbers, so that no cycle begins an update late
        shares = 2**config.cycles - 1
        share = min(done * shares // length + 1, shares)
        size = 2 ** (share.bit_length() - 1)  # of the cycle, in shares; those before it have one share less
        done, length = done * shares - (size - 1) * length, size * length
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done / length)))


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


class Clip:
    """Cuts a gradient that is too long.

    From Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).

    Parameters
    ----------
    sections : list of mxnet.NDArray, shape (P,)
        What the gradient consists of. Changed in place.
    longest : float
    """

    def __init__(self, sections: list[Any], longest: float) -> None:
        squares = [mx.nd.zeros((1,), section.context) for section in sections]
        factors = [mx.nd.zeros_like(square) for square in squares]
        self._squares = [Call("dot", [section, section], square) for section, square in zip(sections, squares)]
        self._parts = []
        for section, own, factor in zip(sections, squares, factors):
            summands = [own, *(square for square in squares if square is not own)]
            limit = [
                Call("add_n", summands, factor, num_args=len(summands)),
                Call("rsqrt", [factor], factor),
                Call("_mul_scalar", [factor], factor, scalar=longest),
            ]
            at_most = Call("_minimum_scalar", [factor], factor, scalar=1)
            self._parts.append((limit, at_most, Call("broadcast_mul", [section, factor], section)))

    def __call__(self, scale: float) -> None:
        """Multiply the gradient by `scale`, or by what makes it `longest` if it would be longer."""
        for square in self._squares:
            square()
        for limit, at_most, multiply in self._parts:
            for call in limit:
                call()
            at_most(scalar=scale)
            multiply()
