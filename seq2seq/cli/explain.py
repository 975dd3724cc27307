"""Show how a run arrives at its answer."""

from __future__ import annotations

import argparse

from seq2seq import explaining
from seq2seq.cli.opening import add_run_options, open_run
from seq2seq.cli.parser import CommandParser, text
from seq2seq.errors import short
from seq2seq.showing import one_line


def _order(argument: str) -> list[str]:
    """Two or more names with commas between them."""
    names = [name.strip() for name in text(argument).split(",")]
    if len(names) < 2:
        raise argparse.ArgumentTypeError(f"got {short(argument)}, but it must be two or more names: A,B,...")
    return names


def main() -> int:
    parser = CommandParser(
        "Show the probability of each symbol at each step, where the model hesitated, and where it looked. <end> ends "
        "an answer, <pad> fills one up; ' ', in a picture ␣, is a space that is written. Line breaks are shown as \\n. "
        "Of a run of ratings, show the terms of a rating, or without SOURCE the items by bias and the extremes of the "
        "embeddings.",
        {"'3*7+2'": "", "'3*7+2' --plot answer.png": "", "--embeddings characters.png": "", "--neighbours 7": ""},
    )
    parser.add_argument("sources", nargs="*", type=text, metavar="SOURCE")
    add_run_options(parser)
    parser.add_argument("--plot", metavar="FILE", help="draw probabilities and attention for the source")
    parser.add_argument("--embeddings", metavar="FILE", help="draw the principal components of the symbols")
    parser.add_argument("--dimensions", type=int, choices=(2, 3), default=2, help="of that picture (default: 2)")
    parser.add_argument(
        "--neighbours",
        type=text,
        metavar="SYMBOL",
        help="print the symbols that are most similar to this one in the model",
    )
    parser.add_argument(
        "--order",
        type=_order,
        action="append",
        default=[],
        metavar="A,B,...",
        help="a known order of categories, with which the components are compared; may be given several times",
    )
    arguments = parser.parse_args()
    if arguments.plot and len(arguments.sources) != 1:
        parser.error("--plot: draws one source")
    for name in ("embeddings", "neighbours"):
        if getattr(arguments, name) and len(arguments.run or ()) > 1:
            parser.error(f"--{name}: shows what one --run has learned")
    if arguments.order and not arguments.embeddings and (arguments.sources or arguments.neighbours):
        parser.error("--order: goes with --embeddings, or without SOURCE and --neighbours")
    solver = open_run(arguments)

    if not (arguments.sources or arguments.embeddings or arguments.neighbours):
        print("\n".join(map(one_line, solver.overview(arguments.order))))
    for source in arguments.sources:
        print("\n".join(map(one_line, solver.explain(source))))
        if arguments.plot:
            solver.plot(source, arguments.plot)
    embeddings = solver.embeddings() if arguments.embeddings or arguments.neighbours else {}
    if arguments.embeddings:
        from seq2seq.plots import plot_embeddings

        explaining.require_orders(embeddings, arguments.order)
        parts = {}
        for name, (symbols, vectors) in embeddings.items():
            coordinates, shares = explaining.principal_components(vectors, arguments.dimensions)
            parts[name] = explaining.Components(symbols, coordinates, shares)
            print("\n".join(explaining.described(name, parts[name], arguments.order)))
        plot_embeddings(parts, arguments.embeddings)
    if arguments.neighbours:
        for name, nearest in explaining.neighbours(embeddings, arguments.neighbours).items():
            print(f"{name}, nearest to {arguments.neighbours!r} by cosine similarity")
            for symbol, similarity in nearest:
                print(f"  {symbol!r:>6}  {similarity:+.3f}")
    return 0
