"""The encoder: reads a source into a vector for each place, and a state at its end."""

from __future__ import annotations

from seq2seq.config import ModelConfig
from seq2seq.models.recurrent import Recurrent
from seq2seq.mx import Symbol, mx


class Encoder(Recurrent):
    """Fused recurrent layers, in one direction or both.

    Both directions' outputs and states are joined: D is H, or 2H for both (Schuster and Paliwal 1997).

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, "encoder", config.hidden_size, config.bidirectional, states=True)
        self.layers = config.layers
        self.directions = 2 if config.bidirectional else 1

    def joined(self, states: Symbol) -> Symbol:
        """Both directions' states of each layer side by side: (layers * directions, N, H) to (layers, N, D)."""
        parts = mx.sym.reshape(states, shape=(-4, self.layers, self.directions, -2))
        return mx.sym.reshape(mx.sym.transpose(parts, axes=(0, 2, 1, 3)), shape=(0, 0, -3))

    def last(self, states: Symbol) -> Symbol:
        """The last layer's: (layers * directions, N, H) to (1, N, D)."""
        layer = mx.sym.slice_axis(states, axis=0, begin=-self.directions, end=None)  # (directions, N, H)
        if self.directions == 1:
            return layer
        return mx.sym.concat(*mx.sym.split(layer, num_outputs=2, axis=0), dim=2)
