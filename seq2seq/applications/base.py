"""What an application must say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.config import Config, DataConfig, Extra
    from seq2seq.dataset import Dataset, Examples
    from seq2seq.decoding import Answers
    from seq2seq.drawing import Note
    from seq2seq.models import Model
    from seq2seq.solver import Solver
    from seq2seq.tasks import Pairs, Task
    from seq2seq.vocabulary import Codec

SHOWN = 10  # held-out questions in one show, ...
SHOWN_CHARACTERS = 200  # ... or characters written

E = TypeVar("E")  # what comes of an evaluation


class Application(ABC, Generic[E]):
    """What an experiment of one kind does. It has no state: everything comes in by arguments.

    Attributes
    ----------
    name : str
        By which tasks and models say that they are of this kind.
    chosen : tuple of str
        The options that are chosen from the data, where nobody gives them.
    measured : tuple of str
        The names of `values`.
    best_by : tuple of (str, str)
        The validation values by which the best epoch is chosen, the first deciding, each with `max` or `min`.
    """

    name: ClassVar[str]
    chosen: ClassVar[tuple[str, ...]]
    measured: ClassVar[tuple[str, ...]]
    best_by: ClassVar[tuple[tuple[str, str], ...]]

    # Options --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        """A complete experiment for a task, before the options that were given are set.

        Parameters
        ----------
        task : Task
        options : dict
            Those that were given, on which others may depend.

        Raises
        ------
        UsageError
            If the task has too few pairs to hold any out.
        """

    @abstractmethod
    def describe(self, config: Config, examples: int) -> str:
        """What was chosen for so many examples, in a line."""

    def chosen_values(self, config: Config, unused: Collection[str]) -> str:
        """The options that were chosen from the data, with their values, but for those that have no use."""
        values = {**vars(config.data), **vars(config.model), **vars(config.training)}
        shown = (name for name in self.chosen if name not in ("examples", *unused))
        return ", ".join(f"{name} {values[name]}" for name in shown)

    @abstractmethod
    def model_name(self, task: Task, model: str) -> str:
        """The name of the network that a task gets: the model itself, unless it is `auto`."""

    @abstractmethod
    def require_model(self, task: Task, model: str, application: str) -> None:
        """Raise `UsageError` unless a model, by its name and that of the application it is made for, can be used."""

    # Data -----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def how_many_at_most(self, task: Task, config: DataConfig) -> int:
        """The most examples that there will be, before they are drawn."""

    @abstractmethod
    def build_dataset(
        self, task: Task, config: DataConfig, seed: int, codec: Codec, extra: Sequence[Extra], note: Note
    ) -> Dataset:
        """The examples of a task, split and encoded: see `seq2seq.dataset.build_dataset`."""

    @abstractmethod
    def examples(self, task: Task, pairs: Pairs | Iterable[tuple[str, str]], codec: Codec) -> Examples:
        """Pairs of someone's own as the examples that they are validated by. Raises `UsageError` or `SourceError`."""

    # Training -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def values(self, answers: Answers, targets: Array) -> dict[str, float]:
        """What is measured after each epoch, by name, from the answers to held-out examples.

        Parameters
        ----------
        answers : Answers
        targets : ndarray of int, shape (N, T)
        """

    @abstractmethod
    def metric(self, values: Mapping[str, Any]) -> str:
        """How good an epoch's weights are, in a few words, from these values."""

    @abstractmethod
    def samples(
        self,
        model: Model,
        codec: Codec,
        validation: Examples,
        answers: Answers,
        weights: dict[str, Array],
        device: Any,
        seed: int,
        epoch: int,
    ) -> list[str]:
        """Lines that show a person what an epoch's weights have learned.

        Parameters
        ----------
        model : Model
        codec : Codec
        validation : Examples
        answers : Answers
            Of these weights, to the validation examples.
        weights : dict of str to ndarray
        device : mxnet.Context
        seed, epoch : int
            Decide what is drawn, if anything is.
        """

    # What comes of it -----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def opens(self) -> type[Solver]:
        """What a run opens as."""

    @abstractmethod
    def evaluate(self, solver: Any, samples: int, seed: int) -> E:
        """The scores of an opened run, on so many held-out and training examples at the most."""

    @abstractmethod
    def summary(self, evaluation: E) -> list[str]:
        """The lines that are printed after training."""

    @abstractmethod
    def report(self, evaluation: E) -> list[str]:
        """The lines that are printed of an evaluation."""

    @abstractmethod
    def to_try(self, example: str) -> tuple[str | None, str]:
        """What to ask a run at the command line: an option, or None for a source, and its value."""


def epochs_for(passes: int, n: int, limits: tuple[int, int]) -> int:
    """In how many epochs of n about so many examples, or characters, are gone through: within limits."""
    least, most = limits
    return max(least, min(most, round(passes / n)))
