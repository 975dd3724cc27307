"""The decoder: writes a target from the encoder's result."""

from __future__ import annotations

from seq2seq.config import ModelConfig
from seq2seq.models.recurrent import Recurrent
from seq2seq.mx import Symbol, mx


class Decoder(Recurrent):
    """Fused recurrent layers, in one direction.

    Parameters
    ----------
    config : ModelConfig
    hidden_size : int
        Units per layer.
    states : bool
        Whether to return the final states too.
    """

    def __init__(self, config: ModelConfig, hidden_size: int, states: bool = False) -> None:
        super().__init__(config, "decoder", hidden_size, states=states)


def shifted(target: Symbol, start: int) -> Symbol:
    """The decoder's input in training: the target shifted by one step (teacher forcing: Williams and Zipser 1989).

    Parameters
    ----------
    target : mxnet.Symbol
        Ids, shape (T, N).
    start : int
        The id before the first character.

    Returns
    -------
    mxnet.Symbol, shape (T, N)
    """
    target = mx.sym.cast(target, "float32")
    first = mx.sym.ones_like(mx.sym.slice_axis(target, axis=0, begin=0, end=1)) * start
    return mx.sym.concat(first, mx.sym.slice_axis(target, axis=0, begin=0, end=-1), dim=0)
