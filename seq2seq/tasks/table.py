"""The task of a table: predict one column from the others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seq2seq.encodings.names import positions
from seq2seq.encodings.table import ABSENT, Category, Cells, Number, TableEncoding, Target
from seq2seq.errors import SourceError, UsageError, is_number, quoted, require, short
from seq2seq.files import once
from seq2seq.lazy import cached_property
from seq2seq.tasks.tables import Columns, ColumnsTask, as_number, is_missing, require_column
from seq2seq.typing import Array
from seq2seq.values import plain

MOSTLY = 0.5  # a column with more numbers than this fraction of its values is not taken for categories
MOST_CLASSES = 1000
FEW_CLASSES = 3  # that many are allowed in a table of any size


@dataclass(frozen=True)
class Table(ColumnsTask):
    """A table whose columns are numbers and categories: one column is predicted from the others.

    A column is one of numbers if all of its values are numbers, else one of categories. A column without values, or
    with a single category, is left out, and so is one without a name. A source is JSON, `{"COLUMN": VALUE, ...}`.

    Parameters
    ----------
    path, given
        See `ColumnsTask`.
    target : str
        The column to predict.
    log : bool
        Whether the logarithm of the target is learned; it must then be above 0.
    classes : bool
        Whether a target that consists of numbers is a class.
    categories : str
        Names of columns, separated by commas, that are categories although their values are numbers.
    leave : str
        Names of columns to leave out, separated by commas.
    """

    target: str = field(default="target", metadata={"help": "the column to predict"})
    log: bool = field(default=False, metadata={"help": "learn the logarithm of the target"})
    classes: bool = field(default=False, metadata={"help": "a target of numbers is a class"})
    categories: str = field(default="", metadata={"help": "columns of numbers that are categories: A,B,..."})
    leave: str = field(default="", metadata={"help": "columns to leave out: A,B,..."})

    name = "table"
    application = "tabular"
    keys = ("row", "columns")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(isinstance(self.target, str) and bool(self.target), "target", self.target, "the name of a column")
        for option in ("categories", "leave"):
            value = getattr(self, option)
            require(isinstance(value, str), option, value, "names of columns with commas between them")
        require(self.target not in _names(self.leave), "leave", self.leave, "without the target")
        without = "without the target; with --task.classes a target of numbers is a class"
        require(self.target not in _names(self.categories), "categories", self.categories, without)
        require(not (self.log and self.classes), "log", self.log, "left out for a target of classes")

    def used(self, header: Sequence[str]) -> list[str]:
        require_column("target", self.target, header)
        return [name for name in header if name and name not in _names(self.leave)]

    @property
    def asked(self) -> list[Sequence[str] | Array]:
        return [*self.cells.categories.values(), *self.cells.numbers.values()]

    def require_learnable(self) -> None:
        left = _names(self.leave)
        for option in ("leave", "categories"):
            for name in _names(getattr(self, option)):
                require_column(option, name, self.columns.header)
                require(option == "leave" or name not in left, option, name, "a column that is not left out")
        cells = self.columns.filled(self.target)
        if len(set(cells)) == 1:
            only = f"only {short(cells[0])} in the column {short(self.target)}"
            raise UsageError(f"{self.columns.table}: has {only} to learn")
        targets = self.targets
        if isinstance(targets, list):
            count = len(set(targets))
            if count > max(FEW_CLASSES, MOSTLY * len(targets)):
                many = f"the column {short(self.target)} has {count} different values in {len(targets)} rows"
                raise UsageError(f"{self.columns.table}: {many}, too many for classes: a class needs several rows")
        _ = self.cells

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Whether each column is of `numbers` or of `categories`; it is None for one that is left out.

        Raises
        ------
        UsageError
            If most of a column's values are numbers, and some are not.
        """
        return {name: self._kind(self.columns, name) for name in self.columns.cells}

    def _kind(self, columns: Columns, name: str) -> str:
        cells = [cell for cell in columns.cells[name] if not is_missing(cell)]
        if not cells:
            return "empty"
        if name in _names(self.categories) or (name == self.target and self.classes):
            return "categories"
        numbers = sum(as_number(cell) is not None for cell in cells)
        if numbers == len(cells):
            return "numbers"
        if numbers > MOSTLY * len(cells):
            try:
                columns.numbers(name)
            except UsageError as error:
                raise UsageError(f"{error}, though most are: mend it, or name the column in categories") from None
        return "categories"

    @property
    def read(self) -> dict[str, str]:
        """The kinds of the columns that are read: not the target, and none that has nothing to tell."""
        used = {}
        for name, kind in self.kinds.items():
            if name != self.target and kind != "empty" and len(set(self.columns.cells[name])) > 1:
                used[name] = kind
        if not used:
            raise UsageError(f"{self.columns.table}: has no column to predict {short(self.target)} from")
        return used

    @property
    def notes(self) -> tuple[str, ...]:
        found = []
        for name, kind in self.kinds.items():
            if kind == "empty" and name != self.target:
                found.append(f"the column {short(name)} is empty, and left out")
            elif name != self.target and name not in self.read:
                [value] = set(self.columns.cells[name])
                found.append(f"the column {short(name)} has the one value {short(value)}, and is left out")
        return tuple(found)

    @cached_property
    def cells(self) -> Cells:
        """The cells of all columns that are read."""
        kinds = self.read
        columns = self.columns
        return Cells(
            {name: _filled(columns.cells[name]) for name, kind in kinds.items() if kind == "categories"},
            {name: columns.numbers(name) for name, kind in kinds.items() if kind == "numbers"},
        )

    @cached_property
    def targets(self) -> Any:
        """The target of each row: an array of numbers, or a list of classes.

        Raises
        ------
        UsageError
            If one is missing, a number has no logarithm, or there are too many classes.
        """
        columns = self.columns
        cells = columns.filled(self.target)
        if self.kinds[self.target] == "categories":
            if self.log:
                raise UsageError(
                    f"{columns.table}: the column {short(self.target)} has no numbers to take the logarithm of"
                )
            count = len(set(cells))
            require(count <= MOST_CLASSES, "target", self.target, f"a column of numbers or of {MOST_CLASSES} classes")
            return cells
        return self._numbers_to_predict()

    def _numbers_to_predict(self) -> Array:
        """The numbers of the target, shape (N,). Raises `UsageError` if one is missing or has no logarithm."""
        columns = self.columns
        cells = columns.filled(self.target)
        values = columns.numbers(self.target)
        if self.log and values.min() <= 0:
            row = int(values.argmin())
            where = f"{columns.place}{columns.lines[row]}"
            raise UsageError(f"{where}: has {cells[row]} in the column {short(self.target)}, which has no logarithm")
        return values

    def encode(self, rows: Array) -> TableEncoding:
        """The encoding that the rows in these positions make."""
        cells = self.cells
        categories = []
        for name, values in cells.categories.items():
            categories.append(Category(name, tuple(sorted({values[row] for row in rows}))))
        numbers = []
        for name, column in cells.numbers.items():
            if np.isnan(column[rows]).all():
                raise UsageError(f"{self.name}: the column {short(name)} has no value that is trained on; leave it out")
            numbers.append(Number.of(name, column[rows]))
        targets = self.targets
        if isinstance(targets, list):
            target = Target.of_classes(self.target, set(targets))
        else:
            target = Target.of_numbers(self.target, self.log, targets[rows])
        return TableEncoding(tuple(categories), tuple(numbers), target)

    def arrays(self, encoding: TableEncoding) -> dict[str, Array]:
        """All rows as the inputs of a model, with the columns that the encoding reads. The target of an unknown class
        is the number of classes.

        Raises
        ------
        UsageError
            If a column is not there, or is not of numbers although the encoding reads numbers.
        """
        columns = self.columns
        for name in encoding.names:
            if name not in columns.cells:
                raise UsageError(f"{columns.table}: has no column {short(name)}, which the model reads")
        cells = Cells(
            {column.name: _filled(columns.cells[column.name]) for column in encoding.categories},
            {column.name: columns.numbers(column.name) for column in encoding.numbers},
        )
        classes = encoding.target.classes
        if not classes:
            return encoding.arrays(cells, encoding.target.standardised(self._numbers_to_predict()))
        place = positions(classes)
        targets = columns.filled(self.target)
        return encoding.arrays(cells, np.array([place.get(name, len(classes)) for name in targets]))

    @cached_property
    def example_source(self) -> str:
        """The first row as JSON; in a run, a row of first categories and mean values."""
        if self.encoding is None:
            cells = self.cells
            row: dict[str, Any] = {name: values[0] or None for name, values in cells.categories.items()}
            row.update({name: None if np.isnan(each[0]) else float(each[0]) for name, each in cells.numbers.items()})
        else:
            row = {column.name: column.names[-1] or None for column in self.encoding.categories}
            row.update({column.name: float(f"{column.mean:.4g}") for column in self.encoding.numbers})
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def read_outline(cls, values: Any) -> TableEncoding:
        return TableEncoding.from_json(values)


def read_row(source: str, encoding: TableEncoding) -> dict[str, Any]:
    """The cells of a source, which is JSON, by column: see `checked_row`. Raises `SourceError`."""

    def twice(name: str) -> SourceError:
        return SourceError(f"{short(source)}: has {short(name)} twice")

    try:
        values = json.loads(source, object_pairs_hook=once(twice))
    except SourceError:
        raise
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise SourceError(f'{short(source)}: is not JSON such as {{"COLUMN": VALUE}}')
    return checked_row(values, encoding, short(source))


def checked_row(values: Any, encoding: TableEncoding, shown: str = "row") -> dict[str, Any]:
    """The cells of a row: strings and numbers by column.

    Parameters
    ----------
    values : dict
        Cells by column. One that is left out or None, or a text such as `NA`, has no value.
    encoding : TableEncoding
    shown : str
        The row, for messages.

    Returns
    -------
    dict
        Of each column that is read. A missing category is the empty string, a missing number NaN.

    Raises
    ------
    SourceError
        If it is no dict, has another column, or a value has the wrong type.
    """
    if not isinstance(values, Mapping):
        raise SourceError(f"{shown}: got {quoted(values)}, but it must be a dict of cells by column")
    values = {name: plain(value) for name, value in values.items()}
    names = encoding.names
    unknown = [name for name in values if name not in names]
    if unknown:
        raise SourceError(f"{shown}: has {quoted(unknown[0])}, but the columns are {', '.join(names)}")
    row: dict[str, Any] = {}
    value: Any
    for column in encoding.categories:
        value = values.get(column.name)
        if not (value is None or isinstance(value, (str, int, float))):
            raise SourceError(f"{shown}: its {column.name} is neither text nor a number")
        row[column.name] = ABSENT if value is None or is_missing(str(value)) else str(value)
    for number in encoding.numbers:
        value = values.get(number.name)
        if value is None or is_missing(str(value)):
            row[number.name] = float("nan")
            continue
        value = as_number(value) if isinstance(value, str) else value
        if not is_number(value):
            raise SourceError(f"{shown}: its {number.name} is not a number")
        row[number.name] = float(value)
    return row


def _filled(cells: Sequence[str]) -> list[str]:
    return [ABSENT if is_missing(cell) else cell for cell in cells]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
