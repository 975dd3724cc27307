import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Arithmetic, UsageError
from seq2seq.decoding.base import Answer
from seq2seq.decoding.stepwise import work_out
from seq2seq.tasks.expressions.steps import write_step, write_step_by_digit
from seq2seq.tasks.expressions.strings import read
from tests.tasks.by_hand import next_step, next_step_by_digit, value
from tests.tasks.test_arithmetic import any_tasks


@given(any_tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_steps_are_those_of_working_it_out(task, seed):
    task = replace(task, steps="call")
    drawn = task.sample(50, np.random.default_rng(seed))
    steps = task.steps_of(drawn)
    said = dict(zip(steps.sources.tolist(), steps.targets.tolist()))
    assert len(said) == len(steps)
    assert all(target == next_step(source, task.operands[1]) for source, target in said.items())
    left = set(said)
    for source, answer in zip(*map(np.ndarray.tolist, drawn)):
        source = source.strip()
        for _ in range(20):
            part = task.head(source)
            head = source[part].rjust(task.step_length)
            left.discard(head)
            source, before = source[: part.start] + said[head].replace(" ", "") + source[part.stop :], source
            if source == before:
                break
        assert source == answer.strip()
    assert not left  # nothing but these


@pytest.mark.parametrize(
    "operators, terms", [("+", 2), ("+-", 2), ("/%", 2), ("*", 3), ("*%", 3), ("+*", 3), ("-%", 3), ("+-*/%", 3)]
)
def test_the_head_is_all_that_a_step_needs(operators, terms):
    task = Arithmetic(operators, terms=8, operands=(0, 99), steps="call")
    for source in task.sample(200, np.random.default_rng(0)).sources.tolist():
        source = source.strip()
        cut = task.head(source).stop
        assert len(re.findall(r"\d+", source[:cut])) == terms
        assert next_step(source, 99) == next_step(source[:cut], 99) + source[cut:]


@pytest.mark.parametrize(
    "source, target",
    [("8*8*7", "8* 56"), ("7*7*8", "8* 49"), ("7*8*7", "8* 49"), ("9*10*10-2", "10*  90-2"), ("8+8*7", "8+ 56"),
     ("8/4*7", "  2*7"), ("8*7/4", " 56/4"), ("2+3*4*5", "2+ 12*5"), ("2*3*4*5", "4*  6*5"), ("-8*8*9", "-8* 72"),
     ("0*10*0", "10*  0"), ("0*0*0", "0*  0")]
)  # fmt: skip
def test_of_three_factors_the_largest_is_left_for_last(source, target):
    assert write_step(read(np.array([source])), len(source), most=10).tolist() == [target]


@pytest.mark.parametrize(
    "source, head, target",
    [("12*8*7", "12*8", "  96"), ("8*12*7", "8*12", "  96"), ("12*8+7", "12*8", "  96"), ("12+8+7", "12+8", "  20"),
     ("8+12+7", "8+12", "  20"), ("12+8*7", "8*7+3", " 56+3"), ("8+12*7", "12*7", "  84"),
     ("12+8*7*5", "8*7*5", "8* 35"), ("12+18*7*5", "18*7", " 126"), ("8*7*12", "8*7*12", "12* 56"),
     ("10*8*7", "10*8*7", "10* 56"), ("10+8*7", "10+8*7", "10+ 56"), ("10+8+7", "10+8+7", "  18+7")]
)  # fmt: skip
def test_with_a_result_a_step_reads_no_more_than_it_needs(source, head, target):
    task = Arithmetic(terms=5, operands=(1, 10), steps="call")
    part = task.head(source + "+3")
    assert (source + "+3")[part] == head
    assert write_step(read(np.array([head])), len(head), most=10).tolist() == [target] == [next_step(head, 10)]
    after = source[: part.start] + target + (source + "+3")[part.stop :]
    assert next_step(source + "+3", 10).replace(" ", "") == after.replace(" ", "")


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_no_product_of_many_factors_has_two_large_ones(seed):
    task = Arithmetic("*", terms=8, operands=(1, 10), steps="call")
    for source in task.steps_of(task.sample(50, np.random.default_rng(seed))).sources.tolist():
        assert sorted(map(int, source.split("*")))[:-1] <= [10, 10]


@pytest.mark.parametrize("operators, terms", [("+-", 2), ("+-*/%", 3)])
def test_the_head_of_an_expression_with_parentheses(operators, terms):
    task = Arithmetic(operators, terms=10, operands=(0, 9), steps="call", parentheses=True)
    shorter = 0
    for source in task.sample(500, np.random.default_rng(0)).sources.tolist():
        source = source.strip()
        head = source[task.head(source)]
        outside, after = head, None
        while outside != after:  # each group is one term
            outside, after = re.sub(r"\([^()]*\)", "0", outside), outside
        assert len(re.findall(r"\d+", outside)) == terms or head == source
        assert next_step(source, 9) == next_step(head, 9) + source[len(head) :]
        shorter += head != source
    assert shorter > 50
    assert task.head("3*(-3)-(1").stop == len("3*(-3)-(1") and task.head("-3-4-(5)-6-7").stop < len("-3-4-(5)-6-7")


def test_steps_within_parentheses_are_written_in_their_place():
    task = Arithmetic("+-*", (3, 5), (0, 9), steps="call", parentheses=True)
    steps = {
        "(3+4)*2": "    7*2",
        "7-((4-6)*2)": "7-(   -2*2)",
        "7-(-2*2)": "7-  (-4)",
        "3*(2-5)+1": "3* (-3)+1",
        "3*(-3)+1": "    -9+1",
        "1+3*(-3)": "1+  (-9)",
        "1+(-9)": "    -8",
        "3*(2-5+4)": "3*( -3+4)",
        "2*(3-(1+1))": "2*(3-    2)",
        "2*(3-2)": "2*    1",
        "(1-2-3)*4": "( -1-3)*4",
        "1+2+3*(4+5)": "  3+3*(4+5)",
        "1+2*(4+5)": "1+2*    9",
        "(2*3*4)-5": "(4*  6)-5",
        "(2*3)*4*5": "    6*4*5",
        "2*3*(4-5)": "  6*(4-5)",
        "2*3*(-3)": "2*  (-9)",
    }
    sources = np.array([source.rjust(task.source_length) for source in steps])
    told = write_step(read(sources), task.source_length, most=9).tolist()
    assert told == [target.rjust(task.source_length) for target in steps.values()]
    assert [next_step(source, 9) for source in sources.tolist()] == told


@pytest.mark.parametrize("signed", [False, True])
def test_all_steps_with_parentheses_fit_in_their_place(signed):
    task = Arithmetic("+-*/%", 3, (0, 11), signed=signed, steps="call", parentheses=True)
    sources, targets = task.steps_of(task.list())
    assert all(len(target) == task.target_length == task.source_length for target in targets.tolist())
    assert targets.tolist() == [next_step(source, 11) for source in sources.tolist()]


def test_right_steps_lead_to_the_value():
    task = Arithmetic("+-*/%", (1, 9), operands=(0, 99), steps="call", parentheses=True)
    sources, targets = (list(map(str.strip, part.tolist())) for part in task.sample(300, np.random.default_rng(0)))
    worked_out = work_out(task, lambda asked: [Answer(next_step(source, 99), 1.0) for source in asked], sources)
    assert [each.answer.text for each in worked_out] == targets
    assert max(len(each.calls) for each in worked_out) == 8  # one for each operator: a number is not asked
    assert [str(value(source)) for source in sources] == targets


def test_a_value_never_needs_more_room_than_its_terms():
    task = Arithmetic("+-*/%", terms=2, operands=(0, 130), steps="call")
    sources, targets = task.steps_of(task.list())
    assert all(len(source) == len(target) for source, target in zip(sources.tolist(), targets.tolist()))
    assert all(target == next_step(source, 130) for source, target in zip(sources.tolist(), targets.tolist()))


@given(any_tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_working_in_one_answer(task, seed):
    task = replace(task, steps="answer")
    sources, targets = task.sample(50, np.random.default_rng(seed))
    for source, target in zip(sources.tolist(), targets.tolist()):
        steps, written = [source.strip()], target.strip().split("=")
        while (after := next_step(steps[-1], task.operands[1]).replace(" ", "")) != steps[-1]:
            steps.append(after)
        assert written == (steps[1:] or steps) and len(target) == task.target_length
        assert task.final(target.strip()) == str(value(source))


def test_steps_that_are_refused():
    with pytest.raises(UsageError, match="steps: got 'some', but it must be one of none, answer, call"):
        Arithmetic(steps="some")


@pytest.mark.parametrize(
    "options", [{}, {"signed": True}, {"terms": (1, 5), "operands": (0, 20)}, {"operators": "*", "operands": (0, 999)},
                {"mixed": False}]
)  # fmt: skip
def test_steps_by_digit_are_those_of_long_multiplication(options):
    task = Arithmetic(**{"operators": "+-*", "terms": 3, "operands": (0, 99), **options}, steps="call", by_digit=True)
    drawn = task.sample(2000, np.random.default_rng(0))
    steps = task.steps_of(drawn)
    said = {source.strip(): target.strip() for source, target in zip(*map(np.ndarray.tolist, steps))}
    assert len(said) == len(steps)
    left = set(said)
    for source in map(str.strip, drawn.sources.tolist()):
        worth = eval(re.sub(r"\b0+(?=[1-9])", "", source))
        for _ in range(60):
            cut = task.head(source).stop
            left.discard(source[:cut])
            assert said[source[:cut]] + source[cut:] == next_step_by_digit(source)
            source, before = said[source[:cut]] + source[cut:], source
            if source == before:
                break
        assert source == str(worth)
    assert not left


def test_a_product_by_digit():
    assert next_step_by_digit("12*24*3") == "240*3+48*3"
    task = Arithmetic("+-*", terms=3, operands=(0, 99), steps="call", by_digit=True)
    for source in ("12*24*3", "5-12*24", "5-240-48", "99*99*99"):
        [target] = write_step_by_digit(read(np.array([source])), task.target_length)
        assert target.strip() == next_step_by_digit(source)
    assert task.source_length == len("801900+80190+891*99") + 1
    assert task.head("12*24*3*4+5").stop == len("12*24*3*4") and task.head("1+2+3*4").stop == len("1+2+3*4")
