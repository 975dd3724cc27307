"""Starting a training from the weights of another run (fine-tuning).

The network is that of the other run. Its vocabulary may have other symbols: the values that belong to a symbol, which
are its columns of the input weights and its row of the output layer, are copied for symbols that both runs have, and
are initial ones for new symbols. All other weights are copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from seq2seq.applications import application_of
from seq2seq.config import Config, Start
from seq2seq.dataset import Dataset
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.updater import Updater
from seq2seq.ensemble import Ensemble
from seq2seq.errors import UsageError, quoted, require
from seq2seq.models import Model
from seq2seq.mx import Device, alone
from seq2seq.options import lacking, model_name
from seq2seq.places import PathLike
from seq2seq.runs import digest_of
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

# The options that both runs must have in common; others of the network do not change its weights or what they mean.
SAME = (
    "model", "cell", "hidden_size", "layers", "bidirectional", "position_bias", "embedding", "activation",
    "reverse_target",
)  # fmt: skip


class StartingPoint:
    """A run from whose weights another starts.

    Parameters
    ----------
    run : path or Solver
        A path is opened with its best weights.
    device : str
        As for `Solver`.

    Raises
    ------
    UsageError
        If it is an ensemble.
    RunError
        If it cannot be opened.
    """

    def __init__(self, run: PathLike | Solver, device: str) -> None:
        self.solver = run if isinstance(run, Solver) else Solver(run, device)
        require(not isinstance(self.solver, Ensemble), "start_from", run, "one run, not an ensemble")
        self.shown = self.solver.shown
        if self.solver.engine != "mxnet":
            raise UsageError(f"start_from: {self.shown} answers by onnx: an export cannot be trained on; give its run")

    @property
    def config(self) -> Config:
        """The options of the run, with its model by name."""
        config = self.solver.config
        model = replace(config.model, model=model_name(config.task, config.model.model))
        training = replace(config.training, lstm=TrainingConfig.lstm)  # how a run is computed is its own choice
        return replace(config, model=model, training=training, start=None)

    def with_network(self, config: Config) -> Config:
        """A configuration with the options of this run's network."""
        own = self.config
        data = replace(config.data, reverse_target=own.data.reverse_target)
        return replace(config, model=own.model, data=data)

    def require_same_network(self, config: Config) -> None:
        """Raise a `UsageError` that names an option, unless a configuration has the network of this run."""
        task = config.task
        if task.application != self.solver.task.application:
            raise UsageError(f"start_from: {self.shown} is a run of {self.solver.task.name}, unlike {task.name}")
        asked, own = (
            {**vars(each.data), **vars(each.model), "model": model_name(each.task, each.model.model)}
            for each in (config, self.config)
        )
        unused = lacking(self.config)
        for name in SAME:
            if name not in unused and asked[name] != own[name]:
                allowed = f"{quoted(own[name])} as in {self.shown}, from which it starts"
                require(False, name, asked[name], allowed)

    def weights(self, model: Model, codec: Codec, config: Config, device: Device) -> dict[str, Array]:
        """The weights with which a network starts: see the module.

        Parameters
        ----------
        model : Model
        codec : Codec
        config : Config
            Of the new run; `require_same_network` has accepted it.
        device : mxnet.Context

        Returns
        -------
        dict of str to ndarray

        Raises
        ------
        UsageError
            If the network has other shapes, or does not say which of its weights belong to which symbol.
        """
        with alone:
            updater = model.updater(config.training, config.seed, device)
            first = (updater or Updater(model, config.training, config.seed, device)).weights
        own = self.solver
        return transferred(own.model(own.codec), own.codec, own.weights, model, codec, first, self.shown)

    def notes(self, codec: Codec, dataset: Dataset, task: Task) -> Iterator[str]:
        """Lines about the start, for people."""
        known = {*_symbols(self.solver.codec)}
        new = [str(symbol) for symbol in _symbols(codec) if symbol not in known]
        yield f"starts from the weights of {self.shown}" + (f"; new symbols: {' '.join(new)}" if new else "")
        if dataset.known is None:
            yield f"how much of the held-out examples {self.shown} was trained on is not known"
        else:
            trained_on = np.isin(dataset.hashes(task, dataset.test), dataset.known).mean()
            yield f"of the test examples, {self.shown} was trained on {trained_on:.1%}"
            if self.solver.config.start and not self._has_same_key(task, dataset.key):
                yield f"{self.shown} started from another run itself, and what that was trained on is not counted"

    def known(self, codec: Codec, task: Task, key: str) -> Array | None:
        """The hashes of the questions that the run was trained on, as questions of a task; None if not known.

        They include those that counted as trained on for this run, if its questions have the same key.

        Parameters
        ----------
        codec : Codec
            Of the task.
        task : Task
        key : str
            Name of the key: see `Task.key`.
        """
        dataset = self.solver.dataset
        own = application_of(task).questions(dataset, self.solver.codec, task, codec, key)
        if own is None or dataset.known is None or not self._has_same_key(task, key):
            return own
        return np.union1d(own, dataset.known)

    def _has_same_key(self, task: Task, key: str) -> bool:
        return self.solver.task.name == task.name and self.solver.dataset.key == key

    def record(self, known: Array | None) -> Start:
        """What a run keeps of its start."""
        weights = hashlib.sha256()
        for name, array in sorted(self.solver.weights.items()):
            weights.update(name.encode() + array.tobytes())
        return Start(weights.hexdigest()[:16], None if known is None else digest_of(known))


def _symbols(codec: Codec) -> list[str | None]:
    """The symbol of each id; None for padding, which a written space would look like."""
    return [None if each == PAD else codec.alphabet.symbol(each) for each in codec.characters]


def transferred(
    old: Model,
    old_codec: Codec,
    old_weights: dict[str, Array],
    new: Model,
    new_codec: Codec,
    first: dict[str, Array],
    shown: str,
) -> dict[str, Array]:
    """Put the weights of a network into the same network with another vocabulary.

    Parameters
    ----------
    old, new : Model
    old_codec, new_codec : Codec
    old_weights, first : dict of str to ndarray
        The weights of `old`, and the initial weights of `new`.
    shown : str
        The run of `old`, for messages.

    Returns
    -------
    dict of str to ndarray
        With the names and shapes of `first`.

    Raises
    ------
    UsageError
        If the rest of the networks differs in its shapes.
    """
    symbols = [_symbols(codec) for codec in (old_codec, new_codec)]
    if symbols[0] == symbols[1] and _shapes(old_weights) == _shapes(first):
        return old_weights
    ordered = {name: old_weights[name] for name in first if name in old_weights}
    by_symbol, others = _places(old, ordered)
    new_by_symbol, new_others = _places(new, first)
    if len(others) != len(new_others) or len(ordered) != len(first):
        raise UsageError(f"start_from: the weights of {shown} are not those of this network with other symbols")
    vector = _vector(first)
    own = _vector(ordered)
    vector[new_others] = own[others]
    row = {symbol: place for place, symbol in enumerate(symbols[0])}
    for place, symbol in enumerate(symbols[1]):
        if symbol in row:
            vector[new_by_symbol[place]] = own[by_symbol[row[symbol]]]
    return _split(vector, first)


def _shapes(weights: dict[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in weights.items()}


def _vector(weights: dict[str, Array]) -> Array:
    """All weights in one vector, in the order of the dict."""
    return np.concatenate([array.reshape(-1) for array in weights.values()])


def _split(vector: Array, like: dict[str, Array]) -> dict[str, Array]:
    """The inverse of `_vector`."""
    ends = np.cumsum([array.size for array in like.values()])
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(array.shape) for (name, array), part in zip(like.items(), parts)}


def _places(model: Model, weights: dict[str, Array]) -> tuple[Array, Array]:
    """Where in `_vector` the values of each symbol are, int, shape (V, C), and where all others are, shape (P - VC,).

    `embeddings` only selects and reorders values, so it does the same with their places.
    """
    places = np.arange(sum(array.size for array in weights.values()))
    numbered = _split(places, weights)
    tables = [*model.embeddings(numbered).values()]
    size = model.vocabulary_size
    for name in ("output_weight", "output_bias"):
        if name in numbered and len(numbered[name]) == size:
            tables.append(numbered[name].reshape(size, -1))
    by_symbol = np.concatenate(tables, axis=1) if tables else np.empty((size, 0), int)
    return by_symbol, np.setdiff1d(places, by_symbol)
