"""Values of expressions, and hashes that ignore the order of terms and factors."""

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

NOTHING = np.iinfo(np.int64).min  # marks an expression without a value; no drawn expression has this value


def values(expressions: Expressions) -> Array:
    """The value of each expression, shape (N,): products first, then sums, each from left to right.

    `NOTHING` where a quotient is not whole or a divisor is 0. A remainder has the sign of the divisor, as in Python:
    the quotient is rounded down, so `-7 % 3` is 2.
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
    product = numbers[:, 0]  # of the current factors, with its sign in the sum
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
    """Quotients and remainders of whole numbers, shape (N,); `NOTHING` where there is no whole result."""
    quotient, remainder = np.divmod(first, np.where(second == 0, 1, second))
    possible = (second != 0) & ((operator == REMAINDER) | (remainder == 0))
    return np.where(possible, np.where(operator == REMAINDER, remainder, quotient), NOTHING)


def have_value(expressions: Expressions) -> Array:
    """Mask of the expressions that have a value, shape (N,)."""
    have = np.empty(len(expressions.numbers), bool)
    for block in blocks(len(have), BLOCK):
        have[block] = values(expressions.take(block)) != NOTHING
    return have


def hash_commutative(expressions: Expressions) -> Array:
    """A 64-bit hash for each expression, shape (N,), that ignores the order of terms and factors in each group.

    Sums do not depend on order, so the hash of a product is the sum of the hashes of its factors, mixed again with its
    sign, and the hash of an expression is the sum of the hashes of its products. A divisor counts as a factor of
    another kind. The two sides of a remainder are not exchanged. Two expressions that have the same hash by chance are
    in the same part of a split: a few examples are lost, but none leak.
    """
    numbers = expressions.numbers
    # With its sign added, `-3` has the same hash in a sum as a subtracted `3`, so `-3+5` and `5-3` are equal.
    hashes = hash_numbers(np.abs(numbers))
    hashes[numbers < 0] += np.uint64(MINUS - PLUS)
    if not expressions.nesting.any():
        return _hash(hashes, expressions.operators)
    # A group is mixed as a number is. Otherwise `(1+2)*(3+4)` and `(1+3)*(2+4)` would be equal.
    return _hash(*ungroup(hashes, expressions, lambda hashes, operators: mix(_hash(hashes, operators))))


def _hash(hashes: Array, operators: Array) -> Array:
    """The same for expressions without parentheses, from the hashes of their numbers (N, K)."""
    factors, sign = hashes[:, 0], np.full(len(hashes), PLUS, np.uint64)  # of the current product
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
