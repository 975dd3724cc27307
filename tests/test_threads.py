"""Many threads at once: the answers are those that one thread has."""

import asyncio
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from seq2seq import Arithmetic, Solver, Text, train
from seq2seq.dataset import build_dataset
from seq2seq.explaining import explain
from seq2seq.progress import Progress
from tests.conftest import SMALL

THREADS = 8


@pytest.fixture(autouse=True)
def often():
    """Threads change places far more often than they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def in_threads(calls):
    """What each call returns, made in threads, in another order."""
    order = random.Random(0).sample(range(len(calls)), len(calls))
    with ThreadPoolExecutor(THREADS) as pool:
        futures = {place: pool.submit(calls[place]) for place in order}
        return [futures[place].result(timeout=60) for place in range(len(calls))]


def asked(solver):
    """Calls of every kind."""
    if isinstance(solver.task, Text):
        prefixes = ["the cat ", "a dog an", "sleep.\nthe "]
        return [
            *(lambda prefix=prefix: "".join(solver.continued(prefix, 30, seed=3)) for prefix in prefixes),
            *(lambda prefix=prefix: solver.expected(prefix) for prefix in prefixes),
            *(lambda prefix=prefix: solver(prefix) for prefix in prefixes),
        ]
    sources = [solver.task.shown(solver.task.sample(1, np.random.default_rng(seed)))[0][0] for seed in range(4)]
    calls = [lambda source=source: solver(source) for source in sources]
    calls += [lambda source=source: solver.work(source) for source in sources]
    calls += [lambda n=n: solver.answer(sources[:n]) for n in range(2, 5)]
    calls += [lambda: explain(solver, sources[0])[0].probabilities.tolist()]
    if solver.config.model.model == "attention":
        calls += [lambda source=source: solver.n_best(source, 3) for source in sources]
    return calls


@pytest.mark.parametrize("run", ["solved", "attentive", "stepping", "reading"])
def test_a_solver_answers_many_threads_as_it_answers_one(run, request):
    path = request.getfixturevalue(run).run.path
    one, many = Solver(path), Solver(path)  # of which nothing has been bound yet
    alone = [call() for call in asked(one)] * 2 + [one.evaluate(20)]
    assert in_threads(asked(many) * 2 + [lambda: many.evaluate(20)]) == alone


def test_threads_that_come_and_go_leave_nothing_behind(attentive, reading):
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def ask():
        attentive("1+2")
        list(reading.continued("the cat ", 3))

    def in_new_threads(count):
        for _ in range(count):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()

    in_new_threads(5)
    before = resident()
    in_new_threads(20)
    assert resident() - before < 20  # MiB


def test_coroutines_ask_it_too(solved):
    async def ask():
        return await asyncio.gather(*(asyncio.to_thread(solved, f"{i % 10}+{i // 10}") for i in range(100)))

    assert asyncio.run(ask()) == [solved(f"{i % 10}+{i // 10}") for i in range(100)]


def test_solvers_are_opened_in_many_threads(solved):
    assert in_threads([lambda: Solver(solved.run.path)("3+4")] * 8) == ["7"] * 8


def test_the_examples_are_made_once(solved, monkeypatch):
    def build_slowly(*arguments):
        time.sleep(0.05)
        return build_dataset(*arguments)

    monkeypatch.setattr("seq2seq.opened.build_dataset", build_slowly)
    solver = Solver(solved.run.path)
    assert len({id(dataset) for dataset in in_threads([lambda: solver.dataset] * 4)}) == 1


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_trainings_in_two_threads_are_those_of_one_while_others_are_answered(tmp_path, solved, monkeypatch, dropout):
    options = {
        **SMALL,
        "epochs": 12,
        "dropout": dropout,
        "examples": 80,
        "validation": 10,
        "test": 10,
        "progress": False,
    }

    def trained(name, seed):
        return train(Arithmetic("+", terms=2, operands=(0, 9)), tmp_path / name, seed=seed, **options)

    alone = [trained(f"alone{seed}", seed).weights for seed in (0, 1)]
    over, answers, answered = threading.Event(), [], []
    on_epoch = Progress.on_epoch

    def count(self, row):
        answered.append(len(answers))
        on_epoch(self, row)

    monkeypatch.setattr(Progress, "on_epoch", count)

    def ask():
        while not over.is_set():
            answers.append(solved("3+4"))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        together = in_threads([lambda seed=seed: trained(f"{seed}", seed).weights for seed in (0, 1)])
    finally:
        over.set()
        asking.join()
    assert set(answers) == {"7"}
    assert len(set(answered)) > 5  # answers come while a training goes on, and not only between two
    for one, other in zip(alone, together):
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name])
