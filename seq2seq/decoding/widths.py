"""Answers sources of different lengths, each in the width in which it would be answered alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.decoding.base import Answers, MxnetPredictor
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


class WidthsPredictor:
    """Answers each source with the predictor of its width.

    Parameters
    ----------
    predictors : dict of int to MxnetPredictor
        One per width of the codec that the sources have.
    codec : Codec
    """

    def __init__(self, predictors: dict[int, MxnetPredictor], codec: Codec) -> None:
        self._predictors = predictors
        self._codec = codec

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Copy the parameters: see `MxnetPredictor.set_weights`."""
        for predictor in self._predictors.values():
            predictor.set_weights(weights)

    def answer(self, sources: Array, targets: Array) -> Answers:
        """Answer all sources and score their targets: see `Predictor.answer`.

        Parameters
        ----------
        sources, targets : ndarray of int, shapes (N, S) and (N, T)
            S and T are the codec's largest widths.

        Returns
        -------
        Answers
        """
        widths = self._codec.source_widths(sources)
        n = len(sources)
        found: list[Array] = [np.empty_like(targets, np.int32), np.empty(n), np.empty(n), np.empty(n, np.int64)]
        for width, predictor in self._predictors.items():
            rows = np.flatnonzero(widths == width)
            answers = predictor.answer(sources[rows, sources.shape[1] - width :], targets[rows])
            for whole, part in zip(found, answers):
                assert part is not None  # targets were given
                whole[rows] = part
        return Answers(*found)
