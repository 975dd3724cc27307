"""Answers in one forward pass, for models that write all characters at once."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from seq2seq.decoding.base import Answers, probability
from seq2seq.decoding.mxnet import MxnetPredictor, Part, Work
from seq2seq.engine.test_module import Common
from seq2seq.models import ParallelModel
from seq2seq.mx import Executor, alone, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker


class ParallelPart(Part):
    """The graphs of one worker: one that answers, and one that also scores targets, bound when first needed.

    Parameters
    ----------
    model : ParallelModel
    batch_size : int
        N.
    worker : Worker
    common : Common
    """

    def __init__(self, model: ParallelModel, batch_size: int, worker: Worker, common: Common) -> None:
        self._model = model
        self._batch_size = batch_size
        self._worker = worker
        self._common = common
        self.parameters = common.parameters
        self._graphs = {False: self._bind(scored=False)}

    def _bind(self, scored: bool) -> tuple[dict[str, Any], Any]:
        log_probabilities, *more = self._outputs()
        chosen = _best(log_probabilities)
        inputs = {"source": (self._model.source_length, self._batch_size)}
        if scored:
            chosen = mx.sym.concat(chosen, _picked(log_probabilities, mx.sym.var("target")), dim=2)
            inputs["target"] = (self._model.target_length, self._batch_size)
        symbol = mx.sym.Group([chosen, *more])
        states = self._model.state_shapes(self._batch_size)
        return self._common.bind(self._worker, (scored, self._batch_size), symbol, {**inputs, **states})

    def _outputs(self) -> list[Any]:
        """Log-probabilities (T, N, V), followed by any other outputs of a run."""
        return [self._model.log_probabilities(mx.sym.var("source"))]

    def run(self, sources: Array, targets: Array | None = None) -> Work:
        scored = targets is not None
        if scored not in self._graphs:
            self._graphs[scored] = self._bind(scored)
        inputs, executor = self._graphs[scored]
        for name, ids in (("source", sources), ("target", targets)):
            if ids is not None:
                inputs[name]._sync_copyfrom(ids)
        return (yield [self._forward(inputs, executor)])

    def _forward(self, inputs: dict[str, Any], executor: Executor) -> Any:
        return executor.forward(is_train=False)[0]


class ParallelPredictor(MxnetPredictor):
    """Answers in one forward pass. It has the parameters of `MxnetPredictor`."""

    _part: ClassVar[type[ParallelPart]] = ParallelPart

    def _bind(self, worker: Worker, common: Common) -> Part:
        assert isinstance(self.model, ParallelModel)
        return self._part(self.model, self.batch_size, worker, common)

    @alone
    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        n = len(sources)
        length = self.model.target_length
        columns = np.empty((n, length, 2 if targets is None else 3), np.float32)
        for rows, [found] in self._forward(sources, targets):
            columns[rows] = found[:, : rows.stop - rows.start].transpose(1, 0, 2)
        scores = columns[:, :, 0]
        ids = columns[:, :, 1].astype(np.int32)
        written = self.model.learned(sources, ids)
        confidence = probability(np.where(written, scores, 0).sum(axis=1, dtype=np.float64))
        ids[~written] = self.model.pad
        if targets is None:
            return Answers(ids, confidence)
        places = self.model.learned(sources, targets)
        nats = -np.where(places, columns[:, :, 2], 0).sum(axis=1, dtype=np.float64)
        return Answers(ids, confidence, nats, places.sum(axis=1))


def _best(log_probabilities: Any) -> Any:
    """The log-probability and the id of the most probable character at each step, shape (T, N, 2).

    They are found on the device, so that no array as large as the alphabet is copied.
    """
    return mx.sym.concat(*mx.sym.topk(log_probabilities, axis=-1, k=1, ret_typ="both"), dim=2)


def _picked(log_probabilities: Any, target: Any) -> Any:
    """The log-probability of the target's characters, shape (T, N, 1)."""
    return mx.sym.pick(log_probabilities, target, axis=-1, keepdims=True)
