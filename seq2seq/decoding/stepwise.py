"""Answers worked out in steps: the model is asked again with its answer until the answer no longer changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from seq2seq.decoding.base import Answer
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.stepwise import StepwiseTask

Ask = Callable[[list[str]], Sequence[Answer]]


def work_out(task: StepwiseTask, ask: Ask, sources: Sequence[str], longest: int | None = None) -> list[list[Answer]]:
    """Work out the answers in steps: `3*7+2` is asked, then `21+2`, then `23`, which does not change.

    For a long source the model is asked only the head that a step of the task reads, which is no longer than a training
    source; the rest waits. So the number of terms is not limited by that in the training examples.

    Parameters
    ----------
    task : StepwiseTask
        Its `head` defines where the head ends.
    ask : callable
        From sources to their answers.
    sources : sequence of str
    longest : int, optional
        Maximum number of characters that the model reads; longer heads are left unchanged.

    Returns
    -------
    list of list of Answer
        For each source, the result of each step with the confidence of that step. The last step changes nothing, unless
        the source became too long, or there were more than two steps per character of the source, which no correct
        calculation needs.
    """
    steps: list[list[Answer]] = [[] for _ in sources]
    left = list(sources)
    asked = list(range(len(sources)))
    for _ in range(2 * max(map(len, sources), default=0)):
        heads = {row: task.head(left[row]) for row in asked}
        asked = [row for row in asked if longest is None or heads[row] <= longest]
        if not asked:
            break
        cuts = [heads[row] for row in asked]
        answers = ask([left[row][:cut] for row, cut in zip(asked, cuts)])
        unfinished = []
        for row, cut, answer in zip(asked, cuts, answers):
            text = answer.text.replace(PAD, "") + left[row][cut:]
            steps[row].append(Answer(text, answer.confidence))
            if text not in ("", left[row]):
                unfinished.append(row)
            left[row] = text
        asked = unfinished
    return steps
