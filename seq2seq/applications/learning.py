"""Training on examples: their batches, and the validation values after each epoch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seq2seq.applications import application_of
from seq2seq.arrays import blocks
from seq2seq.dataset import Examples, Portion
from seq2seq.decoding import Answers, WidthsPredictor, fitting, make_predictor
from seq2seq.engine.callbacks import Callback
from seq2seq.engine.network import Arrays
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.engine.samplers import Bucketed, Contiguous, InBlocks, Mixed, Sampler
from seq2seq.engine.test_module import TestModule
from seq2seq.engine.trainer import Trainer
from seq2seq.engine.validators import BATCH_SIZE, Validator
from seq2seq.errors import require
from seq2seq.models import BaseModel, Model
from seq2seq.mx import Device, mx
from seq2seq.progress import ProgressFile
from seq2seq.runs import Run
from seq2seq.snapshots import MetricsFile, SharedStore
from seq2seq.stored import Windows
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

if TYPE_CHECKING:
    from seq2seq.applications.strings import StringApplication

BLOCK = 2**16  # examples that are read at a time
VALIDATION = "validation"  # prefix of the values of the examples that choose the best epoch


def make_sampler(
    model: Model, codec: Codec, examples: Examples, config: TrainingConfig, mixed: Sequence[Portion] = ()
) -> Sampler:
    """Make the sampler for a model: batches in random order, or in the order of the text if the model is stateful.

    Examples that are not held in memory are shuffled in blocks.

    Parameters
    ----------
    model : Model
    codec : Codec
    examples : Examples
    config : TrainingConfig
    mixed : sequence of Portion
        Further examples, of which every batch has a share. A stateful model reads them in other rows of the batch.

    Returns
    -------
    Sampler

    Raises
    ------
    UsageError
        If a batch has no room for a row from each source, or a text is too short for the rows of a batch.
    """
    batch_size = config.batch_size
    if mixed:
        sources = [examples.arrays, *(portion.examples.arrays for portion in mixed)]
        shares = [portion.share for portion in mixed]
        sampler = Mixed(model, sources, [1 - sum(shares), *shares], batch_size)
        return _side_by_side(model, sources, sampler.counts) if model.stateful else sampler
    if model.stateful:
        return Contiguous(model, examples.arrays, batch_size)
    if not isinstance(examples.sources, Windows):
        return Bucketed(model, examples.arrays, batch_size, _widths(codec, examples), rows=config.examples_per_epoch)
    widths = _widths(codec, examples) if len(codec.widths) > 1 else None
    return InBlocks(model, examples.arrays, batch_size, widths=widths, rows=config.examples_per_epoch)


def _widths(codec: Codec, examples: Examples) -> dict[str, Array]:
    """The widths in which each source and target are read, shapes (N,)."""
    sources = np.empty(len(examples), np.min_scalar_type(codec.source_ids))
    targets = np.empty(len(examples), np.min_scalar_type(codec.target_length))
    for block in blocks(len(examples), BLOCK):
        sources[block] = codec.source_widths(examples.sources[block])
        targets[block] = codec.target_widths(examples.targets[block])
    return {"source": sources, "target": targets}


def _side_by_side(model: Model, sources: Sequence[Arrays], counts: Sequence[int]) -> Contiguous:
    """Streams of several sources in one batch. An epoch is one pass over the first source.

    The streams of another source start at even distances, as long as those of the first, and go on at its beginning
    when they reach its end.

    Parameters
    ----------
    model : Model
    sources : sequence of dict of str to ndarray
    counts : sequence of int
        Number of streams of each source.
    """
    first = len(sources[0]["source"])
    require(counts[0] <= first, "batch_size", sum(counts), f"one that reads at most {first} rows of the text itself")
    length = first // counts[0]
    streams = []
    for place, (source, count) in enumerate(zip(sources, counts)):
        n = len(source["source"])
        starts = np.arange(count) * (n / count if place else length)
        rows = (starts.astype(int)[:, None] + np.arange(length)) % n
        streams.append({name: array[rows.reshape(-1)] for name, array in source.items()})
    arrays = {name: np.concatenate([stream[name] for stream in streams]) for name in streams[0]}
    return Contiguous(model, arrays, sum(counts))


class ExamplesValidator(Validator):
    """A validator that can show samples of what a model has learned."""

    shared = True

    @abstractmethod
    def samples(self, weights: dict[str, Array], seed: int, epoch: int) -> list[str]:
        """Sample outputs of the weights that were validated last, as lines for a person to read.

        Parameters
        ----------
        weights : dict of str to ndarray
        seed, epoch : int
            Seed the random draws, if there are any.

        Returns
        -------
        list of str
        """


class AnswerValidator(ExamplesValidator):
    """Answers examples and scores their targets.

    Parameters
    ----------
    model : Model
    codec : Codec
    examples : Examples
    device : mxnet.Context
    name : str
        Prefix of the names of the values.

    Attributes
    ----------
    answers : Answers, or None
        The answers of the last epoch.
    """

    def __init__(self, model: Model, codec: Codec, examples: Examples, device: Device, name: str = VALIDATION) -> None:
        self.model = model
        self.application = cast("StringApplication[Any]", application_of(model))
        self.codec = codec
        self.examples = examples
        self.device = device
        self.name = name
        self.answers: Answers | None = None
        # No step after the end of the longest target can make an answer right.
        self._targets = examples.targets[:, : int(codec.target_widths(examples.targets).max())]
        self._predictor: WidthsPredictor | None = None

    @property
    def names(self) -> list[str]:
        return [f"{self.name}_{name}" for name in self.application.measured]

    def validate(self, module: TestModule) -> dict[str, float]:
        if self._predictor is None:
            self._predictor = self._bind(module)
        answers = self._predictor.answer(self.examples.sources, self._targets)
        self.answers = answers
        values = self.application.values(answers, self._targets)
        return {f"{self.name}_{name}": value for name, value in values.items()}

    def describe(self, values: Mapping[str, Any]) -> str:
        start = f"{self.name}_"
        own = {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}
        text = self.application.metric(own)
        return text if self.name == VALIDATION else f"{self.name.replace('_', ' ')}: {text}"

    def samples(self, weights: dict[str, Array], seed: int, epoch: int) -> list[str]:
        assert self.answers is not None
        return self.application.samples(
            self.model, self.codec, self.examples, self.answers, weights, self.device, seed, epoch
        )

    def _bind(self, module: TestModule) -> WidthsPredictor:
        widths, counts = np.unique(self.codec.source_widths(self.examples.sources), return_counts=True)
        predictors = {}
        for width, count in zip(widths.tolist()[::-1], counts.tolist()[::-1]):
            model = self.model.resized(width, self._targets.shape[1])
            size = -(-count // -(-count // BATCH_SIZE))  # the batches are full
            predictors[width] = make_predictor(model, fitting(model, size, scored=True), self.device, module=module)
        return WidthsPredictor(predictors, self.codec, module.ranks)


def make_trainer(
    model: BaseModel,
    codec: Any,
    dataset: Any,
    config: TrainingConfig,
    *,
    seed: int = 0,
    device: Device = None,
    run: Run | None = None,
    callbacks: Sequence[Callback] = (),
    sampler: Sampler | None = None,
    validation_sets: Mapping[str, Any] | None = None,
    ranks: Ranks = ALONE,
) -> Trainer:
    """Make the trainer for a model and a data set.

    Parameters
    ----------
    model : BaseModel
    codec
        From the application's `make_codec`.
    dataset : Dataset, or another object with the parts `train` and `validation`
    config : TrainingConfig
    seed : int
    device : mxnet.Context, optional
        By default the CPU.
    run : Run, optional
        The run folder in which snapshots and metrics are saved.
    callbacks : sequence of Callback
    sampler : Sampler, optional
        By default from the application's `make_sampler`.
    validation_sets : dict of str to Examples, optional
        Further examples to validate on, by the prefix of their values.
    ranks : Ranks, optional
        The processes that train together. The first alone writes into the run folder, has callbacks and shows samples.

    Returns
    -------
    Trainer
    """
    device = device or mx.cpu()
    application = application_of(model)
    validator = application.make_validator(model, codec, dataset.validation, device, VALIDATION)
    others = [
        application.make_validator(model, codec, each, device, name) for name, each in (validation_sets or {}).items()
    ]
    keeps: list[Callback] = [MetricsFile(run), ProgressFile(run)] if run else []

    def samples(trainer: Trainer) -> list[str]:  # given, not held: its memory is free as soon as it is dropped
        return validator.samples(trainer.weights, seed, trainer.state.epoch)

    return Trainer(
        model,
        sampler or application.make_sampler(model, codec, dataset, config),
        config,
        seed=seed,
        device=device,
        validators=[validator, *others],
        best_by=application.best_by,
        samples=samples if ranks.first else None,
        callbacks=[*callbacks, *keeps] if ranks.first else [],
        store=SharedStore(run, model.target_length, ranks) if run else None,
        updater=model.updater(config, seed, device),
        ranks=ranks,
    )
