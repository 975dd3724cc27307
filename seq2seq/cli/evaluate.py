"""Score a run on held-out examples, and beside them on examples it was trained on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import seq2seq
from seq2seq.cli.parser import CommandParser
from seq2seq.cli.scores import text_scores
from seq2seq.runs import Run
from seq2seq.showing import one_line
from seq2seq.text_evaluation import TextEvaluation

if TYPE_CHECKING:
    from seq2seq.evaluation import Mistake, Score

SAMPLES = 10_000


def print_scores(rows: dict[str, Score], name: str, breakdowns: dict[str, dict[str, Score]]) -> None:
    """A table of scores, and of those of one of them in groups."""
    for group, scores in breakdowns.items():
        rows = {**rows, **{f"{name}, {group} {label}": score for label, score in scores.items()}}
    print(f"{'':22}{'n':>7}  exact match  character accuracy")
    for title, score in rows.items():
        print(f"{title:22}{score.n:7}  {score.exact_match:11.4f}  {score.character_accuracy:18.4f}")


def print_mistakes(mistakes: list[Mistake]) -> None:
    if mistakes:
        print("\nworst mistakes (the model's confidence in its answer):")
    for mistake in mistakes:
        answered = f"answered {mistake.answer!r} ({mistake.confidence:.0%})"
        print(f"  {one_line(mistake.source)} -> {one_line(mistake.target)}, {answered}")


def report_pairs(solver: seq2seq.Solver, path: str, as_json: bool) -> int:
    """Score the pairs of a file, and print what came of it."""
    evaluation = solver.evaluate_pairs(path)
    if as_json:
        about = {"run": str(solver.run.path), "task": solver.task.name, "file": path}
        print(json.dumps({**about, **evaluation.to_json()}))
        return 0
    print(f"{one_line(str(solver.run.path))}: {solver.task!r}, on {one_line(str(path))}\n")
    print_scores({"pairs": evaluation.score}, "pairs", evaluation.breakdowns)
    for measure, value in evaluation.measures.items():
        print(f"pairs: {measure.replace('_', ' ')} {value:.4f}")
    if evaluation.overlap is None:
        print("\nhow many of the sources had been trained on is not known: the run's data cannot be made again")
    else:
        print(f"\n{evaluation.overlap:.1%} of the sources had been trained on")
    if evaluation.unreadable:
        print(f"{evaluation.unreadable} of {evaluation.score.n} sources cannot be read and count as answered wrongly:")
        print("".join(f"  {problem}\n" for problem in evaluation.problems), end="")
    print_mistakes(evaluation.mistakes)
    return 0


def main() -> int:
    parser = CommandParser(
        "Score a run: exact match (every character of the answer right) on held-out examples first, then on examples "
        "it was trained on.",
        {"": "", "--run runs/notebook --json": "", "--plot curves.png": "", "--pairs official-test.tsv": ""},
        "Scores of --pairs are printed alone; the run folder keeps the evaluation that it has.",
    )
    parser.add_argument("--run", metavar="DIR", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--samples", type=int, metavar="N", help=f"most examples of each (default: {SAMPLES})")
    parser.add_argument("--pairs", metavar="FILE", help="score the pairs of a file, as for training, in place of these")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", metavar="FILE", help="draw the learning curves and scores to an image")
    arguments = parser.parse_args()
    if arguments.pairs is not None:
        for name in ("samples", "plot"):
            if getattr(arguments, name) is not None:
                parser.error(f"--{name}: does not go with --pairs")
    solver = seq2seq.Solver(arguments.run or Run.newest().path, device=arguments.device)
    if arguments.pairs is not None:
        return report_pairs(solver, arguments.pairs, arguments.json)
    samples = SAMPLES if arguments.samples is None else arguments.samples
    evaluation = solver.evaluate(samples, arguments.seed)
    if arguments.plot:
        from seq2seq.plots import plot_run

        plot_run(solver.run, evaluation, arguments.plot)
    if arguments.json:
        print(json.dumps({"run": str(solver.run.path), "task": solver.task.name, **evaluation.to_json()}))
        return 0

    print(f"{one_line(str(solver.run.path))}: {solver.task!r}\n")
    if isinstance(evaluation, TextEvaluation):
        print(text_scores(evaluation))
        return 0
    rows = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    print_scores(rows, "held out", evaluation.breakdowns)
    for name, values in evaluation.measures.items():
        for measure, value in values.items():
            print(f"{name.replace('_', ' ')}: {measure.replace('_', ' ')} {value:.4f}")
    print(f"\n{evaluation.overlap:.1%} of the held-out examples had been trained on")
    print_mistakes(evaluation.mistakes)
    return 0
