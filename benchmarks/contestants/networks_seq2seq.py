"""This library on the networks that people train, through its public classes and with its defaults."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import network_problems
from network_worker import NetworkContestant, NetworkProblem
from worker import serve

from seq2seq import Solver
from seq2seq.engine.callbacks import Callback


class Watch(Callback):
    """Records the score of every epoch, and ends the training when it reaches the target or after the last epoch."""

    def __init__(self, target: float, most_epochs: int) -> None:
        self.target, self.most_epochs, self.started = target, most_epochs, time.perf_counter()
        self.rows: list[dict[str, float]] = []
        self.trainer: Any = None

    def on_start(self, start: Any) -> None:
        self.trainer = start.trainer

    def on_epoch(self, row: dict[str, Any]) -> None:
        text = self.trainer.network.stateful
        score = -row["validation_loss"] if text else row["validation_exact_match"]
        self.rows.append({"seconds": time.perf_counter() - self.started, "exact_match": score})
        if score >= self.target or len(self.rows) >= self.most_epochs:
            self.trainer.stop()


class Library(NetworkContestant):
    def prepare_training(self) -> None:
        self.trainer = network_problems.trainer_of(self._prepared(comparable=True))

    def _prepared(self, comparable: bool) -> network_problems.Prepared:
        options = self.options
        text = Path(options["text"]) if options["text"] else None
        lstm = self.variant.get("lstm", "mxnet")
        return network_problems.prepare(options["name"], text, options.get("examples"), comparable, lstm)

    def train(self, epochs: int) -> list[float]:
        trainer = self.trainer
        trainer.config = replace(trainer.config, epochs=trainer.state.epoch + epochs)
        return [row["train_loss"] for row in trainer.fit()[-epochs:]]

    def prepare_answers(self) -> None:
        self.solver = Solver(self.options["run"], engine=self.variant["engine_for_answers"])

    def answer_strings(self, strings: list[str]) -> list[str]:
        return [self.solver(strings[0])] if len(strings) == 1 else self.solver(strings)

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        prepared = self._prepared(comparable=False)
        watch = Watch(target, most_epochs)
        network_problems.trainer_of(prepared, self.options["seed"], [watch]).fit()
        return watch.rows


if __name__ == "__main__":
    serve(Library, NetworkProblem)
