"""The base class of the applications whose data are the rows of a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

import numpy as np

from seq2seq.applications.base import SHOWN, Application, E
from seq2seq.arrays import float_codes, hash_rows
from seq2seq.config import Config, DataConfig, Extra
from seq2seq.dataset import Portion
from seq2seq.drawing import Note
from seq2seq.encodings.names import require_keepable
from seq2seq.errors import UsageError, require
from seq2seq.memory import named_sizes, of_parameters, require_memory
from seq2seq.rows import Rows, RowsDataset
from seq2seq.splitting import split_by_key
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.tables import ColumnsTask
from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.applications.rows_learning import RowsValidator
    from seq2seq.engine.options import TrainingConfig
    from seq2seq.engine.samplers import Sampler
    from seq2seq.models.rows import RowsModel
    from seq2seq.mx import Device

FEWEST = 3  # rows: to train on, to choose by, to test


class RowsApplication(Application[E]):
    """Experiments on the rows of a table: see `Application` for the methods.

    Attributes
    ----------
    models : tuple of str
        The models for such rows, the first by default.
    """

    models: ClassVar[tuple[str, ...]]
    predicted: ClassVar[str]  # the array of what is predicted

    # What an application of rows defines -----------------------------------------------------------------------------

    @abstractmethod
    def encode(self, task: Any, rows: Array) -> Any:
        """Make the encoding from the rows that are trained on.

        Parameters
        ----------
        task : ColumnsTask
        rows : ndarray of int
            Positions in the table.
        """

    @abstractmethod
    def arrays(self, task: Any, encoding: Any) -> dict[str, Array]:
        """All rows of a table as the inputs of a model, by name."""

    @abstractmethod
    def known(self, encoding: Any, arrays: Mapping[str, Array]) -> Array:
        """Whether each row has only names that are trained on, and can be learned, bool, shape (N,)."""

    @abstractmethod
    def names(self, encoding: Any) -> tuple[str, ...]:
        """Names of the values that `values` computes."""

    @abstractmethod
    def values(self, encoding: Any, outputs: Array, targets: Array) -> dict[str, float]:
        """Compute the validation values of an epoch.

        Parameters
        ----------
        encoding
        outputs : ndarray, shape (N,) or (N, C)
            What the model predicts.
        targets : ndarray, shape (N,)

        Returns
        -------
        dict of str to float
        """

    @abstractmethod
    def metric(self, values: Mapping[str, Any]) -> str:
        """Format the main metric for a line of progress, from `values`."""

    @abstractmethod
    def samples(self, encoding: Any, rows: Rows, outputs: Array) -> list[str]:
        """Lines for a person to read: some rows, their outputs and what is right."""

    @abstractmethod
    def evaluate_rows(self, solver: Any, task: Any) -> Any:
        """Score a run on all rows of another table.

        Parameters
        ----------
        solver : EstimatingRun
        task : ColumnsTask
            The other table.

        Returns
        -------
        GivenRatings or GivenRows

        Raises
        ------
        UsageError
            If the table cannot be read.
        RunError
            If the run's own table cannot be read.
        """

    # What all of them have in common ---------------------------------------------------------------------------------

    def describe(self, config: Config, examples: int) -> str:
        from seq2seq.options import lacking

        return f"{examples} rows of {config.task.name}: {self.chosen_values(config, lacking(config))}"

    def model_name(self, task: Task, model: str) -> str:
        return self.models[0] if model == "auto" else model

    def require_model(self, task: Task, model: str, application: str) -> None:
        if application != self.name:
            known = ", ".join(self.models)
            raise UsageError(f"model: {model} does not read {task.name}; they are read by one of {known}")

    def make_codec(self, config: Config) -> Any:
        from seq2seq.models import model_class

        task = cast("ColumnsTask", config.task)
        self.require_model(task, config.model.model, model_class(task, config.model).application)
        if task.encoding is not None:
            return task.encoding
        if not task.is_kept:
            task.require_learnable()
        encoding = self.encode(task, self._split(task, config.data, config.data_seed)[0])
        require_keepable(encoding, task.name)
        return encoding

    def require_startable(self) -> None:
        raise UsageError("start_from: does not go with rows of a table: its embeddings belong to its own names")

    def require_memory(self, config: Config, codec: Any) -> None:
        require_memory(named_sizes(config), of_parameters(config, codec))

    def build_dataset(
        self, task: Task, config: DataConfig, seed: int, codec: Any, extra: Sequence[Extra], note: Note
    ) -> RowsDataset:
        table = cast("ColumnsTask", task)
        rows = self._split(table, config, seed)
        encoding = self.encode(table, rows[0])
        everything = self.rows(table, encoding)
        train, validation, test = (everything.take(part) for part in rows)
        held_out = np.concatenate([self._questions(part) for part in (validation, test)])
        mixed = tuple(self._mixed(each, encoding, held_out) for each in extra)
        return RowsDataset(encoding, train, validation, test, mixed)

    def trained_on(self, dataset: RowsDataset, rows: Rows) -> float:
        """The fraction of rows whose question was trained on, whatever its answer was."""
        trained = [dataset.train, *(portion.examples for portion in dataset.mixed)]
        return float(np.isin(self._questions(rows), np.concatenate([*map(self._questions, trained)])).mean())

    def report_pairs(self, evaluation: Any) -> list[str]:
        lines: list[str] = evaluation.lines
        return lines

    def rows(self, task: ColumnsTask, encoding: Any) -> Rows:
        """All rows of a table."""
        return Rows(self.arrays(task, encoding), np.arange(task.count))

    def _mixed(self, extra: Extra, encoding: Any, held_out: Array) -> Portion:
        """The rows of another table with a share of every batch, without those that are held out, or have a name that
        the table itself does not train on."""
        require(extra.share is not None, "extra", extra.shown, "one with a share where a table is read")
        require(extra.task.application == self.name, "mix", extra.task.name, "a task of the same kind")
        rows = self.rows(cast("ColumnsTask", extra.task), encoding)
        excluded = np.isin(self._questions(rows), held_out)
        unknown = ~excluded & ~self.known(encoding, rows.arrays)
        allowed = np.flatnonzero(~excluded & ~unknown)
        wanted = "a table with rows of known names and in range that are not held out"
        require(len(allowed) > 0, "mix", extra.shown, wanted)
        assert extra.share is not None
        return Portion(rows.take(allowed), extra.share, int(excluded.sum()), int(unknown.sum()))

    def _questions(self, rows: Rows) -> Array:
        """A hash of the inputs of each row, without what is predicted, shape (N,)."""
        parts = [array.reshape(len(rows), -1) for name, array in rows.arrays.items() if name != self.predicted]
        return hash_rows(np.concatenate([float_codes(part) for part in parts], axis=1))

    def _split(self, task: ColumnsTask, config: DataConfig, seed: int) -> tuple[Array, Array, Array]:
        """Positions of the training, validation and test rows."""
        require(config.split in task.keys, "split", config.split, f"{' or '.join(task.keys)} for {task.name}")
        require(config.examples is None, "examples", config.examples, "absent where a table is read: all of it is used")
        n = task.count
        if n < FEWEST:
            raise UsageError(f"{task.name}: has {n} rows, but three are the least: to train on, to choose by, to test")
        keys = task.key(np.arange(n), config.split)
        return split_by_key(keys, config.validation, config.test, np.random.default_rng((seed, 0)))

    def examples(self, task: Task, pairs: Pairs | Iterable[tuple[str, str]], codec: Any) -> NoReturn:
        raise UsageError("pairs: the rows of a table are read, and there are none")

    def make_sampler(self, model: RowsModel, codec: Any, dataset: RowsDataset, config: TrainingConfig) -> Sampler:
        from seq2seq.engine.samplers import Bucketed, Mixed

        if dataset.mixed:
            shares = [portion.share for portion in dataset.mixed]
            sources = [dataset.train.arrays, *(portion.examples.arrays for portion in dataset.mixed)]
            return Mixed(model, sources, [1 - sum(shares), *shares], config.batch_size)
        return Bucketed(model, dataset.train.arrays, config.batch_size, rows=config.examples_per_epoch)

    def make_validator(self, model: RowsModel, codec: Any, examples: Rows, device: Device, name: str) -> RowsValidator:
        from seq2seq.applications.rows_learning import RowsValidator

        return RowsValidator(self, model, examples, device, name)


def held_out(fraction: float, n: int) -> float | int:
    """A fraction of n rows, or one row if that would be none."""
    return fraction if round(fraction * n) else 1


def shown_rows(rows: Rows) -> Rows:
    """The first rows, as many as are shown."""
    return rows.take(slice(0, SHOWN))


def rmse(outputs: Array, targets: Array) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((np.asarray(outputs, np.float64) - targets) ** 2)))
