#!/usr/bin/env python3
"""Predict the time of a step of several machines that train one network, and check the prediction in a job.

    python benchmarks/ranks.py                                         a table for 2 to 256 machines
    mpiexec -n 4 python benchmarks/ranks.py --gigabits 1 --check       a job in such a network, predicted and measured

A step is what a machine does itself, which is measured here without a network, and the time in which the gradients of
the other machines arrive, which follows from their bytes and from the bandwidth and latency of the network.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from seq2seq import ModelConfig, TrainingConfig
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.engine.samplers import Batch
from seq2seq.engine.shards import ShardUpdater
from seq2seq.errors import Seq2SeqError
from seq2seq.models import AttentionModel
from seq2seq.mpi import is_job, ranks_of_job
from seq2seq.mx import mx
from seq2seq.typing import Array

MACHINES = (2, 4, 8, 16, 32, 64, 128, 256)
GIGABITS = (1.0, 10.0, 100.0)
SOURCE, TARGET, VOCABULARY = 16, 12, 20  # lengths and symbols of the examples
BYTES = 4  # of a value
PAYLOAD = 1448 / 1538  # the part of an Ethernet frame that is not headers
LEFT_OUT = 5  # first steps, which are slower
LEAST_STEPS = 5


class Unconnected(Ranks):
    """One of several machines without a network: it does all of its own work, and gets nothing from the others."""

    def __init__(self, number: int, count: int) -> None:
        self.number = number
        self.count = count

    def gather(self, rows: Array, what: str) -> None:
        """Do nothing."""

    def broadcast(self, content: bytes, what: str) -> bytes:
        return content


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """The arguments, whose values are allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hidden-size", type=int, default=96, metavar="N", help="units of the attention model (default: 96)"
    )
    parser.add_argument(
        "--batch-size", type=int, default=256, metavar="N", help="examples of a step, of all machines (default: 256)"
    )
    parser.add_argument(
        "--gigabits", type=float, nargs="+", metavar="X",
        help="gigabits a second of the network, a column each (default: 1 10 100); with --check, those of this network",
    )  # fmt: skip
    parser.add_argument(
        "--latency", type=float, default=0.05, metavar="MS", help="milliseconds of the network (default: 0.05)"
    )
    parser.add_argument(
        "--steps", type=int, default=30, metavar="N", help=f"to measure, after {LEFT_OUT} others (default: 30)"
    )
    parser.add_argument("--check", action="store_true", help="in a job: measure its steps too")
    arguments = parser.parse_args(words)
    for name, least in {"hidden_size": 1, "batch_size": 2, "steps": LEAST_STEPS}.items():
        if getattr(arguments, name) < least:
            parser.error(f"--{name.replace('_', '-')}: must be at least {least}")
    if not all(math.isfinite(each) and each > 0 for each in arguments.gigabits or ()):
        parser.error("--gigabits: must be numbers above 0")
    if not (math.isfinite(arguments.latency) and arguments.latency >= 0):
        parser.error("--latency: must be a number from 0")
    if arguments.check and not is_job():
        parser.error("--check: goes with several processes: mpiexec -n 4 python benchmarks/ranks.py --check ...")
    if arguments.check and len(arguments.gigabits or ()) != 1:
        parser.error("--check: goes with one --gigabits X, that of the network")
    arguments.gigabits = arguments.gigabits or GIGABITS
    return arguments


def main() -> int:
    try:
        return _main(parse())
    except Seq2SeqError as error:
        print(f"ranks.py: {error}", file=sys.stderr)
        return 1


def _main(arguments: argparse.Namespace) -> int:
    if not arguments.check:
        print_table(arguments)
        return 0
    with ranks_of_job() as ranks:
        own = seconds_per_step(arguments, Unconnected(ranks.number, ranks.count), ranks)
        measured = seconds_per_step(arguments, ranks, ranks)
    expected = own + arrival(arguments, ranks.count, arguments.gigabits[0])
    if ranks.first:
        print(
            f"{ranks.count} machines, batches of {arguments.batch_size}, {arguments.gigabits[0]:g} gigabit: "
            f"own work {own * 1000:.2f} ms, predicted step {expected * 1000:.2f} ms, measured {measured * 1000:.2f} ms "
            f"({measured / expected - 1:+.0%})"
        )
    return 0


def make_updater(arguments: argparse.Namespace, ranks: Ranks) -> tuple[ShardUpdater, AttentionModel]:
    model = AttentionModel(ModelConfig(hidden_size=arguments.hidden_size, layers=1), SOURCE, TARGET, VOCABULARY)
    config = TrainingConfig(batch_size=arguments.batch_size, shards=ranks.count)
    return ShardUpdater(model, config, 0, mx.cpu(), ranks), model


def seconds_per_step(arguments: argparse.Namespace, ranks: Ranks, together: Ranks = ALONE) -> float:
    """The median time of a step, of the slowest of the machines that measure together."""
    updater, model = make_updater(arguments, ranks)
    rng = np.random.default_rng(0)
    n = arguments.batch_size
    widths = {"source": SOURCE, "target": TARGET}
    arrays = {name: rng.integers(VOCABULARY, size=(n, width), dtype=np.uint8) for name, width in widths.items()}
    plan = [Batch(np.arange(n), {}, int(model.terms(arrays).sum()))] * (LEFT_OUT + arguments.steps)
    feeds = list(updater.feeds(arrays, plan))
    together.once(lambda: None, "start of a measurement")
    seconds = []
    for number, feed in enumerate(feeds, 1):
        started = time.perf_counter()
        updater.update(feed, number, 0.001)
        mx.nd.waitall()
        seconds.append(time.perf_counter() - started)
    medians = np.zeros((together.count, 1), np.float32)
    medians[together.number] = np.median(seconds[LEFT_OUT:])
    together.gather(medians, "measurement")
    return float(medians.max())


def arrival(arguments: argparse.Namespace, machines: int, gigabits: float) -> float:
    """The seconds in which the gradients of the other machines arrive: those of each machine go around in a ring."""
    updater, _ = make_updater(arguments, Unconnected(0, machines))
    seconds_each = updater.message_size * BYTES / (gigabits * 1e9 / 8 * PAYLOAD)
    return (machines - 1) * (seconds_each + arguments.latency / 1000)


def print_table(arguments: argparse.Namespace) -> None:
    """Steps of 1 to 256 machines as a table of Markdown, with the speed relative to one machine."""
    one = seconds_per_step(arguments, Unconnected(0, 1))
    print(f"| machines | {' | '.join(f'{each:g} gigabit' for each in arguments.gigabits)} |")
    print("|---" * (1 + len(arguments.gigabits)) + "|")
    print(f"| 1 | {' | '.join([f'{one * 1000:.1f} ms'] * len(arguments.gigabits))} |")
    for machines in MACHINES:
        if machines > arguments.batch_size:
            break
        own = seconds_per_step(arguments, Unconnected(0, machines))
        cells = []
        for gigabits in arguments.gigabits:
            step = own + arrival(arguments, machines, gigabits)
            cells.append(f"{step * 1000:.1f} ms, {one / step:.2f} ×")
        print(f"| {machines} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
