"""The application for ratings of items by users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seq2seq.applications.base import epochs_for
from seq2seq.applications.rows import RowsApplication, held_out, rmse, shown_rows
from seq2seq.config import Config, DataConfig, ModelConfig
from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.engine.options import TrainingConfig
from seq2seq.options import RATING_MODELS
from seq2seq.ratings_evaluation import GivenRatings, RatingsEvaluation, evaluate_given, evaluate_ratings
from seq2seq.rows import Rows
from seq2seq.tasks import Task
from seq2seq.typing import Array
from seq2seq.values import whole

if TYPE_CHECKING:
    from seq2seq.recommender import Recommender
    from seq2seq.tasks.ratings import Ratings

HELD_OUT = 0.05  # fraction of the ratings held out to choose the best epoch ...
TEST = 0.1  # ... and to report results
PASSES = 900_000  # ratings read in all epochs together; it determines the number of epochs ...
EPOCHS = (5, 100)  # ... between these limits
BATCHES = 60  # batches per epoch, about; it determines the batch size ...
BATCH_SIZES = (16, 1024)  # ... between these limits


class RatingsApplication(RowsApplication[RatingsEvaluation]):
    """Ratings: see `Application` for the methods."""

    name = "ratings"
    chosen = (
        "validation", "test", "split", "model", "embedding", "penalty", "hidden_size", "dropout", "epochs",
        "batch_size", "learning_rate",
    )  # fmt: skip
    measured = ("loss", "rmse")
    best_by = (("validation_loss", "min"),)
    unpublished = ("n", "mean_rmse", "biases_rmse")
    predicted = "rating"
    models = RATING_MODELS

    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        neural = options.get("model") == "neural"
        n = cast("Ratings", task).count
        least, most = BATCH_SIZES
        return Config(
            task=task,
            data=DataConfig(validation=held_out(HELD_OUT, n), test=held_out(TEST, n), split="pair"),
            model=ModelConfig(
                model="neural" if neural else "dot",
                embedding=8,
                penalty=5.0,
                hidden_size=64,
                dropout=0.3 if neural else 0.0,
            ),
            training=TrainingConfig(
                epochs=epochs_for(PASSES, n, EPOCHS),
                batch_size=max(least, min(most, n // BATCHES)),
                learning_rate=0.005 if neural else 0.02,
                clip_norm=0.0,
            ),
        )

    def make_codec(self, config: Config) -> Any:
        encoding = super().make_codec(config)
        whole("embedding", config.model.embedding, 1)
        return encoding

    def encode(self, task: Ratings, rows: Array) -> RatingsEncoding:
        known = task.known
        users, items = (tuple(sorted({names[row] for row in rows})) for names in (known.users, known.items))
        ratings = known.ratings
        return RatingsEncoding(
            users=users,
            items=items,
            least=float(ratings.min()) if task.least is None else float(task.least),
            most=float(ratings.max()) if task.most is None else float(task.most),
            mean=float(ratings[rows].mean()),
            trained=len(rows),
        )

    def arrays(self, task: Ratings, encoding: RatingsEncoding) -> dict[str, Array]:
        return encoding.arrays(*task.known)

    def known(self, encoding: RatingsEncoding, arrays: Mapping[str, Array]) -> Array:
        named = (arrays["user"] < len(encoding.users)) & (arrays["item"] < len(encoding.items))
        return named & (arrays["rating"] >= encoding.least) & (arrays["rating"] <= encoding.most)

    def names(self, encoding: RatingsEncoding) -> tuple[str, ...]:
        return self.measured

    def values(self, encoding: RatingsEncoding, outputs: Array, targets: Array) -> dict[str, float]:
        error = rmse(outputs, targets)
        return {"loss": error**2, "rmse": error}

    def metric(self, values: Mapping[str, Any]) -> str:
        return f"RMSE {values['rmse']:.4f}"

    def samples(self, encoding: RatingsEncoding, rows: Rows, outputs: Array) -> list[str]:
        few = shown_rows(rows)
        users = (*encoding.users, "an unknown user")
        items = (*encoding.items, "an unknown item")
        triples = zip(few.arrays["user"], few.arrays["item"], few.arrays["rating"], outputs)
        return [f"{users[user]}, {items[item]} -> {output:.2f} ({right:g})" for user, item, right, output in triples]

    @property
    def opens(self) -> type[Recommender]:
        from seq2seq.recommender import Recommender

        return Recommender

    def evaluate(self, solver: Recommender, samples: int, seed: int) -> RatingsEvaluation:
        return evaluate_ratings(solver.predict, solver.dataset, samples, np.random.default_rng((seed, 2)))

    def evaluate_rows(self, solver: Recommender, task: Ratings) -> GivenRatings:
        dataset = solver.dataset
        rows = self.rows(task, solver.codec)
        return evaluate_given(solver.predict, dataset, rows, self.trained_on(dataset, rows))

    def summary(self, evaluation: RatingsEvaluation) -> list[str]:
        return evaluation.lines[:4]

    def report(self, evaluation: RatingsEvaluation) -> list[str]:
        return evaluation.lines

    def hub_task(self, published: Mapping[str, float]) -> str:
        return "tabular-regression"

    def to_try(self, example: str) -> tuple[str | None, str]:
        return None, example
