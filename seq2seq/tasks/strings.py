"""Tasks on random strings: copy, reverse and sort. The shortest example of how to write a task."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from seq2seq.errors import require, require_range
from seq2seq.lazy import cached_property
from seq2seq.tasks.base import Task
from seq2seq.tasks.measure import Sources


@dataclass(frozen=True)
class Copy(Task):
    """Random strings, copied.

    Parameters
    ----------
    letters : str
        The letters of the strings.
    length : (int, int)
        The least and the greatest number of letters in a string. Each number is equally likely.
    """

    letters: str = field(default="abcdefghijklmnopqrstuvwxyz", metadata={"help": "what strings are made of"})
    length: tuple[int, int] = field(default=(1, 10), metadata={"help": "how many letters, as 1-10"})

    name = "copy"
    any_length = True

    def __post_init__(self) -> None:
        super().__post_init__()
        good = isinstance(self.letters, str) and self.letters.split() == [self.letters]
        require(good and len({*self.letters}) == len(self.letters), "letters", self.letters, "letters, each once")
        require_range("length", self.length, 1, 1000)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        least, most = self.length
        places = rng.integers(len(self.letters), size=rng.integers(least, most + 1))
        source = "".join(self.letters[place] for place in places)
        return source, self.target(source)

    def target(self, source: str) -> str:
        """The target of a source."""
        return source

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        return self._strings.unlike(source, longer)

    @cached_property
    def _strings(self) -> Sources:
        return Sources(tuple(self.letters), *self.length)


@dataclass(frozen=True)
class Reverse(Copy):
    """Random strings, reversed: `abc` is `cba`."""

    name = "reverse"

    def target(self, source: str) -> str:
        return source[::-1]


@dataclass(frozen=True)
class Sort(Copy):
    """Random strings with their letters sorted in the order of `letters`: `banana` is `aaabnn`."""

    name = "sort"

    def target(self, source: str) -> str:
        return "".join(sorted(source, key=self.letters.index))
