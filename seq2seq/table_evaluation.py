"""Scores a model of a table on held-out rows, beside the answer that reads no column."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seq2seq.encodings.table import Target
from seq2seq.typing import Array


@dataclass(frozen=True)
class TableScore:
    """Scores on some rows.

    Attributes
    ----------
    n : int
        Number of rows.
    values : dict of str to float
        For a number `rmse` and `mae`, of the logarithm if that is learned, and `r2`, the fraction of the variance that
        is explained. For a class `accuracy` and `nats`, the mean negative log-probability of the right class.
    alone : dict of str to float
        The first of these for an answer that reads no column: the mean, or the most frequent class.
    """

    n: int
    values: dict[str, float]
    alone: dict[str, float]


@dataclass(frozen=True)
class TableEvaluation:
    """Scores on held-out rows and on training rows.

    Attributes
    ----------
    held_out, train_distribution : TableScore
    target : str
        Name of the column.
    """

    held_out: TableScore
    train_distribution: TableScore
    target: str

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """Title and bars of a plot, by name."""
        name = self._main
        parts = {"held out": self.held_out, "trained on": self.train_distribution}
        bars = {f"{label}, without columns": part.alone[name] for label, part in parts.items()}
        return name, {**bars, **{label: part.values[name] for label, part in parts.items()}}

    @property
    def curves(self) -> tuple[str, str]:
        """The unit of the loss, and the validation value to draw."""
        return ("nats" if self._main == "accuracy" else "standardised squared error"), self._main

    @property
    def lines(self) -> list[str]:
        """A report for a person to read."""
        name = self._main
        held_out = self.held_out
        shown = ", ".join(f"{_shown(each)} {value:.4f}" for each, value in held_out.values.items())
        return [
            f"held-out {self.target}: {shown} ({held_out.n} rows)",
            f"without any column: {_shown(name)} {held_out.alone[name]:.4f}",
            f"on rows trained on: {_shown(name)} {self.train_distribution.values[name]:.4f}",
        ]

    def to_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        return asdict(self)

    @property
    def _main(self) -> str:
        return next(iter(self.held_out.alone))


@dataclass(frozen=True)
class GivenRows:
    """Scores on the rows of another table.

    Attributes
    ----------
    score : TableScore
    unknown : int
        Number of rows with a category that was never trained on.
    overlap : float
        Fraction of the rows whose columns were trained on, with any target.
    target : str
        Name of the column.
    """

    score: TableScore
    unknown: int
    overlap: float
    target: str

    @property
    def lines(self) -> list[str]:
        """A report for a person to read."""
        score = self.score
        shown = ", ".join(f"{_shown(each)} {value:.4f}" for each, value in score.values.items())
        name, alone = next(iter(score.alone.items()))
        return [
            f"{self.target}: {shown} ({score.n} rows)",
            f"without any column: {_shown(name)} {alone:.4f}",
            f"rows with an unknown category: {self.unknown}",
            f"{self.overlap:.1%} of the rows had been trained on",
        ]

    def to_json(self) -> dict[str, Any]:
        """The scores as plain values for JSON."""
        return {"pairs": {**asdict(self.score), "unknown": self.unknown, "overlap": self.overlap}}


def _shown(name: str) -> str:
    return name.upper() if name in ("rmse", "mae") else "R²" if name == "r2" else name


def score_rows(target: Target, outputs: Array, targets: Array, trained: Array) -> TableScore:
    """Score the outputs of a model.

    Parameters
    ----------
    target : Target
    outputs : ndarray, shape (N,) or (N, C)
        Standardised numbers, or log-probabilities of classes.
    targets : ndarray, shape (N,)
        Standardised numbers, or positions of classes.
    trained : ndarray
        The targets that were trained on.

    Returns
    -------
    TableScore
    """
    outputs = np.asarray(outputs, np.float64)
    n = len(targets)
    if target.classes:
        places = targets.astype(int)
        accuracy = float((outputs.argmax(axis=1) == places).mean())
        nats = float(-outputs[np.arange(n), places].mean())
        most = np.bincount(trained.astype(int)).argmax()
        return TableScore(n, {"accuracy": accuracy, "nats": nats}, {"accuracy": float((places == most).mean())})
    errors = (outputs - targets) * target.scale
    rmse = float(np.sqrt(np.mean(errors**2)))
    alone = (trained.mean() - targets) * target.scale
    explained = 1 - float(np.mean(errors**2) / (np.var(targets) * target.scale**2 or 1))
    values = {"rmse": rmse, "mae": float(np.abs(errors).mean()), "r2": explained}
    return TableScore(n, values, {"rmse": float(np.sqrt(np.mean(alone**2)))})
