"""Search for better options of an experiment."""

from __future__ import annotations

import os

import seq2seq
from seq2seq.cli.experiment import parse
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import INTERRUPTED, say
from seq2seq.cli.quoting import call, option

EXAMPLES = {
    "--recipe roman-back --trials 30": "begin with the options of a recipe",
    "--task pairs --task.path pairs.tsv --epochs 20": "pairs of your own",
    "--recipe roman-back --batch-size 64": "do not search the batch size",
}
NOTES = """\
Searched are the learning rate, hidden size, layers, dropout, weight decay and batch size, if the model has them and
they are not given. The first trial has the options as they are. Each trial is a run in the folder; all have the same
seed and data, are compared by what chooses the best epoch, and none is scored on test examples. A trial that is worse
than the median of the others at its epoch is ended.
Give the same command again to continue a search, also while it runs: the processes share the trials, so each task of a
job array gives it as it is.
Needs Optuna: pip install 'mxseq2seq[search]'.
"""


def add_arguments(parser: Parser) -> None:
    """Add the options of the command itself."""
    parser.add_argument(
        "--trials", type=int, default=20, metavar="N", help="trials, with those already made (default: 20)"
    )
    parser.add_argument("--run-dir", metavar="DIR", help="the folder of the search (default: runs/search-TASK)")


def main() -> int:
    about = "Search for better options by training with different ones, and write the best as a recipe."
    arguments, experiment = parse(about, EXAMPLES, add_arguments, NOTES)
    try:
        recipe = seq2seq.search(
            experiment.task,
            arguments.run_dir,
            trials=arguments.trials,
            preset=experiment.preset,
            device=arguments.device,
            **experiment.options,
        )
    except seq2seq.TrainingInterrupted as interrupted:
        say(f"{interrupted}; give the same command again to continue the search")
        return INTERRUPTED
    print(recipe.read_text(encoding="utf-8"), end="")
    print(f"\ntrain it: {call('train')} {option('--recipe', os.fsencode(recipe))}")
    return 0
