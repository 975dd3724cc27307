"""The time of one answer, and answers per second, by MXNet and by ONNX Runtime, for a run.

python benchmarks/export.py runs/default
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import Solver, export

ALONE = 1000  # questions asked one at a time ...
BULK = 20_000  # ... and together
BEAM = 5


def alone(ask: Callable[[str], Any], sources: list[str]) -> str:
    """p50 and p99 of one answer in milliseconds."""
    for source in sources:
        ask(source)  # binds the graphs of all widths
    milliseconds = []
    for source in sources[:ALONE]:
        start = time.perf_counter()
        ask(source)
        milliseconds.append(1000 * (time.perf_counter() - start))
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def timed(solver: Solver, sources: list[str]) -> str:
    """The times of one answer, and answers per second; the same of the best answers, if the model searches for them."""
    many = (sources * (BULK // len(sources) + 1))[:BULK]
    solver(sources)
    start = time.perf_counter()
    solver(many)
    bulk = BULK / (time.perf_counter() - start)
    found = f"{alone(solver, sources)}, {bulk:,.0f} answers per second"
    if solver.predictor(1).searches:
        found += f"; the best {BEAM}: {alone(lambda source: solver.n_best(source, BEAM), sources)}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    arguments = parser.parse_args()
    solver = Solver(arguments.run, engine="mxnet")
    pairs = solver.task.shown(solver.task.sample(ALONE, np.random.default_rng(0)))
    sources = [source for source, _ in pairs]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported"
        export(solver, onnx=path)
        exported = Solver(path)
        print(f"{sum(map(str.__eq__, solver(sources), exported(sources)))} of {len(sources)} answers the same")
        for each in (solver, exported):
            print(f"{each.engine:>5}: {timed(each, sources)}")


if __name__ == "__main__":
    main()
