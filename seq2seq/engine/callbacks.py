"""Callbacks are called at each event of a training; they can show it, log it or stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seq2seq.engine.trainer import Trainer


class Start(NamedTuple):
    """The start of a training.

    Attributes
    ----------
    epochs : int
        Total number of epochs.
    rows : int
        Number of rows per epoch.
    done : int
        Number of rows trained on before, over all epochs; 0 unless the training is resumed.
    trainer : Trainer
    """

    epochs: int
    rows: int
    done: int
    trainer: Trainer


class Step(NamedTuple):
    """A completed update.

    Attributes
    ----------
    update : int
        Number of the update, counted from 1 over the whole training.
    rows : int
        Number of rows trained on so far in this epoch.
    trainer : Trainer
    """

    update: int
    rows: int
    trainer: Trainer

    @property
    def loss(self) -> float:
        """Mean loss of the epoch so far. Waits for the device, so reading it at every step slows training down."""
        return self.trainer.mean_loss


class Callback:
    """Base class of callbacks: override the methods for the events of interest. An exception ends the training.

    >>> class StopAtLoss(Callback):
    ...     def on_start(self, start):
    ...         self.trainer = start.trainer
    ...
    ...     def on_epoch(self, row):
    ...         if row["validation_loss"] < 0.1:
    ...             self.trainer.stop()
    """

    def on_note(self, line: str) -> None:
        """Called before training with a line of information, such as a default that was chosen or a data warning."""

    def on_start(self, start: Start) -> None:
        """Called when training starts or is resumed."""

    def on_step(self, step: Step) -> None:
        """Called after each update."""

    def on_epoch(self, row: dict[str, Any]) -> None:
        """Called after each epoch with its row of `metrics.csv`."""

    def on_samples(self, lines: list[str]) -> None:
        """Called with lines for people to read, such as held-out rows and what the network makes of them."""

    def on_save(self, trainer: Trainer) -> None:
        """Called before weights and state are saved: first when the run folder is made, before `on_start`.

        `trainer.history` has the rows of all epochs.
        """

    def on_end(self) -> None:
        """Called when training ends, whether it finished, was interrupted or failed."""
