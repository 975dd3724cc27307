"""Answers of graphs in ONNX compared with those of MXNet, for each model of pairs with each of its options.

    python benchmarks/export_parity.py

Each network is trained for a moment, as rounding decides the order of the answers of one that has learned nothing. The
sources have lengths from 1 to the longest that it was trained on. A row of the table is printed when its network is
done.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnxruntime

from seq2seq import Arithmetic, Reverse, Solver, Task, train
from seq2seq.decoding.base import probability
from seq2seq.decoding.onnx import Graphs, OnnxPredictor
from seq2seq.exporting.answering import graphs_of_pairs
from seq2seq.vocabulary import Codec

BEAM = 5
LETTERS = Reverse("abcdef", length=(1, 8))
NUMBERS = Arithmetic("+-", terms=2, operands=(0, 999))
QUICK: dict[str, Any] = {
    "epochs": 12,
    "learning_rate": 0.01,
    "hidden_size": 32,
    "batch_size": 64,
    "examples": 2000,
    "validation": 50,
    "test": 50,
}
HEADER = "| model | cell | layers | directions | position bias | longest | greedy differ | beam 5 differ | confidence |"


def networks() -> Iterator[tuple[Task, dict[str, Any]]]:
    """Each model with each of its options, and a task for it."""
    for model in ("repeat", "attention", "transducer", "aligned"):
        biases = (False, True) if model == "attention" else (None,)
        for cell, layers, both, bias in product(("lstm", "rnn"), (1, 2), (False, True), biases):
            options = {"model": model, "cell": cell, "layers": layers, "bidirectional": both}
            given = {} if bias is None else {"position_bias": bias}
            yield NUMBERS if model == "aligned" else LETTERS, {**options, **given}


def drawn(codec: Codec, task: Task, count: int) -> tuple[int, list[str]]:
    """The longest length, and sources of each length, as many of each."""
    rng = np.random.default_rng(0)
    if task is NUMBERS:
        longest = len(str(NUMBERS.operands[1]))  # digits of a number
        digits = 1 + np.arange(2 * count) % longest
        numbers = [str(int(rng.integers(10 ** (each - 1), 10**each))) for each in rng.permutation(digits)]
        return longest, [f"{a}{rng.choice(['+', '-'])}{b}" for a, b in zip(numbers[::2], numbers[1::2])]
    longest = codec.widths[-1]
    known = [*codec.characters.strip()]
    return longest, ["".join(rng.choice(known, 1 + row % longest)) for row in range(count)]


def compared(solver: Solver, sources: list[str]) -> tuple[int, int | None, float]:
    """How many greedy answers and lists of a beam search differ, and the largest difference of the confidences."""
    model = solver.model(solver.codec)
    alone = onnxruntime.SessionOptions()
    alone.intra_op_num_threads = 1
    sessions = {
        name: onnxruntime.InferenceSession(graph.model({}), alone, providers=["CPUExecutionProvider"])
        for name, graph in graphs_of_pairs(model, solver.codec, solver.weights).items()
    }
    graphs = cast(Graphs, SimpleNamespace(searches="beam" in sessions, **sessions))
    by_width: dict[Codec, list[str]] = {}
    for source in sources:
        by_width.setdefault(solver.codec.fitting(source), []).append(source)
    greedy = 0
    searched = 0
    apart = 0.0
    for codec, members in by_width.items():
        ids = codec.encode_sources(members)
        narrow = solver.model(codec)
        expected = solver.predictor(len(ids), codec, beam=1).answer(ids)
        found = OnnxPredictor(graphs, narrow, codec, 250).answer(ids)
        greedy += int((found.ids != expected.ids).any(axis=1).sum())
        apart = max(apart, float(np.abs(found.confidence - expected.confidence).max()))
        if graphs.searches:
            best = solver.predictor(len(ids), codec, beam=BEAM).search(ids)
            other = OnnxPredictor(graphs, narrow, codec, 250, BEAM).search(ids)
            searched += int((other.ids != best.ids).any(axis=(1, 2)).sum())
            apart = max(apart, float(np.abs(probability(other.scores) - probability(best.scores)).max()))
    return greedy, searched if graphs.searches else None, apart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=1000)
    arguments = parser.parse_args()
    print(f"ONNX Runtime {onnxruntime.__version__}, {arguments.sources} sources for each network\n")
    print(HEADER)
    print("|---" * HEADER.count(" |") + "|", flush=True)
    for task, options in networks():
        with tempfile.TemporaryDirectory() as folder:
            solver = train(task, Path(folder) / "run", progress=False, show_every=0, **QUICK, **options)
            longest, sources = drawn(solver.codec, task, arguments.sources)
            greedy, searched, apart = compared(solver, sources)
        cells = [
            options["model"], options["cell"], options["layers"], 2 if options["bidirectional"] else 1,
            {None: "", True: "yes", False: "no"}[options.get("position_bias")], longest, greedy,
            "one answer" if searched is None else searched, f"{apart:.1e}",
        ]  # fmt: skip
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
