"""Models by name, and the options of each model, optimizer and schedule; any other given option is refused.

Presets and defaults have a value for every option. Options that a model does not have are ignored unless a user gives
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seq2seq.applications import application_of
from seq2seq.errors import require
from seq2seq.registry import Registry
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place

if TYPE_CHECKING:
    from seq2seq.config import Config
    from seq2seq.models import BaseModel

SHUFFLED = ("examples_per_epoch",)  # an option of networks without states, whose examples are in random order
RECURRENT = ("cell", "hidden_size", "layers", "dropout", "label_smoothing", "bidirectional", *SHUFFLED)
ELMAN = ("hidden_size", "dropout", "label_smoothing", "embedding", "normalise", "activation", "identity")
GATED = ("hidden_size", "layers", "dropout", "label_smoothing", "embedding", "normalise")
MODEL_OPTIONS = {
    "repeat": (*RECURRENT, "reverse_target"),
    "attention": (*RECURRENT, "position_bias", "beam", "reverse_target"),
    "transducer": (*RECURRENT, "reverse_target"),  # without the last if it writes in place
    "aligned": RECURRENT,
    "char3": (*ELMAN, *SHUFFLED),
    "rnn-add": (*ELMAN, *SHUFFLED),
    "rnn-concat": (*ELMAN, *SHUFFLED),
    "rnn": (*ELMAN, *SHUFFLED),
    "rnn-sequence": (*ELMAN, *SHUFFLED),
    "rnn-scan": (*ELMAN, *SHUFFLED),
    "rnn-stateful": ELMAN,
    "lstm": GATED,
    "gru": GATED,
    "rnn-numpy": ("hidden_size", "activation", "identity"),
    "lstm-numpy": ("hidden_size",),
    "dot": ("embedding", "penalty", *SHUFFLED),
    "neural": ("embedding", "penalty", "hidden_size", "dropout", *SHUFFLED),
    "tabular": ("hidden_size", "layers", "dropout", "embedding", *SHUFFLED),
}
HOMES = {
    "repeat": "seq2seq.models.repeat:RepeatModel",
    "attention": "seq2seq.models.attention:AttentionModel",
    "transducer": "seq2seq.models.transducer:TransducerModel",
    "aligned": "seq2seq.models.transducer:AlignedModel",
    "char3": "seq2seq.models.character:Char3Model",
    "rnn-add": "seq2seq.models.character:AddingModel",
    "rnn-concat": "seq2seq.models.character:JoiningModel",
    "rnn": "seq2seq.models.character:FusedModel",
    "rnn-sequence": "seq2seq.models.character:SequenceModel",
    "rnn-scan": "seq2seq.models.character:ScanModel",
    "rnn-stateful": "seq2seq.models.stateful:StatefulModel",
    "lstm": "seq2seq.models.stateful:LstmModel",
    "gru": "seq2seq.models.stateful:GruModel",
    "rnn-numpy": "seq2seq.models.stateful:ByHandModel",
    "lstm-numpy": "seq2seq.models.stateful:LstmByHandModel",
    "dot": "seq2seq.models.ratings:DotModel",
    "neural": "seq2seq.models.ratings:NeuralModel",
    "tabular": "seq2seq.models.dense:DenseModel",
}
MODELS: Registry[BaseModel] = Registry("model", HOMES, "seq2seq.models.base:Model")
ANSWERING = ("repeat", "attention", "transducer", "aligned")
RATING_MODELS = ("dot", "neural")
TABLE_MODELS = ("tabular",)
ROW_MODELS = (*RATING_MODELS, *TABLE_MODELS)
TEXT_MODELS = tuple(name for name in MODEL_OPTIONS if name not in (*ANSWERING, *ROW_MODELS))
STRING_MODELS = (*ANSWERING, *TEXT_MODELS)
SOME_MODELS = {name for options in MODEL_OPTIONS.values() for name in options}
# Values that describe a model without the option; these may be given.
WITHOUT = {
    "layers": 1, "dropout": 0, "label_smoothing": 0, "bidirectional": False, "position_bias": False, "beam": 1,
    "embedding": 0, "normalise": "none", "identity": False, "reverse_target": False, "penalty": 0,
    "examples_per_epoch": None, "lstm": "mxnet",
}  # fmt: skip
# Training options that are used only if another option has a certain value.
PART_OF = {"momentum": ("optimizer", "sgd"), "epsilon": ("optimizer", "adam"), "cycles": ("schedule", "restarts")}


def model_name(task: Task, model: str) -> str:
    """The name of the model for a task: `model` itself, unless it is `auto`."""
    return application_of(task).model_name(task, model)


def options_of(model: str) -> tuple[str, ...]:
    """The names of the options that a model has, by the model's name."""
    if model in MODEL_OPTIONS:  # known without loading MXNet
        return MODEL_OPTIONS[model]
    return tuple(MODELS[model].options)


def lacking(config: Config) -> dict[str, str]:
    """The options that an experiment does not use, each with the reason for a message."""
    name = model_name(config.task, config.model.model)
    has = [
        option
        for option in options_of(name)
        if not (option == "reverse_target" and name == "transducer" and in_place(config.task))
    ]
    reason = f"left out with the model {name}, whose options are {', '.join(has) or 'none'}"
    lacked = dict.fromkeys(sorted(SOME_MODELS.difference(has)), reason)
    if not config.model.embedding:
        lacked.setdefault("normalise", "left out without an embedding, which it normalises")
    for option, (decides, value) in PART_OF.items():
        chosen = getattr(config.training, decides)
        if chosen != value:
            lacked[option] = f"left out with the {decides} {chosen}: it is an option of {value}"
    if name in MODEL_OPTIONS and not (("cell" in has and config.model.cell == "lstm") or name == "lstm"):
        what = f"cell {config.model.cell}" if "cell" in has else f"model {name}"
        lacked["lstm"] = f"mxnet with the {what}, for which there is no compiled one"
    return lacked


def fitted(config: Config, given: Mapping[str, Any]) -> Config:
    """Set the options that an experiment does not use to their defaults.

    Parameters
    ----------
    config : Config
    given : dict
        Options that the user gave.

    Returns
    -------
    Config

    Raises
    ------
    UsageError
        If a given option is not used, unless its value describes the model as it is, such as one layer.
    """
    lacked = lacking(config)
    as_it_is = {**WITHOUT, "reverse_target": model_name(config.task, config.model.model) == "aligned"}
    for name in sorted(lacked.keys() & given.keys()):
        good = name in as_it_is and given[name] == as_it_is[name]
        require(good, name, given[name], lacked[name])
    parts = {}
    for part in ("data", "model", "training"):
        values = getattr(config, part)
        defaults = {name: getattr(type(values), name) for name in lacked if hasattr(values, name)}
        parts[part] = replace(values, **defaults)
    return replace(config, **parts)
