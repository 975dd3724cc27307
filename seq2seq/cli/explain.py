"""Show how a run arrives at its answer."""

from __future__ import annotations

import seq2seq
from seq2seq import explaining
from seq2seq.cli.parser import CommandParser, text
from seq2seq.runs import Run
from seq2seq.showing import one_line


def show(explanation: explaining.Explanation) -> None:
    print(f"{one_line(explanation.source)} -> {one_line(explanation.answer)}")
    print("step   writes  probability  else")
    for step, (symbol, row) in enumerate(zip(explanation.written, explanation.probabilities)):
        others = [place for place in row.argsort()[::-1] if explanation.symbols[place] != symbol][:2]
        alternatives = ", ".join(f"{explanation.symbols[place]!r} {row[place]:.1%}" for place in others)
        hesitates = "  <- hesitates" if step in explanation.hesitations else ""
        print(f"{step + 1:4}  {symbol!r:>7}  {row.max():11.1%}  {alternatives}{hesitates}")


def show_components(name: str, components: explaining.Components) -> None:
    symbols, coordinates, shares = components
    ordered = [""] * len(shares)
    if set("0123456789") <= set(symbols):
        orders = explaining.order_correlation(symbols, coordinates)
        ordered = [f"; rank correlation with the digits' value {order:+.2f}" for order in orders]
    for number, (values, share, order) in enumerate(zip(coordinates.T, shares, ordered), 1):
        print(f"{name}, component {number}: {share:.0%} of the variance{order}")
        for end, found in zip(("lowest", "highest"), explaining.extremes(symbols, values)):
            print(f"  {end:7}  " + "  ".join(f"{symbol!r} {value:+.2f}" for symbol, value in found))


def main() -> int:
    parser = CommandParser(
        "Show the probability of each symbol at each step, where the model hesitated, and where it looked. <end> ends "
        "an answer, <pad> fills one up; ' ', in a picture ␣, is a space that is written. Line breaks are shown as \\n.",
        {"'3*7+2'": "", "'3*7+2' --plot answer.png": "", "--embeddings characters.png": "", "--neighbours 7": ""},
    )
    parser.add_argument("sources", nargs="*", type=text, metavar="SOURCE")
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--plot", metavar="FILE", help="draw probabilities and attention for the source")
    parser.add_argument("--embeddings", metavar="FILE", help="draw the principal components of the symbols")
    parser.add_argument("--dimensions", type=int, choices=(2, 3), default=2, help="of that picture (default: 2)")
    parser.add_argument(
        "--neighbours",
        type=text,
        metavar="SYMBOL",
        help="print the symbols that are most similar to this one in the model",
    )
    arguments = parser.parse_args()
    if not (arguments.sources or arguments.embeddings or arguments.neighbours):
        parser.error("SOURCE: give one, or --embeddings, or --neighbours")
    if arguments.plot and len(arguments.sources) != 1:
        parser.error("--plot: draws one source")
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)

    for source in arguments.sources:
        explanations = explaining.explain(solver, source)
        for explanation in explanations:
            show(explanation)
        if arguments.plot:
            from seq2seq.plots import plot_explanations

            plot_explanations(explanations, arguments.plot)
    embeddings = explaining.character_embeddings(solver) if arguments.embeddings or arguments.neighbours else {}
    if arguments.embeddings:
        from seq2seq.plots import plot_embeddings

        parts = {}
        for name, (symbols, vectors) in embeddings.items():
            coordinates, shares = explaining.principal_components(vectors, arguments.dimensions)
            parts[name] = explaining.Components(symbols, coordinates, shares)
            show_components(name, parts[name])
        plot_embeddings(parts, arguments.embeddings)
    if arguments.neighbours:
        for name, nearest in explaining.neighbours(embeddings, arguments.neighbours).items():
            print(f"{name}, nearest to {arguments.neighbours!r} by cosine similarity")
            for symbol, similarity in nearest:
                print(f"  {symbol!r:>6}  {similarity:+.3f}")
    return 0
