"""What goes to another process, or is copied."""

import copy
import multiprocessing
import pickle
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from seq2seq import PairsTask, RunError, Solver, Task, Text, train
from seq2seq.explaining import explain
from seq2seq.tasks import TASKS
from tests.conftest import SMALL

COPIES = [lambda each: pickle.loads(pickle.dumps(each)), copy.copy, copy.deepcopy]


@dataclass(frozen=True)
class Twice(Task):
    letters: str = "abc"
    name = "twice"

    def draw(self, rng):
        letter = str(rng.choice(list(self.letters)))
        return letter, letter * 2


@pytest.mark.parametrize("make", COPIES)
def test_a_copied_solver_opens_its_run_again(solved, make, monkeypatch):
    monkeypatch.chdir(solved.run.path.parent)
    solver = Solver(solved.run.path.name, device="cpu", weights="last")
    other = make(solver)
    monkeypatch.chdir("/")
    assert other is not solver and other.answer(["3+4"]) == solver.answer(["3+4"])
    assert other.run.path == solved.run.path
    assert all(np.array_equal(array, other.weights[name]) for name, array in solver.weights.items())
    assert pickle.dumps(other) == pickle.dumps(solver)


def test_a_solver_with_a_task_of_ones_own_takes_it_along(tmp_path):
    solver = train(Twice("ab"), tmp_path / "run", **{**SMALL, "split": "none", "examples": 40, "progress": False})
    assert pickle.loads(pickle.dumps(solver)).task == Twice("ab")


def test_a_run_that_is_gone_by_then_is_named(run_copy):
    kept = pickle.dumps(Solver(run_copy.path))
    shutil.rmtree(run_copy.path)
    with pytest.raises(RunError, match=r"copy: holds no run \(there is no config.json\)"):
        pickle.loads(kept)


def test_processes_that_are_spawned_answer(solved):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(solved, ["3+4"]).get(timeout=100) == "7"


@pytest.mark.parametrize("make", COPIES)
def test_what_else_a_user_holds_can_be_copied(solved, make):
    tasks = [TASKS[name]() for name in TASKS] + [PairsTask.of([("a", "b")]), PairsTask("a.tsv"), Text(given="the cat")]
    for each in (*tasks, solved.config, solved.answer(["3+4"]), solved.evaluate(10)):
        assert make(each) == each
    assert make(solved.run).path == solved.run.path
    assert make(explain(solved, "3+4")[0]).answer == "7"
    assert str(make(RunError("what is wrong"))) == "what is wrong"
