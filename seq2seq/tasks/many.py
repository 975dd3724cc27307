"""Pairs that are too many to be held in memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.stored import Stored
from seq2seq.typing import Array

ROWS = 2**12  # pairs that are read at a time, ...
CHARACTERS = 2**20  # ... or fewer, with about this number of characters
COMPARED = 2**18  # rows that are compared at a time
END = "\0"  # after a string, in which it cannot be


class ManyPairs(Collection[tuple[str, str]]):
    """Pairs of strings in a temporary file, which are read in blocks. A pair that comes again is left out.

    Duplicates are found by hashes: 12 bytes for a pair, and 12 more while they are sorted. Afterwards a pair takes one
    byte of memory.

    Parameters
    ----------
    pairs : iterable of (str, str)
    require_one_target : callable
        Called with a source that seems to have several targets. It raises an error, unless two sources only have the
        same hash.

    Attributes
    ----------
    again : int
        Number of pairs that were left out.

    Raises
    ------
    Seq2SeqError
        If there is no place for a temporary file.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], require_one_target: Callable[[str], None]) -> None:
        self._stored = Stored("the pairs")
        self._places = [0]  # of the first byte of each block, and of its first pair
        self._numbers = [0]
        sources = array("q")
        targets = array("i")
        for group in _grouped(pairs):
            self._stored.append((END.join(chain.from_iterable(group)) + END).encode())
            self._places.append(len(self._stored))
            self._numbers.append(self._numbers[-1] + len(group))
            sources.extend([hash(source) for source, _ in group])
            targets.extend([hash(target) >> 32 for _, target in group])
        self._left_out = np.zeros(self._numbers[-1], bool)
        doubtful = self._compare(np.frombuffer(sources, np.int64), np.frombuffer(targets, np.int32))
        self.again = int(self._left_out.sum())
        kept = [np.count_nonzero(~self._left_out[start:stop]) for start, stop in zip(self._numbers, self._numbers[1:])]
        self._begins = np.append(0, np.cumsum(kept, dtype=np.int64))
        for number in doubtful.tolist():
            block = int(np.searchsorted(self._numbers, number, side="right")) - 1
            require_one_target(self._strings(block)[2 * (number - self._numbers[block])])

    def _compare(self, sources: Array, targets: Array) -> Array:
        """Mark the pairs that come again, by their hashes (n,); the numbers of those that have another target then."""
        order = np.argsort(sources, kind="stable")
        other = [np.empty(0, np.int64)]
        for block in blocks(len(order) - 1, COMPARED):
            first = order[block]
            second = order[block.start + 1 : block.stop + 1]
            same = sources[first] == sources[second]
            equal = targets[first] == targets[second]
            self._left_out[second[same & equal]] = True
            other.append(second[same & ~equal])
        return np.sort(np.concatenate(other))

    def __len__(self) -> int:
        return int(self._begins[-1])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return chain.from_iterable(self.blocks())

    def __contains__(self, pair: object) -> bool:
        return any(pair == each for each in self)

    def blocks(self) -> Iterator[list[tuple[str, str]]]:
        """The pairs in blocks of any size."""
        return map(self._read, range(len(self._begins) - 1))

    def take(self, rows: Array) -> list[tuple[str, str]]:
        """The pairs with these numbers, int, shape (n,), in this order."""
        found: list[tuple[str, str]] = [("", "")] * len(rows)
        of_row = np.searchsorted(self._begins, rows, side="right") - 1
        last = -1
        for place in np.argsort(rows, kind="stable").tolist():
            if of_row[place] != last:
                last = int(of_row[place])
                pairs = self._read(last)
            found[place] = pairs[rows[place] - self._begins[last]]
        return found

    def _read(self, block: int) -> list[tuple[str, str]]:
        strings = self._strings(block)
        pairs = [*zip(strings[::2], strings[1::2])]
        left_out = self._left_out[self._numbers[block] : self._numbers[block + 1]]
        return [pairs[place] for place in np.flatnonzero(~left_out).tolist()] if left_out.any() else pairs

    def _strings(self, block: int) -> list[str]:
        """Sources and targets by turns, also those that are left out."""
        return self._stored.read(self._places[block], self._places[block + 1]).decode().split(END)[:-1]


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The pairs in groups that are small enough for memory."""
    group: list[tuple[str, str]] = []
    characters = 0
    for pair in pairs:
        group.append(pair)
        characters += len(pair[0]) + len(pair[1])
        if len(group) == ROWS or characters >= CHARACTERS:
            yield group
            group = []
            characters = 0
    if group:
        yield group
