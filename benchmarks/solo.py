"""Measurements of this library alone, each in a fresh process: `python solo.py NAME JSON-OF-OPTIONS` prints JSON."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from seq2seq import Arithmetic, DataConfig, ModelConfig, TrainingConfig
from seq2seq.dataset import build_dataset
from seq2seq.progress import Progress
from seq2seq.vocabulary import Codec

LARGE_TASK = Arithmetic("+-*", terms=3, operands=(0, 999))


class Enough(Exception):
    """The steps that were wanted have been taken."""


class UntilFirstReport(Progress):
    """Ends a training at the Trainer's first report within an epoch, or at the epoch's end."""

    def advance(self, examples: int, loss: float) -> None:
        raise Enough

    def end_epoch(self, row: dict[str, Any]) -> None:
        raise Enough


def _rate(count: int, function: Any) -> float:
    started = time.perf_counter()
    function(count)
    return count / (time.perf_counter() - started)


def generator(pairs: int, loop_pairs: int) -> dict[str, float]:
    """Pairs a second: as strings, as arrays ready to train on, and as arrays by the notebook's Python loop."""
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


def _notebook_loop(n: int) -> tuple[np.ndarray, np.ndarray]:
    """What the notebook does, a pair at a time: three numbers, one operator, padded text, a dictionary of ids."""
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
    """Peak resident memory in MiB: of a process with MXNet loaded, then with the data set built, then in training."""
    import problems

    start = _peak()
    began = time.perf_counter()
    dataset = build_dataset(LARGE_TASK, DataConfig(examples, validation=1000, test=1000), seed=0)
    building = time.perf_counter() - began
    built = _peak()
    model = ModelConfig(hidden_size=32, layers=1, bidirectional=False)
    training = TrainingConfig(batch_size=1024, show_every=0)
    with contextlib.suppress(Enough):
        problems.make_trainer(dataset, model, training, UntilFirstReport()).fit()
    return {"start_mib": start, "built_mib": built, "trained_mib": _peak(), "build_seconds": building}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Timestamps(Progress):
    """The clock at the end of each epoch."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def end_epoch(self, row: dict[str, Any]) -> None:
        self.times.append(time.perf_counter())


def epoch_time(task: dict[str, Any], examples: int, hidden: int, batch: int, epochs: int) -> dict[str, float]:
    """The fastest of some epochs after the first, in seconds, and samples a second."""
    import problems

    clock = Timestamps()
    trainer = problems.plain_trainer(Arithmetic(**task), hidden, batch, examples, clock)
    trainer.config = replace(trainer.config, epochs=1 + epochs)
    trainer.fit()
    seconds = float(np.diff(clock.times)[1:].min())
    source_length = trainer.model.source_length
    return {"epoch_seconds": seconds, "samples_per_second": examples / seconds, "source_length": source_length}


if __name__ == "__main__":
    measure = {"generator": generator, "memory": memory, "epoch_time": epoch_time}[sys.argv[1]]
    print(json.dumps(measure(**json.loads(sys.argv[2]))))
