"""The task of language modelling: predict the next character of a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seq2seq.errors import UsageError, require
from seq2seq.lazy import cached_property
from seq2seq.places import Place
from seq2seq.tasks.alphabet import RESERVED
from seq2seq.tasks.base import Task
from seq2seq.tasks.files import read_lines
from seq2seq.tasks.kept import Kept, KeptTask
from seq2seq.tasks.measure import Measure
from seq2seq.values import whole

MOST_LENGTH = 10_000  # characters read at a time


@dataclass(frozen=True)
class Text(KeptTask):
    """What comes next in a text: `so tha` is a source, `o that` its target.

    A source is a window of the text, and its target is the same window shifted by one. The end of the text is held out:
    the last part is the test set, and the part before it the validation set. A run keeps the text itself, so that it
    can be moved to a machine without the file.

    Parameters
    ----------
    path : str
        The file: plain text in UTF-8, which may be gzipped.
    length : int, optional
        The number of characters that a model reads at a time, which is also how far training propagates gradients
        back. By default it depends on the model.
    given : str, optional
        The text itself, instead of a file.

    Raises
    ------
    UsageError
        When the text is first used, if it is missing or cannot be learned.
    """

    path: str = field(default="", metadata={"help": "the file to learn from"})
    length: int | None = field(
        default=None, metadata={"help": "characters read at a time (default: what the model is made for)", "parse": int}
    )
    given: str | None = field(default=None, repr=False, metadata={"option": False})
    _place: Place = field(init=False, repr=False, compare=False, metadata={"option": False})

    name = "text"
    keys = ("position",)
    kept_as = "text.txt.gz"
    application = "language"
    LENGTH = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require(isinstance(self.path, str), "path", self.path, "the name of a file")
        if self.length is not None:
            whole("length", self.length, 1, MOST_LENGTH)
        require(self.given is None or isinstance(self.given, (str, Kept)), "given", self.given, "a string")
        object.__setattr__(self, "_place", Place(self.path))

    @cached_property
    def text(self) -> str:
        """The whole text, with lines that end in `\\n`."""
        lines: Iterator[tuple[int, str]]
        if self.given is not None:
            given = self.given.value if isinstance(self.given, Kept) else self.given
            lines, place = enumerate(given.split("\n"), 1), "line "
        else:
            require(bool(self.path), "path", self.path, f"the file of the task {self.name}")
            lines, place = read_lines(str(self._place.path)), f"{self.path}:"
        kept = []
        for number, line in lines:
            if reserved := RESERVED.search(line):
                raise UsageError(f"{place}{number}: has {reserved[0]!r}, a character that no string may have")
            kept.append(line)
        text = "\n".join(kept)
        if not text.strip():
            raise UsageError(f"{self.path or 'text'}: holds no text")
        if "_measure" in vars(self):  # recalled from a run
            self._require_recalled(self._measure_of(text))
        return text

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """A window of the text, and the same shifted by one."""
        while True:
            start = int(rng.integers(max(1, len(self.text) - self.source_length)))
            window = self.text[start : start + self.source_length + 1]
            if window[:-1].strip() and window[1:].strip():
                return window[:-1], window[1:]

    @cached_property
    def _measure(self) -> Measure:
        return self._measure_of(self.text)

    def _measure_of(self, text: str) -> Measure:
        own = Measure(tuple(sorted(set(text))), self.source_length, self.target_length)
        return own.joined(task._measure for task in self._also)

    @property
    def symbols(self) -> list[str]:
        return [*self._measure.symbols]

    @cached_property
    def example_source(self) -> str:
        """The beginning of a line of the text, or if all lines are short, as many characters as every model reads."""
        line = max(self.text.split("\n", 100)[:100], key=len)[:20]
        return line if len(line) >= self.LENGTH else self.text[: self.LENGTH]

    @property
    def source_length(self) -> int:
        return self.length or self.LENGTH

    @property
    def target_length(self) -> int:
        return self.source_length

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Always None: a model of a text reads any sequence of its characters, of any length."""
        return None

    def keep(self) -> str:
        return self.text

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        if kept is None:
            raise ValueError("the text it was trained on is not there")
        return cls(**options, given=kept)
