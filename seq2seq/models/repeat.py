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
        # The notebook reshapes here, by the batch size where it means the state's width: both were 32.
        state = sym.concat(*sym.split(last_layer, num_outputs=2, axis=0), dim=2) if directions == 2 else last_layer
        # Joined, not broadcast: the gradient is then a sum of T arrays and no general reduction, which is slow.
        repeated = sym.concat(*[self._dropout(state)] * self.target_length, dim=0)  # (T, N, directions * H)

        decoder = mx.rnn.FusedRNNCell(prefix="decoder_", **shared)
        outputs, _ = decoder.unroll(self.target_length, repeated, layout="TNC", merge_outputs=True)  # (T, N, H)
        return sym.FullyConnected(self._dropout(outputs), num_hidden=self.vocabulary_size, flatten=False, name="output")

    def log_probabilities(self, source: Any) -> Any:
        """Log-probability of each character at each step, shape (T, N, V), from ids (S, N)."""
        return mx.sym.log_softmax(self.logits(source), axis=-1)

    def loss(self, source: Any, target: Any) -> Any:
        """Negative log-probability of the target's characters (nats), its mean over T summed over N: shape (1,).

        Parameters
        ----------
        source, target : mxnet.Symbol
            Ids, shapes (S, N) and (T, N): time first.
        """
        picked = mx.sym.pick(self.log_probabilities(source), target, axis=-1)  # (T, N)
        return mx.sym.make_loss(mx.sym.sum(picked) * (-1 / self.target_length), name="loss")

    def _dropout(self, values: Any) -> Any:
        return mx.sym.Dropout(values, p=self.config.dropout) if self.config.dropout else values
