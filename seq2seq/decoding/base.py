"""From sources to answers: graphs that are not for training, and what they say."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from seq2seq.models import RepeatModel
from seq2seq.mx import mx
from seq2seq.workers import argument_shapes, workers_of


class Answers(NamedTuple):
    """What a model answers to N sources.

    Attributes
    ----------
    ids : ndarray of int, shape (N, T)
        The most probable character at each step.
    confidence : ndarray of float, shape (N,)
        The probability the model gives to the whole answer: the product of its characters', from 0 to 1.
    loss : ndarray of float, shape (N,), or None
        Mean over T of the negative log-probability of the target's characters (nats), where targets were given.
    """

    ids: np.ndarray
    confidence: np.ndarray
    loss: np.ndarray | None


class Predictor:
    """Answers sources with a trained model, in batches of its own size that the device's workers take in turn.

    Parameters
    ----------
    model : RepeatModel
    batch_size : int
        Sources a forward pass (N).
    device : mxnet.Context
    weights : dict of str to ndarray, optional
        The parameters. Without them, `set_weights` must come first.
    """

    def __init__(
        self, model: RepeatModel, batch_size: int, device: Any, weights: dict[str, np.ndarray] | None = None
    ) -> None:
        self.model, self.batch_size = model, batch_size
        symbol = model.log_probabilities(mx.sym.var("source"))
        shape = (model.source_length, batch_size)
        shapes = argument_shapes(symbol, source=shape)
        self._bound = []
        # One source alone is one batch: there is nothing to take in turn.
        for worker in workers_of(device)[: 1 if batch_size == 1 else None]:
            arrays = {name: mx.nd.zeros(shape, worker.device) for name, shape in shapes.items()}
            source = arrays.pop("source")
            executor = worker.bind(symbol, {"source": source}, arrays)
            self._bound.append((executor, source, arrays))
        self._padded = np.zeros(shape, np.float32)
        if weights is not None:
            self.set_weights(weights)

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Copy the parameters, arrays of NumPy or MXNet, by name. Raises `ValueError` if they are of another model."""
        given, wanted = ({n: a.shape for n, a in arrays.items()} for arrays in (weights, self._bound[0][-1]))
        if given != wanted:
            raise ValueError("the weights of another model")
        for _, _, parameters in self._bound:
            for name, parameter in parameters.items():
                parameter[:] = weights[name]

    def answer(self, sources: np.ndarray, targets: np.ndarray | None = None) -> Answers:
        """Answer every source, the last incomplete batch too.

        Parameters
        ----------
        sources : ndarray of int, shape (N, S)
        targets : ndarray of int, shape (N, T), optional

        Returns
        -------
        Answers
        """
        n = len(sources)
        ids = np.empty((n, self.model.target_length), np.int32)
        confidence = np.empty(n)
        loss = np.empty(n) if targets is not None else None
        for rows, log_probabilities in self._forward(sources):
            ids[rows] = log_probabilities.argmax(axis=-1).T
            confidence[rows] = np.exp(log_probabilities.max(axis=-1).sum(axis=0, dtype=np.float64))
            if loss is not None and targets is not None:
                wanted = targets[rows].T[:, :, None].astype(np.int64)
                picked = np.take_along_axis(log_probabilities, wanted, axis=-1)[:, :, 0]
                loss[rows] = -picked.mean(axis=0, dtype=np.float64)
        return Answers(ids, confidence, loss)

    def _forward(self, sources: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows and their log-probabilities (T, n, V), from sources (N, S): the last batch is filled up, then cut."""
        size, waiting = self.batch_size, deque[tuple[slice, Any]]()

        def collected() -> tuple[slice, np.ndarray]:
            rows, executor = waiting.popleft()
            return rows, executor.outputs[0].asnumpy()[:, : rows.stop - rows.start]

        for start, (executor, source, _) in zip(range(0, len(sources), size), cycle(self._bound)):
            rows = slice(start, min(start + size, len(sources)))
            done = [collected()] if len(waiting) == len(self._bound) else []
            self._padded[:, : rows.stop - start] = sources[rows].T
            source._sync_copyfrom(self._padded)
            executor.forward(is_train=False)
            waiting.append((rows, executor))
            yield from done  # while the workers go on
        while waiting:
            yield collected()
