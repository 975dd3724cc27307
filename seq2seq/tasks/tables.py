"""Tasks whose data are the columns of a table: a file with a header, CSV or tab separated, which may be gzipped."""

from __future__ import annotations

import csv
import io
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, ClassVar, NamedTuple

import numpy as np

from seq2seq.arrays import float_codes, hash_rows
from seq2seq.errors import UsageError, cut, require, short
from seq2seq.lazy import cached_property
from seq2seq.places import Place
from seq2seq.tasks.base import Task
from seq2seq.tasks.files import table_rows
from seq2seq.tasks.kept import Kept
from seq2seq.typing import Array

MISSING = ("", "na", "nan", "null")  # cells without a value, in small letters
LARGEST = 1e30  # magnitude of a number: networks compute with 32 bits
MOST_NAMES = 300  # characters of the names of columns in a message


class Columns(NamedTuple):
    """Some columns of a table.

    Attributes
    ----------
    cells : dict of str to list of str
        The cells of each column, by its name.
    table : str
        The name of the table for messages.
    place : str
        What comes before the number of a line in messages.
    lines : list of int
        The line of each row.
    header : list of str
        The names of all columns of the table, also of those that are not used.
    """

    cells: dict[str, list[str]]
    table: str
    place: str
    lines: list[int]
    header: list[str]

    def __len__(self) -> int:
        return len(self.lines)

    def filled(self, name: str) -> list[str]:
        """The cells of a column in which no value may be missing. Raises `UsageError`."""
        cells = self.cells[name]
        absent = [row for row, cell in enumerate(cells) if is_missing(cell)]
        if len(absent) == len(cells):
            raise UsageError(f"{self.table}: the column {short(name)} is empty")
        if absent:
            raise UsageError(f"{self.place}{self.lines[absent[0]]}: has no value in the column {short(name)}")
        return cells

    def numbers(self, name: str) -> Array:
        """The values of a column of numbers, float, shape (N,); NaN where one is missing.

        Raises
        ------
        UsageError
            If a cell is not a number. The message names the file and the line.
        """
        values = np.full(len(self), np.nan)
        for row, cell in enumerate(self.cells[name]):
            if is_missing(cell):
                continue
            number = as_number(cell)
            if number is None:
                where = f"{self.place}{self.lines[row]}"
                problem = f"which is not a number up to {LARGEST:g}"
                raise UsageError(f"{where}: has {short(cell)} in the column {short(name)}, {problem}")
            values[row] = number
        return values


def is_missing(cell: str) -> bool:
    """Whether a cell of a table has no value."""
    return cell.strip().lower() in MISSING


def as_number(cell: str) -> float | None:
    """A cell as a number, or None if it is not one, or is larger than `LARGEST`."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST and "_" not in cell else None


@dataclass(frozen=True)
class ColumnsTask(Task):
    """A task whose data are columns. It needs a `name`, `used`, `asked`, `require_learnable` and `read_outline`.

    Its sources are the rows. A key other than `row` keeps all rows together that ask the same.

    A run keeps the columns that it uses, so that it can be moved to a machine without the file.

    Parameters
    ----------
    path : str
        The file: CSV or tab separated, with a header, which may be gzipped.
    given : sequence of rows, optional
        The table itself, instead of a file: rows of cells, the first of which has the names of the columns.

    Raises
    ------
    UsageError
        When the data are first used, if they cannot be learned.
    """

    path: str = field(default="", metadata={"help": "the file to learn from: CSV or TSV with a header"})
    given: Any = field(default=None, repr=False, metadata={"option": False})
    _place: Place = field(init=False, repr=False, compare=False, metadata={"option": False})

    keys: ClassVar[tuple[str, ...]] = ("row",)
    kept_as = "table.csv.gz"
    used_whole = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require(isinstance(self.path, str), "path", self.path, "the name of a file")
        if self.given is not None and not isinstance(self.given, Kept):
            object.__setattr__(self, "given", _plain_rows(self.given))
        object.__setattr__(self, "_place", Place(self.path))

    @abstractmethod
    def used(self, header: Sequence[str]) -> list[str]:
        """The names of the columns to use, among those of the header. Raises `UsageError` if one is not there."""

    @property
    @abstractmethod
    def asked(self) -> list[Sequence[str] | Array]:
        """The columns that make a row a question, strings or numbers, N values each."""

    @abstractmethod
    def require_learnable(self) -> None:
        """Raise `UsageError` if the table cannot be learned from."""

    @classmethod
    @abstractmethod
    def read_outline(cls, values: Any) -> Any:
        """The encoding that a run has kept as its outline. Raises `KeyError`, `TypeError` or `ValueError`."""

    @cached_property
    def columns(self) -> Columns:
        """The columns to use.

        Raises
        ------
        UsageError
            If there is no table, or a row has too many or too few cells. It names the file and the line.
        """
        if self.given is not None:
            table = "table"
            place = "row "
            rows: Iterator[tuple[int, Sequence[str]]] = enumerate(self.given, 1)
        else:
            require(bool(self.path), "path", self.path, f"the file of the task {self.name}")
            table = self.path
            place = f"{table}:"
            rows = table_rows(self.path, str(self._place.path))
        _, first = next(rows, (0, ()))
        header = list(first)
        _require_header(table, header)
        used = self.used(header)
        chosen = [header.index(name) for name in used]
        cells: list[list[str]] = [[] for _ in used]
        lines = []
        for number, row in rows:
            if len(row) != len(header):
                raise UsageError(f"{place}{number}: has {len(row)} cells, but the header has {len(header)}")
            lines.append(number)
            for column, index in zip(cells, chosen):
                column.append(row[index])
        if not lines:
            raise UsageError(f"{table}: has no rows below its header")
        return Columns(dict(zip(used, cells)), table, place, lines, header)

    def key(self, sources: Array, key: str) -> Array:
        """The positions of rows, shape (N,), or, unless the key is `row`, of the first rows that ask the same."""
        return sources if key == "row" else self._first[sources]

    @cached_property
    def _first(self) -> Array:
        """The position of the first row that asks the same, for each row."""
        hashes = hash_rows(np.stack([_codes(column) for column in self.asked], axis=1))
        _, first, question = np.unique(hashes, return_index=True, return_inverse=True)
        return first[question]

    @property
    def is_kept(self) -> bool:
        """Whether the table is the one that a run has kept, which has the columns that are used alone."""
        return "_is_kept" in vars(self)

    @property
    def encoding(self) -> Any:
        """The encoding that was recalled from a run, or None."""
        return vars(self).get("_encoding")

    @property
    def count(self) -> int:
        return len(self.columns)

    def keep(self) -> str:
        """The columns that are used, as CSV."""
        return self._kept

    @cached_property
    def _kept(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        columns = self.columns.cells
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
        return text.getvalue()

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        task = cls(**options, given=_unpacked(kept))
        vars(task)["_is_kept"] = True
        return task

    @classmethod
    def opened(cls, options: dict[str, Any], read: Callable[[], str | None], outline: Any) -> Task:
        if outline is None:
            return super().opened(options, read, outline)
        task = cls(**options, given=Kept(partial(_read_given, read), cls.kept_as))
        vars(task)["_encoding"] = outline
        return task


def _codes(column: Sequence[str] | Array) -> Array:
    """A number for each value of a column, uint64, shape (N,), the same where the values are the same."""
    if isinstance(column, np.ndarray):
        return float_codes(column)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(cell, len(numbers)) for cell in column], np.uint64)


def _read_given(read: Callable[[], str | None]) -> Any:
    return _unpacked(read())


def _unpacked(kept: str | None) -> Any:
    if kept is None:
        raise ValueError("the table it was trained on is not there")
    try:
        return tuple(map(tuple, csv.reader(io.StringIO(kept, newline=""), strict=True)))
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from None


def _plain_rows(given: Any) -> tuple[tuple[str, ...], ...]:
    """Rows of cells as strings. Raises `UsageError` for other values."""
    good = isinstance(given, Iterable) and not isinstance(given, (str, Mapping))
    require(good, "given", given, "rows of cells, the first of which has the names of the columns")
    rows = []
    for row in given:
        good = isinstance(row, Iterable) and not isinstance(row, (str, Mapping))
        require(good, "given", row, "rows of cells, each a list")
        rows.append(tuple("" if cell is None else str(cell) for cell in row))
    return tuple(rows)


def _require_header(table: str, header: Sequence[str]) -> None:
    """Raise `UsageError` if there is no header, or two columns of it have the same name."""
    if not any(header):
        raise UsageError(f"{table}: has no header with the names of its columns")
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise UsageError(f"{table}: has two columns with the name {short(twice[0])}")


def require_column(option: str, name: str, header: Sequence[str]) -> None:
    """Raise `UsageError` unless an option names a column of the header."""
    names = [each if each.isprintable() else repr(each) for each in header if each]
    require(name in header, option, name, f"a column of the table: {cut(', '.join(names), MOST_NAMES)}")
