"""Answers sources of different lengths, each in the width in which it would be answered alone."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.decoding.base import Answers
from seq2seq.decoding.mxnet import MxnetPredictor
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


class WidthsPredictor:
    """Answers each source with the predictor of its width.

    Parameters
    ----------
    predictors : dict of int to MxnetPredictor
        One per width of the codec that the sources have.
    codec : Codec
    ranks : Ranks
        The processes that answer together: each computes whole batches, and gets the answers of all.
    """

    def __init__(self, predictors: dict[int, MxnetPredictor], codec: Codec, ranks: Ranks = ALONE) -> None:
        self._predictors = predictors
        self._codec = codec
        self._ranks = ranks

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
        pieces = [
            rows[block]
            for width, predictor in self._predictors.items()
            for rows in [np.flatnonzero(widths == width)]
            for block in blocks(len(rows), n if predictor.model.stateful else predictor.batch_size)
        ]
        found: list[Array] = [np.zeros(targets.shape, np.int32), np.zeros(n), np.zeros(n), np.zeros(n, np.int64)]
        own = self._ranks.share(len(pieces))
        for width, group in groupby(pieces[own.start : own.stop], key=lambda rows: int(widths[rows[0]])):
            rows = np.concatenate([*group])
            answers = self._predictors[width].answer(sources[rows, sources.shape[1] - width :], targets[rows])
            for whole, part in zip(found, answers):
                assert part is not None  # targets were given
                whole[rows] = part
        self._ranks.complete(found, pieces, "answers of the validation")
        return Answers(*found)
