"""One update of a model's weights at a time: `updater.py` by MXNet, `by_hand.py` in NumPy alone."""

from __future__ import annotations

from typing import Any, Union

from seq2seq.config import TrainingConfig
from seq2seq.engine.updater import Updater
from seq2seq.models import ByHandModel, Model
from seq2seq.models.by_hand_updater import ByHandUpdater

AnyUpdater = Union[Updater, ByHandUpdater]

__all__ = ["AnyUpdater", "ByHandUpdater", "Updater", "make_updater"]


def make_updater(model: Model, config: TrainingConfig, seed: int, device: Any) -> AnyUpdater:
    """What moves a model's weights: see `Updater` for the parameters."""
    if isinstance(model, ByHandModel):
        return ByHandUpdater(model, config, seed)
    return Updater(model, config, seed, device)
