"""Answers sources with a trained run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, overload

import numpy as np

from seq2seq.applications import application_of
from seq2seq.decoding import Answer, Worked, work_out
from seq2seq.decoding.base import probability
from seq2seq.errors import SourceError, UsageError, listed, require, short
from seq2seq.opened import StringRun
from seq2seq.pairs_evaluation import PairsEvaluation, SomePairs, evaluate_pairs, questions_of
from seq2seq.places import PathLike
from seq2seq.runs import Run
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.stepwise import StepwiseTask, stepwise
from seq2seq.typing import Array
from seq2seq.values import whole
from seq2seq.vocabulary import Codec

BATCHES_A_TURN = 16  # batches that a thread answers before another thread gets its turn
LONGEST = 100_000  # maximum length of a source if the model reads any length


class Solver(StringRun):
    """Answers sources with the weights of a run.

    >>> solver = Solver("runs/sums")
    >>> solver("3*7+2")
    '23'
    >>> solver(["3*7+2", "1+1+1"])
    ['23', '3']

    Any number of threads can use one or more Solvers, also while other threads train. The calls take turns, since
    MXNet's graphs can have one user at a time, and the answers do not depend on the other calls; with ONNX Runtime they
    run in parallel. After a fork the child can continue to use the Solver. A copy, or a pickle in another process,
    opens the run folder again.

    Parameters
    ----------
    run : path, or list of path
        The run folder, or those of an ensemble: see `Ensemble`. Or a packed run, such as `a.zip`: see `pack`. Or the
        folder of an export: see `engine`.
    device : str
        `auto`, `cpu`, `gpu` or `gpu:N`.
    weights : str
        `best` (see `TrainingConfig.best_by`) or `last`.
    task : Task, optional
        The run's task, if it is your own and no installed package offers it.
    beam : int, optional
        Number of prefixes that a beam search keeps, from 1 to the size of the vocabulary; by default that of the run's
        configuration. Only for a model that writes one character at a time.
    engine : str
        `mxnet`, which needs a run folder; `onnx`, which needs an export (see `export`): its folder, or a run folder
        that holds one in its subfolder `onnx`; or `auto`, which is `mxnet` where MXNet is installed and the folder has
        weights, else `onnx`.

    Raises
    ------
    UsageError
        If an argument is not allowed.
    RunError
        If the folder holds no run, or a file in it is missing, damaged or from another program.
    DeviceError
        If the device does not exist or cannot be used.
    """

    kind = "answering"

    def __new__(
        cls,
        run: PathLike | Sequence[PathLike],
        device: str = "auto",
        weights: str = "best",
        task: Task | None = None,
        beam: int | None = None,
        engine: str = "auto",
    ) -> Any:
        """Make an object of the class that opens the run, such as a `Writer`, or an `Ensemble` for several."""
        opens = cls if cls is not Solver else _opens(run, task)
        if issubclass(opens, cls):
            return super().__new__(opens)
        return opens(run, device, weights, task, beam, engine)

    @overload
    def __call__(self, source: str) -> str: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, source: Iterable[str]) -> list[str]: ...
    def __call__(self, source: str | Iterable[str]) -> str | list[str]:
        """Answer one source, or several. A run of a text answers with the next character.

        Parameters
        ----------
        source : str or iterable of str

        Returns
        -------
        str or list of str
            The answer, or the answers in the order of the sources.

        Raises
        ------
        SourceError
            If a source is empty, too long, has a character outside the vocabulary or not the form of the task.
        """
        if isinstance(source, str):
            return self.unmarked([source])[0].text
        return [answer.text for answer in self.unmarked(source)]

    def answer(self, sources: Iterable[str]) -> list[Answer]:
        """Answer several sources, with confidences.

        Parameters
        ----------
        sources : iterable of str

        Returns
        -------
        list of Answer
            Each with the model's confidence, and with the reason if its source is unlike the training examples.

        Raises
        ------
        SourceError
            If a source cannot be read.
        """
        return [_found(answer) for answer in self._answers(self._prepared(sources))]

    def unmarked(self, sources: Iterable[str]) -> list[Answer]:
        """The answers as from `answer`, but without `unlike_training`, which takes time to compute."""
        return [_found(answer) for answer in self._unmarked(self._prepared(sources))]

    def tried(self, sources: Iterable[str], marked: bool = True) -> list[Answer | SourceError]:
        """The answer to each source, or the error if it has none.

        Parameters
        ----------
        sources : iterable of str
        marked : bool
            Whether to compute `unlike_training`.

        Returns
        -------
        list of Answer or SourceError
        """
        return self._tried(listed("sources", sources, "strings"), self._answers if marked else self._unmarked)

    def _prepared(self, sources: Iterable[str]) -> list[str]:
        return [self.prepare(source) for source in listed("sources", sources, "strings")]

    def _answers(self, prepared: list[str]) -> Iterator[Answer | SourceError]:
        """The answers to prepared sources with `unlike_training`."""
        for source, (answer, calls) in zip(prepared, self._asked(prepared)):
            yield answer if isinstance(answer, SourceError) else Answer(*answer, self._unlike(source, calls))

    def _unmarked(self, prepared: list[str]) -> Iterator[Answer | SourceError]:
        """The answers to prepared sources without `unlike_training`."""
        return (answer for answer, _ in self._asked(prepared))

    def _asked(self, prepared: list[str]) -> Iterator[tuple[Answer | SourceError, list[str]]]:
        """The answers to prepared sources, each with the model's inputs in all steps if the task has steps."""
        if self._steps is None:
            yield from ((answer, []) for answer in self._answer(prepared))
        else:
            yield from ((worked.answer, worked.calls) for worked in self._work_out(self._steps, prepared))

    def _unlike(self, prepared: str, calls: Sequence[str] = ()) -> str | None:
        """The reason why a source is unlike the training examples: see `Likeness`."""
        return self._likeness.unlike(self.codec.alphabet.show_source(prepared), calls)

    @property
    def _steps(self) -> StepwiseTask | None:
        """The task as a `StepwiseTask` if it works in steps, else None."""
        return stepwise(self.task)

    def _work_out(self, task: StepwiseTask, prepared: list[str]) -> list[Worked]:
        """The working of each source."""
        return work_out(task, self._answer, prepared, None if self.codec.any_length else self.codec.source_length)

    def _answer(self, prepared: list[str]) -> list[Answer]:
        """The model's answers to sources, with one call each."""
        if not self.codec.any_length and len(self.codec.widths) == 1:
            return self._answer_fitting(prepared, self.codec)
        rows: dict[Codec, list[int]] = {}  # the width of a source does not depend on the other sources
        for row, source in enumerate(prepared):
            rows.setdefault(self.codec.fitting(source), []).append(row)
        answers: dict[int, Answer] = {}
        for codec, members in rows.items():
            answers.update(zip(members, self._answer_fitting([prepared[row] for row in members], codec)))
        return [answers[row] for row in range(len(prepared))]

    def _answer_fitting(self, prepared: list[str], codec: Codec) -> list[Answer]:
        predictor = self.predictor(len(prepared), codec)
        turn = BATCHES_A_TURN * predictor.batch_size
        answers: list[Answer] = []
        for start in range(0, len(prepared), turn):
            self.before_call()
            sources = codec.encode_sources(prepared[start : start + turn])
            found = predictor.answer(sources)
            answers += map(Answer, map(self.task.final, codec.decode_targets(found.ids)), found.confidence.tolist())
        return answers

    def work(self, source: str) -> list[str]:
        """The steps from a source to its answer.

        A run that writes its working in the answer, or works in one step per call, has several steps; any other run has
        only the answer. `answer` says whether the source is unlike the training examples.

        Parameters
        ----------
        source : str

        Returns
        -------
        list of str
            The last one is the answer.

        Raises
        ------
        SourceError
            If the source cannot be read.
        """
        prepared = self.prepare(source)
        if self._steps is not None:
            [worked] = self._work_out(self._steps, [prepared])
            _found(worked.answer)
            return worked.steps
        codec = self.codec.fitting(prepared)
        answers = self.predictor(1, codec).answer(codec.encode_sources([prepared]))
        return codec.decode_targets(answers.ids)[0].split("=")

    def calls(self, source: str) -> list[str]:
        """The inputs of the model on the way to its answer.

        Parameters
        ----------
        source : str

        Returns
        -------
        list of str
            The prepared source or, for a run that works in steps, what it asks on the way, each once.

        Raises
        ------
        SourceError
            If the source cannot be read.
        """
        prepared = self.prepare(source)
        if self._steps is None:
            return [prepared]
        [worked] = self._work_out(self._steps, [prepared])
        _found(worked.answer)
        if not worked.calls:
            raise SourceError(f"{short(source)}: there is nothing to work out")
        return [*dict.fromkeys(worked.calls)]

    def n_best(self, source: str, n: int) -> list[Answer]:
        """The n most probable answers that a beam search with a beam of n finds.

        Parameters
        ----------
        source : str
        n : int
            From 1 to the size of the vocabulary.

        Returns
        -------
        list of Answer
            The most probable first.

        Raises
        ------
        SourceError
            If the source cannot be read.
        UsageError
            If the run's model writes all characters at once, or `n` is not allowed.
        """
        if not self.predictor(1).searches:
            raise self._one_answer("n_best")
        n = whole("n", n, 1, len(self.codec.vocabulary))
        prepared = self.prepare(source)
        codec = self.codec.fitting(prepared)
        best = self.predictor(1, codec, beam=n).search(codec.encode_sources([prepared]))
        texts = map(self.task.final, self.codec.decode_targets(best.ids[0]))
        confidences = probability(best.scores[0]).tolist()
        return list(map(Answer, texts, confidences, repeat(self._unlike(prepared))))

    def continued(
        self, prefix: str, characters: int = 200, temperature: float = 1.0, top_k: int = 0, seed: int = 0
    ) -> Iterator[str]:
        """Only for a run of a text: see `Writer`. Raises `UsageError`."""
        raise self._no_text()

    def expected(self, source: str) -> list[Answer]:
        """Only for a run of a text: see `Writer`. Raises `UsageError`."""
        raise self._no_text()

    def _no_text(self) -> UsageError:
        return UsageError(f"{self.shown}: answers sources, and has no text to continue")

    def prepare(self, source: str) -> str:
        """The source as the model reads it. Raises `SourceError` if it cannot be read."""
        require(isinstance(source, str), "source", source, "a string")
        if not source.strip():
            read = self.codec.alphabet.read_source(source)
            if not read or not set(read) <= set(self.codec.characters):
                raise SourceError("the source is empty")
        try:
            prepared = self.codec.alphabet.read_source(self.task.normalise(source))
        except SourceError:
            if not self.codec.alphabet.source_separator:
                self.codec.vocabulary.check(source, len(source))  # an unknown character is the better explanation
            raise
        of_any_length = self.codec.any_length or self._steps is not None  # of which the model reads a part at a time
        self.codec.vocabulary.check(prepared, LONGEST if of_any_length else self.codec.source_length)
        return prepared

    def evaluate_pairs(self, pairs: SomePairs) -> PairsEvaluation:
        """Score your own pairs, such as the official test set of a task. The run folder is not changed.

        Parameters
        ----------
        pairs : path, or iterable of (str, str)
            A file as for training, or sources and targets as people write them. A source that cannot be read, because
            it is too long or has characters that the run does not know, counts as answered wrongly.

        Returns
        -------
        PairsEvaluation

        Raises
        ------
        UsageError
            If there are no pairs, an item is not a pair, or the run is a run of a text.
        """
        questions = questions_of(self.task, pairs)
        tried = self.tried([each.source for each in questions], marked=False)
        return evaluate_pairs(tried, questions, self.task, self._overlap)

    def _overlap(self, sources: list[str]) -> float:
        """The fraction of readable sources that were trained on."""
        return self.dataset.overlap(self.task, np.array([self.prepare(source) for source in sources]))

    def score(self, pairs: Pairs | Iterable[tuple[str, str]]) -> float:
        """The fraction of sources that are answered with their targets, or with another answer that the task accepts.

        A source that cannot be read counts as answered wrongly, with a warning. `evaluate_pairs` gives more details.

        Parameters
        ----------
        pairs : Pairs or iterable of (str, str)
            Pairs of a task, or sources and targets as people write them.

        Returns
        -------
        float
            From 0 to 1.
        """
        right, _ = self.judge(pairs)
        return float(right.mean())

    def judge(self, pairs: Pairs | Iterable[tuple[str, str]]) -> tuple[Array, Array]:
        """Answer sources, and compare the answers with the targets: see `score`.

        Parameters
        ----------
        pairs : Pairs or iterable of (str, str)

        Returns
        -------
        right : ndarray of bool, shape (N,)
        confidences : ndarray, shape (N,)
            Of the answers; 0 where there is none.
        """
        shown = [*(self.task.shown(pairs) if isinstance(pairs, Pairs) else pairs)]
        require(len(shown) > 0, "pairs", shown, "one or more")
        tried = self.tried([source for source, _ in shown], marked=False)
        problems = [each for each in tried if isinstance(each, SourceError)]
        if problems:
            warnings.warn(
                f"score: {len(problems)} of {len(shown)} sources cannot be read and count as answered wrongly, such as "
                f"{problems[0]}",
                stacklevel=2,
            )
        right = [
            isinstance(answer, Answer)
            and self.task.accepts(self.task.normalise(source), answer.text, self.task.final(target))
            for (source, target), answer in zip(shown, tried)
        ]
        confidences = [answer.confidence if isinstance(answer, Answer) else 0.0 for answer in tried]
        return np.array(right), np.array(confidences)


def _found(answer: Answer | SourceError) -> Answer:
    """The answer. Raises the error if there is none."""
    if isinstance(answer, SourceError):
        raise answer
    return answer


def _opens(run: Any, task: Task | None) -> type[Any]:
    """The class that opens a run, or several."""
    if isinstance(run, (list, tuple)):
        from seq2seq.ensemble import Ensemble

        return Ensemble
    return application_of(Run(run).task_class(task)).opens
