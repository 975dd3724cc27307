"""Plots of a run. They need matplotlib: `pip install 'mxseq2seq[plot]'`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.errors import Seq2SeqError, UsageError
from seq2seq.places import PathLike
from seq2seq.runs import Run
from seq2seq.showing import printable
from seq2seq.typing import Array

if TYPE_CHECKING:
    from typing import Union

    from seq2seq.engine.range_test import RangeTest
    from seq2seq.evaluation import Evaluation
    from seq2seq.explaining import Components, Explanation
    from seq2seq.ratings_evaluation import RatingsEvaluation
    from seq2seq.table_evaluation import TableEvaluation
    from seq2seq.text_evaluation import TextEvaluation

    AnyEvaluation = Union[Evaluation, TextEvaluation, RatingsEvaluation, TableEvaluation]

MOST_ROWS = 24  # maximum number of symbols in a plot of probabilities
MOST_LABELS = 400  # maximum number of labels in a plot of embeddings
FURTHEST = 300  # maximum distance of a label from its symbol, in pixels
LONGEST_TITLE = 28  # maximum number of characters shown of a string
LONGEST_LABEL = 20  # maximum number of characters shown of a symbol
INCHES = 0.15  # width of a plot per symbol
MOST_INCHES = 30  # maximum width of a plot
LONGEST_UPRIGHT = 5  # column labels with more characters are rotated
FRACTIONS = ("exact_match", "accuracy")  # validation values from 0 to 1
MOST_FRACTION = 1.02  # end of their axis
PLAIN = {"parse_math": False, "usetex": False}  # for text in which a `$` does not start a formula


def plot_run(run: Run, evaluation: AnyEvaluation, file: PathLike) -> None:
    """Plot the learning curves of a run and its scores on held-out examples.

    Parameters
    ----------
    run : Run
        Its `metrics.csv` has the loss (nats per character) and exact match of each epoch.
    evaluation : Evaluation, TextEvaluation, RatingsEvaluation or TableEvaluation
        Gives exact match by group, such as the operators or the length of the answer; for a text, accuracy; for
        ratings and tables, errors.
    file : path
        The image to write; its extension determines the format (`.png`, `.svg`, `.pdf`).

    Raises
    ------
    UsageError
        If matplotlib cannot write the format.
    Seq2SeqError
        If matplotlib is not installed, or the file cannot be written.
    """
    figure = _figure((12, 3.6))
    loss, exact, groups = figure.subplots(1, 3)
    _curves(loss, exact, run.read_metrics(), *evaluation.curves)
    _bars(groups, evaluation)
    _save(figure, file)


def plot_explanations(explanations: list[Explanation], file: PathLike) -> None:
    """Plot the probability of each character at each step and, for a model with attention, the attention weights.

    Parameters
    ----------
    explanations : list of Explanation
        One row of plots per explanation.
    file : path
        As in `plot_run`, with the same errors.
    """
    looks = any(each.attention is not None for each in explanations)
    longest = max(len(part) for each in explanations for part in (each.read, each.written))
    side = min(max(4, INCHES * longest), MOST_INCHES)
    figure = _figure(((side + 1) * (2 if looks else 1), 0.5 + (side if looks else 4) * len(explanations)))
    grid = figure.subplots(len(explanations), 2 if looks else 1, squeeze=False)
    for row, each in zip(grid, explanations):
        steps, symbols, read = ([_label_of(s) for s in part] for part in (each.written, each.symbols, each.read))
        drawn = _worth_drawing(each.probabilities)
        _heat(row[0], each.probabilities.T[drawn], steps, [symbols[place] for place in drawn])
        row[0].set_title(f"{_cut(each.source, LONGEST_TITLE)}: probability", **PLAIN)
        row[0].set(xlabel="output, step by step")
        if each.attention is not None:
            _heat(row[1], each.attention, read, steps)
            row[1].set(title="attention", xlabel="source", ylabel="output")
    _save(figure, file)


def plot_embeddings(parts: Mapping[str, Components], file: PathLike) -> None:
    """Plot symbols at their coordinates, with one scale for all axes and a line through the digits in order.

    A label that would cover another one is placed beside its symbol, with a line between them.

    Parameters
    ----------
    parts : dict of str to Components
        One plot per entry.
    file : path
        As in `plot_run`, with the same errors.
    """
    side = max(5, *(min(len(part.symbols), MOST_LABELS) ** 0.5 for part in parts.values()))
    figure = _figure((side * len(parts), side))
    for place, (name, (symbols, coordinates, shares)) in enumerate(parts.items(), 1):
        deep = coordinates.shape[1] == 3
        axes = figure.add_subplot(1, len(parts), place, projection="3d" if deep else None, title=name)
        digits = [symbols.index(digit) for digit in "0123456789" if digit in symbols]
        axes.plot(*coordinates[digits].T, color="C0", alpha=0.3)
        least = coordinates.min(axis=0)
        most = coordinates.max(axis=0)
        reach = 0.55 * (most - least).max() or 1
        for axis, number, middle, share in zip("xyz", (1, 2, 3), (least + most) / 2, shares):
            label = f"component {number}, {share:.0%} of variance"
            axes.set(**{f"{axis}lim": (middle - reach, middle + reach), f"{axis}label": label})
        axes.locator_params(nbins=6)
        axes.set_box_aspect((1, 1, 1), zoom=0.85) if deep else axes.set_box_aspect(1)
    with _quietly():
        figure.draw_without_rendering()  # determines the position of each point in the image
        for axes, part in zip(figure.axes, parts.values()):
            _label(axes, part)
    _save(figure, file)


def plot_rates(test: RangeTest, file: PathLike) -> None:
    """Plot the loss at each rate of a range test, and the suggested rate.

    Parameters
    ----------
    test : RangeTest
    file : path
        As in `plot_run`, with the same errors.
    """
    figure = _figure((6, 4))
    axes = figure.subplots()
    axes.plot(test.rates, test.losses, color="C0", alpha=0.3, label="loss of a batch")
    axes.plot(test.rates, test.smoothed, color="C0", label="smoothed")
    axes.axvline(test.suggestion, color="C1", label=f"suggested: {test.suggestion:g}")
    axes.set(title="range test", xlabel="learning rate", ylabel="loss", xscale="log")
    axes.set_ylim(0, 1.5 * max(test.fall))  # the height to which the loss rises at the end is of little interest
    axes.legend()
    _save(figure, file)


def _label(axes: Any, part: Components) -> None:
    """Label the symbols, at most `MOST_LABELS` of them, the furthest out first, without overlaps."""
    furthest = (part.coordinates**2).sum(axis=1).argsort()[::-1][:MOST_LABELS]
    points = part.coordinates[furthest]
    if points.shape[1] == 3:
        from mpl_toolkits.mplot3d.proj3d import proj_transform

        points = np.stack(proj_transform(*points.T, axes.get_proj())[:2], axis=1)
    labels = [
        axes.annotate(
            _label_of(part.symbols[row]), point, (0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=11, annotation_clip=False, in_layout=False, **PLAIN,
            arrowprops={"arrowstyle": "-", "color": "C0", "alpha": 0.5, "shrinkA": 0, "shrinkB": 0},
        )
        for row, point in zip(furthest, points)
    ]  # fmt: skip
    centres = axes.transData.transform(points)
    sizes = np.array([label.get_window_extent().size for label in labels])
    for label, pixels in zip(labels, _apart(centres, sizes) - centres):
        label.set_position(pixels * 72 / axes.figure.dpi)


def _apart(centres: Array, sizes: Array) -> Array:
    """Move boxes so that they do not overlap.

    Each box in turn is moved to the nearest free position, and stays if there is none near it.

    Parameters
    ----------
    centres, sizes : ndarray, shape (N, 2)
        Centres and sizes of the boxes, in pixels.

    Returns
    -------
    ndarray, shape (N, 2)
        The new centres.
    """
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    placed = centres.copy()
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for row, (centre, size) in enumerate(zip(centres, sizes)):
        for radius in range(0, FURTHEST, 4):
            tried = centre + radius * around  # (24, 2)
            over = np.abs(tried[:, None] - placed[:row]) < (size + sizes[:row]) / 2  # (24, row, 2)
            free = ~over.all(axis=2).any(axis=1)
            if free.any():
                placed[row] = tried[free.argmax()]
                break
    return placed


def _worth_drawing(probabilities: Any) -> Any:
    """Indices of the symbols that get a row: at most `MOST_ROWS`, those most probable at some step, from (T, V)."""
    most = probabilities.max(axis=0)
    return sorted(most.argsort()[-MOST_ROWS:])


def _label_of(symbol: str) -> str:
    """A symbol as shown in a plot."""
    return "␣" if symbol == " " else _cut(symbol, LONGEST_LABEL)


def _cut(text: str, most: int) -> str:
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _figure(size: tuple[float, float]) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Seq2SeqError("plots need matplotlib: pip install 'mxseq2seq[plot]'") from None
    return Figure(figsize=size, layout="constrained")


def _save(figure: Any, file: PathLike) -> None:
    formats = sorted(figure.canvas.get_supported_filetypes())
    if Path(file).suffix[1:].lower() not in formats:
        raise UsageError(f"plot: got {str(file)!r}, but its ending must be one of {', '.join(formats)}")
    try:
        with _quietly():
            figure.savefig(file)
    except OSError as error:
        raise Seq2SeqError(f"{file}: cannot be written: {error.strerror}") from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Suppress warnings about characters that are missing in the font, which are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _heat(axes: Any, values: Any, columns: list[str], rows: list[str]) -> None:
    axes.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    upright = max(map(len, columns)) <= LONGEST_UPRIGHT
    axes.set_xticks(range(len(columns)), columns, rotation=0 if upright else 90, **PLAIN)
    axes.set_yticks(range(len(rows)), rows, **PLAIN)


def _curves(loss: Any, other: Any, rows: list[dict[str, Any]], unit: str, value: str) -> None:
    epochs = [row["epoch"] for row in rows]
    loss.plot(epochs, [row["train_loss"] for row in rows], label="training")
    loss.plot(epochs, [row["validation_loss"] for row in rows], label="validation")
    loss.set(title="loss", xlabel="epoch", ylabel=unit, yscale="log")
    loss.legend()
    other.plot(epochs, [row[f"validation_{value}"] for row in rows], color="C1")
    other.set(title=f"{value.replace('_', ' ')}, validation", xlabel="epoch")
    if value in FRACTIONS:
        other.set_ylim(0, MOST_FRACTION)


def _bars(axes: Any, evaluation: AnyEvaluation) -> None:
    title, bars = evaluation.bars
    axes.barh(range(len(bars)), list(bars.values()), color="C2")
    axes.set_yticks(range(len(bars)), [_cut(name, LONGEST_TITLE) for name in bars], **PLAIN)
    axes.invert_yaxis()
    axes.set(title=title, xlim=(0, max(MOST_FRACTION, 1.02 * max(bars.values()))))
