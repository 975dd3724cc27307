"""Reads a text in its order, with models that remember from each batch to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.calls import Call
from seq2seq.decoding.base import Answers, Part
from seq2seq.decoding.parallel import ParallelPredictor
from seq2seq.models import CharacterModel, ParallelModel
from seq2seq.mx import mx
from seq2seq.workers import Worker, argument_shapes, workers_of

STREAMS = 16  # at most: parts of the text that are read at once, the fewer the less there is that begins with no memory


class StreamPredictor(ParallelPredictor):
    """See the module; the parameters are those of `Predictor`, and sources are windows that follow each other."""

    class _Part(Part):
        def __init__(self, model: CharacterModel, batch_size: int, worker: Worker) -> None:
            shapes = model.state_shapes(batch_size)
            found, after = model.read_on(mx.sym.var("source"), {name: mx.sym.var(name) for name in shapes})
            symbol = mx.sym.Group([found, *after.values()])
            shapes = argument_shapes(symbol, source=(model.source_length, batch_size), **shapes)
            self.parameters = {name: mx.nd.zeros(shape, worker.device) for name, shape in shapes.items()}
            self.states = {name: self.parameters.pop(name) for name in after}
            self._source = self.parameters.pop("source")
            self._executor = worker.bind(symbol, {"source": self._source, **self.states}, self.parameters)
            outputs = self._executor.outputs[1:]
            self._carry = [Call("_copy", [new], self.states[name]) for name, new in zip(after, outputs)]

        def run(self, sources: np.ndarray) -> list[Any]:
            self._source._sync_copyfrom(sources)
            log_probabilities, *_ = self._executor.forward(is_train=False)
            for call in self._carry:
                call()
            return [log_probabilities]

    def __init__(
        self, model: ParallelModel, batch_size: int, device: Any, weights: dict[str, np.ndarray] | None = None
    ) -> None:
        super().__init__(model, min(batch_size, STREAMS), device, weights)

    def _workers(self, device: Any) -> tuple[Worker, ...]:
        return workers_of(device)[:1]  # each batch goes on from the one before it

    def _bind(self, worker: Worker) -> Part:
        assert isinstance(self.model, CharacterModel)
        return self._Part(self.model, self.batch_size, worker)

    def answer(self, sources: np.ndarray, targets: np.ndarray | None = None) -> Answers:
        [part] = self._parts
        assert isinstance(part, self._Part)
        for state in part.states.values():
            state[:] = 0
        n = len(sources)
        count = -(-n // self.batch_size)  # windows a stream
        order = np.arange(self.batch_size * count).reshape(self.batch_size, count).T.reshape(-1)
        rows = np.minimum(order, n - 1)  # what is too many is read, and not looked at
        ids, confidence, loss = super().answer(sources[rows], None if targets is None else targets[rows])
        back = np.argsort(order)[:n]
        return Answers(ids[back], confidence[back], None if loss is None else loss[back])
