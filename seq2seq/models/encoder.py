"""The encoder: maps a source to one vector per position, and a final state."""

from __future__ import annotations

from seq2seq.config import ModelConfig
from seq2seq.models.recurrent import Recurrent
from seq2seq.mx import Symbol, mx


class Encoder(Recurrent):
    """Fused recurrent layers, in one or both directions.

    Outputs and states of both directions are concatenated: D is H, or 2H if bidirectional (Schuster and Paliwal 1997).

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, "encoder", config.hidden_size, config.bidirectional, states=True)
        self.layers = config.layers
        self.directions = 2 if config.bidirectional else 1

    def joined(self, states: Symbol) -> Symbol:
        """Concatenate the states of both directions in each layer: (layers * directions, N, H) to (layers, N, D)."""
        parts = mx.sym.reshape(states, shape=(-4, self.layers, self.directions, -2))
        return mx.sym.reshape(mx.sym.transpose(parts, axes=(0, 2, 1, 3)), shape=(0, 0, -3))

    def last(self, states: Symbol) -> Symbol:
        """The states of the last layer: (layers * directions, N, H) to (1, N, D)."""
        layer = mx.sym.slice_axis(states, axis=0, begin=-self.directions, end=None)  # (directions, N, H)
        if self.directions == 1:
            return layer
        return mx.sym.concat(*mx.sym.split(layer, num_outputs=2, axis=0), dim=2)
