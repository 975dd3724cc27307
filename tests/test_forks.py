"""Forks of a process that has used MXNet. Each program runs in a process of its own, so that a hang ends with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
START = """
import multiprocessing, os, subprocess, sys, threading, traceback
from seq2seq import Arithmetic, Seq2SeqError, Solver, train
path, folder = sys.argv[1:]
task = Arithmetic("+", terms=2, operands=(0, 9))
options = {"epochs": 3, "hidden_size": 8, "layers": 1, "batch_size": 16, "examples": 80, "validation": 10, "test": 10}

def trained(name, **others):
    return train(task, f"{folder}/{name}", progress=False, **{**options, **others})

def in_child(call):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, str(call()).encode())
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with open(reading) as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return answer

solver = Solver(path)
solver("1+1")
"""


def run(code, solved, folder, **environment):
    program = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", START + code, str(solved.run.path), folder]
    done = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("environment", [{}, {"OMP_NUM_THREADS": "4"}, {"MXNET_OMP_MAX_THREADS": "4"}])
def test_the_child_of_a_fork_answers_opens_and_trains(solved, tmp_path, environment):
    code = """
print(in_child(lambda: solver("3+4")))
print(in_child(lambda: solver(["3+4", "9+9"])))
print(in_child(lambda: Solver(path)("3+4")))
print(in_child(lambda: solver.evaluate(20).held_out.exact_match))
print(in_child(lambda: trained("child").run.exists))
print(in_child(lambda: in_child(lambda: solver("3+4"))))
print(solver(["3+4", "9+9"]))
"""
    assert run(code, solved, tmp_path, **environment) == ["7", "['7', '18']", "7", "1.0", "True", "7", "['7', '18']"]


def test_a_pool_of_forked_processes_answers_and_ends(solved, tmp_path):
    code = """
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(solver, ["3+4", "9+9", "0+0"]))
process = multiprocessing.get_context("fork").Process(target=trained, args=("pool",))
process.start()
process.join()
print(process.exitcode)
if os.fork() == 0:
    solver("1+2")
    sys.exit(0)  # as any program ends
print(os.wait()[1])
"""
    assert run(code, solved, tmp_path) == ["['7', '18', '0']", "0", "0"]


@pytest.mark.parametrize("how", ["os.fork", "preexec_fn", "no hooks"])
def test_forks_while_other_threads_answer_and_train(solved, tmp_path, how):
    code = f"""
how = {how!r}
""" + """
def fork():
    if how == "os.fork":
        assert in_child(lambda: solver("3+4")) == "7"
    else:
        subprocess.run(["true"], **({"preexec_fn": lambda: None} if how == "preexec_fn" else {"user": os.getuid()}))

over, answers, forks = threading.Event(), [], []
def ask():
    while not over.is_set():
        answers.append(solver("3+4"))
def fork_often():
    while not over.is_set():
        fork()
        forks.append(1)
threads = [threading.Thread(target=target) for target in (ask, fork_often, fork_often)]
for thread in threads:
    thread.start()
weights = trained("beside", epochs=30).weights
over.set()
for thread in threads:
    thread.join()
same = all((array == weights[name]).all() for name, array in trained("alone", epochs=30).weights.items())
print(set(answers), len(forks) > 5, same)
"""  # fmt: skip
    assert run(code, solved, tmp_path) == ["{'7'} True True"]


def test_an_engine_that_cannot_go_on_says_so(solved, tmp_path):
    code = """
def ask():
    try:
        return solver("3+4")
    except Seq2SeqError as error:
        return error
print(in_child(ask))
"""
    naive = {"MXNET_ENGINE_TYPE": "NaiveEngine"}
    program = [sys.executable, "-c", START + code, str(solved.run.path), str(tmp_path)]
    for threads, expected in (("4", "cannot continue in the child of a fork: set OMP_NUM_THREADS=1"), ("1", "7")):
        environment = {**os.environ, **naive, "OMP_NUM_THREADS": threads}
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60, env=environment)
        assert expected in done.stdout


def test_a_value_that_another_thread_was_making_is_made_by_the_child(solved, tmp_path):
    code = """
from dataclasses import dataclass
from seq2seq import Task
begun, over = threading.Event(), threading.Event()

class Slow(Task):
    name = "slow"
    @property
    def symbols(self):
        begun.set()
        over.wait()
        return ("a",)
    def draw(self, rng):
        return "a", "a"

threading.Thread(target=lambda: Slow().alphabet).start()
begun.wait()
print(in_child(lambda: Solver(path)("3+4")))
over.set()
"""
    assert run(code, solved, tmp_path) == ["7"]
