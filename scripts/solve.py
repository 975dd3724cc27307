#!/usr/bin/env python3
"""Answer sources, such as expressions, with a trained run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, Callable

import _command

import seq2seq
from seq2seq import SourceError
from seq2seq.runs import Run

BLOCK = 1 << 16  # bytes read at once, at the most
LINE_LIMIT = 1 << 20  # bytes; of a longer line, which is no source, so much is kept
CUT = b"\0"  # in no vocabulary, so that what is left of a line is never taken for a source
BATCH = 1024
WRITING = ("characters", "temperature", "top_k")  # options of --continue


def report(problem: str) -> None:
    print(f"solve.py: {problem}", file=sys.stderr)


def lines_of_stdin() -> Iterator[list[str]]:
    """The lines of stdin in lists, as they come: whatever can be read without waiting is answered at once."""
    rest = b""
    while block := sys.stdin.buffer.raw.read(BLOCK):  # type: ignore[attr-defined]
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > LINE_LIMIT:
            rest = rest[:LINE_LIMIT] + CUT
        yield [line.rstrip(b"\r").decode(errors="replace") for line in lines]
    if rest:
        yield [rest.decode(errors="replace")]


Say = Callable[[list[str]], list[str]]  # what is printed for some sources, a line each


def predictions(solver: seq2seq.Solver, source: str) -> Iterator[str]:
    """A line for each beginning of a source that the run can read."""
    expected = solver.expected(source)
    for end, (character, confidence) in enumerate(expected, len(source) - len(expected) + 1):
        yield f"{source[:end]!r} -> {character!r} ({confidence:.1%})"


def way_of_saying(solver: seq2seq.Solver, arguments: Any) -> Say:
    if arguments.steps:
        return lambda sources: [
            " -> ".join([solver.task.normalise(source), *solver.work(source)]) for source in sources
        ]
    if arguments.predict:
        return lambda sources: ["\n".join(predictions(solver, source)) for source in sources]
    if arguments.best:
        return lambda sources: [
            ", ".join(f"{each.text} ({each.confidence:.1%})" for each in solver.n_best(source, arguments.best))
            for source in sources
        ]
    return solver


def write(solver: seq2seq.Solver, arguments: Any) -> None:
    """Print the beginning of a text, and what the run makes of it, as it is written."""
    options = {name: value for name in WRITING if (value := getattr(arguments, name)) is not None}
    written = solver.continued(arguments.prefix, seed=arguments.seed, **options)
    sys.stdout.write(arguments.prefix)
    for character in written:
        sys.stdout.write(character)
        sys.stdout.flush()
    print()


def answer(solver: seq2seq.Solver, say: Say, sources: list[str], what: str, first: int) -> bool:
    """Print an answer a line, an empty one for a source that cannot be read. Returns whether all could be."""
    readable: dict[int, str] = {}
    for index, source in enumerate(sources):
        try:
            solver.prepare(source)
            readable[index] = source
        except SourceError as error:
            report(f"{what} {first + index}: {error}")
    answers = dict(zip(readable, say(list(readable.values())) if readable else []))
    sys.stdout.write("".join(f"{answers.get(index, '')}\n" for index in range(len(sources))))
    sys.stdout.flush()
    return len(readable) == len(sources)


def converse(solver: seq2seq.Solver, say: Say) -> bool:
    """A prompt, with history, until the end of input."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() its history and editing)
    print(f"{solver.run.path}: type a source, such as {solver.example}; Ctrl-D ends", file=sys.stderr)
    while True:
        try:
            source = input("> ")
        except (EOFError, KeyboardInterrupt):
            print(file=sys.stderr)
            return True
        try:
            if say is solver:
                [answered] = solver.answer([source])
                print(f"{answered.text}    ({answered.confidence:.0%} sure)")
            else:
                print(*say([source]))
        except SourceError as error:
            report(str(error))


def main() -> int:
    parser = _command.Parser(
        "Answer sources, one answer a line. Without any, read a line each from stdin; at a terminal, prompt.",
        "examples:\n  python scripts/solve.py '3*7+2' '1+1+1'\n"
        "  python scripts/solve.py < questions.txt > answers.txt\n"
        "  python scripts/solve.py --continue 'It is' --temperature 0.7\n\n"
        "A source that cannot be read gives an empty line, a message that names its line, and exit status 2.",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--steps", action="store_true", help="print the working too, of a run that has learned it")
    shown.add_argument(
        "--best", type=int, default=0, metavar="N", help="print the N most probable answers, of an attention run"
    )
    shown.add_argument(
        "--predict", action="store_true", help="print the next character after each beginning, of a text's run"
    )
    shown.add_argument("--continue", metavar="PREFIX", dest="prefix", help="go on with a text, of a text's run")
    parser.add_argument("--characters", type=int, metavar="N", help="how many to write (default: 200)")
    parser.add_argument(
        "--temperature", type=float, metavar="X", help="below 1: keep to the probable; 0: to the most (default: 1)"
    )
    parser.add_argument("--top-k", type=int, metavar="N", help="write one of the N most probable (default: of all)")
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    arguments = parser.parse_args()
    if arguments.prefix is None:
        for name in WRITING:
            if getattr(arguments, name) is not None:
                parser.error(f"--{name.replace('_', '-')}: goes with --continue")
    elif arguments.sources:
        parser.error("--continue: goes on with one text; give no SOURCE beside it")
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)
    if arguments.prefix is not None:
        write(solver, arguments)
        return 0
    say = way_of_saying(solver, arguments)

    if arguments.sources:
        good = answer(solver, say, arguments.sources, "argument", 1)
    elif sys.stdin is None:
        good = True
    elif os.isatty(sys.stdin.fileno()):
        good = converse(solver, say)
    else:
        good, count = True, 0
        for lines in lines_of_stdin():
            for start in range(0, len(lines), BATCH):
                batch = lines[start : start + BATCH]
                good &= answer(solver, say, batch, "line", count + 1)
                count += len(batch)
    return 0 if good else _command.WRONG_USE


if __name__ == "__main__":
    _command.run(main)
