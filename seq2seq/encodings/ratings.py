"""Users, items and ratings as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seq2seq.encodings.names import positions, read_names
from seq2seq.errors import is_number, is_whole
from seq2seq.lazy import cached_property
from seq2seq.typing import Array


@dataclass(frozen=True)
class RatingsEncoding:
    """The known users and items, and the range of the ratings.

    Attributes
    ----------
    users, items : tuple of str
        Those with a rating that is trained on, sorted. Others have the id after the last one.
    least, most : float
        The range of the ratings.
    mean : float
        Mean of the ratings that are trained on.
    trained : int
        Number of ratings that are trained on.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    least: float
    most: float
    mean: float
    trained: int

    @cached_property
    def _user_ids(self) -> dict[str, int]:
        return positions(self.users)

    @cached_property
    def _item_ids(self) -> dict[str, int]:
        return positions(self.items)

    def user_ids(self, names: Sequence[str]) -> Array:
        """Ids of users, int, shape (N,); of unknown ones their number."""
        return np.array([self._user_ids.get(name, len(self.users)) for name in names], np.int32)

    def item_ids(self, names: Sequence[str]) -> Array:
        """Ids of items, int, shape (N,); of unknown ones their number."""
        return np.array([self._item_ids.get(name, len(self.items)) for name in names], np.int32)

    def arrays(self, users: Sequence[str], items: Sequence[str], ratings: Array) -> dict[str, Array]:
        """The inputs of a model.

        Parameters
        ----------
        users, items : sequence of str
            N names each.
        ratings : ndarray of float, shape (N,)

        Returns
        -------
        dict of str to ndarray, shape (N,)
        """
        return {"user": self.user_ids(users), "item": self.item_ids(items), "rating": ratings.astype(np.float32)}

    def to_json(self) -> dict[str, Any]:
        """The attributes as plain values for JSON."""
        return {
            "users": [*self.users],
            "items": [*self.items],
            "least": self.least,
            "most": self.most,
            "mean": self.mean,
            "trained": self.trained,
        }

    @classmethod
    def from_json(cls, values: Any) -> RatingsEncoding:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        least, most, mean, trained = (values[name] for name in ("least", "most", "mean", "trained"))
        good = all(map(is_number, (least, most, mean))) and is_whole(trained, 1)
        if not good or not least < most or not least <= mean <= most:
            raise ValueError("data_outline: its range is not one of ratings")
        return cls(read_names(values["users"]), read_names(values["items"]), least, most, mean, trained)
