from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from seq2seq import Arithmetic, UsageError
from seq2seq.tasks.expressions.levels import nestings
from tests.tasks.expressions.test_space import stripped, whole


def written(operators, terms, high):
    """All expressions: every set of groups of which no two cross, around every choice of numbers and operators."""
    groups = [group for group in combinations(range(terms), 2) if group != (0, terms - 1)]
    subsets = [subset for size in range(len(groups) + 1) for subset in combinations(groups, size)]
    for subset in subsets:
        if any(a < c <= b < d for a, b in subset for c, d in subset):
            continue
        numbers = [
            ["(" * sum(begin == place for begin, _ in subset) + str(n) + ")" * sum(end == place for _, end in subset)
             for n in range(high + 1)]
            for place in range(terms)
        ]  # fmt: skip
        yield from map("".join, product(numbers[0], *(part for more in numbers[1:] for part in (operators, more))))


def all_in_one(source):
    levels = np.cumsum([(character == "(") - (character == ")") for character in source])
    return source[0] == "(" and (levels[:-1] > 0).all()


def test_parentheses_are_set_in_as_many_ways_as_there_are_trees():
    ways = [nestings(terms) for terms in range(1, 11)]
    assert [len(each) for each in ways] == [1, 1, 3, 11, 45, 197, 903, 4279, 20793, 103049]
    assert all(len(np.unique(each, axis=0)) == len(each) for each in ways)
    assert nestings(3).tolist() == [[0, 1, -1], [0, 0, 0], [1, -1, 0]]


@pytest.mark.parametrize(
    "operators, terms, high", [("+", 4, 1), ("-*", 3, 2), ("+-*/%", 3, 2), ("/", 4, 2), ("+", 5, 0)]
)
def test_expressions_with_parentheses_are_all_there_are(operators, terms, high):
    task = Arithmetic(operators, terms, (0, high), parentheses=True)
    expected = list(whole(written(operators, terms, high)))
    assert task.count == len(expected)
    assert sorted(stripped(task.list())) == sorted(expected)
    assert sorted(stripped(task.sample_distinct(task.count, np.random.default_rng(0)))) == sorted(expected)


@pytest.mark.parametrize("draw", [Arithmetic.sample, Arithmetic.sample_distinct])
def test_every_way_to_set_parentheses_is_as_likely(draw):
    sources = stripped(draw(Arithmetic("+", 5, (0, 9), parentheses=True), 22_500, np.random.default_rng(0)))
    found = Counter("".join(" " if character.isdigit() else character for character in source) for source in sources)
    assert len(found) == 45 and all(400 < times < 600 for times in found.values())


def test_what_parentheses_hold_is_two_terms_or_more():
    task = Arithmetic("+-*", (1, 10), (0, 9), parentheses=True)
    for source in stripped(task.sample(500, np.random.default_rng(0))):
        assert task.normalise(source) == source and not (len(source) > 1 and all_in_one(source))
        opened, pairs = [], set()
        for place, character in enumerate(source):
            if character == "(":
                opened.append(place)
            elif character == ")":
                pairs.add((opened.pop(), place))
        assert not {(begin + 1, end - 1) for begin, end in pairs} & pairs
        assert all(set(source[begin:end]) & set("+-*") for begin, end in pairs)


def test_more_terms_than_ways_to_set_parentheses_are_kept_for():
    with pytest.raises(UsageError, match="terms: got 11, but it must be a whole number from 1 to 10 with parentheses"):
        Arithmetic("+", 11, (0, 1), parentheses=True)
    assert Arithmetic("+", 10, (0, 0), parentheses=True).count == 103_049
