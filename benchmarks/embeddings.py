"""Measures the applications that learn embeddings: `python -m benchmarks.embeddings ratings FILE`, and `diamonds FILE`.

`ratings` takes insteval.csv, the 73,421 evaluations of lectures at ETH Zurich in R's package lme4 (`InstEval`), and
compares the models of ratings with the mean alone and the regularised biases alone. The options were chosen by the
validation part of seed 0.

`diamonds` takes diamonds.csv, the 53,940 diamonds in R's package ggplot2, and predicts the logarithm of the price. It
compares the network with scikit-learn's gradient boosting and nearest neighbours on the same rows, which read the
categories as numbers in alphabetical order, as one-hot vectors, or as the embeddings that the network has learned. It
needs `pip install scikit-learn`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import Ratings, Table, train
from seq2seq.estimator import Estimator
from seq2seq.explaining import order_correlation, principal_components
from seq2seq.typing import Array

SEEDS = (0, 1, 2)
RATING_OPTIONS: dict[str, dict[str, Any]] = {
    "dot": {"embedding": 8, "penalty": 13.0},
    "neural": {"embedding": 8, "penalty": 13.0},
}
DIAMOND_OPTIONS: dict[str, Any] = {}
KNOWN_ORDERS = {
    "cut": ("Fair", "Good", "Very Good", "Premium", "Ideal"),
    "color": ("J", "I", "H", "G", "F", "E", "D"),
    "clarity": ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"),
}


def ratings(file: str, seeds: Sequence[int]) -> None:
    """Print the errors of each model and of the two baselines, with each seed and their mean."""
    task = Ratings(file, user="s", item="d", rating="y")
    print("| model | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean | seconds |")
    print("|---|" + "---|" * (len(seeds) + 2))
    rows: dict[str, list[float]] = {}
    for model, options in RATING_OPTIONS.items():
        started = time.perf_counter()
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                solver = train(task, run, model=model, seed=seed, progress=False, show_every=0, **options)
                score = solver.evaluate(samples=10**6).held_out
            if model == "dot":
                rows.setdefault("mean alone", []).append(score.mean_rmse)
                rows.setdefault("biases alone", []).append(score.biases_rmse)
            rows.setdefault(model, []).append(score.rmse)
        show(model, rows, (time.perf_counter() - started) / len(seeds))


def diamonds(file: str, seeds: Sequence[int]) -> None:
    """Print the errors of the network and of scikit-learn's models, and the order of the categories, with each seed."""
    task = Table(file, target="price", log=True)
    solvers = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            started = time.perf_counter()
            run = Path(folder) / str(seed)
            solvers[seed] = train(task, run, seed=seed, progress=False, show_every=0, **DIAMOND_OPTIONS)
            print(f"seed {seed}, network: {time.perf_counter() - started:.0f} seconds", flush=True)
            error = solvers[seed].evaluate(samples=10**6).held_out.values["rmse"]
            print(f"seed {seed}, network: {error:.4f}", flush=True)
            for name, (symbols, vectors) in solvers[seed].embeddings().items():
                coordinates, _ = principal_components(vectors)
                correlation = order_correlation(symbols, coordinates, KNOWN_ORDERS[name])[0]
                print(f"seed {seed}, {name}: rank correlation {abs(correlation):.3f}", flush=True)
        for seed, solver in solvers.items():
            for name, error in peers(task, solver):
                print(f"seed {seed}, {name}: {error:.4f}", flush=True)


def peers(task: Table, solver: Estimator) -> Iterator[tuple[str, float]]:
    """Yield the errors of scikit-learn's models on the run's test rows, trained on all others, by model and code."""
    from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
    from sklearn.neighbors import KNeighborsRegressor

    dataset = solver.dataset
    held_out = dataset.test.places
    trained = np.concatenate([dataset.train.places, dataset.validation.places])
    prices = np.log(task.targets)
    models = {
        "gradient boosting": lambda: GradientBoostingRegressor(random_state=0),
        "boosting of histograms": lambda: HistGradientBoostingRegressor(random_state=0),
        "nearest neighbours": lambda: KNeighborsRegressor(10),
    }
    for name, make in models.items():
        for code, columns in coded(task, solver).items():
            model = make().fit(columns[trained], prices[trained])
            error = model.predict(columns[held_out]) - prices[held_out]
            yield f"{name}, {code}", float(np.sqrt(np.mean(error**2)))


def coded(task: Table, solver: Estimator) -> dict[str, Array]:
    """All rows with the categories as ordinal codes, one-hot vectors or embeddings, and the standardised numbers."""
    arrays = task.arrays(solver.codec)
    categories = arrays["categories"]
    one_hot = [np.eye(len(column.names))[ids] for column, ids in zip(solver.codec.categories, categories.T)]
    ordinal = (categories - categories.mean(axis=0)) / categories.std(axis=0)
    return {
        "ordinal": np.concatenate([ordinal, arrays["numbers"]], axis=1),
        "one-hot": np.concatenate([*one_hot, arrays["numbers"]], axis=1),
        "embeddings": solver.features(),
    }


def show(model: str, rows: dict[str, list[float]], seconds: float) -> None:
    """Print the rows that a model has completed, and the seconds for a single training."""
    for name in list(rows):
        values = rows.pop(name)
        took = f"{seconds:.0f}" if name == model else ""
        print(f"| {name} | " + " | ".join(f"{each:.4f}" for each in values) + f" | {np.mean(values):.4f} | {took} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["ratings", "diamonds"])
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N")
    arguments = parser.parse_args()
    {"ratings": ratings, "diamonds": diamonds}[arguments.what](arguments.file, arguments.seeds)


if __name__ == "__main__":
    main()
