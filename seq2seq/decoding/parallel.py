"""Answers in one forward pass, from models that write all characters at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.decoding.base import Answers, Part, Predictor
from seq2seq.models import ParallelModel
from seq2seq.mx import mx
from seq2seq.workers import Worker, argument_shapes


class ParallelPredictor(Predictor):
    """See the module; the parameters are those of `Predictor`."""

    class _Part(Part):
        def __init__(self, model: ParallelModel, batch_size: int, worker: Worker) -> None:
            symbol = model.log_probabilities(mx.sym.var("source"))
            shapes = argument_shapes(symbol, source=(model.source_length, batch_size))
            arrays = {name: mx.nd.zeros(shape, worker.device) for name, shape in shapes.items()}
            self._source = arrays.pop("source")
            self.parameters = arrays
            self._executor = worker.bind(symbol, {"source": self._source}, arrays)

        def run(self, sources: np.ndarray) -> list[Any]:
            self._source._sync_copyfrom(sources)
            return list(self._executor.forward(is_train=False))

    def _bind(self, worker: Worker) -> Part:
        assert isinstance(self.model, ParallelModel)
        return self._Part(self.model, self.batch_size, worker)

    def answer(self, sources: np.ndarray, targets: np.ndarray | None = None) -> Answers:
        n = len(sources)
        ids = np.empty((n, self.model.target_length), np.int32)
        confidence = np.empty(n)
        loss = np.empty(n) if targets is not None else None
        for rows, [log_probabilities] in self._forward(sources):
            log_probabilities = log_probabilities[:, : rows.stop - rows.start]  # (T, n, V)
            ids[rows] = log_probabilities.argmax(axis=-1).T
            confidence[rows] = np.exp(log_probabilities.max(axis=-1).sum(axis=0, dtype=np.float64))
            if loss is not None and targets is not None:
                wanted = targets[rows].T[:, :, None].astype(np.int64)
                picked = np.take_along_axis(log_probabilities, wanted, axis=-1)[:, :, 0]
                loss[rows] = -picked.mean(axis=0, dtype=np.float64)
        return Answers(ids, confidence, loss)
