import json

import numpy as np
import pytest

from seq2seq import PairsTask, UsageError
from tests.tasks.own import Vowels


def test_everything_is_known():
    task, rng = Vowels(), np.random.default_rng(0)
    assert (task.count, task.source_length, task.target_length) == (30, 3, 2)
    assert task.shown(task.list()) == list(task.pairs())
    assert sorted(task.shown(task.sample_distinct(30, rng))) == sorted(task.pairs())
    assert set(task.shown(task.sample(200, rng))) <= set(task.pairs())
    assert task.draw(rng) in task.pairs()
    with pytest.raises(UsageError, match="n: got 31, but it must be a whole number from 0 to 30"):
        task.sample_distinct(31, rng)


def test_what_it_keeps_makes_it_again():
    pairs = [("a b", "A\tB"), ("é\u2028\n", "x y"), ("三", '"')]
    task = PairsTask.of(pairs, target_symbols="words")
    again = PairsTask.restored(task.options(), task.keep())
    assert list(again.pairs()) == list(task.pairs()) and again.keep() == task.keep()
    assert again.characters == task.characters
    assert task.keep() == "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    with pytest.raises(ValueError, match="the pairs it was trained on are not there"):
        PairsTask.restored(task.options(), None)


def test_rows_that_come_twice_are_used_once_and_told():
    task = PairsTask.of([("a", "1"), ("b", "2"), ("a", "1"), ("a", "1")])
    assert task.count == 2 and task.notes == ("pairs: 2 rows came twice and are used once",)
    assert PairsTask.of([("a", "1")]).notes == ()
    assert PairsTask.of([("a  b", "1"), (" a b", "1")], source_symbols="words").count == 1


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([], "pairs: there are none"),
        ([("a", "1"), ("b", "2"), ("a", "3")], "pair 3: has another target for its source than pair 1 has"),
        ([("a", "1"), ("b" * 11, "2")], "pair 2: its source has 11 symbols, more than longest, 10"),
        ([("a", "1" * 12)], "pair 1: its target has 12 symbols, more than longest, 10"),
        ([("a", "1"), ("b", "")], "pair 2: its target is empty"),
    ],
)
def test_pairs_that_are_refused(pairs, message):
    with pytest.raises(UsageError, match=f"^{message}$"):
        PairsTask.of(pairs, longest=10).count  # noqa: B018


@pytest.mark.parametrize("options, name", [({"longest": 0}, "longest"), ({"path": 3}, "path")])
def test_options_that_are_refused(options, name):
    with pytest.raises(UsageError, match=f"{name}: got"):
        PairsTask(**options)
