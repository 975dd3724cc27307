"""Inference: from sources to answers. One file per way of answering."""

from __future__ import annotations

from typing import Any

from seq2seq.decoding.base import Answer, Answers, Best, Predictor, fitting
from seq2seq.decoding.mxnet import MxnetPredictor
from seq2seq.decoding.parallel import ParallelPredictor
from seq2seq.decoding.search import SearchPredictor
from seq2seq.decoding.stepwise import Worked, work_out
from seq2seq.decoding.streams import StreamPredictor
from seq2seq.decoding.widths import WidthsPredictor
from seq2seq.decoding.writing import BaseReader, Reader, write
from seq2seq.engine.test_module import TestModule
from seq2seq.models import AutoregressiveModel, Model, ParallelModel
from seq2seq.typing import Array

__all__ = [
    "Answer",
    "Answers",
    "BaseReader",
    "Best",
    "MxnetPredictor",
    "ParallelPredictor",
    "Predictor",
    "Reader",
    "SearchPredictor",
    "StreamPredictor",
    "WidthsPredictor",
    "Worked",
    "fitting",
    "make_predictor",
    "work_out",
    "write",
]


def make_predictor(
    model: Model,
    batch_size: int,
    device: Any,
    weights: dict[str, Array] | None = None,
    beam: int = 1,
    module: TestModule | None = None,
) -> MxnetPredictor:
    """Make the predictor for a model.

    Parameters
    ----------
    model, batch_size, device, weights, module
        As in `MxnetPredictor`.
    beam : int
        As in `SearchPredictor`; other predictors ignore it.

    Returns
    -------
    MxnetPredictor
    """
    if isinstance(model, AutoregressiveModel):
        return SearchPredictor(model, batch_size, device, weights, beam, module)
    assert isinstance(model, ParallelModel)
    if model.stateful:
        return StreamPredictor(model, batch_size, device, weights, module)
    return ParallelPredictor(model, batch_size, device, weights, module)
