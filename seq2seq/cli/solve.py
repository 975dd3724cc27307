"""Answer sources, such as expressions, with a trained run."""

from __future__ import annotations

import codecs
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import seq2seq
from seq2seq import SourceError
from seq2seq.cli import invocation
from seq2seq.cli.opening import add_run_options, open_run
from seq2seq.cli.parser import CommandParser, text
from seq2seq.cli.program import WRONG_USE, say
from seq2seq.errors import short
from seq2seq.showing import one_line

BLOCK = 1 << 16  # the most bytes read at once
LINE_LIMIT = 1 << 20  # bytes; a longer line is not a source, and is cut here
CUT = b"\0"  # not in any vocabulary, so that a line that was cut is never read as a source
BATCH = 1024
WRITING = ("characters", "temperature", "top_k")  # options of --continue


def report(problem: str) -> None:
    say(f"{invocation.name()}: {problem}")


def lines_of_stdin() -> Iterator[list[str]]:
    """The lines of stdin in lists, as they arrive: those that can be read without waiting are answered together."""
    rest = b""
    mark = codecs.BOM_UTF8  # possibly at the start of the first line
    stdin: Any = sys.stdin.buffer
    while block := stdin.raw.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > LINE_LIMIT:
            rest = rest[:LINE_LIMIT] + CUT
        if lines:
            lines[0] = lines[0].removeprefix(mark)
            mark = b""
        yield [line.rstrip(b"\r").decode(errors="replace") for line in lines]
    if rest := rest.removeprefix(mark):
        yield [rest.decode(errors="replace")]


def ask(solver: seq2seq.Solver, arguments: Any, sources: list[str]) -> list[dict[str, Any]]:
    """The objects that --json prints for the sources."""
    found = solver.tried(sources) if arguments.best is None else [None] * len(sources)
    return [answered(solver, arguments, source, answer) for source, answer in zip(sources, found)]


def answered(solver: seq2seq.Solver, arguments: Any, source: str, answer: Any) -> dict[str, Any]:
    """The object for one source; without an answer, that of a beam search."""
    more: dict[str, Any] = {}
    try:
        if answer is None:
            best = solver.n_best(source, arguments.best)
            answer = best[0]
            more = {"answers": [*map(values, best)]}
        if isinstance(answer, SourceError):
            raise answer
        if arguments.steps:
            more = {"steps": solver.work(source)}
        if arguments.predict:
            more = {"predictions": [*map(values, solver.expected(source))]}
    except SourceError as error:
        return {"source": source, "error": str(error)}
    return {"source": source, **values(answer), "unlike_training": answer.unlike_training, **more}


def values(answer: Any) -> dict[str, Any]:
    """The values of an answer, or of an estimate, which has no confidence."""
    if hasattr(answer, "confidence"):
        return {"answer": answer.text, "confidence": answer.confidence}
    return {"answer": answer.text, "value": answer.value}


def sure(each: dict[str, Any]) -> str:
    """How sure an answer is, or how high a value."""
    return f"{each['confidence']:.1%}" if "confidence" in each else f"{each['value']:.2f}"


def said(solver: seq2seq.Solver, arguments: Any, asked: dict[str, Any]) -> str:
    """The text printed for a source: one line, or with --predict a line for each beginning that the model can read."""
    if arguments.json:
        return json.dumps(asked)
    if "error" in asked:
        return ""
    source = asked["source"]
    if arguments.steps:
        steps = asked["steps"]
        if solver.task.stepwise and any("\n" in step for step in steps):  # set out in columns
            return "\n".join(steps)
        return one_line(" -> ".join([solver.task.normalise(source), *steps]))
    if arguments.predict:
        predictions = asked["predictions"]
        ends = range(len(source) - len(predictions) + 1, len(source) + 1)
        return "\n".join(
            f"{source[:end]!r} -> {each['answer']!r} ({each['confidence']:.1%})" for end, each in zip(ends, predictions)
        )
    if arguments.best is not None:
        return one_line(", ".join(f"{each['answer']} ({sure(each)})" for each in asked["answers"]))
    return one_line(asked["answer"])


def write(solver: seq2seq.Solver, arguments: Any) -> None:
    """Print the beginning of a text and its continuation, character by character."""
    options = {name: value for name in WRITING if (value := getattr(arguments, name)) is not None}
    written = solver.continued(arguments.prefix, seed=arguments.seed, **options)
    sys.stdout.write(arguments.prefix)
    for character in written:
        sys.stdout.write(character)
        sys.stdout.flush()
    print()


def answer(solver: seq2seq.Solver, arguments: Any, sources: list[str], what: str, first: int) -> bool:
    """Print an answer a line, an empty one for a source that cannot be read. Returns whether all could be."""
    asked = ask(solver, arguments, sources)
    for number, each in enumerate(asked, first):
        if "error" in each:
            report(f"{what} {number}: {each['error']}")
        elif mark := each["unlike_training"]:
            report(f"{what} {number}: unlike training: {short(each['source'])} {mark}")
    sys.stdout.write("".join(f"{said(solver, arguments, each)}\n" for each in asked))
    sys.stdout.flush()
    return not any("error" in each for each in asked)


def converse(solver: seq2seq.Solver, arguments: Any) -> bool:
    """Show a prompt, with history, until the end of input."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() its history and editing)
    say(f"{solver.shown}: type a source, such as {one_line(solver.example)}; Ctrl-D ends")
    plain = not (arguments.json or arguments.steps or arguments.predict) and arguments.best is None
    while True:
        try:
            source = text(input("> "))
        except (EOFError, KeyboardInterrupt):
            say("")
            return True
        [asked] = ask(solver, arguments, [source])
        if "error" in asked:
            report(asked["error"])
            continue
        is_sure = plain and "confidence" in asked
        print(said(solver, arguments, asked) + (f"    ({asked['confidence']:.0%} sure)" if is_sure else ""))
        if mark := asked["unlike_training"]:
            report(f"unlike training: {short(source)} {mark}")


def main() -> int:
    parser = CommandParser(
        "Answer sources, one answer a line. Without any, read a line each from stdin, which is UTF-8; at a terminal, "
        "prompt.",
        {
            "'3*7+2' '1+1+1'": "",
            "--run runs/a --run runs/b '3*7+2'": "with the average of both",
            "< questions.txt > answers.txt": "",
            "--continue 'It is' --temperature 0.7": "",
        },
        "A source that cannot be read gives an empty line, a message that names its line, and exit status 2.\n"
        "A message on stderr names each source that is unlike all that the run was trained on: do not rely on it.\n"
        "With --json, an object for each source, a line each:\n"
        "  source, answer\n"
        "  confidence       the product of the probabilities of all its characters, in all steps\n"
        "  value            in place of it, the number, with a run of ratings or of a table\n"
        "  unlike_training  why the answer cannot be relied on, or null\n"
        "  steps            with --steps, the working: what each step wrote\n"
        "  answers          with --best, the most probable ones, each with its answer and confidence\n"
        "  predictions      with --predict, the same for the character after each beginning\n"
        "  error            in place of all these but source, if that cannot be read\n"
        "A source of a run of ratings is USER,ITEM, or with --best a USER alone.\n"
        "A line break within an answer is written \\n. A source that begins with a dash and a letter comes after --.",
    )
    parser.add_argument("sources", nargs="*", type=text, metavar="SOURCE")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--steps", action="store_true", help="also print the working, with a run that has learned it")
    shown.add_argument(
        "--best",
        type=int,
        metavar="N",
        help="print the N most probable answers, or first steps, with an attention run, or the N best items of a user",
    )
    shown.add_argument(
        "--predict", action="store_true", help="print the next character after each beginning, with the run of a text"
    )
    shown.add_argument(
        "--continue", type=text, metavar="PREFIX", dest="prefix", help="continue a text, with the run of a text"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each source, a line each")
    parser.add_argument("--characters", type=int, metavar="N", help="how many to write (default: 200)")
    parser.add_argument(
        "--temperature", type=float, metavar="X", help="below 1: keep to the probable; 0: to the most (default: 1)"
    )
    parser.add_argument("--top-k", type=int, metavar="N", help="write one of the N most probable (default: of all)")
    add_run_options(parser)
    arguments = parser.parse_args()
    if arguments.prefix is None:
        for name in WRITING:
            if getattr(arguments, name) is not None:
                parser.error(f"--{name.replace('_', '-')}: goes with --continue")
    elif arguments.json:
        parser.error("--json: goes with sources, and not with --continue")
    elif arguments.sources:
        parser.error("--continue: continues one text; give no SOURCE with it")
    solver = open_run(arguments)
    if arguments.prefix is not None:
        write(solver, arguments)
        return 0

    if arguments.sources:
        good = answer(solver, arguments, arguments.sources, "argument", 1)
    elif sys.stdin.isatty() and sys.stdout.isatty():
        good = converse(solver, arguments)
    else:
        good, count = True, 0
        for lines in lines_of_stdin():
            for start in range(0, len(lines), BATCH):
                batch = lines[start : start + BATCH]
                good &= answer(solver, arguments, batch, "line", count + 1)
                count += len(batch)
    return 0 if good else WRONG_USE
