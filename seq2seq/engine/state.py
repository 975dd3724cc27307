"""The progress of a training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from seq2seq.errors import is_number, is_whole


@dataclass
class State:
    """The progress of a training: with the saved arrays, everything that is needed to resume it.

    Attributes
    ----------
    epoch : int
        Completed epochs.
    step : int
        Completed steps of the current epoch.
    updates : int
        Completed steps in total.
    seconds : float
        Time spent training.
    best_epoch : int
        Number of the best epoch; 0 before the first epoch ends.
    best : dict of str to float, or None
        The validation values by which that epoch was chosen.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best: dict[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """The attributes, by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any], steps_per_epoch: int) -> State:
        """The inverse of `to_json`.

        Parameters
        ----------
        values : dict
        steps_per_epoch : int
            Checked against the numbers of steps and epochs.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the values are not a state that training can reach.
        """
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
