import numpy as np
import pytest

from seq2seq import Copy, Reverse, Sort, UsageError


@pytest.mark.parametrize(
    "task, expected", [(Copy, lambda s: s), (Reverse, lambda s: s[::-1]), (Sort, lambda s: "".join(sorted(s)))]
)
def test_targets_and_lengths(task, expected):
    task = task("abcd", (2, 6))
    pairs = task.shown(task.sample(500, np.random.default_rng(0)))
    assert all(expected(source) == target for source, target in pairs)
    assert {len(source) for source, _ in pairs} == set(range(2, 7))
    assert set("".join(source for source, _ in pairs)) == set("abcd")


def test_sorting_is_in_the_order_of_the_letters():
    assert Sort("zyx").target("xyzzy") == "zzyyx"


def test_few_strings_are_all_found():
    assert len(Copy("ab", (1, 3)).sample_up_to(1000, np.random.default_rng(0))) == 14


@pytest.mark.parametrize(
    "options",
    [
        {"letters": ""},
        {"letters": "aba"},
        {"letters": "a b"},
        {"letters": 3},
        {"length": 3},
        {"length": (0, 2)},
        {"length": [1, 2]},
    ],
)
def test_options_that_are_refused(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))}: got"):
        Copy(**options)
