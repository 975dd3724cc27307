"""The networks of pairs as ONNX nodes: see the same networks in `seq2seq/models/`.

Shapes are as in those: N sources, S and T ids in a source and a target, V characters, H units, D units of both
directions. Ids come as (N, S), the layers work on (S, N, C).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seq2seq.exporting.graph import Graph, Value
from seq2seq.exporting.layers import Layers, Weights, dense, one_hot
from seq2seq.models import AttentionModel
from seq2seq.models.attention import FAR_BELOW, FASTER, OFFSETS
from seq2seq.models.base import Model

CELLS = {"lstm": "lstm", "rnn": "tanh"}  # the options' names of the cells in `layers.py`


def layers(model: Model, weights: Weights, name: str, read: int, hidden: int, bidirectional: bool = False) -> Layers:
    """The recurrent layers whose parameters are `{name}_parameters`."""
    config = model.config
    return Layers(weights[f"{name}_parameters"], CELLS[config.cell], read, hidden, config.layers, bidirectional)


def time_first(graph: Graph, ids: Value) -> Value:
    """(N, S) to (S, N)."""
    return str(graph("Transpose", ids, perm=[1, 0]))


def repeat_logits(graph: Graph, model: Model, weights: Weights, source: Value) -> Value:
    """Logits (T, N, V) of `repeat` from ids (N, S)."""
    config = model.config
    hidden = config.hidden_size
    encoder = layers(model, weights, "encoder", model.vocabulary_size, hidden, config.bidirectional)
    _, (state, *_) = encoder(graph, one_hot(graph, time_first(graph, source), model.vocabulary_size))
    repeated = graph("Expand", encoder.last(graph, state), [model.target_length, 1, 1])  # (T, N, D)
    width = hidden * (2 if config.bidirectional else 1)
    outputs, _ = layers(model, weights, "decoder", width, hidden)(graph, repeated)
    return dense(graph, outputs, weights, "output")


def transducer_logits(graph: Graph, model: Model, weights: Weights, channels: list[Value]) -> Value:
    """Logits (T, N, V) of `transducer` or `aligned` from the ids of each channel, (N, T)."""
    config = model.config
    size = model.vocabulary_size
    vectors = [one_hot(graph, time_first(graph, channel), size) for channel in channels]
    read = graph("Concat", *vectors, axis=2)  # (T, N, channels * V)
    stack = layers(model, weights, "transducer", len(channels) * size, config.hidden_size, config.bidirectional)
    outputs, _ = stack(graph, read)
    return dense(graph, outputs, weights, "output")


class Attention:
    """The network of `attention`.

    Parameters
    ----------
    model : AttentionModel
    weights : dict of str to ndarray
    """

    def __init__(self, model: AttentionModel, weights: Weights) -> None:
        config = model.config
        size = model.vocabulary_size
        self.model = model
        self._weights = weights
        self._size = size
        self._encoder = layers(model, weights, "encoder", size, config.hidden_size, config.bidirectional)
        self._decoder = layers(model, weights, "decoder", size, model.width)

    def shapes(self, rows: str, length: str) -> dict[str, tuple[int | str, ...]]:
        """The shapes of the states and of the memory by name, for the names of their dimensions."""
        model = self.model
        state = (model.config.layers, rows, model.width)
        return {
            **{name: (1, rows) if name == "steps" else state for name in model.state_names},
            "outputs": (rows, length, model.width),
            "hidden_places": (rows, 1, length),
        }

    def encode(self, graph: Graph, source: Value) -> dict[str, Value]:
        """The initial states and the memory from ids (N, S): see `AttentionModel.encode`."""
        across = time_first(graph, source)
        outputs, states = self._encoder(graph, one_hot(graph, across, self._size))
        first = [self._encoder.joined(graph, state) for state in states]
        if self.model.config.position_bias:
            row = graph("Slice", across, [0], [1], [0])
            first.append(graph("Mul", graph.real(row), 0.0))  # (1, N)
        padding = graph.real(graph("Equal", source, self.model.pad))
        return {
            **dict(zip(self.model.state_names, first)),
            "outputs": graph("Transpose", outputs, perm=[1, 0, 2]),
            "hidden_places": graph("Unsqueeze", graph("Mul", padding, FAR_BELOW), [1]),
        }

    def step(
        self, graph: Graph, previous: Value, states: Mapping[str, Value], memory: Mapping[str, Value]
    ) -> tuple[Value, dict[str, Value], Value]:
        """Compute one step for R rows.

        Parameters
        ----------
        graph : Graph
        previous : str
            Ids of the characters before the step, shape (R,).
        states, memory : dict of str to str

        Returns
        -------
        log_probabilities : str
            Shape (R, V).
        states : dict of str to str
            The states after the step.
        attention : str
            Shape (R, S).
        """
        begin = [states[name] for name in self.model.state_names if name != "steps"]
        read = one_hot(graph, graph("Unsqueeze", previous, [0]), self._size)
        outputs, after = self._decoder(graph, read, begin)  # (1, R, D)
        outputs = graph("Transpose", outputs, perm=[1, 0, 2])  # (R, 1, D)
        scores = graph("MatMul", outputs, graph("Transpose", memory["outputs"], perm=[0, 2, 1]))  # (R, 1, S)
        if self.model.config.position_bias:
            scores = graph("Add", scores, self._position_bias(graph, states["steps"], memory["hidden_places"]))
            after = [*after, graph("Add", states["steps"], 1.0)]
        attention = graph("Softmax", graph("Add", scores, memory["hidden_places"]), axis=-1)
        seen = graph("MatMul", attention, memory["outputs"])
        mixed = graph("Tanh", dense(graph, graph("Concat", seen, outputs, axis=2), self._weights, "attention"))
        logits = graph("Squeeze", dense(graph, mixed, self._weights, "output"), [1])
        log_probabilities = graph("LogSoftmax", logits, axis=-1)
        return log_probabilities, dict(zip(self.model.state_names, after)), graph("Squeeze", attention, [1])

    def _position_bias(self, graph: Graph, steps: Value, hidden_places: Value) -> Value:
        """The bias of this step for each position of the source, shape (R, 1, S): see `seq2seq/models/attention.py`."""
        step = graph.whole(graph("Slice", steps, [0], [1], [1]))  # (1, 1)
        length = graph("Squeeze", graph("Shape", hidden_places, start=2, end=3))
        places = graph("Range", 0, length, 1)  # (S,)
        is_padding = graph.whole(graph("Less", hidden_places, 0.0))  # (R, 1, S)
        from_first = graph("Sub", places, graph("ReduceSum", is_padding, [2]))  # (R, 1, S); negative for padding
        from_last = graph("Sub", graph("Sub", length, 1), places)
        biases = []
        for end, place in (("first", from_first), ("last", from_last)):
            offset = graph("Clip", graph("Sub", place, step), -OFFSETS, OFFSETS)
            bias = self._weights[f"from_{end}_bias"] * np.float32(FASTER)
            biases.append(graph("Gather", bias, graph("Add", offset, OFFSETS)))
        return str(graph("Add", *biases))
