"""The task of ratings: how a user rates an item."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.errors import SourceError, UsageError, is_number, is_whole, require, short
from seq2seq.lazy import cached_property
from seq2seq.tasks.tables import ColumnsTask, require_column
from seq2seq.typing import Array


class Known(NamedTuple):
    """All ratings of a table, N of them.

    Attributes
    ----------
    users, items : list of str
    ratings : ndarray of float, shape (N,)
    """

    users: list[str]
    items: list[str]
    ratings: Array


@dataclass(frozen=True)
class Ratings(ColumnsTask):
    """Ratings of items by users: which rating a user would give to an item.

    A source is a pair as a row of CSV, `USER,ITEM`, or as JSON, `["USER", "ITEM"]`.

    Parameters
    ----------
    path, given
        See `ColumnsTask`.
    user, item, rating : str
        Names of the columns.
    least, most : float, optional
        The range of the ratings; by default that of the data.
    """

    user: str = field(default="user", metadata={"help": "the column that names the user"})
    item: str = field(default="item", metadata={"help": "the column that names the item"})
    rating: str = field(default="rating", metadata={"help": "the column with the rating, a number"})
    least: float | None = field(
        default=None, metadata={"help": "lowest rating that there is (default: in the data)", "parse": float}
    )
    most: float | None = field(
        default=None, metadata={"help": "highest rating that there is (default: in the data)", "parse": float}
    )

    name = "ratings"
    application = "ratings"
    keys = ("row", "pair")

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [self.user, self.item, self.rating]
        for option, name in zip(("user", "item", "rating"), names):
            require(isinstance(name, str) and bool(name), option, name, "the name of a column")
            require(names.count(name) == 1, option, name, "another column than the other two")
        for option in ("least", "most"):
            value = getattr(self, option)
            require(value is None or is_number(value), option, value, "a number")
        if self.least is not None and self.most is not None:
            require(self.least < self.most, "least", self.least, f"below most, {self.most}")

    def used(self, header: Sequence[str]) -> list[str]:
        names = [self.user, self.item, self.rating]
        for option, name in zip(("user", "item", "rating"), names):
            require_column(option, name, header)
        return names

    @property
    def asked(self) -> list[Sequence[str] | Array]:
        return [self.known.users, self.known.items]

    def require_learnable(self) -> None:
        known = self.known
        table = self.columns.table
        for name, cells in ((self.user, known.users), (self.item, known.items)):
            if len(set(cells)) == 1:
                raise UsageError(f"{table}: has only {short(cells[0])} in the column {short(name)}, but two are needed")
        least = known.ratings.min() if self.least is None else self.least
        most = known.ratings.max() if self.most is None else self.most
        if least == most:
            raise UsageError(f"{table}: all ratings are {least:g}, so there is nothing to learn")

    @cached_property
    def known(self) -> Known:
        """All ratings.

        Raises
        ------
        UsageError
            If a value is missing, or a rating is not a number or out of range.
        """
        columns = self.columns
        users = [name.strip() for name in columns.filled(self.user)]
        items = [name.strip() for name in columns.filled(self.item)]
        columns.filled(self.rating)
        ratings = columns.numbers(self.rating)
        least = ratings.min() if self.least is None else self.least
        most = ratings.max() if self.most is None else self.most
        outside = np.flatnonzero((ratings < least) | (ratings > most))
        if len(outside):
            where = f"{columns.place}{columns.lines[outside[0]]}"
            raise UsageError(f"{where}: has the rating {ratings[outside[0]]:g}, out of the range {least:g} to {most:g}")
        return Known(users, items, ratings)

    @property
    def notes(self) -> tuple[str, ...]:
        found = []
        for what, names in (("user", self.known.users), ("item", self.known.items)):
            _, counts = np.unique(names, return_counts=True)
            once = int((counts == 1).sum())
            if once:
                who = f"1 {what} has a single rating" if once == 1 else f"{once} {what}s have a single rating each"
                found.append(f"{who}: if it is held out, nothing is known of {'it' if once == 1 else 'them'}")
        return tuple(found)

    @cached_property
    def example_source(self) -> str:
        """The first pair of a user and an item; in a run, of those that are known."""
        if self.encoding is not None:
            return self.written_pair(self.encoding.users[0], self.encoding.items[0])
        return self.written_pair(self.known.users[0], self.known.items[0])

    @staticmethod
    def written_pair(user: str, item: str) -> str:
        """A pair as a row of CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([user, item])
        return text.getvalue()

    @staticmethod
    def read_names(source: str) -> list[str]:
        """The names in a source: a user, or a user and an item. Raises `SourceError`."""
        allowed = f'{short(source)}: is neither USER,ITEM nor JSON such as ["USER", "ITEM"]'
        if source.lstrip().startswith(("[", "{")):
            try:
                names = json.loads(source)
            except (ValueError, RecursionError):
                raise SourceError(allowed) from None
        else:
            try:
                names = next(csv.reader([source], strict=True, skipinitialspace=True), [])
            except csv.Error:
                raise SourceError(allowed) from None
        good = isinstance(names, list) and all(isinstance(name, str) or is_whole(name, 0) for name in names)
        if not (good and 1 <= len(names) <= 2 and all(str(name).strip() for name in names)):
            raise SourceError(allowed)
        return [str(name).strip() for name in names]

    @classmethod
    def read_outline(cls, values: Any) -> RatingsEncoding:
        return RatingsEncoding.from_json(values)
