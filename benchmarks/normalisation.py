#!/usr/bin/env python3
"""Compare batch normalisation of a text's embeddings with layer normalisation and with none, at two learning rates.

`python benchmarks/normalisation.py FILE` trains a small network on a text with each, writes a table of the held-out
loss into docs/mixed-batches-and-normalisation.md, and draws the loss on the validation part by epoch. A finished
training is not repeated unless the text has changed; an interrupted one is continued. Needs the extra `plot`.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
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
PICTURE = PAGE.with_name("normalisation.png")
MARK = "measured: normalise"
RATES = (0.004, 0.016)
KINDS = ("batch", "layer", "none")
OPTIONS: dict[str, Any] = {
    "model": "gru", "hidden_size": 96, "layers": 1, "embedding": 42, "dropout": 0.0, "batch_size": 64, "epochs": 4,
}  # fmt: skip
HEAD = "| learning rate | batch | layer | none |\n|---|---|---|---|\n"


def name_of(kind: str, rate: float, seed: int) -> str:
    return f"{kind}-{rate:g}-{seed}"


def table(results: dict[str, Any], seeds: int) -> str:
    """Held-out nats per character: the mean over the seeds, in brackets the least and the greatest."""
    rows = []
    for rate in RATES:
        cells = []
        for kind in KINDS:
            names = [name_of(kind, rate, seed) for seed in range(seeds)]
            nats = [results[name]["nats"] for name in names if name in results]
            spread = f" ({min(nats):.4f} to {max(nats):.4f})" if len(nats) > 1 else ""
            cells.append(f"{statistics.mean(nats):.4f}{spread}" if nats else "")
        rows.append(f"| {rate:g} | {' | '.join(cells)} |\n")
    return HEAD + "".join(rows)


def draw(results: dict[str, Any], file: Path) -> None:
    """Draw the nats per character of the validation part after each epoch: the mean over the seeds, and their range."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), dpi=125, layout="constrained")
    for axes, rate in zip(figure.subplots(1, len(RATES), sharey=True), RATES):
        for kind in KINDS:
            curves = [each["validation_nats"] for name, each in results.items() if name.startswith(f"{kind}-{rate:g}-")]
            after = range(1, len(curves[0]) + 1)
            axes.plot(after, [statistics.mean(values) for values in zip(*curves)], marker="o", label=kind)
            axes.fill_between(after, [*map(min, zip(*curves))], [*map(max, zip(*curves))], alpha=0.2)
        axes.set(title=f"learning rate {rate:g}", xlabel="epoch", xticks=after)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("nats a character, validation")
    figure.axes[-1].legend(title="normalisation", frameon=False)
    figure.savefig(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", metavar="FILE", help="the text")
    parser.add_argument("--runs", metavar="DIR", default="runs", help="where the run folders are (default: runs)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each kind (default: 3)")
    arguments = parser.parse_args()
    task = seq2seq.Text(path=arguments.path)
    digest = hashlib.sha256(task.text.encode()).hexdigest()[:8]
    results = read_results(RESULTS)
    for seed, rate, kind in itertools.product(range(arguments.seeds), RATES, KINDS):
        name = name_of(kind, rate, seed)
        if results.get(name, {}).get("text") != digest:
            run_dir = Path(arguments.runs) / f"normalisation-{digest}-{name}"
            options = {**OPTIONS, "normalise": kind, "learning_rate": rate, "seed": seed}
            solver = seq2seq.train(task, run_dir, resume=True, **options)
            evaluation: Any = solver.evaluate()
            results[name] = {
                "text": digest,
                "nats": evaluation.held_out.nats,
                "validation_nats": [row["validation_loss"] for row in solver.run.read_metrics()],
            }
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(fill(read_page(PAGE, MARK), MARK, table(results, arguments.seeds)), encoding="utf-8")
        print(f"{name}: {results[name]['nats']:.4f} nats", flush=True)
    draw(results, PICTURE)
    print(table(results, arguments.seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
