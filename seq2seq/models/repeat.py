"""The notebook's network: at every step the decoder reads only the encoder's final state.

              source (N, S)
                 | one-hot (N, S, V)
            fused recurrent encoder
                 | final hidden state (N, H), or (N, 2H) if bidirectional
        repeated T times (T, N, H)
                 |
            fused recurrent decoder
                 | (T, N, H)
              one dense layer
                 |
              logits (N, T, V)

From the notebook `E2_sequence_modeling_basic_math` (sunilmallya/dl-twitch-series, 2017), after Sutskever, Vinyals
and Le, "Sequence to Sequence Learning with Neural Networks" (2014), without feeding outputs back to the decoder. The
LSTM is that of Hochreiter and Schmidhuber (1997) with a forget gate; the gates of the fused cell are in the order
input, forget, cell, output.
"""

from __future__ import annotations

from seq2seq.models.base import ParallelModel
from seq2seq.models.decoder import Decoder
from seq2seq.models.encoder import Encoder
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array


class RepeatModel(ParallelModel):
    """The notebook's network: see the module. It has the parameters of `Model`."""

    def logits(self, source: Symbol) -> Symbol:
        sym = mx.sym
        encoder = Encoder(self.config)
        _, (hidden, *_) = encoder.read(self.source_length, source, self.vocabulary_size)
        # The notebook reshapes here with the batch size in place of the state's width: both were 32.
        state = encoder.last(hidden)  # (1, N, D)
        # Concatenated, not broadcast, so that the gradient is a sum of T arrays; a general reduction would be slow.
        repeated = sym.concat(*[self._dropout(state)] * self.target_length, dim=0)  # (T, N, D)

        decoder = Decoder(self.config, self.config.hidden_size)
        outputs, _ = decoder.unroll(self.target_length, repeated)  # (T, N, H)
        return sym.FullyConnected(self._dropout(outputs), num_hidden=self.vocabulary_size, flatten=False, name="output")

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        [source] = Encoder(self.config).embeddings(weights["encoder_parameters"], self.vocabulary_size)
        return {"source": source}
