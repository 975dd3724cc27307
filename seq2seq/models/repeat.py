"""The notebook's network: an encoder's last state, repeated, is all that the decoder reads.

              source (N, S)
                 | one-hot (N, S, V)
            fused recurrent encoder
                 | last hidden state (N, H), or both directions' (N, 2H)
        repeated T times (T, N, H)
                 |
            fused recurrent decoder
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

import numpy as np

from seq2seq.models.base import ParallelModel
from seq2seq.models.recurrent import Recurrent
from seq2seq.mx import mx


class RepeatModel(ParallelModel):
    """See the module. The parameters are those of `Model`."""

    def logits(self, source: Any) -> Any:
        config, sym = self.config, mx.sym
        directions = 2 if config.bidirectional else 1
        _, (hidden, *_) = self._encoder().read(self.source_length, source, self.vocabulary_size)
        last_layer = sym.slice_axis(hidden, axis=0, begin=-directions, end=None)  # (directions, N, H)
        # The notebook reshapes here, by the batch size where it means the state's width: both were 32.
        state = sym.concat(*sym.split(last_layer, num_outputs=2, axis=0), dim=2) if directions == 2 else last_layer
        # Joined, not broadcast: the gradient is then a sum of T arrays and no general reduction, which is slow.
        repeated = sym.concat(*[self._dropout(state)] * self.target_length, dim=0)  # (T, N, directions * H)

        decoder = self._recurrent("decoder", config.hidden_size)
        outputs, _ = decoder.unroll(self.target_length, repeated)  # (T, N, H)
        return sym.FullyConnected(self._dropout(outputs), num_hidden=self.vocabulary_size, flatten=False, name="output")

    def embeddings(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        [source] = self._encoder().embeddings(weights["encoder_parameters"], self.vocabulary_size)
        return {"source": source}

    def _encoder(self) -> Recurrent:
        return self._recurrent("encoder", self.config.hidden_size, self.config.bidirectional, states=True)
