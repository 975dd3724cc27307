"""What is chosen for a task that has no preset of its own, from how many examples there are.

The task's own fields and the options that someone gives come first; what is chosen here is told when training begins,
and kept in `config.json` like any other option.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.config import Config, DataConfig, ModelConfig, TrainingConfig
from seq2seq.drawing import DRAWN
from seq2seq.errors import UsageError
from seq2seq.options import lacking
from seq2seq.tasks import Task
from seq2seq.tasks.text import Text

HELD_OUT = 0.1  # of the examples, for the test and for validation each, ...
MOST_VALIDATION, MOST_TEST = 2000, 5000  # ... but no more than these
PASSES = 600_000  # examples that all epochs together go through, ...
EPOCHS = (10, 200)  # ... in no fewer and no more epochs than these
CHARACTERS = 6_000_000  # of a text, that all epochs together go through, ...
TEXT_EPOCHS = (5, 100)  # ... in no fewer and no more epochs than these
STREAM = 1000  # characters of a text that each row of a batch has to itself, at least
CHOSEN = ("examples", "validation", "test", "model", "hidden_size", "layers", "epochs", "batch_size", "learning_rate")
CHOSEN_FOR_TEXT = (*CHOSEN, "embedding", "dropout")


def has_preset(task: Task) -> bool:
    """Whether a task begins from a preset that was tuned on it."""
    return task.preset is not None


def choose(task: Task, options: dict[str, Any]) -> Config:
    """A complete experiment for a task, before the options that were given are set.

    Parameters
    ----------
    task : Task
    options : dict
        Those that were given: of `examples`, `validation` and `test` depends how many are left to train on, and of a
        text's `model` what it is made of.

    Raises
    ------
    UsageError
        If the task has too few pairs to hold any out.
    """
    if isinstance(task, Text):
        return _choose_for_text(task, options.get("model", "gru"))
    n = options.get("examples") or how_many(task)
    if n < 3:
        raise UsageError(f"{task.name}: has {n} pairs, but three are the least: to train on, to choose by, to test")
    validation, test = (max(1, min(round(HELD_OUT * n), most)) for most in (MOST_VALIDATION, MOST_TEST))
    return Config(
        task=task,
        data=DataConfig(examples=n if task.used_whole else None, validation=validation, test=test),
        model=ModelConfig(model="attention", hidden_size=128, layers=1, position_bias=True),
        training=TrainingConfig(
            epochs=_epochs(PASSES, n - validation - test, EPOCHS), batch_size=64, learning_rate=0.004
        ),
    )


def _choose_for_text(task: Text, model: str) -> Config:
    n, layers, dropout, embedding = len(task.text), 1, 0.0, 42
    if model in ("auto", "lstm", "gru"):
        layers, dropout = 2, 0.2
    elif model in ("rnn-numpy", "lstm-numpy"):
        embedding = 0
    return Config(
        task=task,
        data=DataConfig(validation=0.05, test=0.05, split="position"),
        model=ModelConfig(model=model, hidden_size=256, layers=layers, embedding=embedding, dropout=dropout),
        training=TrainingConfig(
            epochs=_epochs(CHARACTERS, n, TEXT_EPOCHS), batch_size=max(1, min(64, n // STREAM)), learning_rate=0.004
        ),
    )


def _epochs(passes: int, n: int, limits: tuple[int, int]) -> int:
    """In how many epochs about so much is gone through."""
    least, most = limits
    return max(least, min(most, round(passes / n)))


def how_many(task: Task) -> int:
    """How many examples there will be: all of a file or of a small task, so many of a large one."""
    if task.count is not None:
        return task.count if task.used_whole else min(task.count, DRAWN)
    return len(task.sample_up_to(DRAWN, np.random.default_rng(0)))


def told(config: Config, examples: int) -> str:
    """What was chosen, in a line."""
    values = {**vars(config.data), **vars(config.model), **vars(config.training)}
    task = config.task
    names = CHOSEN_FOR_TEXT if isinstance(task, Text) else CHOSEN
    unused = {"examples", *lacking(config)}
    chosen = ", ".join(f"{name} {values[name]}" for name in names if name not in unused)
    if isinstance(task, Text):
        return f"{len(task.text)} characters of {task.name}, {len(task.symbols)} different ones: {chosen}"
    lengths = f"sources up to {task.source_length}, targets up to {task.target_length} symbols"
    return f"{examples} examples of {task.name}, {lengths}: {chosen}"
