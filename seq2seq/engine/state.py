"""Where a training is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seq2seq.errors import is_number, is_whole


@dataclass
class State:
    """Where a training is: with the arrays beside it, all that a resumed one needs.

    Attributes
    ----------
    epoch : int
        Epochs completed.
    step : int
        Steps done in the epoch under way.
    updates : int
        Steps done in all.
    seconds : float
        Spent training.
    best_epoch : int
        0 before the first one is over.
    best : dict of str to float, or None
        The values by which that epoch was chosen.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best: dict[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any], steps_per_epoch: int) -> State:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        if set(values) != set(asdict(cls())):
            raise KeyError("it lacks something")
        state = cls(**values)
        counts = (state.epoch, state.step, state.updates, state.best_epoch)
        best = {} if state.best is None else state.best
        good = (
            all(is_whole(count, 0) for count in counts)
            and state.step < steps_per_epoch
            and state.updates == state.epoch * steps_per_epoch + state.step
            and state.best_epoch <= state.epoch
            and is_number(state.seconds)
            and isinstance(best, dict)
            and all(map(is_number, best.values()))
            and (state.best is None) == (state.best_epoch == 0)
        )
        if not good:
            raise ValueError("no state of a training")
        return state
