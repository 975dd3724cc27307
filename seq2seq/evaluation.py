"""Scores a model on held-out examples and on training examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from seq2seq.arrays import edit_distances
from seq2seq.dataset import Dataset, Examples
from seq2seq.decoding import Answer
from seq2seq.decoding.stepwise import Ask
from seq2seq.tasks import Task
from seq2seq.tasks.alphabet import split
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

MISTAKES = 10


@dataclass(frozen=True)
class Score:
    """Accuracy on some examples.

    Attributes
    ----------
    n : int
        Number of examples.
    exact_match : float
        Fraction of right answers: those with every character right (if the answer includes its working, every character
        of the result), or that the task accepts.
    character_accuracy : float
        1 minus the edit distance from answer to target, divided by the number of symbols in the longer of the two;
        distances and lengths are first summed over the examples. Padding is not a symbol.
    """

    n: int
    exact_match: float
    character_accuracy: float

    @classmethod
    def of(cls, asked: Asked, rows: Any = slice(None)) -> Score:
        """The score of some rows; by default of all."""
        accuracy = 1 - asked.distances[rows].sum() / asked.longer[rows].sum()
        return cls(len(asked.right[rows]), float(asked.right[rows].mean()), float(accuracy))


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, and its probability in the model."""

    source: str
    target: str
    answer: str
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """Scores on held-out examples and on training examples.

    Attributes
    ----------
    held_out, train_distribution : Score
        Scores on test examples, and on training examples.
    overlap : float
        Fraction of the held-out sources that were trained on: 0 unless the data were drawn without a split, or another
        run that counts, such as another member of an ensemble, was trained on them.
    breakdowns : dict of str to dict of str to Score
        Held-out scores by length of the target, by the groups that the task defines and, if some of the sources were
        trained on, by whether they were.
    mistakes : list of Mistake
        Wrong held-out answers, those with the highest confidence first.
    measures : dict of str to dict of str to float
        Further metrics of the task, for `held_out` and `train_distribution`.
    """

    held_out: Score
    train_distribution: Score
    overlap: float
    breakdowns: dict[str, dict[str, Score]]
    mistakes: list[Mistake]
    measures: dict[str, dict[str, float]]

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """Title and bars of a plot; the bars are values from 0 to 1, by name."""
        bars = {"all": self.held_out.exact_match}
        for name, scores in self.breakdowns.items():
            bars.update({f"{name} {label}": score.exact_match for label, score in scores.items()})
        return "exact match, held out", bars

    @property
    def curves(self) -> tuple[str, str]:
        """The unit of the loss, and the validation value to draw."""
        return "nats a character", "exact_match"

    def to_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        values = asdict(self)
        values["held_out"]["overlap"] = values.pop("overlap")
        breakdowns = values.pop("breakdowns")
        mistakes = values.pop("mistakes")
        for part, measures in values.pop("measures").items():
            values[part].update(measures)
        return {**values, **{f"by_{name}": scores for name, scores in breakdowns.items()}, "mistakes": mistakes}


def evaluate(ask: Ask, dataset: Dataset, task: Task, samples: int, seed: int) -> Evaluation:
    """Score a model on test examples and on training examples.

    Parameters
    ----------
    ask : callable
        From sources to their answers, such as `Solver.answer`.
    dataset : Dataset
    task : Task
        Defines the right answers, and how sources are grouped.
    samples : int
        Maximum number of examples of each kind. If there are more, this number is chosen at random.
    seed : int
        Determines the choice.

    Returns
    -------
    Evaluation
    """
    rng = np.random.default_rng((seed, 2))
    rows = _chosen(dataset.test, samples, rng)
    questions = dataset.questions or dataset.train
    seen = questions.take(_chosen(questions, samples, rng))
    asked, known = (_ask(ask, examples, dataset.codec, task) for examples in (dataset.test.take(rows), seen))
    trained_on = dataset.trained_on(task, dataset.codec.read_sources(dataset.test.sources))
    groups = {name: label(np.array(asked.sources)) for name, label in task.breakdowns.items()}
    groups["length"] = asked.lengths
    if trained_on.any() and not trained_on.all():
        groups["trained on"] = np.where(trained_on[rows], "yes", "no")

    return Evaluation(
        held_out=Score.of(asked),
        train_distribution=Score.of(known),
        overlap=float(trained_on.mean()),
        breakdowns={name: by_label(asked, labels) for name, labels in groups.items()},
        mistakes=mistakes_of(asked),
        measures={name: part.measured(task) for name, part in (("held_out", asked), ("train_distribution", known))},
    )


def auc(right: Array, confidences: Array) -> float | None:
    """The area under the curve (ROC) of the confidence as a sign of a right answer.

    It is the probability that a right answer has a higher confidence than a wrong one; equal ones count half. 0.5 means
    that the confidence tells nothing (Fawcett 2006).

    Parameters
    ----------
    right : ndarray of bool, shape (N,)
    confidences : ndarray, shape (N,)

    Returns
    -------
    float or None
        From 0 to 1; None if all answers are right, or all are wrong.
    """
    wrong = np.sort(confidences[~right])
    good = confidences[right]
    if not (len(wrong) and len(good)):
        return None
    lower = np.searchsorted(wrong, good, side="left")
    equal = np.searchsorted(wrong, good, side="right") - lower
    return float((lower + equal / 2).mean() / len(wrong))


def _chosen(examples: Examples, samples: int, rng: np.random.Generator) -> Array:
    """The rows of at most `samples` examples."""
    n = len(examples)
    return np.arange(n) if n <= samples else rng.choice(n, samples, replace=False)


class Asked(NamedTuple):
    """Examples and their answers.

    Attributes
    ----------
    sources, targets : list of str
    answers : list of Answer
    right : ndarray of bool, shape (N,)
        Whether each answer is right.
    lengths : ndarray of int, shape (N,)
        Number of symbols in each target.
    longer : ndarray of int, shape (N,)
        Number of symbols in the target or in the answer, whichever is larger.
    distances : ndarray of int, shape (N,)
        Edit distance from each answer to its target.
    """

    sources: list[str]
    targets: list[str]
    answers: list[Answer]
    right: Array
    lengths: Array
    longer: Array
    distances: Array

    def take(self, rows: Array) -> Asked:
        """Select rows by a mask, bool, shape (N,)."""
        chosen = np.flatnonzero(rows)
        sources, targets = ([part[row] for row in chosen] for part in (self.sources, self.targets))
        return Asked(sources, targets, [self.answers[row] for row in chosen], *(part[chosen] for part in self[3:]))

    def measured(self, task: Task) -> dict[str, float]:
        """The further metrics of the task."""
        return dict(task.measures(self.sources, self.targets, [answer.text for answer in self.answers]))


def _ask(ask: Ask, examples: Examples, codec: Codec, task: Task) -> Asked:
    sources = codec.decode_sources(examples.sources)
    targets = [[task.final(target)] for target in codec.decode_targets(examples.targets)]
    return compared(task, sources, targets, list(ask(sources)))


def compared(task: Task, sources: list[str], targets: Sequence[Sequence[str]], answers: list[Answer]) -> Asked:
    """Compare answers with their targets.

    Parameters
    ----------
    task : Task
    sources : list of str
    targets : sequence of sequence of str
        One or more right answers for each source. The one nearest to the answer becomes the target.
    answers : list of Answer

    Returns
    -------
    Asked
    """
    texts = [answer.text for answer in answers]
    right = [any(task.accepts(source, text, target) for target in several)
             for source, text, several in zip(sources, texts, targets)]  # fmt: skip
    nearest = [_nearest(text, several, task.target_separator) for text, several in zip(texts, targets)]
    wanted, written = ([split(text, task.target_separator) for text in part] for part in (nearest, texts))
    lengths, of_answers = (np.array([*map(len, part)]) for part in (wanted, written))
    longer = np.maximum(lengths, of_answers)
    distances = edit_distances(written, wanted)
    return Asked(sources, nearest, answers, np.array(right, bool), lengths, longer, distances)


def _nearest(text: str, targets: Sequence[str], separator: str) -> str:
    if len(targets) == 1:
        return targets[0]
    symbols = [split(target, separator) for target in targets]
    return targets[int(edit_distances([split(text, separator)] * len(targets), symbols).argmin())]


def mistakes_of(asked: Asked) -> list[Mistake]:
    """The wrong answers with the highest confidence, at most `MISTAKES`, in descending order."""
    wrong = np.flatnonzero(~asked.right)
    surest = sorted(wrong, key=lambda row: -asked.answers[row].confidence)[:MISTAKES]
    return [Mistake(asked.sources[row], asked.targets[row], *asked.answers[row]) for row in surest]


def by_label(asked: Asked, labels: Array) -> dict[str, Score]:
    """Scores of the groups of rows with equal labels, shape (N,)."""
    return {str(label): Score.of(asked, labels == label) for label in np.unique(labels)}
