"""The application for texts: character models that predict the next character."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seq2seq.applications import reports
from seq2seq.applications.answering import Answering
from seq2seq.applications.base import SHOWN_CHARACTERS, epochs_for
from seq2seq.applications.strings import StringApplication
from seq2seq.applications.windows import build_windows
from seq2seq.config import Config, DataConfig, Extra, ModelConfig
from seq2seq.dataset import Dataset, Examples
from seq2seq.drawing import Note
from seq2seq.engine.options import TrainingConfig
from seq2seq.errors import UsageError
from seq2seq.options import TEXT_MODELS, lacking
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.text import IN_MEMORY, Text
from seq2seq.text_evaluation import TextEvaluation, evaluate_text
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

if TYPE_CHECKING:
    from seq2seq.decoding import Answers
    from seq2seq.models import CharacterModel, Model
    from seq2seq.writer import Writer

CHARACTERS = 6_000_000  # characters read in all epochs together; it determines the number of epochs ...
TEXT_EPOCHS = (5, 100)  # ... between these limits
STREAM = 1000  # minimum number of characters per row of a batch
HELD_OUT = 0.05  # fraction of the text held out for the test, and the same for validation, ...
MOST_HELD_OUT = 1_000_000  # ... or this number of characters, if the text is not held in memory


class Language(StringApplication[TextEvaluation]):
    """Tasks of the class `Text` or derived from it: see `Application` for the methods."""

    name = "language"
    chosen = (*Answering.chosen, "embedding", "dropout")
    measured = ("loss", "exact_match", "bits")
    best_by = (("validation_loss", "min"),)
    unpublished = ("n", "begin", "end")

    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        model = options.get("model", "gru")
        n = cast(Text, task).scan.characters
        held_out = HELD_OUT if n <= IN_MEMORY else min(MOST_HELD_OUT, round(HELD_OUT * n))
        layers = 1
        dropout = 0.0
        embedding = 42
        if model in ("auto", "lstm", "gru"):
            layers = 2
            dropout = 0.2
        elif model in ("rnn-numpy", "lstm-numpy"):
            embedding = 0
        return Config(
            task=task,
            data=DataConfig(validation=held_out, test=held_out, split="position"),
            model=ModelConfig(model=model, hidden_size=256, layers=layers, embedding=embedding, dropout=dropout),
            training=TrainingConfig(
                epochs=epochs_for(CHARACTERS, n, TEXT_EPOCHS),
                batch_size=max(1, min(64, n // STREAM)),
                learning_rate=0.004,
            ),
        )

    def describe(self, config: Config, examples: int) -> str:
        task = cast(Text, config.task)
        counts = f"{task.scan.characters} characters of {task.name}, {len(task.symbols)} different ones"
        return f"{counts}: {self.chosen_values(config, lacking(config))}"

    def model_name(self, task: Task, model: str) -> str:
        return "gru" if model == "auto" else model

    def require_model(self, task: Task, model: str, application: str) -> None:
        if application != self.name:
            known = ", ".join(TEXT_MODELS)
            raise UsageError(f"model: {model} answers sources, but a text is read by one of {known}")

    def how_many_at_most(self, task: Task, config: DataConfig) -> int:
        return cast(Text, task).scan.characters

    def build_dataset(
        self, task: Task, config: DataConfig, seed: int, codec: Codec, extra: Sequence[Extra], note: Note
    ) -> Dataset:
        return build_windows(cast(Text, task), config, codec, extra)

    def examples(self, task: Task, pairs: Pairs | Iterable[tuple[str, str]], codec: Codec) -> Examples:
        raise UsageError("pairs: a text is read, and has none")

    def values(self, answers: Answers, targets: Array) -> dict[str, float]:
        """Compute the validation values; exact match is the fraction of characters that are predicted correctly."""
        exact_match = float((answers.ids == targets).mean())
        return {"loss": answers.loss, "exact_match": exact_match, "bits": answers.loss / math.log(2)}

    def metric(self, values: Mapping[str, Any]) -> str:
        return f"validation {values['loss']:.4f} ({values['bits']:.3f} bits)"

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
        """A text that the model writes after the first characters of the validation text, as lines."""
        from seq2seq.decoding import Reader, write

        prefix = validation.sources[0]
        rng = np.random.default_rng((seed, 4, epoch))
        drawn = write(Reader(cast("CharacterModel", model), device, weights), prefix, 1.0, 0, rng)
        ids = np.array([*prefix, *islice(drawn, SHOWN_CHARACTERS)])
        return codec.decode_sources(ids[None])[0].split("\n")

    @property
    def opens(self) -> type[Writer]:
        from seq2seq.writer import Writer

        return Writer

    def evaluate(self, solver: Writer, samples: int, seed: int) -> TextEvaluation:
        from seq2seq.mx import alone

        dataset = solver.dataset
        length = cast(Text, solver.task).scan.characters
        with alone:
            return evaluate_text(solver.predictor(len(dataset.test)), dataset, solver.config.data, length, samples)

    def summary(self, evaluation: TextEvaluation) -> list[str]:
        return reports.report_of_text(evaluation)

    def report(self, evaluation: TextEvaluation) -> list[str]:
        return reports.report_of_text(evaluation)

    def hub_task(self, published: Mapping[str, float]) -> str:
        return "text-generation"

    def to_try(self, example: str) -> tuple[str | None, str]:
        return "--continue", example
