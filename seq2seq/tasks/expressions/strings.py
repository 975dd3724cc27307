"""Expressions as strings, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.arrays import character_codes
from seq2seq.tasks.expressions.batch import MINUS, OPERATORS, PLUS, REMAINDER, TIMES, Expressions, in_blocks
from seq2seq.tasks.expressions.values import values
from seq2seq.typing import Array

ZERO, SPACE, OPEN, CLOSE = (ord(character) for character in "0 ()")


class _Lines:
    """N lines of spaces (N, width), which are filled from the right."""

    def __init__(self, n: int, width: int) -> None:
        self.codes = np.full((n, width), SPACE, np.uint32)
        self._flat = self.codes.reshape(-1)
        self._end = np.arange(1, n + 1) * width  # the place of the last character written on each line

    def write(self, rows: Any, codes: Any) -> None:
        """Write a character on each of these rows."""
        place = self._end[rows] - 1
        self._flat[place] = codes
        self._end[rows] = place

    def go_to(self, rows: Array, places: Array) -> None:
        """Continue at these places on these rows. The places that are skipped stay blank."""
        self._end[rows] = places + rows * self.codes.shape[1]

    def write_numbers(self, rows: Array, values: Array) -> None:
        """Write a whole number from 0 on each of these rows."""
        while len(rows):
            tenth = values // 10
            self.write(rows, (ZERO + values - tenth * 10).astype(np.uint32))
            more = np.flatnonzero(tenth)
            rows, values = rows[more], tenth[more]

    def write_signed(self, rows: Array, values: Array) -> None:
        """Write a whole number, with its sign if it is negative, on each of these rows."""
        self.write_numbers(rows, np.abs(values))
        self.write(rows[values < 0], MINUS)

    def write_times(self, times: Array, code: int) -> None:
        """Write a character `times` times on each line; not at all if that is 0 or less."""
        for more in range(int(times.max(initial=0))):
            self.write(np.flatnonzero(times > more), code)

    @property
    def strings(self) -> Array:
        return self.codes.view(f"U{self.codes.shape[1]}").reshape(len(self.codes))


def write(expressions: Expressions, width: int) -> Array:
    """Expressions as right-justified strings, shape (N,)."""
    return in_blocks(write_spaced, expressions, width)


def write_spaced(expressions: Expressions, width: int, term: Array | None = None, begin: Array | None = None) -> Array:
    """Expressions as strings (N,), with a gap before one term.

    Parameters
    ----------
    expressions : Expressions
    width : int
    term, begin : ndarray, shape (N,), optional
        The term after the gap, and the place where the text before its number ends. By default there are no gaps.
    """
    numbers, operators, nesting = expressions
    nested, own = expressions.nested, _own_parentheses(expressions)
    lines = _Lines(len(numbers), width)
    for place in reversed(range(numbers.shape[1])):
        rows = np.flatnonzero(operators[:, place])
        number = numbers[rows, place].astype(np.int64)
        if nested:
            lines.write_times(own[:, place] - nesting[:, place], CLOSE)
        lines.write_signed(rows, number)
        if nested:
            lines.write_times(own[:, place], OPEN)
        if term is not None and begin is not None:
            spaced = np.flatnonzero(term == place)
            lines.go_to(spaced, begin[spaced])
        if nested:
            lines.write_times(nesting[:, place], OPEN)
        if place > 0:
            lines.write(rows, operators[rows, place])
    return lines.strings


def lengths(expressions: Expressions) -> Array:
    """The number of characters of each number, with its sign and its own parentheses, shape (N, K)."""
    magnitudes = np.abs(expressions.numbers.astype(np.int64))
    return digits(magnitudes) + (expressions.numbers < 0) + 2 * _own_parentheses(expressions)


def digits(numbers: Array) -> Array:
    """The number of digits of whole numbers from 0."""
    count, power = np.ones_like(numbers), 10
    while power <= numbers.max(initial=0):
        count += numbers >= power
        power *= 10
    return count


def _own_parentheses(expressions: Expressions) -> Array:
    """Which numbers have their own parentheses, shape (N, K): negative ones, unless first in all or in a group."""
    if not expressions.nested:
        return np.zeros_like(expressions.numbers, np.int8)
    own = (expressions.numbers < 0) & (expressions.nesting <= 0)
    own[:, 0] = False
    return own.astype(np.int8)


def write_values(values: Array, width: int) -> Array:
    """Whole numbers as right-justified strings, shape (N,)."""
    lines = _Lines(len(values), width)
    lines.write_signed(np.arange(len(values)), values)
    return lines.strings


def answer(expressions: Expressions, width: int) -> Array:
    """The values of expressions as right-justified strings, shape (N,)."""
    return in_blocks(lambda block, width: write_values(values(block), width), expressions, width)


def read(sources: Array) -> Expressions:
    """The inverse of `write`. A loop over the characters: digits extend the number, an operator begins the next."""
    codes = np.ascontiguousarray(character_codes(sources).T.astype(np.uint8))  # (width, N): columns are read one by one
    before = np.pad(codes[:-1], ((1, 0), (0, 0)), constant_values=SPACE)
    begins = (codes - TIMES < ZERO - TIMES) | (codes == REMAINDER)  # all other operators lie between `*` and the digits
    signs = begins & ((before == SPACE) | (before == OPEN))
    begins ^= signs
    nested, terms = bool((codes == OPEN).any()), int(begins.sum(axis=0).max(initial=0)) + 1
    rows, term = np.arange(len(sources)), np.zeros(len(sources), np.int64)
    numbers = np.zeros((len(rows), terms), np.int64)
    operators = np.zeros((len(rows), terms), np.uint8)
    nesting = np.zeros((len(rows), terms if nested else 0), np.int8)
    operators[:, 0] = PLUS
    for column, starts in zip(codes, begins):
        term += starts
        operators[rows[starts], term[starts]] = column[starts]
        digits = rows[(column >= ZERO) & (column <= ZERO + 9)]
        numbers[digits, term[digits]] = numbers[digits, term[digits]] * 10 + column[digits].astype(np.int64) - ZERO
        if nested:  # a number's own parentheses cancel
            nesting[rows, term] += (column == OPEN).astype(np.int8) - (column == CLOSE)
    place, signed = np.nonzero(signs)
    numbers[signed, begins[:, signed].cumsum(axis=0)[place, np.arange(len(signed))]] *= -1
    return Expressions(numbers, operators, nesting)


def depth(sources: Array) -> Array:
    """The depth of nested parentheses in each source, as labels, shape (N,)."""
    codes = character_codes(sources)
    steps = (codes == OPEN).astype(np.int8) - (codes == CLOSE)
    return steps.cumsum(axis=1).max(axis=1, initial=0).astype(str)


def operators_used(sources: Array) -> Array:
    """The operators in each source, as labels such as `+` and `+*`, shape (N,)."""
    codes = character_codes(sources)
    labels = np.full(len(codes), "", f"U{len(OPERATORS)}")
    for operator in OPERATORS:
        used = (codes == ord(operator)).any(axis=1)
        labels[used] = np.char.add(labels[used], operator)
    return np.where(labels == "", "none", labels)
