"""Pack a run into one file."""

from __future__ import annotations

import seq2seq
from seq2seq.cli import invocation
from seq2seq.cli.opening import add_license
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import say
from seq2seq.runs import Run
from seq2seq.showing import one_line


def main() -> int:
    start = invocation.example("pack")
    parser = Parser(
        "Pack a run into one file to hand on: its best weights, configuration, metrics, evaluation and a model card. "
        "Every command opens the file like a run folder, and changes nothing in it.",
        epilog=f"examples:\n  {start} runs/a\n  {start} runs/a words.zip --license mit\n"
        f"  {invocation.example('solve')} --run words.zip hello\n\n"
        "What a run has learned from may be private. So the pairs, the text or the table that it keeps are left out,\n"
        "and all that quotes from them. Their symbols, or names of users, items and categories, are packed, since\n"
        "answering needs them.\n",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run folder (default: the newest under runs/)")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file to write (default: the run's name and .zip)")
    parser.add_argument("--with-data", action="store_true", help="pack the data too, with which it can be scored")
    add_license(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    arguments = parser.parse_intermixed_args(invocation.arguments())
    run = Run.newest().path if arguments.run is None else arguments.run
    packed = seq2seq.pack(
        run,
        arguments.file,
        with_data=arguments.with_data,
        license=arguments.license,
        overwrite=arguments.overwrite,
    )
    print(f"wrote {one_line(str(packed.path))}, {packed.path.stat().st_size:,} bytes")
    if packed.left_out:
        left_out = ", ".join(packed.left_out)
        say(f"{invocation.name()}: left out, since they may be private: {left_out}; --with-data packs them too")
    return 0
