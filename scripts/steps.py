#!/usr/bin/env python3
"""Walk from one letter to sentences: train every step on a text, and write the results."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # so that it runs from a checkout

import seq2seq
from seq2seq.cli import program
from seq2seq.cli.pages import fill, read_page, read_results, results_beside, shows_results
from seq2seq.cli.parser import CommandParser
from seq2seq.config import Config
from seq2seq.recipes import FOLDER, load_recipe
from seq2seq.text_evaluation import quotations

ROOT = Path(__file__).resolve().parent.parent
IDENTITY = "identity"  # the name of the comparison of initial weights, for the model of this step:
COMPARED = "05-rnn-sequence"
ACTIVATIONS, RATES, SEEDS = ("tanh", "relu"), (0.001, 0.004), 3
CHARACTERS = 400  # in each text in which quotations are counted
SHOWN = 300  # characters of the text on the page
TEMPERATURE = 0.7  # of that text
LESSONS = (8, 12)  # epochs after which the lessons report their training loss
COLUMNS = (
    "| step | held out, nats | bits | validation, nats | training, nats: after 8 epochs | after 12 | epochs | "
    "samples a second | parameters | seconds | quotations closed |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
)
COMPARISON = "| f | rate | drawn | identity |\n|---|---|---|---|\n"


@dataclass(frozen=True)
class Step:
    """A training that is done once. Its group is the step itself, or the comparison. The digest changes with the
    recipe, the text and the seed."""

    name: str
    group: str
    config: Config
    digest: str


def steps(folder: Path, text: seq2seq.Text, seed: int) -> Iterator[Step]:
    """Every recipe on this text, and the comparison of initial weights."""
    of_text = hashlib.sha256(text.text.encode()).hexdigest()
    for path in sorted(folder.glob("*.toml")):
        recipe = load_recipe(path)
        if recipe.config.task.application != "language":
            raise seq2seq.UsageError(f"{path}: its task is {recipe.config.task.name}, but a step is of the task text")
        given: Any = recipe.config.task
        task = replace(given, path=text.path)
        config = replace(recipe.config, task=task, seed=seed)
        digest = f"{recipe.digest}-{of_text[:8]}-{seed}"
        yield Step(recipe.name, recipe.name, config, digest)
        if recipe.name == COMPARED:
            for activation, rate, identity, more in itertools.product(ACTIVATIONS, RATES, (False, True), range(SEEDS)):
                options = {"activation": activation, "learning_rate": rate, "identity": identity, "seed": seed + more}
                name = f"{IDENTITY}-{activation}-{rate:g}-{'identity' if identity else 'drawn'}-{more}"
                yield Step(name, IDENTITY, config.with_options(**options), digest)


def run(step: Step, runs: Path, device: str, samples: int) -> dict[str, Any]:
    """Train (or continue training) and score a step; unless it is in the comparison, also let it write."""
    solver = seq2seq.train(None, runs / f"{step.name}-{step.digest}", preset=step.config, device=device, resume=True)
    held_out: Any = solver.evaluate().held_out
    rows = solver.run.read_metrics()
    result = {
        "digest": step.digest,
        "nats": held_out.nats,
        "bits": held_out.bits,
        "validation_nats": min(row["validation_loss"] for row in rows),
        "train_loss": [row["train_loss"] for row in rows],
        "samples_per_second": statistics.median(row["samples_per_second"] for row in rows),
        "parameters": sum(array.size for array in solver.weights.values()),
        "seconds": rows[-1]["seconds"],
    }
    if step.group != IDENTITY:
        written = ["".join(solver.continued(solver.example, CHARACTERS, seed=seed)) for seed in range(samples)]
        shown = solver.continued(solver.example, SHOWN, TEMPERATURE)
        opened, closed = map(sum, zip(*map(quotations, written)))
        result.update(opened=opened, closed=closed, sample=solver.example + "".join(shown))
    return result


def table(names: list[str], results: dict[str, Any]) -> str:
    """A Markdown table with a row for each step."""
    rows = []
    for name in names:
        done = results[name]
        losses = [
            f"{done['train_loss'][epoch - 1]:.3f}" if epoch <= len(done["train_loss"]) else "" for epoch in LESSONS
        ]
        cells = [
            name, *(f"{done[part]:.4f}" for part in ("nats", "bits", "validation_nats")), *losses,
            len(done["train_loss"]),
            f"{done['samples_per_second']:,.0f}", f"{done['parameters']:,}", f"{done['seconds']:.0f}",
            f"{done['closed']} of {done['opened']}",
        ]  # fmt: skip
        rows.append(f"| {' | '.join(map(str, cells))} |\n")
    return COLUMNS + "".join(rows)


def comparison(results: dict[str, Any]) -> str:
    """Held-out loss with random hidden matrices and with the identity: mean, least and greatest over the seeds."""
    rows = []
    for activation, rate in itertools.product(ACTIVATIONS, RATES):
        cells = []
        for start in ("drawn", "identity"):
            found = [results[f"{IDENTITY}-{activation}-{rate:g}-{start}-{seed}"]["nats"] for seed in range(SEEDS)]
            cells.append(f"{statistics.mean(found):.4f} ({min(found):.4f} to {max(found):.4f})")
        rows.append(f"| {activation} | {rate:g} | {' | '.join(cells)} |\n")
    return COMPARISON + "".join(rows)


def told(done: dict[str, Any]) -> str:
    """The scores of a step, and the beginning of a text that it writes."""
    losses = done["train_loss"]
    return (
        f"Held out: {done['nats']:.3f} nats ({done['bits']:.3f} bits) a character; training: {losses[-1]:.3f} nats "
        f"in the last of {len(losses)} epochs. It writes, at a temperature of {TEMPERATURE}:\n\n"
        f"```text\n{done['sample']}\n```\n"
    )


def parts(walk: list[Step], results: dict[str, Any]) -> dict[str, str]:
    """The parts of the page: each step, the table of all steps, and the comparison if it is complete."""
    done = {step.name: results[step.name] for step in walk if results.get(step.name, {}).get("digest") == step.digest}
    names = [step.name for step in walk if step.group != IDENTITY]
    shown = {name: told(done[name]) if name in done else "" for name in names}
    shown["table"] = table([name for name in names if name in done], done)
    if COMPARED in names and all(step.name in done for step in walk if step.group == IDENTITY):
        shown[IDENTITY] = comparison(done)
    return shown


def main() -> int:
    parser = CommandParser(
        "Train every step of docs/from-one-letter-to-sentences.md, on a text, compare hidden "
        "matrices that begin as the identity with random ones, and write losses and samples into the page. A finished "
        "step is not trained again unless recipe, text or seed have changed; an interrupted one is continued.",
        {"book.txt": "", "book.txt --only 01-char3": ""},
    )
    parser.add_argument("text", metavar="FILE", help="plain text in UTF-8")
    parser.add_argument("--only", metavar="NAME,...", help=f"steps, or {IDENTITY} (default: all)")
    parser.add_argument(
        "--samples", type=int, default=100, metavar="N", help="texts to write and count quotations in (default: 100)"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/text"), metavar="DIR", help="for run folders")
    parser.add_argument("--recipes", type=Path, default=FOLDER / "text", metavar="DIR", help="the steps")
    parser.add_argument(
        "--page", type=Path, default=ROOT / "docs" / "from-one-letter-to-sentences.md", metavar="FILE",
        help="the page to write into; the measurements are written beside it in JSON",
    )  # fmt: skip
    arguments = parser.parse_args()
    page = read_page(arguments.page)
    file = results_beside(arguments.page)
    results = read_results(file)
    walk = list(steps(arguments.recipes, seq2seq.Text(arguments.text), arguments.seed))
    names = [step.name for step in walk if step.group != IDENTITY]
    chosen = arguments.only.split(",") if arguments.only else [*names, IDENTITY]
    unknown = sorted(set(chosen) - {*names, IDENTITY})
    if unknown or arguments.samples < 1:
        parser.error(f"--only: no step {', '.join(unknown)}" if unknown else "--samples: must be at least 1")
    with shows_results(file):  # before hours of training
        parts(walk, results)
    for step in walk:
        if step.group in chosen:
            if results.get(step.name, {}).get("digest") != step.digest:
                results[step.name] = run(step, arguments.runs, arguments.device, arguments.samples)
                file.write_text(json.dumps(results, indent=1) + "\n")
            program.say(f"{step.name}: {results[step.name]['nats']:.4f} nats held out")

    for name, content in parts(walk, results).items():
        page = fill(page, f"measured: {name}", content)
    arguments.page.write_text(page, encoding="utf-8")
    print(f"wrote {arguments.page}")
    return 0


if __name__ == "__main__":
    program.run(lambda: main)
