"""The base class of tasks: from options and a random generator to pairs of strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from typing import Any, Callable, ClassVar

import numpy as np

from seq2seq.errors import RunError, SourceError, UsageError, require, short
from seq2seq.lazy import cached_property
from seq2seq.tasks.alphabet import PAD, Alphabet
from seq2seq.tasks.arrays import Pairs, Row, StringPairs
from seq2seq.tasks.blocks import digest_of
from seq2seq.tasks.draws import distinct, drawn, fitting
from seq2seq.tasks.files import read_pairs
from seq2seq.tasks.many import ManyPairs
from seq2seq.tasks.measure import Measure, Outline, Sources
from seq2seq.typing import Array
from seq2seq.values import make_plain, plain, whole

MEASURED = 4000  # draws from which the symbols and lengths are found if a task does not define them


def option_fields(task: Any) -> list[Field[Any]]:
    """The fields of a task, or of a part of a configuration, that are options."""
    return [field for field in fields(task) if field.metadata.get("option", True)] if is_dataclass(task) else []


class Task:
    """A rule that draws (source, target) pairs of strings.

    A task needs a `name` and `draw`; everything else has a default. Its options are the fields of a frozen dataclass:

    >>> @dataclass(frozen=True)
    ... class Double(Task):
    ...     most: int = 999
    ...     name = "double"
    ...
    ...     def draw(self, rng):
    ...         number = rng.integers(self.most + 1)
    ...         return str(number), str(2 * number)

    A task that writes its strings as arrays, for speed, has no `draw`. It defines `characters`, `source_length`,
    `target_length`, `count`, `list`, `sample` and `sample_distinct` instead.

    Attributes
    ----------
    name : str
        Its name on the command line and in the run folder.
    keys : tuple of str
        The ways in which two sources can count as the same question, the weakest first.
    any_length : bool
        Whether sources longer than `source_length` may be asked too: the rule is the same for them, and a target is no
        longer than its source.
    kept_as : str
        The gzipped file in a run folder that holds the string returned by `keep`.
    application : str
        The kind of problem. The code that depends on it is in `seq2seq/applications/`.
    preset : str or None
        The preset that was tuned on this task. Without one, options that are not given are chosen from the data.
    used_whole : bool
        Whether all its examples are used, however many there are.
    several : bool
        Whether a source may have several correct targets. If not, two different targets are an error.
    """

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ("expression",)
    any_length: ClassVar[bool] = False
    kept_as: ClassVar[str] = "pairs.jsonl.gz"
    application: ClassVar[str] = "answering"
    preset: ClassVar[str | None] = None
    used_whole: ClassVar[bool] = False
    several: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """For a dataclass: convert NumPy scalars and paths among the options to plain values, as in a run folder."""
        if is_dataclass(self):
            make_plain(self)

    # What a task may define ------------------------------------------------------------------------------------------

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """One source and its target, as people write them."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")

    @property
    def source_separator(self) -> str:
        """The string between two symbols of a source. By default empty: every character is a symbol."""
        return ""

    @property
    def target_separator(self) -> str:
        """The same for targets."""
        return ""

    @property
    def symbols(self) -> Sequence[str]:
        """All symbols of the sources and targets, including the space if it is one; by default those of some draws."""
        return self._measure.symbols

    @property
    def source_length(self) -> int:
        """The most symbols in a source (S): by default the most in some draws. Longer sources are drawn again."""
        return self._measure.source_length

    @property
    def target_length(self) -> int:
        """The most symbols in a target (T), as for `source_length`."""
        return self._measure.target_length

    @property
    def count(self) -> int | None:
        """The number of distinct sources: exact, or an upper bound if only sampling could tell; None if unknown."""
        return None

    def normalise(self, source: str) -> str:
        """The source as the task would write it. Raises `SourceError` if it is not of the task's form.

        A source that has the form but is never drawn, such as a number out of range, may still be asked.
        """
        return source

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Why a source is unlike all training sources, such as `has 4 terms; trained on 3`; None if it is like them.

        By default a source is unlike them if it is shorter or longer than all of them, or has a symbol that they lack.

        Parameters
        ----------
        source : str
            As returned by `normalise`.
        longer : bool
            Whether the model generalises to longer sources.
        """
        known = tuple(map(self.alphabet.symbol, self.characters))
        sources = self._sources or Sources(known, 1, self.source_length)
        return sources.unlike([*map(self.alphabet.symbol, self.alphabet.read_source(source))], longer)

    def accepts(self, source: str, answer: str, target: str) -> bool:
        """Whether an answer to a source is correct: by default if it equals the target."""
        return answer == target

    def measures(self, sources: list[str], targets: list[str], answers: list[str]) -> Mapping[str, float]:
        """Metrics of the task besides exact match, for an evaluation: name to value."""
        return {}

    @property
    def breakdowns(self) -> Mapping[str, Callable[[Array], Array]]:
        """Groupings of the sources in an evaluation: name to a function from sources (N,) to labels (N,)."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks about the data that are shown before training, one line each."""
        return ()

    def options(self) -> dict[str, Any]:
        """The options that rebuild this task, `type(task)(**task.options())`, as values that JSON can hold."""
        return {field.name: plain(getattr(self, field.name)) for field in option_fields(self)}

    def read_rows(self, path: str) -> Iterator[Row]:
        """The rows of a file of pairs: TSV, CSV or JSON lines. Raises a `UsageError` that names the file and line."""
        return read_pairs(path)

    def keep(self) -> str | None:
        """The data that a run folder must keep for `restored`, if the options are not enough to rebuild the task."""
        return None

    def keep_parts(self) -> Iterator[str] | None:
        """What `keep` returns, in parts, so that what is large is never whole in memory."""
        kept = self.keep()
        return None if kept is None else iter([kept])

    @property
    def kept_digest(self) -> str | None:
        """A digest of the data that the options are not enough to rebuild, if there are any."""
        parts = self.keep_parts()
        return None if parts is None else digest_of(parts)

    @property
    def kept_size(self) -> int:
        """The size of such data in bytes."""
        return sum(len(part.encode()) for part in self.keep_parts() or ())

    @property
    def unkept(self) -> bool:
        """Whether such data are too large for a run to keep; then opening the run for them needs the task, too."""
        return False

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        """The task with these options and the string returned by `keep`."""
        return cls(**options)

    @classmethod
    def opened(cls, options: dict[str, Any], read: Callable[[], str | None], outline: Outline | None) -> Task:
        """The task of a run: `restored` from its options and from the string returned by `read`. If the run has an
        outline of its data, the task takes its properties from there."""
        task = cls.restored(options, read())
        if outline is not None:
            task._recall(outline)
        return task

    @classmethod
    def read_outline(cls, values: Any) -> Any:
        """The outline of a run's data, from JSON. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        return Outline.from_json(values)

    @classmethod
    def later(cls, options: dict[str, Any], read: Callable[[], str | None], name: str) -> Task:
        """The task with these options and the string returned by `read`, which is called when it is needed.

        `name` is that of the file, for messages.
        """
        return cls.restored(options, read())

    @property
    def stepwise(self) -> bool:
        """Whether it works in steps and has the methods of a `StepwiseTask`: see `seq2seq/tasks/stepwise.py`."""
        return False

    @property
    def binary_operators(self) -> str | None:
        """The operators, if every source is two whole numbers with an operator between them; otherwise None."""
        return None

    @property
    def digit_operators(self) -> str:
        """Those of `binary_operators` after which the second number has one digit."""
        return ""

    def final(self, target: str) -> str:
        """The part of a target that is the answer, if the working comes before it."""
        return target

    def covering(self, tasks: Sequence[Task]) -> Task:
        """The task with symbols and lengths that cover the data of other tasks too, as far as they depend on data."""
        return self

    def cover(self, tasks: Sequence[Task]) -> None:
        """Change a new task, in place, as `covering` does."""

    # For the other stages: strings with one character per symbol ---------------------------------------------------

    @cached_property
    def alphabet(self) -> Alphabet:
        """The mapping between symbols and characters."""
        if type(self).draw is Task.draw:  # it writes its strings itself, as models read them
            return Alphabet()
        several = sorted({symbol for symbol in self.symbols if len(symbol) > 1})
        return Alphabet(tuple(several), self.source_separator, self.target_separator)

    @property
    def characters(self) -> str:
        """All characters of the sources and targets, including the space, which is the padding."""
        return self.alphabet.characters(self.symbols)

    @cached_property
    def example_source(self) -> str:
        """A source as a person would write it."""
        [(source, _)] = self.shown(self.sample(1, np.random.default_rng(0)))
        return source

    def make_outline(self, sources: Callable[[], Sources]) -> Outline:
        """What a run keeps so that it can answer without its data; `sources` describes the sources of the data set."""
        asked = [getattr(type(self), name) is getattr(Task, name) for name in Measure._fields]
        measured = type(self)._measure is not Task._measure or (any(asked) and type(self).draw is not Task.draw)
        measure = self._measure if measured else None
        says = type(self).unlike_training is not Task.unlike_training
        return Outline(measure, None if says else sources(), self.example_source)

    def _recall(self, outline: Outline) -> None:
        known = {"_measure": outline.measure, "_sources": outline.sources, "example_source": outline.example}
        vars(self).update({name: value for name, value in known.items() if value is not None})

    def _require_recalled(self, measure: Measure) -> None:
        """Raise `RunError` if the outline of a run does not match this measure of its pairs."""
        if vars(self).get("_measure", measure) != measure:
            raise RunError(f"data_outline: does not say what the data of the task {self.name} are like")

    def key(self, sources: Array, key: str) -> Array:
        """One comparable value per source, shape (N,), equal where two sources are the same question."""
        return sources

    def shown(self, pairs: Pairs) -> Sequence[tuple[str, str]]:
        """Pairs as people write them."""
        ways = self.alphabet.show_source, self.alphabet.show_target
        sides = ([show(string.strip(PAD)) for string in strings.tolist()] for show, strings in zip(ways, pairs))
        return [*zip(*sides)]

    def written(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """The inverse of `shown`. Raises `UsageError` if a string is too long or has a symbol that the task lacks."""
        return self._as_arrays(map(self.read_pair, pairs))

    def list(self) -> Pairs:
        """All distinct pairs, in a fixed order. Raises `UsageError` if they are not known or too many to list."""
        if self.count is None:
            raise UsageError(f"list: not all pairs of the task {self.name} are known")
        return self.sample_distinct(self.count, np.random.default_rng(0))

    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs independently, with repetition."""
        n = whole("n", n, 0)
        return self._as_arrays([fitting(self, rng) for _ in range(n)])

    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs with distinct sources, without listing all of them if there are many."""
        if self.count is not None:
            n = whole("n", n, 0, self.count)
        pairs = self.sample_up_to(n, rng)
        require(
            len(pairs) == n, "examples", n, f"at most {len(pairs)}, all that could be found of the task {self.name}"
        )
        return pairs

    def sample_up_to(self, n: int, rng: np.random.Generator) -> Pairs:
        """The same as `sample_distinct`, but with fewer pairs if no more are found: the search ends after 1,000
        draws, plus one for each pair found, in a row without a new source."""
        n = whole("n", n, 0)
        return self._as_arrays(distinct(self, n, rng))

    # Private -------------------------------------------------------------------------------------------------

    @cached_property
    def _sources(self) -> Sources | None:
        """A description of the sources, if known."""
        return None

    @property
    def _many(self) -> ManyPairs | None:
        """The pairs of the task, if they are too many to be held in memory."""
        return None

    @cached_property
    def _measure(self) -> Measure:
        rng = np.random.default_rng(0)
        return self._measured(drawn(self, rng) for _ in range(MEASURED))

    def _measured(self, pairs: Iterable[tuple[str, str]]) -> Measure:
        return Measure.of(pairs, (self.source_separator, self.target_separator))

    def read_pair(self, pair: tuple[str, str]) -> tuple[str, str]:
        """A pair with one character per symbol. Raises `SourceError` if it is too long or has an unknown symbol."""
        source, target = self.alphabet.read_source(pair[0]), self.alphabet.read_target(pair[1])
        for shown, string, most in zip(pair, (source, target), (self.source_length, self.target_length)):
            if not self._known.issuperset(string):
                raise SourceError(f"{short(shown)}: has a symbol that the task {self.name} lacks")
            if len(string) > most:
                raise SourceError(f"{short(shown)}: has {len(string)} symbols, but {self.name} has at most {most}")
        return source, target

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.characters)

    def _as_arrays(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        sources = []
        targets = []
        for source, target in pairs:
            sources.append(source)
            targets.append(target)
        arrays = np.array(sources, object), np.array(targets, object)
        return StringPairs(*arrays, self.source_length, self.target_length)
