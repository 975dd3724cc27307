import random
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from seq2seq import ListTask, PairsTask, Solver, UsageError, train
from seq2seq.config import require_rebuilt
from tests.tasks.own import Double, Greeting, Vowels

ELSEWHERE = np.random.default_rng(0)
TINY = {"epochs": 1, "hidden_size": 4, "progress": False}


class FromRandom(Double):
    def draw(self, rng):
        number = random.randint(0, self.most)
        return str(number), str(2 * number)


class FromNumPy(Double):
    def draw(self, rng):
        number = int(ELSEWHERE.integers(self.most + 1))
        return str(number), str(2 * number)


class Counting(Double):
    def draw(self, rng):
        vars(self)["drawn"] = vars(self).get("drawn", 0) + 1
        return str(self.drawn % 100), "x"


class Shifted(Double):
    """What it draws depends on what is no option."""

    def draw(self, rng):
        number = int(rng.integers(self.most + 1))
        return str(number), str(number + vars(self).get("shift", 0))


class Sampling(Double):
    def sample(self, n, rng):
        return super().sample(n, ELSEWHERE)


def shifted():
    task = Shifted()
    vars(task)["shift"] = 1
    return task


@pytest.mark.parametrize("task", [FromRandom(), FromNumPy(), Counting(), shifted()], ids=repr)
def test_a_draw_that_is_not_from_rng_alone_is_found_out_before_training(task, tmp_path):
    with pytest.raises(UsageError, match=r"^task double: draw gives other pairs for the same rng; draw from rng"):
        train(task, tmp_path / "run", examples=50, **TINY)
    assert not list(tmp_path.iterdir())


def test_a_sample_of_its_own_is_compared_too():
    with pytest.raises(UsageError, match=r"^task double: sample gives other pairs for the same rng"):
        require_rebuilt(Sampling())


def test_lists_that_differ_from_one_time_to_the_next():
    class Shuffled(Vowels):
        def pairs(self):
            return random.sample(super().pairs(), 30)

    class Once(Vowels):
        def pairs(self):
            vars(self).setdefault("left", iter(super().pairs()))
            return self.left

    for task in (Shuffled(), Once()):
        with pytest.raises(UsageError, match=r"^task vowels: pairs gives others each time, or in another order$"):
            require_rebuilt(task)


def test_tasks_that_give_the_same_each_time():
    @dataclass(frozen=True)
    class Generated(Vowels):
        def pairs(self):
            yield from super().pairs()

    for task in (Double(), Greeting(), Vowels(), Generated()):
        require_rebuilt(task)


def test_pairs_of_a_list_are_checked():
    class Odd(ListTask):
        name = "odd"

        def pairs(self):
            return [("a", "b"), ("c", 3)]

    with pytest.raises(UsageError, match=r"pairs: pair 2 of the task odd: got .*, but it must be a source"):
        Odd().count  # noqa: B018


SET = """
from seq2seq import PairsTask, ListTask
words = {(word, word[::-1]) for word in "one two three four five six seven eight".split()}
class Words(ListTask):
    name = "words"
    def pairs(self):
        return words
print(PairsTask.of(words).given, PairsTask.of(frozenset(words)).given, Words().list().sources)
"""


def test_a_set_of_pairs_has_one_order_in_every_process():
    said = {
        subprocess.run(
            [sys.executable, "-c", SET], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in "123"
    }  # fmt: skip
    assert len(said) == 1 and "('eight', 'thgie'), ('five', 'evif')" in said.pop()


@pytest.mark.parametrize(
    "kind",
    [
        dict, lambda pairs: dict(pairs).items(), iter, np.array, lambda pairs: np.array(pairs, object),
        lambda pairs: [(np.str_(source), np.str_(target)) for source, target in pairs], lambda pairs: map(list, pairs),
    ],
)  # fmt: skip
def test_pairs_of_any_kind_keep_their_order(kind):
    pairs = [("b", "x"), ("a", "y"), ("c", "z")]
    given = PairsTask.of(kind(pairs)).given
    assert given == tuple(pairs) and {type(part) for pair in given for part in pair} == {str}


@pytest.mark.parametrize("pairs", [np.array(["ab", "cd"]), np.array([[1, 2]]), {"a": 1}, {1, 2}, np.array([["a"] * 3])])
def test_what_is_no_pairs_is_one_line(pairs):
    with pytest.raises(UsageError, match=r"pair 1: got .*, but it must be a source and a target, two strings"):
        PairsTask.of(pairs)


def test_a_run_of_a_set_is_opened_and_resumed(tmp_path):
    pairs = {(a + b, b + a) for a in "abcde" for b in "fghi"}
    run = train(pairs, tmp_path / "run", **TINY).run
    assert Solver(run.path).evaluate().overlap == 0
    assert (
        len(train(set(reversed(sorted(pairs))), run.path, resume=True, **{**TINY, "epochs": 2}).run.read_metrics()) == 2
    )
