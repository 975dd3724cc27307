"""A training in a run folder: what is saved every few seconds, and read again to resume."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seq2seq.engine.callbacks import Callback
from seq2seq.engine.state import State
from seq2seq.engine.trainer import Snapshot, Trainer
from seq2seq.errors import RunError
from seq2seq.runs import METRICS, OPTIMIZER, WEIGHTS, Run
from seq2seq.typing import Array

LOSS_SUM = "nats"  # what the array is called


class MetricsFile(Callback):
    """Writes `metrics.csv`: a row for each epoch."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_save(self, trainer: Trainer) -> None:
        self.run.write_metrics(trainer.history)


class RunStore:
    """Keeps snapshots in a run folder.

    The state is written last, and has all that resuming needs, so that a process may be killed between any two files.

    Parameters
    ----------
    run : Run
    target_length : int
        Of the network (T): losses that an earlier version saved were divided by it.
    """

    def __init__(self, run: Run, target_length: int = 1) -> None:
        self.run = run
        self.target_length = target_length

    def save(self, snapshot: Snapshot) -> None:
        state = snapshot.state
        best = {"epoch": state.best_epoch, **(state.best or {})}
        last = {"epoch": state.epoch, "step": state.updates}
        self.run.write_arrays(WEIGHTS["best"], snapshot.best_weights, best)
        self.run.write_arrays(WEIGHTS["last"], snapshot.weights, last)
        self.run.write_arrays(OPTIMIZER, _joined(snapshot), state.to_json())

    def load(self, like: Snapshot, steps_per_epoch: int) -> Snapshot:
        """The last snapshot. Raises `RunError` if a file is missing, damaged, or from another network."""
        expected = {name: array.shape for name, array in _joined(like).items()}
        arrays, values = self.run.read_arrays(OPTIMIZER, sum(map(math.prod, expected.values())))
        if "loss_sum" in arrays:
            arrays[LOSS_SUM] = arrays.pop("loss_sum") * np.float32(self.target_length)
        path = f"{self.run.shown}/{OPTIMIZER}"
        if {name: array.shape for name, array in arrays.items()} != expected:
            raise RunError(f"{path}: holds the arrays of another model")
        try:
            state = State.from_json(_upgraded(values), steps_per_epoch)
        except (KeyError, TypeError, ValueError):
            raise RunError(f"{path}: was not written by this library") from None
        history = self.run.read_metrics()[: state.epoch]
        if len(history) != state.epoch:
            raise RunError(f"{self.run.shown}/{METRICS}: lacks epochs that {OPTIMIZER} has done")
        return Snapshot(
            weights=_part(arrays, "weight."),
            best_weights=_part(arrays, "best."),
            moments={name: array for name, array in arrays.items() if name.startswith("moment")},
            states=_part(arrays, "state."),
            loss_sum=float(arrays[LOSS_SUM][0]),
            state=state,
            history=history,
        )


def _joined(snapshot: Snapshot) -> dict[str, Array]:
    """All arrays of a snapshot, by names that tell them apart."""
    return {
        **{f"weight.{name}": array for name, array in snapshot.weights.items()},
        **{f"best.{name}": array for name, array in snapshot.best_weights.items()},
        **snapshot.moments,
        **{f"state.{name}": array for name, array in snapshot.states.items()},
        LOSS_SUM: np.array([snapshot.loss_sum], np.float32),
    }


def _part(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """A state as it is written now, from one of before, whose best epoch was chosen by exact match and loss alone."""
    if "best_exact_match" not in values:
        return values
    upgraded = dict(values)
    loss = float(upgraded.pop("best_loss"))
    best = {"validation_exact_match": upgraded.pop("best_exact_match"), "validation_loss": loss}
    upgraded["best"] = best if upgraded["best_epoch"] else None
    return upgraded
