#!/usr/bin/env python3
"""Time the forward and backward pass of an LSTM alone, MXNet's and the compiled one, on one core.

`python benchmarks/lstm.py` prints a table in about two minutes. The sizes are those of a worker's part of a batch in
the networks that `run.py` measures. The two take turns.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from report import lines, number

from seq2seq.compiled.graph import with_compiled_lstm
from seq2seq.mx import mx
from seq2seq.typing import Array

ROUNDS, SECONDS = 7, 0.3


class Size(NamedTuple):
    """An LSTM: what it reads, T, N, V or the width of the vectors, H, layers and directions."""

    name: str
    reads: str
    steps: int
    rows: int
    width: int
    hidden: int
    layers: int = 1
    directions: int = 1


SIZES = [
    Size("notebook 32, encoder", "ids", 8, 32, 14, 32),
    Size("notebook 32, decoder", "one vector", 5, 32, 32, 32),
    Size("notebook 128, encoder", "ids", 8, 16, 14, 128),
    Size("notebook 128, decoder", "one vector", 5, 16, 128, 128),
    Size("notebook 512, encoder", "ids", 8, 16, 14, 512),
    Size("notebook 512, decoder", "one vector", 5, 16, 512, 512),
    Size("default, encoder", "ids", 8, 32, 16, 96, 2, 2),
    Size("default, decoder", "ids", 8, 32, 16, 192, 2),
    Size("pairs, encoder", "ids", 18, 32, 40, 128, 2, 2),
    Size("pairs, decoder", "ids", 11, 32, 40, 256, 2),
    Size("text", "vectors", 40, 32, 64, 256, 2),
]


def graph(size: Size) -> tuple[Any, dict[str, Any]]:
    """The graph, and arrays for its arguments."""
    rng = np.random.default_rng(0)
    cell = mx.rnn.FusedRNNCell(
        size.hidden, size.layers, "lstm", bidirectional=size.directions == 2, get_next_state=True, prefix="lstm_"
    )
    x = vectors = mx.sym.var("x")
    values: Array = rng.normal(size=(size.steps, size.rows, size.width))
    if size.reads == "ids":
        vectors = mx.sym.one_hot(x, depth=size.width)
        values = rng.integers(0, size.width, (size.steps, size.rows))
    if size.reads == "one vector":
        vectors = mx.sym.concat(*[x] * size.steps, dim=0)
        values = values[:1]
    outputs, _ = cell.unroll(size.steps, vectors, layout="TNC", merge_outputs=True)
    widths = [size.width, *[size.directions * size.hidden] * (size.layers - 1)]
    count = sum(size.directions * 4 * size.hidden * (width + size.hidden + 2) for width in widths)
    arrays = {"x": values, "lstm_parameters": rng.uniform(-0.1, 0.1, count)}
    return outputs, {name: mx.nd.array(array) for name, array in arrays.items()}


def measured(size: Size) -> tuple[list[float], list[float]]:
    """Seconds of a pass in each round, of MXNet's LSTM and of the compiled one."""
    symbol, arrays = graph(size)
    asked = {"x": "write" if size.reads != "ids" else "null", "lstm_parameters": "write"}
    gradients = {name: mx.nd.zeros(arrays[name].shape) for name, how in asked.items() if how == "write"}
    executors = [each.bind(mx.cpu(), arrays, gradients, asked) for each in (symbol, with_compiled_lstm(symbol))]
    head = mx.nd.ones((size.steps, size.rows, size.directions * size.hidden))
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for executor, times in zip(executors, seconds):
            passes = 0
            begun = time.perf_counter()
            while time.perf_counter() < begun + SECONDS:
                for _ in range(3):
                    executor.forward(is_train=True)
                    executor.backward([head])
                mx.nd.waitall()
                passes += 3
            if turn:  # the first one warms up
                times.append((time.perf_counter() - begun) / passes)
    return seconds


def main() -> None:
    rows = []
    for size in SIZES:
        times = measured(size)
        theirs, ours = (statistics.median(each) * 1e6 for each in times)
        cells = [f"{number(1e6 * statistics.median(t))} ({number(1e6 * min(t))}–{number(1e6 * max(t))})" for t in times]
        rows.append([size.name, *cells, f"{theirs / ours:.2f} ×"])
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(lines(["microseconds of a pass", "MXNet", "compiled", "faster"], rows))


if __name__ == "__main__":
    main()
