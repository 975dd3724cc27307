from dataclasses import dataclass

import numpy as np
import pytest

from seq2seq import Arithmetic, Task, UsageError
from seq2seq.errors import require_range
from seq2seq.tasks import draws
from tests.tasks.own import Double, Greeting


def test_draw_is_enough():
    task, rng = Double(), np.random.default_rng(0)
    assert (task.source_length, task.target_length, task.count) == (2, 3, None)
    assert task.characters == "0123456789 " and task.options() == {"most": 99}
    sources, targets = task.sample(50, rng)
    assert sources.dtype == "U2" and targets.dtype == "U3"
    assert all(2 * int(source) == int(target) for source, target in zip(sources, targets))
    assert (
        task.sample(5, np.random.default_rng(1)).sources.tolist()
        == task.sample(5, np.random.default_rng(1)).sources.tolist()
    )
    with pytest.raises(UsageError, match="list: not all pairs of the task double are known"):
        task.list()


def test_what_is_measured_is_so_every_time():
    class Rare(Double):
        def draw(self, rng):
            return chr(0x4E00 + int(rng.integers(20_000))), "x" * int(rng.geometric(0.01))

    assert Rare().characters == Rare().characters and Rare().target_length == Rare().target_length


def test_distinct_ones_and_how_many_there_seem_to_be():
    task, rng = Double(), np.random.default_rng(0)
    assert len(set(task.sample_distinct(90, rng).sources.tolist())) == 90
    everything = task.sample_up_to(5000, rng)
    assert sorted(map(int, everything.sources)) == list(range(100))
    with pytest.raises(
        UsageError, match="examples: got 101, but it must be at most 100, all that could be found of the"
    ):
        task.sample_distinct(101, rng)


def test_it_gives_up_after_a_bounded_number_of_draws():
    @dataclass(frozen=True)
    class Same(Double):
        def draw(self, rng):
            drawn.append(1)
            return "1", "2"

    drawn = []
    task = Same()
    task.characters, task.source_length  # noqa: B018  (measured once, by draws of their own)
    drawn.clear()
    assert len(task.sample_up_to(50_000, np.random.default_rng(0))) == 1
    assert len(drawn) == draws.TRIES + 2


def test_a_count_that_is_known_is_the_most():
    class Counted(Double):
        count = 100

    with pytest.raises(UsageError, match="n: got 101, but it must be a whole number from 0 to 100"):
        Counted().sample_distinct(101, np.random.default_rng(0))
    assert len(set(Counted().list().sources.tolist())) == 100


def test_pairs_are_written_as_models_read_them_and_never_cut():
    task = Greeting()
    sources, _ = task.written([("ann bob", "hello"), ("x", "x ann")])
    assert [len(source.strip()) for source in sources.tolist()] == [2, 1] and sources.dtype == "U4"
    assert task.shown(task.written([("ann bob", "hello")])) == [("ann bob", "hello")]
    for pair, message in [
        (("x x x x x", "x"), "'x x x x x': has 5 symbols, but greeting has at most 4"),
        (("x", "x " * 6), "has 6 symbols, but greeting has at most 5"),
        (("zoe", "x"), "'zoe' is not among the symbols"),
        (("x", "y"), "'y': has a symbol that the task greeting lacks"),
    ]:
        with pytest.raises(UsageError, match=message):
            task.written([pair])


def test_words_are_symbols():
    task = Greeting()
    assert (task.source_length, task.target_length) == (4, 5)
    assert set(task.symbols) == {"ann", "bob", "eve", "hello", "x"} and len(task.characters) == 6
    for source, target in task.shown(task.sample(100, np.random.default_rng(0))):
        assert target == "hello " + source and 1 <= len(source.split()) <= 4
    assert task.options() == {}


def test_what_is_longer_or_has_other_symbols_than_it_says_is_drawn_again():
    class Short(Double):
        source_length = 1
        target_length = 2

    class Even(Double):
        symbols = "02468"

    rng = np.random.default_rng(0)
    assert set(Short().shown(Short().sample(300, rng))) == {(str(number), str(2 * number)) for number in range(10)}
    assert set("".join(Even().sample(300, rng).sources.tolist())) == set("024 ")

    class None_(Double):
        symbols = "x"

    with pytest.raises(UsageError, match="draw: 1000 pairs of the task double in a row had other symbols, or more"):
        None_().sample(1, rng)


@pytest.mark.parametrize(
    "pair, message",
    [
        ((1, 2), r"got '\(1, 2\)', but it must be a source and a target, two strings"),
        ("ab", "got 'ab', but it must be a source and a target"),
        (("a",), ".* must be a source and a target"),
        (("", "a"), "its source is empty"),
        (("a", ""), "its target is empty"),
        (("a", "b\0"), r"its target has '\\x00', a character that no string may have"),
    ],
)
def test_pairs_that_cannot_be_learned(pair, message):
    class Odd(Double):
        def draw(self, rng):
            return pair

    with pytest.raises(UsageError, match=f"draw: a pair of the task double: {message}"):
        Odd().sample(1, np.random.default_rng(0))


def test_a_task_that_writes_its_strings_itself_is_left_as_it_is():
    assert Arithmetic().alphabet.symbols == () and "\ue000" not in Arithmetic().characters


def test_a_task_without_anything():
    class Nothing(Task):
        name = "nothing"

    with pytest.raises(NotImplementedError, match="Nothing has no draw"):
        Nothing().sample(1, np.random.default_rng(0))


def test_ranges_are_checked():
    require_range("length", (1, 5), 1, 5)
    for value in ((0, 5), (1, 6), (3, 2), 3, (1, 2, 3), ("1", 2)):
        with pytest.raises(UsageError, match=r"length: got .*, but it must be a range \(least, most\) from 1 to 5"):
            require_range("length", value, 1, 5)
