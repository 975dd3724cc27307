"""How good a model is on what it has not seen, and on what it was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seq2seq.arrays import character_codes
from seq2seq.dataset import Dataset, Examples
from seq2seq.decoding import Answer
from seq2seq.decoding.stepwise import Ask
from seq2seq.tasks import Task
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
        The share of right answers: every character, or where the working comes before, every one of the result.
    character_accuracy : float
        The share of right characters over all T places, those filled with spaces included.
    """

    n: int
    exact_match: float
    character_accuracy: float

    @classmethod
    def of(cls, correct: np.ndarray, right: np.ndarray) -> Score:
        """From which characters are right, bool, shape (N, T), and which answers, shape (N,)."""
        return cls(len(correct), float(right.mean()), float(correct.mean()))


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
    """

    held_out: Score
    train_distribution: Score
    overlap: float
    breakdowns: dict[str, dict[str, Score]]
    mistakes: list[Mistake]

    def to_json(self) -> dict[str, Any]:
        values = asdict(self)
        values["held_out"]["overlap"] = values.pop("overlap")
        breakdowns = values.pop("breakdowns")
        mistakes = values.pop("mistakes")
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
    codec = dataset.codec
    answers, correct, right = _answers(ask, test, codec, task)
    targets = [task.final(target) for target in codec.decode_targets(test.targets)]
    asked = np.array(codec.decode_sources(test.sources))
    groups = {name: label(asked) for name, label in task.breakdowns.items()}
    groups["length"] = np.array([len(target) for target in targets])

    wrong = np.flatnonzero(~right)
    surest = sorted(wrong, key=lambda row: -answers[row].confidence)[:MISTAKES]
    return Evaluation(
        held_out=Score.of(correct, right),
        train_distribution=Score.of(*_answers(ask, seen, codec, task)[1:]),
        overlap=dataset.overlap(task),
        breakdowns={name: _by_label(correct, right, labels) for name, labels in groups.items()},
        mistakes=[Mistake(str(asked[row]), targets[row], answers[row].text, answers[row].confidence) for row in surest],
    )


def _choose(examples: Examples, samples: int, rng: np.random.Generator) -> Examples:
    return examples if len(examples) <= samples else examples.take(rng.choice(len(examples), samples, replace=False))


def _answers(ask: Ask, examples: Examples, codec: Codec, task: Task) -> tuple[list[Answer], np.ndarray, np.ndarray]:
    """The answers, and which characters (N, T) and which answers (N,) are right."""
    answers = list(ask(codec.decode_sources(examples.sources)))
    targets = [task.final(target) for target in codec.decode_targets(examples.targets)]
    width = max(map(len, targets), default=1)
    said, wanted = (
        np.array([text.rjust(width)[-width:] for text in texts], f"U{width}")
        for texts in ([answer.text for answer in answers], targets)
    )
    right = np.array([answer.text == target for answer, target in zip(answers, targets)], bool)
    return answers, character_codes(said) == character_codes(wanted), right


def _by_label(correct: np.ndarray, right: np.ndarray, labels: np.ndarray) -> dict[str, Score]:
    return {str(label): Score.of(correct[labels == label], right[labels == label]) for label in np.unique(labels)}
