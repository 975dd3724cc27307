"""Expressions as strings, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.arrays import character_codes
from seq2seq.tasks.expressions.batch import MINUS, OPERATORS, PLUS, REMAINDER, TIMES, Expressions, in_blocks
from seq2seq.tasks.expressions.values import values

ZERO, SPACE = ord("0"), ord(" ")


class _Lines:
    """N lines of spaces (N, width), written from the right."""

    def __init__(self, n: int, width: int) -> None:
        self.codes = np.full((n, width), SPACE, np.uint32)
        self._flat = self.codes.reshape(-1)
        self._end = np.arange(1, n + 1) * width  # of each line, where the last character was written

    def write(self, rows: Any, codes: Any) -> None:
        """A character on each of these rows."""
        place = self._end[rows] - 1
        self._flat[place] = codes
        self._end[rows] = place

    def go_to(self, rows: np.ndarray, places: np.ndarray) -> None:
        """Leave what is before these places on these rows blank, and go on there."""
        self._end[rows] = places + rows * self.codes.shape[1]

    def write_numbers(self, rows: np.ndarray, values: np.ndarray) -> None:
        """A whole number from 0 on each of these rows."""
        while len(rows):
            tenth = values // 10
            self.write(rows, (ZERO + values - tenth * 10).astype(np.uint32))
            more = np.flatnonzero(tenth)
            rows, values = rows[more], tenth[more]

    def write_signed(self, rows: np.ndarray, values: np.ndarray) -> None:
        """A whole number, with its sign if it is negative, on each of these rows."""
        self.write_numbers(rows, np.abs(values))
        self.write(rows[values < 0], MINUS)

    @property
    def strings(self) -> np.ndarray:
        return self.codes.view(f"U{self.codes.shape[1]}").reshape(len(self.codes))


def write(expressions: Expressions, width: int) -> np.ndarray:
    """Expressions as right-justified strings, shape (N,)."""
    return in_blocks(write_spaced, expressions, width)


def write_spaced(
    expressions: Expressions, width: int, term: np.ndarray | None = None, begin: np.ndarray | None = None
) -> np.ndarray:
    """Expressions as strings (N,), what comes before one term ending at a given place.

    Parameters
    ----------
    expressions : Expressions
    width : int
    term, begin : ndarray, shape (N,), optional
        That term, and the place where the operator before it ends. By default there are no gaps.
    """
    numbers, operators = expressions
    lines = _Lines(len(numbers), width)
    for place in reversed(range(numbers.shape[1])):
        rows = np.flatnonzero(operators[:, place])
        number = numbers[rows, place].astype(np.int64)
        if place == 0:
            lines.write_signed(rows, number)
        else:
            lines.write_numbers(rows, number)
        if term is not None and begin is not None:
            spaced = np.flatnonzero(term == place)
            lines.go_to(spaced, begin[spaced])
        if place > 0:
            lines.write(rows, operators[rows, place])
    return lines.strings


def lengths(expressions: Expressions) -> np.ndarray:
    """How many characters each number takes, with its sign, shape (N, K)."""
    magnitudes = np.abs(expressions.numbers.astype(np.int64))
    digits = 1 + (magnitudes[..., None] >= 10 ** np.arange(1, 19)).sum(axis=-1)
    return digits + (expressions.numbers < 0)


def write_values(values: np.ndarray, width: int) -> np.ndarray:
    """Whole numbers as right-justified strings, shape (N,)."""
    lines = _Lines(len(values), width)
    lines.write_signed(np.arange(len(values)), values)
    return lines.strings


def answer(expressions: Expressions, width: int) -> np.ndarray:
    """The values of expressions as right-justified strings, shape (N,)."""
    return in_blocks(lambda block, width: write_values(values(block), width), expressions, width)


def read(sources: np.ndarray) -> Expressions:
    """The inverse of `write`. A loop over the characters: digits extend the number, an operator begins the next."""
    codes = character_codes(sources)
    is_operator = (codes - TIMES < ord("0") - TIMES) | (codes == REMAINDER)  # all others lie between `*` and the digits
    rows, first = np.arange(len(codes)), (codes != SPACE).argmax(axis=1)
    negative = is_operator[rows, first]  # the sign of the first number
    is_operator[rows, first] = False
    terms = int(is_operator.sum(axis=1).max(initial=0)) + 1
    numbers = np.zeros((len(codes), terms), np.int64)
    operators = np.zeros((len(codes), terms), np.uint8)
    operators[:, 0] = PLUS
    term = np.zeros(len(codes), np.int64)
    for column, starts in zip(codes.T, is_operator.T):
        term += starts
        operators[rows[starts], term[starts]] = column[starts]
        digits = rows[(column >= ZERO) & (column <= ZERO + 9)]
        numbers[digits, term[digits]] = numbers[digits, term[digits]] * 10 + column[digits].astype(np.int64) - ZERO
    numbers[negative, 0] *= -1
    return Expressions(numbers, operators)


def operators_used(sources: np.ndarray) -> np.ndarray:
    """Which operators each source has, as labels such as `+` and `+*`, shape (N,)."""
    codes = character_codes(sources)
    labels = np.full(len(codes), "", f"U{len(OPERATORS)}")
    for operator in OPERATORS:
        used = (codes == ord(operator)).any(axis=1)
        labels[used] = np.char.add(labels[used], operator)
    return np.where(labels == "", "none", labels)
