"""How good a model is on what it has not seen, and on what it was trained on."""

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
    """Accuracy over some examples.

    Attributes
    ----------
    n : int
        How many.
    exact_match : float
        The share of right answers: every character, or where the working comes before, every one of the result; or
        whatever else the task accepts.
    character_accuracy : float
        How much of the answers is right: 1 less the edit distance from answer to target, as a fraction of the symbols
        of the longer of the two; distances and lengths are summed over the examples first. Padding is no symbol.
    """

    n: int
    exact_match: float
    character_accuracy: float

    @classmethod
    def of(cls, asked: Asked, rows: Any = slice(None)) -> Score:
        """Of some rows of what was asked."""
        accuracy = 1 - asked.distances[rows].sum() / asked.longer[rows].sum()
        return cls(len(asked.right[rows]), float(asked.right[rows].mean()), float(accuracy))


@dataclass(frozen=True)
class Mistake:
    """A wrong answer and the probability that the model gave to it."""

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
        On examples set aside for this, and on as many (or all) of those trained on.
    overlap : float
        The share of the held-out sources that were trained on: 0 unless the data were drawn without a split.
    breakdowns : dict of str to dict of str to Score
        Held-out scores by the length of the answer, and by the groups that the task knows.
    mistakes : list of Mistake
        Held-out answers that are wrong, the surest first.
    measures : dict of str to dict of str to float
        What else the task measures, of `held_out` and of `train_distribution`.
    """

    held_out: Score
    train_distribution: Score
    overlap: float
    breakdowns: dict[str, dict[str, Score]]
    mistakes: list[Mistake]
    measures: dict[str, dict[str, float]]

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """The title and the bars of a picture of it, by name, from 0 to 1."""
        bars = {"all": self.held_out.exact_match}
        for name, scores in self.breakdowns.items():
            bars.update({f"{name} {label}": score.exact_match for label, score in scores.items()})
        return "exact match, held out", bars

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        values["held_out"]["overlap"] = values.pop("overlap")
        breakdowns = values.pop("breakdowns")
        mistakes = values.pop("mistakes")
        for part, measures in values.pop("measures").items():
            values[part].update(measures)
        return {**values, **{f"by_{name}": scores for name, scores in breakdowns.items()}, "mistakes": mistakes}


def evaluate(ask: Ask, dataset: Dataset, task: Task, samples: int, seed: int) -> Evaluation:
    """Score a model on the test examples, and on training examples beside them.

    Parameters
    ----------
    ask : callable
        From sources to their answers, such as `Solver.answer`.
    dataset : Dataset
    task : Task
        Tells how to group sources.
    samples : int
        The most examples to score of each; of more, so many are chosen at random.
    seed : int
        Decides which.
    """
    rng = np.random.default_rng((seed, 2))
    test, seen = _choose(dataset.test, samples, rng), _choose(dataset.questions or dataset.train, samples, rng)
    asked, known = (_ask(ask, examples, dataset.codec, task) for examples in (test, seen))
    groups = {name: label(np.array(asked.sources)) for name, label in task.breakdowns.items()}
    groups["length"] = asked.lengths

    return Evaluation(
        held_out=Score.of(asked),
        train_distribution=Score.of(known),
        overlap=dataset.overlap(task),
        breakdowns={name: by_label(asked, labels) for name, labels in groups.items()},
        mistakes=mistakes_of(asked),
        measures={name: part.measured(task) for name, part in (("held_out", asked), ("train_distribution", known))},
    )


def _choose(examples: Examples, samples: int, rng: np.random.Generator) -> Examples:
    return examples if len(examples) <= samples else examples.take(rng.choice(len(examples), samples, replace=False))


class Asked(NamedTuple):
    """Some examples, and how they were answered.

    Attributes
    ----------
    sources, targets : list of str
    answers : list of Answer
    right : ndarray of bool, shape (N,)
        Which answers are.
    lengths : ndarray of int, shape (N,)
        How many symbols each target has.
    longer : ndarray of int, shape (N,)
        How many the target or the answer has, whichever has more.
    distances : ndarray of int, shape (N,)
        The edit distance from the answer to the target.
    """

    sources: list[str]
    targets: list[str]
    answers: list[Answer]
    right: Array
    lengths: Array
    longer: Array
    distances: Array

    def take(self, rows: Array) -> Asked:
        """These rows alone, bool (N,)."""
        chosen = np.flatnonzero(rows)
        sources, targets = ([part[row] for row in chosen] for part in (self.sources, self.targets))
        return Asked(sources, targets, [self.answers[row] for row in chosen], *(part[chosen] for part in self[3:]))

    def measured(self, task: Task) -> dict[str, float]:
        return dict(task.measures(self.sources, self.targets, [answer.text for answer in self.answers]))


def _ask(ask: Ask, examples: Examples, codec: Codec, task: Task) -> Asked:
    sources = codec.decode_sources(examples.sources)
    targets = [[task.final(target)] for target in codec.decode_targets(examples.targets)]
    return compared(task, sources, targets, list(ask(sources)))


def compared(task: Task, sources: list[str], targets: Sequence[Sequence[str]], answers: list[Answer]) -> Asked:
    """Answers beside their targets: of several for a source each is right, and the nearest to the answer is shown."""
    texts = [answer.text for answer in answers]
    right = [any(task.accepts(source, text, target) for target in several)
             for source, text, several in zip(sources, texts, targets)]  # fmt: skip
    nearest = [_nearest(text, several, task.target_separator) for text, several in zip(texts, targets)]
    wanted, written = ([split(text, task.target_separator) for text in part] for part in (nearest, texts))
    lengths, of_answers = (np.array([*map(len, part)]) for part in (wanted, written))
    longer, distances = np.maximum(lengths, of_answers), edit_distances(written, wanted)
    return Asked(sources, nearest, answers, np.array(right, bool), lengths, longer, distances)


def _nearest(text: str, targets: Sequence[str], separator: str) -> str:
    if len(targets) == 1:
        return targets[0]
    symbols = [split(target, separator) for target in targets]
    return targets[int(edit_distances([split(text, separator)] * len(targets), symbols).argmin())]


def mistakes_of(asked: Asked) -> list[Mistake]:
    """The wrong answers, the surest first."""
    wrong = np.flatnonzero(~asked.right)
    surest = sorted(wrong, key=lambda row: -asked.answers[row].confidence)[:MISTAKES]
    return [Mistake(asked.sources[row], asked.targets[row], *asked.answers[row]) for row in surest]


def by_label(asked: Asked, labels: Array) -> dict[str, Score]:
    return {str(label): Score.of(asked, labels == label) for label in np.unique(labels)}
