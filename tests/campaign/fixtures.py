"""The runs that checks begin from, a tiny one of every model, and files to learn from."""

from __future__ import annotations

import csv
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests import tables
from tests.campaign.runner import Command, run

WORDS = ("the", "cat", "and", "a", "dog", "sleeps.\n")
SUMS = ("--task.operators=+-", "--task.steps=call", "--task.terms=2", "--task.operands=0-9", "--examples=60")
CAKES = ("--task", "table", "--task.path", "cakes.csv", "--task.target", "price")
TEXT = ("--task", "text", "--task.path", "text.txt")
# The tiny run's name: its options, and something to ask it.
RUNS = {
    "repeat": ((*SUMS, "--task.steps", "none", "--model", "repeat", "--layers", "1", "--find-rate"), "3+4"),
    "attention": (("--task", "pairs", "--task.path", "pairs.tsv", "--model", "attention"), "3+4"),
    "steps": (("--preset", "default", *SUMS, "--task.terms", "3"), "3+4+5"),
    "transducer": (
        (*SUMS, "--model", "transducer", "--layers", "2", "--no-reverse-target"),
        "3+4",
    ),
    "aligned": (("--task", "addition", "--task.digits", "1-3", "--model", "aligned", "--examples", "60"), "12+34"),
    "dates": (("--task", "dates", "--examples", "60"), "3 May 1999"),
    "spelling": (("--task", "spelling", "--task.digits", "1-2"), "42"),
    "gru": ((*TEXT, "--model", "gru"), "the cat and "),
    "lstm": ((*TEXT, "--model", "lstm", "--dropout", "0.1"), "the cat and "),
    "rnn-sequence": ((*TEXT, "--model", "rnn-sequence", "--embedding", "4"), "the cat and "),
    "rnn-numpy": ((*TEXT, "--model", "rnn-numpy"), "the cat and "),
    "char3": ((*TEXT, "--model", "char3", "--embedding", "4"), "the cat and "),
    "ratings": (("--task", "ratings", "--task.path", "films.csv", "--model", "neural"), "u1,film 2"),
    "table": ((*CAKES, "--task.log"), '{"size": "tiny"}'),
}
TINY = ("--hidden-size", "8", "--epochs", "2", "--batch-size", "16", "--show-every", "0")


@dataclass(frozen=True)
class Cache:
    """A folder with the runs, `runs/NAME`, and the files they learn from."""

    folder: Path

    def run(self, name: str) -> Path:
        return self.folder / "runs" / name


def write_files(folder: Path) -> None:
    """Files to learn from."""
    rng = random.Random(0)
    text = " ".join(rng.choices(WORDS, k=500))
    (folder / "text.txt").write_text(text)
    (folder / "pairs.tsv").write_text("".join(f"{a}+{b}\t{a + b}\n" for a in range(8) for b in range(8)))
    for name, rows in (("films", tables.ratings(80, users=8, items=6)[0]), ("cakes", tables.cakes(80))):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)


def make_runs(folder: Path) -> Cache:
    """The runs, made now unless they are there already."""
    cache = Cache(folder)
    for name, (options, question) in RUNS.items():
        if cache.run(name).exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        write_files(folder)
        made = f"making/{name}"
        shutil.rmtree(folder / made, ignore_errors=True)

        for command in (
            Command("train", (*options, *TINY, "--run-dir", made)),
            Command("evaluate", ("--run", made)),
            Command("solve", ("--run", made, "--", question)),
        ):
            ended = run(command, folder, 300)
            assert ended.status == 0, (name, str(command), ended.err.decode())
        (folder / "runs").mkdir(exist_ok=True)
        (folder / made).rename(cache.run(name))
    return cache
