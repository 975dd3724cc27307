"""What expressions are worth, and what makes two of them the same question in another order."""

from __future__ import annotations

import numpy as np

from seq2seq.arrays import blocks, mix
from seq2seq.tasks.expressions.batch import (
    BLOCK,
    DIVIDE,
    MINUS,
    PLUS,
    REMAINDER,
    TIMES,
    Expressions,
    hash_numbers,
)
from seq2seq.tasks.expressions.levels import ungroup
from seq2seq.typing import Array

NOTHING = np.iinfo(np.int64).min  # stands for the value of what has none; no expression that is drawn reaches it


def values(expressions: Expressions) -> Array:
    """The value of each expression, shape (N,): products first, then sums, each from left to right.

    `NOTHING` where a division does not come out whole, or is by 0. A remainder has the sign of what it is divided by,
    as in Python: with a quotient rounded down, `-7 % 3` is 2.
    """
    numbers = expressions.numbers.astype(np.int64)
    if not expressions.nesting.any():
        return _values(numbers, expressions.operators)

    def worth(numbers: Array, operators: Array) -> Array:
        nothing = (numbers == NOTHING).any(axis=1)
        return np.where(nothing, NOTHING, _values(np.where(numbers == NOTHING, 0, numbers), operators))

    return worth(*ungroup(numbers, expressions, worth))


def _values(numbers: Array, operators: Array) -> Array:
    """The values of expressions without parentheses, shape (N,)."""
    total = np.zeros(len(numbers), np.int64)
    product = numbers[:, 0]  # of the factors being read, with the sign that it has in the sum
    divides = (operators == DIVIDE) | (operators == REMAINDER)
    any_divides = divides.any()
    sign, nothing = np.ones(len(numbers), np.int64), np.zeros(len(numbers), bool)
    for number, operator, division in zip(numbers.T[1:], operators.T[1:], divides.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total += np.where(ends, product, 0)
        signed = np.where(operator == MINUS, -number, number)
        worked = np.where(times, product * number, np.where(ends, signed, product))
        if any_divides:
            rows = np.flatnonzero(division)
            quotient = divided(sign[rows] * product[rows], operator[rows], number[rows])
            nothing[rows] |= quotient == NOTHING
            worked[rows] = np.where(quotient == NOTHING, 0, sign[rows] * quotient)
            sign = np.where(ends, np.where(operator == MINUS, -1, 1), sign)
        product = worked
    total += product
    return np.where(nothing, NOTHING, total) if any_divides else total


def divided(first: Array, operator: Array, second: Array) -> Array:
    """Quotients and remainders of whole numbers, shape (N,); `NOTHING` where there is none that is whole."""
    quotient, remainder = np.divmod(first, np.where(second == 0, 1, second))
    possible = (second != 0) & ((operator == REMAINDER) | (remainder == 0))
    return np.where(possible, np.where(operator == REMAINDER, remainder, quotient), NOTHING)


def have_value(expressions: Expressions) -> Array:
    """Which expressions have a value, shape (N,)."""
    have = np.empty(len(expressions.numbers), bool)
    for block in blocks(len(have), BLOCK):
        have[block] = values(expressions.take(block)) != NOTHING
    return have


def hash_commutative(expressions: Expressions) -> Array:
    """A 64-bit hash an expression, shape (N,), the same for every order of terms and factors within each parentheses.

    Sums do not depend on order, so a product is the sum of its factors' hashes, scattered again with its sign, and
    an expression the sum of its products'. What a product is divided by counts as a factor of another kind; a
    remainder's two sides keep their places. Two expressions that share a hash by chance end on one side of a split:
    that wastes a little and leaks nothing.
    """
    numbers = expressions.numbers
    # With its sign added, `-3` hashes in a sum as `3` does that is taken away: so `-3+5` and `5-3` are one.
    hashes = hash_numbers(np.abs(numbers))
    hashes[numbers < 0] += np.uint64(MINUS - PLUS)
    if not expressions.nesting.any():
        return _hash(hashes, expressions.operators)
    # A group is scattered as a number is, or `(1+2)*(3+4)` were one with `(1+3)*(2+4)`.
    return _hash(*ungroup(hashes, expressions, lambda hashes, operators: mix(_hash(hashes, operators))))


def _hash(hashes: Array, operators: Array) -> Array:
    """The same of expressions without parentheses, from the hashes of their numbers (N, K)."""
    factors, sign = hashes[:, 0], np.full(len(hashes), PLUS, np.uint64)  # of the product being read
    total = np.zeros(len(hashes), np.uint64)
    for hashed, operator in zip(hashes.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total = np.where(ends, total + mix(factors + sign), total)
        joined = np.where(times, factors + hashed, np.where(ends, hashed, factors))
        rows = np.flatnonzero((operator == DIVIDE) | (operator == REMAINDER))
        if len(rows):
            by = mix(hashed[rows] + operator[rows].astype(np.uint64))
            joined[rows] = np.where(operator[rows] == DIVIDE, factors[rows] + by, mix(factors[rows] + by))
        factors = joined
        sign = np.where(ends, operator.astype(np.uint64), sign)
    return total + mix(factors + sign)
