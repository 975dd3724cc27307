import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Addition, SourceError, UsageError

OPERATORS = st.sampled_from(["+", "-", "+-", "*", "+-*"])
RANGES = st.tuples(st.integers(1, 25), st.integers(0, 15)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def value(source):
    operator = next(each for each in "+-*" if each in source)
    first, _, second = source.partition(operator)
    if operator == "*":
        return int(first) * int(second)
    return int(first) + int(second) if operator == "+" else int(first) - int(second)


@given(RANGES, OPERATORS, st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_values_widths_and_digits_are_right(digits, operators, runs, seed):
    task = Addition(digits, operators, runs=runs)
    sources, targets = task.sample(300, np.random.default_rng(seed))
    for source, target in zip(sources.tolist(), targets.tolist()):
        assert len(source) == task.source_length and len(target) == task.target_length
        source, target = source.strip(), target.strip()
        assert int(target) == value(source) and task.normalise(source) == source
        assert str(int(target)) == target
        numbers = re.split(r"[-+]|\*.$", source)
        for number in numbers[:1] if "*" in source else numbers:
            assert digits[0] <= len(number) <= digits[1] and str(int(number)) == number


def test_close_numbers_begin_alike():
    sources, targets = Addition((1, 8), "-", close=True).sample(40_000, np.random.default_rng(0))
    shared = np.zeros((9, 9))
    for source, target in zip(map(str.strip, sources.tolist()), map(str.strip, targets.tolist())):
        first, _, second = source.partition("-")
        assert len(first) == len(second) and first[0] == second[0] and int(target) == value(source)
        same = next((place for place, (a, b) in enumerate(zip(first, second)) if a != b), len(first))
        shared[len(first), same] += 1
    # One of ten numbers that are drawn anew has the next digit too, by chance.
    assert shared[8, 1:8] / shared[8].sum() == pytest.approx([0.9 / 8] + [0.1125 + 0.0125] * 6, abs=0.02)


def test_runs_are_digits_that_repeat_and_carry_far():
    def repeated(task):
        sources, _ = task.sample(4000, np.random.default_rng(0))
        numbers = [number for source in sources.tolist() for number in source.strip().split("+")]
        return np.mean([a == b for number in numbers for a, b in zip(number, number[1:])])

    assert repeated(Addition((8, 8))) == pytest.approx(0.1, abs=0.01)
    assert 0.5 < repeated(Addition((8, 8), runs=True)) < 0.7
    close = Addition((8, 8), "-", close=True, runs=True).sample(100, np.random.default_rng(0)).sources.tolist()
    assert all(source.strip()[0] == source.strip()[9] for source in close)


def test_alike_numbers_share_digits_through_which_a_difference_borrows():
    sources, targets = Addition((6, 6), "-", alike=True).sample(20_000, np.random.default_rng(0))
    pairs = [source.strip().split("-") for source in sources.tolist()]
    assert [int(a) - int(b) for a, b in pairs] == [int(target) for target in targets.tolist()]
    shared = [sum(x == y for x, y in zip(a[1:], b[1:])) for a, b in pairs if len(b) == 6]
    # The share of equal digits is uniform, and one of ten digits that are drawn anew is equal by chance.
    assert np.mean(shared) == pytest.approx(5 * (0.5 + 0.5 * 0.1), rel=0.02)
    assert min(np.bincount(shared)) > 1000
    assert np.mean([a[2:5] == b[2:5] and a[5] < b[5] for a, b in pairs]) > 0.015  # 0.0005 of numbers drawn apart


def test_numbers_around_a_round_number():
    sources, targets = Addition(6, "-", around=True).sample(2000, np.random.default_rng(0))
    pairs = [source.strip() for source in sources.tolist()]
    assert [value(pair) for pair in pairs] == [int(target) for target in targets.tolist()]
    longer = [abs(len(first) - len(second)) for first, _, second in (pair.partition("-") for pair in pairs)]
    near = [abs(int(target)) for target in targets.tolist()]
    assert 0.6 < np.mean(np.array(longer) > 0) < 0.75 and np.mean(np.array(near) < 100) > 0.05
    same = [pair for pair, more in zip(pairs, longer) if not more and abs(value(pair)) < 100 and len(pair) > 6]
    beginnings = {pair[0] + pair[pair.index("-") + 1] for pair in same}
    assert len(same) > 20 and {"11", "34", "99"} <= beginnings  # 1197-1205, 3996-4011
    assert {target.strip().startswith("-") for target in targets.tolist()} == {True, False}
    assert (
        len(set(Addition(2, "-", around=True).sample_distinct(4999, np.random.default_rng(0)).sources.tolist())) == 4999
    )


@pytest.mark.parametrize(
    "digits, operators, close",
    [(1, "+", False), ((2, 2), "-", True), ((1, 2), "+-", True), ((1, 2), "+-", False), ((1, 2), "+-*", False)],
)
def test_list_is_all_of_them_each_once(digits, operators, close):
    task = Addition(digits, operators, close)
    if close:
        drawn = task.sample(100_000, np.random.default_rng(0))
        assert set(drawn.sources.tolist()) == set(task.list().sources.tolist())
    sources, targets = task.list()
    assert len(set(sources.tolist())) == len(sources) == task.count
    assert all(int(target) == value(source.strip()) for source, target in zip(sources.tolist(), targets.tolist()))


def test_every_count_of_digits_is_as_likely():
    sources, _ = Addition((1, 4)).sample(20_000, np.random.default_rng(0))
    lengths = [len(number) for source in sources.tolist() for number in source.strip().split("+")]
    assert np.bincount(lengths, minlength=5)[1:] == pytest.approx(10_000, rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 150, 200])
def test_distinct_ones(n):
    sources, _ = Addition(1, "+-").sample_distinct(n, np.random.default_rng(0))
    assert len(sources) == len(set(sources.tolist())) == n


def test_the_commutative_key_ignores_the_order_of_a_sum_alone():
    task = Addition(3, "+-")
    keys = task.key(np.array(["12+345", "345+12", "12-345", "345-12", "12+346", "99+88", "88+99"]), "commutative")
    same = keys[:, None] == keys
    expected = np.eye(7, dtype=bool)
    expected[[0, 1, 5, 6], [1, 0, 6, 5]] = True
    assert (same == expected).all()


def test_the_commutative_key_ignores_the_order_of_a_product_of_digits():
    keys = Addition(3, "*").key(np.array(["3*7", "7*3", "37*3", "73*3"]), "commutative").tolist()
    assert keys[0] == keys[1] and len({*keys}) == 3


@pytest.mark.parametrize("source", ["12*34", "1*10"])
def test_a_product_is_with_one_digit(source):
    with pytest.raises(SourceError, match="the second factor must have one digit"):
        Addition(3, "+*").normalise(source)
    assert Addition(3, "+*").normalise(" 34 * 5") == "34*5"


@pytest.mark.parametrize("source", ["12", "1+2+3", "-1+2", "01+2", "1*2", "+", "1+", "١+٢"])
def test_what_it_cannot_read(source):
    with pytest.raises(SourceError, match="is not two whole numbers with"):
        Addition(3, "+-").normalise(source)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"digits": 0}, "digits: got 0, but it must be a whole number from 1 to 10000, or a pair"),
        ({"digits": (3, 2)}, r"digits: got \(3, 2\)"),
        ({"digits": "3"}, "digits: got '3'"),
        ({"digits": (1, 10_001)}, "digits"),
        ({"operators": "/"}, r"operators: got '/', but it must be one or more of \+ - \*, each once"),
        ({"operators": "++"}, "operators"),
        ({"operators": ""}, "operators"),
        ({"operators": 3}, "operators"),
        ({"operators": "-*", "close": True}, r"close: got True, but it must be false with the operator \*"),
        ({"operators": "+*", "alike": True}, r"alike: got True, but it must be false with the operator \*"),
        ({"runs": 1}, "runs: got 1"),
        ({"alike": None}, "alike: got None"),
        ({"digits": (2, 3), "around": True}, "around: got True, but it must be false with close, or without numbers"),
        ({"close": True, "around": True}, "around: got True"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Addition(**options)


def test_too_many_to_list_or_to_draw():
    with pytest.raises(UsageError, match="list: there are 1000000000000 pairs, more than the 1000000"):
        Addition(6).list()
    with pytest.raises(UsageError, match="n: got 101, but it must be a whole number from 0 to 100"):
        Addition(1).sample_distinct(101, np.random.default_rng(0))
