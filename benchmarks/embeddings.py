"""Measures the applications that learn embeddings: `python benchmarks/embeddings.py ratings FILE`.

`ratings` takes insteval.csv, the 73,421 evaluations of lectures at ETH Zurich in R's package lme4 (`InstEval`), and
compares the models of ratings with the mean alone and the regularised biases alone. The options were chosen by the
validation part of seed 0.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import train
from seq2seq.tasks.ratings import Ratings

SEEDS = (0, 1, 2)
RATING_OPTIONS: dict[str, dict[str, Any]] = {
    "dot": {"embedding": 8, "penalty": 13.0},
    "neural": {"embedding": 8, "penalty": 13.0},
}


def ratings(file: str) -> None:
    """Print the errors of each model and of the two baselines, with each seed and their mean."""
    task = Ratings(file, user="s", item="d", rating="y")
    print("| model | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " | mean | seconds |")
    print("|---|" + "---|" * (len(SEEDS) + 2))
    rows: dict[str, list[float]] = {}
    for model, options in RATING_OPTIONS.items():
        started = time.perf_counter()
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                solver = train(task, run, model=model, seed=seed, progress=False, show_every=0, **options)
                score = solver.evaluate(samples=10**6).held_out
            if model == "dot":
                rows.setdefault("mean alone", []).append(score.mean_rmse)
                rows.setdefault("biases alone", []).append(score.biases_rmse)
            rows.setdefault(model, []).append(score.rmse)
        show(model, rows, time.perf_counter() - started)


def show(model: str, rows: dict[str, list[float]], seconds: float) -> None:
    """Print the rows that a model has completed, and the seconds for a single training."""
    for name in list(rows):
        values = rows.pop(name)
        took = f"{seconds / len(SEEDS):.0f}" if name == model else ""
        print(f"| {name} | " + " | ".join(f"{each:.4f}" for each in values) + f" | {np.mean(values):.4f} | {took} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["ratings"])
    parser.add_argument("file", metavar="FILE")
    arguments = parser.parse_args()
    ratings(arguments.file)


if __name__ == "__main__":
    main()
