"""This library, through its public classes and with its defaults: no variants, no environment variables."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Any

import problems
from worker import Array, Contestant, serve

from seq2seq import Solver
from seq2seq.decoding import make_predictor
from seq2seq.models import make_model
from seq2seq.progress import Progress


class Reached(Exception):
    """The exact match on held-out examples has reached the target."""


class Watch(Progress):
    """Records the exact match of every epoch, and ends the training when it reaches the target."""

    def __init__(self, target: float) -> None:
        self.target, self.started = target, time.perf_counter()
        self.rows: list[dict[str, float]] = []

    def on_epoch(self, row: dict[str, Any]) -> None:
        exact = row["validation_exact_match"]
        self.rows.append({"seconds": time.perf_counter() - self.started, "exact_match": exact})
        if exact >= self.target:
            raise Reached


class Library(Contestant):
    def prepare_training(self) -> None:
        self.trainer = problems.notebook_trainer(
            self.problem.hidden, self.batch, len(self.problem.sources), self.variant.get("lstm", "mxnet")
        )

    def train(self, epochs: int) -> list[float]:
        trainer = self.trainer
        trainer.config = replace(trainer.config, epochs=trainer.state.epoch + epochs)
        return [row["train_loss"] for row in trainer.fit()[-epochs:]]

    def prepare_answers(self) -> None:
        self.solver = Solver(self.options["run"])
        weights, _ = self.solver.run.read_arrays("best.safetensors")
        model = make_model(self.solver.task, self.solver.config.model, self.solver.codec)
        self.predictors = {size: make_predictor(model, size, self.solver.device, weights) for size in (1, self.batch)}

    def answer(self, sources: Array) -> Array:
        return self.predictors[1 if len(sources) == 1 else self.batch].answer(sources).ids

    def answer_strings(self, strings: list[str]) -> list[str]:
        return [self.solver(strings[0])] if len(strings) == 1 else self.solver(strings)

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        watch = Watch(target)
        with contextlib.suppress(Reached):
            problems.addition_trainer(self.options["examples"], most_epochs, watch).fit()
        return watch.rows


if __name__ == "__main__":
    serve(Library)
