"""Callbacks are told what happens in a training, and may do with it what they like: show it, write it down, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seq2seq.engine.trainer import Trainer


class Start(NamedTuple):
    """A training begins.

    Attributes
    ----------
    epochs : int
        How many there will be in all.
    rows : int
        How many rows each has.
    done : int
        How many rows were learned from before, in all: 0 unless the training is resumed.
    trainer : Trainer
    """

    epochs: int
    rows: int
    done: int
    trainer: Trainer


class Step(NamedTuple):
    """One update has been made.

    Attributes
    ----------
    update : int
        Its number, the first of the training being 1.
    rows : int
        How many rows of the epoch have been learned from.
    trainer : Trainer
    """

    update: int
    rows: int
    trainer: Trainer

    @property
    def loss(self) -> float:
        """The mean loss of the epoch so far. Waits for the device: reading it at every step slows training."""
        return self.trainer.mean_loss


class Callback:
    """Does nothing: a callback overrides what it wants to know. Whatever one raises ends the training.

    >>> class StopAtLoss(Callback):
    ...     def on_start(self, start):
    ...         self.trainer = start.trainer
    ...
    ...     def on_epoch(self, row):
    ...         if row["validation_loss"] < 0.1:
    ...             self.trainer.stop()
    """

    def on_note(self, line: str) -> None:
        """A line to read before training begins: what was chosen, and what is odd about the data."""

    def on_start(self, start: Start) -> None:
        """Training begins, or is resumed."""

    def on_step(self, step: Step) -> None:
        """An update has been made."""

    def on_epoch(self, row: dict[str, Any]) -> None:
        """An epoch is over: its row of `metrics.csv`."""

    def on_samples(self, lines: list[str]) -> None:
        """Lines for people to read, such as held-out questions with the network's answers."""

    def on_save(self, trainer: Trainer) -> None:
        """Weights and state are about to be saved. `trainer.history` has the rows of all epochs."""

    def on_end(self) -> None:
        """Training is over, whether it finished, was interrupted or failed."""
