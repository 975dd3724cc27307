"""Stress test with many threads and forks, and the cost of taking turns for a single caller.

    python benchmarks/threads.py                     # 16 threads, 2,000 questions each, over five models
    python benchmarks/threads.py --minutes 10        # repeat for ten minutes
    python benchmarks/threads.py --forks 200         # during answers and a training in threads
    python benchmarks/threads.py --cost              # the time of one answer, with and without turns

Errors are counted and printed, and the exit status is then 1. `kill -USR1` shows the stack of every thread.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that the library is found in a plain checkout

from seq2seq import Addition, Arithmetic, Solver, Text, train
from seq2seq.mx import alone

HANGS = 60.0  # seconds
SUMS = Arithmetic("+", terms=2, operands=(0, 9))
STEPS = Arithmetic("+-", terms=3, operands=(0, 3), steps="call")
Question = tuple[Solver, str]


def runs(folder: Path) -> dict[str, Solver]:
    """A small run for each kind of model, with little training: answers need not be correct here."""
    small: dict[str, Any] = {"epochs": 2, "hidden_size": 16, "show_every": 0, "progress": False}
    few: dict[str, Any] = {"examples": 400, "validation": 40, "test": 40}
    words = " ".join(np.random.default_rng(0).choice(["the", "cat", "and", "a", "dog", "sleeps"], 2000))
    return {
        "attention": train(STEPS, folder / "attention", model="attention", **small),
        "repeat": train(SUMS, folder / "repeat", model="repeat", split="none", **few, **small),
        "transducer": train(STEPS, folder / "transducer", model="transducer", reverse_target=False, **small),
        "aligned": train(Addition(6), folder / "aligned", model="aligned", **few, **small),
        "gru": train(Text(given=words), folder / "gru", model="gru", **small),
    }


def questions(solver: Solver) -> list[str]:
    """Sources of different lengths."""
    if isinstance(solver.task, Text):
        text = solver.task.text
        return [text[place : place + 3 + place % 9] for place in range(40)]
    return [source for source, _ in solver.task.shown(solver.task.sample(40, np.random.default_rng(0)))]


def answer(question: Question) -> Any:
    """The result of a call: an answer, or for a text the next characters."""
    solver, source = question
    return "".join(solver.continued(source, 5)) if isinstance(solver.task, Text) else solver.answer([source])[0]


def ask(expected: dict[Question, Any], count: int, seed: int) -> Counter[str]:
    """Ask `count` random questions, and count the outcomes."""
    outcomes: Counter[str] = Counter()
    asked = random.Random(seed).choices(list(expected), k=count)
    for question in asked:
        try:
            outcomes["same" if answer(question) == expected[question] else "DIFFERENT"] += 1
        except Exception as error:
            outcomes[f"{type(error).__name__}: {error}"] += 1
    return outcomes


def in_threads(expected: dict[Question, Any], threads: int, count: int, seed: int) -> Counter[str]:
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(lambda number: ask(expected, count, seed + number), range(threads))
        return sum(parts, Counter())


def in_coroutines(expected: dict[Question, Any], threads: int, count: int, seed: int) -> Counter[str]:
    async def gather() -> list[Counter[str]]:
        return await asyncio.gather(*(asyncio.to_thread(ask, expected, count, seed + n) for n in range(threads)))

    return sum(asyncio.run(gather()), Counter())


def memory() -> float:
    """Resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def with_forks(expected: dict[Question, Any], folder: Path, forks: int) -> Counter[str]:
    """Fork at random times while threads ask and train; each child answers, opens a Solver or trains."""
    over = threading.Event()
    outcomes: Counter[str] = Counter()

    def keep_asking(seed: int) -> None:
        while not over.is_set():
            outcomes.update({f"in a thread: {how}": n for how, n in ask(expected, 10, seed).items()})

    def keep_training() -> None:
        number = 0
        while not over.is_set():
            number += 1
            train_small(folder / f"beside-{number}")

    targets: list[Callable[[], None]] = [lambda: keep_asking(1), lambda: keep_asking(2), keep_training]
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    rng = random.Random(0)
    for number in range(forks):
        time.sleep(rng.random() / 5)
        outcomes[f"in a child: {_forked(expected, folder, number)}"] += 1
    over.set()
    for thread in threads:
        thread.join()
    return outcomes


def train_small(path: Path) -> Solver:
    options: dict[str, Any] = {"examples": 200, "validation": 10, "test": 10, "epochs": 5, "hidden_size": 8}
    return train(SUMS, path, split="none", progress=False, **options)


def _forked(expected: dict[Question, Any], folder: Path, number: int) -> str:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(int(HANGS))
            status = int(not _right_in_child(expected, folder, number))
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "HANGS" if os.WTERMSIG(status) == signal.SIGALRM else f"killed by signal {os.WTERMSIG(status)}"
    return "WRONG, or an error" if status else "right"


def _right_in_child(expected: dict[Question, Any], folder: Path, number: int) -> bool:
    if number % 3 == 0:
        return train_small(folder / f"child-{number}").run.exists
    drawn = random.Random(number).choices(list(expected), k=10)
    if number % 3 == 1:
        return all(answer(question) == expected[question] for question in drawn)
    solver, source = drawn[0]
    return bool(answer((Solver(solver.run.path), source)) == expected[drawn[0]])


def cost(solver: Solver, source: str, rounds: int = 20, calls: int = 200) -> str:
    """The time of an answer with and without taking turns: medians of alternating rounds."""
    solver_module: Any = sys.modules["seq2seq.solver"]
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for place, turns in enumerate((alone, nullcontext())):
            solver_module.alone = turns
            started = time.perf_counter()
            for _ in range(calls):
                solver(source)
            times[place].append((time.perf_counter() - started) / calls * 1e6)
    solver_module.alone = alone
    with_turns, without = map(statistics.median, times)
    return f"{with_turns:.0f} µs per answer, {without:.0f} without turns: {with_turns / without - 1:+.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--questions", type=int, default=2000, help="questions for each thread")
    parser.add_argument("--minutes", type=float, default=0, help="how long to repeat")
    parser.add_argument("--forks", type=int, default=0)
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        solvers = runs(folder)
        if options.cost:
            for model in ("attention", "repeat"):
                print(f"{model}: {cost(solvers[model], questions(solvers[model])[0])}")
            return 0
        expected = {(each, source): answer((each, source)) for each in solvers.values() for source in questions(each)}
        print(f"{len(expected)} questions, {len(solvers)} models, {memory():.0f} MiB", flush=True)
        outcomes: Counter[str] = Counter()
        if options.forks:
            outcomes = with_forks(expected, folder, options.forks)
        started, seed = time.monotonic(), 0
        while not options.forks and (seed == 0 or time.monotonic() - started < 60 * options.minutes):
            for how in (in_threads, in_coroutines):
                seed += options.threads
                outcomes += how(expected, options.threads, options.questions, seed)
                seconds = time.monotonic() - started
                print(f"{seconds:.0f} s: {dict(outcomes)}, {memory():.0f} MiB", flush=True)
        print(dict(outcomes))
    return int(any(not how.endswith(("same", "right")) for how in outcomes))


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    sys.exit(main())
