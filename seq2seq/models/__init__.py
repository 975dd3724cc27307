"""Networks as MXNet symbols, one file per family; `by_hand` has two networks in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seq2seq.applications import application_of
from seq2seq.config import DataConfig, Extra, ModelConfig
from seq2seq.models.attention import AttentionModel
from seq2seq.models.base import AutoregressiveModel, Model, ParallelModel
from seq2seq.models.basis import BaseModel
from seq2seq.models.character import CharacterModel
from seq2seq.models.repeat import RepeatModel
from seq2seq.models.stateful import ByHandModel, LstmModel, StatefulModel
from seq2seq.models.transducer import AlignedModel, TransducerModel
from seq2seq.options import MODELS, model_name
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import InPlaceTask
from seq2seq.vocabulary import Codec

__all__ = [
    "MODELS", "AlignedModel", "AttentionModel", "AutoregressiveModel", "BaseModel", "ByHandModel", "CharacterModel",
    "LstmModel", "Model", "ParallelModel", "RepeatModel", "StatefulModel", "TransducerModel", "make_codec",
    "make_model", "model_class",
]  # fmt: skip


def model_class(task: Task, config: ModelConfig) -> type[Any]:
    """The class of the network for a task.

    Parameters
    ----------
    task : Task
    config : ModelConfig
        Names the model; `auto` lets the task's application choose.

    Returns
    -------
    type of BaseModel
    """
    return MODELS[model_name(task, config.model)]


def make_codec(task: Task, data: DataConfig, config: ModelConfig, extra: Sequence[Extra] = ()) -> Codec:
    """Make the codec with which a model encodes a task's strings as arrays.

    Parameters
    ----------
    task : Task
    data : DataConfig
    config : ModelConfig
    extra : sequence of Extra
        Further training examples. If steps are written in place, theirs can be longer than those of the task.

    Returns
    -------
    Codec

    Raises
    ------
    UsageError
        If the model cannot read the task's strings.
    """
    model = model_class(task, config)
    application_of(task).require_model(task, config.model, model.application)
    mixed = any(more.share is not None for more in extra)
    codec = replace(model.codec(task, data), alphabet=task.alphabet, one_width=mixed)
    if not codec.in_place:
        return codec
    steps = [more.task.step_length for more in extra if isinstance(more.task, InPlaceTask)]
    return codec.with_longer(max(steps, default=0))


def make_model(task: Task, config: ModelConfig, codec: Any) -> Any:
    """Make the network for a task.

    Parameters
    ----------
    task : Task
    config : ModelConfig
    codec : Codec, or another object from the application's `make_codec`

    Returns
    -------
    BaseModel
    """
    return model_class(task, config).of(config, codec)
