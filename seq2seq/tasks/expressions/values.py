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

NOTHING = np.iinfo(np.int64).min  # stands for the value of what has none; no expression that is drawn reaches it


def values(expressions: Expressions) -> np.ndarray:
    """The value of each expression, shape (N,): products first, then sums, each from left to right.

    `NOTHING` where a division does not come out whole, or is by 0. A remainder has the sign of what it is divided by,
    as in Python: with a quotient rounded down, `-7 % 3` is 2.
    """
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators
    total, nothing = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), bool)
    product, sign = numbers[:, 0], np.ones(len(numbers), np.int64)  # of the factors being read
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total += np.where(ends, sign * product, 0)
        worked = np.where(times, product * number, np.where(ends, number, product))
        sign = np.where(ends, np.where(operator == MINUS, -1, 1), sign)
        rows = np.flatnonzero((operator == DIVIDE) | (operator == REMAINDER))
        if len(rows):
            worked[rows] = divided(product[rows], operator[rows], number[rows])
            nothing[rows] |= worked[rows] == NOTHING
        product = worked
    total += sign * product
    total[nothing] = NOTHING
    return total


def divided(first: np.ndarray, operator: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Quotients and remainders of whole numbers, shape (N,); `NOTHING` where there is none that is whole."""
    quotient, remainder = np.divmod(first, np.where(second == 0, 1, second))
    possible = (second != 0) & ((operator == REMAINDER) | (remainder == 0))
    return np.where(possible, np.where(operator == REMAINDER, remainder, quotient), NOTHING)


def have_value(expressions: Expressions) -> np.ndarray:
    """Which expressions have a value, shape (N,)."""
    have = np.empty(len(expressions.numbers), bool)
    for block in blocks(len(have), BLOCK):
        have[block] = values(expressions.take(block)) != NOTHING
    return have


def hash_commutative(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), the same for every order of its terms and factors.

    Sums do not depend on order, so a product is the sum of its factors' hashes, scattered again with its sign, and
    an expression the sum of its products'. What a product is divided by counts as a factor of another kind; a
    remainder's two sides keep their places. Two expressions that share a hash by chance end on one side of a split:
    that wastes a little and leaks nothing.
    """
    numbers, operators = expressions
    # With its sign added, `-3` hashes before a sum as `3` does that is taken away: so `-3+5` and `5-3` are one.
    negative = (numbers[:, 0] < 0) * np.uint64(MINUS - PLUS)
    factors = hash_numbers(np.abs(numbers[:, 0])) + negative
    total, sign = np.zeros(len(numbers), np.uint64), np.full(len(numbers), PLUS, np.uint64)
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total = np.where(ends, total + mix(factors + sign), total)
        hashed = hash_numbers(number)
        joined = np.where(times, factors + hashed, np.where(ends, hashed, factors))
        rows = np.flatnonzero((operator == DIVIDE) | (operator == REMAINDER))
        if len(rows):
            by = mix(hashed[rows] + operator[rows].astype(np.uint64))
            joined[rows] = np.where(operator[rows] == DIVIDE, factors[rows] + by, mix(factors[rows] + by))
        factors = joined
        sign = np.where(ends, operator.astype(np.uint64), sign)
    return total + mix(factors + sign)
