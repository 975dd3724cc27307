"""The task of given pairs of strings, from a list or a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seq2seq.errors import require, short
from seq2seq.tasks.arrays import Row, require_pair
from seq2seq.tasks.files import READERS, read_pairs
from seq2seq.tasks.listed import FileTask, in_order

SHORTEST_NAME = 3  # characters in the name of a column
HEADER = "were it a header, it would have to say source and target"
SEPARATORS = {"characters": "", "words": " "}


@dataclass(frozen=True)
class PairsTask(FileTask):
    """Pairs of strings from a file or a folder of files: tab separated, CSV or JSON lines.

    Parameters
    ----------
    path, longest, given
        See `FileTask`, and for the format of the file, `seq2seq/tasks/files.py`.
    source_symbols, target_symbols : str
        `characters`, or `words`, with spaces between them.
    """

    source_symbols: str = field(
        default="characters", metadata={"help": "what a source is made of: characters or words"}
    )
    target_symbols: str = field(
        default="characters", metadata={"help": "what a target is made of: characters or words"}
    )

    name = "pairs"
    suffixes = tuple(READERS)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("source_symbols", "target_symbols"):
            require(getattr(self, name) in list(SEPARATORS), name, getattr(self, name), "characters or words")

    @classmethod
    def of(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]], **options: Any) -> PairsTask:
        """The task of these pairs; a set is sorted. Raises `UsageError` if an item is not a pair of strings."""
        given = []
        for number, pair in enumerate(pairs.items() if isinstance(pairs, Mapping) else pairs, 1):
            row = pair.tolist() if isinstance(pair, np.ndarray) else pair
            require_pair(row, f"pair {number}")
            given.append((str(row[0]), str(row[1])))
        return cls(given=tuple(in_order(given, of=pairs)), **options)

    @property
    def source_separator(self) -> str:
        return SEPARATORS[self.source_symbols]

    @property
    def target_separator(self) -> str:
        return SEPARATORS[self.target_symbols]

    def read(self, path: str) -> Iterator[Row]:
        return read_pairs(path)

    @property
    def notes(self) -> tuple[str, ...]:
        return (*super().notes, *self._header_note())

    def _header_note(self) -> Iterator[str]:
        """A remark if the first row of a file looks like a header: two words, one of which shares no character with the
        rest of its column."""
        others = iter(self.pairs())
        first = next(others)
        if self.given is not None or not all(cell.replace(" ", "").replace("_", "").isalpha() for cell in first):
            return
        shared = [False, False]  # whether a cell has a character of the rest of its column
        for pair in others:
            shared = [known or not set(cell).isdisjoint(other) for known, cell, other in zip(shared, first, pair)]
            if all(shared):
                return
        for cell, known in zip(first, shared):
            if len(cell) >= SHORTEST_NAME and not known and self.count > 1:
                source, target = map(short, first)
                yield f"{self.file}: the first row is learned as a pair, {source} to {target}; {HEADER}"
                return
