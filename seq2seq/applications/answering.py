"""The application for tasks of pairs: it maps sources to answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.applications import reports
from seq2seq.applications.base import SHOWN, epochs_for
from seq2seq.applications.many import build_many
from seq2seq.applications.pairs import build_pairs, encode, hashes_read
from seq2seq.applications.strings import StringApplication
from seq2seq.config import Config, DataConfig, Extra, ModelConfig
from seq2seq.dataset import Dataset, Examples
from seq2seq.drawing import DRAWN, LISTED, Note
from seq2seq.engine.options import TrainingConfig
from seq2seq.errors import UsageError, quoted, require
from seq2seq.options import lacking
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.pairs import PairsTask
from seq2seq.tasks.stepwise import in_place, stepwise
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

if TYPE_CHECKING:
    from seq2seq.decoding import Answers
    from seq2seq.evaluation import Evaluation
    from seq2seq.models import Model
    from seq2seq.solver import Solver

HELD_OUT = 0.1  # fraction of the examples held out for the test, and the same for validation, ...
MOST_VALIDATION = 2000  # ... but at most this number for validation ...
MOST_TEST = 5000  # ... and this number for the test
PASSES = 600_000  # examples read in all epochs together; it determines the number of epochs ...
EPOCHS = (10, 200)  # ... between these limits


class Answering(StringApplication["Evaluation"]):
    """Tasks of pairs: see `Application` for the methods."""

    name = "answering"
    chosen = (
        "examples", "validation", "test", "model", "hidden_size", "layers", "epochs", "batch_size", "learning_rate",
    )  # fmt: skip
    measured = ("loss", "exact_match")
    best_by = (("validation_exact_match", "max"), ("validation_loss", "min"))
    unpublished = ("n", "overlap")

    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        n = options.get("examples") or how_many(task)
        if n < 3:
            raise UsageError(f"{task.name}: has {n} pairs, but three are the least: to train on, to choose by, to test")
        validation, test = (max(1, min(round(HELD_OUT * n), most)) for most in (MOST_VALIDATION, MOST_TEST))
        return Config(
            task=task,
            data=DataConfig(examples=n if task.used_whole else None, validation=validation, test=test),
            model=ModelConfig(model="attention", hidden_size=128, layers=1, position_bias=True),
            training=TrainingConfig(
                epochs=epochs_for(PASSES, n - validation - test, EPOCHS), batch_size=64, learning_rate=0.004
            ),
        )

    def describe(self, config: Config, examples: int) -> str:
        task = config.task
        lengths = f"sources up to {task.source_length}, targets up to {task.target_length} symbols"
        return f"{examples} examples of {task.name}, {lengths}: {self.chosen_values(config, lacking(config))}"

    def model_name(self, task: Task, model: str) -> str:
        if model != "auto":
            return model
        return "transducer" if in_place(task) else "attention" if stepwise(task) else "repeat"

    def require_model(self, task: Task, model: str, application: str) -> None:
        if application != self.name:
            what = "a text" if application == "language" else "a table"
            raise UsageError(f"model: {model} reads {what}, which {quoted(task, 200)} is not")

    def how_many_at_most(self, task: Task, config: DataConfig) -> int:
        return config.examples or min(LISTED, task.count or DRAWN)

    def build_dataset(
        self, task: Task, config: DataConfig, seed: int, codec: Codec, extra: Sequence[Extra], note: Note
    ) -> Dataset:
        if task._many is not None:
            return build_many(task, task._many, config, seed, codec, extra)
        return build_pairs(task, config, seed, codec, extra, note)

    def examples(self, task: Task, pairs: Pairs | Iterable[tuple[str, str]], codec: Codec) -> Examples:
        """Encode pairs as validation examples; for a task that works in steps, the steps of the pairs."""
        if not isinstance(pairs, Pairs):
            require(isinstance(pairs, Iterable), "pairs", pairs, "pairs of strings")
            given = PairsTask.of(pairs).given or ()
            pairs = task.written([(task.normalise(source), target) for source, target in given])
        require(len(pairs) > 0, "pairs", [], "one or more")
        steps = stepwise(task)
        return encode(steps.steps_of(pairs) if steps else pairs, codec)

    def questions(self, dataset: Dataset, read: Codec, task: Task, codec: Codec, key: str) -> Array | None:
        return hashes_read(dataset, read, task, codec, key)

    def values(self, answers: Answers, targets: Array) -> dict[str, float]:
        return {"loss": answers.loss, "exact_match": float(exact(answers, targets).mean())}

    def metric(self, values: Mapping[str, Any]) -> str:
        return f"exact match {values['exact_match']:.3f}"

    def samples(
        self,
        model: Model,
        codec: Codec,
        validation: Examples,
        answers: Answers,
        weights: dict[str, Array],
        device: Any,
        seed: int,
        epoch: int,
    ) -> list[str]:
        """The first validation questions with the model's answers, ✓ or ✗, and after ✗ the right answer."""
        right = exact(answers, validation.targets[:, : answers.ids.shape[1]])[:SHOWN]
        sources = codec.decode_sources(validation.sources[:SHOWN])
        targets = codec.decode_targets(validation.targets[:SHOWN])
        written = codec.decode_targets(answers.ids[:SHOWN])
        width = max(map(len, sources))
        return [
            f"{source:>{width}} -> {answer} " + ("✓" if good else f"✗ ({target})")
            for source, answer, target, good in zip(sources, written, targets, right)
        ]

    @property
    def opens(self) -> type[Solver]:
        from seq2seq.solver import Solver

        return Solver

    def evaluate(self, solver: Solver, samples: int, seed: int) -> Evaluation:
        from seq2seq.evaluation import evaluate

        return evaluate(solver.unmarked, solver.dataset, solver.task, samples, seed)

    def summary(self, evaluation: Evaluation) -> list[str]:
        return reports.summary_of_answers(evaluation)

    def report(self, evaluation: Evaluation) -> list[str]:
        return reports.report_of_answers(evaluation)

    def hub_task(self, published: Mapping[str, float]) -> str:
        return "text2text-generation"

    def to_try(self, example: str) -> tuple[str | None, str]:
        return None, example


def how_many(task: Task) -> int:
    """The number of examples: all pairs of a file or a small task, or a fixed number for a large task."""
    if task.count is not None:
        return task.count if task.used_whole else min(task.count, DRAWN)
    return len(task.sample_up_to(DRAWN, np.random.default_rng(0)))


def exact(answers: Answers, targets: Array) -> Array:
    """Whether each answer has every character right.

    Parameters
    ----------
    answers : Answers
    targets : ndarray of int, shape (N, T)

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    return (answers.ids == targets).all(axis=1)
