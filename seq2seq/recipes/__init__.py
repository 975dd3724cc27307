"""Recipes: named, complete experiments, one TOML file each. The recipes in this folder are part of the library.

about = "Sums of two numbers of three digits"
excludes = "no sum in training and test, in either order of its numbers"

[task]
name = "addition"
digits = [1, 3]

[data]              # options of DataConfig, and so on; absent ones keep their defaults
split = "commutative"

[model]
[training]

[[extra]]           # further training examples, except those that are held out
examples = 1000
task = {digits = [1, 2]}       # differences from the task above

[[trial]]           # scored in addition to the held-out examples
name = "five digits"
examples = 1000
task = {digits = [5, 5]}

The file of a task (`path`) is searched for beside the recipe, and then in the current folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.config import PARTS, Config, Extra, checked_table, with_tuples
from seq2seq.errors import MOST_ALLOWED, Seq2SeqError, UsageError, cut, require
from seq2seq.options import fitted
from seq2seq.places import PathLike
from seq2seq.tasks import TASKS, Task
from seq2seq.values import whole

if TYPE_CHECKING:
    from seq2seq.solver import Solver

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Trial:
    """Examples of another task that a recipe's run is scored on.

    Parameters
    ----------
    name : str
    task : Task
    examples : int
        The number of examples to draw.
    """

    name: str
    task: Task
    examples: int


@dataclass(frozen=True)
class TrialScore:
    """The score of a run in a trial: the fractions of exact answers, and of sources that were in the training set."""

    exact_match: float
    overlap: float


@dataclass(frozen=True)
class Recipe:
    """A named experiment.

    Attributes
    ----------
    name : str
    about, excludes : str
        What the recipe shows, and what is excluded from training.
    config : Config
    trials : tuple of Trial
    digest : str
        The hash of the file, which tells whether a recipe has changed.
    """

    name: str
    about: str
    excludes: str
    config: Config
    trials: tuple[Trial, ...]
    digest: str


def score_trials(recipe: Recipe, solver: Solver, seed: int = 0) -> dict[str, TrialScore]:
    """The scores of a run in the trials of its recipe, by name. The seed decides which examples are drawn."""
    scores = {}
    for trial in recipe.trials:
        pairs = trial.task.sample(trial.examples, np.random.default_rng((seed, 3)))
        scores[trial.name] = TrialScore(solver.score(pairs), solver.dataset.overlap(solver.task, pairs.sources))
    return scores


def recipe_names(folder: Path = FOLDER) -> list[str]:
    """The recipes in a folder, by default those of the library, such as `addition-3` or `text/07-gru`."""
    files = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in files)


def find_recipe(name: str) -> Path:
    """The file of a recipe, by its name or path. Raises `UsageError` if there is none."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    require(os.path.exists(path), "recipe", name, f"a path to a .toml file, or one of {', '.join(recipe_names())}")
    return path


def load_recipe(path: PathLike) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError
        If it is not TOML, or has an unknown entry. The message names the file.
    Seq2SeqError
        If it cannot be read.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        values = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise Seq2SeqError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # also for bytes that are not text, and for numbers that are too long
        raise UsageError(f"{path}: is not TOML: {cut(str(error), MOST_ALLOWED)}") from None
    try:
        return _recipe(path, values, hashlib.sha256(content).hexdigest()[:8])
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _recipe(path: Path, values: dict[str, Any], digest: str) -> Recipe:
    checked_table("recipe", values, ("about", "excludes", "task", "extra", "trial", *PARTS))
    task_values = values.get("task", {})
    require(isinstance(task_values, dict), "task", task_values, "a table")
    task_name = task_values.get("name", "arithmetic")
    require(task_name in list(TASKS), "task.name", task_name, f"one of {', '.join(TASKS)}")
    options = {option: value for option, value in task_values.items() if option != "name"}
    task = _varied(TASKS[task_name](), options, path.parent)
    parts, given = {}, {}
    for part, config in PARTS.items():
        table = checked_table(part, values.get(part, {}), [each.name for each in fields(config)])
        parts[part] = config(**table)
        given.update(table)
    extra, trials = [], []
    for table in _tables(values, "extra"):
        checked_table("extra", table, ("task", "examples"))
        extra.append(Extra(_varied(task, table.get("task", {}), path.parent), table.get("examples")))
    for table in _tables(values, "trial"):
        checked_table("trial", table, ("name", "task", "examples"))
        examples = whole("trial.examples", table.get("examples", 1000), 1)
        trial_task = _varied(task, table.get("task", {}), path.parent)
        trials.append(Trial(str(table.get("name", "trial")), trial_task, examples))
    about, excludes = (str(values.get(each, "")) for each in ("about", "excludes"))
    experiment = fitted(Config(task=task, extra=tuple(extra), **parts), given)
    return Recipe(path.stem, about, excludes, experiment, tuple(trials), digest)


def _varied(task: Task, options: Any, folder: Path) -> Task:
    """The task with these options, and with its file from this folder if there is one."""
    table = dict(checked_table("task", options, list(task.options())))
    path = table.get("path")
    if isinstance(path, str) and os.path.isfile(folder / path):
        table["path"] = str(folder / path)
    return replace(task, **with_tuples(table))  # type: ignore[type-var]


def _tables(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    tables = values.get(name, [])
    require(isinstance(tables, list) and all(isinstance(each, dict) for each in tables), name, tables, "tables")
    return list(tables)
