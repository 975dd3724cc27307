"""The decoder: writes a target from what the encoder has read."""

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
        Units of each layer.
    states : bool
        Whether the last states are wanted too.
    """

    def __init__(self, config: ModelConfig, hidden_size: int, states: bool = False) -> None:
        super().__init__(config, "decoder", hidden_size, states=states)


def shifted(target: Symbol, start: int) -> Symbol:
    """What the decoder reads in training: the target a step late, ids (T, N), after the id `start`.

    So it is given the right characters before each step (teacher forcing: Williams and Zipser 1989).
    """
    target = mx.sym.cast(target, "float32")
    first = mx.sym.ones_like(mx.sym.slice_axis(target, axis=0, begin=0, end=1)) * start
    return mx.sym.concat(first, mx.sym.slice_axis(target, axis=0, begin=0, end=-1), dim=0)
