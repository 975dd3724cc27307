"""Processes that are killed while they make a run, train it or score it, and what the next one finds."""

from __future__ import annotations

import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import Any, Callable

from safetensors.numpy import load_file

import seq2seq.engine.trainer
from seq2seq.runs import FILES, WEIGHTS
from tests.campaign.fixtures import SUMS, TEXT, TINY, Cache
from tests.campaign.runner import Check, Command, run

RUNS = {
    "sums": (*SUMS, "--model", "attention", "--dropout", "0.1", *TINY[:2], "--epochs", "4", "--batch-size", "16"),
    "text": (*TEXT, "--model", "lstm", *TINY[:2], "--epochs", "2", "--batch-size", "4"),
    "rates": (*SUMS, "--model", "repeat", "--find-rate", *TINY[:2], "--epochs", "2"),
    "pairs": ("--task", "pairs", "--task.path", "pairs.tsv", *TINY[:2], "--epochs", "2"),
}  # fmt: skip
# Where a folder changes: the process kills itself before or after one of these.
CALLS = ("mkdir", "open", "write", "fsync", "replace", "unlink", "rmdir")


def prepare(cache: Cache) -> None:
    """The runs of processes that are never killed."""
    for name, options in RUNS.items():
        path = cache.folder / "whole" / name
        if not path.exists():
            ended = run(Command("train", (*options, "--show-every", "0", "--run-dir", str(path))), cache.folder, 300)
            assert ended.status == 0, (name, ended.err.decode())


def make(rng: random.Random, folder: Path, cache: Cache) -> Check:
    """Kill a few processes that train into one folder, or score what is there; the next one must find its way."""
    name = rng.choice(list(RUNS))
    place = rng.choice(["run", "run", "mine", "deep/run"])
    if place == "mine":
        (folder / place).mkdir()
    train = ("train", (*RUNS[name], "--show-every", "0", "--run-dir", place, "--resume"))
    told = []
    for _ in range(rng.choice([1, 1, 2, 4])):
        script, arguments = train
        if (folder / place / "config.json").exists() and rng.random() < 0.2:
            script, arguments = "evaluate", ("--run", place)
        if rng.random() < 0.5:
            seconds = rng.uniform(0, rng.choice([0.1, 0.5, 2.0]))
            run(Command(script, arguments, before=_save_always), folder, seconds)
            told.append(f"{script} after {seconds:.3f} s")
        else:
            number, after = rng.randrange(rng.choice([20, 60, 300])), rng.random() < 0.5
            run(Command(script, arguments, before=partial(_die_at, number, after)), folder)
            told.append(f"{script} {'after' if after else 'before'} call {number}")
    found = partial(_found, cache.folder / "whole" / name, folder, place)
    return Check(f"{name} in {place}: {', '.join(told)}", [Command(*train)], found)


def _save_always() -> None:
    seq2seq.engine.trainer.SAVE_SECONDS = 0.0


def _die_at(number: int, after: bool) -> None:
    """Have this process kill itself at a call that changes a folder."""
    _save_always()
    left = number

    def counted(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == -1 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*arguments, **options)
        if left == -1:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    for name in CALLS:
        setattr(os, name, partial(counted, getattr(os, name)))


def _found(whole: Path, folder: Path, place: str) -> list[str]:
    """What is wrong with the run in the end."""
    wrong = []
    for name in WEIGHTS.values():
        ours, theirs = (load_file(path / name) for path in (folder / place, whole))
        if any((ours[each] != theirs[each]).any() for each in theirs):
            wrong.append(f"{name} is not that of a run that was never killed")
    left = set(os.listdir(folder / place)) - FILES - {"pairs.jsonl.gz", "text.txt.gz"}
    left |= {path.name for path in folder.rglob(".*")}
    if left:
        wrong.append(f"left behind: {', '.join(sorted(left))}")
    return wrong
