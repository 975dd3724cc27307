"""Formats evaluations as the lines that the commands print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq.showing import one_line

if TYPE_CHECKING:
    from seq2seq.evaluation import Evaluation, Mistake, Score
    from seq2seq.pairs_evaluation import PairsEvaluation
    from seq2seq.text_evaluation import TextEvaluation


def summary_of_answers(evaluation: Evaluation) -> list[str]:
    """Exact match on training and held-out examples, and further metrics, for the end of a training.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    list of str
    """
    held_out = evaluation.held_out
    seen = evaluation.train_distribution
    right = round(held_out.exact_match * held_out.n)
    measures = evaluation.measures["held_out"]
    return [
        f"exact match on trained examples: {seen.exact_match:.4f} ({seen.n} of them)",
        f"held-out exact match: {held_out.exact_match:.4f} ({right} of {held_out.n} right)",
        *(f"held-out {name.replace('_', ' ')}: {value:.4f}" for name, value in measures.items()),
        f"of the held-out examples, {evaluation.overlap:.1%} had been trained on",
    ]


def report_of_answers(evaluation: Evaluation) -> list[str]:
    """Scores of held-out and training examples, in total and by group, and the worst mistakes.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    list of str
    """
    rows = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    lines = [*_table(rows, "held out", evaluation.breakdowns)]
    for name, values in evaluation.measures.items():
        lines += _metrics(name.replace("_", " "), values)
    lines += ["", f"{evaluation.overlap:.1%} of the held-out examples had been trained on"]
    return [*lines, *_mistakes(evaluation.mistakes)]


def report_of_pairs(evaluation: PairsEvaluation) -> list[str]:
    """Scores of given pairs, in total and by group, the sources that cannot be read, and the worst mistakes.

    Parameters
    ----------
    evaluation : PairsEvaluation

    Returns
    -------
    list of str
    """
    lines = [*_table({"pairs": evaluation.score}, "pairs", evaluation.breakdowns)]
    lines += _metrics("pairs", evaluation.measures)
    if evaluation.overlap is None:
        known = "how many of the sources had been trained on is not known: the run's data cannot be made again"
    else:
        known = f"{evaluation.overlap:.1%} of the sources had been trained on"
    lines += ["", known]
    if evaluation.unreadable:
        sources = f"{evaluation.unreadable} of {evaluation.score.n} sources"
        lines.append(f"{sources} cannot be read and count as answered wrongly:")
        lines += [f"  {problem}" for problem in evaluation.problems]
    return [*lines, *_mistakes(evaluation.mistakes)]


def report_of_text(evaluation: TextEvaluation) -> list[str]:
    """Scores of each part of a text.

    Parameters
    ----------
    evaluation : TextEvaluation

    Returns
    -------
    list of str
    """
    parts = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    return [
        f"{name}, {part.n} characters between {part.begin} and {part.end} of the text: "
        f"{part.nats:.4f} nats ({part.bits:.4f} bits) a character, {part.accuracy:.1%} right"
        for name, part in parts.items()
    ]


def _table(rows: Mapping[str, Score], name: str, breakdowns: Mapping[str, Mapping[str, Score]]) -> Iterator[str]:
    """A table of scores, followed by the scores by group of the row called `name`."""
    for group, scores in breakdowns.items():
        rows = {**rows, **{f"{name}, {group} {label}": score for label, score in scores.items()}}
    yield f"{'':22}{'n':>7}  exact match  character accuracy"
    for title, score in rows.items():
        yield f"{title:22}{score.n:7}  {score.exact_match:11.4f}  {score.character_accuracy:18.4f}"


def _metrics(name: str, values: Mapping[str, float]) -> Iterator[str]:
    """The further metrics of a task, on the examples called `name`."""
    for metric, value in values.items():
        yield f"{name}: {metric.replace('_', ' ')} {value:.4f}"


def _mistakes(mistakes: Sequence[Mistake]) -> Iterator[str]:
    if mistakes:
        yield ""
        yield "worst mistakes (the model's confidence in its answer):"
    for mistake in mistakes:
        yield f"  {mistake_line(mistake)}"


def mistake_line(mistake: Mistake) -> str:
    """A line with a source, its target and the wrong answer."""
    answered = f"answered {mistake.answer!r} ({mistake.confidence:.0%})"
    return f"{one_line(mistake.source)} -> {one_line(mistake.target)}, {answered}"
