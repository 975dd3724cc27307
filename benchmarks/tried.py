#!/usr/bin/env python3
"""Time the implementations of a training step that were tried.

`python benchmarks/tried.py` prints a table in about five minutes. Each implementation runs in its own process, and the
processes take turns. A step is an update of `Updater`: forward, backward, Adam. Everything else is as in the library.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
SIZES = [(32, 32), (32, 256), (128, 32), (128, 256)]  # hidden, batch
ROUNDS, SECONDS = 3, 0.5

# Name, environment variables, and the part of the library that is replaced.
WAYS: list[tuple[str, dict[str, str], str]] = [
    ("as it is", {}, ""),
    ("one worker", {}, "one_worker"),
    ("two workers at every size", {}, "two_workers"),
    ("two workers, bound by one thread", {}, "one_thread"),
    ("one worker with two threads", {"OMP_NUM_THREADS": "2"}, ""),
    ("two threads that take turns with one worker's operators", {"MXNET_CPU_WORKER_NTHREADS": "2"}, "one_worker"),
    ("operators run where they are called", {"MXNET_ENGINE_TYPE": "NaiveEngine", "OMP_NUM_THREADS": "1"}, ""),
    ("up to 100 operators started at once", {"MXNET_EXEC_BULK_EXEC_MAX_NODE_TRAIN": "100"}, ""),
    ("the state broadcast, not joined", {}, "broadcast"),
    ("SoftmaxOutput for softmax and loss", {}, "softmax_output"),
    ("an operator of Adam for every parameter", {}, "many_adams"),
]


def replace(what: str) -> None:
    """Replace a part of the library by another implementation."""
    from seq2seq.calls import Call
    from seq2seq.engine.optimizers import Adam
    from seq2seq.mx import mx

    models: Any = importlib.import_module("seq2seq.models")
    replica: Any = importlib.import_module("seq2seq.engine.replica")
    updater: Any = importlib.import_module("seq2seq.engine.updater")
    workers: Any = importlib.import_module("seq2seq.workers")

    if what == "one_worker":
        updater.WORTH_SHARING = 1 << 60
    if what in ("two_workers", "one_thread"):
        updater.WORTH_SHARING = 0
    if what == "one_thread":
        workers.Worker.call = lambda self, function, *arguments, **options: function(*arguments, **options)
    if what == "broadcast":
        real = mx.sym.concat

        def concat(*symbols: Any, dim: int) -> Any:
            same = dim == 0 and all(symbol is symbols[0] for symbol in symbols)
            return mx.sym.broadcast_axis(symbols[0], axis=0, size=len(symbols)) if same else real(*symbols, dim=dim)

        mx.sym.concat = concat
    if what == "softmax_output":

        def loss(self: Any, inputs: Any, states: Any) -> Any:
            # Its gradient is that of the summed loss, but it has no loss as output.
            source, target = inputs["source"], inputs["target"]
            logits = mx.sym.reshape(self.logits(source), shape=(-3, 0))
            learned = self._learned(source, target)
            labels = (
                mx.sym.cast(target, dtype="float32") * learned + learned - 1
            )  # -1 marks padding that is not learned
            labels = mx.sym.reshape(labels, shape=(-1,))
            return mx.sym.SoftmaxOutput(logits, labels, use_ignore=True, ignore_label=-1), {}

        models.RepeatModel.loss = loss
        replica.Call = type("NoLoss", (Call,), {"__call__": _unless_adding_losses})
    if what == "many_adams":

        class Adams:
            """Adam over the vector in four parts, one for each parameter of the network."""

            def __init__(self, weights: Any, gradients: Any, config: Any) -> None:
                parts = [slice(i * len(weights) // 4, (i + 1) * len(weights) // 4) for i in range(4)]
                self.each = [Adam(weights[part], gradients[part], config) for part in parts]
                self.moments = self.each[0].moments

            def update(self, *arguments: Any) -> None:
                for adam in self.each:
                    adam.update(*arguments)

        updater.OPTIMIZERS = {"adam": Adams}


def _unless_adding_losses(self: Any, **changed: Any) -> None:
    from seq2seq.calls import Call

    if self._arrays[-1].shape != (1,):
        Call.__call__(self, **changed)


def measure(hidden: int, batch: int, what: str) -> float:
    """Microseconds per step."""
    import numpy as np
    import problems

    from seq2seq.mx import mx

    replace(what)
    trainer = problems.notebook_trainer(hidden, batch, 8 * batch)
    updater = trainer._updater
    plan = trainer.sampler.epoch(np.random.default_rng(0))[:8]
    feeds = list(updater.feeds(trainer.sampler.arrays, plan))
    steps = 8
    elapsed = 0.0
    while elapsed < SECONDS:
        steps *= 2
        started = time.perf_counter()
        for step in range(steps):
            updater.update(feeds[step % 8], step + 1, 0.001)
        mx.nd.waitall()
        elapsed = time.perf_counter() - started
    return 1e6 * elapsed / steps


def main() -> None:
    import report
    from contest import environment, spread

    rows = []
    times: dict[tuple[str, int, int], list[float]] = {}
    for turn in range(ROUNDS):
        for hidden, batch in SIZES:
            for name, variables, what in WAYS:
                command = [sys.executable, __file__, json.dumps([hidden, batch, what])]
                done = subprocess.run(
                    command, env=environment({}) | variables, capture_output=True, text=True, timeout=120
                )
                if done.returncode:
                    sys.exit(f"{name}: {done.stderr[-500:]}")
                times.setdefault((name, hidden, batch), []).append(float(done.stdout))
        print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr, flush=True)
    for name, _, _ in WAYS:
        rows.append([name, *(report.cell(spread(times[(name, *size)])) for size in SIZES)])
    print(report.lines(["microseconds a step", *(f"{hidden} × {batch}" for hidden, batch in SIZES)], rows))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(*json.loads(sys.argv[1])))
    else:
        os.chdir(HERE)
        main()
