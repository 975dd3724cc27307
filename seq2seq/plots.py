"""Pictures of a run. They need matplotlib: `pip install 'seq2seq[plot]'`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.errors import Seq2SeqError, UsageError
from seq2seq.runs import PathLike, Run

if TYPE_CHECKING:
    from seq2seq.evaluation import Evaluation


def plot_run(run: Run, evaluation: Evaluation, file: PathLike) -> None:
    """Draw how a run learned, and how well it answers what was held out.

    Parameters
    ----------
    run : Run
        Its `metrics.csv` gives loss (nats a character) and exact match by epoch.
    evaluation : Evaluation
        Gives exact match by group, such as the operators or the answer's length.
    file : path
        The image to write; its ending says the format (`.png`, `.svg`, `.pdf`).

    Raises
    ------
    UsageError
        If the ending is of no format that matplotlib writes.
    Seq2SeqError
        If matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Seq2SeqError("plots need matplotlib: pip install 'seq2seq[plot]'") from None

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    formats = sorted(figure.canvas.get_supported_filetypes())
    if Path(file).suffix[1:].lower() not in formats:
        raise UsageError(f"plot: got {str(file)!r}, but its ending must be one of {', '.join(formats)}")
    loss, exact, groups = figure.subplots(1, 3)
    _curves(loss, exact, run.read_metrics())
    _bars(groups, evaluation)
    try:
        figure.savefig(file)
    except OSError as error:
        raise Seq2SeqError(f"{file}: cannot be written: {error.strerror}") from None


def _curves(loss: Any, exact: Any, rows: list[dict[str, Any]]) -> None:
    epochs = [row["epoch"] for row in rows]
    loss.plot(epochs, [row["train_loss"] for row in rows], label="training")
    loss.plot(epochs, [row["validation_loss"] for row in rows], label="validation")
    loss.set(title="loss", xlabel="epoch", ylabel="nats a character", yscale="log")
    loss.legend()
    exact.plot(epochs, [row["validation_exact_match"] for row in rows], color="C1")
    exact.set(title="exact match, validation", xlabel="epoch", ylim=(0, 1.02))


def _bars(axes: Any, evaluation: Evaluation) -> None:
    bars = {"all": evaluation.held_out.exact_match}
    for name, scores in evaluation.breakdowns.items():
        bars.update({f"{name} {label}": score.exact_match for label, score in scores.items()})
    axes.barh(list(bars), list(bars.values()), color="C2")
    axes.invert_yaxis()
    axes.set(title="exact match, held out", xlim=(0, 1.02))
