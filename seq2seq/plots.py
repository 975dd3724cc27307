"""Pictures of a run. They need matplotlib: `pip install 'seq2seq[plot]'`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.errors import Seq2SeqError, UsageError
from seq2seq.runs import PathLike, Run

if TYPE_CHECKING:
    from seq2seq.evaluation import Evaluation
    from seq2seq.explaining import Explanation

MOST_ROWS = 24  # symbols that have room in a picture


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
    figure = _figure((12, 3.6))
    loss, exact, groups = figure.subplots(1, 3)
    _curves(loss, exact, run.read_metrics())
    _bars(groups, evaluation)
    _save(figure, file)


def plot_explanations(explanations: list[Explanation], file: PathLike) -> None:
    """Draw the probability of each character at each step, and beside it, where there is one, the attention.

    A row for each explanation. Of the file and the errors, see `plot_run`.
    """
    looks = any(each.attention is not None for each in explanations)
    figure = _figure((10 if looks else 5, 0.5 + 4 * len(explanations)))
    grid = figure.subplots(len(explanations), 2 if looks else 1, squeeze=False)
    for row, each in zip(grid, explanations):
        steps, symbols, read = ([_visible(s) for s in part] for part in (each.written, each.symbols, each.read))
        drawn = _worth_drawing(each.probabilities)
        _heat(row[0], each.probabilities.T[drawn], steps, [symbols[place] for place in drawn])
        row[0].set(title=f"{each.source}: probability", xlabel="what it writes, step by step")
        if each.attention is not None:
            _heat(row[1], each.attention, read, steps)
            row[1].set(title="attention", xlabel="where it looks", ylabel="what it writes")
    _save(figure, file)


def plot_embeddings(characters: Sequence[str], coordinates: Any, shares: Any, file: PathLike) -> None:
    """Draw symbols at their coordinates (N, 2), the digits joined in order. Of the file, see `plot_run`."""
    figure = _figure((5, 5))
    axes = figure.subplots()
    digits = [characters.index(digit) for digit in "0123456789" if digit in characters]
    axes.plot(*coordinates[digits].T, color="C0", alpha=0.3)
    for character, (x, y) in zip(characters, coordinates):
        axes.text(x, y, _visible(character), ha="center", va="center", fontsize=14)
    axes.scatter(*coordinates.T, alpha=0)  # text alone does not set the limits
    axes.set(xlabel=f"first component ({shares[0]:.0%} of the variance)", ylabel=f"second ({shares[1]:.0%})")
    _save(figure, file)


def _worth_drawing(probabilities: Any) -> Any:
    """The places of the symbols, of probabilities (T, V), that have a row: of many, those likely at some step."""
    most = probabilities.max(axis=0)
    return sorted(most.argsort()[-MOST_ROWS:])


def _visible(symbol: str) -> str:
    return symbol if symbol.strip() else "␣"


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Seq2SeqError("plots need matplotlib: pip install 'seq2seq[plot]'") from None
    return Figure(figsize=size, layout="constrained")


def _save(figure: Any, file: PathLike) -> None:
    formats = sorted(figure.canvas.get_supported_filetypes())
    if Path(file).suffix[1:].lower() not in formats:
        raise UsageError(f"plot: got {str(file)!r}, but its ending must be one of {', '.join(formats)}")
    try:
        figure.savefig(file)
    except OSError as error:
        raise Seq2SeqError(f"{file}: cannot be written: {error.strerror}") from None


def _heat(axes: Any, values: Any, columns: list[str], rows: list[str]) -> None:
    axes.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)


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
