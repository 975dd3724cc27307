"""Put a checkpoint in MXNet's own format back into a run folder."""

from __future__ import annotations

import os
from typing import Any

import seq2seq
from seq2seq.cli.experiment import parse
from seq2seq.cli.parser import Parser
from seq2seq.cli.quoting import call, option

EXAMPLES = {
    "exported/model --run-dir runs/back": "what export --mxnet wrote",
    "exported/encoder-9 exported/step-9 --run-dir runs/back": "a network in two parts",
    "mine/net --like runs/sums --run-dir runs/mine": "the task and network of a run",
    "mine/net --task roman --model repeat --run-dir runs/mine": "the options of a training",
}
NOTES = """\
The parameters need the names and shapes that the network has; an error names the first that differs. The run answers,
and train --start-from can begin with it. It cannot be resumed.
"""


def add_arguments(parser: Parser) -> None:
    """Add the options of the command itself."""
    parser.add_argument("prefix", nargs="+", metavar="PREFIX", help="PREFIX-symbol.json and PREFIX-0000.params")
    parser.add_argument("--run-dir", required=True, metavar="DIR", help="the folder to make")
    parser.add_argument("--like", metavar="RUN", help="a run with the same task, symbols and network")


def main() -> int:
    about = "Put a checkpoint in MXNet's own format back into a run folder."
    arguments, experiment = parse(about, EXAMPLES, add_arguments, NOTES)
    like: Any = arguments.like
    if any(given is not None for given in (experiment.task, experiment.preset)) or experiment.options:
        if like is not None:
            raise seq2seq.UsageError("--like: not with options of an experiment: the run has them")
        from seq2seq.experiment import configured

        like = configured(experiment.task, experiment.preset, experiment.options)
    solver = seq2seq.import_mxnet(arguments.prefix, arguments.run_dir, like)
    print(f"wrote {solver.shown}")
    print(f"try: {call('solve')} {option('--run', os.fsencode(solver.run.path))}")
    return 0
