"""The base class of applications."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from seq2seq.applications.learning import ExamplesValidator
    from seq2seq.config import Config, DataConfig, Extra
    from seq2seq.dataset import Dataset
    from seq2seq.drawing import Note
    from seq2seq.engine.options import TrainingConfig
    from seq2seq.engine.samplers import Sampler
    from seq2seq.mx import Device
    from seq2seq.opened import OpenedRun
    from seq2seq.tasks import Pairs, Task
    from seq2seq.typing import Array
    from seq2seq.vocabulary import Codec

SHOWN = 10  # held-out questions shown at a time, ...
SHOWN_CHARACTERS = 200  # ... or characters written

E = TypeVar("E")  # the result of an evaluation


class Application(ABC, Generic[E]):
    """The behaviour of experiments of one kind. It has no state: all data are arguments.

    Attributes
    ----------
    name : str
        The name by which tasks and models choose the application.
    chosen : tuple of str
        Options that are chosen from the data unless they are given.
    measured : tuple of str
        Names of the values of a validator, without their prefix.
    best_by : tuple of (str, str)
        The validation values that choose the best epoch, each with `max` or `min`; later ones break ties.
    unpublished : tuple of str
        Values of a part of an evaluation that are not metrics of the model.
    """

    name: ClassVar[str]
    chosen: ClassVar[tuple[str, ...]]
    measured: ClassVar[tuple[str, ...]]
    best_by: ClassVar[tuple[tuple[str, str], ...]]
    unpublished: ClassVar[tuple[str, ...]] = ()

    # Options --------------------------------------------------------------------------------------------------------

    @abstractmethod
    def choose(self, task: Task, options: Mapping[str, Any]) -> Config:
        """Choose default options for a task; the caller then sets the given ones.

        Parameters
        ----------
        task : Task
        options : dict
            The given options, on which defaults may depend.

        Returns
        -------
        Config

        Raises
        ------
        UsageError
            If the task has too few pairs to hold any out.
        """

    @abstractmethod
    def describe(self, config: Config, examples: int) -> str:
        """A line that describes the chosen options and the number of examples."""

    def chosen_values(self, config: Config, unused: Collection[str]) -> str:
        """The options that were chosen from the data with their values, without the unused ones, as text."""
        values = {**vars(config.data), **vars(config.model), **vars(config.training)}
        shown = (name for name in self.chosen if name not in ("examples", *unused))
        return ", ".join(f"{name} {values[name]}" for name in shown)

    @abstractmethod
    def model_name(self, task: Task, model: str) -> str:
        """The name of the model for a task: `model` itself, unless it is `auto`."""

    @abstractmethod
    def require_model(self, task: Task, model: str, application: str) -> None:
        """Check that a model can be used.

        Parameters
        ----------
        task : Task
        model, application : str
            Name of the model, and of the application for which it is made.

        Raises
        ------
        UsageError
            If it cannot.
        """

    # Data -----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def make_codec(self, config: Config) -> Any:
        """Make the object that encodes raw data as arrays.

        Parameters
        ----------
        config : Config

        Returns
        -------
        Codec, or another object with the same role

        Raises
        ------
        UsageError
            If the model cannot read the task's data.
        """

    @abstractmethod
    def require_memory(self, config: Config, codec: Any) -> None:
        """Raise a `UsageError` that names the sizes, if training needs more memory than there is."""

    @abstractmethod
    def build_dataset(
        self, task: Task, config: DataConfig, seed: int, codec: Any, extra: Sequence[Extra], note: Note
    ) -> Any:
        """Make the examples of a task, split and encoded: see `seq2seq.dataset.build_dataset`."""

    @abstractmethod
    def examples(self, task: Task, pairs: Pairs | Iterable[tuple[str, str]], codec: Any) -> Any:
        """Encode given pairs as examples for validation.

        Parameters
        ----------
        task : Task
        pairs : Pairs or iterable of (str, str)
            Sources and targets.
        codec
            From `make_codec`.

        Returns
        -------
        Examples

        Raises
        ------
        UsageError, SourceError
            If the pairs cannot be used or read.
        """

    def questions(self, dataset: Dataset, read: Codec, task: Task, codec: Codec, key: str) -> Array | None:
        """The hashes of the questions that a data set trains on, as questions of another task.

        Parameters
        ----------
        dataset : Dataset
        read : Codec
            The codec of the data set.
        task : Task
            The other task.
        codec : Codec
            Its codec.
        key : str
            See `Dataset.key`.

        Returns
        -------
        ndarray of uint64, shape (N,), or None
            None, the default, if what was trained on cannot be recognised in other data.
        """
        return None

    def require_startable(self) -> None:
        """Raise `UsageError` if a training cannot start from the weights of another run."""

    # Training -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def make_sampler(self, model: Any, codec: Any, dataset: Any, config: TrainingConfig) -> Sampler:
        """Make the sampler of training batches.

        Parameters
        ----------
        model : BaseModel
        codec
            From `make_codec`.
        dataset
            From `build_dataset`.
        config : TrainingConfig

        Returns
        -------
        Sampler
        """

    @abstractmethod
    def make_validator(self, model: Any, codec: Any, examples: Any, device: Device, name: str) -> ExamplesValidator:
        """Make the validator of some examples.

        Parameters
        ----------
        model, codec
            As in `make_sampler`.
        examples
            A part of the data set.
        device : mxnet.Context
        name : str
            Prefix of the names of the values.

        Returns
        -------
        ExamplesValidator
        """

    # Results --------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def opens(self) -> type[OpenedRun]:
        """The class that opens a run."""

    @abstractmethod
    def evaluate(self, solver: Any, samples: int, seed: int) -> E:
        """Evaluate an opened run.

        Parameters
        ----------
        solver : OpenedRun
            An instance of `opens`.
        samples : int
            Maximum number of held-out examples, and of training examples.
        seed : int
            Determines the examples.

        Returns
        -------
        Evaluation, TextEvaluation, or another result
        """

    @abstractmethod
    def summary(self, evaluation: E) -> list[str]:
        """Lines to print after training."""

    @abstractmethod
    def report(self, evaluation: E) -> list[str]:
        """Lines to print after an evaluation."""

    @abstractmethod
    def report_pairs(self, evaluation: Any) -> list[str]:
        """Lines to print after an evaluation on the examples of another file."""

    def published(self, scores: Mapping[str, Any]) -> dict[str, float]:
        """The metrics for a model card, from a part of an evaluation as JSON, such as its `held_out`."""
        return {name: value for name, value in scores.items() if name not in self.unpublished}

    @abstractmethod
    def hub_task(self, published: Mapping[str, float]) -> str:
        """The Hugging Face Hub's name for the task of a run with these metrics."""

    @abstractmethod
    def to_try(self, example: str) -> tuple[str | None, str]:
        """An argument with which to try a run on the command line: an option, or None for a source, and its value."""


def epochs_for(passes: int, n: int, limits: tuple[int, int]) -> int:
    """The number of epochs that read about a given number of examples or characters in total.

    Parameters
    ----------
    passes : int
        Number of examples or characters to read in all epochs together.
    n : int
        Number of examples or characters per epoch.
    limits : (int, int)
        Smallest and largest number of epochs.

    Returns
    -------
    int
    """
    least, most = limits
    return max(least, min(most, round(passes / n)))
