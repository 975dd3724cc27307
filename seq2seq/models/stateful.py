"""Models of text that remember from each batch to the next, over the whole of a text in its order.

        source (S, N)      states (layers, N, H), as the batch before left them
           | one-hot, or embedded and normalised (S, N, E)
        fused recurrent layers
           | (S, N, H), and the states after them
        of `lstm` and `gru`, a dense layer with ReLU
           | (S, N, H)
        one dense layer
           |
        logits (S, N, V)

Each row of a batch is a stream: its characters follow those that the same row had in the batch before. States begin as
zeros in each epoch. They pass from batch to batch, but no gradient passes back: back-propagation through time,
truncated to S steps (Williams and Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent
Network Trajectories", 1990).

`rnn-stateful` is `rnn-sequence` that remembers. `lstm` (Hochreiter and Schmidhuber 1997) and `gru` (Cho et al. 2014)
have layers, as in lesson 6 of fast.ai's courses of 2016 and 2017: layer normalisation (Ba, Kiros and Hinton 2016) of
what was embedded, and dropout before, between and after the layers.

`rnn-numpy` is `rnn-stateful`, and `lstm-numpy` one LSTM layer of the same kind, on one-hot vectors; they differ in how
they learn, which is all in NumPy: see `models/by_hand.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.updater import BaseUpdater
from seq2seq.errors import require
from seq2seq.models.by_hand import ByHand, LstmByHand, RnnByHand
from seq2seq.models.character import SequenceModel
from seq2seq.mx import Device, Symbol, mx


class StatefulModel(SequenceModel):
    """`rnn-stateful`."""

    state_names: ClassVar[tuple[str, ...]] = ("hidden",)

    @property
    def layers(self) -> int:
        return 1

    def state_shapes(self, n: int) -> dict[str, tuple[int, ...]]:
        return {name: (self.layers, n, self.config.hidden_size) for name in self.state_names}

    def read_on(self, source: Symbol, states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        begin = [states[name] for name in self.state_names]
        outputs, after = self._unroll(self._characters(source), begin)
        return mx.sym.log_softmax(self._dense(outputs), axis=-1), dict(zip(self.state_names, after))

    def read(self, source: Symbol, target: Symbol, states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        return self.read_on(source, states)


class GruModel(StatefulModel):
    """`gru`."""

    mode: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3
    length = 40

    @property
    def layers(self) -> int:
        return self.config.layers

    def _characters(self, source: Symbol) -> Symbol:
        characters = super()._characters(source)
        if self.config.embedding:
            characters = mx.sym.LayerNorm(characters, name="normal")
        return self._dropout(characters)

    def _cell(self, states: bool) -> Any:
        config = self.config
        return mx.rnn.FusedRNNCell(
            config.hidden_size, self.layers, self.mode, dropout=config.dropout, get_next_state=states, prefix="rnn_"
        )

    def _dense(self, states: Symbol) -> Symbol:
        size = self.config.hidden_size
        mixed = mx.sym.FullyConnected(self._dropout(states), num_hidden=size, flatten=False, name="dense")
        return super()._dense(mx.sym.Activation(mixed, act_type="relu"))


class LstmModel(GruModel):
    """`lstm`."""

    state_names = ("hidden", "cell")
    mode = "lstm"
    gates = 4


class ByHandModel(StatefulModel):
    """`rnn-numpy`. `by_hand_updater.py` trains it."""

    def updater(self, config: TrainingConfig, seed: int, device: Device) -> BaseUpdater:
        from seq2seq.models.by_hand_updater import ByHandUpdater

        return ByHandUpdater(self, config, seed, device)

    def by_hand(self, seed: int) -> ByHand:
        """The network in NumPy, with its first weights."""
        config = self.config
        for name in ("embedding", "dropout", "label_smoothing"):
            require(not getattr(config, name), name, getattr(config, name), f"0 for {config.model}")
        return self._by_hand(seed)

    def _by_hand(self, seed: int) -> ByHand:
        config = self.config
        return RnnByHand(self.vocabulary_size, config.hidden_size, seed, activation=config.activation)


class LstmByHandModel(ByHandModel):
    """`lstm-numpy`."""

    state_names = ("hidden", "cell")
    gates = 4

    def _by_hand(self, seed: int) -> ByHand:
        return LstmByHand(self.vocabulary_size, self.config.hidden_size, seed)

    def _cell(self, states: bool) -> Any:
        return mx.rnn.FusedRNNCell(self.config.hidden_size, mode="lstm", get_next_state=states, prefix="rnn_")
