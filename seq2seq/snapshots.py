"""Saves snapshots of a training in its run folder, and loads them to resume it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from seq2seq.engine.callbacks import Callback
from seq2seq.engine.ranks import Ranks
from seq2seq.engine.state import State
from seq2seq.engine.trainer import Snapshot, Trainer
from seq2seq.errors import RunError
from seq2seq.runs import METRICS, OPTIMIZER, WEIGHTS, Run
from seq2seq.tensors import from_tensors, to_tensors
from seq2seq.typing import Array

LOSS_SUM = "nats"  # name of the array


class MetricsFile(Callback):
    """Writes `metrics.csv`, with one row per epoch, whenever a snapshot is saved.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_save(self, trainer: Trainer) -> None:
        self.run.write_metrics(trainer.history)


class RunStore:
    """Saves snapshots in a run folder.

    The file with the state is written last and contains everything that resuming needs, so that a process may be killed
    between any two files.

    Parameters
    ----------
    run : Run
    target_length : int
        T of the network; earlier versions divided the loss by it before saving.
    """

    def __init__(self, run: Run, target_length: int = 1) -> None:
        self.run = run
        self.target_length = target_length

    def save(self, snapshot: Snapshot) -> None:
        """Save a snapshot in place of the last one. Raises `RunError` if a file cannot be written."""
        state = snapshot.state
        best = {"epoch": state.best_epoch, **(state.best or {})}
        last = {"epoch": state.epoch, "step": state.updates}
        self.run.write_arrays(WEIGHTS["best"], snapshot.best_weights, best)
        self.run.write_arrays(WEIGHTS["last"], snapshot.weights, last)
        self.run.write_arrays(OPTIMIZER, _joined(snapshot), state.to_json())

    def load(self, like: Snapshot, steps_per_epoch: int) -> Snapshot:
        """Load the last snapshot.

        Parameters
        ----------
        like : Snapshot
            The arrays must have the names and shapes of this snapshot's.
        steps_per_epoch : int
            See `State.from_json`.

        Raises
        ------
        RunError
            If a file is missing, damaged, or from another network.
        """
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
        return _snapshot(arrays, state, history)


class SharedStore(RunStore):
    """The store of one of several processes: the first one saves, and all load what the first one loads.

    It has the parameters of `RunStore`, and `ranks`.
    """

    def __init__(self, run: Run, target_length: int, ranks: Ranks) -> None:
        super().__init__(run, target_length)
        self.ranks = ranks

    def save(self, snapshot: Snapshot) -> None:
        """Save a snapshot in place of the last one. Raises `RunError` if a file cannot be written."""
        if self.ranks.first:
            super().save(snapshot)

    def load(self, like: Snapshot, steps_per_epoch: int) -> Snapshot:
        """Load the last snapshot, with the parameters and errors of `RunStore.load`."""
        if self.ranks.count == 1:
            return super().load(like, steps_per_epoch)
        content = b""
        if self.ranks.first:
            snapshot = super().load(like, steps_per_epoch)
            progress = {"state": snapshot.state.to_json(), "history": snapshot.history}
            content = to_tensors(_joined(snapshot), progress)
        arrays, values = from_tensors(self.ranks.broadcast(content, "saved state"))
        return _snapshot(arrays, State(**values["state"]), values["history"])


def _snapshot(arrays: dict[str, Array], state: State, history: list[dict[str, Any]]) -> Snapshot:
    """The inverse of `_joined`."""
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
    """All arrays of a snapshot, by names with prefixes that make them unique."""
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
    """Convert a state of earlier versions, which chose the best epoch only by exact match and loss."""
    if "best_exact_match" not in values:
        return values
    upgraded = dict(values)
    loss = float(upgraded.pop("best_loss"))
    best = {"validation_exact_match": upgraded.pop("best_exact_match"), "validation_loss": loss}
    upgraded["best"] = best if upgraded["best_epoch"] else None
    return upgraded
