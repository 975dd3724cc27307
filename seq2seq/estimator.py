"""Predicts a column of a table with a trained run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from seq2seq.encodings.table import Cells, TableEncoding
from seq2seq.errors import UsageError, listed, require, short
from seq2seq.estimates import Estimate, EstimatingRun, highest, require_string
from seq2seq.explaining import component_lines
from seq2seq.tasks.table import Table, checked_row, read_row
from seq2seq.typing import Array
from seq2seq.values import whole

DIGITS = 6  # significant digits of a number as text


class Estimator(EstimatingRun):
    """Predicts a column of a table.

    >>> estimator = Estimator("runs/diamonds")
    >>> estimator('{"carat": 0.23, "cut": "Ideal", "color": "E", "clarity": "SI2"}')
    '366.912'

    It has the parameters of `Solver`, which opens such a run as an Estimator. A source is JSON: an object with the
    columns; one that is left out or null has no value. An unknown category gets the mean of the column's embeddings,
    and the answer says so, as it does for a number out of the range that was trained on.
    """

    kind = "tabular"
    codec: TableEncoding

    def prepare(self, source: str) -> dict[str, Any]:
        """The cells of a row, by column."""
        require_string("source", source)
        return read_row(source, self.codec)

    def _estimates(self, prepared: list[dict[str, Any]]) -> list[Estimate]:
        outputs = self.predict(self._arrays(prepared))
        return [self._estimate(output, self.unlike(row)) for output, row in zip(outputs, prepared)]

    def n_best(self, source: str, n: int) -> list[Estimate]:
        """The n most probable classes.

        Parameters
        ----------
        source : str
        n : int
            At least 1. There are fewer if the target has fewer classes.

        Returns
        -------
        list of Estimate
            The most probable first.

        Raises
        ------
        SourceError
            If the source cannot be read.
        UsageError
            If the target is a number, or `n` is not allowed.
        """
        classes = self.codec.target.classes
        if not classes:
            raise UsageError(f"n_best: {self.run.path} predicts a number: it has one answer")
        n = whole("n", n, 1)
        row = self.prepare(source)
        [found] = np.exp(self.predict(self._arrays([row])))
        return [Estimate(classes[place], float(found[place]), self.unlike(row)) for place in highest(found, n)]

    def unlike(self, row: Mapping[str, Any]) -> str | None:
        """Why an answer is not reliable: every category that is unknown, and every number out of range. None if there
        is no such thing."""
        row = checked_row(row, self.codec)
        reasons = []
        for column in self.codec.categories:
            if column.ids([row[column.name]])[0] == len(column.names):
                value = short(row[column.name]) if row[column.name] else "missing value"
                reasons.append(f"has the unknown {column.name} {value}: read as the mean of all")
        for number in self.codec.numbers:
            value = row[number.name]
            if np.isnan(value) and not number.flagged:
                reasons.append(f"has no {number.name}, which is never missing in training: read as the mean")
            if value < number.least or value > number.most:
                reasons.append(f"has {number.name} {value:g}; trained on {number.least:g} to {number.most:g}")
        return ", and ".join(reasons) or None

    def features(self, rows: Sequence[Mapping[str, Any]] | None = None, places: Array | None = None) -> Array:
        """Rows with the embeddings in place of the categories, as another model can read them.

        Parameters
        ----------
        rows : sequence of dict, optional
            Cells by column; one that is left out or None has no value. By default the rows of the run's own table.
        places : ndarray of int, optional
            Positions of rows in that table; by default all of it.

        Returns
        -------
        ndarray of float, shape (N, F)
            The embeddings of all columns of categories, then the standardised numbers with their flags.

        Raises
        ------
        UsageError, SourceError
            If the rows cannot be read, or a place has no row.
        """
        if rows is None:
            arrays = cast("Table", self.task).arrays(self.codec)
        else:
            arrays = self._arrays([checked_row(row, self.codec) for row in listed("rows", rows, "rows")])
        if places is not None:
            n = len(arrays["target"])
            chosen = np.asarray(listed("places", places, "positions"))
            good = chosen.dtype.kind in "iu" and all(0 <= place < n for place in chosen.ravel())
            require(good or not len(chosen), "places", places, f"positions of rows from 0 to {n - 1}")
            arrays = {name: array[chosen.astype(int)] for name, array in arrays.items()}
        parts = []
        for place, vectors in enumerate(self._model.embeddings(self.weights).values()):
            table = np.concatenate([vectors, vectors.mean(axis=0, keepdims=True)])
            parts.append(table[arrays["categories"][:, place]])
        if self.codec.numbers:
            parts.append(arrays["numbers"])
        return np.concatenate(parts, axis=1)

    def overview(self, orders: Sequence[Sequence[str]] = ()) -> list[str]:
        """The categories of each column at the ends of the principal components of their embeddings."""
        if not self.codec.categories:
            raise UsageError(f"{self.run.path}: its table has no categories, and so no embeddings")
        return component_lines(self.embeddings(), orders)

    def explain(self, source: str) -> list[str]:
        """The answer and the inputs from which it comes.

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
        row = self.prepare(source)
        [estimate] = self._estimates([row])
        lines = [f"{self.codec.target.name}: {estimate.text}"]
        for column in self.codec.categories:
            lines.append(f"  {column.name}: {row[column.name] or 'missing'}")
        for number in self.codec.numbers:
            standard = (row[number.name] - number.mean) / number.scale
            shown = "missing" if np.isnan(standard) else f"{row[number.name]:g}, {standard:+.2f} standard deviations"
            lines.append(f"  {number.name}: {shown}")
        return lines + ([f"  unlike training: {estimate.unlike_training}"] if estimate.unlike_training else [])

    def _estimate(self, output: Any, unlike: str | None) -> Estimate:
        target = self.codec.target
        if target.classes:
            place = int(output.argmax())
            return Estimate(target.classes[place], float(np.exp(output[place])), unlike)
        value = float(target.restored(output))
        return Estimate(f"{value:.{DIGITS}g}", value, unlike)

    def _arrays(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
        cells = Cells(
            {column.name: [row[column.name] for row in rows] for column in self.codec.categories},
            {number.name: np.array([row[number.name] for row in rows], float) for number in self.codec.numbers},
        )
        return self.codec.arrays(cells, np.zeros(len(rows)))

    def _names_of(self, name: str) -> list[str]:
        [column] = [column for column in self.codec.categories if column.name == name]
        return [each or "missing" for each in column.names]
