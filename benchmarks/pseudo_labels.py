#!/usr/bin/env python3
"""Measure what pseudo-labels are worth when there are few examples of Roman numerals.

`python benchmarks/pseudo_labels.py` trains with few examples, answers numerals without labels, mixes the answers of
which the run is sure into every batch at one in four, and trains again, with each of three thresholds; and once more
with the right labels in place of the answers. It writes a table of the exact match on test examples into
docs/mixed-batches-and-normalisation.md. A finished training is not repeated; an interrupted one is continued.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that it runs from a checkout

import seq2seq
from seq2seq.cli.pages import fill, read_page, read_results

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mixed-batches-and-normalisation.md"
RESULTS = Path(__file__).with_suffix(".json")
MARK = "measured: pseudo-labels"
LABELLED, VALIDATION, TEST = 300, 200, 1000
SHARE = 0.25
THRESHOLDS = (0.5, 0.8, 0.95)  # least confidence of an answer that is mixed in; the best one on validation is chosen
OPTIONS: dict[str, Any] = {
    "examples": LABELLED + VALIDATION + TEST, "validation": VALIDATION, "test": TEST, "model": "attention",
    "position_bias": True, "hidden_size": 64, "layers": 1, "learning_rate": 0.004, "epochs": 100, "show_every": 0,
}  # fmt: skip
ROWS = 24  # labelled rows of a batch, with and without others, so that all trainings make the same number of updates
HEAD = (
    "| seed | threshold | sure of | of these right | validation | test: without | with pseudo-labels | with the right "
    "labels in their place |\n|---|---|---|---|---|---|---|---|\n"
)


def train(task: Any, run_dir: Path, seed: int, labels: list[tuple[str, str]] | None = None) -> seq2seq.Solver:
    """Train, or continue training, with these pairs mixed in."""
    mix = [(seq2seq.PairsTask.of(labels), SHARE)] if labels else []
    rows = round(ROWS / (1 - SHARE)) if labels else ROWS
    return seq2seq.train(task, run_dir, resume=True, mix=mix, batch_size=rows, seed=seed, **OPTIONS)


def unlabelled(solver: seq2seq.Solver) -> list[tuple[str, str]]:
    """The pairs that are in no part of the run's data. Their targets are used only to say how many labels are right."""
    dataset = solver.dataset
    parts = (dataset.train, dataset.validation, dataset.test)
    known = {source for part in parts for source in solver.codec.decode_sources(part.sources)}
    return [pair for pair in solver.task.shown(solver.task.list()) if pair[0] not in known]


def measure(runs: Path, seed: int) -> dict[str, Any]:
    """Train in all ways with one seed."""
    task = seq2seq.Roman()
    first = train(task, runs / f"pseudo-none-{seed}", seed)
    pairs = unlabelled(first)
    answers = first.answer([source for source, _ in pairs])
    tried = {}
    for threshold in THRESHOLDS:
        rows = [row for row, answer in enumerate(answers) if answer.confidence >= threshold and answer.text]
        labels = [(pairs[row][0], answers[row].text) for row in rows]
        solver = train(task, runs / f"pseudo-{threshold:g}-{seed}", seed, labels)
        right = [pairs[row] for row in rows]
        tried[threshold] = {
            "validation": best_validation(solver),
            "test": test_of(solver),
            "sure": len(rows),
            "right": sum(label == pair for label, pair in zip(labels, right)) / len(rows),
        }
        if threshold == max(tried, key=lambda each: tried[each]["validation"]):
            chosen = right
    with_right = train(task, runs / f"pseudo-right-{seed}", seed, chosen)
    return {
        "of": len(pairs), "none": test_of(first), "right": test_of(with_right),
        "tried": {f"{threshold:g}": each for threshold, each in tried.items()},
    }  # fmt: skip


def best_validation(solver: seq2seq.Solver) -> float:
    """The exact match on the validation examples of the best epoch."""
    return max(row["validation_exact_match"] for row in solver.run.read_metrics())


def test_of(solver: seq2seq.Solver) -> float:
    """The exact match on the test examples."""
    evaluation: Any = solver.evaluate()
    return evaluation.held_out.exact_match


def table(results: dict[str, Any]) -> str:
    """A row for each seed and threshold, and the means of the chosen ones."""
    rows = []
    chosen = []
    for seed, result in results.items():
        tried = result["tried"]
        best = max(tried, key=lambda threshold: tried[threshold]["validation"])
        chosen.append((result["none"], tried[best]["test"], result["right"]))
        for threshold, each in tried.items():
            shown = f"**{threshold}**" if threshold == best else threshold
            sure = f"{each['sure']} of {result['of']}"
            scores = [f"{each['validation']:.3f}", f"{result['none']:.3f}", f"{each['test']:.3f}"]
            right = f"{result['right']:.3f}" if threshold == best else ""
            cells = [seed, shown, sure, f"{each['right']:.1%}", *scores, right]
            rows.append(f"| {' | '.join(cells)} |\n")
    means = [f"{statistics.mean(column):.3f}" for column in zip(*chosen)]
    return HEAD + "".join(rows) + f"| mean | chosen | | | | {' | '.join(means)} |\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", metavar="DIR", default="runs", help="where the run folders are (default: runs)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each kind (default: 3)")
    arguments = parser.parse_args()
    results = read_results(RESULTS)
    for seed in range(arguments.seeds):
        if str(seed) not in results:
            results[str(seed)] = measure(Path(arguments.runs), seed)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(fill(read_page(PAGE, MARK), MARK, table(results)), encoding="utf-8")
        print(f"seed {seed}: {results[str(seed)]}", flush=True)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
