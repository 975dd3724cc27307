from itertools import product

import numpy as np
import pytest

from seq2seq import Arithmetic, UsageError
from seq2seq.tasks.expressions import space
from tests.tasks.by_hand import value


def whole(sources):
    """Those of these expressions that have a value."""
    for source in sources:
        try:
            value(source)
        except ArithmeticError:
            continue
        yield source


def written(operators, terms, low, high):
    """All expressions without parentheses."""
    numbers = [str(number) for number in range(low, high + 1)]
    return map("".join, product(numbers, *[operators, numbers] * (terms - 1)))


def stripped(pairs):
    return [source.strip() for source in pairs.sources.tolist()]


@pytest.mark.parametrize(
    "operators, terms, low, high", [("/", 3, 0, 5), ("%", 3, 0, 4), ("+-*/%", 3, 0, 3), ("+/", 2, 3, 9)]
)
def test_expressions_with_divisions_are_those_that_come_out_whole(operators, terms, low, high):
    task = Arithmetic(operators, terms, (low, high))
    expected = list(whole(written(operators, terms, low, high)))
    assert task.count == len(expected) < len(list(written(operators, terms, low, high)))
    assert sorted(stripped(task.list())) == sorted(expected)
    drawn = stripped(task.sample_distinct(task.count, np.random.default_rng(0)))
    assert sorted(drawn) == sorted(expected)
    with pytest.raises(
        UsageError, match=f"n: got {task.count + 1}, but it must be a whole number from 0 to {task.count}"
    ):
        task.sample_distinct(task.count + 1, np.random.default_rng(0))


@pytest.mark.parametrize("limit", [10**7, 10])
def test_each_expression_that_comes_out_whole_is_drawn_as_often(monkeypatch, limit):
    monkeypatch.setattr(space, "LIST_LIMIT", limit)
    task = Arithmetic("/%", 2, (0, 6))
    drawn = stripped(task.sample(20_000, np.random.default_rng(0)))
    expected = set(whole(written("/%", 2, 0, 6)))
    assert set(drawn) == expected
    each = 20_000 / len(expected)
    assert all(abs(drawn.count(source) - each) < 5 * each**0.5 for source in expected)


def test_where_not_all_are_tried_they_are_found_by_drawing_or_not_at_all(monkeypatch):
    monkeypatch.setattr(space, "LIST_LIMIT", 1000)
    task = Arithmetic("/", 3, (1, 12))
    expected = set(whole(written("/", 3, 1, 12)))
    assert task.count == 12**3 > len(expected)
    drawn = stripped(task.sample_distinct(len(expected) - 3, np.random.default_rng(0)))
    assert len(set(drawn)) == len(drawn) and set(drawn) < expected
    message = (
        rf"n: 1000 are wanted of the expressions of 3 terms from 1 to 12 with /, but \d+ draws .* {len(expected)} "
    )
    with pytest.raises(UsageError, match=message):
        task.sample_distinct(1000, np.random.default_rng(0))


def test_where_nothing_comes_out_whole():
    task = Arithmetic("/%", 2, (0, 0))
    assert task.count == len(task.list()) == len(task.sample(0, np.random.default_rng(0))) == 0
    with pytest.raises(UsageError, match="operands: of the expressions of 2 terms from 0 to 0 with /% none comes out"):
        task.sample(1, np.random.default_rng(0))


def test_quotients_and_remainders_at_the_edge_of_64_bits_are_exact():
    task = Arithmetic("/%", 3, (2**63 - 3, 2**63 - 1))
    assert {source: int(target) for source, target in zip(*map(np.ndarray.tolist, task.list()))} == {
        source: value(source) for source in whole(written("/%", 3, 2**63 - 3, 2**63 - 1))
    }
