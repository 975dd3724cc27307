"""Answers of graphs in ONNX compared with those of MXNet, for each model of pairs with each of its options.

    python benchmarks/export_parity.py

Each network is trained for a moment, as rounding decides the order of the answers of one that has learned nothing. The
sources have lengths from 1 to the longest that it was trained on. A row of the table is printed when its network is
done.

A search keeps the best beginnings at each step. Where the last one kept and the first one dropped are equally good but
for rounding, two programs can keep different ones, and then find different answers. Such searches are counted apart.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
import onnxruntime

from seq2seq import Arithmetic, Reverse, Solver, Task, train
from seq2seq.decoding.base import probability
from seq2seq.decoding.onnx import Graphs, OnnxPredictor
from seq2seq.exporting.answering import graphs_of_pairs
from seq2seq.typing import Array
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
ROUNDING = 3e-5  # nats, between two beginnings of an answer
HEADER = (
    "| model | cell | layers | directions | position bias | longest | greedy differ | beam 5 differ | by rounding "
    "| confidence |"
)


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


class Compared(NamedTuple):
    """How many answers differ, and how many lists of a beam search; how many of these by rounding, and the largest
    difference of the confidences of answers that do not differ."""

    greedy: int
    searched: int
    rounded: int
    apart: float


def compared(solver: Solver, sources: list[str]) -> Compared:
    """Compare the answers of both engines."""
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
    rounded = 0
    apart = 0.0
    for codec, members in by_width.items():
        ids = codec.encode_sources(members)
        narrow = solver.model(codec)
        expected = solver.predictor(len(ids), codec, beam=1).answer(ids)
        found = OnnxPredictor(graphs, narrow, codec, 250).answer(ids)
        differs = (found.ids != expected.ids).any(axis=1)
        greedy += int(differs.sum())
        apart = max(apart, float(np.abs(found.confidence - expected.confidence)[~differs].max(initial=0)))
        if graphs.searches:
            best = solver.predictor(len(ids), codec, beam=BEAM).search(ids)
            other = OnnxPredictor(graphs, narrow, codec, 250, BEAM).search(ids)
            lists = (other.ids != best.ids).any(axis=(1, 2))
            searched += int(lists.sum())
            rounded += sum(closest(graphs, row, narrow.pad) <= ROUNDING for row in ids[lists])
            gaps = np.abs(probability(other.scores) - probability(best.scores))[~lists]
            apart = max(apart, float(gaps.max(initial=0)))
    return Compared(greedy, searched, rounded, apart)


def closest(graphs: Graphs, source: Array, pad: int) -> float:
    """The smallest difference, in nats, by which a beam search keeps a beginning or puts an answer before another."""
    names = [each.name for each in graphs.encoder.get_outputs()]
    values = dict(zip(names, graphs.encoder.run(names, {"source": source[None].astype(np.int64)})))
    [length] = values.pop("target_length")
    wanted = [each.name for each in graphs.decoder.get_outputs() if each.name != "attention"]
    states = [name.removesuffix("_after") for name in wanted[1:]]  # their rows are along axis 1
    values = {name: np.repeat(value, BEAM, axis=int(name in states)) for name, value in values.items()}
    previous = None
    scores = np.array([0.0] + [-1e30] * (BEAM - 1))
    smallest = np.inf
    for _ in range(length):
        size = graphs.decoder.get_outputs()[0].shape[1]
        read = np.full(BEAM, size) if previous is None else previous
        found, *after = graphs.decoder.run(wanted, {"previous": read, **values})
        onward = np.where((read == pad)[:, None], np.where(np.arange(size) == pad, 0.0, -1e30), found)
        total = (onward + scores[:, None]).reshape(-1)
        order = np.argsort(-total, kind="stable")[: BEAM + 1]
        smallest = min(smallest, total[order[-2]] - total[order[-1]])
        scores = total[order[:BEAM]]
        rows = order[:BEAM] // size
        previous = order[:BEAM] % size
        values.update(zip(states, (state[:, rows] for state in after)))
    return float(min(smallest, -np.diff(scores).max(initial=-np.inf)))


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
            found = compared(solver, sources)
            searches = solver.predictor(1).searches
        cells = [
            options["model"], options["cell"], options["layers"], 2 if options["bidirectional"] else 1,
            {None: "", True: "yes", False: "no"}[options.get("position_bias")], longest, found.greedy,
            *((found.searched, found.rounded) if searches else ("one answer", "")), f"{found.apart:.1e}",
        ]  # fmt: skip
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
