import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Arithmetic
from seq2seq.tasks.expressions.steps import next_step
from seq2seq.tasks.expressions.strings import read, write
from tests.tasks.test_arithmetic import any_tasks


@given(any_tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_reading_is_the_inverse_of_writing(task, seed):
    expressions = task.sample(60, np.random.default_rng(seed)).expressions
    for _ in range(4):  # what is left in the middle of the working too
        sources = write(expressions, task.source_length)
        again = read(sources)
        terms = again.numbers.shape[1]
        assert (again.numbers == expressions.numbers[:, :terms]).all() and not expressions.numbers[:, terms:].any()
        assert (again.operators == expressions.operators[:, :terms]).all()
        if again.nested:
            assert (again.nesting == expressions.nesting[:, :terms]).all()
        else:
            assert not expressions.nesting.any()
        expressions = next_step(expressions, task.operands[1])


def test_depth_is_how_many_parentheses_are_open_at_once():
    task = Arithmetic("+-*", (1, 5), (0, 9), parentheses=True)
    sources = np.array(["7", "1+2", "(1+2)*3", "(1+2)*(3-4)", "1*((2+3)*4-(5-6))"])
    assert task.breakdowns["depth"](sources).tolist() == ["0", "0", "1", "1", "2"]
    assert task.breakdowns["operator"](sources).tolist() == ["none", "+", "+*", "+-*", "+-*"]
    assert "depth" not in Arithmetic().breakdowns


@pytest.mark.parametrize("source", ["(3+4", "3+4)", "3)+(4", "(3)+4", "(-3)+4", "3+((4))", "((3))", "(3+4)*(5"])
def test_parentheses_that_are_not_of_the_form(source):
    with pytest.raises(ValueError, match="each parenthesis needs its other half, and two terms or more between"):
        Arithmetic("+*", signed=True, parentheses=True).normalise(source)


@pytest.mark.parametrize("source", ["()", "3(4+5)", "(3+4)5", "(+3)", "3+()", "3*-4", "3*(-4)", "(3+4", "2*(-4+3)"])
def test_what_is_no_expression_with_parentheses(source):
    options = {"parentheses": source != "(3+4"}
    with pytest.raises(ValueError, match=r"is not an expression of whole numbers and \+\*"):
        Arithmetic("+*", **options).normalise(source)


def test_parentheses_and_a_sign_that_are_of_the_form():
    task = Arithmetic("+*", signed=True, parentheses=True)
    for source in ("(-3+4)*2", "-3*(4+5)", "((1+2)*3+4)*5", " ( 3 + 4 ) ", "((3+4)*(5+6))"):
        assert task.normalise(source) == source.replace(" ", "")
