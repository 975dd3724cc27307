"""What the files of a run say of its training, as values for JSON. Nothing here needs MXNet."""

from __future__ import annotations

from typing import Any

from seq2seq.applications import application_of
from seq2seq.errors import RunError, Seq2SeqError
from seq2seq.folders import EXPORT
from seq2seq.runs import Run

RECENT = 10  # epochs from whose duration the time left is estimated


def listed(name: str, run: Run) -> dict[str, Any]:
    """A run in the list of all, or why it cannot be used."""
    try:
        config = run.read_config(outlined=True)
    except Seq2SeqError as error:
        return {"name": name, "problem": str(error)}
    return {
        "name": name,
        "task": config.task.name,
        "kind": application_of(config.task).name,
        "model": config.model.model,
        "live": run.is_live,
        "export": run.has(EXPORT),
    }


def metrics(run: Run) -> dict[str, Any]:
    """The epochs of a training so far, and how long it will take if it is still going on."""
    config = run.read_config(outlined=True)
    live = run.is_live
    rows = _rows(run)
    epochs = config.training.epochs
    within = _within_epoch(run) if live else None
    left = within["seconds_left"] if within else _seconds_left(rows, epochs) if live else None
    return {"epochs": epochs, "live": live, "seconds_left": left, "within_epoch": within, "rows": rows}


def _within_epoch(run: Run) -> dict[str, float | None] | None:
    """How far the current epoch is, if that is known: the file is removed when the training ends."""
    try:
        return run.read_progress()
    except RunError:
        return None


def _rows(run: Run) -> list[dict[str, Any]]:
    """The rows of `metrics.csv`; none before the first epoch has ended."""
    try:
        return run.read_metrics()
    except RunError:
        if run.has_metrics:
            raise
        return []


def _seconds_left(rows: list[dict[str, Any]], epochs: int) -> float | None:
    """The time that the other epochs will take, at the pace of the last ones; None if it is not known."""
    if len(rows) < 2:
        return None
    recent = rows[-RECENT - 1 :]
    pace = (recent[-1]["seconds"] - recent[0]["seconds"]) / (len(recent) - 1)
    return max(0.0, pace * (epochs - rows[-1]["epoch"]))


def evaluation(run: Run) -> dict[str, Any]:
    """The last evaluation of a run, or null if there is none."""
    return {"evaluation": run.read_evaluation()}
