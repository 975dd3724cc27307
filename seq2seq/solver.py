"""A trained run, ready to answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple, overload

import numpy as np

from seq2seq.dataset import Dataset, build_dataset
from seq2seq.decoding import Predictor
from seq2seq.errors import RunError, SourceError, is_whole, require
from seq2seq.evaluation import Evaluation, evaluate
from seq2seq.models import RepeatModel
from seq2seq.mx import pick_device
from seq2seq.runs import WEIGHTS, PathLike, Run
from seq2seq.vocabulary import Codec

BATCH_SIZES = (1, 32, 1024)  # the smallest that holds the sources is used, so that one answer costs little


class Answer(NamedTuple):
    """An answer and the probability, from 0 to 1, that the model gives to it."""

    text: str
    confidence: float


class Solver:
    """Answers sources with the weights of a run.

    >>> solver = Solver("runs/sums")
    >>> solver("3*7+2")
    '23'
    >>> solver(["3*7+2", "1+1+1"])
    ['23', '3']

    Parameters
    ----------
    run : path
        The run folder.
    device : str
        `auto`, `cpu`, `gpu` or `gpu:N`.
    weights : str
        `best` (by exact match on the validation examples) or `last`.

    Raises
    ------
    RunError
        If the folder holds no run, or a file in it is missing, damaged or foreign.
    DeviceError
        If the device is not there or cannot be used.
    """

    def __init__(self, run: PathLike, device: str = "auto", weights: str = "best") -> None:
        require(weights in WEIGHTS, "weights", weights, "best or last")
        self.run = Run(run)
        self.config = self.run.read_config()
        self.task = self.config.task
        task, data = self.task, self.config.data
        self.codec = Codec(task.characters, task.source_length, task.target_length, data.reverse_target)
        self.model = RepeatModel(self.config.model, task.source_length, task.target_length, len(self.codec.vocabulary))
        self.device = pick_device(device)
        self._weights, _ = self.run.read_arrays(WEIGHTS[weights])
        try:
            self._predictors = {1: Predictor(self.model, 1, self.device, self._weights)}
        except ValueError:
            raise RunError(f"{self.run.path / WEIGHTS[weights]}: holds the weights of another model") from None

    def __repr__(self) -> str:
        return f"Solver({str(self.run.path)!r})"

    @overload
    def __call__(self, source: str) -> str: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, source: Iterable[str]) -> list[str]: ...
    def __call__(self, source: str | Iterable[str]) -> str | list[str]:
        """The answer to one source, or the answers to several, in order.

        Raises
        ------
        SourceError
            If a source is empty, too long, has a character outside the vocabulary or is not of the task's form.
        """
        if isinstance(source, str):
            return self.answer([source])[0].text
        return [answer.text for answer in self.answer(source)]

    def answer(self, sources: Iterable[str]) -> list[Answer]:
        """The answers to several sources, each with the model's confidence. Raises `SourceError`."""
        prepared = [self.prepare(source) for source in sources]
        ids = self.codec.encode_sources(prepared)
        answers = self._predictor(len(prepared)).answer(ids)
        return list(map(Answer, self.codec.decode_targets(answers.ids), answers.confidence.tolist()))

    def prepare(self, source: str) -> str:
        """The source as the model reads it. Raises `SourceError`."""
        require(isinstance(source, str), "source", source, "a string")
        if not source.strip():
            raise SourceError("the source is empty")
        self.codec.vocabulary.check(source, len(source))
        prepared = self.task.normalise(source)
        if prepared != source or len(prepared) > self.codec.source_length:
            self.codec.vocabulary.check(prepared, self.codec.source_length)
        return prepared

    @property
    def example(self) -> str:
        """A source of the task, to try."""
        [source] = self.task.sample(1, np.random.default_rng(0)).sources
        return str(source).strip()

    def evaluate(self, samples: int = 10_000, seed: int = 0) -> Evaluation:
        """Score held-out and training examples, and keep the result in the run folder.

        Parameters
        ----------
        samples : int
            The most examples of each kind.
        seed : int
            Decides which, when there are more.
        """
        require(is_whole(samples, 1), "samples", samples, "a whole number from 1")
        require(is_whole(seed, 0), "seed", seed, "a whole number from 0")
        evaluation = evaluate(self._predictor(samples), self.dataset, self.task, samples, seed)
        self.run.write_evaluation({"seed": seed, **evaluation.to_json()})
        return evaluation

    @cached_property
    def dataset(self) -> Dataset:
        """The examples the run was trained on, and those held out. Raises `RunError` if they cannot be made again."""
        dataset = build_dataset(self.task, self.config.data, self.config.seed)
        self.run.check_fingerprint(dataset.fingerprint)
        return dataset

    def _predictor(self, n: int) -> Predictor:
        """The predictor for so many sources."""
        size = next((size for size in BATCH_SIZES if n <= size), BATCH_SIZES[-1])
        if size not in self._predictors:
            self._predictors[size] = Predictor(self.model, size, self.device, self._weights)
        return self._predictors[size]
