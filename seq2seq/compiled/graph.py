"""Puts the compiled LSTM into a graph, in place of MXNet's operator.

Where MXNet's operator needs copies, the compiled one has attributes:

    vocabulary  the data are ids of characters, (T, N) or (T, N, channels), of which MXNet needs one-hot vectors
    repeats     the data, (1, N, C), are read at each of so many steps, for which MXNet needs as many copies of them
"""

from __future__ import annotations

import json
from typing import Any

from seq2seq.compiled.library import load
from seq2seq.mx import Symbol, mx

UNDERSTOOD = {"mode", "state_size", "num_layers", "bidirectional", "p", "state_outputs"}  # attributes of MXNet's LSTM

Node = dict[str, Any]  # as in a symbol's JSON


def with_compiled_lstm(symbol: Symbol) -> Symbol:
    """The same graph with the compiled operator in place of each LSTM, for training on a CPU.

    Parameters
    ----------
    symbol : mxnet.Symbol

    Returns
    -------
    mxnet.Symbol

    Raises
    ------
    UsageError
        If the operator cannot be compiled.
    """
    graph = json.loads(symbol.tojson())
    nodes = graph["nodes"]
    lstms = [node for node in nodes if _is_understood(node)]
    if not lstms:
        return symbol
    load()
    for node in lstms:
        vocabulary = repeats = 0
        read = nodes[node["inputs"][0][0]]
        if one_hot := _one_hot(nodes, read):
            vocabulary = int(one_hot["attrs"]["depth"])
            node["inputs"][0] = one_hot["inputs"][0]
        elif _repeats(read):
            repeats = len(read["inputs"])
            node["inputs"][0] = read["inputs"][0]
        given = node["attrs"]
        node["op"] = "seq2seq_lstm"
        node["attrs"] = {
            "state_size": given["state_size"],
            "num_layers": given["num_layers"],
            "directions": "2" if given["bidirectional"] == "True" else "1",
            "dropout": given["p"],
            "vocabulary": str(vocabulary),
            "repeats": str(repeats),
        }
    return mx.sym.load_json(json.dumps(graph))


def _is_understood(node: Node) -> bool:
    """Whether a node is an LSTM without attributes that the compiled one does not have."""
    if node["op"] != "RNN" or node["attrs"]["mode"] != "lstm":
        return False
    return {name for name in node["attrs"] if not name.startswith("__")} <= UNDERSTOOD


def _one_hot(nodes: list[Node], read: Node) -> Node | None:
    """The node that makes the one-hot vectors of characters, or joins those of several channels, if `read` does."""
    if read["op"] == "Reshape" and read["attrs"]["shape"] == "(0, 0, -3)":
        read = nodes[read["inputs"][0][0]]
    return read if read["op"] == "one_hot" else None


def _repeats(read: Node) -> bool:
    """Whether a node joins copies of one step's values."""
    if read["op"] != "Concat" or read["attrs"]["dim"] != "0":
        return False
    first, *others = read["inputs"]
    return bool(others) and all(each == first for each in others)
