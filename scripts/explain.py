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
    for step, (character, row) in enumerate(zip(explanation.written, explanation.probabilities)):
        others = [place for place in row.argsort()[::-1] if explanation.characters[place] != character][:2]
        alternatives = ", ".join(f"{explanation.characters[place]!r} {row[place]:.1%}" for place in others)
        hesitates = "  <- hesitates" if step in explanation.hesitations else ""
        print(f"{step + 1:4}  {character!r:>6}  {row.max():11.1%}  {alternatives}{hesitates}")


def main() -> int:
    parser = _command.Parser(
        "Show the probability of each character at each step, where the model hesitated, and where it looked.",
        "examples:\n  python scripts/explain.py '3*7+2'\n  python scripts/explain.py '3*7+2' --plot answer.png\n"
        "  python scripts/explain.py --embeddings characters.png\n",
    )
    parser.add_argument("expressions", nargs="*", metavar="EXPRESSION")
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--plot", metavar="FILE", help="draw probabilities and attention for the expression")
    parser.add_argument("--embeddings", metavar="FILE", help="draw the characters by the two ways they differ most")
    arguments = parser.parse_args()
    if not arguments.expressions and not arguments.embeddings:
        parser.error("EXPRESSION: give one, or --embeddings")
    if arguments.plot and len(arguments.expressions) != 1:
        parser.error("--plot: draws one expression")
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)

    for source in arguments.expressions:
        explanations = explain(solver, source)
        for explanation in explanations:
            show(explanation)
        if arguments.plot:
            from seq2seq.plots import plot_explanations

            plot_explanations(explanations, arguments.plot)
    if arguments.embeddings:
        from seq2seq.plots import plot_embeddings

        characters, vectors = character_embeddings(solver)
        coordinates, shares = principal_components(vectors)
        orders = order_correlation(characters, coordinates)
        for component, (share, order) in enumerate(zip(shares, orders), 1):
            ordered = f"rank correlation with the digits' value {order:+.2f}"
            print(f"component {component}: {share:.0%} of the variance; {ordered}")
        plot_embeddings(characters, coordinates, shares, arguments.embeddings)
    return 0


if __name__ == "__main__":
    _command.run(main)
