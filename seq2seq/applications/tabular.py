"""The application for tables: one column is predicted from the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seq2seq.applications.base import epochs_for
from seq2seq.applications.rows import RowsApplication, held_out, shown_rows
from seq2seq.config import Config, DataConfig, ModelConfig
from seq2seq.encodings.table import TableEncoding, Target
from seq2seq.engine.options import TrainingConfig
from seq2seq.errors import UsageError, short
from seq2seq.options import TABLE_MODELS
from seq2seq.rows import Rows
from seq2seq.table_evaluation import GivenRows, TableEvaluation, score_rows
from seq2seq.tasks import Task
from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.estimator import Estimator
    from seq2seq.tasks.table import Table

HELD_OUT = 0.05  # fraction of the rows held out to choose the best epoch ...
TEST = 0.1  # ... and to report results
PASSES = 1_500_000  # rows read in all epochs together; it determines the number of epochs ...
EPOCHS = (5, 200)  # ... between these limits
BATCHES = 50  # batches per epoch, about; it determines the batch size ...
BATCH_SIZES = (16, 512)  # ... between these limits


class TabularApplication(RowsApplication[TableEvaluation]):
    """Tables: see `Application` for the methods."""

    name = "tabular"
    chosen = (
        "validation", "test", "split", "model", "hidden_size", "layers", "dropout", "embedding", "epochs", "batch_size",
        "learning_rate",
    )  # fmt: skip
    measured = ("loss",)
    best_by = (("validation_loss", "min"),)
    predicted = "target"
    models = TABLE_MODELS

    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        table = cast("Table", task)
        n = table.count
        least, most = BATCH_SIZES
        return Config(
            task=task,
            data=DataConfig(validation=held_out(HELD_OUT, n), test=held_out(TEST, n), split=_split(table)),
            model=ModelConfig(model="tabular", hidden_size=128, layers=2),
            training=TrainingConfig(
                epochs=epochs_for(PASSES, n, EPOCHS),
                batch_size=max(least, min(most, n // BATCHES)),
                learning_rate=0.005,
            ),
        )

    def encode(self, task: Table, rows: Array) -> TableEncoding:
        return task.encode(rows)

    def arrays(self, task: Table, encoding: TableEncoding) -> dict[str, Array]:
        return task.arrays(encoding)

    def known(self, encoding: TableEncoding, arrays: Mapping[str, Array]) -> Array:
        classes = encoding.target.classes
        known = arrays["target"] < len(classes) if classes else np.ones(len(arrays["target"]), bool)
        return known & self.named(encoding, arrays)

    def named(self, encoding: TableEncoding, arrays: Mapping[str, Array]) -> Array:
        """Whether each row has only categories that are trained on, bool, shape (N,)."""
        if not encoding.categories:
            return np.ones(len(arrays["target"]), bool)
        counts = [len(column.names) for column in encoding.categories]
        return (arrays["categories"] < counts).all(axis=1)

    def names(self, encoding: TableEncoding) -> tuple[str, ...]:
        return ("loss", "accuracy") if encoding.target.classes else ("loss", "rmse")

    def values(self, encoding: TableEncoding, outputs: Array, targets: Array) -> dict[str, float]:
        values = score_rows(encoding.target, outputs, targets, targets).values
        if encoding.target.classes:
            return {"loss": values["nats"], "accuracy": values["accuracy"]}
        return {"loss": (values["rmse"] / encoding.target.scale) ** 2, "rmse": values["rmse"]}

    def metric(self, values: Mapping[str, Any]) -> str:
        return f"accuracy {values['accuracy']:.3f}" if "accuracy" in values else f"RMSE {values['rmse']:.4f}"

    def samples(self, encoding: TableEncoding, rows: Rows, outputs: Array) -> list[str]:
        targets = shown_rows(rows).arrays["target"]
        classes = encoding.target.classes
        if classes:
            best = outputs.argmax(axis=1)
            return [f"{classes[place]} ({classes[int(right)]})" for place, right in zip(best, targets)]
        answers, right = (encoding.target.restored(each) for each in (outputs[: len(targets)], targets))
        return [f"{answer:.6g} ({number:.6g})" for answer, number in zip(answers, right)]

    @property
    def opens(self) -> type[Estimator]:
        from seq2seq.estimator import Estimator

        return Estimator

    def evaluate(self, solver: Estimator, samples: int, seed: int) -> TableEvaluation:
        rng = np.random.default_rng((seed, 2))
        dataset = solver.dataset
        target = dataset.encoding.target
        scores = []
        for part in (dataset.test.some(samples, rng), dataset.train.some(samples, rng)):
            outputs = solver.predict(part.arrays)
            scores.append(score_rows(target, outputs, part.arrays["target"], dataset.train.arrays["target"]))
        held_out, seen = scores
        return TableEvaluation(held_out, seen, _shown(target))

    def evaluate_rows(self, solver: Estimator, task: Table) -> GivenRows:
        encoding = solver.codec
        rows = self.rows(task, encoding)
        targets = rows.arrays["target"]
        classes = encoding.target.classes
        if classes and targets.max() == len(classes):
            columns = task.columns
            place = int(targets.argmax())
            where = f"{columns.place}{columns.lines[place]}"
            raise UsageError(f"{where}: has the class {short(columns.cells[task.target][place])}, which is unknown")
        score = score_rows(encoding.target, solver.predict(rows.arrays), targets, solver.dataset.train.arrays["target"])
        named = self.named(encoding, rows.arrays)
        return GivenRows(score, int((~named).sum()), self.trained_on(solver.dataset, rows), _shown(encoding.target))

    def summary(self, evaluation: TableEvaluation) -> list[str]:
        return evaluation.lines

    def report(self, evaluation: TableEvaluation) -> list[str]:
        return evaluation.lines

    def published(self, scores: Mapping[str, Any]) -> dict[str, float]:
        return dict(scores["values"])

    def hub_task(self, published: Mapping[str, float]) -> str:
        return "tabular-classification" if "accuracy" in published else "tabular-regression"

    def to_try(self, example: str) -> tuple[str | None, str]:
        return None, example


def _shown(target: Target) -> str:
    """The name of what is predicted."""
    return f"log {target.name}" if target.log else target.name


def _split(table: Table) -> str:
    """The key by which a table is split. Where most rows repeat another one, as in a table of a few categories, every
    row counts: else some categories would be held out altogether."""
    asked = np.unique(table.key(np.arange(table.count), "columns"))
    return "columns" if len(asked) > table.count / 2 else "row"
