"""The networks that people train: their data, initial weights and settings, for all contestants."""

from __future__ import annotations

import importlib.util
import json
import pydoc_data.topics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from problems import ADAM

from seq2seq import Config, Text, export, train
from seq2seq.applications import application_of
from seq2seq.applications.learning import make_trainer
from seq2seq.config import PRESETS
from seq2seq.dataset import Dataset, build_dataset
from seq2seq.engine.callbacks import Callback
from seq2seq.engine.samplers import Bucketed, Sampler
from seq2seq.engine.schedules import learning_rate
from seq2seq.engine.trainer import Trainer
from seq2seq.models import AlignedModel, Model, make_codec, make_model
from seq2seq.recipes import find_recipe, load_recipe
from seq2seq.runs import Run
from seq2seq.tasks import TASKS
from seq2seq.tasks.pairs import PairsTask
from seq2seq.tasks.pronunciation import PACKAGE
from seq2seq.typing import Array

# The losses of two epochs are compared: no dropout, and a low rate. At 0.001, training amplifies rounding: within 670
# steps of the default network, JAX with one thread and with two then differ by 1.5%.
COMPARABLE: dict[str, Any] = {
    **ADAM, "learning_rate": 1e-4, "dropout": 0.0, "schedule": "constant", "warmup_steps": 0, "show_every": 0,
}  # fmt: skip
PAIRS = 10_000
WORDS = 20_000  # made where the dictionary is not installed


class Used(NamedTuple):
    """A network and what it is trained on.

    Attributes
    ----------
    config : callable
        From a file of text, or None, to the configuration as a user has it.
    examples : int, optional
        The number of examples that are trained on in `networks`; by default all.
    has_data : callable
        From a file of text, or None, to whether the data of the held-out score are there.
    """

    config: Callable[[Path | None], Config]
    examples: int | None = None
    has_data: Callable[[Path | None], bool] = lambda text: True


def _default(text: Path | None) -> Config:
    return PRESETS["default"]


def _pairs(text: Path | None) -> Config:
    """The options chosen for pairs of strings, here dates as people write them and in ISO form."""
    task = TASKS["dates"]()
    pairs = task.shown(task.sample(PAIRS, np.random.default_rng(0)))
    given = PairsTask.of(dict(pairs).items())
    return application_of(given).choose(given, {})


def _has_dictionary(text: Path | None) -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


def _pronunciation(text: Path | None) -> Config:
    """The recipe, on the dictionary or, where that is not installed, on words made up with letters for phonemes."""
    config = load_recipe(find_recipe("pronunciation")).config
    if _has_dictionary(text):
        return config
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice([*"abcdefghijklmnopqrstuvwxyz"], rng.integers(4, 13))) for _ in range(WORDS)]
    given = PairsTask.of({word: word.upper()[::-1] for word in words}.items())
    return replace(config, task=given, data=replace(config.data, examples=None, test=1000))


def _text(model: str) -> Callable[[Path | None], Config]:
    def config(text: Path | None) -> Config:
        """The options chosen for a text: a file or, for speed alone, the manual that comes with Python."""
        manual = "\n".join(pydoc_data.topics.topics.values())
        task = Text(path=str(text)) if text else Text(given=manual)
        return application_of(task).choose(task, {"model": model})

    return config


def _aligned(text: Path | None) -> Config:
    return load_recipe(find_recipe("calculator")).config


NETWORKS = {
    "attention 96, default": Used(_default),
    "attention 128, pairs": Used(_pairs),
    "attention 256, pronunciation": Used(_pronunciation, 3_000, _has_dictionary),
    # Windows of 40 characters. The score is that of one text, which has to be given.
    "gru 256, text": Used(_text("gru"), 2_560, lambda text: text is not None),
    "lstm 256, text": Used(_text("lstm"), 2_560),
    "aligned 128, calculator": Used(_aligned, 10_000),
}


class Prepared(NamedTuple):
    """Everything that a trainer is made from."""

    config: Config
    model: Model
    dataset: Dataset
    sampler: Sampler


def prepare(
    name: str, text: Path | None, examples: int | None = None, comparable: bool = True, lstm: str = "mxnet"
) -> Prepared:
    """Prepare the training of a network.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    text : Path, optional
        The text for models of a text.
    examples : int, optional
        An upper bound on the examples trained on.
    comparable : bool
        Whether the losses are to be compared, with one validation example; otherwise all is as in the recipe.
    lstm : str
        As in `TrainingConfig`.
    """
    used = NETWORKS[name]
    config = used.config(text).with_options(lstm=lstm)
    if comparable:
        config = config.with_options(**COMPARABLE)
    codec = make_codec(config.task, config.data, config.model, config.extra)
    dataset = build_dataset(config.task, config.data, config.data_seed, codec, config.extra)
    if comparable:
        most = min(len(dataset.train), used.examples or PAIRS**2, examples or PAIRS**2)
        first = np.arange(1)
        dataset = replace(dataset, train=dataset.train.take(np.arange(most)), validation=dataset.validation.take(first))
    model = make_model(config.task, config.model, codec)
    sampler = application_of(config.task).make_sampler(model, codec, dataset, config.training)
    return Prepared(config, model, dataset, sampler)


def trainer_of(prepared: Prepared, seed: int = 0, callbacks: Sequence[Callback] = ()) -> Trainer:
    """The public Trainer, made as by `seq2seq.train`, but without a run folder."""
    config, model, dataset, sampler = prepared
    return make_trainer(model, dataset.codec, dataset, config.training, seed=seed, sampler=sampler, callbacks=callbacks)


# Files ----------------------------------------------------------------------------------------------------------------


def network_problem(folder: Path, name: str, text: Path | None, examples: int | None) -> Path:
    """The data and initial weights of a training whose losses are compared."""
    prepared = prepare(name, text, examples)
    path = folder / f"network-{name.replace(', ', '-').replace(' ', '-')}.npz"
    _write(path, prepared, trainer_of(prepared).weights)
    return path


def held_out_problem(folder: Path, name: str, text: Path | None, seed: int) -> Path:
    """The data of a training with its own recipe, and the initial weights for a seed."""
    prepared = prepare(name, text, comparable=False)
    path = folder / f"held-out-{name.replace(', ', '-').replace(' ', '-')}.npz"
    _write(path, prepared, trainer_of(prepared, seed).weights)
    return path


def default_answers_problem(folder: Path, questions: int, epochs: int) -> tuple[Path, Path]:
    """Sums of two numbers, which a run of the default network answers in one step; and the run."""
    name = "attention 96, default"
    run = folder / f"run-default-{epochs}"
    if not (run / "onnx").exists():
        train(run_dir=run, preset="default", epochs=epochs, progress=False, resume=True)  # if it was stopped before
        export(run, run / "onnx")
    weights, _ = Run(run).read_arrays("best.safetensors")
    rng = np.random.default_rng(1)
    first, second = rng.integers(1, 100, (2, questions))
    strings = [f"{a}+{b}" for a, b in zip(first.tolist(), second.tolist())]
    path = folder / f"answers-default-{epochs}.npz"
    _write(path, prepare(name, None), weights, strings)
    return path, run


def _write(path: Path, prepared: Prepared, weights: dict[str, Array], strings: Sequence[str] = ()) -> None:
    config, model, dataset, sampler = prepared
    bucket, widths = _buckets(prepared)
    arrays = {f"weight.{name}": array for name, array in weights.items()}
    for part, examples in (("", dataset.train), ("validation_", dataset.validation)):
        arrays[f"{part}sources"] = examples.sources
        arrays[f"{part}targets"] = examples.targets
        arrays[f"{part}learned"] = model.learned(examples.sources, examples.targets)
    training = config.training
    updates = training.epochs * sampler.batches
    settings = {
        "kind": "text" if model.stateful else "aligned" if config.model.model == "aligned" else "attention",
        "hidden": config.model.hidden_size, "vocabulary": model.vocabulary_size, "pad": model.pad,
        "dropout": config.model.dropout, "label_smoothing": config.model.label_smoothing,
        "target_length": model.target_length, "channels": AlignedModel.channels,
        "stateful": model.stateful, "stacks": _stacks(config, model), "characters": dataset.codec.characters,
        "reverse_target": config.data.reverse_target, "widths": list(dataset.codec.widths),
        "batch": training.batch_size, "clip_norm": training.clip_norm, "weight_decay": training.weight_decay,
        "epsilon": training.epsilon, "examples_per_epoch": sampler.rows,
    }  # fmt: skip
    rates = [learning_rate(training, update, updates) for update in range(1, updates + 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.tmp", "wb") as file:
        np.savez(
            file, **arrays, bucket=bucket, bucket_widths=widths, rates=np.array(rates), strings=np.array(strings, str),
            settings=np.array(json.dumps(settings)),
        )  # fmt: skip
    Path(f"{path}.tmp").replace(path)


def _buckets(prepared: Prepared) -> tuple[Array, Array]:
    """The bucket of each row (N,), and the widths of source and target in each bucket."""
    model, sampler = prepared.model, prepared.sampler
    full = {"source": model.source_length, "target": model.target_length}
    if not isinstance(sampler, Bucketed):
        return np.zeros(len(sampler.arrays["source"]), np.int64), np.array([[*full.values()]])
    return sampler.bucket, np.array([[*{**full, **widths}.values()] for widths in sampler.widths])


def _stacks(config: Config, model: Model) -> dict[str, dict[str, Any]]:
    """The recurrent stacks by name: cell, size of what the first layer reads, units, layers and directions."""
    own = config.model
    size = model.vocabulary_size
    directions = 2 if own.bidirectional else 1
    stack = {"cell": own.cell, "read": size, "hidden": own.hidden_size, "layers": own.layers, "directions": directions}
    if model.stateful:
        return {"rnn": {**stack, "cell": own.model, "read": own.embedding, "directions": 1}}
    if own.model == "aligned":
        return {"transducer": {**stack, "read": AlignedModel.channels * size}}
    return {"encoder": stack, "decoder": {**stack, "hidden": own.hidden_size * directions, "directions": 1}}
