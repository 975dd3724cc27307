"""Every option of an experiment, with its default, and the presets: numbers only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import partial
from typing import Any, Callable

from seq2seq.engine.options import TrainingConfig
from seq2seq.errors import MOST_ALLOWED, UsageError, cut, is_number, is_whole, require, short
from seq2seq.options import HOMES, MODELS, lacking
from seq2seq.options import TEXT_MODELS as TEXT_MODELS
from seq2seq.tasks import TASKS, Arithmetic, Task
from seq2seq.tasks.base import option_fields
from seq2seq.tasks.measure import Outline
from seq2seq.tasks.registry import BUILT_IN
from seq2seq.tasks.repeatable import require_repeatable
from seq2seq.values import MOST, MOST_SEED, make_plain, require_fraction, require_truth, whole

MODEL_NAMES = ("auto", *HOMES)
CELLS = ("lstm", "rnn")
_BUILT_IN_MODULES = {home.partition(":")[0] for home in BUILT_IN.values()}
MOST_LAYERS = 100


@dataclass(frozen=True)
class DataConfig:
    """What is trained on and what is held out.

    Parameters
    ----------
    examples : int, optional
        How many examples to draw, before any are held out. By default all the distinct ones of a task that has at
        most 100,000, else 50,000.
    validation, test : float or int
        How much is held out to choose weights by, and to report on: a share below 1, or a number of examples; of a
        text, its last characters.
    split : str
        What training, validation and test do not share: `expression` (no string), another of the task's keys, such as
        `commutative` (nor one that differs in the order of terms or factors alone), or `none`: all three are drawn
        independently, as the notebook did, and most test examples may have been trained on. Of a text, `position`.
    reverse_target : bool
        Whether targets are learned last character first: see `Codec`.
    """

    examples: int | None = field(
        default=None,
        metadata={"help": "examples to draw, before any are held out (default: all if few, else 50000)", "parse": int},
    )
    validation: float | int = field(
        default=0.1, metadata={"help": "held out to choose weights by: a share below 1, or a number", "parse": "amount"}
    )
    test: float | int = field(
        default=0.1, metadata={"help": "held out to report on: a share below 1, or a number", "parse": "amount"}
    )
    split: str = field(
        default="expression",
        metadata={
            "help": "what the splits do not share: expression, commutative, date; or none (they overlap)",
            "parse": str,
        },
    )
    reverse_target: bool = field(
        default=False, metadata={"help": "learn answers least digit first (shown the right way round)", "parse": bool}
    )

    def __post_init__(self) -> None:
        make_plain(self)
        if self.examples is not None:
            whole("examples", self.examples, 1)
        for name in ("validation", "test"):
            amount = getattr(self, name)
            allowed = is_whole(amount, 1, MOST) or (isinstance(amount, float) and is_number(amount) and 0 < amount < 1)
            require(allowed, name, amount, f"a share between 0 and 1, or a whole number of examples from 1 to {MOST}")
        require(isinstance(self.split, str), "split", self.split, "a name")
        require_truth("reverse_target", self.reverse_target)


@dataclass(frozen=True)
class Extra:
    """Examples of another task that are trained on beside the task's own, but for what is held out.

    Parameters
    ----------
    task : Task
        Its strings must fit the widths and characters of the main task.
    examples : int, optional
        How many distinct ones to draw; by default all.
    """

    task: Task
    examples: int | None = None

    def __post_init__(self) -> None:
        require(isinstance(self.task, Task), "extra", self.task, "a Task, such as Arithmetic()")
        require(self.task.keep() is None, "extra", self.task, "a task whose options are all that makes it")
        if self.examples is not None:
            object.__setattr__(self, "examples", whole("examples", self.examples, 1))

    def to_json(self) -> dict[str, Any]:
        return {"task": _task_to_json(self.task), "examples": self.examples}

    @classmethod
    def from_json(cls, values: Any) -> Extra:
        table = checked_table("extra", values, ("task", "examples"))
        return cls(_task_from_json(table["task"]), table["examples"])


def _task_to_json(task: Task) -> dict[str, Any]:
    kept = task.keep()
    digest = {} if kept is None else {"digest": _digest(kept)}
    return {"name": task.name, **task.options(), **digest}


def _digest(kept: str) -> str:
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


def with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """A task's options from JSON or TOML, which know lists alone."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def checked_table(name: str, values: Any, allowed: Iterable[str]) -> dict[str, Any]:
    """A table from a file. Raises `UsageError` if it is none, or has something that it cannot have."""
    require(isinstance(values, dict), name, values, "a table")
    unknown = sorted(set(values).difference(allowed))
    if unknown:
        raise UsageError(f"{name}: has {short(unknown[0])}, but can have only {cut(', '.join(allowed), MOST_ALLOWED)}")
    return dict(values)


def _task_from_json(
    values: Any,
    task_class: type[Task] | None = None,
    read: Callable[[], str | None] | None = None,
    outline: Outline | None = None,
) -> Task:
    require(isinstance(values, dict), "task", values, "a table")
    options = with_tuples(values)
    name = options.pop("name")
    if task_class is None:
        require(isinstance(name, str) and name in TASKS, "task", name, f"one of {', '.join(TASKS)}")
        task_class = TASKS[name]
    if is_dataclass(task_class):
        checked_table("task", options, [*(field.name for field in option_fields(task_class)), "digest"])
    if read is None or task_class.keep is Task.keep:
        return task_class.opened(options, lambda: None, outline)
    return task_class.opened(options, partial(_checked, read, options.pop("digest", None)), outline)


def _checked(read: Callable[[], str | None], digest: Any) -> str | None:
    kept = read()
    if kept is not None and digest != _digest(kept):
        raise ValueError("what is kept beside it is not what it was made with")
    return kept


def require_name(task: Task) -> None:
    """Raise `UsageError` unless a task has a name of its own, by which it is found again, or at least not mistaken."""
    name: Any = getattr(task, "name", None)
    good = isinstance(name, str) and re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name)
    require(bool(good), f"name of {type(task).__name__}", name, "small letters, digits, _ and -")
    if name in TASKS and TASKS[name] is not type(task):
        raise UsageError(f"name of {type(task).__name__}: {short(name)} is another task's")


def require_rebuilt(task: Task) -> None:
    """Raise `UsageError` unless a task's options make it and its pairs again, as whoever opens its run will need."""
    kept = task.keep()
    try:
        values = json.loads(json.dumps(_task_to_json(task)))
        again = task if kept is not None else _task_from_json(values, type(task))
        if again.options() != task.options():
            raise ValueError("it then has other options")
    except (TypeError, ValueError) as error:
        raise UsageError(f"options of {type(task).__name__}: do not make it again: {error}") from None
    if kept is None and type(task).__module__ not in _BUILT_IN_MODULES:
        require_repeatable(task, again)


@dataclass(frozen=True)
class ModelConfig:
    """The network's options.

    Parameters
    ----------
    model : str
        `auto`: `transducer` for steps that are written in their place, `attention` for others, else `repeat`. `repeat`:
        the notebook's. `attention` looks back at the source and writes a character at a time; `transducer` writes a
        character for each it reads; `aligned` is one that reads two numbers place by place. All others read a text:
        `auto` is then `gru`. See `seq2seq/models/`.
    cell : str
        `lstm`, or `rnn`: one tanh a unit (Elman 1990). What an LSTM remembers may leak away slowly, too slowly for
        short training examples to show; an `rnn` must hold on to it at each step or lose it at once, so that what it
        has learned to remember, it remembers for as long as one likes.
    hidden_size : int
        Units of each recurrent layer and direction (H).
    layers : int
        Recurrent layers in the encoder, and in the decoder.
    dropout : float
        Share of the values dropped in training: between recurrent layers, on the repeated state and before the dense
        layer.
    label_smoothing : float
        How much of each target character's probability all characters share evenly in training.
    bidirectional : bool
        Whether the encoder also reads the source from right to left.
    position_bias : bool
        Whether `attention` also learns where to look from the offset between the step and a place.
    embedding : int
        Of a text's model: the numbers that a character is turned into first (E); 0 reads one-hot vectors.
    activation : str
        Of a text's models but `lstm` and `gru`: `tanh` or `relu`.
    identity : bool
        Whether the hidden matrix of these same begins as the identity.
    """

    model: str = field(default="auto", metadata={"help": f"one of {', '.join(MODEL_NAMES)}", "parse": str})
    cell: str = field(default="lstm", metadata={"help": "lstm, or rnn: one tanh a unit", "parse": str})
    hidden_size: int = field(default=128, metadata={"help": "units of each recurrent layer", "parse": int})
    layers: int = field(
        default=2, metadata={"help": "recurrent layers in the encoder, and in the decoder", "parse": int}
    )
    dropout: float = field(default=0.0, metadata={"help": "share of values dropped in training", "parse": float})
    label_smoothing: float = field(
        default=0.0, metadata={"help": "probability that all characters share in training", "parse": float}
    )
    bidirectional: bool = field(default=True, metadata={"help": "read the source in both directions", "parse": bool})
    position_bias: bool = field(
        default=False, metadata={"help": "attention: learn where to look by offsets too", "parse": bool}
    )
    embedding: int = field(
        default=0,
        metadata={"help": "a text's models: numbers that a character is turned into; 0: one-hot", "parse": int},
    )
    activation: str = field(default="tanh", metadata={"help": "char3 and rnn models: tanh or relu", "parse": str})
    identity: bool = field(
        default=False,
        metadata={"help": "char3 and rnn models: the hidden matrix begins as the identity", "parse": bool},
    )

    def __post_init__(self) -> None:
        make_plain(self)
        known = self.model == "auto" or (isinstance(self.model, str) and self.model in MODELS)
        if not known:
            require(False, "model", self.model, f"one of {', '.join(['auto', *MODELS])}")
        require(self.cell in CELLS, "cell", self.cell, f"one of {', '.join(CELLS)}")
        whole("hidden_size", self.hidden_size, 1)
        whole("layers", self.layers, 1, MOST_LAYERS)
        for name in ("dropout", "label_smoothing"):
            require_fraction(name, getattr(self, name))
        whole("embedding", self.embedding, 0)
        require(self.activation in ("tanh", "relu"), "activation", self.activation, "tanh or relu")
        for name in ("bidirectional", "position_bias", "identity"):
            require_truth(name, getattr(self, name))


@dataclass(frozen=True)
class Config:
    """All that makes one experiment what it is: kept in a run folder as `config.json`.

    Options are known by their own names, which no two parts share: `Config().with_options(hidden_size=64)`.
    """

    task: Task = field(default_factory=Arithmetic)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = 0
    extra: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", tuple(self.extra))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, MOST_SEED))
        require(isinstance(self.task, Task), "task", self.task, "a Task, such as Arithmetic(), or pairs of strings")
        require(all(isinstance(each, Extra) for each in self.extra), "extra", self.extra, "a sequence of Extra")
        require_name(self.task)

    def with_options(self, **options: Any) -> Config:
        """A copy with these options of its data, model and training, or the seed, set. Raises `UsageError`."""
        parts: dict[str, Any] = {}
        for part, config in PARTS.items():
            mine = {f.name for f in fields(config)} & set(options)
            parts[part] = replace(getattr(self, part), **{name: options.pop(name) for name in mine})
        if "seed" in options:
            parts["seed"] = options.pop("seed")
        if options:
            allowed = [*sorted(f.name for part in PARTS.values() for f in fields(part)), "seed"]
            raise UsageError(f"unknown option {short(sorted(options)[0])}; the options are {', '.join(allowed)}")
        return replace(self, **parts)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold, without options that have no use."""
        lacked = lacking(self)
        parts = {
            part: {name: value for name, value in asdict(getattr(self, part)).items() if name not in lacked}
            for part in PARTS
        }
        return {
            "task": _task_to_json(self.task),
            **parts,
            "seed": self.seed,
            "extra": [extra.to_json() for extra in self.extra],
        }

    @classmethod
    def from_json(
        cls,
        values: dict[str, Any],
        task_class: type[Task] | None = None,
        read: Callable[[], str | None] | None = None,
        outline: Outline | None = None,
    ) -> Config:
        """The inverse of `to_json`. Raises `UsageError`, `KeyError`, `TypeError` or `ValueError` for anything else.

        Parameters
        ----------
        values : dict
        task_class : type, optional
            Of a task that has no name in `TASKS`.
        read : callable, optional
            Gives what the task's `keep` gave.
        outline : Outline, optional
            Of the data: with it, what is kept is read when someone asks for it.
        """
        parts = {part: config(**checked_table(part, values[part], _names(config))) for part, config in PARTS.items()}
        extra = values.get("extra", [])
        require(isinstance(extra, list), "extra", extra, "a list of tables")
        extra = tuple(map(Extra.from_json, extra))
        task = _task_from_json(values["task"], task_class, read, outline)
        return cls(task=task, seed=values["seed"], extra=extra, **parts)


def _names(config: Any) -> list[str]:
    return [field.name for field in fields(config)]


PARTS: dict[str, Any] = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}

PRESETS = {
    # Beside the expressions themselves, sums of two larger numbers, which is what the last step of many is.
    "default": Config(
        task=Arithmetic(steps="call"),
        data=DataConfig(reverse_target=True),
        model=ModelConfig(model="attention", hidden_size=96, layers=1, dropout=0.15, position_bias=True),
        training=TrainingConfig(learning_rate=0.008),
        extra=(Extra(Arithmetic("+", terms=2, operands=(1, 100), steps="call"), 2000),),
    ),
    # The notebook E2_sequence_modeling_basic_math (sunilmallya/dl-twitch-series, 2017), to the number but for its loss,
    # which counted padding too. It drew its samples independently, so its test samples had nearly all been trained on;
    # the overlap is reported. Its Module divided the gradient of a mean by the batch size once more: Adam takes no note
    # of the gradient's scale but in epsilon, so 32 times the default 1e-8 is the same optimiser. Dealing with the last
    # batch, it took the first samples a second time; here the last batch is a smaller one.
    "notebook": Config(
        task=Arithmetic(operators="+*", terms=3, operands=(1, 10), mixed=False),
        data=DataConfig(examples=10_000, validation=100, test=100, split="none", reverse_target=False),
        model=ModelConfig(hidden_size=32, layers=1, bidirectional=False),
        training=TrainingConfig(
            batch_size=32, learning_rate=0.001, schedule="constant", warmup_steps=0, clip_norm=0.0, epsilon=32e-8
        ),
    ),
}
