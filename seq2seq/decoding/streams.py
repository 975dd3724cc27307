"""Reads a text in its order, with models that remember from each batch to the next."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from seq2seq.decoding.base import Answers
from seq2seq.decoding.parallel import ParallelPart, ParallelPredictor
from seq2seq.engine.test_module import TestModule
from seq2seq.models import CharacterModel, ParallelModel
from seq2seq.mx import Device, Executor, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker

STREAMS = 16  # at most: parts of the text that are read at once, the fewer the less there is that begins with no memory


class StreamPart(ParallelPart):
    """The graphs of one worker, and the states from which the next windows go on."""

    def _outputs(self) -> list[Any]:
        model = cast(CharacterModel, self._model)  # no other carries states
        names = model.state_shapes(1)
        found, after = model.read_on(mx.sym.var("source"), {name: mx.sym.var(name) for name in names})
        return [found, *after.values()]

    def forget(self) -> None:
        """Go on from no memory."""
        for inputs, _ in self._graphs.values():
            for name in self._model.state_shapes(1):
                inputs[name][:] = 0

    def _forward(self, inputs: dict[str, Any], executor: Executor) -> Any:
        found, *after = executor.forward(is_train=False)
        for name, new in zip(self._model.state_shapes(1), after):
            new.copyto(inputs[name])
        return found


class StreamPredictor(ParallelPredictor):
    """See the module; the parameters are those of `Predictor`, and sources are windows that follow each other."""

    _part = StreamPart

    def __init__(
        self,
        model: ParallelModel,
        batch_size: int,
        device: Device,
        weights: dict[str, Array] | None = None,
        module: TestModule | None = None,
    ) -> None:
        super().__init__(model, min(batch_size, STREAMS), device, weights, module)

    def _chosen(self, workers: list[Worker]) -> list[Worker]:
        return workers[:1]  # each batch goes on from the one before it

    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        [part] = self._parts
        assert isinstance(part, StreamPart)
        part.forget()
        n = len(sources)
        count = -(-n // self.batch_size)  # windows a stream
        order = np.arange(self.batch_size * count).reshape(self.batch_size, count).T.reshape(-1)
        rows = np.minimum(order, n - 1)  # what is too many is read, and not looked at
        answers = super().answer(sources[rows], None if targets is None else targets[rows])
        back = np.argsort(order)[:n]
        return Answers(*(part[back] for part in answers if part is not None))
