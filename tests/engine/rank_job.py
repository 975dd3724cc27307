"""A job of the tests of several processes: `mpiexec -n 4 python -m tests.engine.rank_job FOLDER [CASE ...]`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import seq2seq.engine.trainer
import seq2seq.tasks.listed
from seq2seq import Addition, PairsTask, Text, train
from seq2seq.engine.ranks import Ranks
from seq2seq.engine.shards import ShardUpdater
from seq2seq.mpi import ranks_of_job

SHARDS = 4
COMMON = {"progress": False, "shards": SHARDS, "layers": 1, "hidden_size": 8, "epochs": 4, "show_every": 0}
# The last batch of an epoch has fewer examples than there are shards.
SUMS = {
    "task": Addition(digits=1), "model": "attention", "dropout": 0.2, "batch_size": 11, "schedule": "constant",
    "weight_decay": 0.1, "warmup_steps": 0,
}  # fmt: skip
TEXT = {
    "task": Text(given="abcd bdca cab dcb " * 120), "model": "lstm", "dropout": 0.2, "batch_size": 5,
    "embedding": 4, "normalise": "batch",
}  # fmt: skip
MANY = {"model": "attention", "dropout": 0.2, "batch_size": 11, "validation": 20, "test": 20}
UPDATE = 9  # during which something goes wrong
# Tasks and options that are not the same in all processes.
DIFFERENT = {
    "differ-data": lambda folder, number: (pairs(100 + number), {}),
    "differ-options": lambda folder, number: (pairs(100), {"learning_rate": 0.1 + number}),
    "differ-found": lambda folder, number: (pairs(100), {"find_rate": number == 0}),
    "differ-missing": lambda folder, number: (PairsTask(str(folder / f"pairs-{number}.tsv")), {}),
    "differ-epochs": lambda folder, number: (pairs(100), {"epochs": 1 - number}),
}
EPOCHS = {"short": 1, "longer": 2, "long": 16}


def pairs(count: int) -> list[tuple[str, str]]:
    return [(f"{number}", f"{number + 1}") for number in range(count)]


def at_update(ranks: Ranks, folder: Path, event: Any) -> None:
    """Let something happen in the second process during an update, and write the time of it."""
    update = ShardUpdater.update

    def eventful(self: Any, feed: Any, count: int, rate: float) -> None:
        if ranks.number == 1 and count == UPDATE:
            (folder / "time").write_text(str(time.time()))
            event()
        update(self, feed, count, rate)

    ShardUpdater.update = eventful  # type: ignore[method-assign]


def main(folder: Path, *cases: str) -> None:
    seq2seq.engine.trainer.SAVE_SECONDS = 0.0
    with ranks_of_job(stall=2.0 if "stall" in cases else 60.0) as ranks:
        if "stall" in cases:
            at_update(ranks, folder, lambda: time.sleep(60))
        if "killed" in cases:
            at_update(ranks, folder, lambda: os.kill(os.getpid(), signal.SIGKILL))
        if "stopped" in cases:
            at_update(ranks, folder, lambda: os.kill(os.getpid(), signal.SIGTERM))
        if "failing" in cases and ranks.number == 1:
            raise OSError("a disk is full")
        for case in set(cases) & set(DIFFERENT):
            task, options = DIFFERENT[case](folder, ranks.number)
            train(task, folder / "other", ranks=ranks, **{**COMMON, **options})
            return
        options = {**COMMON, **SUMS}
        for case in set(cases) & set(EPOCHS):
            options["epochs"] = EPOCHS[case]
        train(run_dir=folder / "sums", ranks=ranks, resume=True, **options)
        if "many" in cases:
            seq2seq.tasks.listed.IN_MEMORY = 0
            train(PairsTask(str(folder / "many.tsv")), folder / "many", ranks=ranks, **COMMON, **MANY)
        if "text" in cases:
            train(run_dir=folder / "text", ranks=ranks, **COMMON, **TEXT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
