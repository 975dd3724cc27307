"""Stateful models of text: the states pass from each batch to the next, over the whole text in order.

        source (S, N)      states (layers, N, H), from the batch before
           | one-hot, or embedded and normalised (S, N, E)
        fused recurrent layers
           | (S, N, H), and the final states
        in `lstm` and `gru`, a dense layer with ReLU
           | (S, N, H)
        one dense layer
           |
        logits (S, N, V)

Each row of a batch is a stream: it continues the same row of the batch before. States are zeros at the start of each
epoch. They pass from batch to batch, but gradients do not pass back: this is back-propagation through time, truncated
to S steps (Williams and Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network
Trajectories", 1990).

`rnn-stateful` is a stateful `rnn-sequence`. `lstm` (Hochreiter and Schmidhuber 1997) and `gru` (Cho et al. 2014) have
several layers, as in lesson 6 of fast.ai's courses of 2016 and 2017, with layer normalisation (Ba, Kiros and Hinton
2016) of the embeddings unless `--normalise` says otherwise, and dropout before, between and after the layers.

`rnn-numpy` is `rnn-stateful`, and `lstm-numpy` the same with one LSTM layer, both on one-hot vectors. They differ in
training, which is in NumPy alone: see `models/by_hand.py`.
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
    """`rnn-stateful`: a stateful `rnn-sequence`."""

    state_names: ClassVar[tuple[str, ...]] = ("hidden",)

    @property
    def layers(self) -> int:
        """Number of recurrent layers."""
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
    """`gru`: stacked GRU layers, with layer normalisation and dropout."""

    mode: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3
    length = 40
    normalised = "layer"

    @property
    def layers(self) -> int:
        return self.config.layers

    def _characters(self, source: Symbol) -> Symbol:
        return self._dropout(super()._characters(source))

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
    """`lstm`: `gru` with LSTM layers."""

    state_names = ("hidden", "cell")
    mode = "lstm"
    gates = 4


class ByHandModel(StatefulModel):
    """`rnn-numpy`: `rnn-stateful` trained in NumPy, by `by_hand_updater.py`."""

    def updater(self, config: TrainingConfig, seed: int, device: Device) -> BaseUpdater:
        from seq2seq.models.by_hand_updater import ByHandUpdater

        return ByHandUpdater(self, config, seed, device)

    def by_hand(self, seed: int) -> ByHand:
        """The same network in NumPy, with initial weights.

        Parameters
        ----------
        seed : int
            Determines the initial weights.

        Raises
        ------
        UsageError
            If an option cannot be used with this model.
        """
        config = self.config
        for name in ("embedding", "dropout", "label_smoothing"):
            require(not getattr(config, name), name, getattr(config, name), f"0 for {config.model}")
        return self._by_hand(seed)

    def _by_hand(self, seed: int) -> ByHand:
        config = self.config
        return RnnByHand(self.vocabulary_size, config.hidden_size, seed, activation=config.activation)


class LstmByHandModel(ByHandModel):
    """`lstm-numpy`: one LSTM layer trained in NumPy."""

    state_names = ("hidden", "cell")
    gates = 4

    def _by_hand(self, seed: int) -> ByHand:
        return LstmByHand(self.vocabulary_size, self.config.hidden_size, seed)

    def _cell(self, states: bool) -> Any:
        return mx.rnn.FusedRNNCell(self.config.hidden_size, mode="lstm", get_next_state=states, prefix="rnn_")
