"""Answers worked out a step a call: what the model writes is asked again, until nothing changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.arrays import closed_up
from seq2seq.decoding.base import Answers, Predictor


class StepwisePredictor:
    """Asks a predictor again and again: `3*7+2`, then `21+2`, then `23`, which is its own answer.

    Parameters
    ----------
    predictor : Predictor
        Of a model whose targets are as long as its sources, in the same order.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.model = predictor.model

    def set_weights(self, weights: dict[str, Any]) -> None:
        """As in `Predictor`."""
        self._predictor.set_weights(weights)

    def answer(self, sources: np.ndarray, targets: np.ndarray | None = None) -> Answers:
        """As in `Predictor`; the confidence is that of all steps together, and there is no loss."""
        ids, confidence = sources.astype(np.int32), np.ones(len(sources))
        for asked, answers in self._steps(sources):
            ids[asked] = answers.ids
            confidence[asked] *= answers.confidence
        return Answers(ids, confidence, None)

    def work(self, source: np.ndarray) -> list[np.ndarray]:
        """What each step writes, ids (1, T), for one source (1, S)."""
        return [answers.ids for _, answers in self._steps(source)]

    def _steps(self, sources: np.ndarray) -> Any:
        """Row numbers of the sources that are still being worked out, and the next step's answers to them."""
        ids, asked = sources, np.arange(len(sources))
        for _ in range(sources.shape[1]):  # no expression needs more steps than it has characters
            if len(asked) == 0:
                return
            answers = self._predictor.answer(ids)
            closed = closed_up(answers.ids, self.model.pad)
            yield asked, answers._replace(ids=closed)
            changed = (closed != ids).any(axis=1)
            asked, ids = asked[changed], closed[changed]
