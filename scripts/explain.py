#!/usr/bin/env python3
"""Show how a run comes to its answer."""

from __future__ import annotations

import _command

import seq2seq
from seq2seq.explaining import character_embeddings, explain, order_correlation, principal_components
from seq2seq.runs import Run


def show(explanation: seq2seq.explaining.Explanation) -> None:
    print(f"{explanation.source} -> {explanation.answer}")
    print("step  writes  probability  else")
    for step, (symbol, row) in enumerate(zip(explanation.written, explanation.probabilities)):
        others = [place for place in row.argsort()[::-1] if explanation.symbols[place] != symbol][:2]
        alternatives = ", ".join(f"{explanation.symbols[place]!r} {row[place]:.1%}" for place in others)
        hesitates = "  <- hesitates" if step in explanation.hesitations else ""
        print(f"{step + 1:4}  {symbol!r:>6}  {row.max():11.1%}  {alternatives}{hesitates}")


def main() -> int:
    parser = _command.Parser(
        "Show the probability of each symbol at each step, where the model hesitated, and where it looked.",
        "examples:\n  python scripts/explain.py '3*7+2'\n  python scripts/explain.py '3*7+2' --plot answer.png\n"
        "  python scripts/explain.py --embeddings characters.png\n",
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE")
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--plot", metavar="FILE", help="draw probabilities and attention for the source")
    parser.add_argument("--embeddings", metavar="FILE", help="draw the symbols by the two ways they differ most")
    arguments = parser.parse_args()
    if not arguments.sources and not arguments.embeddings:
        parser.error("SOURCE: give one, or --embeddings")
    if arguments.plot and len(arguments.sources) != 1:
        parser.error("--plot: draws one source")
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)

    for source in arguments.sources:
        explanations = explain(solver, source)
        for explanation in explanations:
            show(explanation)
        if arguments.plot:
            from seq2seq.plots import plot_explanations

            plot_explanations(explanations, arguments.plot)
    if arguments.embeddings:
        from seq2seq.plots import plot_embeddings

        symbols, vectors = character_embeddings(solver)
        coordinates, shares = principal_components(vectors)
        ordered = ["", ""]
        if set("0123456789") <= set(symbols):
            orders = order_correlation(symbols, coordinates)
            ordered = [f"; rank correlation with the digits' value {order:+.2f}" for order in orders]
        for component, (share, order) in enumerate(zip(shares, ordered), 1):
            print(f"component {component}: {share:.0%} of the variance{order}")
        plot_embeddings(symbols, coordinates, shares, arguments.embeddings)
    return 0


if __name__ == "__main__":
    _command.run(main)
