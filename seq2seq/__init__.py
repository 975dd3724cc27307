"""Learn to turn one short string into another, with MXNet's symbolic API and fused LSTM cells.

>>> from seq2seq import Arithmetic, train
>>> solver = train(Arithmetic(operators="+"), run_dir="runs/sums", epochs=20)
>>> solver("3+4+5")
'12'

>>> solver = train([("chat", "cat"), ("chien", "dog"), ...], run_dir="runs/words")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.config import Config, DataConfig, Extra, ModelConfig
    from seq2seq.decoding import Answer
    from seq2seq.engine.options import TrainingConfig
    from seq2seq.ensemble import Ensemble
    from seq2seq.errors import DeviceError, RunError, Seq2SeqError, SourceError, TrainingInterrupted, UsageError
    from seq2seq.estimator import Estimator
    from seq2seq.experiment import train
    from seq2seq.exporting import export
    from seq2seq.exporting.importing import import_mxnet
    from seq2seq.packing import pack
    from seq2seq.recommender import Recommender
    from seq2seq.searching import search
    from seq2seq.solver import Solver
    from seq2seq.tasks import Addition, Arithmetic, FileTask, ListTask, Task
    from seq2seq.tasks.calculator import Calculator
    from seq2seq.tasks.dates import Dates
    from seq2seq.tasks.long_arithmetic import LongArithmetic
    from seq2seq.tasks.pairs import PairsTask
    from seq2seq.tasks.pronunciation import Pronunciation
    from seq2seq.tasks.ratings import Ratings
    from seq2seq.tasks.roman import Roman
    from seq2seq.tasks.spelling import Spelling
    from seq2seq.tasks.strings import Copy, Reverse, Sort
    from seq2seq.tasks.table import Table
    from seq2seq.tasks.text import Text
    from seq2seq.writer import Writer

__version__ = "0.2.0.dev0"

# Names are imported when they are first used, so that importing the package does not load MXNet.
_HOME = {
    "Addition": "tasks",
    "Answer": "decoding",
    "Arithmetic": "tasks",
    "Calculator": "tasks.calculator",
    "Config": "config",
    "Copy": "tasks.strings",
    "DataConfig": "config",
    "Dates": "tasks.dates",
    "DeviceError": "errors",
    "Ensemble": "ensemble",
    "Estimator": "estimator",
    "Extra": "config",
    "FileTask": "tasks",
    "ListTask": "tasks",
    "LongArithmetic": "tasks.long_arithmetic",
    "ModelConfig": "config",
    "PairsTask": "tasks.pairs",
    "Pronunciation": "tasks.pronunciation",
    "Ratings": "tasks.ratings",
    "Recommender": "recommender",
    "Reverse": "tasks.strings",
    "Roman": "tasks.roman",
    "RunError": "errors",
    "Seq2SeqError": "errors",
    "Solver": "solver",
    "Sort": "tasks.strings",
    "SourceError": "errors",
    "Spelling": "tasks.spelling",
    "Table": "tasks.table",
    "Task": "tasks",
    "Text": "tasks.text",
    "TrainingConfig": "engine.options",
    "TrainingInterrupted": "errors",
    "UsageError": "errors",
    "Writer": "writer",
    "export": "exporting",
    "pack": "packing",
    "import_mxnet": "exporting.importing",
    "search": "searching",
    "train": "experiment",
}

__all__ = [
    "Addition",
    "Answer",
    "Arithmetic",
    "Calculator",
    "Config",
    "Copy",
    "DataConfig",
    "Dates",
    "DeviceError",
    "Ensemble",
    "Estimator",
    "Extra",
    "FileTask",
    "ListTask",
    "LongArithmetic",
    "ModelConfig",
    "PairsTask",
    "Pronunciation",
    "Ratings",
    "Recommender",
    "Reverse",
    "Roman",
    "RunError",
    "Seq2SeqError",
    "Solver",
    "Sort",
    "SourceError",
    "Spelling",
    "Table",
    "Task",
    "Text",
    "TrainingConfig",
    "TrainingInterrupted",
    "UsageError",
    "Writer",
    "export",
    "import_mxnet",
    "pack",
    "search",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'seq2seq' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seq2seq.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
