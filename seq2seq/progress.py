"""What a person sees of a training: a bar at a terminal, plain lines elsewhere. Everything goes to stderr.

Nothing is shown where there is no stderr, and what cannot be shown never ends a training.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from tqdm import tqdm

from seq2seq.showing import one_line


class Progress:
    """Told of every step and epoch, and silent. The base of those that speak."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def note(self, line: str) -> None:
        """A line to read before training begins: what was chosen, and what is odd about the data."""

    def start(self, epochs: int, examples: int, done: int) -> None:
        """Training begins: so many epochs of so many examples, of which `done` in all were learned from before."""

    def advance(self, examples: int, loss: float) -> None:
        """So many examples of the epoch under way are done, at this mean loss."""

    def end_epoch(self, row: dict[str, Any]) -> None:
        """An epoch is over: its row of metrics."""

    def show(self, lines: list[str]) -> None:
        """Lines for a person to read: held-out questions and the model's answers."""


class _Spoken(Progress):
    """What bar and lines have in common."""

    def note(self, line: str) -> None:
        _print(one_line(line))


def _measure(row: dict[str, Any]) -> str:
    """How good an epoch's weights are on the validation examples, or text."""
    if "validation_bits" in row:
        return f"validation {row['validation_loss']:.4f} ({row['validation_bits']:.3f} bits)"
    return f"exact match {row['validation_exact_match']:.3f}"


class Bar(_Spoken):
    """One bar for all epochs, with the loss, the exact match, samples a second and the time left."""

    def start(self, epochs: int, examples: int, done: int) -> None:
        self._epochs, self._examples, self._epoch, self._measure = epochs, examples, done // examples, "-"
        self._bar = tqdm(
            total=epochs * examples,
            initial=done,
            unit="samples",
            unit_scale=True,
            dynamic_ncols=True,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {postfix[0]} {rate_fmt}, {remaining} left",
            postfix=[""],
        )
        self._describe("-")

    def _describe(self, loss: str) -> None:
        self._bar.set_description_str(f"epoch {min(self._epoch + 1, self._epochs)}/{self._epochs}", refresh=False)
        self._bar.postfix[0] = f"loss {loss}, {self._measure},"

    def _move_to(self, examples: int, loss: float) -> None:
        self._describe(f"{loss:.4f}")
        self._bar.update(self._epoch * self._examples + examples - self._bar.n)

    def advance(self, examples: int, loss: float) -> None:
        self._move_to(examples, loss)

    def end_epoch(self, row: dict[str, Any]) -> None:
        self._measure = _measure(row)
        self._move_to(self._examples, row["train_loss"])
        self._epoch = row["epoch"]

    def show(self, lines: list[str]) -> None:
        with self._bar.external_write_mode(file=sys.stderr):
            _print("\n".join(map(one_line, lines)))

    def __exit__(self, *error: object) -> None:
        self._bar.close()


class Lines(_Spoken):
    """A line an epoch, for logs; an epoch that takes long gets one a minute as well."""

    SECONDS = 60.0

    def start(self, epochs: int, examples: int, done: int) -> None:
        self._epochs, self._examples, self._epoch = epochs, examples, done // examples
        self._started, self._done_before, self._spoke = time.monotonic(), done, time.monotonic()

    def _left(self, examples: int) -> str:
        done = self._epoch * self._examples + examples
        elapsed = time.monotonic() - self._started
        left = elapsed / max(1, done - self._done_before) * (self._epochs * self._examples - done)
        return f"{int(left // 60)}:{int(left % 60):02d} left"

    def advance(self, examples: int, loss: float) -> None:
        if time.monotonic() - self._spoke >= self.SECONDS:
            self._say(f"epoch {self._epoch + 1}/{self._epochs} at {examples} samples: loss {loss:.4f}", examples)

    def _say(self, text: str, examples: int) -> None:
        _print(f"{text}, {self._left(examples)}")
        self._spoke = time.monotonic()

    def end_epoch(self, row: dict[str, Any]) -> None:
        text = (
            f"epoch {row['epoch']}/{self._epochs}: loss {row['train_loss']:.4f}, "
            f"{_measure(row)}, {row['samples_per_second']:.0f} samples/s"
        )
        self._say(text, self._examples)
        self._epoch = row["epoch"]

    def show(self, lines: list[str]) -> None:
        _print("\n".join(f"    {one_line(line)}" for line in lines))


def _print(text: str) -> None:
    """Write to stderr, escaped what it has no characters for. Lines that it has no room for are lost."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with contextlib.suppress(OSError):
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def progress_for_stderr() -> Progress:
    """A bar if stderr is a terminal, else lines; silent if there is none, or it has been closed."""
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        return Progress()
    # A stream of the user's may have no more than `write` and `flush`.
    return Bar() if hasattr(sys.stderr, "isatty") and sys.stderr.isatty() else Lines()
