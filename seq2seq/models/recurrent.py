"""Stacks of MXNet's fused recurrent layers, which read vectors, or ids of characters.

    ids (T, N)
       | one-hot (T, N, V), or of a large alphabet, looked up (T, N, C)
    fused recurrent layers
       | (T, N, H), or of both directions (T, N, 2H)

A one-hot vector picks a column of the first layer's input weights. Where there are more characters than such a column
has numbers (C), the columns are looked up and handed to a layer whose input weights are the identity: the same numbers,
in memory that does not grow with the alphabet.
"""

from __future__ import annotations

from seq2seq.config import ModelConfig
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array

MODES = {"lstm": ("lstm", 4), "rnn": ("rnn_tanh", 1)}  # what MXNet calls each cell, and how many gates it has


class Recurrent:
    """A stack of layers, the parameters of all in one vector, `{name}_parameters`.

    Parameters
    ----------
    config : ModelConfig
        Gives `cell`, `layers` and `dropout`.
    name : str
    hidden_size : int
        Units of each layer and direction (H).
    bidirectional : bool
    states : bool
        Whether the last states are wanted too: the hidden ones, and of an LSTM the cells.
    """

    def __init__(
        self, config: ModelConfig, name: str, hidden_size: int, bidirectional: bool = False, states: bool = False
    ) -> None:
        mode, gates = MODES[config.cell]
        self._hidden_size, self._layers, self._directions = hidden_size, config.layers, 2 if bidirectional else 1
        self._rows = gates * hidden_size  # what the gates of one direction take from each input
        self._cell = mx.rnn.FusedRNNCell(
            hidden_size,
            mode=mode,
            num_layers=config.layers,
            dropout=config.dropout,
            bidirectional=bidirectional,
            get_next_state=states,
            prefix=f"{name}_",
        )

    def unroll(self, length: int, vectors: Symbol, begin: list[Symbol] | None = None) -> tuple[Symbol, list[Symbol]]:
        """Outputs (T, N, H) or (T, N, 2H) and the last states, from vectors (T, N, C) and perhaps the first states."""
        return self._cell.unroll(length, vectors, begin, layout="TNC", merge_outputs=True)

    def read(
        self, length: int, ids: Symbol, size: int, begin: list[Symbol] | None = None, channels: int | None = None
    ) -> tuple[Symbol, list[Symbol]]:
        """As `unroll`, from ids below `size` (V); the id V is no character, and reads as zeros.

        Parameters
        ----------
        ids : mxnet.Symbol
            Shape (T, N), or where several characters are read at a time (T, N, channels).
        """
        if (channels or 1) * size > self._directions * self._rows:
            return self._look_up(length, ids, size, begin, channels)
        return self._one_hot(length, ids, size, begin, channels)

    def _one_hot(
        self, length: int, ids: Symbol, size: int, begin: list[Symbol] | None, channels: int | None
    ) -> tuple[Symbol, list[Symbol]]:
        vectors = mx.sym.one_hot(ids, depth=size)
        return self.unroll(length, mx.sym.reshape(vectors, shape=(0, 0, -3)) if channels else vectors, begin)

    def _look_up(
        self, length: int, ids: Symbol, size: int, begin: list[Symbol] | None, channels: int | None
    ) -> tuple[Symbol, list[Symbol]]:
        sym, rows, width = mx.sym, self._rows, self._directions * self._rows
        columns = (channels or 1) * size
        wide = width * (columns + self._hidden_size)  # numbers of the first layer: its weights of inputs and states
        parameters = self._all_parameters(columns, wide)
        first = sym.reshape(sym.slice_axis(parameters, axis=0, begin=0, end=wide), shape=(self._directions, -1))
        of_inputs = sym.slice_axis(first, axis=1, begin=0, end=rows * columns)
        of_states = sym.slice_axis(first, axis=1, begin=rows * columns, end=None)
        table = sym.transpose(sym.reshape(of_inputs, shape=(width, columns)))  # (channels * V, C)

        ids = sym.cast(ids, "float32")
        places = ids
        if channels:
            places = sym.broadcast_add(ids, sym.reshape(sym.arange(channels) * size, shape=(1, 1, -1)))
        vectors = sym.broadcast_mul(sym.take(table, places), sym.expand_dims(ids < size, axis=-1))
        if channels:
            vectors = sym.sum(vectors, axis=2)  # (T, N, C)

        narrow = []
        for direction in range(self._directions):
            narrow.append(sym.reshape(sym.eye(N=rows, M=width, k=direction * rows), shape=(-1,)))
            own = sym.slice_axis(of_states, axis=0, begin=direction, end=direction + 1)
            narrow.append(sym.reshape(own, shape=(-1,)))
        narrow.append(sym.slice_axis(parameters, axis=0, begin=wide, end=None))
        self._cell._parameter = sym.concat(*narrow, dim=0)
        return self.unroll(length, vectors, begin)

    def _all_parameters(self, columns: int, wide: int) -> Symbol:
        """The vector of all parameters, its shape said: nothing that reads it tells how long it is."""
        own = self._cell._parameter
        width = self._directions * self._rows
        deeper = (self._layers - 1) * width * (self._directions + 1) * self._hidden_size
        biases = self._layers * width * 2
        return mx.sym.var(own.name, shape=(wide + deeper + biases,), attr=own.list_attr())

    def embeddings(self, parameters: Array, size: int, channels: int = 1) -> Array:
        """What the characters of each channel add to the gates of the first layer: (channels, V, C).

        C is H times the number of gates, and twice that in both directions, each of which has its weights of the input
        (rows, channels * V) and of the state (rows, H) in turn.
        """
        columns, directions, rows = channels * size, self._directions, self._rows
        layer = parameters[: directions * rows * (columns + self._hidden_size)].reshape(directions, -1)
        return layer[:, : rows * columns].reshape(-1, channels, size).transpose(1, 2, 0)
