"""The options that a search tries, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from seq2seq.config import Config
from seq2seq.options import lacking

Suggest = Callable[[Any], Any]  # from an optuna.Trial to the value of an option


def space(config: Config, fixed: frozenset[str]) -> dict[str, tuple[Any, Suggest]]:
    """The options to search, each with its value in the first trial and a function that suggests others.

    Parameters
    ----------
    config : Config
        The options from which the search starts.
    fixed : frozenset of str
        Options that keep their values.

    Returns
    -------
    dict of str to (value, callable)
    """
    rate = config.training.learning_rate
    model = config.model
    sizes = [max(1, round(model.hidden_size * factor)) for factor in (0.5, 0.75, 1, 1.5, 2)]
    batches = [max(1, config.training.batch_size // 2), config.training.batch_size, 2 * config.training.batch_size]
    decays = sorted({0.0, 0.0001, 0.001, 0.01, 0.1, config.training.weight_decay})
    layers = range(1, max(3, model.layers) + 1)

    def among(name: str, values: Sequence[Any]) -> Suggest:
        return lambda trial: trial.suggest_categorical(name, sorted(set(values)))

    everything: dict[str, tuple[Any, Suggest]] = {
        "learning_rate": (rate, lambda trial: trial.suggest_float("learning_rate", rate / 8, rate * 4, log=True)),
        "hidden_size": (model.hidden_size, among("hidden_size", sizes)),
        "layers": (model.layers, among("layers", layers)),
        "dropout": (model.dropout, lambda trial: trial.suggest_float("dropout", 0.0, max(0.5, model.dropout))),
        "weight_decay": (config.training.weight_decay, among("weight_decay", decays)),
        "batch_size": (config.training.batch_size, among("batch_size", batches)),
    }
    unused = fixed | set(lacking(config))
    return {name: found for name, found in everything.items() if name not in unused}
