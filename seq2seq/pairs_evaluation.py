"""Scores a run on given pairs, such as the official test set of a shared task."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Callable, NamedTuple, Union

import numpy as np

from seq2seq.decoding import Answer
from seq2seq.errors import Seq2SeqError, SourceError, UsageError, listed, short
from seq2seq.evaluation import Mistake, Score, by_label, compared, mistakes_of
from seq2seq.tasks import Pairs, Task
from seq2seq.tasks.alphabet import split
from seq2seq.tasks.arrays import Row

MOST_PROBLEMS = 10

SomePairs = Union[str, "os.PathLike[str]", Pairs, Iterable[tuple[str, str]]]


@dataclass(frozen=True)
class PairsEvaluation:
    """Scores on given pairs. A source that cannot be read counts as answered wrongly.

    Attributes
    ----------
    score : Score
        If a source has several targets, each of them is right.
    unreadable : int
        Number of sources that cannot be read: they are too long, or have characters that the run does not know.
    problems : list of str
        The reasons for the first few of these.
    overlap : float or None
        Fraction of the sources that the run was trained on; None if its training data cannot be made again.
    breakdowns : dict of str to dict of str to Score
        Scores of readable sources by length of the target, and by the groups that the task defines.
    mistakes : list of Mistake
        Wrong answers, those with the highest confidence first.
    measures : dict of str to float
        Further metrics of the task.
    """

    score: Score
    unreadable: int
    problems: list[str]
    overlap: float | None
    breakdowns: dict[str, dict[str, Score]]
    mistakes: list[Mistake]
    measures: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The scores as plain values for JSON."""
        values = asdict(self)
        counts = {name: values[name] for name in ("unreadable", "overlap", "problems")}
        breakdowns = {f"by_{name}": scores for name, scores in values["breakdowns"].items()}
        return {"pairs": {**values["score"], **self.measures, **counts}, **breakdowns, "mistakes": values["mistakes"]}


class Question(NamedTuple):
    """A source with all its targets.

    Attributes
    ----------
    place : str
        The position of the pair, for messages.
    source : str
    targets : list of str
    """

    place: str
    source: str
    targets: list[str]


def questions_of(task: Task, pairs: SomePairs) -> list[Question]:
    """Group pairs into questions.

    Parameters
    ----------
    task : Task
    pairs : path, Pairs, or iterable of (str, str)

    Returns
    -------
    list of Question

    Raises
    ------
    UsageError
        If there are no pairs, an item is not a pair, or a source has several targets and the task allows only one.
    """
    place, rows = _rows(task, pairs)
    questions: list[Question] = []
    first: dict[str, Question] = {}
    for number, source, target in rows:
        if not (isinstance(source, str) and isinstance(target, str)):
            raise UsageError(f"{place}{number}: must be a source and a target, two strings")
        if not target.strip():
            raise UsageError(f"{place}{number}: its target is empty")
        if task.target_separator:
            target = task.target_separator.join(split(target, task.target_separator))
        question = Question(f"{place}{number}", written(task, source), [task.final(target)])
        before = first.setdefault(question.source, question)
        new = question.targets[0] not in before.targets
        if new and not task.several:
            raise UsageError(f"{question.place}: has another target for its source than {before.place} has")
        if before is question or not task.several:
            questions.append(question)
        elif new:
            before.targets.append(question.targets[0])
    if not questions:
        raise UsageError("pairs: there are none")
    return questions


def _rows(task: Task, pairs: SomePairs) -> tuple[str, Iterable[Row]]:
    if isinstance(pairs, (str, os.PathLike)):
        path = os.fspath(pairs)
        return f"{path}:", task.read_rows(path)
    shown = task.shown(pairs) if isinstance(pairs, Pairs) else listed("pairs", pairs, "pairs")
    return "pair ", (_row(number, pair) for number, pair in enumerate(shown, 1))


def _row(number: int, pair: Any) -> Row:
    if not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2:
        raise UsageError(f"pair {number}: got {short(str(pair))}, but it must be a source and a target")
    return Row(number, *pair)


def written(task: Task, source: str) -> str:
    """The source as the task writes it, or unchanged if it cannot be read."""
    try:
        return task.normalise(source)
    except SourceError:
        return source


def evaluate_pairs(
    tried: Sequence[Answer | SourceError],
    questions: Sequence[Question],
    task: Task,
    overlap: Callable[[list[str]], float],
) -> PairsEvaluation:
    """Score the answers to questions.

    Parameters
    ----------
    tried : sequence of Answer or SourceError
        The answer to each question, or the reason why it cannot be read.
    questions : sequence of Question
    task : Task
    overlap : callable
        Returns the fraction of given sources that were trained on, or raises a `Seq2SeqError` if this is not known.

    Returns
    -------
    PairsEvaluation
    """
    readable = np.array([isinstance(each, Answer) for each in tried])
    answers = [each if isinstance(each, Answer) else Answer("", 0.0) for each in tried]
    asked = compared(task, [each.source for each in questions], [each.targets for each in questions], answers)
    asked.right[~readable] = False
    known = [source for source, can in zip(asked.sources, readable) if can]
    groups = asked.take(readable)
    breakdowns = {name: by_label(groups, label(np.array(known))) for name, label in task.breakdowns.items() if known}
    breakdowns["length"] = by_label(asked, asked.lengths)
    problems = [f"{each.place}: {why}" for each, why in zip(questions, tried) if isinstance(why, SourceError)]
    try:
        trained_on = overlap(known) * len(known) / len(questions) if known else 0.0
    except Seq2SeqError:
        trained_on = None
    return PairsEvaluation(
        score=Score.of(asked),
        unreadable=len(problems),
        problems=problems[:MOST_PROBLEMS],
        overlap=trained_on,
        breakdowns=breakdowns,
        mistakes=mistakes_of(groups),
        measures=asked.measured(task),
    )
