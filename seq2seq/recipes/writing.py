"""Writes an experiment as a recipe: the inverse of `load_recipe`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from seq2seq.config import PARTS, Config
from seq2seq.errors import require
from seq2seq.options import lacking
from seq2seq.tasks import TASKS, Task


def recipe_text(config: Config, about: str, excludes: str) -> str:
    """The content of a recipe, with the options that differ from the defaults.

    Parameters
    ----------
    config : Config
    about, excludes : str
        See `Recipe`.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If a recipe cannot name the task: see `require_in_recipe`.
    """
    lacked = lacking(config)
    lines = [f"about = {_value(about)}", f"excludes = {_value(excludes)}", *_table("task", _task(config.task))]
    for part, defaults in PARTS.items():
        values = asdict(getattr(config, part))
        default = asdict(defaults())
        given = {name: value for name, value in values.items() if value != default[name] and name not in lacked}
        lines += _table(part, given)
    for extra in config.extra:
        options = {"examples": extra.examples, "share": extra.share}
        given = {name: value for name, value in options.items() if value is not None}
        lines += _table("[extra]", {**given, "task": _task(extra.task)})
    return "\n".join(lines) + "\n"


def require_in_recipe(task: Task) -> None:
    """Raise a `UsageError` unless a recipe can name a task, by its name and, if it has one, its file."""
    require(task.name in TASKS and TASKS[task.name] is type(task), "task", task.name, "an installed task, by its name")
    given = getattr(task, "given", None)
    require(given is None, "task", task.name, "one with its data in a file, which a recipe can name")


def _task(task: Task) -> dict[str, Any]:
    """The name of a task, and the options that differ from the defaults."""
    require_in_recipe(task)
    default = type(task)().options()
    options = {name: value for name, value in task.options().items() if value is not None and value != default[name]}
    if options.get("path"):
        options["path"] = os.path.abspath(options["path"])
    return {"name": task.name, **options}


def _table(name: str, values: dict[str, Any]) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in values.items())]


def _value(value: Any) -> str:
    """A value in TOML, whose strings and numbers are written as those of JSON are."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
