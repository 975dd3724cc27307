"""The rule of a run that works in steps is enough to ask what the run asks."""

import re

import numpy as np
import pytest

from seq2seq import Arithmetic, Calculator, Reverse
from seq2seq.decoding import Answer, work_out
from seq2seq.exporting.rule import STEPS, rule_of
from tests.tasks.by_hand import any_expression

PROGRAM: dict = {}
exec(STEPS, PROGRAM)
SIGNS = [*"0123456789+-*/%()"]


@pytest.mark.parametrize("options", [
    {"operators": "+"}, {"operators": "+-*"}, {"operators": "+-*", "signed": True, "operands": (0, 99)},
    {"operators": "+-*/%", "operands": (0, 9)}, {"operators": "/", "terms": 2}, {"operators": "*", "by_digit": True},
    {"operators": "+-*", "by_digit": True}, {"operators": "+-*", "parentheses": True},
    {"operators": "+*", "signed": True},
])  # fmt: skip
def test_it_asks_what_the_task_asks_and_ends_with_it(options):
    task = Arithmetic(**{"terms": 3, "operands": (1, 10), "steps": "call", **options})
    rng = np.random.default_rng(0)
    for _ in range(300):
        source = any_expression(task, rng)
        answers = {}

        def ask(question, answers=answers):
            """A stub of a network: the value, or now and then something else of the task's characters."""
            if question not in answers:
                shown = [*task.characters.strip()]
                wrong = "".join(rng.choice(shown, rng.integers(0, len(question) + 1)))
                answers[question] = _one_step(question) if rng.random() < 0.8 else wrong
            return answers[question]

        [worked] = work_out(task, lambda questions: [Answer(ask(each), 1.0) for each in questions], [source])
        asked = []

        def noted(question, ask=ask, asked=asked):
            asked.append(question)
            return ask(question)

        found = PROGRAM["work"](source, noted, rule_of(task))
        assert (asked, found) == (worked.calls, worked.answer.text)


def _one_step(question):
    """The first two numbers of a question replaced by some number."""
    return re.sub("[0-9]+[-+*/%][0-9]+", lambda match: str(len(match[0]) * 7), question, count=1)


def test_other_runs_have_none():
    assert rule_of(Arithmetic("+", terms=2, operands=(0, 9))) is None
    assert rule_of(Reverse(length=(1, 4))) is None
    assert rule_of(Calculator()) == {"kind": "columns"}
