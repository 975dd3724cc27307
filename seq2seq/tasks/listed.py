"""Tasks whose pairs are all known: listed by a rule, or read from a file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from seq2seq.errors import UsageError, require
from seq2seq.lazy import cached_property
from seq2seq.places import Place
from seq2seq.tasks.alphabet import split
from seq2seq.tasks.arrays import Pairs, Row, require_pair
from seq2seq.tasks.base import Task
from seq2seq.tasks.blocks import digest_and_size
from seq2seq.tasks.files import COMMON, files_in, hold_more_than, read_pairs
from seq2seq.tasks.kept import MOST_KEPT, KeptTask
from seq2seq.tasks.many import ManyPairs
from seq2seq.tasks.measure import Measure, Sources
from seq2seq.typing import Array
from seq2seq.values import whole

IN_MEMORY = 2**26  # bytes of files up to which pairs are held; as Python's strings they take about eight times as much


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

    @property
    def _every(self) -> Collection[tuple[str, str]]:
        """All pairs, checked; they can be read again."""
        return self._listed

    @cached_property
    def _measure(self) -> Measure:
        return self._measured(self._every)

    @cached_property
    def _sources(self) -> Sources | None:
        return Sources.of(split(source, self.source_separator) for source, _ in self._every)

    @cached_property
    def _all(self) -> Pairs:
        return self.written(self._every)

    @property
    def count(self) -> int:
        return len(self._every)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        return self._listed[rng.integers(self.count)]

    def list(self) -> Pairs:
        return self._all

    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        n = whole("n", n, 0)
        return self._take(rng.integers(self.count, size=n))

    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        n = whole("n", n, 0, self.count)
        return self._take(rng.permutation(self.count)[:n])

    def _take(self, rows: Array) -> Pairs:
        return self._all.take(rows)


def in_order(pairs: list[tuple[str, str]], of: Any) -> list[tuple[str, str]]:
    """Pairs in an order that is the same in every process: those of a set are sorted."""
    return sorted(pairs) if isinstance(of, (set, frozenset)) else pairs


def _line(pair: tuple[str, str]) -> str:
    """A pair as a line of JSON, as `json.dumps` writes it, in a fifth of the time."""
    source, target = map(encode_basestring, pair)
    return f"[{source}, {target}]\n"


class FirstTargets(Collection[tuple[str, str]]):
    """The pairs of every source and its first target, made when they are read."""

    def __init__(self, rows: Mapping[str, Sequence[str]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((source, targets[0]) for source, targets in self._rows.items())

    def __contains__(self, pair: object) -> bool:
        return any(pair == each for each in self)


@dataclass(frozen=True)
class FileTask(KeptTask, ListTask):
    """A task whose pairs come from a file, or are given. It needs a `name` and `read(path)`.

    A run keeps the pairs themselves, so that it can be moved to a machine without the file. Pairs from large files are
    neither kept nor held in memory: they stay on disk.

    Parameters
    ----------
    path : str
        The file, or a folder of files with one of `suffixes`, which are read in the order of their names.
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
    suffixes: ClassVar[tuple[str, ...]] = ()  # of the files that are read in a folder

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
    def rows(self) -> Mapping[str, Sequence[str]]:
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
        again = self._collected[1] if self._many is None else self._many.again
        rows = "1 row came twice and is" if again == 1 else f"{again} rows came twice and are"
        where = self.name if self.given is not None else self.file
        return (f"{where}: {rows} used once",) if again else ()

    @cached_property
    def _many(self) -> ManyPairs | None:
        """The pairs if they are not held in memory: those of files with more than `IN_MEMORY` bytes."""
        held = self.given is not None or self.several or self.stepwise or type(self).key is not Task.key
        if held or not hold_more_than(IN_MEMORY, files_in(self.file, self.suffixes)):
            return None
        pairs = (self._checked(pair, f"{place}{number}") for place, (number, *pair) in self._placed())
        many = ManyPairs(pairs, self._require_one_target)
        if not many:
            raise UsageError(f"{self.file}: holds no pairs")
        return many

    def __getstate__(self) -> dict[str, Any]:
        """Copies and other processes read the files again."""
        return {name: value for name, value in vars(self).items() if name != "_many"}

    def _placed(self) -> Iterator[tuple[str, Row]]:
        """The rows, each with the place of which it has the number."""
        if self.given is not None:
            for number, pair in enumerate(self.given, 1):
                yield "pair ", Row(number, *pair)
            return
        for path in files_in(self.file, self.suffixes):
            for row in self.read(path):
                yield f"{path}:", row

    @cached_property
    def _collected(self) -> tuple[dict[str, tuple[str, ...]], int]:
        """The rows, and the number of duplicates."""
        rows: dict[str, tuple[str, ...]] = {}
        again = 0
        for place, (number, *pair) in self._placed():
            source, target = self._checked(pair, f"{place}{number}")
            targets = rows.get(source, ())
            if target in targets:
                again += 1
            elif targets and not self.several:
                self._require_one_target(source)
            else:
                rows[source] = (*targets, target)
        if not rows:
            raise UsageError("pairs: there are none" if self.given is not None else f"{self.file}: holds no pairs")
        if "_measure" in vars(self):  # recalled from a run
            self._require_recalled(self._measured((source, targets[0]) for source, targets in rows.items()))
        return rows, again

    def _checked(self, pair: list[str], where: str) -> tuple[str, str]:
        """A source and a target, with one separator between two symbols. Raises a `UsageError` that names the place."""
        require_pair(pair, where, (self.source_separator, self.target_separator))
        written = []
        separators = (self.source_separator, self.target_separator)
        for side, string, separator in zip(("source", "target"), pair, separators):
            symbols = split(string, separator)
            if len(symbols) > self.longest:
                raise UsageError(f"{where}: its {side} has {len(symbols)} symbols, more than longest, {self.longest}")
            written.append(separator.join(symbols) if separator else string)
        return written[0], written[1]

    def _require_one_target(self, source: str) -> None:
        """Raise a `UsageError` that names the places, if two rows have this source and different targets."""
        first: tuple[str, str] | None = None
        for place, (number, *pair) in self._placed():
            found, target = self._checked(pair, "")
            if found != source:
                continue
            first = first or (f"{place}{number}", target)
            if target != first[1]:
                raise UsageError(f"{place}{number}: has another target for its source than {first[0]} has")

    @property
    def _every(self) -> Collection[tuple[str, str]]:
        return FirstTargets(self._collected[0]) if self._many is None else self._many

    def _take(self, rows: Array) -> Pairs:
        return super()._take(rows) if self._many is None else self.written(self._many.take(rows))

    def pairs(self) -> Iterable[tuple[str, str]]:
        return self._every

    def keep(self) -> str | None:
        """A line of JSON for each source and target, which the task `pairs` can read."""
        return None if self.unkept else "".join(self._lines())

    def keep_parts(self) -> Iterator[str] | None:
        return None if self.unkept else self._lines()

    def _lines(self) -> Iterator[str]:
        if self._many is not None:
            return ("".join(map(_line, pairs)) for pairs in self._many.blocks())
        return ("".join(_line((source, target)) for target in targets) for source, targets in self.rows.items())

    @property
    def kept_digest(self) -> str:
        return self._kept[0]

    @property
    def kept_size(self) -> int:
        return self._kept[1]

    @property
    def unkept(self) -> bool:
        return self._many is not None or self.kept_size > MOST_KEPT

    @cached_property
    def _kept(self) -> tuple[str, int]:
        """The digest and the size of what is kept, or would be."""
        return digest_and_size(self._lines())

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        if kept is None:
            raise ValueError(
                "the pairs it was trained on are not there; if they were too large to keep, give their task, too"
            )
        try:
            given = tuple((source, target) for source, target in map(json.loads, kept.split("\n")[:-1]))
        except RecursionError:
            raise ValueError("a pair is nested too deep") from None
        return cls(**options, given=given)
