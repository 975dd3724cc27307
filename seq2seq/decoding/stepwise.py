"""Answers worked out a step a call: what the model writes is asked again, until nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from seq2seq.decoding.base import Answer
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.stepwise import StepwiseTask

Ask = Callable[[list[str]], Sequence[Answer]]


def work_out(task: StepwiseTask, ask: Ask, sources: Sequence[str], longest: int | None = None) -> list[list[Answer]]:
    """The steps from each source to its answer: `3*7+2` is asked, then `21+2`, then `23`, which is its own answer.

    Of a long source the model is asked only the head that the task's steps look at, which is no longer than what it was
    trained on; the rest waits. So the number of terms it can work through does not depend on how many it has seen.

    Parameters
    ----------
    task : StepwiseTask
        Says where the head ends.
    ask : callable
        From sources to their answers.
    sources : sequence of str
    longest : int, optional
        The most characters that the model reads; what has become longer is left as it is.

    Returns
    -------
    list of list of Answer
        For each source what each call left, with the confidence of that call. The last of them has changed nothing,
        unless it became too long, or there were more than two calls for each of the source's characters: no right
        working needs as many.
    """
    steps: list[list[Answer]] = [[] for _ in sources]
    left, asked = list(sources), list(range(len(sources)))
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
