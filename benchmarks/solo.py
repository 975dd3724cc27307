"""Measurements of this library alone, each in a fresh process: `python solo.py NAME JSON-OF-OPTIONS` prints JSON."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import Arithmetic, DataConfig, ModelConfig, TrainingConfig
from seq2seq.dataset import build_dataset
from seq2seq.progress import Progress
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

LARGE_TASK = Arithmetic("+-*", terms=3, operands=(0, 999))


class Enough(Exception):
    """Enough steps have been taken."""


class UntilFirstReport(Progress):
    """Ends training after a quarter of a second, or at the end of an epoch."""

    def on_start(self, start: Any) -> None:
        self.end = time.monotonic() + 0.25

    def on_step(self, step: Any) -> None:
        if time.monotonic() >= self.end:
            _ = step.loss
            raise Enough

    def on_epoch(self, row: dict[str, Any]) -> None:
        raise Enough


def _rate(count: int, function: Any) -> float:
    started = time.perf_counter()
    function(count)
    return count / (time.perf_counter() - started)


def generator(pairs: int, loop_pairs: int) -> dict[str, float]:
    """Pairs per second: as strings, as arrays for training, and as arrays with the Python loop of the notebook."""
    task = Arithmetic(operators="+*", terms=3, operands=(1, 10), mixed=False)
    codec = Codec(task.characters, task.source_length, task.target_length, reverse_target=False)
    rng = np.random.default_rng(0)

    def encoded(n: int) -> None:
        sources, targets = task.sample(n, rng)
        codec.encode_sources(sources), codec.encode_targets(targets)

    encoded(1000)  # not counted
    return {
        "strings_per_second": _rate(pairs, lambda n: list(task.sample(n, rng))),
        "arrays_per_second": _rate(pairs, encoded),
        "loop_per_second": _rate(loop_pairs, _notebook_loop),
    }


def _notebook_loop(n: int) -> tuple[Array, Array]:
    """The loop of the notebook, pair by pair: three numbers, one operator, padded text, a dictionary of ids."""
    ids = {character: i for i, character in enumerate("0123456789+* ")}
    sources, targets = [], []
    for _ in range(n):
        a, b, c = (random.randint(1, 10) for _ in range(3))
        operator = random.choice("+*")
        value = a + b + c if operator == "+" else a * b * c
        source = "%8s" % f"{a}{operator}{b}{operator}{c}"  # noqa: UP031
        target = "%4s" % value  # noqa: UP031
        sources.append([ids[character] for character in source])
        targets.append([ids[character] for character in target])
    return np.array(sources), np.array(targets)


def memory(examples: int) -> dict[str, float]:
    """Peak resident memory in MiB: with MXNet loaded, then with the data set built, then in training."""
    import problems

    start = _peak()
    began = time.perf_counter()
    dataset = build_dataset(LARGE_TASK, DataConfig(examples, validation=1000, test=1000), seed=0)
    building = time.perf_counter() - began
    built = _peak()
    model = ModelConfig(hidden_size=32, layers=1, bidirectional=False)
    training = TrainingConfig(batch_size=1024, show_every=0)
    with contextlib.suppress(Enough):
        problems.make_trainer(LARGE_TASK, dataset, model, training, UntilFirstReport()).fit()
    return {"start_mib": start, "built_mib": built, "trained_mib": _peak(), "build_seconds": building}


def _peak() -> float:
    status = Path("/proc/self/status").read_text()  # `getrusage` begins with the peak of the process that started this
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


class Timestamps(Progress):
    """The clock at the end of each epoch."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def on_epoch(self, row: dict[str, Any]) -> None:
        self.times.append(time.perf_counter())


def epoch_time(task: dict[str, Any], examples: int, hidden: int, batch: int, epochs: int) -> dict[str, float]:
    """The fastest epoch after the first, in seconds, and samples per second."""
    import problems

    from seq2seq.models import Model

    clock = Timestamps()
    trainer = problems.plain_trainer(Arithmetic(**task), hidden, batch, examples, clock)
    trainer.config = replace(trainer.config, epochs=1 + epochs)
    trainer.fit()
    seconds = float(np.diff(clock.times)[1:].min())
    assert isinstance(trainer.network, Model)
    source_length = trainer.network.source_length
    return {"epoch_seconds": seconds, "samples_per_second": examples / seconds, "source_length": source_length}


KINDS = {  # kinds of operators, by their names in the profile
    "recurrent forward": ("RNN", "seq2seq_lstm"),
    "recurrent backward": ("_backward_RNN", "_backward_seq2seq_lstm"),
    "optimizer": ("adam_update",),
    "exchange between workers": ("CopyCPU2CPU", "add_n"),
    "dense layer and loss": (
        "FullyConnected", "_backward_FullyConnected", "log_softmax", "_backward_log_softmax", "pick", "_backward_pick",
    ),
}  # fmt: skip


def step(hidden: int, batch: int, examples: int) -> dict[str, float]:
    """The time of a step of the notebook's network: see `_step`."""
    import problems

    return _step(lambda: problems.notebook_trainer(hidden, batch, examples))


def network_step(name: str, text: str | None, examples: int, lstm: str) -> dict[str, float]:
    """The time of a step of a network that people use: see `_step`."""
    import network_problems

    path = Path(text) if text else None
    return _step(lambda: network_problems.trainer_of(network_problems.prepare(name, path, examples, lstm=lstm)))


def _step(make_trainer: Callable[[], Any]) -> dict[str, float]:
    """The time of a step: microseconds for each kind of operator, summed over the workers; and its fraction of the
    measured peak of matrix multiplication on this machine."""
    from seq2seq.engine.updater import Updater
    from seq2seq.mx import mx
    from seq2seq.workers import workers_of

    def fit(trainer: Any, epochs: int) -> float:
        """Seconds per step."""
        trainer.config = replace(trainer.config, epochs=trainer.state.epoch + epochs)
        started = time.perf_counter()
        trainer.fit()
        return (time.perf_counter() - started) / epochs / trainer.steps_per_epoch

    trainer = make_trainer()
    fit(trainer, 1)
    elapsed = min(fit(trainer, 1) for _ in range(5))
    # Operators are started one by one, so that the profiler can distinguish them.
    os.environ["MXNET_EXEC_BULK_EXEC_TRAIN"] = "0"
    trainer = make_trainer()
    fit(trainer, 1)
    with tempfile.TemporaryDirectory() as folder:  # the profiler removes a file of this name, even a device
        file = os.path.join(folder, "profile.json")
        mx.profiler.set_config(profile_symbolic=True, profile_imperative=True, aggregate_stats=True, filename=file)
        mx.profiler.set_state("run")
        fit(trainer, 1)
        mx.profiler.set_state("stop")
    operators = json.loads(mx.profiler.dumps(format="json"))["Time"]["operator"]
    kinds = dict.fromkeys([*KINDS, "everything else"], 0.0)
    for name, figures in operators.items():
        kind = next((kind for kind, names in KINDS.items() if name in names), "everything else")
        kinds[kind] += 1000 * figures["Total"] / trainer.steps_per_epoch
    assert isinstance(trainer._updater, Updater)
    # One forward and two backward passes; an addition for each multiplication.
    done = 3 * 2 * _multiplications(trainer) / trainer.steps_per_epoch / elapsed / 1e9
    peak = _peak_gflops(mx, workers_of(mx.cpu()))
    result = {"workers": float(len(trainer._updater._replicas)), "step_us": 1e6 * elapsed, **kinds}
    return {**result, "gflops": done, "peak_gflops": peak, "share_of_peak": done / peak}


def _multiplications(trainer: Any) -> int:
    """The multiplications in the matrix products of the forward passes of an epoch."""
    from seq2seq.engine.network import variables

    sampler = trainer.sampler
    total = 0
    known: dict[Any, int] = {}
    for batch in sampler.epoch(np.random.default_rng(0)):
        rows = len(batch.rows)
        key = (rows, *batch.widths.items())
        if key not in known:
            network = trainer.network.narrowed(batch.widths)
            shapes = {name: (*each.shape, rows) for name, each in network.inputs.items()}
            states = network.state_shapes(rows)
            loss, _ = network.loss(variables(shapes), variables(states))
            known[key] = _products(loss, {**shapes, **states})
        total += known[key]
    return total


def _products(symbol: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    """The multiplications in the matrix products of a graph, for inputs of these shapes."""
    inner = symbol.get_internals()
    shape_of = dict(zip(inner.list_outputs(), inner.infer_shape(**shapes)[1]))
    nodes = json.loads(symbol.tojson())["nodes"]

    def shape(place: int) -> tuple[int, ...]:
        name = nodes[place]["name"]
        return next(shape_of[each] for each in (name, f"{name}_output", f"{name}_output0") if each in shape_of)

    total = 0
    for place, node in enumerate(nodes):
        options = node.get("attrs", {})
        if node["op"] == "RNN":
            *steps_and_rows, width = shape(node["inputs"][0][0])
            hidden = int(options["state_size"])
            directions = 2 if options.get("bidirectional") in ("True", "1") else 1
            gates = {"lstm": 4, "gru": 3}.get(options["mode"], 1)
            for _ in range(int(options["num_layers"])):
                total += math.prod(steps_and_rows) * directions * gates * hidden * (width + hidden)
                width = directions * hidden
        elif node["op"] in ("FullyConnected", "batch_dot", "_linalg_gemm2"):
            total += math.prod(shape(place)) * shape(node["inputs"][0][0])[-1]
    return total


def _peak_gflops(mx: Any, workers: Any, side: int = 2048) -> float:
    """The peak of all workers together in multiplying square matrices, in 10^9 operations per second."""
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), mx.sym.var("weight"), num_hidden=side, no_bias=True)
    graphs = []
    for worker in workers:
        data, weight = (mx.nd.ones((side, side), worker.device) for _ in range(2))
        graphs.append(worker.bind(symbol, {"data": data}, {"weight": weight}))
    best = 0.0
    for _ in range(6):
        started = time.perf_counter()
        for graph in graphs * 5:
            graph.forward(is_train=True)
        mx.nd.waitall()
        best = max(best, len(graphs) * 5 * 2 * side**3 / (time.perf_counter() - started) / 1e9)
    return best


if __name__ == "__main__":
    measures: dict[str, Callable[..., dict[str, float]]]
    measures = {each.__name__: each for each in (generator, memory, epoch_time, step, network_step)}
    print(json.dumps(measures[sys.argv[1]](**json.loads(sys.argv[2]))))
