"""Batches of arithmetic expressions as numbers: written, read, evaluated and hashed.

N expressions of up to K terms are two arrays: `numbers` (N, K), and `operators` (N, K) with the character code of the
operator before each number. The first operator is `+`, or `-` where a step of working out has left a negative number;
a term that is absent has operator 0. Everything is a loop over the K terms, or the characters, with NumPy doing the N
rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seq2seq.arrays import blocks, character_codes, mix

OPERATORS = "+-*"
PLUS, MINUS, TIMES, ZERO, SPACE = (ord(character) for character in "+-*0 ")
BLOCK = 2**14  # expressions at a time, so that what is done to them stays in the processor's cache


class Expressions(NamedTuple):
    """N expressions as numbers: see the module's docstring."""

    numbers: np.ndarray  # (N, K) of the smallest unsigned type that holds the operands
    operators: np.ndarray  # (N, K) uint8

    def take(self, rows: Any) -> Expressions:
        return Expressions(self.numbers[rows], self.operators[rows])


def stack(parts: list[Expressions]) -> Expressions:
    """Join expressions of different numbers of terms, the missing terms marked absent."""
    width = max(part.numbers.shape[1] for part in parts)

    def joined(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.pad(array, ((0, 0), (0, width - array.shape[1]))) for array in arrays])

    return Expressions(joined([part.numbers for part in parts]), joined([part.operators for part in parts]))


def values(expressions: Expressions) -> np.ndarray:
    """The value of each expression, shape (N,): products first, then sums from left to right."""
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators
    total = np.zeros(len(numbers), np.int64)
    product = np.where(operators[:, 0] == MINUS, -numbers[:, 0], numbers[:, 0])  # of the factors being read, signed
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total += np.where(ends, product, 0)
        signed = np.where(operator == MINUS, -number, number)
        product = np.where(times, product * number, np.where(ends, signed, product))
    return total + product


def _hash_number(numbers: np.ndarray) -> np.ndarray:
    return mix(numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def hash_in_order(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), that depends on the order of everything."""
    hashes = np.zeros(len(expressions.numbers), np.uint64)
    for block in blocks(len(hashes), BLOCK):
        for number, operator in zip(expressions.numbers[block].T, expressions.operators[block].T):
            hashes[block] = mix(hashes[block] * np.uint64(3) + _hash_number(number) + operator.astype(np.uint64))
    return hashes


def hash_commutative(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), the same for every order of its terms and factors.

    Sums do not depend on order, so a product is the sum of its factors' hashes, scattered again with its sign, and
    an expression the sum of its products'. Two expressions that share a hash by chance end on one side of a split:
    that wastes a little and leaks nothing.
    """
    numbers, operators = expressions
    total = np.zeros(len(numbers), np.uint64)
    factors, sign = _hash_number(numbers[:, 0]), operators[:, 0].astype(np.uint64)
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total = np.where(ends, total + mix(factors + sign), total)
        hashed = _hash_number(number)
        factors = np.where(times, factors + hashed, np.where(ends, hashed, factors))
        sign = np.where(ends, operator.astype(np.uint64), sign)
    return total + mix(factors + sign)


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


def _digits(values: np.ndarray) -> np.ndarray:
    """How many digits whole numbers from 0 have."""
    return 1 + (values[..., None] >= 10 ** np.arange(1, 19)).sum(axis=-1)


def write(expressions: Expressions, width: int) -> np.ndarray:
    """Expressions as right-justified strings, shape (N,)."""
    strings = np.empty(len(expressions.numbers), f"U{width}")
    for block in blocks(len(strings), BLOCK):
        numbers, operators = expressions.take(block)
        lines = _Lines(len(numbers), width)
        for term in reversed(range(numbers.shape[1])):
            rows = np.flatnonzero(operators[:, term])
            lines.write_numbers(rows, numbers[rows, term].astype(np.int64))
            signed = rows if term > 0 else np.flatnonzero(operators[:, 0] == MINUS)
            lines.write(signed, operators[signed, term])
        character_codes(strings)[block] = lines.codes
    return strings


def write_values(values: np.ndarray, width: int) -> np.ndarray:
    """Whole numbers as right-justified strings, shape (N,)."""
    lines = _Lines(len(values), width)
    lines.write_numbers(np.arange(len(values)), np.abs(values))
    lines.write(np.flatnonzero(values < 0), MINUS)
    return lines.codes.view(f"U{width}").reshape(len(values))


def answer(expressions: Expressions, width: int) -> np.ndarray:
    """The values of expressions as right-justified strings, shape (N,)."""
    strings = np.empty(len(expressions.numbers), f"U{width}")
    for block in blocks(len(strings), BLOCK):
        strings[block] = write_values(values(expressions.take(block)), width)
    return strings


def _next_term(operators: np.ndarray) -> np.ndarray:
    """The term that the next step joins to the one before it, shape (N,); more than K where nothing is left to do.

    The second, or the third where only that one is a factor: this needs no look at what follows.
    """
    first, second = (operators[:, term] if term < operators.shape[1] else np.zeros(len(operators)) for term in (1, 2))
    term = np.where((first != TIMES) & (second == TIMES), 2, 1)
    return np.where(first == 0, operators.shape[1] + 1, term)


def next_step(expressions: Expressions) -> Expressions:
    """Each expression after one step of working it out: see `_next_term`."""
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators.copy()
    term = _next_term(operators)
    rows = np.flatnonzero(term < numbers.shape[1])
    right = term[rows]
    left = right - 1
    begins = left == 0  # the sign of the first number is its own; before another it is what is done with the product
    first = np.where(begins & (operators[rows, left] == MINUS), -1, 1) * numbers[rows, left]
    second, operator = numbers[rows, right], operators[rows, right]
    value = np.where(operator == PLUS, first + second, first - second)
    value = np.where(operator == TIMES, first * second, value)
    numbers[rows, left] = np.abs(value)
    operators[rows, left] = np.where(begins, np.where(value < 0, MINUS, PLUS), operators[rows, left])
    places = np.arange(max(1, numbers.shape[1] - 1))
    places = places + (places >= term[:, None])  # all but that term
    return Expressions(*(np.take_along_axis(array, places, axis=1) for array in (numbers, operators)))


def write_step(expressions: Expressions, width: int) -> np.ndarray:
    """Each expression as right-justified strings (N,), the next step's value standing where its terms stood.

    `3*7+2` becomes ` 21+2`. A value never takes more room than what it is the value of.
    """
    strings = np.empty(len(expressions.numbers), f"U{width}")
    for block in blocks(len(strings), BLOCK):
        numbers, operators = expressions.take(block)
        numbers = numbers.astype(np.int64)
        right, after = _next_term(operators), next_step(expressions.take(block))
        lines, end = _Lines(len(numbers), width), np.full(len(numbers), width)  # the end is where the source has it
        for term in reversed(range(numbers.shape[1])):
            present, is_right, is_left = operators[:, term] != 0, right == term, right == term + 1
            value = np.where(is_right, after.numbers[:, term - 1], numbers[:, term]) if term else numbers[:, 0]
            rows = np.flatnonzero(present & ~is_left)
            lines.write_numbers(rows, value[rows])
            if term == 1:
                lines.write(np.flatnonzero(is_right & (after.operators[:, 0] == MINUS)), MINUS)
            end -= np.where(present, _digits(numbers[:, term]), 0)
            lines.go_to(np.flatnonzero(is_left), end[is_left])
            sign = present if term else operators[:, 0] == MINUS
            rows = np.flatnonzero(sign & ~is_right & ~(is_left & (term == 0)))
            lines.write(rows, operators[rows, term])
            end -= sign
        character_codes(strings)[block] = lines.codes
    return strings


def read(sources: np.ndarray) -> Expressions:
    """The inverse of `write`. A loop over the characters: digits extend the number, an operator begins the next."""
    codes = character_codes(sources)
    is_operator = (codes == PLUS) | (codes == MINUS) | (codes == TIMES)
    rows, first = np.arange(len(codes)), (codes != SPACE).argmax(axis=1)
    negative = is_operator[rows, first]  # the sign of the first number
    is_operator[rows, first] = False
    terms = int(is_operator.sum(axis=1).max(initial=0)) + 1
    numbers = np.zeros((len(codes), terms), np.int64)
    operators = np.zeros((len(codes), terms), np.uint8)
    operators[:, 0] = np.where(negative, MINUS, PLUS)
    term = np.zeros(len(codes), np.int64)
    for column, starts in zip(codes.T, is_operator.T):
        term += starts
        operators[rows[starts], term[starts]] = column[starts]
        digits = rows[(column >= ZERO) & (column <= ZERO + 9)]
        numbers[digits, term[digits]] = numbers[digits, term[digits]] * 10 + column[digits].astype(np.int64) - ZERO
    return Expressions(numbers, operators)


def write_working(expressions: Expressions, width: int) -> np.ndarray:
    """What every step of working the expressions out leaves, such as `21+2=23`, right-justified, shape (N,)."""
    working = np.full(len(expressions.numbers), "", f"U{width}")
    for _ in range(expressions.numbers.shape[1] - 1):
        busy = (expressions.operators[:, 1:] != 0).any(axis=1)
        expressions = next_step(expressions)
        joined = np.char.add(np.where(working == "", "", "="), np.char.lstrip(write(expressions, width)))
        working = np.where(busy, np.char.add(working, joined), working)
    single = working == ""
    working[single] = np.char.lstrip(answer(expressions.take(single), width))
    return np.char.rjust(working, width).astype(f"U{width}")


def operators_used(sources: np.ndarray) -> np.ndarray:
    """Which operators each source has, as labels such as `+` and `+*`, shape (N,)."""
    codes = character_codes(sources)
    labels = np.full(len(codes), "", "U3")
    for operator in OPERATORS:
        used = (codes == ord(operator)).any(axis=1)
        labels[used] = np.char.add(labels[used], operator)
    return np.where(labels == "", "none", labels)
