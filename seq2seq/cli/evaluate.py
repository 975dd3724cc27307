"""Score a run on held-out examples and on training examples."""

from __future__ import annotations

import json
from typing import Any

import seq2seq
from seq2seq.cli.opening import add_run_options, open_run
from seq2seq.cli.parser import CommandParser
from seq2seq.showing import one_line

SAMPLES = 10_000


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


def main() -> int:
    parser = CommandParser(
        "Score a run: exact match (every character of the answer right) on held-out examples first, then on examples "
        "it was trained on.",
        {
            "": "",
            "--run runs/notebook --json": "",
            "--plot curves.png": "",
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
    arguments = parser.parse_args()
    if arguments.pairs is not None:
        for name in ("samples", "plot"):
            if getattr(arguments, name) is not None:
                parser.error(f"--{name}: does not go with --pairs")
    if arguments.plot and len(arguments.run or ()) > 1:
        parser.error("--plot: draws the learning curves of one --run")
    solver = open_run(arguments)
    if arguments.pairs is not None:
        return report_pairs(solver, arguments.pairs, arguments.json)
    samples = SAMPLES if arguments.samples is None else arguments.samples
    evaluation = solver.evaluate(samples, arguments.seed)
    if arguments.plot:
        from seq2seq.plots import plot_run

        plot_run(solver.run, evaluation, arguments.plot)
    if arguments.json:
        print(json.dumps({**about(solver), **evaluation.to_json()}))
        return 0

    print(f"{one_line(solver.shown)}: {solver.task!r}\n")
    print("\n".join(solver.application.report(evaluation)))
    return 0
