"""An open run: its options, its weights and its predictors."""

from __future__ import annotations

import os
import sys
import warnings
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Callable, ClassVar, cast

import numpy as np

from seq2seq.applications import application_of
from seq2seq.applications.base import SHOWN
from seq2seq.dataset import build_dataset
from seq2seq.decoding import BaseReader, Predictor, Reader, fitting, make_predictor
from seq2seq.decoding.onnx import OnnxPredictor, OnnxReader, graphs_for
from seq2seq.engine.test_module import TestModule
from seq2seq.errors import RunError, SourceError, UsageError, require
from seq2seq.likeness import Likeness
from seq2seq.memory import learned, require_parameters
from seq2seq.models import CharacterModel, Model, make_model
from seq2seq.mx import alone, pick_device
from seq2seq.places import PathLike
from seq2seq.runs import WEIGHTS, Run
from seq2seq.tasks import Task
from seq2seq.turns import Turns
from seq2seq.typing import Array
from seq2seq.values import MOST_SEED, whole
from seq2seq.vocabulary import Codec

if TYPE_CHECKING:
    from seq2seq.explaining import Embeddings

BATCH_SIZES = (1, 32, 1024)  # the smallest that holds the sources is used, so that a single answer is fast
MOST_PLACES = 2**15  # characters answered at a time, unless a single source is longer: more are no faster
MOST_HELD = 2**17  # characters for which graphs are held, which limits the memory: the least recently used are dropped


class OpenedRun(ABC):
    """Base class of open runs. It has the parameters of `Solver`.

    Attributes
    ----------
    kind : str
        Name of the application whose runs the class opens.
    engine : str
        What answers: `mxnet` or `onnx`.
    beam : int
        Number of prefixes that are kept when it answers.
    before_call : callable
        Is called before each call of the model. An error that it raises ends the answer, also between two steps.
    """

    kind: ClassVar[str]
    before_call: Callable[[], None] = staticmethod(lambda: None)

    def __init__(
        self,
        run: PathLike,
        device: str = "auto",
        weights: str = "best",
        task: Task | None = None,
        beam: int | None = None,
        engine: str = "auto",
    ) -> None:
        require(weights in WEIGHTS, "weights", weights, "best or last")
        self.run = Run(run)
        self._graphs = graphs_for(self.run, engine)
        self.engine = "mxnet" if self._graphs is None else "onnx"
        self.config = self.run.read_config(task, outlined=True)
        self.task = self.config.task
        self.application = application_of(self.task)
        if self.application.name != self.kind:
            opens = self.application.opens.__name__
            own = type(self).__name__
            raise UsageError(f"{self.run.shown}: opens as a {opens}, and not as a {own}")
        self.codec = self.application.make_codec(self.config)
        self._opened: tuple[Any, ...] = os.path.abspath(run), device, weights, task, beam, engine
        self._prepare_predictors()
        if self._graphs is None:
            self._load(device, WEIGHTS[weights])
        else:
            require(device in ("auto", "cpu"), "device", device, "auto or cpu with the engine onnx")
            require(weights == "best", "weights", weights, "best with the engine onnx, whose export has its weights")
            self.device = None
            self.weights: dict[str, Array] = {}
            self._bind()
        self._set_beam(beam)

    def _load(self, device: str, weights: str) -> None:
        """Read the weights, and bind the first graph of MXNet."""
        self.device = pick_device(device)
        self.weights, _ = self.run.read_arrays(weights, learned(self.config, self.codec))
        try:
            require_parameters(self.weights, self.config, self.codec)  # before graphs of impossible sizes are bound
            self._bind()
        except ValueError:
            raise RunError(f"{self.run.path / weights}: holds the weights of another model") from None

    def _set_beam(self, beam: int | None) -> None:
        """Answer by a search with this beam, if the run searches for its answers."""
        require(beam is None, "beam", beam, "left out with a run that estimates values")

    @abstractmethod
    def _bind(self) -> None:
        """Prepare the first answer. Raises `ValueError` if the weights do not fit the graph."""

    def _prepare_predictors(self) -> None:
        """Set what is made when first needed."""
        self._dataset: Any = None
        self._building = Turns()
        self._predictors: OrderedDict[tuple[Any, ...], Predictor] = OrderedDict()  # the last used at the end
        self._module = TestModule()
        self.beam = 1

    @property
    def runs(self) -> tuple[Run, ...]:
        """The run, or the runs of an ensemble."""
        return (self.run,)

    @property
    def shown(self) -> str:
        """The paths of `runs` for messages."""
        return ", ".join(run.shown for run in self.runs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.run.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Copying and unpickling open the run again."""
        return type(self), self._opened

    @abstractmethod
    def prepare(self, source: str) -> Any:
        """Read a source. Raises `SourceError` if it cannot be read."""

    def _tried(self, sources: Iterable[str], answers: Callable[[list[Any]], Iterable[Any]]) -> list[Any]:
        """The answer to each source, or the error if it cannot be read.

        Parameters
        ----------
        sources : iterable of str
        answers : callable
            From prepared sources, one or more, to their answers.
        """
        tried: list[Any] = []
        prepared: dict[int, Any] = {}
        for row, source in enumerate(sources):
            try:
                prepared[row] = self.prepare(source)
                tried.append(None)
            except SourceError as error:
                tried.append(error)
        if prepared:
            for row, answer in zip(prepared, answers([*prepared.values()])):
                tried[row] = answer
        return tried

    @abstractmethod
    def embeddings(self) -> dict[str, Embeddings]:
        """The learned embeddings, by input, kind or column."""

    @abstractmethod
    def explain(self, source: str) -> list[str]:
        """How an answer comes about, as lines for a person to read. Raises `SourceError` if it cannot be read."""

    def plot(self, source: str, file: PathLike) -> None:
        """Draw how an answer comes about. Raises `UsageError` if there is nothing to draw."""
        raise UsageError(f"plot: an answer of {self.run.shown} has no steps to draw; its embeddings can be drawn")

    def overview(self, orders: Sequence[Sequence[str]] = ()) -> list[str]:
        """What the run has learned, as lines for a person to read.

        Parameters
        ----------
        orders : sequence of sequences of str
            Known orders of names, with which principal components are compared.

        Raises
        ------
        UsageError
            If only sources show what it has learned.
        """
        if orders:
            raise UsageError(f"--order: goes with --embeddings where a run answers with strings, as {self.shown} does")
        raise UsageError("SOURCE: give one, or --embeddings, or --neighbours")

    @property
    def example(self) -> str:
        """An example of a source, or some characters of the text."""
        return self.task.example_source

    @property
    def dataset(self) -> Any:
        """The data set of the run. Raises `RunError` if it cannot be made again."""
        with self._building:
            if self._dataset is None:
                self._dataset = self._make_dataset()
            return self._dataset

    def _make_dataset(self) -> Any:
        self.run.require_data()
        dataset = build_dataset(self.task, self.config.data, self.config.data_seed, self.codec, self.config.extra)
        self.run.check_fingerprint(dataset.fingerprint, dataset.outline(self.task))
        start = self.config.start
        if start is None or start.questions is None:
            return dataset
        return dataset.knowing(self.run.read_known(start.questions))

    def samples(self) -> list[str]:
        """What it answers to the first validation examples, as the lines that training shows.

        Returns
        -------
        list of str

        Raises
        ------
        RunError
            If the validation examples cannot be made again.
        UsageError
            If ONNX Runtime answers, which has no weights to validate.
        """
        if self._graphs is not None:
            raise UsageError(f"{self.shown}: answers by onnx, and samples need the engine mxnet and a run folder")
        held_out = self.dataset.validation
        model = make_model(self.task, self.config.model, self.codec)
        shown = held_out.take(np.arange(min(SHOWN, len(held_out))))
        validator = self.application.make_validator(model, self.codec, shown, self.device, "validation")
        with alone:
            validator.validate(self._module)
            return validator.samples(self.weights, self.config.seed, 0)

    def evaluate(self, samples: int = 10_000, seed: int = 0) -> Any:
        """Score held-out and training examples, and save the result in the run folder, or warn if this fails.

        Parameters
        ----------
        samples : int
            Maximum number of examples of each kind; for a text, of windows with the length that the model reads at a
            time.
        seed : int
            Determines which examples are used if there are more; for a text, the first ones are used.

        Returns
        -------
        Evaluation
            Or another result of the application, such as a `TextEvaluation` for a text.
        """
        samples = whole("samples", samples, 1, sys.maxsize)
        seed = whole("seed", seed, 0, MOST_SEED)
        evaluation = self.application.evaluate(self, samples, seed)
        try:
            self._save({"seed": seed, **evaluation.to_json()})
        except RunError as error:
            warnings.warn(f"the evaluation is not saved: {error}", stacklevel=2)
        return evaluation

    def _save(self, evaluation: dict[str, Any]) -> None:
        """Save an evaluation. Raises `RunError`."""
        self.run.write_evaluation(evaluation)


class StringRun(OpenedRun):
    """Base class of open runs whose models read and write strings. It has the parameters of `Solver`."""

    codec: Codec

    def _bind(self) -> None:
        drawn = [extra.task for extra in self.config.extra if type(extra.task).keep is Task.keep]
        self._likeness = Likeness([self.task, *drawn], self.codec)  # the outline of its own task has kept data too
        self.predictor(1)

    def _set_beam(self, beam: int | None) -> None:
        """Answer by a search with this beam; None takes that of the configuration."""
        chosen = self.config.model.beam if beam is None else beam
        chosen = whole("beam", chosen, 1, len(self.codec.vocabulary))
        if chosen > 1 and not self.predictor(1).searches:
            raise self._one_answer("beam")
        self.beam = chosen

    def _one_answer(self, option: str) -> UsageError:
        return UsageError(f"{option}: the model of {self.shown} writes all characters at once: it has one answer")

    def model(self, codec: Codec) -> Model:
        """The network for the lengths of a codec. Its parameters are `weights`."""
        return make_model(self.task, self.config.model, codec)

    def predictor(self, n: int, codec: Codec | None = None, beam: int | None = None) -> Predictor:
        """The predictor for a number of sources; it is made when first needed.

        Parameters
        ----------
        n : int
            Number of sources, which determines the batch size.
        codec : Codec, optional
            Determines the lengths; by default the run's codec.
        beam : int, optional
            See `SearchPredictor`; by default the beam with which the run answers.

        Returns
        -------
        Predictor
        """
        codec = codec or self.codec
        beam = beam or self.beam
        size = next((size for size in BATCH_SIZES if n <= size), BATCH_SIZES[-1])
        key = (codec.source_length, codec.target_length, size, beam)
        predictor = self._predictors.get(key)
        if predictor is None and self._graphs is not None:
            model = self.model(codec)
            size = fitting(model, max(1, BATCH_SIZES[-1] // beam), scored=True)  # it returns all log-probabilities
            predictor = self._predictors[key] = OnnxPredictor(self._graphs, model, codec, size, beam)
        elif predictor is None:
            with alone:
                predictor = self._predictors.get(key)  # another thread may have made it meanwhile
                if predictor is None:
                    model = self.model(codec)
                    most = min(size // beam, MOST_PLACES // (beam * codec.target_length))
                    size = fitting(model, max(1, most))
                    made = make_predictor(model, size, self.device, self.weights, beam, self._module)
                    predictor = self._predictors[key] = made
                    self._drop_predictors()
        with suppress(KeyError):  # another thread may have dropped it meanwhile
            self._predictors.move_to_end(key)
        return predictor

    def _drop_predictors(self) -> None:
        """Drop the predictors that have not been used for longest, if they hold more than `MOST_HELD` characters."""
        held = [predictor.batch_size * predictor.model.target_length for predictor in self._predictors.values()]
        while len(held) > 1 and sum(held) > MOST_HELD:
            self._predictors.popitem(last=False)
            del held[0]

    def _reader(self) -> BaseReader:
        """A new reader, for a run of a text."""
        model = cast(CharacterModel, self.model(self.codec))
        return Reader(model, self.device, self.weights) if self._graphs is None else OnnxReader(self._graphs, model)

    def require_mxnet(self, what: str) -> None:
        """Raise `UsageError` if ONNX Runtime answers, which cannot look inside."""
        if self.engine != "mxnet":
            raise UsageError(f"{self.shown}: answers by onnx, and {what} needs the engine mxnet and a run folder")

    def embeddings(self) -> dict[str, Embeddings]:
        self.require_mxnet("what it has learned")
        from seq2seq.explaining import character_embeddings

        return character_embeddings(self)

    def explain(self, source: str) -> list[str]:
        from seq2seq.explaining import explain, lines_of

        return [line for each in explain(self, source) for line in lines_of(each)]

    def plot(self, source: str, file: PathLike) -> None:
        from seq2seq.explaining import explain
        from seq2seq.plots import plot_explanations

        plot_explanations(explain(self, source), file)

    @abstractmethod
    def calls(self, source: str) -> list[str]:
        """The inputs of the model on the way to its answer. Raises `SourceError` if the source cannot be read."""
