"""Shows the progress of a training on stderr, as a bar in a terminal and plain lines elsewhere, and in a file.

Without stderr nothing is shown, and a failure to show something never ends a training.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from typing import Any

from tqdm import tqdm

from seq2seq.engine.callbacks import Callback, Start, Step
from seq2seq.errors import RunError
from seq2seq.runs import Run
from seq2seq.showing import one_line


class Progress(Callback):
    """Shows nothing; the base class of progress displays."""


class _Timed(Progress):
    """Base class of displays that say how long a training will take, at its pace since it was started or resumed."""

    def on_start(self, start: Start) -> None:
        self._epochs = start.epochs
        self._rows = start.rows
        self._epoch = start.done // start.rows
        self._done_before = start.done
        self._started = time.monotonic()

    def on_epoch(self, row: dict[str, Any]) -> None:
        self._epoch = row["epoch"]

    def _seconds_left(self, rows: int) -> float:
        """The time that the rest will take after this number of rows of the current epoch."""
        done = self._epoch * self._rows + rows
        elapsed = time.monotonic() - self._started
        return elapsed / max(1, done - self._done_before) * (self._epochs * self._rows - done)


class ProgressFile(_Timed):
    """Writes `progress.json` in the run folder, in which other programs see how far an epoch is.

    It has the number of the `epoch` and of all `epochs`, the number of `examples` done in this epoch and of all
    `examples_per_epoch`, the mean `loss` of the epoch so far, and the `seconds_left`. It is removed at the end.

    Parameters
    ----------
    run : Run
    """

    SECONDS = 2.0  # between two writes; each waits for the device

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_start(self, start: Start) -> None:
        super().on_start(start)
        self._next = self._started + self.SECONDS

    def on_step(self, step: Step) -> None:
        if time.monotonic() < self._next:
            return
        loss = step.loss
        values = {
            "epoch": self._epoch + 1,
            "epochs": self._epochs,
            "examples": step.rows,
            "examples_per_epoch": self._rows,
            "loss": loss if math.isfinite(loss) else None,
            "seconds_left": self._seconds_left(step.rows),
        }
        with contextlib.suppress(RunError):
            self._run.write_progress(values)
        self._next = time.monotonic() + self.SECONDS

    def on_end(self) -> None:
        self._run.remove_progress()


class _Spoken(_Timed):
    """Base class of `Bar` and `Lines`."""

    def on_note(self, line: str) -> None:
        _print(one_line(line))

    def on_start(self, start: Start) -> None:
        super().on_start(start)
        self._validators = start.trainer.validators

    def on_end(self) -> None:
        self._validators = []  # they hold graphs, whose memory is free when nothing holds them

    def _described(self, row: dict[str, Any]) -> str:
        """The validation values of an epoch as text."""
        return ", ".join(filter(None, (validator.describe(row) for validator in self._validators)))


class Bar(_Spoken):
    """One bar for all epochs, with the loss, the validation values, samples per second and the remaining time."""

    SECONDS = 0.25  # between two reads of the loss; each waits for the device

    def on_start(self, start: Start) -> None:
        super().on_start(start)
        self._found = "-"
        self._next = time.monotonic() + self.SECONDS
        self._bar = tqdm(
            total=start.epochs * start.rows,
            initial=start.done,
            unit="samples",
            unit_scale=True,
            dynamic_ncols=True,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {postfix[0]} {rate_fmt}, {remaining} left",
            postfix=[""],
        )
        self._describe("-")

    def _describe(self, loss: str) -> None:
        self._bar.set_description_str(f"epoch {min(self._epoch + 1, self._epochs)}/{self._epochs}", refresh=False)
        self._bar.postfix[0] = f"loss {loss}, {self._found},"

    def _move_to(self, rows: int, loss: float) -> None:
        self._describe(f"{loss:.4f}")
        self._bar.update(self._epoch * self._rows + rows - self._bar.n)

    def on_step(self, step: Step) -> None:
        if time.monotonic() >= self._next:
            self._move_to(step.rows, step.loss)
            self._next = time.monotonic() + self.SECONDS

    def on_epoch(self, row: dict[str, Any]) -> None:
        self._found = self._described(row)
        self._move_to(self._rows, row["train_loss"])
        super().on_epoch(row)

    def on_samples(self, lines: list[str]) -> None:
        with self._bar.external_write_mode(file=sys.stderr):
            _print("\n".join(map(one_line, lines)))

    def on_end(self) -> None:
        super().on_end()
        if hasattr(self, "_bar"):
            self._bar.close()


class Lines(_Spoken):
    """One line per epoch, for logs; in a long epoch, also one line per minute."""

    SECONDS = 60.0

    def on_start(self, start: Start) -> None:
        super().on_start(start)
        self._spoke = self._started

    def on_step(self, step: Step) -> None:
        if time.monotonic() - self._spoke >= self.SECONDS:
            self._say(f"epoch {self._epoch + 1}/{self._epochs} at {step.rows} samples: loss {step.loss:.4f}", step.rows)

    def _say(self, text: str, rows: int) -> None:
        left = self._seconds_left(rows)
        _print(f"{text}, {int(left // 60)}:{int(left % 60):02d} left")
        self._spoke = time.monotonic()

    def on_epoch(self, row: dict[str, Any]) -> None:
        text = (
            f"epoch {row['epoch']}/{self._epochs}: loss {row['train_loss']:.4f}, "
            f"{self._described(row)}, {row['samples_per_second']:.0f} samples/s"
        )
        self._say(text, self._rows)
        super().on_epoch(row)

    def on_samples(self, lines: list[str]) -> None:
        _print("\n".join(f"    {one_line(line)}" for line in lines))


def _print(text: str) -> None:
    """Write to stderr; characters that its encoding lacks are escaped, and lines that cannot be written are lost."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with contextlib.suppress(OSError):
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def progress_for_stderr() -> Progress:
    """The display for stderr: a bar for a terminal, else lines; nothing if stderr does not exist or is closed."""
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        return Progress()
    # A user's own stream may have only `write` and `flush`.
    return Bar() if hasattr(sys.stderr, "isatty") and sys.stderr.isatty() else Lines()
