import numpy as np
import pytest

from seq2seq import LongArithmetic, UsageError


def drawn(n=300, **options):
    task = LongArithmetic(**options)
    sources = task.sample(n, np.random.default_rng(0)).sources
    assert all(len(source) == task.source_length for source in sources.tolist())
    pairs = task.shown(task.sample(n, np.random.default_rng(0)))
    for source, target in pairs:
        assert str(eval(source)) == target and set(source + target) <= set(task.characters)  # Python's own values
    return pairs


@pytest.mark.parametrize("options", [{}, {"depth": 3, "terms": (2, 10), "digits": (1, 3)}, {"operators": "//%"}])
def test_values_are_those_of_python(options):
    assert len({source for source, _ in drawn(**options)}) > 250


def test_terms_digits_and_depth_are_as_asked():
    pairs = drawn(operators="+-*", terms=(2, 10), digits=(1, 3), depth=3)
    terms = [1 + sum(map(source.count, "+-*")) for source, _ in pairs]
    assert (min(terms), max(terms)) == (2, 10)
    depths = [
        max(source[:place].count("(") - source[:place].count(")") for place in range(len(source)))
        for source, _ in pairs
    ]
    assert set(depths) == {0, 1, 2, 3}
    for source, _ in drawn(operators="//", digits=(12, 12), later_digits=(3, 3)):
        assert [*map(len, source.split("//"))] == [12, 3]
    sizes = [len(source.split("+")[0]) for source, _ in drawn(operators="+", digits=(1, 3))]
    assert sizes.count(3) > 240  # all numbers are as likely


@pytest.mark.parametrize(
    "options, message",
    [
        ({"operators": "/"}, r"operators: got '/', but it must be one or more of \+ - \* // %, each once"),
        ({"operators": "+x"}, "operators: got"),
        ({"operators": "++"}, "operators: got"),
        ({"operators": ""}, "operators: got"),
        ({"terms": 0}, "terms: got 0"),
        ({"digits": (3, 2)}, r"digits: got \(3, 2\)"),
        ({"digits": 4000}, "digits: a value can have 8001 characters, but 4000 are the most"),
        ({"later_digits": "3"}, "later_digits: got '3'"),
        ({"depth": -1}, "depth: got -1"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        LongArithmetic(**options)


def test_a_task_that_only_divides_by_zero_says_so(monkeypatch):
    monkeypatch.setattr("seq2seq.tasks.long_arithmetic._number", lambda *_: "0")
    with pytest.raises(UsageError, match="1000 expressions in a row divide by 0"):
        LongArithmetic(operators="%").sample(1, np.random.default_rng(0))
