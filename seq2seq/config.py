"""All options of an experiment with their defaults, and the presets."""

from __future__ import annotations

import json
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
from seq2seq.tasks.blocks import digest_of
from seq2seq.tasks.measure import Outline
from seq2seq.tasks.registry import BUILT_IN
from seq2seq.tasks.repeatable import require_repeatable
from seq2seq.values import HELD, MOST, MOST_SEED, is_held, is_name, make_plain, require_fraction, require_truth, whole

MODEL_NAMES = ("auto", *HOMES)
CELLS = ("lstm", "rnn")
NORMALISATIONS = ("auto", "batch", "layer", "none")
_BUILT_IN_MODULES = {home.partition(":")[0] for home in BUILT_IN.values()}
MOST_LAYERS = 100
START = "start_from"  # a key in the JSON of a configuration


@dataclass(frozen=True)
class DataConfig:
    """Options of the data set.

    Parameters
    ----------
    examples : int, optional
        Number of examples to draw, including those held out. By default all distinct examples of a task that has at
        most 100,000, else 50,000.
    validation, test : float or int
        The amount held out to choose the best weights, and to report results: a fraction below 1, or a number of
        examples. For a text, a fraction or number of its characters, taken from the end.
    split : str
        The key that training, validation and test examples do not have in common: `expression` (the string), or
        another key of the task, such as `commutative` (strings that differ only in the order of terms or factors are
        also kept together). `none` draws the three independently, as the notebook did, so most test examples may also
        be training examples. `position` for a text. `pair` for ratings: all ratings of an item by a user are kept
        together. `columns` for a table: all rows with the same values in the columns that are read are kept together.
        `row` for both: every row is dealt on its own.
    reverse_target : bool
        Whether targets are learned last character first: see `Codec`.
    data_seed : int, optional
        Determines the examples and how they are split; by default the seed of the experiment. Runs with the same one
        have the same held-out examples, whatever else is random in them: see `Ensemble`.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    examples: int | None = field(
        default=None,
        metadata={"help": "examples to draw, before any are held out (default: all if few, else 50000)", "parse": int},
    )
    validation: float | int = field(
        default=0.1,
        metadata={"help": "held out to choose the best weights: a fraction below 1, or a number", "parse": "amount"},
    )
    test: float | int = field(
        default=0.1,
        metadata={"help": "held out to report results: a fraction below 1, or a number", "parse": "amount"},
    )
    split: str = field(
        default="expression",
        metadata={
            "help": "what the splits do not share: expression, commutative, date, pair, columns, row; or none",
            "parse": str,
        },
    )
    reverse_target: bool = field(
        default=False, metadata={"help": "learn answers least digit first (shown the right way round)", "parse": bool}
    )
    data_seed: int | None = field(
        default=None, metadata={"help": "seed of the examples and their split (default: that of --seed)", "parse": int}
    )

    def __post_init__(self) -> None:
        make_plain(self)
        if self.examples is not None:
            whole("examples", self.examples, 1)
        for name in ("validation", "test"):
            amount = getattr(self, name)
            allowed = is_whole(amount, 1, MOST) or (isinstance(amount, float) and is_number(amount) and 0 < amount < 1)
            expected = f"a fraction between 0 and 1, or a whole number of examples from 1 to {MOST}"
            require(allowed, name, amount, expected)
        require(isinstance(self.split, str), "split", self.split, "a name")
        require_truth("reverse_target", self.reverse_target)
        if self.data_seed is not None:
            whole("data_seed", self.data_seed, 0, MOST_SEED)


@dataclass(frozen=True)
class Extra:
    """Training examples of another task, in addition to the main task's; held-out questions are left out.

    Parameters
    ----------
    task : Task
        Its strings must fit the widths and characters of the main task. If both learn from files or given data, the
        main task's vocabulary and widths also cover this task's data.
    examples : int, optional
        Number of distinct examples to draw; by default all.
    share : float, optional
        The fraction of every batch that comes from this task: the examples are then read in random order, repeatedly if
        needed, while an epoch is one pass over the others. By default they are added to the main task's examples.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    task: Task
    examples: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        require(isinstance(self.task, Task), "extra", self.task, "a Task, such as Arithmetic()")
        if self.examples is not None:
            object.__setattr__(self, "examples", whole("examples", self.examples, 1))
        if self.share is not None:
            good = is_number(self.share) and 0 < self.share < 1
            require(good, "share", self.share, "a fraction of a batch between 0 and 1")
            object.__setattr__(self, "share", float(self.share))

    @property
    def option(self) -> str:
        """The option with which it is given, for messages."""
        return "extra" if self.share is None else "mix"

    @property
    def shown(self) -> str:
        """Its file, or the name of its task, for messages."""
        return getattr(self.task, "path", "") or self.task.name

    def to_json(self) -> dict[str, Any]:
        """The values as plain objects for JSON."""
        share = {} if self.share is None else {"share": self.share}
        return {"task": _task_to_json(self.task), "examples": self.examples, **share}

    @classmethod
    def from_json(
        cls,
        values: Any,
        task_class: type[Task] | None = None,
        read: Callable[[str], str | None] | None = None,
        later: bool = False,
        place: int = 1,
    ) -> Extra:
        """The inverse of `to_json`.

        Parameters
        ----------
        values
        task_class : type, optional
            The class of tasks of its name; any other name must be in `TASKS`.
        read : callable, optional
            From the name of a file in `Config.keeping` to the text that the `keep` of the file's task returned.
        later : bool
            Whether to call `read` only when the text is needed.
        place : int
            Which of the extra tasks it is, counted from 1.

        Raises
        ------
        UsageError, KeyError, TypeError, ValueError
            If the values have another form.
        """
        table = checked_table("extra", values, ("task", "examples", "share"))
        task = table["task"]
        known = task_class if isinstance(task, dict) and task_class and task.get("name") == task_class.name else None
        return cls(_task_from_json(task, known, read, later=later, place=place), table["examples"], table.get("share"))


def _task_to_json(task: Task) -> dict[str, Any]:
    digest = task.kept_digest
    return {"name": task.name, **task.options(), **({} if digest is None else {"digest": digest})}


def with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """A task's options from JSON or TOML, with lists turned into tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def checked_table(name: str, values: Any, allowed: Iterable[str]) -> dict[str, Any]:
    """Check a table that was read from a file.

    Parameters
    ----------
    name : str
        Name of the table for messages.
    values
        The value that was read.
    allowed : iterable of str
        The names that the table may have.

    Returns
    -------
    dict

    Raises
    ------
    UsageError
        If it is not a table, or has another name.
    """
    require(isinstance(values, dict), name, values, "a table")
    unknown = sorted(set(values).difference(allowed))
    if unknown:
        raise UsageError(f"{name}: has {short(unknown[0])}, but can have only {cut(', '.join(allowed), MOST_ALLOWED)}")
    return dict(values)


def _task_from_json(
    values: Any,
    task_class: type[Task] | None = None,
    read: Callable[[str], str | None] | None = None,
    outline: Outline | None = None,
    later: bool = False,
    place: int = 0,
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
    file = kept_name(task_class.kept_as, place)
    kept = partial(_checked, partial(read, file), options.pop("digest", None))
    return task_class.later(options, kept, file) if later else task_class.opened(options, kept, outline)


def _checked(read: Callable[[], str | None], digest: Any) -> str | None:
    kept = read()
    if kept is not None and digest != digest_of([kept]):
        raise ValueError("the data kept with it are not those that it was made with")
    return kept


def require_name(task: Task) -> None:
    """Raise `UsageError` unless a task has a valid name that is not the name of another task."""
    name: Any = getattr(task, "name", None)
    require(is_name(name), f"name of {type(task).__name__}", name, "small letters, digits, _ and -")
    if name in TASKS and TASKS[name] is not type(task):
        raise UsageError(f"name of {type(task).__name__}: {short(name)} is another task's")


def require_rebuilt(task: Task) -> None:
    """Raise `UsageError` unless a task and its pairs can be made again from its options, as opening a run requires."""
    kept = task.kept_digest is not None
    try:
        values = json.loads(json.dumps(_task_to_json(task)))
        again = task if kept else _task_from_json(values, type(task))
        if again.options() != task.options():
            raise ValueError("it then has other options")
    except (TypeError, ValueError) as error:
        raise UsageError(f"options of {type(task).__name__}: do not make it again: {error}") from None
    if not kept and type(task).__module__ not in _BUILT_IN_MODULES:
        require_repeatable(task, again)


@dataclass(frozen=True)
class ModelConfig:
    """Options of the network.

    Parameters
    ----------
    model : str
        `repeat`, the notebook's network; `attention`, which attends to the source and writes one character at a time;
        `transducer`, which writes one character per character read; `aligned`, a transducer that reads two numbers
        place by place; or one of the models of text, of ratings or of tables. `auto` is `transducer` for steps that are
        written in place, `attention` for other steps, `gru` for a text, `dot` for ratings, `tabular` for a table, and
        else `repeat`. See `seq2seq/models/`.
    cell : str
        `lstm`, or `rnn` with one tanh per unit (Elman 1990). An LSTM may lose its memory slowly, too slowly to show in
        short training examples. An `rnn` either renews its memory at each step or loses it at once, so it keeps what it
        has learned to remember for any number of steps.
    hidden_size : int
        Units per recurrent layer and direction (H).
    layers : int
        Number of recurrent layers in the encoder, and in the decoder.
    dropout : float
        Fraction of the values dropped in training: between recurrent layers, on the repeated state and before the dense
        layer.
    label_smoothing : float
        Fraction of each target character's probability that is spread evenly over all characters in training.
    bidirectional : bool
        Whether the encoder also reads the source from right to left.
    position_bias : bool
        Whether the scores of `attention` have a learned bias for each relative position.
    beam : int
        For `attention`: number of prefixes that are kept when the run answers; 1 is greedy. Validation is greedy.
    embedding : int
        Size of the embeddings (E): of characters, for models of text, where 0 reads one-hot vectors; of users and
        items, for models of ratings; or of categories, for `tabular`, where 0 chooses a size by their number.
    normalise : str
        For models of text with embeddings: `batch` normalises each of their E values over the characters of a batch
        (Ioffe and Szegedy 2015), `layer` the values of each embedding (Ba, Kiros and Hinton 2016), `none` nothing.
        `auto` is `layer` for `lstm` and `gru`, and else `none`.
    activation : str
        For models of text other than `lstm` and `gru`: `tanh` or `relu`.
    identity : bool
        For the same models: whether the hidden-to-hidden matrix is initialised to the identity.
    penalty : float
        For models of ratings: weight of the squared embeddings and biases in the loss, in ratings. A user or item with
        few ratings stays near the mean.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    model: str = field(default="auto", metadata={"help": f"one of {', '.join(MODEL_NAMES)}", "parse": str})
    cell: str = field(default="lstm", metadata={"help": "lstm, or rnn: one tanh per unit", "parse": str})
    hidden_size: int = field(default=128, metadata={"help": "units of each recurrent layer", "parse": int})
    layers: int = field(
        default=2, metadata={"help": "recurrent layers in the encoder, and in the decoder", "parse": int}
    )
    dropout: float = field(default=0.0, metadata={"help": "fraction of values dropped in training", "parse": float})
    label_smoothing: float = field(
        default=0.0, metadata={"help": "probability spread over all characters in training", "parse": float}
    )
    bidirectional: bool = field(default=True, metadata={"help": "read the source in both directions", "parse": bool})
    position_bias: bool = field(
        default=False, metadata={"help": "attention: learn where to look by offsets too", "parse": bool}
    )
    beam: int = field(
        default=1, metadata={"help": "attention: prefixes kept by the search when the run answers", "parse": int}
    )
    embedding: int = field(
        default=0,
        metadata={
            "help": "size of the embeddings; 0: one-hot characters, or as fits the categories",
            "parse": int,
        },
    )
    normalise: str = field(
        default="auto",
        metadata={"help": f"models of text: how embeddings are normalised: {', '.join(NORMALISATIONS)}", "parse": str},
    )
    activation: str = field(default="tanh", metadata={"help": "char3 and rnn models: tanh or relu", "parse": str})
    identity: bool = field(
        default=False,
        metadata={"help": "char3 and rnn models: the hidden matrix begins as the identity", "parse": bool},
    )
    penalty: float = field(
        default=0.0,
        metadata={"help": "models of ratings: weight of the squared embeddings and biases in the loss", "parse": float},
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
        whole("beam", self.beam, 1)
        whole("embedding", self.embedding, 0)
        require(is_held(self.penalty), "penalty", self.penalty, f"a number from 0 {HELD}")
        require(self.normalise in NORMALISATIONS, "normalise", self.normalise, f"one of {', '.join(NORMALISATIONS)}")
        require(self.activation in ("tanh", "relu"), "activation", self.activation, "tanh or relu")
        for name in ("bidirectional", "position_bias", "identity"):
            require_truth(name, getattr(self, name))


@dataclass(frozen=True)
class Start:
    """What a run keeps of the run from whose weights it started.

    Parameters
    ----------
    weights : str
        A digest of the weights.
    questions : str, optional
        A digest of the hashes of the questions that the other run was trained on, which are in a file of the run; None
        if they are not known.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    weights: str
    questions: str | None

    def __post_init__(self) -> None:
        require(isinstance(self.weights, str), "start_from weights", self.weights, "a digest")
        good = self.questions is None or isinstance(self.questions, str)
        require(good, "start_from questions", self.questions, "a digest or null")


@dataclass(frozen=True)
class Config:
    """All options of an experiment, saved in a run folder as `config.json`.

    Options of different parts have different names, so that a name is enough to set one:
    `Config().with_options(hidden_size=64)`.

    Parameters
    ----------
    task : Task
    data : DataConfig
    model : ModelConfig
    training : TrainingConfig
    seed : int
        Determines all random draws.
    extra : sequence of Extra
        Further training examples.
    start : Start, optional
        If the training started from the weights of another run.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    task: Task = field(default_factory=Arithmetic)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = 0
    extra: tuple[Extra, ...] = ()
    start: Start | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", tuple(self.extra))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, MOST_SEED))
        require(isinstance(self.task, Task), "task", self.task, "a Task, such as Arithmetic(), or pairs of strings")
        require(all(isinstance(each, Extra) for each in self.extra), "extra", self.extra, "a sequence of Extra")
        shares = [each.share for each in self.extra if each.share]
        require(sum(shares) < 1, "share", shares, "fractions that leave a part of each batch to the task itself")
        good = not shares or self.training.examples_per_epoch is None
        require(good, "examples_per_epoch", self.training.examples_per_epoch, "absent where batches are mixed by share")
        object.__setattr__(self, "task", self.task.covering([each.task for each in self.extra]))
        require_name(self.task)

    @property
    def data_seed(self) -> int:
        """The seed of the data set."""
        return self.seed if self.data.data_seed is None else self.data.data_seed

    @property
    def keeping(self) -> dict[str, Task]:
        """The tasks whose data a run must keep, by the names of the files."""
        tasks = enumerate([self.task, *(each.task for each in self.extra)])
        return {kept_name(task.kept_as, place): task for place, task in tasks if type(task).keep is not Task.keep}

    def with_options(self, **options: Any) -> Config:
        """A copy with other values for some options.

        Parameters
        ----------
        **options
            Options of `DataConfig`, `ModelConfig` and `TrainingConfig`, and `seed`.

        Raises
        ------
        UsageError
            If an option is unknown, or a value is not allowed.
        """
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
        """The options as plain values for JSON, without unused ones."""
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
            **({} if self.start is None else {START: asdict(self.start)}),
        }

    @classmethod
    def from_json(
        cls,
        values: dict[str, Any],
        task_class: type[Task] | None = None,
        read: Callable[[str], str | None] | None = None,
        outline: Outline | None = None,
    ) -> Config:
        """The inverse of `to_json`.

        Parameters
        ----------
        values : dict
        task_class : type, optional
            The class of the task, if its name is not in `TASKS`.
        read : callable, optional
            From the name of a file in `keeping` to the text that the `keep` of the file's task returned.
        outline : Outline, optional
            The outline of the data. If it is given, `read` is called only when the text is needed.

        Raises
        ------
        UsageError, KeyError, TypeError, ValueError
            If the values have another form.
        """
        parts = {part: config(**checked_table(part, values[part], _names(config))) for part, config in PARTS.items()}
        extra = values.get("extra", [])
        require(isinstance(extra, list), "extra", extra, "a list of tables")
        extra = tuple(
            Extra.from_json(each, task_class, read, later=outline is not None, place=place)
            for place, each in enumerate(extra, 1)
        )
        start = Start(**checked_table(START, values[START], _names(Start))) if START in values else None
        task = _task_from_json(values["task"], task_class, read, outline)
        task.cover([each.task for each in extra])
        return cls(task=task, seed=values["seed"], extra=extra, start=start, **parts)


def kept_name(kept_as: str, place: int) -> str:
    """The file in which a run keeps the data of its task (place 0), or of one of its extra tasks (from 1)."""
    return f"extra-{place}.{kept_as}" if place else kept_as


def _names(config: Any) -> list[str]:
    return [field.name for field in fields(config)]


PARTS: dict[str, Any] = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}

PRESETS = {
    # The last steps are often sums of larger numbers, and steps of longer expressions have larger products too. There
    # are many of these examples, because a training that sees each only a few times needs no dropout. Numbers
    # alone, which stay as they are, teach it to copy: without any of them it learns much more slowly.
    "default": Config(
        task=Arithmetic(steps="call"),
        data=DataConfig(reverse_target=True),
        model=ModelConfig(model="attention", hidden_size=96, layers=1, position_bias=True),
        training=TrainingConfig(learning_rate=0.01, weight_decay=0.04, examples_per_epoch=4000),
        extra=(
            Extra(Arithmetic("+", terms=2, operands=(1, 100), steps="call"), 1500),
            Extra(Arithmetic("+", terms=2, operands=(1, 9999), steps="call"), 1000),
            Extra(Arithmetic("+", terms=2, operands=(1, 999_999), steps="call"), 1000),
            Extra(Arithmetic("*", terms=(4, 9), steps="call"), 6000),
            Extra(Arithmetic(terms=(4, 10), steps="call"), 15_000),
            Extra(Arithmetic("+", terms=1, operands=(1, 999_999), steps="call"), 3000),
        ),
    ),
    # The notebook E2_sequence_modeling_basic_math (sunilmallya/dl-twitch-series, 2017) with the same numbers, except
    # for its loss, which counted padding too. It drew its samples independently, so nearly all its test samples had
    # been trained on; the overlap is reported. Its Module divided the gradient of a mean by the batch size once more:
    # in Adam the gradient's scale matters only relative to epsilon, so 32 times the default 1e-8 is the same optimiser.
    # It filled its last batch with the first samples; here the last batch is smaller.
    "notebook": Config(
        task=Arithmetic(operators="+*", terms=3, operands=(1, 10), mixed=False),
        data=DataConfig(examples=10_000, validation=100, test=100, split="none", reverse_target=False),
        model=ModelConfig(hidden_size=32, layers=1, bidirectional=False),
        training=TrainingConfig(
            batch_size=32, learning_rate=0.001, schedule="constant", warmup_steps=0, clip_norm=0.0, epsilon=32e-8
        ),
    ),
}
