#!/usr/bin/env python3
"""Count the questions to a run of arithmetic that are marked as unlike training, and the correct answers.

    python scripts/train.py --epochs 100 --run-dir runs/default
    python benchmarks/marks.py --run runs/default

Questions in the range of the run must never be marked. Those outside must be refused, marked or answered correctly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from seq2seq import Arithmetic, Solver, SourceError
from seq2seq.tasks.expressions.strings import answer, read

Asked = list[tuple[str, str]]  # expressions and their values


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", metavar="DIR", required=True)
    parser.add_argument("--examples", type=int, default=2000, metavar="N", help="of each kind (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    solver = Solver(arguments.run)
    assert isinstance(solver.task, Arithmetic), "a run of arithmetic"
    rng = np.random.default_rng(arguments.seed)
    print(f"{'':26} {'asked':>7} {'refused':>8} {'marked':>7} {'right':>7}  neither")
    good = True
    for name, inside, asked in kinds(solver, solver.task, arguments.examples, rng):
        refused, marked, right, neither = counted(solver, asked)
        print(f"{name:26} {len(asked):7} {refused:8} {marked:7} {right:7} {neither:8}")
        good &= refused + marked == 0 if inside else neither == 0
    return 0 if good else 1


def kinds(solver: Solver, learned: Arithmetic, n: int, rng: np.random.Generator) -> Iterator[tuple[str, bool, Asked]]:
    """Kinds of questions: name, whether they are in range, and examples."""
    task = replace(learned, steps="none", by_digit=False)
    extras = [extra.task for extra in solver.config.extra if isinstance(extra.task, Arithmetic)]
    longer = [each for each in extras if set(learned.operators) <= set(each.operators)]
    most = max(most_terms(each) for each in (task, *longer))
    yield "in range", True, drawn(task, n, rng)
    yield "in range, held out", True, held_out(solver, task)
    for each in longer:
        yield f"{most_terms(each)} terms", True, drawn(replace(task, terms=most_terms(each)), n, rng)
    yield f"{most + 1} terms", False, drawn(replace(task, terms=most + 1), n, rng)
    yield f"{most + 1} terms of one digit", False, drawn(replace(task, terms=most + 1, operands=(1, 9)), n, rng)
    large = drawn(replace(task, operands=(0, 99)), 2 * n, rng)
    yield "operands to 99", False, [each for each in large if task.unlike_training(each[0])][:n]
    fewer = (1, max(1, most_terms(task) - 1))
    yield "fewer terms", False, drawn(replace(task, terms=fewer, operands=(0, 99)), n, rng)
    yield (
        "minus signs",
        False,
        [each for each in drawn(replace(task, operators="+-*", signed=True), 2 * n, rng) if "-" in each[0]][:n],
    )


def most_terms(task: Arithmetic) -> int:
    return task.terms if isinstance(task.terms, int) else task.terms[1]


def held_out(solver: Solver, task: Arithmetic) -> Asked:
    sources = solver.codec.read_sources(solver.dataset.test.sources)
    return [*zip(np.char.strip(sources).tolist(), np.char.strip(answer(read(sources), task.target_length)).tolist())]


def drawn(task: Arithmetic, n: int, rng: np.random.Generator) -> Asked:
    return [*task.shown(task.sample(n, rng))]


def counted(solver: Solver, asked: Asked) -> tuple[int, int, int, int]:
    """The number of questions that are refused, and of the others that are marked, right, and neither."""
    readable = []
    for source, value in asked:
        try:
            solver.prepare(source)
        except SourceError:
            continue
        readable.append((source, value))
    answers = solver.answer(source for source, _ in readable)
    marked = np.array([answer.unlike_training is not None for answer in answers], bool)
    right = np.array([answer.text == value for answer, (_, value) in zip(answers, readable)], bool)
    return len(asked) - len(readable), int(marked.sum()), int(right.sum()), int((~marked & ~right).sum())


if __name__ == "__main__":
    sys.exit(main())
