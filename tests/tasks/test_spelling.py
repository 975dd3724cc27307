import numpy as np
import pytest

from seq2seq import Spelling, UsageError
from seq2seq.tasks.spelling import words


@pytest.mark.parametrize(
    "number, expected",
    [
        (0, "zero"), (7, "seven"), (13, "thirteen"), (20, "twenty"), (42, "forty-two"), (100, "one hundred"),
        (215, "two hundred fifteen"), (1000, "one thousand"), (1001, "one thousand one"),
        (342_019, "three hundred forty-two thousand nineteen"),
        (7_000_300_080, "seven billion three hundred thousand eighty"),
    ],
)  # fmt: skip
def test_words(number, expected):
    assert words(number) == expected


def test_no_two_numbers_are_spelt_alike():
    assert len({words(number) for number in range(20_000)}) == 20_000


def test_both_ways_with_every_count_of_digits():
    for to in ("words", "number"):
        task = Spelling((2, 4), to)
        pairs = task.shown(task.sample(2000, np.random.default_rng(0)))
        numbers = [source if to == "words" else target for source, target in pairs]
        assert np.bincount(list(map(len, numbers)))[2:] == pytest.approx(667, rel=0.15)
        assert all({source, target} == {number, words(int(number))} for number, (source, target) in zip(numbers, pairs))


@pytest.mark.parametrize("digits, count", [((1, 1), 10), ((1, 2), 100), ((2, 4), 9990), ((5, 5), 90_000)])
def test_all_of_them_and_the_longest(digits, count):
    task = Spelling(digits)
    pairs = task.shown(task.list())
    assert len(dict(pairs)) == len(pairs) == task.count == count
    assert (task.source_length, task.target_length) == tuple(max(map(len, side)) for side in zip(*pairs))
    assert Spelling(digits, "number").source_length == task.target_length


@pytest.mark.parametrize("options", [{"digits": (0, 3)}, {"digits": (1, 13)}, {"to": "roman"}])
def test_options_that_are_refused(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))}: got"):
        Spelling(**options)
