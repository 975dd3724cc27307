"""The options of an experiment: its task, the recipe or preset that it starts from, and the options of each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from seq2seq.applications import application_of
from seq2seq.cli.options import add_options
from seq2seq.cli.parser import CommandParser, Parser
from seq2seq.cli.tasks import make_task
from seq2seq.config import PARTS, PRESETS, Config
from seq2seq.recipes import find_recipe, load_recipe, recipe_names
from seq2seq.tasks import Task


class Experiment(NamedTuple):
    """The arguments of `train` that were given.

    Attributes
    ----------
    task : Task, or None
    preset : Config, or None
    options : dict
    """

    task: Task | None
    preset: Config | None
    options: dict[str, Any]


def parse(
    about: str, examples: Mapping[str, str], add_arguments: Callable[[Parser], None], notes: str = ""
) -> tuple[Any, Experiment]:
    """Parse the arguments of a command that makes an experiment.

    Parameters
    ----------
    about, examples, notes
        As for `CommandParser`.
    add_arguments : callable
        Adds the options of the command itself to a parser.

    Returns
    -------
    arguments : argparse.Namespace
        The options of the command itself are attributes.
    experiment : Experiment
    """
    # The options depend on the task, so it is parsed first.
    first = Parser(add_help=False)
    first.add_argument("--task", metavar="NAME")
    first.add_argument("--preset", choices=sorted(PRESETS))
    first.add_argument("--recipe", metavar="NAME")
    parser = CommandParser(about, examples, notes)
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
    parser.add_argument("--preset", choices=sorted(PRESETS), help="where options that are not given come from")
    parser.add_argument(
        "--recipe", metavar="NAME", help=f"the same from a file: {', '.join(recipe_names())}, or a path to a .toml"
    )
    add_arguments(parser)
    own = {action.dest for action in parser._actions} - {"seed"}
    add_options(parser.add_argument_group(f"options of the task {base.task.name}"), base.task, "task.")
    for name in PARTS:
        group = parser.add_argument_group(f"options of the {name}")
        add_options(group, getattr(base, name), from_data=from_data)
    arguments = parser.parse_args()
    options = {name: value for name, value in vars(arguments).items() if name not in own and value is not None}
    task_options = {name[5:]: options.pop(name) for name in list(options) if name.startswith("task.")}
    if isinstance(task_options.get("operands"), int):  # `--task.operands 5` is the single number 5
        task_options["operands"] = (task_options["operands"],) * 2
    given: Any = base.task
    task = replace(given, **task_options) if task_options else given if arguments.task else None
    return arguments, Experiment(task, base if arguments.preset or arguments.recipe else None, options)
