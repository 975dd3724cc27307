"""The networks of texts as ONNX nodes: see the same networks in `seq2seq/models/character.py` and `stateful.py`."""

from __future__ import annotations

import numpy as np

from seq2seq.errors import UsageError
from seq2seq.exporting.graph import Graph, Value
from seq2seq.exporting.layers import Layers, Weights, dense, one_hot, part
from seq2seq.exporting.pairs import time_first
from seq2seq.models import CharacterModel, StatefulModel
from seq2seq.models.character import EPSILON, AddingModel, Char3Model, FusedModel, JoiningModel
from seq2seq.models.stateful import GruModel, LstmByHandModel
from seq2seq.typing import Array


def graphs_of_text(model: CharacterModel, weights: Weights) -> dict[str, Graph]:
    """The graph of a network of a text, which reads characters and predicts the next one.

    Parameters
    ----------
    model : CharacterModel
    weights : dict of str to ndarray

    Returns
    -------
    dict of str to Graph
        `model`. That of a stateful network continues from given states.

    Raises
    ------
    UsageError
        If the network has no graph in ONNX.
    """
    graph = Graph("next")
    source = graph.input("source", np.int64, "batch", "length")
    shapes = {name: (count, "batch", width) for name, (count, _, width) in model.state_shapes(1).items()}
    begin = [graph.input(name, np.float32, *shape) for name, shape in shapes.items()]
    vectors = _vectors(graph, model, weights, time_first(graph, source))  # (S, N, E)
    layers = _layers(model, weights)
    if isinstance(model, Char3Model):  # without the bias of the state, which there is none of before
        sums = dense(graph, part(graph, vectors, 0, 1), weights, "input")
        begin = [graph("Tanh" if model.config.activation == "tanh" else "Relu", sums)]
        vectors = part(graph, vectors, 1, Char3Model.length - 1)
    outputs, after = layers(graph, vectors, begin)
    last = graph("Gather", outputs, np.array(-1))  # (N, H)
    if isinstance(model, GruModel):
        last = graph("Relu", dense(graph, last, weights, "dense"))
    found = graph("LogSoftmax", dense(graph, last, weights, "output"), axis=-1)
    graph.output(found, "log_probabilities", np.float32, "batch", model.vocabulary_size)
    for (name, shape), state in zip(shapes.items(), after):
        graph.output(state, f"{name}_after", np.float32, *shape)
    return {"model": graph}


def _vectors(graph: Graph, model: CharacterModel, weights: Weights, ids: Value) -> Value:
    """The vectors of characters (S, N, E), from ids (S, N); normalising those of a table gives the same results."""
    if not model.config.embedding:
        return one_hot(graph, ids, model.vocabulary_size)
    return str(graph("Gather", _normalised(model, weights), ids))


def _normalised(model: CharacterModel, weights: Weights) -> Array:
    """The embeddings of all characters, normalised, shape (V, E)."""
    table = weights["embedding_weight"].astype(np.float64)
    if model.normalisation == "none":
        return table
    if model.normalisation == "layer":
        mean = table.mean(axis=1, keepdims=True)
        variance = table.var(axis=1, keepdims=True)
    else:
        mean = weights["normal_moving_mean"]
        variance = weights["normal_moving_var"]
    return (table - mean) / np.sqrt(variance + EPSILON) * weights["normal_gamma"] + weights["normal_beta"]


def _layers(model: CharacterModel, weights: Weights) -> Layers:
    config = model.config
    hidden = config.hidden_size
    read = config.embedding or model.vocabulary_size
    if isinstance(model, AddingModel):
        matrices = model._matrices(dict(weights))
        if isinstance(model, JoiningModel):
            biases = [weights["joined_bias"], np.zeros(hidden)]
        else:
            biases = [weights["input_bias"], weights["hidden_bias"]]
        parameters = np.concatenate([part.reshape(-1) for part in (*matrices, *biases)])
        return Layers(parameters, config.activation, read, hidden, 1)
    if not isinstance(model, FusedModel):
        raise UsageError(f"onnx: the model {config.model} has no graph in ONNX")
    cell = config.activation
    if isinstance(model, GruModel):
        cell = model.mode
    elif isinstance(model, LstmByHandModel):
        cell = "lstm"
    count = model.layers if isinstance(model, StatefulModel) else 1
    return Layers(weights["rnn_parameters"], cell, read, hidden, count)
