#!/usr/bin/env python3
"""Draw the boxes and arrows of `from-one-letter-to-sentences.md`, beside this script. Needs the extra `plot`."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch, Polygon, Rectangle

WIDTH, SIZE = 8.2, 0.5  # of a drawing and of a box, in inches, as all lengths are
LOW, MIDDLE, HIGH = 1.1, 2.1, 3.2  # where characters, states and predictions are
READ, REMEMBER, PREDICT, PLAIN, BACK = "#1b7837", "#d95f02", "#2166ac", "#555555", "#c51b8a"
BOTH, UP, REMEMBER_TOO, DENSE = "#8c6d1f", "#01858b", "#a63603", "#6a51a3"
MEANING = {
    READ: "W, to read", REMEMBER: "U, to remember", PREDICT: "to predict", PLAIN: "as it is", BACK: "derivatives",
    BOTH: "[W U], for both", UP: "W of layer 2", REMEMBER_TOO: "U of layer 2", DENSE: "dense, ReLU",
}  # fmt: skip
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "steps", "font.family": "sans-serif", "font.size": 12}


class Drawing:
    """Boxes and arrows, at x to the right and y upwards; a row of what they mean is below."""

    def __init__(self, *colours: str, height: float = 3.8, shapes: bool = True) -> None:
        self.figure = Figure(figsize=(WIDTH, height), facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        self.axes.axis("off")
        x, y = 0.3, 0.28
        for make, text in ((self.character, "character"), (self.state, "state"), (self.prediction, "prediction")):
            if shapes:
                make(x, y, size=0.22)
                self.note(x + 0.19, y, text, size=10, align="left")
                x += 0.45 + 0.078 * len(text)
        for colour in colours:
            self.arrow((x - 0.1, y), (x + 0.28, y), colour, dashed=colour == BACK)
            self.note(x + 0.32, y, MEANING[colour], colour, 10, align="left")
            x += 0.52 + 0.079 * len(MEANING[colour])

    def note(self, x: float, y: float, text: str, colour: str = PLAIN, size: float = 11, align: str = "center") -> None:
        self.axes.text(x, y, text, ha=align, va="center_baseline", color=colour, fontsize=size)

    def _box(self, patch: Patch, x: float, y: float, text: str, face: str, edge: str) -> Patch:
        patch.set(facecolor=face, edgecolor=edge, linewidth=1.5, zorder=2)
        self.axes.add_patch(patch)
        self.axes.text(x, y, text, ha="center", va="center_baseline", color="#222222", zorder=3)
        patch.middle = x, y
        return patch

    def character(self, x: float, y: float, text: str = "", size: float = SIZE) -> Patch:
        return self._box(Rectangle((x - size / 2, y - size / 2), size, size), x, y, text, "#e5f5e0", READ)

    def state(self, x: float, y: float, text: str = "", size: float = SIZE) -> Patch:
        return self._box(Circle((x, y), size / 2), x, y, text, "#fff0e0", REMEMBER)

    def prediction(self, x: float, y: float, text: str = "", size: float = SIZE) -> Patch:
        corners = [(-0.36, -0.5), (0.36, -0.5), (0.62, 0), (0.36, 0.5), (-0.36, 0.5), (-0.62, 0)]
        hexagon = Polygon([(x + size * right, y + size * up) for right, up in corners])
        return self._box(hexagon, x, y, text, "#deebf7", PREDICT)

    def operation(self, x: float, y: float, text: str, width: float = 0.5) -> Patch:
        shape = FancyBboxPatch((x - width / 2, y - 0.18), width, 0.36, boxstyle="round,pad=0,rounding_size=0.12")
        return self._box(shape, x, y, text, "#f2f2f2", PLAIN)

    def frame(self, left: float, bottom: float, right: float, top: float, text: str) -> None:
        style = {"facecolor": "#f7f7f7", "edgecolor": "#999999", "zorder": 0}
        self.axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, **style))
        self.note(left + 0.1, top - 0.17, text, size=10, align="left")

    def arrow(
        self, start: Patch | tuple[float, float], end: Patch | tuple[float, float], colour: str,
        curve: float = 0, dashed: bool = False,
    ) -> None:  # fmt: skip
        """Between two boxes or points."""
        (a, from_a), (b, to_b) = (
            (each, None) if isinstance(each, tuple) else (each.middle, each) for each in (start, end)
        )
        style = {"linestyle": (0, (4, 2)) if dashed else "-", "linewidth": 1.8, "color": colour, "zorder": 1}
        ends = {"patchA": from_a, "patchB": to_b, "shrinkA": 2, "shrinkB": 2, "mutation_scale": 13}
        bend = f"arc3,rad={curve}"
        self.axes.add_patch(FancyArrowPatch(a, b, arrowstyle="-|>", connectionstyle=bend, **ends, **style))

    def over_time(self, left: float, step: float, text: str, predictions: str, first: str | None = "0") -> list[Patch]:
        """States of a text from left to right, and what each predicts, but for a space; perhaps after a first state."""
        states = [self.state(left, MIDDLE, first)] if first is not None else []
        left += step * len(states)
        for place, (read, predicted) in enumerate(zip(text, predictions)):
            x = left + step * place
            states.append(self.state(x, MIDDLE, "h"))
            self.arrow(self.character(x, LOW, read), states[-1], READ)
            if predicted != " ":
                self.arrow(states[-1], self.prediction(x, HIGH, predicted), PREDICT)
        for before, after in zip(states, states[1:]):
            self.arrow(before, after, REMEMBER)
        return states


def line() -> Drawing:
    d, y = Drawing(height=2.3, shapes=False), 1.3
    boxes = [d.character(0.6, y, "x"), d.operation(2.1, y, "× a", 0.6), d.operation(3.7, y, "+ b", 0.6)]
    boxes += [d.operation(5.4, y, "e = … - y", 1.1), d.prediction(7.3, y, "e²")]
    for start, end in zip(boxes, boxes[1:]):
        d.arrow(start, end, PLAIN)
    for start, end, text in zip(boxes[:0:-1], boxes[-2:0:-1], ("2 e", "for b: 2 e", "for a: 2 e x")):
        (right, _), (left, _) = start.middle, end.middle
        d.arrow((right - 0.1, y - 0.25), (left + 0.1, y - 0.25), BACK, curve=-0.2, dashed=True)
        d.note((left + right) / 2, y - 0.68, text, BACK)
    d.note(4, y + 0.62, "forward: by how much the guess is off")
    d.note(4, 0.2, "back: which way the loss goes if a parameter grows", BACK)
    return d


def char3() -> Drawing:
    d = Drawing(READ, REMEMBER, PREDICT)
    d.over_time(1.8, 1.7, "wor", "  l", first=None)
    d.note(5.7, HIGH, "the fourth letter of “world”", align="left", size=10)
    return d


def rnn_add() -> Drawing:
    d = Drawing(READ, REMEMBER, PREDICT)
    x, state = 0.9, d.state(0.9, MIDDLE, "h")
    d.arrow((x + 0.16, MIDDLE + 0.18), (x + 0.16, MIDDLE - 0.18), REMEMBER, curve=-2.2)
    d.arrow(d.character(x, LOW, "…"), state, READ)
    d.arrow(state, d.prediction(x, HIGH, "?"), PREDICT)
    d.note(2.3, MIDDLE, "=", size=20)
    d.over_time(3.0, 1.15, "worl", "   d")
    return d


def rnn_concat() -> Drawing:
    d = Drawing(PLAIN, BOTH, PREDICT)
    before = d.state(0.6, MIDDLE, "0")
    for x, read in zip((2.8, 5.0, 7.2), "wor"):
        joined, state = d.operation(x - 1.1, MIDDLE, "x, h", 0.6), d.state(x, MIDDLE, "h")
        d.arrow(before, joined, PLAIN)
        d.arrow(d.character(x - 1.1, LOW, read), joined, PLAIN)
        d.arrow(joined, state, BOTH)
        before = state
    d.arrow(before, d.prediction(7.2, HIGH, "l"), PREDICT)
    return d


def rnn() -> Drawing:
    d = Drawing(READ, REMEMBER, PREDICT)
    d.frame(0.9, MIDDLE - 0.45, 7.3, MIDDLE + 0.62, "RNN: one operator")
    d.over_time(1.4, 1.35, "worl", "   d")
    return d


def rnn_sequence() -> Drawing:
    d = Drawing(READ, REMEMBER, PREDICT)
    d.over_time(1.4, 1.35, "worl", "orld")
    return d


def rnn_stateful() -> Drawing:
    d = Drawing(READ, REMEMBER, BACK, height=4.1)
    d.frame(0.1, 0.65, 4.0, 3.95, "a batch")
    d.frame(4.35, 0.65, 8.1, 3.95, "the next, where the text goes on")
    states = d.over_time(0.5, 1.03, "wor", "orl")
    after = d.over_time(4.95, 1.2, "ld!", "d!…", first=None)
    d.arrow(states[-1], after[0], REMEMBER)
    for row in (states[1:], after):
        for before, later in zip(row, row[1:]):
            d.arrow(below(later, -0.12), below(before, 0.12), BACK, curve=-0.25, dashed=True)
    d.arrow(below(after[0], -0.12), (4.2, MIDDLE - 0.3), BACK, dashed=True)
    d.axes.plot([4.18, 4.18], [MIDDLE - 0.45, MIDDLE - 0.15], color=BACK, linewidth=3)
    return d


def below(state: Patch, right: float) -> tuple[float, float]:
    x, y = state.middle
    return x + right, y - 0.26


def rnn_scan() -> Drawing:
    d = Drawing(READ, REMEMBER, PREDICT, height=2.7)
    y = 1.5
    d.frame(2.75, 0.75, 5.35, 2.45, "foreach: one step, a graph")
    add, state = d.operation(3.3, y, "+"), d.state(4.5, y, "h")
    d.arrow(add, state, PLAIN)
    d.arrow((4.5, y - 0.25), (3.3, y - 0.18), REMEMBER, curve=-0.7)
    for place in range(4):
        last = d.character(0.35 + 0.5 * place, y, "worl"[place], size=0.4)
        first = d.prediction(7.85 - 0.5 * place, y, "dlro"[place], size=0.38)
    d.arrow(last, add, READ)
    d.arrow(state, first, PREDICT)
    d.note(1.1, y + 0.5, "in, one at a time", size=10)
    d.note(7.1, y + 0.5, "out", size=10)
    return d


def rnn_numpy() -> Drawing:
    d = Drawing(READ, REMEMBER, BACK)
    states = d.over_time(0.9, 1.9, "wor", "orl")
    for before, later in zip(states, states[1:]):
        if before is not states[0]:
            d.arrow(below(later, -0.12), below(before, 0.12), BACK, curve=-0.25, dashed=True)
        x = later.middle[0]
        d.arrow((x + 0.14, HIGH - 0.25), (x + 0.14, MIDDLE + 0.22), BACK, dashed=True)
        d.arrow((x + 0.14, MIDDLE - 0.22), (x + 0.14, LOW + 0.25), BACK, dashed=True)
        d.note(x + 0.42, HIGH, "- log p", BACK, 10, align="left")
    d.note(6.95, MIDDLE, "begins here", BACK, 10, align="left")
    return d


def gru() -> Drawing:
    d = Drawing(READ, REMEMBER, PLAIN, height=3.9)
    d.frame(1.3, 1.45, 6.9, 3.7, "GRU: within a state")
    d.note(6.8, 1.63, "gates: r, z = sigmoid(W x + U h)", size=10, align="right")
    top, low = 3.1, 2.0
    before, after = d.state(0.6, top, "h"), d.state(7.55, top, "h'")
    keep, add, reset = d.operation(3.8, top, "× z"), d.operation(6.1, top, "+"), d.operation(2.2, low, "× r")
    new, take = d.operation(3.8, low, "tanh: n", 0.9), d.operation(6.1, low, "× (1 - z)", 0.95)
    for start, end in ((before, keep), (keep, add), (add, after), (reset, new), (new, take), (take, add)):
        d.arrow(start, end, PLAIN)
    d.arrow(before, reset, REMEMBER)
    d.arrow(d.character(3.8, 0.95, "x"), new, READ)
    return d


def lstm() -> Drawing:
    d = Drawing(READ, REMEMBER, PLAIN, height=4.2)
    d.frame(1.3, 1.45, 6.9, 4.0, "LSTM: within a state")
    d.note(6.8, 1.63, "gates: f, i, o = sigmoid(W x + U h)", size=10, align="right")
    top, low = 3.35, 2.0
    cell, cell_after = d.state(0.6, top, "c"), d.state(7.55, top, "c'")
    before, after = d.state(0.6, low, "h"), d.state(7.55, low, "h'")
    forget, add = d.operation(2.2, top, "× f"), d.operation(4.0, top, "+")
    new, take = d.operation(2.2, low, "tanh: g", 0.9), d.operation(4.0, low, "× i")
    squash, show = d.operation(5.8, 2.75, "tanh", 0.7), d.operation(5.8, low, "× o")
    for start, end in ((cell, forget), (forget, add), (add, cell_after), (new, take), (take, add), (squash, show)):
        d.arrow(start, end, PLAIN)
    d.arrow((5.8, top), squash, PLAIN)
    d.arrow(show, after, PLAIN)
    d.arrow(before, new, REMEMBER)
    d.arrow(d.character(2.2, 0.95, "x"), new, READ)
    return d


def layers() -> Drawing:
    d = Drawing(READ, REMEMBER, UP, REMEMBER_TOO, DENSE, height=5.5, shapes=False)
    lower, upper = [], []
    for x, read, predicted in zip((2.6, 4.4, 6.2), "wor", "orl"):
        character, first, second = d.character(x, 0.95, read), d.state(x, 2.1, "h"), d.state(x, 3.1, "h")
        dense, prediction = d.operation(x, 4.05, "ReLU", 0.7), d.prediction(x, 5.0, predicted)
        steps = (character, first, READ), (first, second, UP), (second, dense, DENSE), (dense, prediction, PREDICT)
        for start, end, colour in steps:
            d.arrow(start, end, colour)
        lower.append(first)
        upper.append(second)
    for row, colour in ((lower, REMEMBER), (upper, REMEMBER_TOO)):
        y = row[0].middle[1]
        points = [(1.6, y), *row, (7.2, y)]
        for before, later in zip(points, points[1:]):
            d.arrow(before, later, colour)
    rows = ((1.27, "normalised"), (1.5, "embedded,"), (2.1, "layer 1"), (3.1, "layer 2"), (4.05, "dense layer"))
    for y, text in rows:
        d.note(0.3, y, text, align="left")
    d.note(7.4, 2.6, "to the\nnext batch", size=10, align="left")
    d.note(0.3, 4.95, "dropout: on every\narrow upwards", size=10, align="left")
    return d


DRAWINGS = (
    line, char3, rnn_add, rnn_concat, rnn, rnn_sequence, rnn_stateful, gru, lstm, layers, rnn_scan, rnn_numpy,
)  # fmt: skip


def main(folder: Path = Path(__file__).parent) -> None:
    with matplotlib.rc_context(STYLE):
        for draw in DRAWINGS:
            file = folder / f"{draw.__name__.replace('_', '-')}.svg"
            draw().figure.savefig(file, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
