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
# share = 0.25      # of every batch: see `Extra`

[[trial]]           # scored in addition to the held-out examples; what was trained on is left out
name = "five digits"
examples = 1000
task = {digits = [5, 5]}       # or another task, by its name

The file of a task (`path`) is searched for beside the recipe, and then in the current folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.config import PARTS, Config, Extra, checked_table, with_tuples
from seq2seq.errors import MOST_ALLOWED, Seq2SeqError, UsageError, cut, require
from seq2seq.options import fitted
from seq2seq.places import PathLike
from seq2seq.tasks import TASKS, Arithmetic, Task
from seq2seq.values import whole

if TYPE_CHECKING:
    from seq2seq.solver import Solver

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent
DRAWS = 100  # of the examples of a trial, in which those that were trained on are replaced


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
    """The score of a run in a trial.

    Attributes
    ----------
    examples : int
    exact_match : float
        Fraction of exact answers.
    auc : float or None
        The area under the curve (ROC) of the confidence: see `seq2seq.evaluation.auc`.
    seconds : float
        The time for all answers.
    """

    examples: int
    exact_match: float
    auc: float | None
    seconds: float


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


def score_trials(recipe: Recipe, solver: Solver, seed: int = 0) -> Iterator[tuple[str, TrialScore]]:
    """The names of a recipe's trials, and the scores of a run in them. The seed decides which examples are drawn."""
    from seq2seq.evaluation import auc  # which loads MXNet

    for trial in recipe.trials:
        pairs = _unseen(trial, solver, np.random.default_rng((seed, 3)))
        started = time.perf_counter()
        right, confidences = solver.judge(pairs)
        seconds = time.perf_counter() - started
        yield trial.name, TrialScore(len(pairs), float(right.mean()), auc(right, confidences), seconds)


def _unseen(trial: Trial, solver: Solver, rng: np.random.Generator) -> list[tuple[str, str]]:
    """The examples of a trial, without those that the run was trained on. If a trial asks for as many as its task has,
    these are all that are left; otherwise others are drawn instead."""
    task = trial.task
    unseen: list[tuple[str, str]] = []
    for _ in range(DRAWS):
        missing = trial.examples - len(unseen)
        pairs = task.list() if task.count == trial.examples else task.sample(missing, rng)
        rows = np.flatnonzero(~solver.dataset.trained_on(solver.task, pairs.sources))
        unseen += task.shown(pairs.take(rows))
        if task.count == trial.examples or len(unseen) == trial.examples:
            return unseen
    raise UsageError(f"trial {trial.name}: too few of its examples were not trained on")


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
    task = _varied(Arithmetic(), task_values, path.parent)
    parts, given = {}, {}
    for part, config in PARTS.items():
        table = checked_table(part, values.get(part, {}), [each.name for each in fields(config)])
        parts[part] = config(**table)
        given.update(table)
    extra, trials = [], []
    for table in _tables(values, "extra"):
        checked_table("extra", table, ("task", "examples", "share"))
        other = _varied(task, table.get("task", {}), path.parent)
        extra.append(Extra(other, table.get("examples"), table.get("share")))
    for table in _tables(values, "trial"):
        checked_table("trial", table, ("name", "task", "examples"))
        examples = whole("trial.examples", table.get("examples", 1000), 1)
        trial_task = _varied(task, table.get("task", {}), path.parent)
        trials.append(Trial(str(table.get("name", "trial")), trial_task, examples))
    about, excludes = (str(values.get(each, "")) for each in ("about", "excludes"))
    experiment = fitted(Config(task=task, extra=tuple(extra), **parts), given)
    return Recipe(path.stem, about, excludes, experiment, tuple(trials), digest)


def _varied(task: Task, options: Any, folder: Path) -> Task:
    """The task, or that of the name given, with these options, and with its file from this folder if there is one."""
    table = dict(options) if isinstance(options, dict) else options
    if isinstance(table, dict) and "name" in table:
        task = _named(table.pop("name"))
    table = checked_table("task", table, list(task.options()))
    path = table.get("path")
    if isinstance(path, str) and os.path.isfile(folder / path):
        table["path"] = str(folder / path)
    return replace(task, **with_tuples(table))  # type: ignore[type-var]


def _named(name: Any) -> Task:
    require(isinstance(name, str) and name in list(TASKS), "task.name", name, f"one of {', '.join(TASKS)}")
    return TASKS[name]()


def _tables(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    tables = values.get(name, [])
    require(isinstance(tables, list) and all(isinstance(each, dict) for each in tables), name, tables, "tables")
    return list(tables)
