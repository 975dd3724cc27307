import numpy as np
import pytest

from seq2seq import Arithmetic
from seq2seq.decoding import Answer, work_out
from seq2seq.tasks.expressions.steps import next_step
from seq2seq.tasks.expressions.strings import read, write

TASK = Arithmetic("+-*", terms=(1, 3), operands=(0, 99), steps="call")


class Right:
    """Takes a right step, in its place, and notes what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, sources):
        self.asked.append(list(sources))
        steps = [str(write(next_step(read(np.array([source])), 99), 40)[0]).strip() for source in sources]
        return [Answer(step.replace("+", " +"), 0.5) for step in steps]


def steps(worked):
    return [each.steps for each in worked]


def test_it_asks_again_until_the_answer_is_a_number():
    ask = Right()
    worked = work_out(TASK, ask, ["3*7+2", "4", "5-7"])
    assert steps(worked) == [["21+2", "23"], ["4"], ["-2"]]
    assert ask.asked == [["3*7+2", "4", "5-7"], ["21+2"]]
    assert [each.answer for each in worked] == [("23", 0.5**2), ("4", 0.5), ("-2", 0.5)]
    assert worked[0].calls == ["3*7+2", "21+2"]


def test_the_same_question_is_asked_once_at_a_time():
    ask = Right()
    worked = work_out(TASK, ask, ["1+1+1", "1+1+1", "3-1+1"])
    assert ask.asked == [["1+1+1", "3-1+1"], ["2+1"]] and {each.answer for each in worked} == {("3", 0.25)}


@pytest.mark.parametrize("source, value", [("1+2*3-4*5+6*7*2-9", "62"), ("1-2-3-4-5-6-7-8-9-10", "-53")])
def test_of_a_long_source_it_asks_no_more_than_a_step_needs(source, value):
    ask = Right()
    [worked] = work_out(TASK, ask, [source])
    assert worked.answer.text == worked.steps[-1] == value
    assert len(worked.steps) == source.count("+") + source.count("-") + source.count("*")
    assert all(sum(map(head.lstrip("-").count, "+-*")) <= 2 for heads in ask.asked for head in heads)


def test_what_never_settles_or_says_nothing_ends():
    calls = []

    def restless(sources):
        calls.append(len(sources))
        return [Answer({"1+1": "2+2", "2+2": "1+1"}.get(source, ""), 1.0) for source in sources]

    assert steps(work_out(TASK, restless, ["1+1", "7+7"])) == [["2+2", "1+1"] * 3, [""]]
    assert calls == [2, 1, 1, 1, 1, 1]
    assert work_out(TASK, restless, []) == []


def test_what_becomes_too_long_to_read_is_left():
    worked = work_out(TASK, lambda heads: [Answer(head + "0", 1.0) for head in heads], ["1+2", "7"], longest=4)
    assert steps(worked) == [["1+20", "1+200"], ["70"]]
    assert [each.answer.text for each in worked] == ["1+200", "70"]
