"""The graphs of a run of pairs: the files of its export, without their metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from seq2seq.decoding.search import IMPOSSIBLE
from seq2seq.errors import UsageError
from seq2seq.exporting.graph import Graph
from seq2seq.exporting.layers import Weights
from seq2seq.exporting.pairs import Attention, repeat_logits, transducer_logits
from seq2seq.exporting.reading import aligned, learned, padded
from seq2seq.models import AlignedModel, AttentionModel, Model, RepeatModel, TransducerModel
from seq2seq.vocabulary import AlignedCodec, Codec


def graphs_of_pairs(model: Model, codec: Codec, weights: Weights) -> dict[str, Graph]:
    """The graphs of a network of pairs.

    Parameters
    ----------
    model : Model
    codec : Codec
        That of the run.
    weights : dict of str to ndarray

    Returns
    -------
    dict of str to Graph
        `model` answers; for `attention`, `beam` answers by a beam search, and `encoder` and `decoder` are its parts.

    Raises
    ------
    UsageError
        If the network has no graph in ONNX.
    """
    make = next((GRAPHS[kind] for kind in type(model).__mro__ if kind in GRAPHS), None)
    if make is None:
        raise UsageError(f"onnx: the class {type(model).__name__} has no graph in ONNX")
    return make(model, codec, weights)


def _step_by_step(model: AttentionModel, codec: Codec, weights: Weights) -> dict[str, Graph]:
    """The graphs of a network that writes one character at a time."""
    network = Attention(model, weights)
    return {
        "model": _greedy(network, codec),
        "beam": _beam(network, codec),
        "encoder": _encoder(network, codec),
        "decoder": _decoder(network),
    }


def _at_once(model: Model, codec: Codec, weights: Weights) -> dict[str, Graph]:
    """The graph of a network that writes all characters at once."""
    graph = Graph("answer")
    source = graph.input("source", np.int64, "batch", "source_length")
    if isinstance(model, AlignedModel):
        channels = aligned(graph, source, cast(AlignedCodec, codec))
        logits = transducer_logits(graph, model, weights, channels)
    else:
        source, _ = padded(graph, source, codec)
        if isinstance(model, RepeatModel):
            logits = repeat_logits(graph, model, weights, source)
        else:
            logits = transducer_logits(graph, model, weights, [source])
    found = graph("LogSoftmax", graph("Transpose", logits, perm=[1, 0, 2]), axis=-1)  # (N, T, V)
    ids = graph("ArgMax", found, axis=2, keepdims=0)
    written = learned(graph, source, ids, codec)
    scores = graph("Where", written, graph("ReduceMax", found, [2], keepdims=0), 0.0)
    graph.output(graph("Where", written, ids, codec.vocabulary.pad), "ids", np.int64, "batch", "target_length")
    graph.output(graph("ReduceSum", scores, [1], keepdims=0), "score", np.float32, "batch")
    size = model.vocabulary_size
    graph.output(found, "log_probabilities", np.float32, "batch", "target_length", size)
    return {"model": graph}


def _greedy(network: Attention, codec: Codec) -> Graph:
    """The graph that writes one character at a time, the most probable one, until all answers have ended."""
    model = network.model
    graph = Graph("answer")
    source = graph.input("source", np.int64, "batch", "source_length")
    source, length = padded(graph, source, codec)
    encoded = network.encode(graph, source)
    names = model.state_names
    shapes = network.shapes("batch", "padded_length")

    body = Graph("step", outer=graph)
    body.input("number", np.int64)
    body.input("going", np.bool_)
    previous = body.input("previous", np.int64, "batch")
    score = body.input("score_before", np.float32, "batch")
    states = {name: body.input(f"{name}_before", np.float32, *shapes[name]) for name in names}
    found, after, _ = network.step(body, previous, states, encoded)
    ended = body("Equal", previous, model.pad)
    chosen = body("Where", ended, model.pad, body("ArgMax", found, axis=1, keepdims=0))
    gained = body("Where", ended, 0.0, body("ReduceMax", found, [1], keepdims=0))
    going = body("ReduceMax", body.whole(body("Not", body("Equal", chosen, model.pad))), keepdims=0)
    body.output(body("Greater", going, 0), "go_on", np.bool_)
    body.output(chosen, "chosen", np.int64, "batch")
    body.output(body("Add", score, gained), "score_after", np.float32, "batch")
    for name in names:
        body.output(after[name], f"{name}_after", np.float32, *shapes[name])
    body.output(chosen, "written", np.int64, "batch")
    body.output(found, "found", np.float32, "batch", model.vocabulary_size)

    rows = graph("Shape", source, start=0, end=1)
    begin = [graph("Expand", np.array(model.vocabulary_size), rows), graph("Expand", 0.0, rows)]
    _, score, *rest = graph.loop(body, length, *begin, *(encoded[name] for name in names))
    ids, found = rest[len(names) :]
    graph.output(graph("Transpose", ids, perm=[1, 0]), "ids", np.int64, "batch", "steps")
    graph.output(score, "score", np.float32, "batch")
    found = graph("Transpose", found, perm=[1, 0, 2])
    graph.output(found, "log_probabilities", np.float32, "batch", "steps", model.vocabulary_size)
    return graph


def _beam(network: Attention, codec: Codec) -> Graph:
    """The graph of a beam search: see `decoding/search.py`. N sources with K prefixes each are R rows."""
    model = network.model
    size = model.vocabulary_size
    graph = Graph("search")
    source = graph.input("source", np.int64, "batch", "source_length")
    beam = graph.input("beam", np.int64, 1)
    source, length = padded(graph, source, codec)
    encoded = network.encode(graph, source)
    names = model.state_names
    shapes = network.shapes("rows", "padded_length")
    batch = graph("Shape", source, start=0, end=1)
    rows = graph("Mul", batch, beam)
    source_of = graph("Div", graph("Range", 0, graph("Squeeze", rows), 1), beam)  # (R,)
    encoded = {name: graph("Gather", value, source_of, axis=int(name in names)) for name, value in encoded.items()}
    first_row = graph("Unsqueeze", graph("Mul", graph("Range", 0, graph("Squeeze", batch), 1), beam), [1])  # (N, 1)
    whole = graph("Concat", batch, [-1], axis=0)

    body = Graph("step", outer=graph)
    body.input("number", np.int64)
    body.input("going", np.bool_)
    previous = body.input("previous", np.int64, "rows")
    score = body.input("score_before", np.float32, "batch", "beam_size")
    written = body.input("written_before", np.int64, "rows", "steps_before")
    states = {name: body.input(f"{name}_before", np.float32, *shapes[name]) for name in names}
    found, after, _ = network.step(body, previous, states, encoded)
    ended = body("Unsqueeze", body("Equal", previous, model.pad), [1])
    nothing_more = np.where(np.arange(size) == model.pad, 0, IMPOSSIBLE).astype(np.float32)
    total = body("Add", body("Where", ended, nothing_more, found), body("Reshape", score, [-1, 1]))  # (R, V)
    best, place = body("TopK", body("Reshape", total, whole), beam, axis=1, outputs=2)  # (N, K)
    parent = body("Div", place, size)
    chosen = body("Reshape", body("Sub", place, body("Mul", parent, size)), [-1])
    row = body("Reshape", body("Add", parent, first_row), [-1])
    going = body("ReduceMax", body.whole(body("Not", body("Equal", chosen, model.pad))), keepdims=0)
    body.output(body("Greater", going, 0), "go_on", np.bool_)
    body.output(chosen, "chosen", np.int64, "rows")
    body.output(best, "score_after", np.float32, "batch", "beam_size")
    written = body("Concat", body("Gather", written, row), body("Unsqueeze", chosen, [1]), axis=1)
    body.output(written, "written_after", np.int64, "rows", "steps_after")
    for name in names:
        body.output(body("Gather", after[name], row, axis=1), f"{name}_after", np.float32, *shapes[name])

    is_first = graph("Equal", graph("Range", 0, graph("Squeeze", beam), 1), 0)  # at first all prefixes are the same
    begin = [
        graph("Expand", np.array(size), rows),
        graph("Expand", graph("Where", is_first, 0.0, IMPOSSIBLE), graph("Concat", batch, beam, axis=0)),
        graph("Expand", np.zeros((1, 0), np.int64), graph("Concat", rows, [1], axis=0)),
    ]
    _, score, written, *_ = graph.loop(body, length, *begin, *(encoded[name] for name in names))
    ids = graph("Reshape", written, graph("Concat", batch, beam, [-1], axis=0))
    graph.output(ids, "ids", np.int64, "batch", "beam_size", "steps")
    graph.output(score, "score", np.float32, "batch", "beam_size")
    return graph


def _encoder(network: Attention, codec: Codec) -> Graph:
    """The graph from a source to the initial states and the memory of a search."""
    graph = Graph("encoder")
    source = graph.input("source", np.int64, "batch", "source_length")
    source, length = padded(graph, source, codec)
    shapes = network.shapes("batch", "padded_length")
    for name, value in network.encode(graph, source).items():
        graph.output(value, name, np.float32, *shapes[name])
    graph.output(length, "target_length", np.int64, 1)
    return graph


def _decoder(network: Attention) -> Graph:
    """The graph of one step of a search."""
    model = network.model
    graph = Graph("decoder")
    previous = graph.input("previous", np.int64, "rows")
    shapes = network.shapes("rows", "padded_length")
    given = {name: graph.input(name, np.float32, *shape) for name, shape in shapes.items()}
    found, after, attention = network.step(graph, previous, given, given)
    graph.output(found, "log_probabilities", np.float32, "rows", model.vocabulary_size)
    for name in model.state_names:
        graph.output(after[name], f"{name}_after", np.float32, *shapes[name])
    graph.output(attention, "attention", np.float32, "rows", "padded_length")
    return graph


GRAPHS: dict[type[Any], Callable[[Any, Codec, Weights], dict[str, Graph]]] = {
    AttentionModel: _step_by_step,
    RepeatModel: _at_once,
    TransducerModel: _at_once,
}
