"""Gradient clipping by global norm."""

from __future__ import annotations

from typing import Any

from seq2seq.calls import Call
from seq2seq.mx import mx


class Clip:
    """Scales a gradient and clips its global norm.

    From Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013).

    Parameters
    ----------
    sections : list of mxnet.NDArray, shape (P,)
        Parts of the gradient, with different P. Changed in place.
    longest : float
        The maximum norm of the gradient.
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
        """Scale the gradient and clip it.

        Parameters
        ----------
        scale : float
            The gradient is multiplied by it, or by a smaller factor that brings its norm down to `longest`.
        """
        for square in self._squares:
            square()
        for limit, at_most, multiply in self._parts:
            for call in limit:
                call()
            at_most(scalar=scale)
            multiply()
