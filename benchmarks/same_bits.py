"""Whether two checkouts train to the same weights, bit for bit, and whether this one resumes the other's runs.

    python benchmarks/same_bits.py ../before            # beside this checkout

Each run is trained for two epochs in each checkout, and for a third one three times: by the other checkout, by this one
from the other's folder, and by this one from its own. Weights, answers and losses are compared.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent.parent
WORDS = ["the cat sat on the mat", "a dog ran to the sea", "it is what it is", "where do we go"]
TEXT = ["--task", "text", "--task.path", "text.txt", "--task.length", "8", "--hidden-size", "32"]
RUNS = {
    "default": [],
    "notebook": ["--preset", "notebook"],
    "roman": ["--task", "roman"],
    "copy, SGD": [
        "--task", "copy", "--examples", "2000", "--model", "transducer", "--optimizer", "sgd", "--learning-rate", "0.1",
        "--schedule", "restarts", "--dropout", "0.1",
    ],
    "gru": [*TEXT, "--model", "gru"],
    "rnn-stateful": [*TEXT, "--model", "rnn-stateful"],
    "rnn-numpy": [*TEXT, "--model", "rnn-numpy"],
}  # fmt: skip
QUESTIONS = {"default": "3*7+2", "notebook": "3+7+2", "roman": "XIV", "copy, SGD": "abc"}


def call(checkout: Path, script: str, *arguments: str) -> str:
    """What a script of a checkout prints, on one thread."""
    command = [sys.executable, str(checkout / "scripts" / script), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-500:]}")
    return done.stdout


def state_of(run: Path) -> dict[str, object]:
    """The weights of a run, and the losses of its epochs."""
    weights = {file: load_file(run / file) for file in ("best.safetensors", "last.safetensors")}
    found: dict[str, object] = {
        f"{file} {name}": array.tobytes() for file, arrays in weights.items() for name, array in arrays.items()
    }
    with open(run / "metrics.csv", encoding="ascii") as file:
        found["losses"] = [(row["train_loss"], row["validation_loss"]) for row in csv.DictReader(file)]
    return found


def compare(before: Path, name: str, options: list[str]) -> list[str]:
    """What differs."""
    folders = {each: Path(each) for each in ("old", "new", "old-3", "resumed-3", "new-3")}
    call(before, "train.py", "--run-dir", "old", "--epochs", "2", *options)
    call(HERE, "train.py", "--run-dir", "new", "--epochs", "2", *options)
    problems = [] if state_of(folders["old"]) == state_of(folders["new"]) else ["two epochs"]
    for copy, source, checkout in (("old-3", "old", before), ("resumed-3", "old", HERE), ("new-3", "new", HERE)):
        shutil.copytree(source, copy)
        call(checkout, "train.py", "--run-dir", copy, "--resume", "--epochs", "3")
    expected = state_of(folders["old-3"])
    problems += [f"a third epoch ({each})" for each in ("resumed-3", "new-3") if state_of(folders[each]) != expected]
    ask = ["--", QUESTIONS[name]] if name in QUESTIONS else ["--predict", "--", "the cat sat "]
    if call(before, "solve.py", "--run", "old", *ask) != call(HERE, "solve.py", "--run", "old", *ask):
        problems.append("answers")
    for folder in folders.values():
        shutil.rmtree(folder)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, help="the other checkout")
    before = parser.parse_args().before.resolve()
    different = False
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        rng = random.Random(0)
        Path("text.txt").write_text("\n".join(rng.choice(WORDS) for _ in range(400)))
        for name, options in RUNS.items():
            problems = compare(before, name, options)
            print(f"{name}: {', '.join(problems) + ' differ' if problems else 'the same'}", flush=True)
            different |= bool(problems)
    return int(different)


if __name__ == "__main__":
    sys.exit(main())
