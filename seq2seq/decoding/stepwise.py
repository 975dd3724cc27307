"""Answers worked out in steps: the questions that wait in the workings of all sources are asked together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from seq2seq.decoding.base import Answer
from seq2seq.errors import SourceError, short
from seq2seq.tasks.stepwise import StepwiseTask, TooLong

Ask = Callable[[list[str]], Sequence[Answer]]


class Worked:
    """The working of one source, which goes on until there are no more questions.

    Attributes
    ----------
    steps : list of str
        The working as people write it.
    calls : list of str
        What the model was asked, and what it was not because it is too long for it.
    questions : list of str
        What the model is to be asked next.
    answer : Answer or SourceError
        The answer, with the product of the confidences of all calls; or the reason why there is none.
    """

    answer: Answer | SourceError

    def __init__(self, task: StepwiseTask, source: str) -> None:
        self.steps: list[str] = []
        self.calls: list[str] = []
        self.questions: list[str] = []
        self._confidence = 1.0
        self._working = task.working(source, self.steps)
        self._go_on(lambda: next(self._working))

    def receive(self, answers: Sequence[Answer]) -> None:
        """Continue with the answers to the questions."""
        self.calls += self.questions
        for answer in answers:
            self._confidence *= answer.confidence
        self._go_on(lambda: self._working.send([answer.text for answer in answers]))

    def stop(self, question: str, longest: int) -> None:
        """Continue without an answer to a question that the model cannot read."""
        self.calls.append(question)
        problem = f"leads to {short(question)}, which has {len(question)} characters, but this run reads {longest}"
        self._go_on(lambda: self._working.throw(TooLong(problem)))

    def _go_on(self, step: Callable[[], list[str]]) -> None:
        try:
            self.questions = step()
        except StopIteration as end:
            self.questions = []
            self.answer = Answer(end.value, self._confidence)
        except SourceError as problem:
            self.questions = []
            self.answer = problem


def work_out(task: StepwiseTask, ask: Ask, sources: Sequence[str], longest: int | None = None) -> list[Worked]:
    """Work out the answers to several sources, and ask the model the same question once at a time.

    Parameters
    ----------
    task : StepwiseTask
        Its `working` says what is asked, and what follows from the answers.
    ask : callable
        From questions to their answers.
    sources : sequence of str
    longest : int, optional
        Maximum number of characters that the model reads.

    Returns
    -------
    list of Worked
        For each source.
    """
    workings = [Worked(task, source) for source in sources]
    while True:
        for working in workings:
            while longest is not None and (long := max(working.questions, key=len, default="")) and len(long) > longest:
                working.stop(long, longest)
        waiting = [working for working in workings if working.questions]
        if not waiting:
            return workings
        questions = [*dict.fromkeys(question for working in waiting for question in working.questions)]
        answers = dict(zip(questions, ask(questions)))
        for working in waiting:
            working.receive([answers[question] for question in working.questions])
