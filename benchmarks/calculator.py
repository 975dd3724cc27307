#!/usr/bin/env python3
"""Ask a calculator many expressions at once, and measure the time.

    python scripts/train.py --recipe calculator --run-dir runs/calculator
    python benchmarks/calculator.py --run runs/calculator

The expressions have 2 to 10 terms from 0 to 999, `+ - *`, and parentheses up to three deep.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from seq2seq import LongArithmetic, Solver


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", metavar="DIR", required=True)
    parser.add_argument("--examples", type=int, default=10_000, metavar="N", help="(default: 10000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    solver = Solver(arguments.run)
    task = LongArithmetic(terms=(2, 10), digits=(1, 3), depth=3)
    asked = task.shown(task.sample(arguments.examples, np.random.default_rng(arguments.seed)))
    solver("1+1")  # binds the graphs
    begin = time.perf_counter()
    answers = solver.answer(source for source, _ in asked)
    seconds = time.perf_counter() - begin
    right = sum(answer.text == value for answer, (_, value) in zip(answers, asked))
    print(f"{right} of {len(asked)} right in {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
