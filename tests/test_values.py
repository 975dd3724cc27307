import json
from pathlib import Path

import numpy as np
import pytest

from seq2seq import (
    Addition,
    Arithmetic,
    Copy,
    Dates,
    PairsTask,
    Pronunciation,
    Roman,
    Spelling,
    Text,
    UsageError,
    train,
)
from seq2seq.errors import quoted
from seq2seq.recipes import load_recipe
from seq2seq.values import plain, whole
from tests.tasks.own import Double

TWO, NINE, YES = np.int64(2), np.int32(9), np.bool_(True)


@pytest.mark.parametrize(
    "given, same",
    [
        (Addition(NINE, close=YES), Addition(9, close=True)),
        (Addition((TWO, NINE)), Addition((2, 9))),
        (Arithmetic(terms=TWO, operands=(TWO, NINE), mixed=YES), Arithmetic(terms=2, operands=(2, 9))),
        (Arithmetic(terms=(TWO, 3), signed=YES), Arithmetic(terms=(2, 3), signed=True)),
        (Copy("ab", (TWO, NINE)), Copy("ab", (2, 9))),
        (Dates((np.int16(1999), np.int64(2001))), Dates((1999, 2001))),
        (Double(NINE), Double(9)),
        (PairsTask("x.tsv", longest=NINE), PairsTask("x.tsv", longest=9)),
        (PairsTask(Path("x.tsv")), PairsTask("x.tsv")),
        (Pronunciation(Path("x"), stress=YES), Pronunciation("x")),
        (Roman((TWO, NINE)), Roman((2, 9))),
        (Spelling((TWO, NINE)), Spelling((2, 9))),
        (Text(Path("x.txt"), NINE), Text("x.txt", 9)),
    ],
    ids=lambda task: type(task).__name__,
)
def test_a_task_has_plain_options_whatever_they_are_given_as(given, same):
    assert given == same and json.loads(json.dumps(given.options())) == json.loads(json.dumps(same.options()))


def test_a_path_and_numpy_options_go_into_a_run_and_on_with_it(tmp_path):
    file = tmp_path / "words.tsv"
    file.write_text("".join(f"{n}\t{n}\n" for n in range(30)))
    options = {"hidden_size": np.int32(4), "seed": np.int64(3), "learning_rate": np.float32(0.25), "progress": False}
    train(PairsTask(file), tmp_path / "run", epochs=np.int64(1), dropout=np.float32(0.5), **options)
    solver = train(PairsTask(file), tmp_path / "run", epochs=np.uint8(2), resume=True, **options)
    assert solver.run.read_metrics()[-1]["epoch"] == 2 and solver.task.path == str(file)
    assert solver.evaluate(np.int64(5), np.int16(1)).held_out.n == 3
    assert len(solver.n_best("7", np.int64(2))) == 2


def test_a_text_goes_on_as_numpy_numbers_say(reading):
    said = list(reading.continued("the", np.int64(5), np.float32(0.5), np.int8(3), np.uint16(7)))
    assert said == list(reading.continued("the", 5, 0.5, 3, 7)) and len(said) == 5


def test_a_recipe_may_be_a_path(tmp_path):
    (tmp_path / "mine.toml").write_text("")
    assert load_recipe(tmp_path / "mine.toml") == load_recipe(str(tmp_path / "mine.toml"))


def test_only_scalars_and_paths_are_made_plain():
    array = np.array([1, 2])
    assert plain(array) is array and plain((TWO, "a", Path("b"))) == (2, "a", "b") and plain([YES]) == [True]


@pytest.mark.parametrize("value", [np.float64(2), True, YES, "2", None, float("nan"), TWO - 3], ids=repr)
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(UsageError, match=r"^n: got .*, but it must be a whole number from 0"):
        whole("n", value, 0)


def test_a_limit_of_very_many_digits_is_told_by_how_many_they_are():
    task = Addition((5000, 5000))
    assert len(task.sample_distinct(3, np.random.default_rng(0))) == 3
    with pytest.raises(UsageError, match=r"^n: got -1, but it must be a whole number from 0 to 10\^9999$"):
        task.sample_distinct(-1, np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"^list: there are 10\^9999 pairs"):
        task.list()


def test_what_is_quoted_is_one_short_line():
    deep = []
    for _ in range(10**5):
        deep = [deep]
    long = ["a\nb" * 10**5, "\U000e0001" * 10**5, [1.5] * 10**5, 10**5000, (10**5000,), deep, {"a": b"\n" * 100}]
    for value in (*long, np.zeros((9, 9))):
        assert len(quoted(value)) <= 120 and "\n" not in quoted(value)
    assert quoted("a") == "'a'" and quoted(0.5) == "0.5"
