"""Weight decay."""

from __future__ import annotations

from typing import Any

from seq2seq.calls import Call


class Decay:
    """Shrinks weights by a fraction of themselves at every update.

    Decoupled from the gradient, so that Adam does not divide it by a moment: AdamW, from Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization" (2019). It follows the learning rate's schedule, and takes all parameters,
    biases too.

    Parameters
    ----------
    weights : mxnet.NDArray, shape (P,)
        Changed in place.
    decay : float
        The fraction that is lost at a learning rate of 1.
    """

    def __init__(self, weights: Any, decay: float) -> None:
        self._decay = decay
        self._shrink = Call("_mul_scalar", [weights], weights, scalar=1)

    def __call__(self, rate: float) -> None:
        """Shrink the weights once, at this learning rate."""
        self._shrink(scalar=1 - rate * self._decay)
