"""Training speed of two checkouts, side by side: samples a second, by epochs of each in turn.

    python benchmarks/before_after.py ../before            # beside this checkout
    python benchmarks/before_after.py ../before --rounds 9

Each round trains every network once in each checkout, in a process of its own. What counts is the fastest epoch of a
round, and the median over the rounds of the ratio of the two: a machine that is busy for a while slows both.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
NETWORKS = {
    "the notebook's network, hidden 256, batches of 128": [
        "--preset", "notebook", "--hidden-size", "256", "--batch-size", "128", "--epochs", "6",
    ],
    "the default preset": ["--epochs", "6"],
}  # fmt: skip


def samples_per_second(checkout: Path, options: list[str]) -> float:
    """The fastest epoch after the first."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, str(checkout / "scripts" / "train.py"), "--run-dir", str(run), *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{checkout}: {done.stderr[-500:]}")
        with open(run / "metrics.csv", encoding="ascii") as file:
            epochs = [float(row["samples_per_second"]) for row in csv.DictReader(file)]
    return max(epochs[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    before = arguments.before.resolve()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in NETWORKS}
    for number in range(arguments.rounds):
        for name, options in NETWORKS.items():
            checkouts = [before, HERE] if number % 2 == 0 else [HERE, before]
            speeds = {checkout: samples_per_second(checkout, options) for checkout in checkouts}
            found[name].append((speeds[before], speeds[HERE]))
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    print("| network | before | after | after / before |\n|---|---|---|---|")
    for name, pairs in found.items():
        first, second = (statistics.median(each) for each in zip(*pairs))
        ratio = statistics.median(after / earlier for earlier, after in pairs)
        print(f"| {name} | {first:,.0f} | {second:,.0f} | {ratio:.3f} |")


if __name__ == "__main__":
    main()
