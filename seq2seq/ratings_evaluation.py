"""Scores a model of ratings on held-out ratings, beside the mean alone and the biases alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Callable

import numpy as np

from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.engine.network import Arrays
from seq2seq.rows import Rows, RowsDataset
from seq2seq.typing import Array

EDGES = (1, 5, 20, 80)  # the groups of items by their number of ratings begin here
SHRINKAGES = (1.0, 2.0, 4.0, 8.0, 16.0)  # tried for the biases, as a number of ratings at the mean
SWEEPS = 15  # alternations between the biases of users and those of items

Predict = Callable[[Arrays], Array]  # ratings (N,) from arrays of N rows


@dataclass(frozen=True)
class RatingsScore:
    """Errors on some ratings.

    Attributes
    ----------
    n : int
        Number of ratings.
    rmse, mae : float
        Root of the mean squared error, and mean absolute error, of the model.
    mean_rmse : float
        RMSE if every rating is the mean of the ratings that were trained on.
    biases_rmse : float
        RMSE if every rating is this mean and a bias of the user and of the item: see `Biases`.
    """

    n: int
    rmse: float
    mae: float
    mean_rmse: float
    biases_rmse: float


@dataclass(frozen=True)
class RatingsEvaluation:
    """Scores on held-out ratings and on training ratings.

    Attributes
    ----------
    held_out, train_distribution : RatingsScore
    by_ratings : dict of str to RatingsScore
        Held-out scores by the number of ratings of the item that were trained on.
    unknown_users, unknown_items : int
        Number of held-out ratings whose user or item has none that was trained on.
    """

    held_out: RatingsScore
    train_distribution: RatingsScore
    by_ratings: dict[str, RatingsScore]
    unknown_users: int
    unknown_items: int

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """Title and bars of a plot, by name."""
        bars = {"mean alone": self.held_out.mean_rmse, "biases alone": self.held_out.biases_rmse}
        bars["model"] = self.held_out.rmse
        bars.update({f"item rated {label}": score.rmse for label, score in self.by_ratings.items()})
        return "RMSE, held out", bars

    @property
    def curves(self) -> tuple[str, str]:
        """The unit of the loss, and the validation value to draw."""
        return "squared error", "rmse"

    @property
    def lines(self) -> list[str]:
        """A report for a person to read."""
        held_out = self.held_out
        lines = [
            f"held-out RMSE: {held_out.rmse:.4f} ({held_out.n} ratings; mean absolute error {held_out.mae:.4f})",
            f"of the mean alone: {held_out.mean_rmse:.4f}",
            f"of regularised biases alone: {held_out.biases_rmse:.4f}",
            f"RMSE on ratings trained on: {self.train_distribution.rmse:.4f}",
            "",
            *_group_lines("held out, the item was rated", self.by_ratings),
        ]
        lines += ["", f"held out of unknown users: {self.unknown_users}, of unknown items: {self.unknown_items}"]
        return lines

    def to_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        return asdict(self)


@dataclass(frozen=True)
class GivenRatings:
    """Scores on the ratings of another table.

    Attributes
    ----------
    score : RatingsScore
    by_ratings : dict of str to RatingsScore
        By the number of ratings of the item that were trained on.
    unknown_users, unknown_items : int
        Number of ratings whose user or item has none that was trained on.
    overlap : float
        Fraction of the ratings whose pair of a user and an item was trained on, with any rating.
    """

    score: RatingsScore
    by_ratings: dict[str, RatingsScore]
    unknown_users: int
    unknown_items: int
    overlap: float

    @property
    def lines(self) -> list[str]:
        """A report for a person to read."""
        score = self.score
        return [
            f"RMSE: {score.rmse:.4f} ({score.n} ratings; mean absolute error {score.mae:.4f})",
            f"of the mean alone: {score.mean_rmse:.4f}",
            f"of regularised biases alone: {score.biases_rmse:.4f}",
            "",
            *_group_lines("the item was rated", self.by_ratings),
            "",
            f"of unknown users: {self.unknown_users}, of unknown items: {self.unknown_items}",
            f"{self.overlap:.1%} of the pairs had been trained on",
        ]

    def to_json(self) -> dict[str, Any]:
        """The scores as plain values for JSON."""
        values = asdict(self)
        names = ("unknown_users", "unknown_items", "overlap")
        pairs = {**values["score"], **{name: values[name] for name in names}}
        return {"pairs": pairs, "by_ratings": values["by_ratings"]}


def _group_lines(title: str, groups: Mapping[str, RatingsScore]) -> list[str]:
    """A table of the scores of groups of items."""
    lines = [f"{title:32}{'n':>7}     mean   biases    model"]
    for label, score in groups.items():
        lines.append(f"{label:32}{score.n:7}  {score.mean_rmse:7.4f}  {score.biases_rmse:7.4f}  {score.rmse:7.4f}")
    return lines


class Biases:
    """The mean and a bias of each user and item, each shrunk towards 0 as by some ratings at the mean.

    Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems" (2009), equation 3, by
    alternating least squares. How much they are shrunk is chosen on the validation ratings.

    Parameters
    ----------
    encoding : RatingsEncoding
    train, validation : Rows
    """

    def __init__(self, encoding: RatingsEncoding, train: Rows, validation: Rows) -> None:
        self._encoding = encoding
        self._train = train.arrays
        tried = [(users, items) for users in SHRINKAGES for items in SHRINKAGES]
        self._fit(*min(tried, key=lambda each: self._error(validation.arrays, each)))

    def __call__(self, arrays: Arrays) -> Array:
        """The ratings of pairs of a user and an item, shape (N,)."""
        rated = self._encoding.mean + self._users[arrays["user"]] + self._items[arrays["item"]]
        return np.clip(rated, self._encoding.least, self._encoding.most)

    def _error(self, arrays: Arrays, shrinkage: tuple[float, float]) -> float:
        self._fit(*shrinkage)
        return float(np.mean((self(arrays) - arrays["rating"]) ** 2))

    def _fit(self, of_users: float, of_items: float) -> None:
        arrays = self._train
        user = arrays["user"]
        item = arrays["item"]
        rest = arrays["rating"].astype(np.float64) - self._encoding.mean
        self._users = np.zeros(len(self._encoding.users) + 1)  # the last one is the unknown user's
        self._items = np.zeros(len(self._encoding.items) + 1)
        for _ in range(SWEEPS):
            self._items = _shrunk(item, rest - self._users[user], len(self._items), of_items)
            self._users = _shrunk(user, rest - self._items[item], len(self._users), of_users)


def _shrunk(ids: Array, values: Array, count: int, shrinkage: float) -> Array:
    """The mean of the values of each id, shape (count,), if there were `shrinkage` more of them with the value 0."""
    return np.bincount(ids, values, count) / (np.bincount(ids, minlength=count) + shrinkage)


def evaluate_ratings(
    predict: Predict, dataset: RowsDataset, samples: int, rng: np.random.Generator
) -> RatingsEvaluation:
    """Score a model on test and on training ratings.

    Parameters
    ----------
    predict : callable
        From the arrays of rows to ratings.
    dataset : RowsDataset
    samples : int
        Maximum number of ratings of each kind; if there are more, this number is chosen at random.
    rng : numpy.random.Generator

    Returns
    -------
    RatingsEvaluation
    """
    ways = _ways(predict, dataset)
    test, seen = (part.some(samples, rng) for part in (dataset.test, dataset.train))
    known = {name: way(seen.arrays) for name, way in ways.items()}
    held_out, by_ratings, users, items = _scored(ways, dataset, test)
    return RatingsEvaluation(held_out, _score(known, seen.arrays["rating"]), by_ratings, users, items)


def evaluate_given(predict: Predict, dataset: RowsDataset, rows: Rows, overlap: float) -> GivenRatings:
    """Score a model on the ratings of another table.

    Parameters
    ----------
    predict, dataset
        As in `evaluate_ratings`.
    rows : Rows
        The other table.
    overlap : float
        Fraction of its pairs that were trained on.

    Returns
    -------
    GivenRatings
    """
    return GivenRatings(*_scored(_ways(predict, dataset), dataset, rows), overlap)


def _ways(predict: Predict, dataset: RowsDataset) -> dict[str, Predict]:
    """The model and the baselines by name."""
    encoding: RatingsEncoding = dataset.encoding
    return {
        "model": predict,
        "biases": Biases(encoding, dataset.train, dataset.validation),
        "mean": lambda arrays: np.full(len(arrays["user"]), encoding.mean),
    }


def _scored(
    ways: Mapping[str, Predict], dataset: RowsDataset, rows: Rows
) -> tuple[RatingsScore, dict[str, RatingsScore], int, int]:
    """The score of rows, in total and by how often the item was rated, and how many users and items are unknown."""
    encoding: RatingsEncoding = dataset.encoding
    users, items, ratings = (rows.arrays[name] for name in ("user", "item", "rating"))
    outputs = {name: way(rows.arrays) for name, way in ways.items()}
    counts = np.bincount(dataset.train.arrays["item"], minlength=len(encoding.items) + 1)[items]
    groups = np.digitize(counts, EDGES)
    labels = _labels()
    by_ratings = {labels[group]: _score(outputs, ratings, groups == group) for group in np.unique(groups)}
    unknown = [int((ids == len(names)).sum()) for ids, names in ((users, encoding.users), (items, encoding.items))]
    return _score(outputs, ratings), by_ratings, unknown[0], unknown[1]


def _labels() -> list[str]:
    """Names of the groups of items."""
    ranges = [f"{least} to {after - 1} times" for least, after in zip(EDGES, EDGES[1:])]
    return ["never", *ranges, f"{EDGES[-1]} times or more"]


def _score(outputs: Mapping[str, Array], targets: Array, rows: Any = slice(None)) -> RatingsScore:
    errors = {name: np.asarray(each, np.float64)[rows] - targets[rows] for name, each in outputs.items()}
    roots = {name: float(np.sqrt(np.mean(each**2))) for name, each in errors.items()}
    return RatingsScore(
        n=len(errors["model"]),
        rmse=roots["model"],
        mae=float(np.abs(errors["model"]).mean()),
        mean_rmse=roots["mean"],
        biases_rmse=roots["biases"],
    )
