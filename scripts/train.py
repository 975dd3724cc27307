#!/usr/bin/env python3
"""Train a model and keep it in a run folder."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import Any

import _command

import seq2seq
from seq2seq.config import PARTS, PRESETS
from seq2seq.tasks import TASKS

EPILOG = """\
examples:
  python scripts/train.py                                     the default task, model and recipe
  python scripts/train.py --task.operators +- --task.operands 0-99 --examples 50000
  python scripts/train.py --preset notebook --run-dir runs/notebook
  python scripts/train.py --run-dir runs/notebook --resume    go on where it was interrupted
"""


def parse() -> tuple[Any, dict[str, Any]]:
    """The script's own arguments, and the options that were given."""
    parser = _command.Parser("Train a model on a task and keep everything in a run folder.", EPILOG)
    parser.set_defaults(seed=None)
    parser.add_argument(
        "--task", choices=sorted(TASKS), default="arithmetic", help="what to learn (default: arithmetic)"
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), help="where options that are not given come from")
    parser.add_argument("--run-dir", metavar="DIR", help="the folder to make (default: runs/TASK-DATE-TIME)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run-dir (default: the newest in runs/), or begin it if there is none yet",
    )
    for name, task in TASKS.items():
        _command.add_options(parser.add_argument_group(f"options of the task {name}"), task, "task.")
    for name, config in PARTS.items():
        _command.add_options(parser.add_argument_group(f"options of the {name}"), config)
    arguments = parser.parse_args()
    own = {"task", "preset", "run_dir", "resume", "device", "seed"}
    options = {name: value for name, value in vars(arguments).items() if name not in own}
    if arguments.seed is not None:
        options["seed"] = arguments.seed
    return arguments, options


def main() -> int:
    arguments, options = parse()
    task_options = {name[5:]: options.pop(name) for name in list(options) if name.startswith("task.")}
    task = None
    if task_options:
        operands = task_options.get("operands")
        if isinstance(operands, int):  # `--task.operands 5` is the one number 5
            task_options["operands"] = (operands, operands)
        task = replace(PRESETS[arguments.preset or "default"].task, **task_options)
    try:
        solver = seq2seq.train(
            task,
            arguments.run_dir,
            preset=arguments.preset,
            resume=arguments.resume,
            device=arguments.device,
            **options,
        )
    except seq2seq.TrainingInterrupted as interrupted:
        where = f" --run-dir {shlex.quote(arguments.run_dir)}" if arguments.run_dir else ""
        print(f"{interrupted}; go on with: python scripts/train.py{where} --resume", file=sys.stderr)
        return _command.INTERRUPTED

    evaluation = solver.evaluate()
    held_out, seen = evaluation.held_out, evaluation.train_distribution
    right = round(held_out.exact_match * held_out.n)
    last = solver.run.read_metrics()[-1]
    print(f"final training loss {last['train_loss']:.4f} after {last['epoch']} epochs, {last['seconds']:.0f} s")
    print(f"exact match on trained examples: {seen.exact_match:.4f} ({seen.n} of them)")
    print(f"held-out exact match: {held_out.exact_match:.4f} ({right} of {held_out.n} right)")
    print(f"of the held-out expressions, {evaluation.overlap:.1%} had been trained on")
    run_dir = shlex.quote(str(solver.run.path))
    print(f"try: python scripts/solve.py --run {run_dir} {shlex.quote(solver.example)}")
    return 0


if __name__ == "__main__":
    _command.run(main)
