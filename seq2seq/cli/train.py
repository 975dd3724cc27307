"""Train a model and save it in a run folder."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import seq2seq
from seq2seq.applications import application_of
from seq2seq.cli.options import add_options
from seq2seq.cli.parser import CommandParser, Parser
from seq2seq.cli.program import INTERRUPTED, say
from seq2seq.cli.quoting import call, option, quote
from seq2seq.cli.tasks import list_tasks, make_task
from seq2seq.config import PARTS, PRESETS, Config
from seq2seq.recipes import find_recipe, load_recipe, recipe_names, score_trials

EXAMPLES = {
    "": "the default task, model and recipe",
    "--task.operators +- --task.operands 0-99 --examples 50000": "",
    "--list-tasks": "what else it can learn",
    "--task pairs --task.path pairs.tsv": "pairs of your own",
    "--task roman --find-rate": "find the learning rate first",
    "--preset notebook --run-dir runs/notebook": "",
    "--task roman --start-from runs/numbers": "begin with what another run has learned",
    "--run-dir runs/notebook --resume": "continue an interrupted run",
}


def parse() -> tuple[Any, Config, dict[str, Any]]:
    """The arguments of the command itself, the experiment that it starts from, and the options that were given."""
    # The options depend on the task, so it is parsed first.
    first = Parser(add_help=False)
    first.add_argument("--task", metavar="NAME")
    first.add_argument("--preset", choices=sorted(PRESETS))
    first.add_argument("--recipe", metavar="NAME")
    parser = CommandParser("Train a model on a task and save everything in a run folder.", EXAMPLES)
    chosen, _ = first.parse_known_args()
    if chosen.preset and chosen.recipe:
        parser.error("--recipe: not with --preset: both say where options that are not given come from")
    base = load_recipe(find_recipe(chosen.recipe)).config if chosen.recipe else PRESETS[chosen.preset or "default"]
    if chosen.task and chosen.task != base.task.name:
        base = replace(base, task=make_task(chosen.task), extra=())
    from_data: tuple[str, ...] = ()
    if not (chosen.preset or chosen.recipe or base.task.preset):
        base = Config(task=base.task)
        from_data = application_of(base.task).chosen

    parser.set_defaults(seed=None)
    parser.add_argument(
        "--task", metavar="NAME", help="what to learn; with --help, whose options are shown (default: arithmetic)"
    )
    parser.add_argument("--list-tasks", action="store_true", help="describe every task and its options, and exit")
    parser.add_argument("--preset", choices=sorted(PRESETS), help="where options that are not given come from")
    parser.add_argument(
        "--recipe", metavar="NAME", help=f"the same from a file: {', '.join(recipe_names())}, or a path to a .toml"
    )
    parser.add_argument(
        "--find-rate", action="store_true", help="find the learning rate by a range test, drawn in the run's rates.png"
    )
    parser.add_argument(
        "--start-from",
        metavar="DIR",
        help="a run from whose best weights to start; options of the network that are not given are that run's",
    )
    parser.add_argument("--run-dir", metavar="DIR", help="the folder to make (default: runs/TASK-DATE-TIME)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run-dir (default: the newest in runs/), or begin it if there is none yet",
    )
    add_options(parser.add_argument_group(f"options of the task {base.task.name}"), base.task, "task.")
    for name in PARTS:
        group = parser.add_argument_group(f"options of the {name}")
        add_options(group, getattr(base, name), from_data=from_data)
    arguments = parser.parse_args()
    own = {"task", "list_tasks", "preset", "recipe", "find_rate", "run_dir", "resume", "start_from", "device", "seed"}
    options = {name: value for name, value in vars(arguments).items() if name not in own}
    if arguments.seed is not None:
        options["seed"] = arguments.seed
    return arguments, base, options


def main() -> int:
    arguments, base, options = parse()
    if arguments.list_tasks:
        list_tasks()
        return 0
    task_options = {name[5:]: options.pop(name) for name in list(options) if name.startswith("task.")}
    if isinstance(task_options.get("operands"), int):  # `--task.operands 5` is the single number 5
        task_options["operands"] = (task_options["operands"],) * 2
    given: Any = base.task
    task = replace(given, **task_options) if task_options else given if arguments.task else None
    try:
        solver = seq2seq.train(
            task,
            arguments.run_dir,
            preset=base if arguments.preset or arguments.recipe else None,
            find_rate=arguments.find_rate,
            resume=arguments.resume,
            start_from=arguments.start_from,
            device=arguments.device,
            **options,
        )
    except seq2seq.TrainingInterrupted as interrupted:
        where = f" {option('--run-dir', os.fsencode(arguments.run_dir))}" if arguments.run_dir else ""
        say(f"{interrupted}; continue with: {call('train')}{where} --resume")
        return INTERRUPTED

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
