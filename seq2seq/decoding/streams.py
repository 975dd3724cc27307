"""Reads a text in order, with stateful models."""

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

STREAMS = 16  # maximum number of streams; with fewer, fewer characters are read from zero states


class StreamPart(ParallelPart):
    """The graphs of one worker, and the states from which the next windows continue."""

    def _outputs(self) -> list[Any]:
        model = cast(CharacterModel, self._model)  # only these have states
        names = model.state_shapes(1)
        found, after = model.read_on(mx.sym.var("source"), {name: mx.sym.var(name) for name in names})
        return [found, *after.values()]

    def forget(self) -> None:
        """Set the states to zeros."""
        for inputs, _ in self._graphs.values():
            for name in self._model.state_shapes(1):
                inputs[name][:] = 0

    def _forward(self, inputs: dict[str, Any], executor: Executor) -> Any:
        found, *after = executor.forward(is_train=False)
        for name, new in zip(self._model.state_shapes(1), after):
            new.copyto(inputs[name])
        return found


class StreamPredictor(ParallelPredictor):
    """Reads a text with a stateful model; its sources are consecutive windows.

    It has the parameters of `MxnetPredictor`.
    """

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
        return workers[:1]  # each batch continues the one before it

    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        [part] = self._parts
        assert isinstance(part, StreamPart)
        part.forget()
        n = len(sources)
        count = -(-n // self.batch_size)  # windows per stream
        order = np.arange(self.batch_size * count).reshape(self.batch_size, count).T.reshape(-1)
        rows = np.minimum(order, n - 1)  # the rows beyond the last window repeat it, and their answers are dropped
        answers = super().answer(sources[rows], None if targets is None else targets[rows])
        back = np.argsort(order)[:n]
        return Answers(*(part[back] for part in answers if part is not None))
