"""Stacks of MXNet's fused recurrent layers that read vectors or ids of characters.

    ids (T, N)
       | one-hot (T, N, V), or for a large alphabet, looked up (T, N, C)
    fused recurrent layers
       | (T, N, H), or (T, N, 2H) if bidirectional

A one-hot vector selects a column of the first layer's input weights. If there are more characters than such a column
has numbers (C), the columns are looked up and passed to a layer whose input weights are the identity: the results are
the same, and memory does not grow with the alphabet.
"""

from __future__ import annotations

from seq2seq.config import ModelConfig
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array

MODES = {"lstm": ("lstm", 4), "rnn": ("rnn_tanh", 1)}  # MXNet's name of each cell, and its number of gates


class Recurrent:
    """A stack of recurrent layers with all parameters in one vector, `{name}_parameters`.

    Parameters
    ----------
    config : ModelConfig
        Gives `cell`, `layers` and `dropout`.
    name : str
    hidden_size : int
        Units per layer and direction (H).
    bidirectional : bool
    states : bool
        Whether to return the final states too: the hidden states, and for an LSTM the cells.
    """

    def __init__(
        self, config: ModelConfig, name: str, hidden_size: int, bidirectional: bool = False, states: bool = False
    ) -> None:
        mode, gates = MODES[config.cell]
        self._hidden_size = hidden_size
        self._layers = config.layers
        self._directions = 2 if bidirectional else 1
        self._rows = gates * hidden_size  # rows of one direction's weights
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
        """Apply the layers to vectors.

        Parameters
        ----------
        length : int
            T.
        vectors : mxnet.Symbol, shape (T, N, C)
        begin : list of mxnet.Symbol, optional
            Initial states, shape (layers * directions, N, H) each; zeros by default.

        Returns
        -------
        outputs : mxnet.Symbol, shape (T, N, H) or (T, N, 2H)
        states : list of mxnet.Symbol
            The final states.
        """
        return self._cell.unroll(length, vectors, begin, layout="TNC", merge_outputs=True)

    def read(
        self, length: int, ids: Symbol, size: int, begin: list[Symbol] | None = None, channels: int | None = None
    ) -> tuple[Symbol, list[Symbol]]:
        """Apply the layers to characters.

        Parameters
        ----------
        length, begin
            As in `unroll`.
        ids : mxnet.Symbol
            Shape (T, N), or (T, N, channels) if several characters are read at a time.
        size : int
            Number of characters (V). The id V is not a character, and its vector is all zeros.
        channels : int, optional

        Returns
        -------
        outputs, states
            As in `unroll`.
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
        sym = mx.sym
        rows = self._rows
        width = self._directions * rows
        columns = (channels or 1) * size
        wide = width * (columns + self._hidden_size)  # size of the first layer's weights, for inputs and states
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
        """The vector of all parameters with an explicit shape, which MXNet cannot infer here."""
        own = self._cell._parameter
        width = self._directions * self._rows
        deeper = (self._layers - 1) * width * (self._directions + 1) * self._hidden_size
        biases = self._layers * width * 2
        return mx.sym.var(own.name, shape=(wide + deeper + biases,), attr=own.list_attr())

    def embeddings(self, parameters: Array, size: int, channels: int = 1) -> Array:
        """The columns of the first layer's input weights, one per character of each channel.

        Parameters
        ----------
        parameters : ndarray, shape (P,)
            The vector of all parameters. It begins with the first layer of each direction in turn: input weights
            (rows, channels * V) and state weights (rows, H), where rows is the number of gates times H.
        size : int
            Number of characters (V).
        channels : int

        Returns
        -------
        ndarray, shape (channels, V, C)
            C is rows, or twice that if bidirectional.
        """
        columns = channels * size
        directions = self._directions
        rows = self._rows
        layer = parameters[: directions * rows * (columns + self._hidden_size)].reshape(directions, -1)
        return layer[:, : rows * columns].reshape(-1, channels, size).transpose(1, 2, 0)
