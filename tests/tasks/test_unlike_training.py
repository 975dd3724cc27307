import re

import numpy as np
import pytest

from seq2seq import (
    Addition,
    Arithmetic,
    Calculator,
    Copy,
    Dates,
    LongArithmetic,
    PairsTask,
    Pronunciation,
    Reverse,
    Roman,
    Sort,
    Spelling,
    Text,
)  # fmt: skip
from tests.tasks.own import Double, Greeting, Vowels

PAIRS = [("ab", "x"), ("abba", "xyz"), ("a c", "y"), ("caab", "b")]
WORDS = PairsTask.of([("a cat", "une chat"), ("a small dog", "un")], source_symbols="words", target_symbols="words")
SOUNDS = Pronunciation(given=(("hello", "HH AH0 L OW1"), ("hello", "HH EH0 L OW1"), ("a", "AH0")))
TASKS = [
    Arithmetic(), Arithmetic("+-*/%", terms=(1, 4)), Arithmetic("+-*", mixed=False, signed=True, operands=(0, 12)),
    Arithmetic("+-*/", operands=(0, 99), steps="answer"), Arithmetic("+-", signed=True, steps="call", operands=(5, 11)),
    Arithmetic("+-*", parentheses=True, signed=True, terms=(2, 5), operands=(0, 20)),
    Arithmetic("+-*/", parentheses=True, steps="call", operands=(0, 9)),
    Arithmetic("+-*", operands=(0, 99), steps="call", by_digit=True), Arithmetic("+", terms=1),
    Addition(3), Addition((3, 5), "+-*"), Calculator(), Calculator(3, "-", runs=True),
    LongArithmetic(depth=2, terms=4), Addition((1, 6), "-", close=True), Addition((1, 6), "+-", alike=True),
    Copy(), Copy("ab", (2, 5)), Reverse(),
    Sort("3142", (4, 4)), Dates(), Dates((1000, 9999)), Roman(), Roman((5, 90), "numeral"), Spelling(),
    Spelling((1, 12), "number"), Spelling((2, 3), "number"), Spelling((2, 3)), PairsTask.of(PAIRS), WORDS, SOUNDS,
    Text(given="so that so far"), Double(), Greeting(), Vowels(),
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_what_may_be_trained_on_or_held_out_is_never_marked(task):
    shown = task.shown(task.sample(300, np.random.default_rng(1)))
    assert {task.unlike_training(task.normalise(source)) for source, _ in shown} == {None}
    assert {task.unlike_training(task.normalise(source), longer=True) for source, _ in shown} == {None}


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_whatever_can_be_read_is_marked_or_not(task):
    """Any characters of the vocabulary, in any order."""
    rng = np.random.default_rng(2)
    known = [each for each in task.characters.strip() if task.source_separator or task.alphabet.symbol(each) == each]
    for _ in range(300):
        drawn = rng.choice(known, rng.integers(1, 12))
        source = task.alphabet.show_source("".join(drawn))
        assert isinstance(task.unlike_training(source), (str, type(None)))


@pytest.mark.parametrize(
    "task, source, reason",
    [
        (Arithmetic(), "2*7+8+3", "has 4 terms; trained on 3"),
        (Arithmetic(terms=(2, 3)), "7", "has 1 term; trained on 2 to 3"),
        (Arithmetic(), "11*3+2", "has the number 11; trained on 1 to 10"),
        (Arithmetic(), "0+3+2", "has the number 0; trained on 1 to 10"),
        (Arithmetic(), f"1+2+{'9' * 5000}", r"has the number 9{37}\.\.\.; trained on 1 to 10"),
        (Arithmetic(mixed=False), "3*7+2", "mixes operators; trained on one in each expression"),
        (Arithmetic("+-", signed=True), "-11+3+2", "has the number 11; trained on 1 to 10"),
        (Arithmetic("+/"), "7/2+1", "does not come out whole; trained on those that do"),
        (Arithmetic("+/", operands=(0, 9)), "7/0+1", "does not come out whole; trained on those that do"),
        (Arithmetic(parentheses=True), "(1+2+3)", "has parentheses around all of it, or around others alone; .*"),
        (Arithmetic(parentheses=True), "((1+2))*3", "has parentheses around all of it, or around others alone; .*"),
        (Addition((2, 3)), "1234+12", "has a number that has 4 digits; trained on 2 to 3"),
        (Addition((2, 3)), "12+1", "has a number that has 1 digit; trained on 2 to 3"),
        (Addition((2, 3), "*"), "1234*5", "has a number that has 4 digits; trained on 2 to 3"),
        (Calculator(3), "(1234-5)*6", "has a number that has 4 digits; trained on 1 to 3"),
        (Addition(3, close=True), "12+123", "has numbers that do not begin alike; trained on those that do"),
        (Addition(3, close=True), "12+22", "has numbers that do not begin alike; trained on those that do"),
        (Copy("abc", (2, 4)), "a", "has 1 symbol; trained on 2 to 4"),
        (Reverse("abc", (2, 4)), "abcab", "has 5 symbols; trained on 2 to 4"),
        (Sort("abc", (2, 4)), "abd", "has 'd', which no source that was trained on has"),
        (Dates(), "4 March 1949", "is of the year 1949; trained on 1950 to 2049"),
        (Dates(), "Monday, 4 March 2021", "is not a date in a form that was trained on"),
        (Dates(), "29 February 2021", "is not a date in a form that was trained on"),
        (Dates(), "4 Mar. 2021", "is not a date in a form that was trained on"),
        (Dates(), "20210304567", "is not a date in a form that was trained on"),
        (Dates(), "March", "is not a date in a form that was trained on"),
        (Roman(), "IIII", "is not a numeral from 1 to 3999"),
        (Roman((5, 90), "numeral"), "91", "is not a number from 5 to 90"),
        (Spelling((2, 3)), "1234", "has 4 digits; trained on 2 to 3"),
        (Spelling((2, 3)), "007", "is not a number in the form that was trained on"),
        (Spelling((2, 3), "number"), "five", "has 1 digit; trained on 2 to 3"),
        (Spelling((2, 3), "number"), "five hundred and two", "is not a number in the form that was trained on"),
        (Spelling((2, 3), "number"), "two five", "is not a number in the form that was trained on"),
        (PairsTask.of(PAIRS), "a", "has 1 symbol; trained on 2 to 4"),
        (PairsTask.of(PAIRS), "abx", "has 'x', which no source that was trained on has"),
        (WORDS, "a small une", "has 'une', which no source that was trained on has"),
        (WORDS, "a", "has 1 symbol; trained on 2 to 3"),
        (SOUNDS, "helloo", "has 6 symbols; trained on 1 to 5"),
        (Vowels(), "a", "has 1 symbol; trained on 3"),
        (Double(), "123", "has 3 symbols; trained on 1 to 2"),
    ],
)
def test_what_is_unlike_all_that_may_be_trained_on(task, source, reason):
    marked = task.unlike_training(task.normalise(source))
    assert re.fullmatch(reason, marked), marked


def test_a_step_of_working_out_what_is_trained_on_is_like_it():
    task = Arithmetic("+-*", operands=(0, 9), steps="call")
    steps = task.steps_of(task.sample(200, np.random.default_rng(0)))
    assert {task.unlike_training(source) for source, _ in task.shown(steps)} == {None}
    assert task.unlike_training("10+1-1") and task.unlike_training("82+1")
    assert Arithmetic(steps="call").unlike_training("21+2") is None is not Arithmetic().unlike_training("21+2")


def test_what_is_longer_is_like_it_where_the_rule_is_the_same():
    assert Reverse().unlike_training("a" * 50, longer=True) is None is not Reverse().unlike_training("a" * 50)
    assert Calculator(3).unlike_training("12345*(1-67890)", longer=True) is None
    assert Addition(3).unlike_training("12345+1", longer=True) is None is not Addition(3).unlike_training("12345+1")
    assert (
        Addition((3, 4)).unlike_training("12345+1", longer=True) == "has a number that has 1 digit; trained on 3 to 4"
    )
    assert Arithmetic().unlike_training("1+1+1+1", longer=True) == "has 4 terms; trained on 3"
