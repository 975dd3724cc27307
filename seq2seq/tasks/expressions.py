"""Batches of arithmetic expressions as numbers: written, read, evaluated and hashed.

N expressions of up to K terms are two arrays: `numbers` (N, K), and `operators` (N, K) with the character code of the
operator before each number. The first operator is always `+`; a term that is absent has operator 0. Everything is a
loop over the K terms, or the characters, with NumPy doing the N rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

OPERATORS = "+-*"
PLUS, MINUS, TIMES, ZERO, SPACE = (ord(character) for character in "+-*0 ")


class Expressions(NamedTuple):
    """N expressions as numbers: see the module's docstring."""

    numbers: np.ndarray  # (N, K) int64
    operators: np.ndarray  # (N, K) uint8


def stack(parts: list[Expressions]) -> Expressions:
    """Join expressions of different numbers of terms, the missing terms marked absent."""
    width = max(part.numbers.shape[1] for part in parts)

    def joined(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.pad(array, ((0, 0), (0, width - array.shape[1]))) for array in arrays])

    return Expressions(joined([part.numbers for part in parts]), joined([part.operators for part in parts]))


def values(expressions: Expressions) -> np.ndarray:
    """The value of each expression, shape (N,): products first, then sums from left to right."""
    numbers, operators = expressions
    total = np.zeros(len(numbers), np.int64)
    product = numbers[:, 0].copy()  # of the run of factors being read, with the sign before it
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total += np.where(ends, product, 0)
        signed = np.where(operator == MINUS, -number, number)
        product = np.where(times, product * number, np.where(ends, signed, product))
    return total + product


def _mix(hashes: np.ndarray) -> np.ndarray:
    """Scatter 64-bit values, one to one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _hash_number(numbers: np.ndarray) -> np.ndarray:
    return _mix(numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def hash_in_order(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), that depends on the order of everything."""
    hashes = np.zeros(len(expressions.numbers), np.uint64)
    for number, operator in zip(expressions.numbers.T, expressions.operators.T):
        hashes = _mix(hashes * np.uint64(3) + _hash_number(number) + operator.astype(np.uint64))
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
        total = np.where(ends, total + _mix(factors + sign), total)
        hashed = _hash_number(number)
        factors = np.where(times, factors + hashed, np.where(ends, hashed, factors))
        sign = np.where(ends, operator.astype(np.uint64), sign)
    return total + _mix(factors + sign)


def _blank(n: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """N lines of spaces as character codes (N, width), and where each is written next, from the right (N,)."""
    return np.full((n, width), SPACE, np.uint32), np.full(n, width)


def _as_strings(codes: np.ndarray) -> np.ndarray:
    return codes.view(f"U{codes.shape[1]}").reshape(len(codes))


def _write_digits(codes: np.ndarray, end: np.ndarray, values: np.ndarray, rows: np.ndarray) -> None:
    """Write the digits of `values` (the rows' own) leftwards from `end`, which moves along."""
    while len(rows):
        values, digit = np.divmod(values, 10)
        end[rows] -= 1
        codes[rows, end[rows]] = ZERO + digit
        more = values > 0
        rows, values = rows[more], values[more]


def write(expressions: Expressions, width: int) -> np.ndarray:
    """Expressions as right-justified strings, shape (N,)."""
    numbers, operators = expressions
    codes, end = _blank(len(numbers), width)
    for term in reversed(range(numbers.shape[1])):
        rows = np.flatnonzero(operators[:, term])
        _write_digits(codes, end, numbers[rows, term], rows)
        if term > 0:
            end[rows] -= 1
            codes[rows, end[rows]] = operators[rows, term]
    return _as_strings(codes)


def write_values(values: np.ndarray, width: int) -> np.ndarray:
    """Whole numbers as right-justified strings, shape (N,)."""
    codes, end = _blank(len(values), width)
    _write_digits(codes, end, np.abs(values), np.arange(len(values)))
    negative = np.flatnonzero(values < 0)
    codes[negative, end[negative] - 1] = MINUS
    return _as_strings(codes)


def _codes(sources: np.ndarray) -> np.ndarray:
    """Strings (N,) as character codes (N, S), 0 where a string has ended."""
    sources = np.ascontiguousarray(sources)
    return sources.view(np.uint32).reshape(len(sources), -1)


def read(sources: np.ndarray) -> Expressions:
    """The inverse of `write`. A loop over the characters: digits extend the number, an operator begins the next."""
    codes = _codes(sources)
    is_operator = (codes == PLUS) | (codes == MINUS) | (codes == TIMES)
    terms = int(is_operator.sum(axis=1).max(initial=0)) + 1
    numbers = np.zeros((len(codes), terms), np.int64)
    operators = np.zeros((len(codes), terms), np.uint8)
    operators[:, 0] = PLUS
    rows, term = np.arange(len(codes)), np.zeros(len(codes), np.int64)
    for column, starts in zip(codes.T, is_operator.T):
        term += starts
        operators[rows[starts], term[starts]] = column[starts]
        digits = rows[(column >= ZERO) & (column <= ZERO + 9)]
        numbers[digits, term[digits]] = numbers[digits, term[digits]] * 10 + column[digits].astype(np.int64) - ZERO
    return Expressions(numbers, operators)


def operators_used(sources: np.ndarray) -> np.ndarray:
    """Which operators each source has, as labels such as `+` and `+*`, shape (N,)."""
    codes = _codes(sources)
    labels = np.full(len(codes), "", "U3")
    for operator in OPERATORS:
        used = (codes == ord(operator)).any(axis=1)
        labels[used] = np.char.add(labels[used], operator)
    return np.where(labels == "", "none", labels)
