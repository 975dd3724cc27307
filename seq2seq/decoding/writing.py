"""Continues a text: reads the text, draws the next character, reads that character, and so on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from seq2seq.models import CharacterModel
from seq2seq.mx import Device, alone, mx
from seq2seq.typing import Array
from seq2seq.workers import workers_of


class BaseReader(ABC):
    """Reads a text and predicts the next character."""

    @abstractmethod
    def read(self, ids: Iterable[int]) -> Array:
        """Read characters, and predict the next one.

        Parameters
        ----------
        ids : iterable of int
            Characters that follow those read before. In total there must be at least `model.fewest`.

        Returns
        -------
        ndarray, shape (V,)
            Log-probabilities of the next character; -inf for padding, which does not occur in a text.
        """


class Reader(BaseReader):
    """Reads a text with MXNet.

    Parameters
    ----------
    model : CharacterModel
        A stateful model continues from its states; any other model reads the last S characters again.
    device : mxnet.Context
    weights : dict of str to ndarray
    """

    @alone
    def __init__(self, model: CharacterModel, device: Device, weights: dict[str, Array]) -> None:
        self._model = model
        self._worker = workers_of(device)[0]
        self._weights = {name: mx.nd.array(array, self._worker.device) for name, array in weights.items()}
        shapes = model.state_shapes(1)
        self._states = {name: mx.nd.zeros(shape, self._worker.device) for name, shape in shapes.items()}
        self._graphs: dict[int, tuple[Any, Any]] = {}
        self._recent: list[int] = []

    @alone
    def read(self, ids: Iterable[int]) -> Array:
        if self._states:
            return [self._forward([each]) for each in ids][-1]
        self._recent = [*self._recent, *ids][-self._model.source_length :]
        return self._forward(self._recent)

    def _forward(self, ids: list[int]) -> Array:
        source, executor = self._graph(len(ids))
        source[:] = np.array(ids)[:, None]
        log_probabilities, *after = executor.forward(is_train=False)
        for state, new in zip(self._states.values(), after):
            state[:] = new
        following = log_probabilities[-1, 0].asnumpy()
        following[self._model.pad] = -np.inf
        return following

    def _graph(self, length: int) -> tuple[Any, Any]:
        """The input array and the executor for this number of characters."""
        if length not in self._graphs:
            model = self._model.resized(length, min(length, self._model.target_length))
            found, after = model.read_on(mx.sym.var("source"), {name: mx.sym.var(name) for name in self._states})
            source = mx.nd.zeros((length, 1), self._worker.device)
            inputs = {"source": source, **self._states}
            symbol = mx.sym.Group([found, *after.values()])
            self._graphs[length] = source, self._worker.bind(symbol, inputs, self._weights)
        return self._graphs[length]


def draw(log_probabilities: Array, temperature: float, top_k: int, rng: np.random.Generator) -> int:
    """Draw a character.

    Parameters
    ----------
    log_probabilities : ndarray, shape (V,)
    temperature : float
        Divides the log-probabilities. Below 1 probable characters become more probable; 0 takes the most probable one.
    top_k : int
        Draw only from the `top_k` most probable characters; 0 draws from all.
    rng : numpy.random.Generator

    Returns
    -------
    int
        The id of the character.
    """
    if temperature == 0:
        return int(log_probabilities.argmax())
    scores = log_probabilities.astype(np.float64)
    order = np.argsort(-scores, kind="stable")[: top_k or None]  # the most probable first
    weights = np.exp((scores[order] - scores[order[0]]) / temperature)
    return int(rng.choice(order, p=weights / weights.sum()))


def write(
    reader: BaseReader, ids: Iterable[int], temperature: float, top_k: int, rng: np.random.Generator
) -> Iterator[int]:
    """Continue a text without end.

    Parameters
    ----------
    reader : BaseReader
    ids : iterable of int
        Characters to read first.
    temperature, top_k, rng
        As in `draw`.

    Yields
    ------
    int
        The id of the next character.
    """
    while True:
        following = draw(reader.read(ids), temperature, top_k, rng)
        yield following
        ids = [following]
