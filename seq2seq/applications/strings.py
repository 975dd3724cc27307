"""The base class of the applications whose data are strings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seq2seq.applications.base import Application, E
from seq2seq.applications.reports import report_of_pairs
from seq2seq.config import Config, DataConfig
from seq2seq.memory import require_memory_to_train
from seq2seq.tasks import Task
from seq2seq.typing import Array
from seq2seq.values import whole
from seq2seq.vocabulary import Codec

if TYPE_CHECKING:
    from seq2seq.applications.learning import AnswerValidator
    from seq2seq.dataset import Dataset, Examples
    from seq2seq.decoding import Answers
    from seq2seq.engine.options import TrainingConfig
    from seq2seq.engine.samplers import Sampler
    from seq2seq.models import Model
    from seq2seq.mx import Device


class StringApplication(Application[E]):
    """Experiments whose models read and write strings: see `Application` for the methods."""

    def make_codec(self, config: Config) -> Codec:
        from seq2seq.models import make_codec

        codec = make_codec(config.task, config.data, config.model, config.extra)
        whole("beam", config.model.beam, 1, len(codec.vocabulary))
        return codec

    def require_memory(self, config: Config, codec: Codec) -> None:
        require_memory_to_train(config, codec, self.how_many_at_most(config.task, config.data))

    def make_sampler(self, model: Model, codec: Codec, dataset: Dataset, config: TrainingConfig) -> Sampler:
        from seq2seq.applications.learning import make_sampler

        return make_sampler(model, codec, dataset.train, config, dataset.mixed)

    def make_validator(
        self, model: Model, codec: Codec, examples: Examples, device: Device, name: str
    ) -> AnswerValidator:
        from seq2seq.applications.learning import AnswerValidator

        return AnswerValidator(model, codec, examples, device, name)

    def report_pairs(self, evaluation: Any) -> list[str]:
        return report_of_pairs(evaluation)

    @abstractmethod
    def how_many_at_most(self, task: Task, config: DataConfig) -> int:
        """An upper bound on the number of examples, known before they are drawn."""

    @abstractmethod
    def values(self, answers: Answers, targets: Array) -> dict[str, float]:
        """Compute the validation values of an epoch.

        Parameters
        ----------
        answers : Answers
            The answers to held-out examples.
        targets : ndarray of int, shape (N, T)

        Returns
        -------
        dict of str to float
        """

    @abstractmethod
    def metric(self, values: Mapping[str, Any]) -> str:
        """Format the main metric for a line of progress, from `values`."""

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
        """Sample outputs of the current weights, as lines for a person to read.

        Parameters
        ----------
        model : Model
        codec : Codec
        validation : Examples
        answers : Answers
            The answers of these weights to the validation examples.
        weights : dict of str to ndarray
        device : mxnet.Context
        seed, epoch : int
            Seed the random draws, if there are any.

        Returns
        -------
        list of str
        """
