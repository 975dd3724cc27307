"""Greedy decoding and beam search, for models that write one character at a time.

A beam keeps the K most probable prefixes of an answer. Each step extends all of them by every character and keeps the
K best. The choice, and the reordering of the states, happen on the device, in the graph of the step. Padding ends an
answer; an ended answer continues only with padding, which does not change its score. Scores are log-probabilities of
whole answers, not divided by their lengths, so a beam that keeps every prefix finds the most probable answer
(Sutskever, Vinyals and Le 2014, section 3.2). A beam of 1 is greedy decoding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.calls import Call
from seq2seq.decoding.base import Answers, Best, probability
from seq2seq.decoding.mxnet import MxnetPredictor, Part, Work
from seq2seq.engine.test_module import Common, TestModule
from seq2seq.models import AutoregressiveModel
from seq2seq.mx import Device, alone, mx
from seq2seq.typing import Array
from seq2seq.workers import Worker

IMPOSSIBLE = -1e30  # a log-probability
LOOK_EVERY = 8  # steps between two checks whether all answers have ended; a check waits for the device


class SearchPredictor(MxnetPredictor):
    """Greedy decoding or beam search: see the module.

    Parameters
    ----------
    model, batch_size, device, weights, module
        As in `MxnetPredictor`.
    beam : int
        Number of prefixes kept (K); at most V.
    """

    searches = True

    def __init__(
        self,
        model: AutoregressiveModel,
        batch_size: int,
        device: Device,
        weights: dict[str, Array] | None = None,
        beam: int = 1,
        module: TestModule | None = None,
    ) -> None:
        self.beam = beam
        super().__init__(model, batch_size, device, weights, module)

    def _bind(self, worker: Worker, common: Common) -> Part:
        assert isinstance(self.model, AutoregressiveModel)
        return _Search(self.model, self.batch_size, self.beam, worker, common)

    @alone
    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        best = self.search(sources)
        ids = best.ids[:, 0]
        confidence = probability(best.scores[:, 0])
        if targets is None:
            return Answers(ids, confidence)
        characters = self.model.learned(sources, targets).sum(axis=1)
        return Answers(ids, confidence, self._nats(sources, targets), characters)

    @alone
    def search(self, sources: Array) -> Best:
        n = len(sources)
        beam = self.beam
        length = self.model.target_length
        ids = np.full((n, beam, length), self.model.pad, np.int32)
        scores = np.empty((n, beam), np.float32)
        for rows, (score, *steps) in self._forward(sources):
            count = rows.stop - rows.start
            scores[rows] = score.reshape(-1, beam)[:count]
            chosen = np.broadcast_to(np.arange(beam), (count, beam))
            for place in reversed(range(len(steps) // 2)):
                characters = steps[2 * place]
                parents = steps[2 * place + 1]
                ids[rows, :, place] = np.take_along_axis(characters.reshape(-1, beam)[:count], chosen, axis=1)
                chosen = np.take_along_axis(parents[:count].astype(np.int64), chosen, axis=1)
        return Best(ids, scores)

    def _nats(self, sources: Array, targets: Array) -> Array:
        def score(part: Part, rows: slice) -> Work:
            assert isinstance(part, _Search)
            return part.score(self._fill("source", sources[rows]), self._fill("target", targets[rows]))

        nats = np.empty(len(sources))
        for rows, [values] in self._in_turn(len(sources), score):
            nats[rows] = -values[:, : rows.stop - rows.start].sum(axis=0, dtype=np.float64)
        return nats


class _Search(Part):
    """The graphs of one worker: of the encoder, of a step and, if targets are given, of the loss. R is N times K."""

    def __init__(self, model: AutoregressiveModel, batch_size: int, beam: int, worker: Worker, common: Common) -> None:
        self._model = model
        self._batch_size = batch_size
        self._beam = beam
        self._worker = worker
        self._common = common
        self.parameters = common.parameters
        encoded = model.encode(mx.sym.var("source"))
        rows = batch_size * beam
        self._source, self._encoder = self._bind(
            "encoder", mx.sym.Group(list(encoded.values())), source=(model.source_length, rows)
        )
        shapes = dict(zip(encoded, (output.shape for output in self._encoder.outputs)))
        inputs, self._step = self._bind("step", self._one_step(), previous=(rows,), score=(rows, 1), **shapes)
        outputs = self._step.outputs
        first_scores = np.full((batch_size, beam), IMPOSSIBLE, np.float32)
        first_scores[:, 0] = 0  # at first all prefixes are the same
        begin = dict(zip(encoded, self._encoder.outputs))
        begin["score"] = mx.nd.array(first_scores.reshape(-1, 1), worker.device)
        self._begin = [Call("_copyto", [array], inputs[name]) for name, array in begin.items()]
        self._go_on = [
            Call("_copyto", [output], inputs[name])
            for name, output in zip(("previous", "score", *model.state_names), (outputs[0], *outputs[2:]))
        ]
        self._inputs = inputs
        self._loss: Any = None

    def _bind(self, kind: str, symbol: Any, **inputs: tuple[int, ...]) -> tuple[dict[str, Any], Any]:
        """The input arrays and the executor of a symbol: see `Common`."""
        return self._common.bind(self._worker, (kind, self._batch_size, self._beam), symbol, inputs)

    def _one_step(self) -> Any:
        """The chosen characters (R,), the indices of their parents in the beam (N, K), scores (R, 1), and states."""
        model = self._model
        sym = mx.sym
        beam = self._beam
        size = model.vocabulary_size
        previous = sym.var("previous")
        score = sym.var("score")
        states = {name: sym.var(name) for name in model.state_names}
        log_probabilities, states = model.step(previous, states, {name: sym.var(name) for name in model.memory_names})
        ended = sym.expand_dims(previous == model.pad, axis=1)  # (R, 1)
        nothing_more = (1 - sym.one_hot(sym.ones_like(previous) * model.pad, depth=size)) * IMPOSSIBLE  # (R, V)
        onward = sym.broadcast_mul(log_probabilities, 1 - ended) + sym.broadcast_mul(nothing_more, ended)
        total = sym.reshape(sym.broadcast_add(onward, score), shape=(-1, beam * size))
        best, place = sym.topk(total, k=beam, ret_typ="both", axis=1)  # (N, K), the best first
        parent = sym.floor(place / size)
        character = place - parent * size
        chosen = list(states.values())
        if beam > 1:
            first_rows = sym.reshape(sym.arange(0, self._batch_size * beam, beam), shape=(-1, 1))
            rows = sym.reshape(sym.broadcast_add(parent, first_rows), shape=(-1,))
            chosen = [sym.take(state, rows, axis=1) for state in chosen]
        return sym.Group([sym.reshape(character, shape=(-1,)), parent, sym.reshape(best, shape=(-1, 1)), *chosen])

    def run(self, sources: Array, targets: Array | None = None) -> Work:
        inputs = self._inputs
        length = self._model.target_length
        self._source["source"]._sync_copyfrom(np.repeat(sources, self._beam, axis=1))
        self._encoder.forward(is_train=False)
        for call in self._begin:
            call()
        inputs["previous"][:] = self._model.vocabulary_size  # the start symbol, whose one-hot vector is all zeros
        steps: list[Any] = []
        for place in range(1, length + 1):
            self._step.forward(is_train=False)
            for call in self._go_on:
                call()
            steps += [output.copy() for output in self._step.outputs[:2]]
            if place % LOOK_EVERY == 0 and place < length:
                [previous] = yield [inputs["previous"]]
                if (previous == self._model.pad).all():
                    break
        return (yield [inputs["score"], *steps])

    def score(self, sources: Array, targets: Array) -> Work:
        """The log-probabilities of targets, shape (T, N), 0 where nothing is learned: see `run`."""
        model = self._model
        if self._loss is None:
            symbol = model.target_log_probabilities(mx.sym.var("source"), mx.sym.var("target"))
            shapes = {
                "source": (model.source_length, self._batch_size),
                "target": (model.target_length, self._batch_size),
            }
            self._loss = self._bind("loss", symbol, **shapes)
        inputs, executor = self._loss
        for name, ids in (("source", sources), ("target", targets)):
            inputs[name]._sync_copyfrom(ids)
        return (yield executor.forward(is_train=False))
