"""Train a model and save it in a run folder."""

from __future__ import annotations

import os
from typing import Any

import seq2seq
from seq2seq.cli.experiment import Experiment, parse
from seq2seq.cli.options import mixture
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import INTERRUPTED, say
from seq2seq.cli.quoting import call, option, quote
from seq2seq.cli.restarts import restarting
from seq2seq.cli.tasks import list_tasks
from seq2seq.engine.ranks import Ranks
from seq2seq.mpi import STALL, ranks_of_job
from seq2seq.recipes import find_recipe, load_recipe, score_trials
from seq2seq.tensorboard import TensorBoard

EXAMPLES = {
    "": "the default task, model and recipe",
    "--task.operators +- --task.operands 0-99 --examples 50000": "",
    "--list-tasks": "what else it can learn",
    "--task pairs --task.path pairs.tsv": "pairs of your own",
    "--task pairs --task.path pairs.tsv --mix more.tsv:0.25": "a quarter of every batch from another file",
    "--task roman --find-rate": "find the learning rate first",
    "--preset notebook --run-dir runs/notebook": "",
    "--task roman --start-from runs/numbers": "begin with what another run has learned",
    "--run-dir runs/notebook --resume": "continue an interrupted run",
    "--run-dir runs/notebook --restarts 3": "and again if the training crashes",
}


def add_arguments(parser: Parser) -> None:
    """Add the options of the command itself."""
    parser.add_argument("--list-tasks", action="store_true", help="describe every task and its options, and exit")
    parser.add_argument(
        "--find-rate", action="store_true", help="find the learning rate by a range test, drawn in the run's rates.png"
    )
    parser.add_argument(
        "--start-from",
        metavar="DIR",
        help="a run from whose best weights to start; options of the network that are not given are that run's",
    )
    parser.add_argument(
        "--mix",
        action="append",
        default=[],
        type=mixture,
        metavar="FILE:SHARE",
        help="another file to train on, and the fraction of every batch that comes from it; can be given several times",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="also write the values of each epoch for TensorBoard: tensorboard --logdir runs",
    )
    parser.add_argument("--run-dir", metavar="DIR", help="the folder to make (default: runs/TASK-DATE-TIME)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run-dir (default: the newest in runs/), or begin it if there is none yet",
    )
    parser.add_argument(
        "--stall",
        metavar="SECONDS",
        type=float,
        default=STALL,
        help="with several processes, which mpiexec starts: how long one waits for the others before it ends them all "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--restarts",
        metavar="N",
        type=int,
        default=0,
        help="if the training crashes, resume it from the last save, at most N times; needs --run-dir (default: 0)",
    )
    parser.add_argument(
        "--launcher",
        metavar="COMMAND",
        help="with --restarts: the command that starts the processes of the training, such as 'mpiexec -n 4'",
    )


def main() -> int:
    arguments, experiment = parse(
        "Train a model on a task and save everything in a run folder.", EXAMPLES, add_arguments
    )
    if arguments.list_tasks:
        list_tasks()
        return 0
    if arguments.restarts or arguments.launcher is not None:
        return restarting(arguments.run_dir, arguments.restarts, arguments.launcher, say)
    with ranks_of_job(arguments.stall) as ranks:
        return _train(arguments, experiment, ranks)


def _train(arguments: Any, experiment: Experiment, ranks: Ranks) -> int:
    try:
        solver = seq2seq.train(
            experiment.task,
            arguments.run_dir,
            preset=experiment.preset,
            find_rate=arguments.find_rate,
            mix=arguments.mix,
            resume=arguments.resume,
            start_from=arguments.start_from,
            device=arguments.device,
            callbacks=[TensorBoard()] if arguments.tensorboard else [],
            ranks=ranks,
            **experiment.options,
        )
    except seq2seq.TrainingInterrupted as interrupted:
        if not ranks.first:
            return INTERRUPTED
        where = f" {option('--run-dir', os.fsencode(arguments.run_dir))}" if arguments.run_dir else ""
        say(f"{interrupted}; continue with: {call('train')}{where} --resume")
        return INTERRUPTED

    if not ranks.first:
        return 0
    evaluation = solver.evaluate()
    last = solver.run.read_metrics()[-1]
    print(f"final training loss {last['train_loss']:.4f} after {last['epoch']} epochs, {last['seconds']:.0f} s")
    print("\n".join(solver.application.summary(evaluation)))
    if arguments.recipe:
        for name, score in score_trials(load_recipe(find_recipe(arguments.recipe)), solver):
            print(f"{name}: {score.exact_match:.4f} of {score.examples}, {score.seconds:.0f} s", flush=True)
    print(f"try: {call('solve')} {option('--run', os.fsencode(solver.run.path))} {_to_try(solver)}")
    return 0


def _to_try(solver: seq2seq.Solver) -> str:
    """The arguments of a first `solve`, quoted for a shell."""
    name, value = solver.application.to_try(solver.example)
    written = value.encode()
    if name is not None:
        return option(name, written)
    return f"{'-- ' if written.startswith(b'-') else ''}{quote(written)}"
