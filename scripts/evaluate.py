#!/usr/bin/env python3
"""Score a run on held-out examples, and beside them on examples it was trained on."""

from __future__ import annotations

import json

import _command

import seq2seq
from seq2seq.runs import Run
from seq2seq.text_evaluation import TextEvaluation


def main() -> int:
    parser = _command.Parser(
        "Score a run: exact match (every character of the answer right) on held-out examples first, then on examples "
        "it was trained on.",
        "examples:\n  python scripts/evaluate.py\n  python scripts/evaluate.py --run runs/notebook --json\n"
        "  python scripts/evaluate.py --plot curves.png\n",
    )
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    parser.add_argument(
        "--samples", type=int, default=10_000, metavar="N", help="most examples of each (default: 10000)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", metavar="FILE", help="draw the learning curves and scores to an image")
    arguments = parser.parse_args()
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)
    evaluation = solver.evaluate(arguments.samples, arguments.seed)
    if arguments.plot:
        from seq2seq.plots import plot_run

        plot_run(solver.run, evaluation, arguments.plot)
    if arguments.json:
        print(json.dumps({"run": str(solver.run.path), "task": solver.task.name, **evaluation.to_json()}))
        return 0

    print(f"{solver.run.path}: {solver.task!r}\n")
    if isinstance(evaluation, TextEvaluation):
        print(_command.text_scores(evaluation))
        return 0
    print(f"{'':22}{'n':>7}  exact match  character accuracy")
    rows = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    for name, scores in evaluation.breakdowns.items():
        rows.update({f"held out, {name} {label}": score for label, score in scores.items()})
    for name, score in rows.items():
        print(f"{name:22}{score.n:7}  {score.exact_match:11.4f}  {score.character_accuracy:18.4f}")
    for name, values in evaluation.measures.items():
        for measure, value in values.items():
            print(f"{name.replace('_', ' ')}: {measure.replace('_', ' ')} {value:.4f}")
    print(f"\n{evaluation.overlap:.1%} of the held-out examples had been trained on")
    if evaluation.mistakes:
        print("\nworst mistakes (the model's confidence in its answer):")
        for mistake in evaluation.mistakes:
            answered = f"answered {mistake.answer!r} ({mistake.confidence:.0%})"
            print(f"  {mistake.source} -> {mistake.target}, {answered}")
    return 0


if __name__ == "__main__":
    _command.run(main)
