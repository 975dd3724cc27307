"""Open runs that estimate a value: what those of ratings and of tables have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast, overload

import numpy as np

from seq2seq.decoding.rows import RowsPredictor
from seq2seq.engine.network import Arrays
from seq2seq.errors import SourceError, UsageError, listed, require
from seq2seq.explaining import Embeddings
from seq2seq.mixing import read_as
from seq2seq.models import make_model
from seq2seq.opened import OpenedRun
from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.applications.rows import RowsApplication


class Estimate(NamedTuple):
    """An estimated value.

    Attributes
    ----------
    text : str
        The value as text, or a class, or the name of an item.
    value : float
        The value, or the probability of the class.
    unlike_training : str or None
        The reason why the answer is not reliable, such as `has an unknown user`; None if the source is like the
        training examples.
    """

    text: str
    value: float
    unlike_training: str | None = None


class EstimatingRun(OpenedRun):
    """Base class of open runs that estimate values. It has the parameters of `Solver`."""

    def _bind(self) -> None:
        self._model = make_model(self.task, self.config.model, self.codec)
        self._predictor = RowsPredictor(self._model, self.device, self._module)
        self._predictor.set_weights(self.weights)

    @abstractmethod
    def _estimates(self, prepared: list[Any]) -> list[Estimate]:
        """The estimates for one or more sources, from `prepare`."""

    @abstractmethod
    def n_best(self, source: str, n: int) -> list[Estimate]:
        """The n best answers to a source. Raises `UsageError` if there is only one."""

    def answer(self, sources: Iterable[str]) -> list[Estimate]:
        """Estimate a value for each source.

        Parameters
        ----------
        sources : iterable of str

        Returns
        -------
        list of Estimate

        Raises
        ------
        SourceError
            If a source cannot be read.
        """
        prepared = [self.prepare(source) for source in listed("sources", sources, "strings")]
        return self._estimates(prepared) if prepared else []

    def tried(self, sources: Iterable[str]) -> list[Estimate | SourceError]:
        """The estimate for each source, or the error if it cannot be read."""
        return self._tried(listed("sources", sources, "strings"), self._estimates)

    @overload
    def __call__(self, source: str) -> str: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, source: Iterable[str]) -> list[str]: ...
    def __call__(self, source: str | Iterable[str]) -> str | list[str]:
        """The estimates as text, of one source or of several: see `answer`."""
        if isinstance(source, str):
            return self.answer([source])[0].text
        return [estimate.text for estimate in self.answer(source)]

    def predict(self, arrays: Arrays) -> Array:
        """The outputs of the model for one or more rows, shape (N,) or (N, C).

        Parameters
        ----------
        arrays : dict of str to ndarray
            N rows of each input of the model, as the parts of `dataset` have them in `arrays`.
        """
        names = [name for name in self._model.inputs if name != self._model.target]
        good = isinstance(arrays, Mapping) and all(len(np.atleast_1d(arrays.get(name, ()))) for name in names)
        require(good, "arrays", arrays, f"one row or more of each of {', '.join(names)}")
        return self._predictor.predict(arrays)

    def embeddings(self) -> dict[str, Embeddings]:
        """The learned embeddings, by kind or column."""
        return {
            name: Embeddings(self._names_of(name), vectors)
            for name, vectors in self._model.embeddings(self.weights).items()
        }

    @abstractmethod
    def _names_of(self, name: str) -> list[str]:
        """The names that have the embeddings called `name`."""

    def work(self, source: str) -> NoReturn:
        raise UsageError(f"{self.run.path}: estimates values, in one step")

    def expected(self, source: str) -> NoReturn:
        raise self._no_text()

    def continued(self, prefix: str, **options: Any) -> NoReturn:
        raise self._no_text()

    def evaluate_pairs(self, pairs: Any) -> Any:
        """Score the rows of another table, such as the ratings of a later month. The run folder is not changed.

        Parameters
        ----------
        pairs : path, or sequence of rows
            A file as for training, or rows of cells, the first of which has the names of the columns. The names of the
            columns are those of the run.

        Returns
        -------
        GivenRatings or GivenRows

        Raises
        ------
        UsageError
            If the table cannot be read, has no rows, or lacks a column or a value.
        RunError
            If the run's own table, which the baselines need, cannot be read.
        """
        application = cast("RowsApplication[Any]", self.application)
        if isinstance(pairs, (str, os.PathLike)):
            return application.evaluate_rows(self, read_as(self.task, os.fspath(pairs)))
        task: Any = self.task
        rows = listed("pairs", pairs, "rows, the first of which has the names of the columns")
        return application.evaluate_rows(self, replace(task, path="", given=rows))

    def _no_text(self) -> UsageError:
        return UsageError(f"{self.run.path}: estimates values, and has no text to continue")


def require_string(name: str, value: Any) -> None:
    """Raise `UsageError` unless an argument is a string."""
    require(isinstance(value, str), name, value, "a string")


def highest(values: Array, n: int) -> list[int]:
    """The positions of the n highest values, the highest first; equal ones in their order."""
    return np.argsort(-values, kind="stable")[:n].tolist()
