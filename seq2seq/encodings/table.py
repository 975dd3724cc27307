"""Categories, numbers and the target of a table as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from seq2seq.encodings.names import positions, read_names
from seq2seq.errors import is_number
from seq2seq.lazy import cached_property
from seq2seq.typing import Array

ABSENT = ""  # the category of a missing value


@dataclass(frozen=True)
class Category:
    """A column of categories.

    Attributes
    ----------
    name : str
    names : tuple of str
        Those that are trained on, sorted; a missing value is the empty string. Others have the id after the last one.
    """

    name: str
    names: tuple[str, ...]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return positions(self.names)

    def ids(self, cells: Sequence[str]) -> Array:
        """The ids of cells, int, shape (N,); of unknown ones the number of names."""
        return np.array([self._ids.get(cell, len(self.names)) for cell in cells], np.int32)


@dataclass(frozen=True)
class Number:
    """A column of numbers.

    Attributes
    ----------
    name : str
    mean, scale : float
        Mean and standard deviation of the values that are trained on; the scale is 1 if all are equal.
    least, most : float
        Their range.
    flagged : bool
        Whether values are missing among them. A second input is then 1 where one is missing.
    """

    name: str
    mean: float
    scale: float
    least: float
    most: float
    flagged: bool

    @classmethod
    def of(cls, name: str, values: Array) -> Number:
        """The description of values, shape (N,), NaN where one is missing."""
        there = values[~np.isnan(values)]
        scale = float(there.std()) or 1.0
        mean, least, most = (float(each) for each in (there.mean(), there.min(), there.max()))
        return cls(name, mean, scale, least, most, flagged=len(there) < len(values))

    def inputs(self, values: Array) -> list[Array]:
        """Standardised values, 0 where one is missing, and the flag if there is one; shape (N,) each."""
        missing = np.isnan(values)
        standard = np.where(missing, 0.0, (values - self.mean) / self.scale)
        return [standard, missing.astype(np.float64)] if self.flagged else [standard]


@dataclass(frozen=True)
class Target:
    """The column that is predicted.

    Attributes
    ----------
    name : str
    log : bool
        Whether the logarithm of a number is learned.
    mean, scale, least, most : float
        Mean, deviation and range of the numbers, or of their logarithms, that are trained on.
    classes : tuple of str
        Empty if the target is a number.
    """

    name: str
    log: bool
    mean: float
    scale: float
    least: float
    most: float
    classes: tuple[str, ...]

    @property
    def limits(self) -> tuple[float, float]:
        """The range of the standardised numbers that are trained on."""
        return (self.least - self.mean) / self.scale, (self.most - self.mean) / self.scale

    def standardised(self, values: Array) -> Array:
        """What is learned of numbers, shape (N,)."""
        return (self._read(values) - self.mean) / self.scale

    def restored(self, outputs: Array) -> Array:
        """The inverse of `standardised`."""
        values = self.mean + self.scale * np.asarray(outputs, np.float64)
        return np.exp(values) if self.log else values

    @classmethod
    def of_numbers(cls, name: str, log: bool, values: Array) -> Target:
        """The description of numbers, shape (N,)."""
        read = np.log(values) if log else values
        mean, least, most = (float(each) for each in (read.mean(), read.min(), read.max()))
        return cls(name, log, mean, float(read.std()) or 1.0, least, most, ())

    @classmethod
    def of_classes(cls, name: str, classes: Iterable[str]) -> Target:
        """The description of classes, each once."""
        return cls(name, False, 0.0, 1.0, 0.0, 0.0, tuple(sorted(classes)))

    def _read(self, values: Array) -> Array:
        return np.log(values) if self.log else values


class Cells(NamedTuple):
    """The cells of some rows.

    Attributes
    ----------
    categories : dict of str to list of str
        By column; a missing value is the empty string.
    numbers : dict of str to ndarray of float, shape (N,)
        By column; NaN where a value is missing.
    """

    categories: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Array]


@dataclass(frozen=True)
class TableEncoding:
    """The columns of a table that are read, and the target.

    Attributes
    ----------
    categories : tuple of Category
    numbers : tuple of Number
    target : Target
    """

    categories: tuple[Category, ...]
    numbers: tuple[Number, ...]
    target: Target

    @property
    def names(self) -> list[str]:
        """The names of the columns that are read."""
        return [column.name for column in self.categories] + [number.name for number in self.numbers]

    @property
    def width(self) -> int:
        """Number of inputs of all columns of numbers, with their flags."""
        return len(self.numbers) + sum(number.flagged for number in self.numbers)

    def arrays(self, cells: Cells, targets: Array) -> dict[str, Array]:
        """The inputs of a model.

        Parameters
        ----------
        cells : Cells
            Of N rows.
        targets : ndarray, shape (N,)
            Standardised numbers, or positions of classes.

        Returns
        -------
        dict of str to ndarray
            `categories`, int, shape (N, K), and `numbers`, shape (N, C), if there are such columns; `target`, (N,).
        """
        arrays = {}
        if self.categories:
            ids = [column.ids(cells.categories[column.name]) for column in self.categories]
            arrays["categories"] = np.stack(ids, axis=1)
        if self.numbers:
            values = [each for column in self.numbers for each in column.inputs(cells.numbers[column.name])]
            arrays["numbers"] = np.stack(values, axis=1).astype(np.float32)
        return {**arrays, "target": np.asarray(targets, np.float32)}

    def to_json(self) -> dict[str, Any]:
        """The attributes as plain values for JSON."""
        categories = [{"name": column.name, "names": [*column.names]} for column in self.categories]
        target = {**asdict(self.target), "classes": [*self.target.classes]}
        return {"categories": categories, "numbers": [asdict(column) for column in self.numbers], "target": target}

    @classmethod
    def from_json(cls, values: Any) -> TableEncoding:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        categories = [Category(_name(each["name"]), read_names(each["names"])) for each in values["categories"]]
        numbers = [Number(**each) for each in values["numbers"]]
        target = dict(values["target"])
        if target["classes"]:
            target["classes"] = read_names(target["classes"])
        else:
            target["classes"] = ()
        if not (categories or numbers):
            raise ValueError("data_outline: no column is read")
        encoding = cls(tuple(categories), tuple(numbers), Target(**target))
        scaled: list[Number | Target] = [*numbers, encoding.target]
        for each in scaled:
            if not (_name(each.name) and is_number(each.mean) and is_number(each.scale) and each.scale > 0):
                raise ValueError("data_outline: a scale is not one of numbers")
        if not all(is_number(each.least) and is_number(each.most) for each in scaled):
            raise ValueError("data_outline: a range is not one of numbers")
        flags = [encoding.target.log, *(number.flagged for number in numbers)]
        if not all(isinstance(flag, bool) for flag in flags):
            raise ValueError("data_outline: a flag is neither true nor false")
        return encoding


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("data_outline: a name is not a string")
    return value


def embedding_size(count: int) -> int:
    """The size of the embeddings of `count` categories: the rule of thumb of fast.ai's library, 1.6 count^0.56."""
    return max(1, min(600, round(1.6 * math.pow(count, 0.56))))
