"""What a run keeps of its data in `config.json`, so that answering need not read them."""

import json
from dataclasses import dataclass

import pytest

from seq2seq import PairsTask, RunError, Solver, Text, train
from seq2seq.tasks.measure import Outline
from tests.conftest import some_text
from tests.tasks.own import Double

TINY = {"epochs": 1, "hidden_size": 4, "progress": False}
PAIRS = [(a + b, f"{b} {a}") for a in "abcde" for b in "fghi"]
WORDS = PairsTask.of([(f"the {a}", f"le {b}") for a, b in PAIRS], source_symbols="words", target_symbols="words")


@dataclass(frozen=True)
class Counting(Double):
    name = "counting"

    def draw(self, rng):
        DRAWN.append(1)
        return super().draw(rng)


DRAWN = []


def config_of(run):
    return json.loads((run.path / "config.json").read_text())


def with_outline(run, outline):
    (run.path / "config.json").write_text(json.dumps({**config_of(run), "data_outline": outline}))


@pytest.mark.parametrize(
    "task, file",
    [(PairsTask.of(PAIRS), "pairs.jsonl.gz"), (WORDS, "pairs.jsonl.gz"), (Text(given=some_text()), "text.txt.gz")],
    ids=["pairs", "words", "text"],
)
def test_pairs_and_texts_are_read_to_evaluate_and_not_to_answer(tmp_path, task, file):
    run = train(task, tmp_path / "run", **TINY).run
    eagerly = run.read_config().task
    answered, evaluated = Solver(run.path)([eagerly.example_source]), Solver(run.path).evaluate()
    content = (run.path / file).read_bytes()
    (run.path / file).write_bytes(b"damaged")
    solver = Solver(run.path)
    assert solver.example == eagerly.example_source and solver([solver.example]) == answered
    assert (solver.task.characters, solver.codec) == (task.characters, Solver(run.path).codec)
    assert solver.task.unlike_training("a") == eagerly.unlike_training("a")
    with pytest.raises(RunError, match=f"{file}: is damaged"):
        solver.evaluate()
    (run.path / file).unlink()
    with pytest.raises(RunError, match=rf"{file}: the (pairs|text) it was trained on (are|is) not there"):
        Solver(run.path).evaluate()
    (run.path / file).write_bytes(content)
    assert solver.evaluate() == evaluated
    with_outline(run, None)  # as a run that was made before
    again = Solver(run.path)
    assert again([again.example]) == answered and again.evaluate() == evaluated


def test_a_task_is_not_drawn_from_to_answer(tmp_path):
    run = train(Counting(), tmp_path / "run", **TINY).run
    DRAWN.clear()
    solver = Solver(run.path, task=Counting())
    assert isinstance(solver(solver.example), str) and solver.answer(["123"[:2]])[0].unlike_training is None
    assert not DRAWN and solver.evaluate() and DRAWN


def outline(**changed):
    kept = {"symbols": ["a", "b"], "source_length": 2, "target_length": 3}
    sources = {"symbols": ["a"], "shortest": 1, "longest": 2}
    return {"measure": {**kept, **changed}, "sources": sources, "example": "a"}


@pytest.mark.parametrize(
    "values",
    [
        3, [], {}, "x", {**outline(), "example": ""}, {**outline(), "example": 3}, {**outline(), "measure": []},
        {**outline(), "sources": "abc"}, {**outline(), "sources": {"symbols": ["a"], "shortest": 0, "longest": 2}},
        outline(symbols="ab"), outline(symbols=[]), outline(symbols=["b", "a"]), outline(symbols=["a", "a"]),
        outline(symbols=["a", ""]), outline(symbols=[1]), outline(symbols=[["a"]]), outline(symbols=["\ue001"]),
        outline(source_length=0), outline(source_length=True), outline(source_length=10**12),
        outline(target_length=2.0), outline(target_length="3"),
    ],
)  # fmt: skip
def test_outlines_that_are_damaged(run_copy, values):
    with_outline(run_copy, values)
    with pytest.raises(RunError, match=r"config\.json: is damaged: ") as caught:
        Solver(run_copy.path)
    assert len(str(caught.value)) < 300


def test_an_outline_is_read_as_it_was_written():
    assert Outline.from_json(outline()).to_json() == outline()
    assert Outline(None, None, "a").to_json() == {"measure": None, "sources": None, "example": "a"}


@pytest.fixture(scope="module")
def pairs_run(tmp_path_factory):
    return train(PAIRS, tmp_path_factory.mktemp("runs") / "pairs", **TINY).run


@pytest.mark.parametrize(
    "part, name, value",
    [
        ("measure", "symbols", list("abcdefghi")), ("measure", "source_length", 3), ("sources", "shortest", 1),
        ("sources", "longest", 3), ("sources", "symbols", list("abcdefgh")),
    ],
)  # fmt: skip
def test_an_outline_of_other_data_is_found_out_when_they_are_read(pairs_run, part, name, value):
    before = config_of(pairs_run)["data_outline"]
    with_outline(pairs_run, {**before, part: {**before[part], name: value}})
    try:
        with pytest.raises(RunError, match=r"data_outline|holds the weights of another model"):
            Solver(pairs_run.path).evaluate()
        if part == "sources":
            with pytest.raises(RunError, match="data_outline does not match its data"):
                train(PAIRS, pairs_run.path, resume=True, **TINY)
    finally:
        with_outline(pairs_run, before)
    assert Solver(pairs_run.path).evaluate().overlap == 0
