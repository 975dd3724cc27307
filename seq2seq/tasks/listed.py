"""Tasks whose pairs are all known: listed by a rule, or read from a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from seq2seq.errors import UsageError, require
from seq2seq.lazy import cached_property
from seq2seq.places import Place
from seq2seq.tasks.alphabet import split
from seq2seq.tasks.arrays import Pairs, Row, require_pair
from seq2seq.tasks.base import Task
from seq2seq.tasks.files import COMMON, read_pairs
from seq2seq.tasks.kept import KeptTask
from seq2seq.tasks.measure import Measure, Sources
from seq2seq.values import whole


class ListTask(Task):
    """A task that lists all of its pairs. It needs a `name` and `pairs`."""

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every source once, with its target, as people write them, in a fixed order."""
        raise NotImplementedError(f"{type(self).__name__} has no pairs")

    @cached_property
    def _listed(self) -> list[tuple[str, str]]:
        pairs = self.pairs()
        listed = in_order([*pairs], of=pairs)
        for number, pair in enumerate(listed, 1):
            require_pair(pair, f"pairs: pair {number} of the task {self.name}")
        if "_measure" in vars(self):  # recalled from a run
            self._require_recalled(self._measured(listed))
        return listed

    @cached_property
    def _measure(self) -> Measure:
        return self._measured(self._listed)

    @cached_property
    def _sources(self) -> Sources | None:
        return Sources.of(split(source, self.source_separator) for source, _ in self._listed)

    @cached_property
    def _all(self) -> Pairs:
        return self.written(self._listed)

    @property
    def count(self) -> int:
        return len(self._listed)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        return self._listed[rng.integers(self.count)]

    def list(self) -> Pairs:
        return self._all

    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        n = whole("n", n, 0)
        return self._all.take(rng.integers(self.count, size=n))

    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        n = whole("n", n, 0, self.count)
        return self._all.take(rng.permutation(self.count)[:n])


def in_order(pairs: list[tuple[str, str]], of: Any) -> list[tuple[str, str]]:
    """Pairs in an order that is the same in every process: those of a set are sorted."""
    return sorted(pairs) if isinstance(of, (set, frozenset)) else pairs


@dataclass(frozen=True)
class FileTask(KeptTask, ListTask):
    """A task whose pairs come from a file, or are given. It needs a `name` and `read(path)`.

    A run keeps the pairs themselves, so that it can be moved to a machine without the file.

    Parameters
    ----------
    path : str
        The file.
    longest : int
        The most symbols in a source or a target.
    given : tuple of (str, str), optional
        The pairs, instead of a file.

    Raises
    ------
    UsageError
        When the pairs are first used, if they cannot be learned: see `rows`.
    """

    path: str = field(default="", metadata={"help": "the file to learn from"})
    longest: int = field(default=200, metadata={"help": "most symbols of a source or a target"})
    given: tuple[tuple[str, str], ...] | None = field(default=None, repr=False, metadata={"option": False})
    _place: Place = field(init=False, repr=False, compare=False, metadata={"option": False})

    used_whole: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require(isinstance(self.path, str), "path", self.path, "the name of a file")
        whole("longest", self.longest, 1)
        object.__setattr__(self, "_place", Place(self.path))

    @property
    def file(self) -> str:
        """The path of the file. Raises `UsageError` if there is none."""
        require(bool(self.path), "path", self.path, f"the file of the task {self.name}")
        return str(self._place.path)

    def read(self, path: str) -> Iterator[Row]:
        """The rows of a file. Raises a `UsageError` that names the file and line."""
        raise NotImplementedError(f"{type(self).__name__} has no read")

    def read_rows(self, path: str) -> Iterator[Row]:
        common = Path(path.removesuffix(".gz")).suffix in COMMON
        return read_pairs(path) if common else self.read(path)

    @cached_property
    def rows(self) -> dict[str, list[str]]:
        """Every source with its targets, in the order of the file. The first target is learned.

        Raises
        ------
        UsageError
            If there are no rows, a row is empty or too long, or two rows have the same source and different targets. It
            names the file and the line.
        """
        return self._collected[0]

    @property
    def notes(self) -> tuple[str, ...]:
        again = self._collected[1]
        rows = "1 row came twice and is" if again == 1 else f"{again} rows came twice and are"
        where = self.name if self.given is not None else self.file
        return (f"{where}: {rows} used once",) if again else ()

    @cached_property
    def _collected(self) -> tuple[dict[str, list[str]], int]:
        """The rows, and the number of duplicates."""
        found: Iterator[Row]
        if self.given is None:
            place = f"{self.file}:"
            found = self.read(self.file)
        else:
            place = "pair "
            found = (Row(number, *pair) for number, pair in enumerate(self.given, 1))
        rows: dict[str, list[str]] = {}
        first: dict[str, int] = {}
        again = 0
        for number, *pair in found:
            require_pair(pair, f"{place}{number}", (self.source_separator, self.target_separator))
            symbols = [split(pair[0], self.source_separator), split(pair[1], self.target_separator)]
            for side, several in zip(("source", "target"), symbols):
                if len(several) > self.longest:
                    raise UsageError(
                        f"{place}{number}: its {side} has {len(several)} symbols, more than longest, {self.longest}"
                    )
            source = self.source_separator.join(symbols[0])
            target = self.target_separator.join(symbols[1])
            targets = rows.setdefault(source, [])
            if target in targets:
                again += 1
            elif targets and not self.several:
                raise UsageError(f"{place}{number}: has another target for its source than {place}{first[source]} has")
            else:
                targets.append(target)
                first.setdefault(source, number)
        if not rows:
            raise UsageError("pairs: there are none" if self.given is not None else f"{self.file}: holds no pairs")
        return rows, again

    def pairs(self) -> Iterable[tuple[str, str]]:
        return ((source, targets[0]) for source, targets in self.rows.items())

    def keep(self) -> str:
        """A line of JSON for each source and target, which the task `pairs` can read."""
        return self._kept

    @cached_property
    def _kept(self) -> str:
        rows = ((source, target) for source, targets in self.rows.items() for target in targets)
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        if kept is None:
            raise ValueError("the pairs it was trained on are not there")
        try:
            given = tuple((source, target) for source, target in map(json.loads, kept.split("\n")[:-1]))
        except RecursionError:
            raise ValueError("a pair is nested too deep") from None
        return cls(**options, given=given)
