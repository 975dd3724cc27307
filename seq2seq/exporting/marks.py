"""What a page needs to mark sources that are unlike training, as plain values for JSON: see `page/marks.js`."""

from __future__ import annotations

from typing import Any

from seq2seq.errors import SourceError
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.expressions.membership import unlike
from seq2seq.tasks.measure import Sources
from seq2seq.tasks.strings import Copy

EXPRESSIONS = "expressions"
SYMBOLS = "symbols"
MOST_STEPS = 20_000  # expressions that are listed


def marks_of(solver: Solver) -> dict[str, Any] | None:
    """What is like the training examples of a run; None if its task decides that with code that a page does not have.

    Parameters
    ----------
    solver : Solver

    Returns
    -------
    dict or None
        `longer`: whether the model generalises to longer sources. `tasks`: that of the run, and those of its extra
        examples, each with a `kind`. For `symbols` it has those of the sources, and the lengths of the shortest and the
        longest. For `expressions` it has the least and the greatest number of terms, the smallest and the largest
        number, whether operators are mixed, the steps that are no such expressions, and which expressions the task
        reads, of what length.
    """
    likeness = solver._likeness
    tasks = [_task(task) for task in likeness._tasks]
    if None in tasks:
        return None
    return {"longer": likeness._longer, "tasks": tasks}


def _task(task: Task) -> dict[str, Any] | None:
    decides = type(task).unlike_training
    if decides is Arithmetic.unlike_training and isinstance(task, Arithmetic):
        return _expressions(task)
    if decides is Copy.unlike_training and isinstance(task, Copy):
        return _symbols(task._strings)
    if decides is Task.unlike_training and task._sources is not None:
        return _symbols(task._sources)
    return None


def _symbols(sources: Sources) -> dict[str, Any]:
    return {"kind": SYMBOLS, "symbols": [*sources.symbols], "lengths": [sources.shortest, sources.longest]}


def _expressions(task: Arithmetic) -> dict[str, Any] | None:
    spaces = task._spaces
    steps = [step for step in task._steps if unlike(step, spaces)] if task.stepwise else []
    if spaces[0].divides or len(steps) > MOST_STEPS:
        return None
    return {
        "kind": EXPRESSIONS,
        "terms": [spaces[0].terms, spaces[-1].terms],
        "operands": [*task.operands],
        "mixed": task.mixed,
        "steps": sorted(steps),
        "source_length": task.source_length,
        **form_of(task),
    }


def form_of(task: Arithmetic) -> dict[str, Any]:
    """What the expressions of a task look like: a regular expression, and what is said of others after their name."""
    try:
        task.normalise("?")
    except SourceError as error:
        return {"form": task._form.pattern, "otherwise": str(error).partition("'?'")[2]}
    raise AssertionError("it is an expression")
