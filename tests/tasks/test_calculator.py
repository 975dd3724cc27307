import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Addition, Calculator, LongArithmetic, SourceError
from seq2seq.decoding import Answer
from seq2seq.decoding.stepwise import work_out
from seq2seq.tasks.stepwise import StepwiseTask, in_place, stepwise

TASK = Calculator()
PRIMITIVE = re.compile(r"[0-9]+[-+][0-9]+|[0-9]+\*[0-9]")
NUMBERS = st.integers(0, 10**30).map(str)
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-({})".format),
    ),
    max_leaves=12,
)


def right(questions):
    """Answers what a network is asked, and nothing but sums, differences and products with one digit."""
    assert all(PRIMITIVE.fullmatch(question) for question in questions)
    return [Answer(str(eval(re.sub(r"\b0+\B", "", question))), 0.999) for question in questions]


def worked(source, ask=right):
    [working] = work_out(TASK, ask, [TASK.normalise(source)])
    return working


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_expressions_have_the_values_of_python(source):
    try:
        value = str(eval(source))
    except ZeroDivisionError:
        value = None
    answer = worked(source).answer
    assert answer.text == value if value else "a division by 0 has no answer" in str(answer)


@pytest.mark.parametrize("source, value", [("1000/8", "125"), ("-12/4", "-3"), ("0/5", "0"), ("(7-2)*13/5", "13")])
def test_a_division_that_comes_out(source, value):
    assert worked(source).answer.text == value


@pytest.mark.parametrize(
    "source, problem",
    [
        ("1000/7", "'1000/7' does not come out; // gives the quotient, % the remainder"),
        ("5//(3-3)", "'5//0': a division by 0 has no answer"),
        ("5%0", "'5%0': a division by 0 has no answer"),
        ("-5/0", "'-5/0': a division by 0 has no answer"),
    ],
)
def test_what_has_no_answer_says_why(source, problem):
    assert str(worked(source).answer) == problem


def test_long_multiplication_as_on_paper():
    assert worked("123*405").steps == [
        "123 * 405 = 49815",
        "      123\n    * 405\n    -----\n      615\n    492\n    -----\n    49815",
        "123*405 = 49815",
    ]
    assert worked("7*-8").steps == ["7 * (-8) = -56", "7*-8 = -56"]


def test_long_division_as_on_paper():
    heading, paper, end = worked("1000//8").steps
    assert (heading, end) == ("1000 // 8 = 125", "1000//8 = 125")
    assert paper.splitlines() == [
        "         125",
        "        ----",
        "    8 ) 1000",
        "         8",
        "        --",
        "         20",
        "         16",
        "         --",
        "          40",
        "          40",
        "          --",
        "           0",
    ]
    assert worked("-7%2").steps[0] == "-7 % 2 = 1"
    assert worked("-7//2").steps[2] == "    rounded down: 3 + 1 = 4, 2 - 1 = 1"


@pytest.mark.parametrize("source", ["999*999", "999//1", "998//7", "(123+456)*789-12", "-987%654"])
def test_the_working_with_three_digits_fits_a_screen(source):
    lines = "\n".join(worked(source).steps).splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


def test_the_confidence_is_that_of_all_calls():
    working = worked("12*34")
    assert working.calls == ["12*3", "12*4", "36+4"]
    assert working.answer.confidence == pytest.approx(0.999**3)


def test_no_digit_is_written_but_by_the_network():
    """With other digits in all its answers, those of the working are other digits too."""
    other = str.maketrans("0123456789", "9876543210")

    def wrong(questions):
        return [Answer(answer.text.translate(other), 1.0) for answer in right(questions)]

    task = LongArithmetic("+-*", terms=(2, 4), digits=(2, 4))
    for source, target in task.shown(task.sample(200, np.random.default_rng(0))):
        assert worked(source, wrong).answer.text != target


@pytest.mark.parametrize("question, said", [("24-56", "32"), ("24-63", "39"), ("54-7", "-47"), ("54-35", "-19")])
def test_in_a_long_division_a_wrong_sign_is_outvoted(question, said):
    """Of 24, three multiples of 7 can be subtracted, and of 54 seven."""

    def mistaken(questions):
        answers = zip(questions, right(questions))
        return [answer._replace(text=said) if asked == question else answer for asked, answer in answers]

    assert worked("244//7", mistaken).answer.text == str(244 // 7)
    assert worked("546//7", mistaken).answer.text == str(546 // 7)


@pytest.mark.parametrize("said", ["", "1-2", "-5", "x"])
def test_an_answer_that_is_no_number_ends_the_working_as_a_wrong_answer(said):
    working = worked("12*34+5", lambda questions: [Answer(said, 0.5) for _ in questions])
    assert working.answer == (said, 0.25)
    assert working.steps == [f"12*3 = {said!r}, which is not a number"]


def test_what_is_drawn_and_learned_are_single_steps():
    assert isinstance(stepwise(TASK), StepwiseTask) and not in_place(TASK)
    pairs = TASK.sample(100, np.random.default_rng(0))
    assert TASK.steps_of(pairs) is pairs
    assert all(PRIMITIVE.fullmatch(source.strip()) for source in pairs.sources.tolist())
    same = Addition(20, "+-*").sample(100, np.random.default_rng(0))
    assert (pairs.sources == same.sources).all()


def test_a_question_longer_than_the_model_reads_is_said():
    [working] = work_out(TASK, right, ["12345*67"], longest=6)
    assert isinstance(working.answer, SourceError)
    assert str(working.answer) == "leads to '12345*6', which has 7 characters, but this run reads 6"
