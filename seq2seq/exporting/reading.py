"""What a codec does to a source, as ONNX nodes: the width in which it is read, its padding, and the places of numbers.

Padding is part of what a network has learned: the same source in another width would get other answers. So a graph
receives the ids of a source's characters, and pads them itself.
"""

from __future__ import annotations

import numpy as np

from seq2seq.exporting.graph import Graph, Value
from seq2seq.typing import Array
from seq2seq.vocabulary import AFTER, UNDER, AlignedCodec, Codec

LONGEST_BITS = 32  # of the number of ids in a source


def fitted(graph: Graph, length: Value, widths: list[int], any_length: bool) -> Value:
    """The width in which a source is read: see `Codec.fitting`.

    Parameters
    ----------
    graph : Graph
    length : str
        Number of ids, shape (1,).
    widths : list of int
        Ascending.
    any_length : bool
        Whether a longer source has a width too. If not, the graph fails with it.

    Returns
    -------
    str
        Shape (1,).
    """
    narrower = graph.whole(graph("Less", widths, length))
    place = graph("ReduceSum", narrower, [0])
    if not any_length:
        return str(graph("Gather", widths, place))  # out of bounds if all are narrower
    bits = graph.whole(graph("GreaterOrEqual", length, 2 ** np.arange(LONGEST_BITS)))
    steps = [max(1, 2 ** (bit - 4)) for bit in range(LONGEST_BITS + 1)]
    step = graph("Gather", steps, graph("ReduceSum", bits, [0]))
    rounded = graph("Mul", graph("Div", graph("Sub", graph("Add", length, step), 1), step), step)
    fits = graph("LessOrEqual", length, widths[-1:])
    return str(graph("Where", fits, graph("Gather", [*widths, 0], place), rounded))


def padded(graph: Graph, source: Value, codec: Codec) -> tuple[Value, Value]:
    """A source in the width in which it is read, and the number of ids in its target.

    Parameters
    ----------
    graph : Graph
    source : str
        Ids, shape (N, L), right-justified: a shorter source of a batch has padding before it.
    codec : Codec
        That of the run, which has the widths of its training.

    Returns
    -------
    source : str
        Shape (N, S).
    target_length : str
        T, shape (1,).
    """
    length = graph("Shape", source, start=1, end=2)
    width = fitted(graph, length, codec.widths, codec.any_length)
    before = graph("Concat", [0], graph("Sub", width, length), [0, 0], axis=0)
    wide = graph("Pad", source, before, codec.vocabulary.pad)
    if not codec.any_length:
        return wide, str(graph("Identity", [codec.target_length]))
    more = graph("Max", graph("Sub", width, [codec.source_length]), [0])
    return wide, str(graph("Add", [codec.target_length], more))


def aligned(graph: Graph, source: Value, codec: AlignedCodec) -> list[Value]:
    """The digits of both numbers place by place, and their operator at each place: see `AlignedCodec`.

    Parameters
    ----------
    graph : Graph
    source : str
        Ids as written, `123+45`, shape (N, L), right-justified.
    codec : AlignedCodec

    Returns
    -------
    list of str
        Three values of shape (N, T).
    """
    pad = codec.vocabulary.pad
    is_operator = graph("Gather", _among(codec, codec.operators), source)
    middle = graph("ArgMax", graph.real(is_operator), axis=1)  # (N, 1)
    length = graph("Shape", source, start=1, end=2)
    padding = graph("ReduceSum", graph.whole(graph("Equal", source, pad)), [1])  # (N, 1)
    of_second = graph("Sub", graph("Sub", length, 1), middle)
    longest = graph("ReduceMax", graph("Max", graph("Sub", middle, padding), of_second), [0, 1], keepdims=0)
    places = graph("Add", longest, [codec.target_length - codec.source_length // 2])
    width = fitted(graph, places, [codec.target_length], codec.any_length)  # T, shape (1,)
    place = graph("Range", 0, graph("Squeeze", width), 1)
    shape = graph("Concat", graph("Shape", source, start=0, end=1), width, axis=0)
    first = graph("Sub", graph("Sub", middle, 1), place)
    second = graph("Expand", graph("Sub", graph("Sub", length, 1), place), shape)
    numbers = []
    for column, there in (
        (first, graph("GreaterOrEqual", first, 0)),
        (second, graph("Greater", second, middle)),
    ):
        digits = graph("GatherElements", source, graph("Max", column, 0), axis=1)
        numbers.append(graph("Where", there, digits, pad))
    operator = graph("GatherElements", source, middle, axis=1)  # (N, 1)
    spread = graph("Gather", _among(codec, codec.digit_operators), operator)
    numbers[1] = graph("Where", spread, graph("Slice", numbers[1], [0], [1], [1]), numbers[1])
    return [*numbers, graph("Expand", operator, shape)]


def learned(graph: Graph, source: Value, ids: Value, codec: Codec) -> Value:
    """The mask of the characters that belong to an answer: see `seq2seq.vocabulary.learned`.

    Parameters
    ----------
    graph : Graph
    source, ids : str
        Ids, shapes (N, S) and (N, T).
    codec : Codec

    Returns
    -------
    str
        Bool, shape (N, T).
    """
    pad = codec.vocabulary.pad
    if codec.in_place:
        above = graph("Slice", source, [codec.source_length - codec.target_length], [2**31], [1])
        if codec.padding != UNDER:
            above = graph("Slice", above, [-1], [-(2**31)], [1], [-1])
        return str(graph("Not", graph("Equal", above, pad)))
    ends = graph.whole(graph("Equal", ids, pad))
    before = graph("CumSum", ends, 1, exclusive=1, reverse=int(codec.padding != AFTER))
    return str(graph("Equal", before, 0))


def _among(codec: Codec, operators: str) -> Array:
    """Which ids are those of these operators, bool, shape (V,)."""
    return np.array([character in operators for character in codec.characters])
