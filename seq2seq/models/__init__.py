"""Networks as MXNet symbols, one file a family; `by_hand` has two of them in NumPy."""

from __future__ import annotations

from dataclasses import replace

from seq2seq.applications import application_of
from seq2seq.config import DataConfig, ModelConfig
from seq2seq.models.attention import AttentionModel
from seq2seq.models.base import AutoregressiveModel, Model, ParallelModel
from seq2seq.models.character import CharacterModel
from seq2seq.models.repeat import RepeatModel
from seq2seq.models.stateful import ByHandModel, LstmModel, StatefulModel
from seq2seq.models.transducer import AlignedModel, TransducerModel
from seq2seq.options import MODELS, model_name
from seq2seq.tasks import Task
from seq2seq.vocabulary import Codec

__all__ = [
    "MODELS", "AlignedModel", "AttentionModel", "AutoregressiveModel", "ByHandModel", "CharacterModel", "LstmModel",
    "Model", "ParallelModel", "RepeatModel", "StatefulModel", "TransducerModel", "make_codec", "make_model",
    "model_class",
]  # fmt: skip


def model_class(task: Task, config: ModelConfig) -> type[Model]:
    """The network that the options name for a task."""
    return MODELS[model_name(task, config.model)]


def make_codec(task: Task, data: DataConfig, config: ModelConfig) -> Codec:
    """How the model has the task's strings as arrays. Raises `UsageError` if it cannot read them."""
    model = model_class(task, config)
    application_of(task).require_model(task, config.model, model.application)
    return replace(model.codec(task, data), alphabet=task.alphabet)


def make_model(task: Task, config: ModelConfig, codec: Codec) -> Model:
    """The network for a task's strings as this codec has them."""
    vocabulary = codec.vocabulary
    return model_class(task, config)(
        config, codec.source_ids, codec.target_length, len(vocabulary), vocabulary.pad, codec.padding
    )
