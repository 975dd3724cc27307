"""Rates items for users with a trained run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.errors import SourceError, listed, require, short
from seq2seq.estimates import Estimate, EstimatingRun, highest, require_string
from seq2seq.explaining import component_lines, extremes
from seq2seq.tasks.ratings import Ratings
from seq2seq.typing import Array
from seq2seq.values import whole

if TYPE_CHECKING:
    from seq2seq.models.ratings import RatingsModel

SHOWN = 5  # items at each end of a list


class Recommender(EstimatingRun):
    """Estimates how users rate items.

    >>> recommender = Recommender("runs/films")
    >>> recommender("ann,Casablanca")
    '4.31'
    >>> recommender.n_best("ann", 2)
    [Estimate(text='Casablanca', value=4.31, unlike_training=None), ...]

    It has the parameters of `Solver`, which opens such a run as a Recommender. A source is a pair as a row of CSV,
    `USER,ITEM`, or as JSON, `["USER", "ITEM"]`. A user or an item without ratings that were trained on gets the mean of
    all embeddings and biases, and the answer says so.
    """

    kind = "ratings"
    codec: RatingsEncoding

    def prepare(self, source: str) -> tuple[str, str]:
        """The user and the item that a source names."""
        names = self._read(source)
        if len(names) != 2:
            raise SourceError(f"{short(source)}: has no item; a pair is USER,ITEM, and --best N takes a user alone")
        return names[0], names[1]

    def _estimates(self, prepared: list[tuple[str, str]]) -> list[Estimate]:
        ratings = self.rate([user for user, _ in prepared], [item for _, item in prepared])
        return [
            Estimate(f"{rating:.2f}", float(rating), self.unlike(user, item))
            for rating, (user, item) in zip(ratings, prepared)
        ]

    def rate(self, users: Sequence[str], items: Sequence[str]) -> Array:
        """The ratings of pairs.

        Parameters
        ----------
        users, items : sequence of str
            N names each.

        Returns
        -------
        ndarray of float, shape (N,)

        Raises
        ------
        UsageError
            If they are not lists of strings of the same length.
        """
        users = listed("users", users, "strings")
        items = listed("items", items, "strings")
        for name, values in (("user", users), ("item", items)):
            for value in values:
                require_string(name, value)
        require(len(items) == len(users), "items", items, f"as many as the users, {len(users)}")
        return self.predict(self.codec.arrays(users, items, np.zeros(len(users)))) if users else np.empty(0, np.float32)

    def n_best(self, source: str, n: int) -> list[Estimate]:
        """The items with the highest ratings of a user.

        Parameters
        ----------
        source : str
            The user alone.
        n : int
            At least 1. There are fewer if the run knows fewer items.

        Returns
        -------
        list of Estimate
            Items, the best first. They include those that the user has rated.

        Raises
        ------
        SourceError
            If the source is not a single name.
        UsageError
            If `n` is not allowed.
        """
        n = whole("n", n, 1)
        names = self._read(source)
        if len(names) != 1:
            raise SourceError(f"{short(source)}: has an item too; the best items are those of a user alone")
        [user] = names
        items = self.codec.items
        ratings = self.rate([user] * len(items), items)
        why = self.unlike(user, items[0])
        return [Estimate(items[place], float(ratings[place]), why) for place in highest(ratings, n)]

    def unlike(self, user: str, item: str) -> str | None:
        """Why a rating is not reliable: its user or its item is unknown. None if both are known."""
        require_string("user", user)
        require_string("item", item)
        [user_id] = self.codec.user_ids([user])
        [item_id] = self.codec.item_ids([item])
        unknown = []
        if user_id == len(self.codec.users):
            unknown.append(f"user {short(user)}")
        if item_id == len(self.codec.items):
            unknown.append(f"item {short(item)}")
        return f"has the unknown {' and the unknown '.join(unknown)}: rated as the mean of all" if unknown else None

    def overview(self, orders: Sequence[Sequence[str]] = ()) -> list[str]:
        """What the run has learned: items by bias, and the extremes of the principal components of the embeddings."""
        model = cast("RatingsModel", self._model)
        biases = model.biases(self.weights)["items"]
        lines = ["items by bias, with the severity of their users taken out"]
        for end, found in zip(("worst", "best"), extremes(self.codec.items, biases, SHOWN)):
            lines += [f"  {end:7}  " + "  ".join(f"{item!r} {value:+.2f}" for item, value in found)]
        return [*lines, *component_lines(self.embeddings(), orders)]

    def explain(self, source: str) -> list[str]:
        """How a rating comes about: the terms that are added before the sigmoid.

        Parameters
        ----------
        source : str

        Returns
        -------
        list of str
            Lines for a person to read.

        Raises
        ------
        SourceError
            If the source cannot be read.
        """
        user, item = self.prepare(source)
        [estimate] = self._estimates([(user, item)])
        model = cast("RatingsModel", self._model)
        biases = {name: np.append(values, values.mean()) for name, values in model.biases(self.weights).items()}
        of_all = float(self.weights["bias"][0])
        of_user = float(biases["users"][self.codec.user_ids([user])[0]])
        of_item = float(biases["items"][self.codec.item_ids([item])[0]])
        least, most = self.codec.least, self.codec.most
        fraction = (estimate.value - least) / (most - least)
        total = float(np.log(fraction / (1 - fraction)))
        together = total - of_all - of_user - of_item
        lines = [
            f"{source} -> {estimate.text}",
            f"  {of_all:+.3f}  the mean",
            f"  {of_user:+.3f}  the user's bias",
            f"  {of_item:+.3f}  the item's bias",
            f"  {together:+.3f}  the two embeddings",
            f"  {total:+.3f}  together, and {estimate.text} from {least:g} to {most:g} by the sigmoid",
        ]
        return lines + ([f"  unlike training: {estimate.unlike_training}"] if estimate.unlike_training else [])

    @staticmethod
    def _read(source: str) -> list[str]:
        require_string("source", source)
        return Ratings.read_names(source)

    def _names_of(self, name: str) -> list[str]:
        return list(self.codec.users if name == "users" else self.codec.items)
