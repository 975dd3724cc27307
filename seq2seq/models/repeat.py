"""The notebook's network: an encoder's last state, repeated, is all that the decoder reads.

              source (N, S)
                 | one-hot (N, S, V)
              fused LSTM encoder
                 | last hidden state (N, H), or both directions' (N, 2H)
        repeated T times (T, N, H)
                 |
              fused LSTM decoder
                 | (T, N, H)
              one dense layer
                 |
              logits (N, T, V)

From the notebook `E2_sequence_modeling_basic_math` (sunilmallya/dl-twitch-series, 2017), after Sutskever, Vinyals
and Le, "Sequence to Sequence Learning with Neural Networks" (2014), without the feeding back of outputs. The LSTM is
Hochreiter and Schmidhuber's (1997) with a forget gate, in the fused cell's order of gates: input, forget, cell, output.
"""

from __future__ import annotations

from typing import Any

from seq2seq.config import ModelConfig
from seq2seq.mx import mx


class RepeatModel:
    """Builds the network's symbols. Two symbols built by one model have the same parameters, by name.

    Parameters
    ----------
    config : ModelConfig
    source_length, target_length, vocabulary_size : int
        S, T and V.
    """

    def __init__(self, config: ModelConfig, source_length: int, target_length: int, vocabulary_size: int) -> None:
        self.config = config
        self.source_length = source_length
        self.target_length = target_length
        self.vocabulary_size = vocabulary_size

    @property
    def random(self) -> bool:
        """Whether training draws random numbers on the device (it does for dropout)."""
        return self.config.dropout > 0

    def logits(self, source: Any) -> Any:
        """Unnormalised log-probabilities, with time first, as the recurrent layers have it.

        Parameters
        ----------
        source : mxnet.Symbol
            Ids, shape (S, N), of any numeric type.

        Returns
        -------
        mxnet.Symbol
            Shape (T, N, V).
        """
        config, sym = self.config, mx.sym
        directions = 2 if config.bidirectional else 1
        shared = {"num_hidden": config.hidden_size, "num_layers": config.layers, "dropout": config.dropout}

        characters = sym.one_hot(source, depth=self.vocabulary_size)  # (S, N, V)
        encoder = mx.rnn.FusedRNNCell(
            bidirectional=config.bidirectional, get_next_state=True, prefix="encoder_", **shared
        )
        _, (hidden, _) = encoder.unroll(self.source_length, characters, layout="TNC", merge_outputs=True)
        last_layer = sym.slice_axis(hidden, axis=0, begin=-directions, end=None)  # (directions, N, H)
        # The notebook reshaped with the batch size where this has the state's width: both were 32.
        state = sym.reshape(sym.transpose(last_layer, axes=(1, 0, 2)), shape=(1, -1, directions * config.hidden_size))
        repeated = sym.broadcast_axis(self._dropout(state), axis=0, size=self.target_length)  # (T, N, directions * H)

        decoder = mx.rnn.FusedRNNCell(prefix="decoder_", **shared)
        outputs, _ = decoder.unroll(self.target_length, repeated, layout="TNC", merge_outputs=True)  # (T, N, H)
        return sym.FullyConnected(self._dropout(outputs), num_hidden=self.vocabulary_size, flatten=False, name="output")

    def log_probabilities(self, source: Any) -> Any:
        """Log-probability of each character at each step, shape (N, T, V), from ids (N, S)."""
        logits = self.logits(mx.sym.transpose(source))
        return mx.sym.transpose(mx.sym.log_softmax(logits, axis=-1), axes=(1, 0, 2))

    def loss(self, source: Any, target: Any) -> Any:
        """Mean over N and T of the negative log-probability of the target's characters (nats): a scalar, shape (1,).

        Parameters
        ----------
        source, target : mxnet.Symbol
            Ids, shapes (S, N) and (T, N): time first.
        """
        picked = mx.sym.pick(mx.sym.log_softmax(self.logits(source), axis=-1), target, axis=-1)  # (T, N)
        return mx.sym.make_loss(mx.sym.mean(-picked), name="loss")

    def _dropout(self, values: Any) -> Any:
        return mx.sym.Dropout(values, p=self.config.dropout) if self.config.dropout else values
