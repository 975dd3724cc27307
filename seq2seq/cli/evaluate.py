"""Score a run on held-out examples and on training examples."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import seq2seq
from seq2seq.card import CARD, model_card, require_license
from seq2seq.cli.opening import add_license, add_run_options, open_run
from seq2seq.cli.parser import CommandParser
from seq2seq.errors import UsageError, require
from seq2seq.files import write_named
from seq2seq.showing import one_line

SAMPLES = 10_000
IN_THE_RUN = object()  # where a model card is written if no file is named


def about(solver: seq2seq.Solver) -> dict[str, Any]:
    """What --json says of the run, or of the runs."""
    paths = [str(run.path) for run in solver.runs]
    return {**({"run": paths[0]} if len(paths) == 1 else {"runs": paths}), "task": solver.task.name}


def report_pairs(solver: seq2seq.Solver, path: str, as_json: bool) -> int:
    """Score the pairs, ratings or rows of a file and print the result."""
    evaluation = solver.evaluate_pairs(path)
    if as_json:
        print(json.dumps({**about(solver), "file": path, **evaluation.to_json()}))
        return 0
    print(f"{one_line(solver.shown)}: {solver.task!r}, on {one_line(str(path))}\n")
    print("\n".join(solver.application.report_pairs(evaluation)))
    return 0


def card_path(arguments: Any, solver: seq2seq.Solver) -> Path:
    """The file for a model card. Raises `UsageError` if it exists, or the run cannot have it."""
    require_license(arguments.license)
    if arguments.card is not IN_THE_RUN:
        path = Path(arguments.card)
    elif solver.run.is_packed:
        raise UsageError(f"card: {solver.shown} is a packed run, which is never changed; name a file")
    else:
        path = solver.run.path / CARD
    require(not os.path.lexists(path), "card", str(path), "a new file")
    return path


def write_card(path: Path, solver: seq2seq.Solver, evaluation: dict[str, Any], license: str | None) -> None:
    """Write a model card. Raises `RunError`."""
    run = solver.run
    epochs = run.read_metrics() if run.has_metrics else []
    card = model_card(run.path.name, solver.config, evaluation, epochs, solver.example, license)
    write_named(path, card.encode())


def main() -> int:
    parser = CommandParser(
        "Score a run: exact match (every character of the answer right) on held-out examples first, then on examples "
        "it was trained on.",
        {
            "": "",
            "--run runs/notebook --json": "",
            "--plot curves.png": "",
            "--run runs/a --card": "with a model card in the run folder",
            "--pairs official-test.tsv": "",
            "--run runs/a --run runs/b": "",
        },
        "--pairs takes a file like the one that the run was trained on: of pairs, ratings or other rows of a table.\n"
        "Its scores are printed alone; the run folder keeps the evaluation that it has.\n"
        "Runs that answer together are scored on the held-out examples of the first. What any of them was trained on\n"
        "counts as trained on, and the evaluation is saved nowhere: they have no folder of their own.",
    )
    add_run_options(parser)
    parser.add_argument("--samples", type=int, metavar="N", help=f"most examples of each (default: {SAMPLES})")
    parser.add_argument("--pairs", metavar="FILE", help="score a file as for training, of pairs, ratings or rows")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", metavar="FILE", help="draw the learning curves and scores to an image")
    parser.add_argument(
        "--card",
        nargs="?",
        const=IN_THE_RUN,
        metavar="FILE",
        help=f"write a model card with the head of the Hugging Face Hub (default: {CARD} in the run folder)",
    )
    add_license(parser)
    arguments = parser.parse_args()
    if arguments.pairs is not None:
        for name in ("samples", "plot", "card"):
            if getattr(arguments, name) is not None:
                parser.error(f"--{name}: does not go with --pairs")
    for name, what in (("plot", "draws the learning curves"), ("card", "is the card")):
        if getattr(arguments, name) is not None and len(arguments.run or ()) > 1:
            parser.error(f"--{name}: {what} of one --run")
    if arguments.license is not None and arguments.card is None:
        parser.error("--license: goes with --card")
    solver = open_run(arguments)
    card = None if arguments.card is None else card_path(arguments, solver)
    if arguments.pairs is not None:
        return report_pairs(solver, arguments.pairs, arguments.json)
    samples = SAMPLES if arguments.samples is None else arguments.samples
    evaluation = solver.evaluate(samples, arguments.seed)
    if arguments.plot:
        from seq2seq.plots import plot_run

        plot_run(solver.run, evaluation, arguments.plot)
    if card is not None:
        write_card(card, solver, evaluation.to_json(), arguments.license)
    if arguments.json:
        print(json.dumps({**about(solver), **evaluation.to_json()}))
        return 0

    print(f"{one_line(solver.shown)}: {solver.task!r}\n")
    print("\n".join(solver.application.report(evaluation)))
    return 0
