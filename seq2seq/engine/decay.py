"""Weight decay."""

from __future__ import annotations

from typing import Any

from seq2seq.calls import Call


class Decay:
    """Shrinks the weights by a fraction at every update.

    The decay is decoupled from the gradient, so that Adam does not divide it by a moment (AdamW): Loshchilov and
    Hutter, "Decoupled Weight Decay Regularization" (2019). It follows the learning-rate schedule and applies to all
    parameters, including biases.

    Parameters
    ----------
    weights : mxnet.NDArray, shape (P,)
        Changed in place.
    decay : float
        Fraction removed per update at a learning rate of 1.
    """

    def __init__(self, weights: Any, decay: float) -> None:
        self._decay = decay
        self._shrink = Call("_mul_scalar", [weights], weights, scalar=1)

    def __call__(self, rate: float) -> None:
        """Shrink the weights once.

        Parameters
        ----------
        rate : float
            The learning rate of the update.
        """
        self._shrink(scalar=1 - rate * self._decay)
