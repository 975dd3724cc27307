"""What all ways of answering share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from typing import Any, ClassVar, NamedTuple

import numpy as np

from seq2seq.engine.test_module import Common, TestModule
from seq2seq.models import AutoregressiveModel, Model
from seq2seq.typing import Array
from seq2seq.workers import Worker

MOST_VALUES = 2**22  # numbers of one array; with a large alphabet, batches are the smaller for it


def fitting(model: Model, batch_size: int, scored: bool = False) -> int:
    """The batch size, or a smaller one if its log-probabilities would be too large an array: those of all steps, or of
    one that writes a character at a time, and is not to score targets, of one step."""
    steps = 1 if isinstance(model, AutoregressiveModel) and not scored else model.target_length
    return max(1, min(batch_size, MOST_VALUES // (steps * model.vocabulary_size)))


class Answers(NamedTuple):
    """What a model answers to N sources.

    Attributes
    ----------
    ids : ndarray of int, shape (N, T)
        The most probable answer, as far as the search sees.
    confidence : ndarray of float, shape (N,)
        The probability the model gives to the whole answer: the product of its characters', from 0 to 1.
    nats : ndarray of float, shape (N,), or None
        Negative log-probability of the target's learned characters, their sum, where targets were given.
    characters : ndarray of int, shape (N,), or None
        How many they are: the one that ends an answer is one of them, other padding is not.
    """

    ids: Array
    confidence: Array
    nats: Array | None = None
    characters: Array | None = None

    @property
    def loss(self) -> float:
        """The mean negative log-probability of a learned character (nats), where targets were given."""
        assert self.nats is not None and self.characters is not None
        return float(self.nats.sum() / self.characters.sum())


class Best(NamedTuple):
    """The best answers to N sources, the most probable first.

    Attributes
    ----------
    ids : ndarray of int, shape (N, K, T)
    scores : ndarray of float, shape (N, K)
        Log-probability of each answer (nats).
    """

    ids: Array
    scores: Array


class _Answer(NamedTuple):
    text: str
    confidence: float


class Answer(_Answer):
    """An answer and the probability, from 0 to 1, that the model gives to it: it unpacks and compares as these two.

    Attributes
    ----------
    text : str
    confidence : float
    unlike_training : str or None
        Why its source is unlike all that the model was trained on, and the answer therefore not to be relied on: `has 4
        terms; trained on 3`. None if it is like them.
    """

    unlike_training: str | None

    def __new__(cls, text: str, confidence: float, unlike_training: str | None = None) -> Answer:
        answer = super().__new__(cls, text, confidence)
        answer.unlike_training = unlike_training
        return answer

    def __repr__(self) -> str:
        mark = "" if self.unlike_training is None else f", unlike_training={self.unlike_training!r}"
        return f"Answer(text={self.text!r}, confidence={self.confidence!r}{mark})"


class Predictor(ABC):
    """Answers sources with a trained model, in batches of its own size that the device's workers take in turn.

    Parameters
    ----------
    model : Model
    batch_size : int
        Sources a forward pass (N).
    device : mxnet.Context
    weights : dict of str to ndarray, optional
        The parameters. Without them, those of the module, or `set_weights` must come first.
    module : TestModule, optional
        What predictors with the same weights, for other widths or batch sizes, have in common.

    Attributes
    ----------
    searches : bool
        Whether it looks for several answers to a source, a character at a time: see `search`.
    """

    searches: ClassVar[bool] = False

    def __init__(
        self,
        model: Model,
        batch_size: int,
        device: Any,
        weights: dict[str, Array] | None = None,
        module: TestModule | None = None,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        module = module or TestModule()
        workers = self._chosen(module.workers(device))
        self._parts = [self._bind(worker, module.common(worker)) for worker in workers]
        lengths = {"source": model.source_length, "target": model.target_length}
        self._padded = {name: np.zeros((length, batch_size), np.float32) for name, length in lengths.items()}
        if weights is not None:
            self.set_weights(weights)

    def _chosen(self, workers: list[Worker]) -> list[Worker]:
        """Those that take batches in turn. One source alone is one batch: there is nothing to take in turn."""
        return workers[: 1 if self.batch_size == 1 else None]

    @abstractmethod
    def _bind(self, worker: Worker, common: Common) -> Part:
        """This worker's graphs."""

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Copy the parameters, arrays of NumPy or MXNet, by name. Raises `ValueError` if they are of another model."""
        given, wanted = ({n: a.shape for n, a in arrays.items()} for arrays in (weights, self._parts[0].parameters))
        if given != wanted:
            raise ValueError("the weights of another model")
        for part in self._parts:
            for name, parameter in part.parameters.items():
                parameter[:] = weights[name]

    def search(self, sources: Array) -> Best:
        """The K best answers to each of the sources, ids (N, S), of a predictor that `searches`."""
        raise NotImplementedError(f"{type(self).__name__} has one answer to each source")

    @abstractmethod
    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        """Answer every source, the last incomplete batch too.

        Parameters
        ----------
        sources : ndarray of int, shape (N, S)
        targets : ndarray of int, shape (N, T), optional
            What to score beside answering.

        Returns
        -------
        Answers
        """

    def _forward(self, sources: Array, targets: Array | None = None) -> Iterator[tuple[slice, list[Array]]]:
        """Rows, and what a part's `run` gave for them: of the last batch, which is filled up, only some are."""
        size, waiting = self.batch_size, deque[tuple[slice, list[Any]]]()
        for start, part in zip(range(0, len(sources), size), cycle(self._parts)):
            rows = slice(start, min(start + size, len(sources)))
            done = [waiting.popleft()] if len(waiting) == len(self._parts) else []
            done = [(earlier, [output.asnumpy() for output in outputs]) for earlier, outputs in done]
            feeds = [self._fill("source", sources[rows])]
            if targets is not None:
                feeds.append(self._fill("target", targets[rows]))
            waiting.append((rows, part.run(*feeds)))
            yield from done  # while the workers go on
        while waiting:
            rows, outputs = waiting.popleft()
            yield rows, [output.asnumpy() for output in outputs]

    def _fill(self, name: str, ids: Array) -> Array:
        """Ids (n, L) as the first columns of a batch (L, N); the others stay as they were."""
        padded = self._padded[name]
        padded[:, : len(ids)] = ids.T
        return padded


class Part(ABC):
    """What one worker of a predictor has bound."""

    parameters: dict[str, Any]

    @abstractmethod
    def run(self, sources: Array, targets: Array | None = None) -> list[Any]:
        """Begin to answer ids (S, N), and to score ids (T, N): arrays on the device, that the next run overwrites."""
