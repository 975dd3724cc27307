"""Pairs of strings as arrays, and the check of a pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from seq2seq.errors import UsageError, quoted, short
from seq2seq.tasks.alphabet import PAD, RESERVED, split
from seq2seq.typing import Array


class Row(NamedTuple):
    """A pair and its origin: the number of its line, or its place in a list."""

    number: int
    source: str
    target: str


class Pairs:
    """N sources and their targets. A subclass may store them in a smaller form and write the strings on demand.

    Parameters
    ----------
    sources, targets : ndarray of str, shape (N,)
        Right-justified with spaces to the task's source and target lengths.
    """

    def __init__(self, sources: Array, targets: Array) -> None:
        self._sources, self._targets = sources, targets

    @property
    def sources(self) -> Array:
        return self._sources

    @property
    def targets(self) -> Array:
        return self._targets

    def __len__(self) -> int:
        return len(self.sources)

    def __iter__(self) -> Iterator[Array]:
        yield self.sources
        yield self.targets

    def take(self, rows: Any) -> Pairs:
        """The pairs of these rows: a slice, or an array of row numbers."""
        return Pairs(self.sources[rows], self.targets[rows])


class StringPairs(Pairs):
    """Strings that are padded on demand, so that a long one takes no memory for the others. Object arrays (N,)."""

    def __init__(self, sources: Array, targets: Array, source_length: int, target_length: int) -> None:
        super().__init__(sources, targets)
        self._lengths = source_length, target_length

    @property
    def sources(self) -> Array:
        return _justified(self._sources, self._lengths[0])

    @property
    def targets(self) -> Array:
        return _justified(self._targets, self._lengths[1])

    def __len__(self) -> int:
        return len(self._sources)

    def take(self, rows: Any) -> StringPairs:
        return StringPairs(self._sources[rows], self._targets[rows], *self._lengths)


def _justified(strings: Array, width: int) -> Array:
    return np.array([string.rjust(width, PAD) for string in strings], f"U{width}")


def require_pair(pair: Any, where: str, separators: tuple[str, str] = ("", "")) -> None:
    """Raise a `UsageError` that names the place, unless this is a source and a target that can be learned.

    A space is a symbol like any other, unless it is the separator.
    """
    if not (isinstance(pair, (tuple, list)) and [isinstance(part, str) for part in pair] == [True, True]):
        shown = pair if isinstance(pair, str) else quoted(pair)
        raise UsageError(f"{where}: got {short(shown)}, but it must be a source and a target, two strings")
    for side, string, separator in zip(("source", "target"), pair, separators):
        if not string:
            raise UsageError(f"{where}: its {side} is empty")
        if not split(string, separator):
            raise UsageError(f"{where}: its {side} is {separator!r} alone, which stands between symbols")
        if reserved := RESERVED.search(string):
            raise UsageError(f"{where}: its {side} has {reserved[0]!r}, a character that no string may have")
